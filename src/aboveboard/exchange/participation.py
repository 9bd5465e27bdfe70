"""The game of joining or staying away: all-or-nothing parties."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.exchange.utility import compute_payoff_rows, find_best_rivals, find_unit
from aboveboard.games.actions import AWAY, Codes
from aboveboard.games.game import TabularGame
from aboveboard.games.numbers import Array, Number, from_units

JOIN, STAY_AWAY = "joins", AWAY

MOST_PARTIES = 20
"""2^20 coalitions times 20 parties: the largest table of benefits, 160 MB."""

Comparison = Callable[[int], NDArray[np.bool_]]
"""From the mask of those present to [k, i]: k's result is contained in i's."""


def table_of_coalitions(n: int, benefits: Callable[[Sequence[bool]], Sequence[Number]]) -> Array:
    """Give exact benefits if only a coalition joins, for each: shape (2^n, n), by bit mask.

    `benefits` takes for each party whether it joins; it is called 2^n times.
    """
    table = np.empty((1 << n, n), dtype=object)
    for mask in range(1 << n):
        table[mask] = list(benefits([bool(mask >> i & 1) for i in range(n)]))
    return table


def make_participation_game(
    inputs: Mapping[str, Any],
    exclusivity: Mapping[str, Fraction],
    benefits: Callable[[Sequence[bool]], Sequence[Number]],
) -> ParticipationGame:
    """Give the game among parties with these inputs, of which only equal ones are comparable.

    Parameters
    ----------
    inputs
        Each party's, by name.
    exclusivity
        By party: the weight of its best rival's benefit.
    benefits
        Takes for each party whether it joins, gives each party's benefit.

    Notes
    -----
    Cost: 2^n calls of `benefits` for n parties.
    """
    values = list(inputs.values())
    same = np.array([[x == y for y in values] for x in values])
    weights = tuple(exclusivity[name] for name in inputs)
    table = table_of_coalitions(len(values), benefits)
    return ParticipationGame(tuple(inputs), table, weights, same, lambda _: same)


@dataclass(frozen=True)
class ParticipationGame:
    """A game in which every party either joins with its whole input or stays away.

    Parameters
    ----------
    players
        The parties.
    table
        Benefits if only a coalition joins, shape (2^n, n), by bit mask; int64, fractions as
        objects, or floats. Those who stay away have benefit 0.
    exclusivity
        Each party's weight of its best rival's benefit.
    worth_no_more
        Shape (n, n): [k, i] = k's input is worth no more than i's; None if inputs have no order.
    compare
        Whether results are contained in one another; None as above.
    alternatives
        What else the center could do once the parties in a mask have joined:
        (mask, giving_no_less) to payoffs in units; None: only what other coalitions bring.
    """

    players: tuple[str, ...]
    table: Array
    exclusivity: tuple[Fraction, ...]
    worth_no_more: NDArray[np.bool_] | None = None
    compare: Comparison | None = None
    alternatives: Callable[[int, bool], NDArray[np.int64]] | None = None

    def actions(self, i: int, /) -> tuple[str, str]:
        """Join or stay away."""
        return (JOIN, STAY_AWAY)

    def truth(self, i: int, /) -> str:
        """Join."""
        return JOIN

    def absent(self, i: int, /) -> str:
        """Stay away."""
        return STAY_AWAY

    @cached_property
    def _utilities(self) -> tuple[Array, Fraction]:
        """Payoffs of all coalitions, shape (2^n, n), with their unit."""
        rivals = find_best_rivals(self.table)
        if self.table.dtype == np.int64:
            return compute_payoff_rows(self.table, rivals, self.exclusivity), find_unit(
                self.exclusivity
            )
        if self.table.dtype == np.float64:
            return self.table - rivals * np.array([float(w) for w in self.exclusivity]), Fraction(1)
        exact = self.table - rivals * np.array(self.exclusivity, dtype=object)
        # A TabularGame brings fractions over a common denominator where they fit 64 bits.
        scaled = TabularGame(exact.T.reshape(1, -1))
        return scaled.table.reshape(exact.shape[::-1]).T, scaled.unit

    @property
    def unit(self) -> Fraction:
        """What one unit of a payoff is worth."""
        return self._utilities[1]

    def payoff_rows(self, columns: Sequence[Codes]) -> Array:
        """Give utilities of many profiles, in units."""
        present = np.zeros(max(len(c) for c in columns), dtype=np.int64)
        for i, column in enumerate(columns):
            present = present | ((column == 0).astype(np.int64) << i)
        rows: Array = self._utilities[0][present]
        return rows

    def payoffs(self, profile: Sequence[str], /) -> list[Number]:
        """Give the utilities of one profile."""
        return [from_units(x, self.unit) for x in self._utilities[0][self._mask(profile)]]

    def _mask(self, profile: Sequence[str]) -> int:
        return sum(1 << i for i, action in enumerate(profile) if action == JOIN)

    def benefits(self, profile: Sequence[str], /) -> list[Number]:
        """Give the benefits of one profile."""
        return [from_units(x, Fraction(1)) for x in self.table[self._mask(profile)]]

    def inferior(self, profile: Sequence[str], /) -> NDArray[np.bool_]:
        """Give [k, i] = what k reports is worth no more than what i reports."""
        n = len(self.players)
        joined = np.array([action == JOIN for action in profile])
        order = np.eye(n, dtype=np.bool_) if self.worth_no_more is None else self.worth_no_more
        both: NDArray[np.bool_] = ~joined[:, None] | (order & joined[None, :])
        return both

    def result_inferior(self, profile: Sequence[str], /) -> NDArray[np.bool_]:
        """Give [k, i] = k's result is contained in i's; those who stay away get nothing."""
        joined = np.array([action == JOIN for action in profile])
        n = len(self.players)
        inside = (
            np.eye(n, dtype=np.bool_) if self.compare is None else self.compare(self._mask(profile))
        )
        both: NDArray[np.bool_] = ~joined[:, None] | inside
        return both

    def outcomes(self, profile: Sequence[str], /, *, giving_no_less: bool) -> Array:
        """Give payoffs of what else could be done, in units."""
        mask = self._mask(profile)
        if self.alternatives is not None:
            return self.alternatives(mask, giving_no_less)
        rows = self._utilities[0]
        if giving_no_less:
            totals = self.table.sum(axis=1)
            rows = rows[totals >= totals[mask]]
        return rows
