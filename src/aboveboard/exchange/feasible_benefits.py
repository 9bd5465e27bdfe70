"""Everything that a center could hand out where information can be divided at will.

Party i can be handed any benefit from 0 to its room r_i: what all reports together are worth to it,
beyond what it has. So the feasible benefits are all vectors v with 0 <= v_i <= r_i. This module
finds, exactly, one that is better for somebody and worse for nobody, and one with the largest total
utility.

Why a search of few vectors does. Take any feasible v; let i be a party with the largest benefit w,
and V the largest of the others. Raise each other party j to min(V, r_j). Nobody's best rival
changes (i's is still V, that of everybody else is still w), so no utility falls and no less is
handed out. So it is enough to look at a party i at the top, and two numbers V <= w: the region of
all (V, w) that are worse for nobody,

    V <= w <= r_i,   w - e_i V >= h_i,   min(V, r_j) - e_j w >= h_j for each other j,

is convex (h are the utilities of today), and the total utility is linear between the kinks of
these functions. It is largest at a corner: V at a kink or where two of the bounds of w cross, w at
its smallest or largest value there. Somebody gains exactly if this total exceeds that of h.

Cost: O(n^3) exact operations for n parties. Source: Lemma 2 of Branzei, Orlandi, Yang (arXiv
1809.10637) has the form of the outcomes; that it loses nothing is shown above.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise

from aboveboard.exchange.utility import compute_utilities
from aboveboard.games.numbers import Array, as_objects

GainLine = tuple[Fraction, Fraction]
"""Slope and value at 0."""


@dataclass(frozen=True)
class BenefitBox:
    """All benefits from 0 to each party's room, and what they are worth.

    Parameters
    ----------
    room
        The most that each party can be handed.
    exclusivity
        Each party's weight of its best rival's benefit.

    Examples
    --------
    >>> box = BenefitBox([6, 5, 5], [1, 1, 1])
    >>> found = box.find_dominating([3, 2, 5])
    >>> [str(x) for x in compute_utilities([3, 2, 5], [Fraction(1)] * 3)]
    ['-2', '-3', '2']
    >>> box.find_dominating([3, 3, 3]) is None
    True
    """

    room: Sequence[Fraction | int]
    exclusivity: Sequence[Fraction | int]

    def list_outcomes(
        self, benefits: Sequence[Fraction | int], unit: Fraction, *, giving_no_less: bool
    ) -> Array:
        """Return payoffs in units, shape (m, n): today's, one that dominates, the largest total."""
        rows: list[Sequence[Fraction | int]] = [benefits, self.find_largest_total()]
        better = self.find_dominating(benefits, giving_no_less=giving_no_less)
        if better is not None:
            rows.append(better)
        if giving_no_less:
            rows = [row for row in rows if sum(row) >= sum(benefits)]
        payoffs = [[u / unit for u in compute_utilities(row, self._weights)] for row in rows]
        return as_objects([u for row in payoffs for u in row]).reshape(len(rows), -1)

    @property
    def _weights(self) -> list[Fraction]:
        return [Fraction(e) for e in self.exclusivity]

    def find_dominating(
        self, benefits: Sequence[Fraction | int], *, giving_no_less: bool = False
    ) -> list[Fraction] | None:
        """Return benefits that are better for somebody and worse for nobody, or None.

        Of all such benefits those with the largest total utility are returned. With
        `giving_no_less` only benefits are looked at that hand out no less in total.
        """
        here = compute_utilities(benefits, self._weights)
        total = sum((Fraction(b) for b in benefits), Fraction(0)) if giving_no_less else None
        best, largest = None, sum(here, Fraction(0))
        for top in range(len(self.room)):
            for row in _Region(self, top, here, total).list_corners():
                sum_here = sum(compute_utilities(row, self._weights), Fraction(0))
                if sum_here > largest:
                    best, largest = row, sum_here
        return best

    def find_largest_total(self) -> list[Fraction]:
        """Return benefits of the largest total utility."""
        rows = [
            self.raise_to(top, level, w)
            for top in range(len(self.room))
            for level in self.list_levels(top)
            for w in (level, Fraction(self.room[top]))
        ]
        return max(rows, key=lambda row: sum(compute_utilities(row, self._weights)))

    def list_levels(self, top: int) -> list[Fraction]:
        """Return the values of V at which somebody's room ends, and its two ends, ascending."""
        others = [Fraction(r) for j, r in enumerate(self.room) if j != top]
        end = min(Fraction(self.room[top]), max(others, default=Fraction(0)))
        return sorted({Fraction(0), end, *(r for r in others if r < end)})

    def raise_to(self, top: int, level: Fraction, w: Fraction) -> list[Fraction]:
        """Return w for the party at the top and min(V, its room) for every other."""
        return [w if j == top else min(level, Fraction(r)) for j, r in enumerate(self.room)]


class _Region:
    """The pairs (V, w) that are worse for nobody, with one party at the top."""

    def __init__(
        self, box: BenefitBox, top: int, here: Sequence[Fraction], total: Fraction | None
    ) -> None:
        self.box, self.top, self.here, self.total = box, top, here, total
        self.weights = [Fraction(e) for e in box.exclusivity]
        self.others = [j for j in range(len(here)) if j != top]
        minding = [j for j in self.others if self.weights[j] > 0]
        caps = [(Fraction(box.room[j]) - here[j]) / self.weights[j] for j in minding]
        self.cap = min([Fraction(box.room[top]), *caps])
        self.slopes: list[GainLine] = _keep_lowest(
            [(1 / self.weights[j], -here[j] / self.weights[j]) for j in minding]
        )
        # Who does not mind rivals must still get what it has.
        self.start = max([Fraction(0), *(here[j] for j in self.others if not self.weights[j])])

    def find_most(self, level: Fraction) -> Fraction:
        """Return the largest w at V that hurts nobody."""
        return min([self.cap, *(slope * level + at_0 for slope, at_0 in self.slopes)])

    def _bounds_below(self) -> list[Callable[[Fraction], Fraction]]:
        """Return what w must at least be, as functions of V."""
        weight, own, total = self.weights[self.top], self.here[self.top], self.total
        bounds: list[Callable[[Fraction], Fraction]] = [lambda v: v, lambda v: own + weight * v]
        if total is not None:
            rooms = [Fraction(self.box.room[j]) for j in self.others]
            bounds.append(lambda v: total - sum((min(v, r) for r in rooms), Fraction(0)))
        return bounds

    def list_corners(self) -> list[list[Fraction]]:
        """Return the benefits at the corners of the region and at all kinks within it."""
        levels = self.box.list_levels(self.top)
        if self.start > levels[-1]:
            return []
        kinks = {self.start, *(v for v in levels if v > self.start), *self._list_kinks(levels[-1])}
        below = self._bounds_below()
        corners = []
        for v in sorted(kinks | set(_list_crossings([self.find_most, *below], sorted(kinks)))):
            least, most = max(bound(v) for bound in below), self.find_most(v)
            if least <= most:
                corners += [self.box.raise_to(self.top, v, w) for w in {least, most}]
        return corners

    def _list_kinks(self, end: Fraction) -> list[Fraction]:
        """Return where `find_most` has a kink between `start` and `end`."""
        lines = [*self.slopes, (Fraction(0), self.cap)]
        found: list[Fraction] = []
        at = self.start
        while True:
            value, slope = min((a * at + b, a) for a, b in lines)
            meets = [at + (a * at + b - value) / (slope - a) for a, b in lines if a < slope]
            if not meets or min(meets) >= end:
                return found
            at = min(meets)
            found.append(at)
            # The flattest line through this point is the lowest one beyond it.
            lines = [(a, b) for a, b in lines if a < slope]


def _keep_lowest(lines: Sequence[GainLine]) -> list[GainLine]:
    """Return of parallel lines the lowest."""
    lowest: dict[Fraction, Fraction] = {}
    for slope, at_0 in lines:
        lowest[slope] = min(at_0, lowest.get(slope, at_0))
    return list(lowest.items())


def _list_crossings(
    functions: Sequence[Callable[[Fraction], Fraction]], points: Sequence[Fraction]
) -> list[Fraction]:
    """Return where two functions cross that are linear between the points."""
    values = [[f(point) for point in points] for f in functions]
    found = []
    for one, other in combinations(values, 2):
        gaps = [x - y for x, y in zip(one, other, strict=True)]
        for (a, b), (before, after) in zip(pairwise(points), pairwise(gaps), strict=True):
            if before * after < 0:
                found.append(a + (b - a) * before / (before - after))
    return found
