"""Whether it pays to report an interval that is wider than the true one.

A wider interval still holds the point, so nobody can tell. What the liar learns is what its reply
and its own interval have in common. Where a unit of length costs no less the longer an interval is
(by length, or by a power from 1), widening never pays (docs/theory.md); where it costs less, it
can: intervals are then tried that end at those of others, or between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import inf
from time import perf_counter
from typing import ClassVar

from aboveboard.auditing import Property, Status, Verdict, Witness
from aboveboard.auditing.budget import Budget, Progress
from aboveboard.exchange.exclusivity import ExclusivityRange
from aboveboard.exchange.interval_values import Interval, LengthValue, narrow_by_value
from aboveboard.formatting import encode_number, format_number
from aboveboard.games.capabilities import DeviationKind
from aboveboard.games.game import Game

PIECES = 4
"""Into how many a gap between two ends of intervals is cut."""

MOST_ENDS = 24
"""Ends that are tried on either side, the own one among them: the nearest."""


@dataclass(frozen=True)
class AgainstWidening(Property):
    """No party gains by reporting a wider interval, the others truthful.

    Parameters
    ----------
    intervals
        The true ones, by party.
    value
        What lengths are worth.
    ranges
        By party: its exclusivity.

    Examples
    --------
    >>> import aboveboard as ab
    >>> from aboveboard.exchange import OneDimensionalSearch
    >>> lists = {"a": (0, 10), "b": (9, 11)}
    >>> rule = OneDimensionalSearch({"a": 1, "b": 1}, LengthValue(Fraction(1, 2)))
    >>> claim = rule.make_widening_claim(lists)
    >>> ab.audit(rule.game(lists), [claim])[claim.name].status.value
    'fails'
    """

    deviation_kinds: ClassVar[tuple[DeviationKind, ...]] = ("widens",)

    intervals: tuple[tuple[str, Interval], ...]
    value: LengthValue
    ranges: tuple[ExclusivityRange, ...]

    name: ClassVar[str] = "ex-post IC against widening"

    @property
    def is_proved(self) -> bool:
        """Whether the theorem applies."""
        return self.value.is_concave and all(r.lies_within(0, 1) for r in self.ranges)

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return the verdict: by the theorem or, where it does not apply, by trying intervals."""
        if self.is_proved:
            return Verdict(
                self.name,
                Status.HOLDS,
                len(self.ranges),
                len(self.ranges),
                "closed form",
                gain=0,
                statement="a unit of length costs no less the longer an interval is, and no "
                "exclusivity exceeds 1: a wider report then brings no more than it brings rivals",
            )
        best: tuple[Fraction, int, Interval, Fraction] | None = None
        lies = [
            (i, wide, e)
            for i, own in enumerate(self.ranges)
            for wide in self._list_wider(i)
            for e in sorted({own.low, own.high})
        ]
        checked, end = 0, budget.find_end(sampled=True)
        for i, wide, e in lies:
            if checked and end < inf and perf_counter() > end:
                break
            checked += 1
            gain = self.compute_gain(i, wide, e)
            if best is None or gain > best[0]:
                best = gain, i, wide, e
        if best is None:
            return Verdict(self.name, Status.VACUOUS, 0, 0, "exhaustive")
        said = "wider intervals were tried that end at those of others, between, and beyond"
        if any(self._has_farther_ends(i) for i in range(len(self.ranges))):
            said = f"{said}, on either side the nearest {MOST_ENDS - 1} of such ends"
        if checked < len(lies):
            said = f"{said}; {budget.describe_end(checked, len(lies))}"
        fails = best[0] > 0
        return Verdict(
            self.name,
            Status.FAILS if fails else Status.NO_COUNTEREXAMPLE,
            checked,
            len(lies),
            "listed",
            gain=max(best[0], Fraction(0)),
            witness=self._make_witness(*best) if fails else None,
            statement=said,
        )

    def compute_gain(self, i: int, report: Interval, exclusivity: Fraction) -> Fraction:
        """Return what party i gains by a report that holds its own interval, exactly.

        Rivals are valued by their new intervals, which are true.
        """
        own = self.intervals[i][1]
        truth = [interval for _, interval in self.intervals]
        lying = [report if j == i else x for j, x in enumerate(truth)]
        _, before = narrow_by_value(truth, self.value)
        new, after = narrow_by_value(lying, self.value)
        reply = new[i]
        assert reply is not None
        start, end = max(own[0], reply[0]), min(own[1], reply[1])
        learned = self.value.compute(end - start) - self.value.compute(own[1] - own[0])
        rivals = [j for j in range(len(truth)) if j != i]
        honest = before[i] - exclusivity * max((before[j] for j in rivals), default=Fraction(0))
        return learned - exclusivity * max((after[j] for j in rivals), default=Fraction(0)) - honest

    def _list_wider(self, i: int) -> Iterator[Interval]:
        own = self.intervals[i][1]
        below, above = self._list_all_ends(i)
        for start in below[:MOST_ENDS]:
            for end in above[:MOST_ENDS]:
                if (start, end) != own:
                    yield start, end

    def _has_farther_ends(self, i: int) -> bool:
        return max(map(len, self._list_all_ends(i))) > MOST_ENDS

    def _list_all_ends(self, i: int) -> tuple[list[Fraction], list[Fraction]]:
        """Return the ends below and above party i's interval, its own first, then the nearest."""
        own = self.intervals[i][1]
        others = [x for j, (_, x) in enumerate(self.intervals) if j != i]
        return (
            _list_ends(own[0], [x[0] for x in others if x[0] < own[0]], own[1] - own[0], -1),
            _list_ends(own[1], [x[1] for x in others if x[1] > own[1]], own[1] - own[0], 1),
        )

    def _make_witness(self, gain: Fraction, i: int, wide: Interval, e: Fraction) -> Witness:
        party = self.intervals[i][0]
        said = [encode_number(end) for end in wide]
        return Witness(
            parties=(party,),
            truth={party: "truth"},
            lie={party: {"reports": said}},
            others={},
            gain=gain,
            row=f"{self.name}/{party}/({said[0]}, {said[1]})",
            note=f"{party} reports {said[0]} to {said[1]} and gains {format_number(gain)} "
            f"at exclusivity {encode_number(e)}",
            kinds={party: "widens"},
        )


def _list_ends(
    own: Fraction, others: list[Fraction], length: Fraction, side: int
) -> list[Fraction]:
    """Return ends to try: the own one, those of others beyond it, between, and one farther out."""
    ends = sorted({own, *others}, key=lambda x: side * x)
    ends.append(ends[-1] + side * (length or 1))
    found = [own]
    for near, far in pairwise(ends):
        found += [near + (far - near) * k / PIECES for k in range(1, PIECES + 1)]
    return found
