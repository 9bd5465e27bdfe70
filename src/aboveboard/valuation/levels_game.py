"""The game that the users play once the rule is fixed: each chooses a privacy level.

A user's payoff is its share at the levels that all have chosen, minus what the privacy it gives up
costs it. Cost: one fair division for each number of alike users at each level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aboveboard.games.capabilities import DeviationKind
from aboveboard.games.numbers import Number
from aboveboard.valuation.levels import NOTHING, Level, encode_level
from aboveboard.valuation.shares.division import Fairness, Shares, tidy
from aboveboard.valuation.utilities.utilities import Utility


@dataclass(frozen=True)
class LevelsGame:
    """A game of privacy levels.

    Parameters
    ----------
    players
        The users.
    levels
        By user: the levels it can choose from, ascending.
    chosen
        By user: the level it has chosen, its truth.
    costs
        By user: what each of its levels costs it.
    shares
        The fair division at given levels, which remembers what it has divided.
    weight
        How many values of the utility go into one division.
    utility, fairness, alpha
        What is divided and how, for the claims about shares.

    Examples
    --------
    >>> import aboveboard as ab
    >>> file = {"fairness": "users", "utility": {"kind": "dp-mean"}}
    >>> users = {"ann": {"level": 1}, "bob": {"level": 1}}
    >>> game = ab.collaborate("valuation.payments", users, **file).game()
    >>> game.players, game.actions(0), game.truth(0)
    (('ann', 'bob'), (Fraction(0, 1), Fraction(1, 1)), Fraction(1, 1))
    """

    players: tuple[str, ...]
    levels: tuple[tuple[Level, ...], ...]
    chosen: tuple[Level, ...]
    costs: tuple[tuple[Number, ...], ...]
    shares: Callable[[Sequence[Level]], Shares]
    weight: int = 1
    utility: Utility | None = None
    fairness: Fairness = "users"
    alpha: Number = 1

    def actions(self, i: int, /) -> tuple[Level, ...]:
        """Return the levels on offer."""
        return self.levels[i]

    def truth(self, i: int, /) -> Level:
        """Return the level that the user has chosen."""
        return self.chosen[i]

    def absent(self, i: int, /) -> Level | None:
        """Return level 0, if it is on offer: to stay away."""
        return NOTHING if NOTHING in self.levels[i] else None

    def outside(self, i: int, /) -> Number | None:
        """Return what staying away is worth where level 0 is not on offer: nothing."""
        return None if NOTHING in self.levels[i] else 0

    def payoffs(self, profile: Sequence[Level], /) -> list[Number]:
        """Return shares minus costs."""
        return [
            tidy(share - self.cost(i, x))
            for i, (share, x) in enumerate(zip(self.division(profile).users, profile, strict=True))
        ]

    def payments(self, profile: Sequence[Level], /) -> list[Number]:
        """Return what each user pays to the platform: minus its share."""
        return [-share if share else 0 for share in self.division(profile).users]

    def deviation_kind(self, i: int, action: Level, /) -> DeviationKind:
        """Return "chooses": to choose another privacy level is not a lie."""
        return "chooses"

    def division(self, profile: Sequence[Level]) -> Shares:
        """Return the fair division at these levels."""
        return self.shares(profile)

    def cost(self, i: int, level: Level) -> Number:
        """Return what a level costs user i."""
        return self.costs[i][self.levels[i].index(level)]

    def describe(self, i: int, action: Level) -> object:
        """Return what the user does: the level as data."""
        return {"chooses level": encode_level(action)}
