"""What else the center could have handed out: candidates for Pareto dominance and efficiency.

Feasible outcomes hand each present party any whole number of elements up to what it lacks. As
`feasible_benefits` shows, it is enough to look at outcomes in which one party i has w elements and
all others get min(V, what they lack), V <= w. Here the numbers are whole: for each i and V two
values of w are extreme. Cost: O(n^2 * largest lack), whole arrays.

Lemma 2 of Branzei, Orlandi, Yang (arXiv 1809.10637) calls such outcomes Pareto optimal. That is
wrong where a party cannot use V: with {0, 1}, {0}, {1} and exclusivity 1 the benefits (0, 1, 1)
have utilities (-1, 0, 0), and handing out nothing has (0, 0, 0). Hence `giving_no_less`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from aboveboard.exchange.utility import compute_payoff_rows, find_best_rivals, find_unit
from aboveboard.games.numbers import IntArray


def list_candidates(
    benefits: IntArray, lacks: IntArray, exclusivity: Sequence[Fraction], *, giving_no_less: bool
) -> IntArray:
    """Return payoffs, shape (m, n), in units, of outcomes that dominate or total the most.

    Parameters
    ----------
    benefits
        What the rule hands out, shape (n,).
    lacks
        The most that each party could be handed, shape (n,); 0 for one that is absent.
    exclusivity
        Each party's weight of its best rival.
    giving_no_less
        Only outcomes that hand out at least as much in total as `benefits`.
    """
    least = int(benefits.sum()) if giving_no_less else 0
    search = _Search(benefits, lacks, exclusivity, least)
    found = [benefits[None, :]]
    totals: list[tuple[int, IntArray]] = []
    for top in range(len(benefits)):
        found += [search.keep_first_dominating(rows) for rows in search.list_harmless(top)]
        totals += [
            search.find_largest_total(rows) for rows in search.list_extreme(top) if len(rows)
        ]
    if totals:
        found.append(max(totals, key=lambda total: total[0])[1])
    return _compute_payoffs(np.concatenate(found), exclusivity)


@dataclass(frozen=True)
class _Search:
    """Outcomes with one party at the top, as rows of benefits."""

    benefits: IntArray
    lacks: IntArray
    exclusivity: Sequence[Fraction]
    least_total: int

    @property
    def _scale(self) -> int:
        return find_unit(self.exclusivity).denominator

    @property
    def _here(self) -> IntArray:
        here: IntArray = _compute_payoffs(self.benefits[None, :], self.exclusivity)[0]
        return here

    def _raise_others(self, top: int) -> tuple[IntArray, IntArray]:
        """Return for each V the benefits of all but the top, and the largest of them."""
        others = np.delete(np.arange(len(self.lacks)), top)
        levels = np.arange(int(self.lacks[others].max(initial=0)) + 1, dtype=np.int64)
        rows = np.zeros((len(levels), len(self.lacks)), dtype=np.int64)
        rows[:, others] = np.minimum(levels[:, None], self.lacks[others])
        return rows, rows[:, others].max(axis=1, initial=0)

    def list_harmless(self, top: int) -> Iterator[IntArray]:
        """Yield the outcomes that hurt nobody, with the smallest and the largest w for each V."""
        rows, rival = self._raise_others(top)
        scale, here = self._scale, self._here
        weights = [int(weight * scale) for weight in self.exclusivity]
        smallest = np.maximum(rival, -(-(here[top] + weights[top] * rival) // scale))
        largest = np.full(len(rows), self.lacks[top])
        for k in range(len(self.lacks)):
            if k == top:
                continue
            room = rows[:, k] * scale - here[k]
            if weights[k] > 0:
                largest = np.minimum(largest, room // weights[k])
            else:
                largest = np.where(room >= 0, largest, -1)
        for w in (smallest, largest):
            yield self._set_top(rows, top, w, (smallest <= largest) & (rival <= w))

    def list_extreme(self, top: int) -> Iterator[IntArray]:
        """Yield the outcomes with the smallest and the largest feasible w for each V."""
        rows, rival = self._raise_others(top)
        for w in (rival, np.full(len(rows), self.lacks[top])):
            yield self._set_top(rows, top, w, (rival <= w) & (w <= self.lacks[top]))

    def _set_top(
        self, rows: IntArray, top: int, w: IntArray, feasible: NDArray[np.bool_]
    ) -> IntArray:
        chosen = rows[feasible]
        chosen[:, top] = w[feasible]
        no_less: IntArray = chosen[chosen.sum(axis=1) >= self.least_total]
        return no_less

    def keep_first_dominating(self, rows: IntArray) -> IntArray:
        """Return the first row that dominates, as an array of one row or none."""
        if not len(rows):
            return rows
        payoffs, here = _compute_payoffs(rows, self.exclusivity), self._here
        dominates = (payoffs >= here).all(axis=1) & (payoffs > here).any(axis=1)
        return rows[dominates][:1]

    def find_largest_total(self, rows: IntArray) -> tuple[int, IntArray]:
        """Return the largest total payoff among rows, and its row."""
        totals = _compute_payoffs(rows, self.exclusivity).sum(axis=1)
        k = int(np.argmax(totals))
        return int(totals[k]), rows[k : k + 1]


def _compute_payoffs(benefits: IntArray, exclusivity: Sequence[Fraction]) -> IntArray:
    payoffs: IntArray = compute_payoff_rows(benefits, find_best_rivals(benefits), exclusivity)
    return payoffs
