"""The game that the users play once the rule is fixed: each chooses a privacy level.

A user's payoff is its share at the levels that all have chosen, minus what the privacy it gives up
costs it. Cost: one fair division for each number of alike users at each level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aboveboard.games.numbers import Number
from aboveboard.valuation.levels import NOTHING, Level, encode_level
from aboveboard.valuation.shares.division import Shares, tidy


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
    """

    players: tuple[str, ...]
    levels: tuple[tuple[Level, ...], ...]
    chosen: tuple[Level, ...]
    costs: tuple[tuple[Number, ...], ...]
    shares: Callable[[Sequence[Level]], Shares]
    weight: int = 1

    def actions(self, i: int, /) -> tuple[Level, ...]:
        """Levels on offer."""
        return self.levels[i]

    def truth(self, i: int, /) -> Level:
        """Give the level that the user has chosen."""
        return self.chosen[i]

    def absent(self, i: int, /) -> Level | None:
        """Level 0 is to stay away."""
        return NOTHING if NOTHING in self.levels[i] else None

    def outside(self, i: int, /) -> Number | None:
        """Where level 0 is not on offer, who stays away has nothing and pays nothing."""
        return None if NOTHING in self.levels[i] else 0

    def payoffs(self, profile: Sequence[Level], /) -> list[Number]:
        """Give shares minus costs."""
        return [
            tidy(share - self.cost(i, x))
            for i, (share, x) in enumerate(zip(self.division(profile).users, profile, strict=True))
        ]

    def payments(self, profile: Sequence[Level], /) -> list[Number]:
        """Give what each user pays to the platform: minus its share."""
        return [-share if share else 0 for share in self.division(profile).users]

    def division(self, profile: Sequence[Level]) -> Shares:
        """Give the fair division at these levels."""
        return self.shares(profile)

    def cost(self, i: int, level: Level) -> Number:
        """Give what a level costs user i."""
        return self.costs[i][self.levels[i].index(level)]

    def describe(self, i: int, action: Level) -> Any:
        """Say what the user does: the level as data."""
        return {"chooses level": encode_level(action)}
