"""`exchange.interval`: one-dimensional search; rivals narrow down where a point lies.

What: each party knows an interval that holds the point. The two that bound the intersection are
each handed a part of the other's knowledge, so that both intervals get shorter by the same length
(or gain the same value, where a file says what lengths are worth): as much as the one that has less
to gain can gain. Parties with the same interval are treated alike;
where one interval lies within all others nothing is exchanged. Cost: O(n) a run, and as much for
each coalition of a check. Source: Branzei, Orlandi, Yang (arXiv 1809.10637), appendix A, Mechanism
3, Theorem 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from aboveboard.auditing import (
    DSIC,
    CoalitionProof,
    ExPostIC,
    IndividualRationality,
    Property,
    Symmetric,
)
from aboveboard.errors import InputError
from aboveboard.exchange.exact_powers import LARGEST_POWER, LARGEST_ROOT
from aboveboard.exchange.exclusivity import (
    ExclusiveFile,
    ExclusiveParty,
    Exclusivities,
    resolve_exclusivity,
)
from aboveboard.exchange.feasible_benefits import BenefitBox
from aboveboard.exchange.interval_values import (
    Interval,
    LengthValue,
    ValueBenefits,
    narrow_by_value,
)
from aboveboard.exchange.mechanism import ExchangeMechanism, as_fraction
from aboveboard.exchange.participation import (
    ParticipationGame,
    Present,
    make_participation_game,
    scale_to_integers,
)
from aboveboard.exchange.proofs import prove_equal_shares, prove_joining
from aboveboard.exchange.truthful_range import promise_over_range
from aboveboard.exchange.widening import AgainstWidening
from aboveboard.formatting import encode_number
from aboveboard.games.numbers import Array
from aboveboard.mechanisms.file_model import CollaborationFile, Exact
from aboveboard.mechanisms.reading import Read
from aboveboard.mechanisms.settlement import Reply, Settlement


class IntervalParty(ExclusiveParty):
    """One party of a search."""

    interval: tuple[Exact, Exact] = Field(description="[lowest, highest]")

    @field_validator("interval")
    @classmethod
    def _refuse_disorder(cls, interval: Interval) -> Interval:
        if interval[0] > interval[1]:
            raise ValueError(f"{_describe_disorder(interval)}; write the lower end first")
        return interval


class IntervalFile(ExclusiveFile):
    """The collaboration file of `exchange.interval`."""

    mechanism: Literal["exchange.interval"]
    power: Annotated[Exact, Field(gt=0)] = Field(
        default=Fraction(1),
        description="an interval is worth its length to this power, negative; at most "
        f"{LARGEST_POWER}, and its denominator at most {LARGEST_ROOT}",
    )
    function: str | None = Field(
        default=None,
        pattern=r"^[\w.]+:[\w.]+$",
        description='instead of power: "module:function" of a length; longer is worth no more',
    )
    parties: dict[str, IntervalParty] = Field(
        min_length=1, description="by name: one table per party"
    )

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if self.function is not None and "power" in self.model_fields_set:
            raise ValueError("write either power or function; both say what a length is worth")
        if self.power > LARGEST_POWER:
            raise ValueError(f"power: it is too large; write a number up to {LARGEST_POWER}")
        if self.power.denominator > LARGEST_ROOT:
            raise ValueError(
                f"power: its denominator is {self.power.denominator}; write a fraction with one up "
                f"to {LARGEST_ROOT}"
            )
        return self


def _describe_disorder(interval: Interval) -> str:
    return f"starts at {encode_number(interval[0])} and ends at {encode_number(interval[1])}"


def narrow(intervals: Sequence[Interval | None]) -> list[Interval | None]:
    """Return each party's new interval: Mechanism 3.

    Parameters
    ----------
    intervals
        By party; None for one that stays away (it knows the whole line only).

    Returns
    -------
    list
        The interval each ends with; None for one that stays away.

    Examples
    --------
    >>> narrow([(0, 10), (4, 16), None])
    [(4, 10), (4, 12), None]
    """
    present = [x for x in intervals if x is not None]
    if not present:
        return list(intervals)
    # Of those that start last the shortest, of those that end first the shortest.
    left = max(present, key=lambda x: (x[0], -x[1]))
    right = min(present, key=lambda x: (x[1], -x[0]))
    if left == right:
        return list(intervals)
    length = right[1] - left[0]
    gain = min(left[1] - left[0] - length, right[1] - right[0] - length)
    narrowed: dict[Interval, Interval] = {
        left: (left[0], left[1] - gain),
        right: (right[0] + gain, right[1]),
    }
    return [None if x is None else narrowed.get(x, x) for x in intervals]


def compute_benefits(intervals: Sequence[Interval | None]) -> list[Fraction]:
    """Return by how much each party's interval gets shorter."""
    return [
        Fraction(0) if old is None or new is None else (old[1] - old[0]) - (new[1] - new[0])
        for old, new in zip(intervals, narrow(intervals), strict=True)
    ]


@dataclass(frozen=True)
class _CoalitionBenefits:
    """The benefits of many coalitions at once, as `compute_benefits` says, in whole units."""

    intervals: Sequence[Interval]

    @cached_property
    def _ends(self) -> tuple[Array, Fraction]:
        return scale_to_integers(self.intervals)

    @property
    def unit(self) -> Fraction:
        """What one unit of a benefit is worth."""
        return self._ends[1]

    @cached_property
    def _ranks(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Who starts last and who ends first, ascending, and which intervals are the same."""
        some = list(self.intervals)
        starts = sorted(range(len(some)), key=lambda i: (some[i][0], -some[i][1]))
        ends = sorted(range(len(some)), key=lambda i: (-some[i][1], some[i][0]))
        same = [some.index(x) for x in some]
        return np.array(starts), np.array(ends), np.array(same)

    def __call__(self, present: Present) -> Array:
        """Return the benefits of m coalitions, shape (m, n)."""
        (starts, ends, same), (low, high) = self._ranks, self._ends[0].T
        left, right = _find_last(present, starts), _find_last(present, ends)
        length = high[right] - low[left]
        gain = np.minimum(high[left] - low[left] - length, high[right] - low[right] - length)
        at_ends = (same[None, :] == same[left][:, None]) | (same[None, :] == same[right][:, None])
        both: Array = np.where(
            present & at_ends & (same[left] != same[right])[:, None], gain[:, None], 0
        )
        return both


def _find_last(present: Present, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return of each coalition the member that stands last in an order; any if there is none."""
    reversed_order = order[::-1]
    found: NDArray[np.int64] = reversed_order[np.argmax(present[:, reversed_order], axis=1)]
    return found


@dataclass(frozen=True)
class OneDimensionalSearch(ExchangeMechanism[IntervalFile, Interval, ParticipationGame]):
    """Interval intersection.

    Parameters
    ----------
    exclusivity
        By party: the weight of its best rival's benefit in its utility.
    value
        What lengths are worth.

    Raises
    ------
    InputError
        If an exclusivity is negative or not finite.

    Examples
    --------
    >>> rule = OneDimensionalSearch({"a": 1, "b": 1})
    >>> settlement = rule.settle({"a": (0, 10), "b": (4, 16)})
    >>> [share.reply.data for share in settlement.parties.values()]
    [{'interval': [4, 10]}, {'interval': [4, 12]}]
    """

    exclusivity: Exclusivities
    value: LengthValue = field(default_factory=LengthValue)

    NAME: ClassVar[str] = "exchange.interval"
    UNIT: ClassVar[str] = "length"
    SUMMARY: ClassVar[str] = "parties narrow down where a point lies; shorter intervals are better"
    ASSUMES: ClassVar[str] = (
        "each joins with its true interval, a wider one, or stays away (a narrower one, which may "
        "lose the point, is not looked at); a point is in all"
    )
    GUARANTEES: ClassVar[str] = (
        "DSIC and IR for exclusivity 0 to 1, symmetric; ex-post IC against wider intervals where a "
        "unit of length costs no less the longer an interval is (power from 1)"
    )
    COST: ClassVar[str] = (
        "O(n) a run for n parties; the audit as much for each coalition: n + 1 of them for ex-post "
        "IC and IR, 2^n for DSIC"
    )
    SOURCE: ClassVar[str] = "Branzei, Orlandi, Yang 2018, appendix A, Mechanism 3"
    FILE: ClassVar[type[CollaborationFile]] = IntervalFile

    def __post_init__(self) -> None:
        """Refuse wrong exclusivities."""
        assert self.ranges

    @classmethod
    def from_file(cls, file: IntervalFile) -> OneDimensionalSearch:
        """Take the parameters from a validated collaboration file."""
        value = LengthValue(file.power, file.function)
        return cls(resolve_exclusivity(file, file.parties), value)

    @staticmethod
    def read_reports(file: IntervalFile, read: Read) -> dict[str, Interval]:
        """Take the intervals.

        Raises
        ------
        InputError
            If they have no point in common.
        """
        return _check_intervals({name: party.interval for name, party in file.parties.items()})

    def settle(self, reports: Mapping[str, Interval]) -> Settlement:
        """Narrow the intervals.

        Raises
        ------
        InputError
            If an interval ends before it starts, or they have no point in common.
        """
        intervals = list(_check_intervals(reports).values())
        new_intervals, benefits = self._narrow(intervals)
        replies = [
            Reply("json", data={"interval": [encode_number(end) for end in new]})
            for new in new_intervals
            if new is not None
        ]
        low, high = _intersect(intervals)
        parties = self.make_shares(dict(zip(reports, benefits, strict=True)), replies)
        return Settlement(
            self.NAME, parties, {"intersection": [encode_number(low), encode_number(high)]}
        )

    def _narrow(
        self, intervals: Sequence[Interval]
    ) -> tuple[list[Interval | None], list[Fraction]]:
        """Return new intervals and benefits."""
        if self.value.is_length:
            return narrow(intervals), compute_benefits(intervals)
        return narrow_by_value(intervals, self.value)

    def make_widening_claim(self, types: Mapping[str, Interval]) -> AgainstWidening:
        """Return the claim that no wider interval pays among these."""
        named = tuple(_check_intervals(types).items())
        return AgainstWidening(named, self.value, tuple(self.list_ranges(types)))

    def true_benefits(
        self, types: Mapping[str, Interval], settlement: Settlement
    ) -> dict[str, Fraction | int]:
        """Return what the replies add to the value of the parties' intervals.

        Where no length is worth exactly what is due, that is what the share says.
        """
        benefits: dict[str, Fraction | int] = {}
        if not self.value.is_length:
            return {name: Fraction(share.benefit) for name, share in settlement.parties.items()}
        for name, share in settlement.parties.items():
            low, high = (Fraction(x) for x in share.reply.data["interval"])
            benefits[name] = (types[name][1] - types[name][0]) - (high - low)
        return benefits

    def game(self, types: Mapping[str, Interval]) -> ParticipationGame:
        """Return the game of joining or staying away.

        What else the center could hand out: to each party any interval between the intersection
        of all and its own, since all that the center knows is that the point lies in the first.
        """
        intervals = list(_check_intervals(types).values())
        benefits: _CoalitionBenefits | ValueBenefits = _CoalitionBenefits(intervals)
        if not self.value.is_length:
            self.value.check_order([b - a for a, b in intervals])
            benefits = ValueBenefits(intervals, self.value)
        compute = self.value.compute
        exclusivity = tuple(each.high for each in self.list_ranges(types))
        same = np.array([[x == y for y in intervals] for x in intervals])

        def list_alternatives(present: Present, unit: Fraction, giving_no_less: bool) -> Array:
            handed = [Fraction(int(b)) * benefits.unit for b in benefits(present[None, :])[0]]
            low, high = _intersect([x for x, p in zip(intervals, present, strict=True) if p])
            room = [
                compute(high - low) - compute(x[1] - x[0]) if here else Fraction(0)
                for x, here in zip(intervals, present, strict=True)
            ]
            box = BenefitBox(room, exclusivity)
            return box.list_outcomes(handed, unit, giving_no_less=giving_no_less)

        received = "equal intervals are narrowed to the same, at one end or at none"
        proofs = {
            Symmetric.name: prove_equal_shares("one-dimensional search", received, len(types))
        }
        joining = prove_joining(exclusivity) if self.value.function is None else None
        if joining is not None:
            proofs[DSIC.name] = joining
        return make_participation_game(
            tuple(types),
            benefits,
            exclusivity,
            benefits.unit,
            worth_no_more=same,
            compare=lambda _: same,
            alternatives=list_alternatives,
            compared_outcomes="all intervals between the intersection and a party's own",
            proofs=proofs,
        )

    def promises(self, types: Mapping[str, Interval]) -> Sequence[Property]:
        """Return what holds for these exclusivities: joining is dominant from 0 to 1."""
        ranges = self.list_ranges(types)
        if not all(r.lies_within(0, 1) for r in ranges):
            return (Symmetric(),)
        truthful = (ExPostIC(), IndividualRationality(), DSIC())
        claim = self.make_widening_claim(types)
        proved = (claim,) if claim.is_proved else ()
        return (*truthful, *promise_over_range(DSIC(), ranges), Symmetric(), *proved)

    def examines(self, types: Mapping[str, Interval]) -> Sequence[Property]:
        """Return what may not be promised: it depends on exclusivities and the value of length."""
        widening = self.make_widening_claim(types)
        return (ExPostIC(), IndividualRationality(), DSIC(), widening, CoalitionProof(2))


def _intersect(intervals: Sequence[Interval]) -> Interval:
    return max(x[0] for x in intervals), min(x[1] for x in intervals)


def _check_intervals(intervals: Mapping[str, Any]) -> dict[str, Interval]:
    """Return the intervals, exact; raise `InputError` if they have no point in common."""
    exact = {name: (as_fraction(a), as_fraction(b)) for name, (a, b) in intervals.items()}
    for name, interval in exact.items():
        if interval[0] > interval[1]:
            raise InputError(
                f"parties.{name}.interval",
                _describe_disorder(interval),
                "write the lower end first",
            )
    start = max(exact, key=lambda name: exact[name][0])
    end = min(exact, key=lambda name: exact[name][1])
    if exact[start][0] > exact[end][1]:
        raise InputError(
            f"parties.{start}.interval",
            f"starts at {encode_number(exact[start][0])}, after parties.{end}.interval "
            f"ends at {encode_number(exact[end][1])}",
            "the point must lie in every interval, so all must overlap",
        )
    return exact
