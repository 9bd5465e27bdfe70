"""The game among parties whose data were trained on: all rows, half of them, or staying away.

Each half was really trained on, alone and with the others, and the center's payments are those of
what it would have measured. Cost: n + 1 allocations a profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from aboveboard.errors import BudgetExceeded
from aboveboard.games.actions import AWAY, Codes
from aboveboard.games.capabilities import DeviationKind, Proof
from aboveboard.games.numbers import Array, Number
from aboveboard.learning.market.allocation import MOST_SETS
from aboveboard.learning.market.valuations import Growth, Linear
from aboveboard.learning.payments.budget import keeps_budget
from aboveboard.learning.payments.measured_market import ABSENT, ALL, HALF, MeasuredMarket

LISTED_LIES = (
    "hiding half of one's rows and staying away, as measured (where several do so at once, the "
    "joint quality is taken to fall by the sum of what each alone costs)"
)

KEPT_PROFILES = 1 << 16
"""Profiles whose payoffs are kept."""


@dataclass(frozen=True)
class MeasuredGame:
    """A market on measured qualities as a game; float64.

    Parameters
    ----------
    measured
        The market; its parties are the players.
    """

    measured: MeasuredMarket
    unit: Fraction = field(default=Fraction(1), init=False)
    """What one unit of a payoff is worth."""
    _cache: dict[tuple[int, ...], tuple[Any, Any]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    covers_all_lies = False
    """Other parts of the rows could be hidden."""

    listed_lies = LISTED_LIES

    @property
    def players(self) -> tuple[str, ...]:
        """The parties."""
        return self.measured.parties

    @property
    def unlisted_outcomes(self) -> str:
        """What an examination of efficiency does not compare with; empty where it does not matter.

        In linear and growth markets the total rises or falls with each quality, so that the best
        model or none is best for each party.
        """
        if isinstance(self.measured.market.valuation, Linear | Growth):
            return "a joint model trained on other rows"
        return "models of lesser quality, or trained on other rows"

    def proof(self, name: str) -> Proof | None:
        """Return why a property holds whatever is reported."""
        market, n = self.measured.market, len(self.players)
        if name == "IR":
            return Proof(
                "each pays what it gains by taking part at the measured qualities, so that the "
                "truth leaves it what staying away leaves it",
                n,
            )
        if name == "weak budget balance" and keeps_budget(market, int(self.measured.present.sum())):
            return Proof(
                "payments sum at least to what serving adds to welfare at the measured qualities, "
                "and who is served is chosen so that it is not less than 0",
                n,
            )
        return None

    def actions(self, i: int, /) -> tuple[int, ...]:
        """Return what a party can do: stay away, report half of its rows, report all."""
        return (ABSENT, HALF, ALL) if self.measured.present[i] else (ABSENT,)

    def truth(self, i: int, /) -> int:
        """Return that all rows are reported."""
        return ALL if self.measured.present[i] else ABSENT

    def absent(self, i: int, /) -> int:
        """Return that the party stays away."""
        return ABSENT

    def describe(self, i: int, action: int) -> object:
        """Return an action in words."""
        return (AWAY, "reports half of its rows", "reports all of its rows")[action]

    def deviation_kind(self, i: int, action: int, /) -> DeviationKind:
        """Return what a party does that does not report all of its rows."""
        return "stays away" if action == ABSENT else "hides"

    def payoffs(self, profile: Sequence[int], /) -> list[Number]:
        """Return valuations minus payments of one profile."""
        return [float(x) for x in self._play(profile)[0]]

    def payments(self, profile: Sequence[int], /) -> list[Number]:
        """Return what each party pays."""
        return [float(x) for x in self._play(profile)[1]]

    def payoff_rows(self, columns: Sequence[Codes]) -> Array:
        """Return payoffs of many profiles, shape (m, players)."""
        codes = np.stack(np.broadcast_arrays(*columns), axis=-1)
        spaces = [self.actions(i) for i in range(len(self.players))]
        rows = [
            self._play([space[k] for space, k in zip(spaces, row, strict=True)])[0]
            for row in codes.tolist()
        ]
        return np.array(rows).reshape(len(codes), len(spaces))

    def outcomes(self, profile: Sequence[int], /, *, giving_no_less: bool) -> Array:
        """Return payoffs, and what the center takes in, for each set that could be served.

        Shape (sets, players + 1); payments are the rule's, whoever is served.

        Raises
        ------
        BudgetExceeded
            If more than 16 parties take part.
        """
        there = int(self.measured.present.sum())
        if there > MOST_SETS:
            raise BudgetExceeded(
                f"efficiency compares 2^{there} sets of parties that could be served; {MOST_SETS} "
                "parties at most"
            )
        payoffs, served, paid = self.measured.find_outcomes()
        if giving_no_less:
            payoffs = payoffs[served >= int(self.measured.served.sum())]
        return np.concatenate([payoffs, np.full((len(payoffs), 1), paid)], axis=1)

    def _play(self, profile: Sequence[int]) -> tuple[Any, Any]:
        key = tuple(int(action) for action in profile)
        if key not in self._cache:
            if len(self._cache) >= KEPT_PROFILES:
                self._cache.clear()
            self._cache[key] = self.measured.play(key)
        return self._cache[key]
