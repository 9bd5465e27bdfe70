"""`exchange.interval`: one-dimensional search; rivals narrow down where a point lies.

What: each party knows an interval that holds the point. The two that bound the intersection are
each handed a part of the other's knowledge, so that both intervals get shorter by the same length:
as much as the one that has less to gain can gain. Parties with the same interval are treated alike;
where one interval lies within all others nothing is exchanged. Cost: O(n) a run, O(n 2^n) for the
game. Source: Branzei, Orlandi, Yang (arXiv 1809.10637), appendix A, Mechanism 3, Theorem 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from aboveboard.auditing import (
    DSIC,
    CoalitionProof,
    ExPostIC,
    IndividualRationality,
    Property,
    Symmetric,
)
from aboveboard.errors import InputError
from aboveboard.exchange.exclusivity import (
    ExclusiveFile,
    ExclusiveParty,
    make_shares,
    resolve_exclusivity,
)
from aboveboard.exchange.participation import MOST_PARTIES, make_participation_game
from aboveboard.formatting import encode_number
from aboveboard.games.game import Game
from aboveboard.mechanisms.file_model import CollaborationFile, Exact
from aboveboard.mechanisms.mechanism import Read
from aboveboard.mechanisms.settlement import Reply, Settlement

Interval = tuple[Fraction, Fraction]


class IntervalParty(ExclusiveParty):
    """One party of a search."""

    interval: tuple[Exact, Exact] = Field(description="[lowest, highest]")

    @field_validator("interval")
    @classmethod
    def _ordered(cls, interval: Interval) -> Interval:
        if interval[0] > interval[1]:
            raise ValueError(
                f"starts at {encode_number(interval[0])} and ends at {encode_number(interval[1])}; "
                "write the lower end first"
            )
        return interval


class IntervalFile(ExclusiveFile):
    """The collaboration file of `exchange.interval`."""

    mechanism: Literal["exchange.interval"]
    parties: dict[str, IntervalParty] = Field(
        min_length=1, max_length=MOST_PARTIES, description="by name: a table a party"
    )


def narrow(intervals: Sequence[Interval | None]) -> list[Interval | None]:
    """Give each party its new interval: Mechanism 3.

    Parameters
    ----------
    intervals
        By party; None for one that stays away (it knows the whole line only).

    Returns
    -------
    list
        The interval each ends with; None for one that stays away.
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
    """Give by how much each party's interval gets shorter."""
    return [
        Fraction(0) if old is None or new is None else (old[1] - old[0]) - (new[1] - new[0])
        for old, new in zip(intervals, narrow(intervals), strict=True)
    ]


@dataclass(frozen=True)
class OneDimensionalSearch:
    """Interval intersection.

    Parameters
    ----------
    exclusivity
        By party: the weight of its best rival's benefit in its utility.
    """

    exclusivity: Mapping[str, Fraction]

    NAME: ClassVar[str] = "exchange.interval"
    UNIT: ClassVar[str] = "length"
    SUMMARY: ClassVar[str] = "parties narrow down where a point lies; shorter intervals are better"
    ASSUMES: ClassVar[str] = "each joins with its true interval or stays away; a point is in all"
    GUARANTEES: ClassVar[str] = "DSIC and IR for exclusivity 0 to 1, symmetric"
    COST: ClassVar[str] = "O(n) a run for n parties; O(n 2^n) for the game"
    SOURCE: ClassVar[str] = "Branzei, Orlandi, Yang 2018, appendix A, Mechanism 3"
    FILE: ClassVar[type[CollaborationFile]] = IntervalFile
    STARTING_FILE: ClassVar[str] = """\
name = "where the leak is"
mechanism = "exchange.interval"
# How much a party minds what its best rival gains.
exclusivity = 1

# Each party knows an interval that holds the point (kilometres along a pipeline).
[parties.alpha]
interval = [0.0, 10.0]

[parties.beta]
interval = [4.0, 16.5]

[parties.gamma]
interval = [2.5, 14.0]
"""

    @classmethod
    def from_file(cls, file: IntervalFile) -> OneDimensionalSearch:
        """Take the parameters from a validated collaboration file."""
        return cls(resolve_exclusivity(file, file.parties))

    @staticmethod
    def read_reports(file: IntervalFile, read: Read) -> dict[str, Interval]:
        """Take the intervals.

        Raises
        ------
        InputError
            If they have no point in common.
        """
        intervals = {name: party.interval for name, party in file.parties.items()}
        start = max(intervals, key=lambda name: intervals[name][0])
        end = min(intervals, key=lambda name: intervals[name][1])
        if intervals[start][0] > intervals[end][1]:
            raise InputError(
                f"parties.{start}.interval",
                f"starts at {encode_number(intervals[start][0])}, after parties.{end}.interval "
                f"ends at {encode_number(intervals[end][1])}",
                "the point must lie in every interval, so all must overlap",
            )
        return intervals

    def settle(self, reports: Mapping[str, Interval]) -> Settlement:
        """Narrow the intervals."""
        intervals = list(reports.values())
        benefits = dict(zip(reports, compute_benefits(intervals), strict=True))
        replies = [
            Reply("json", data={"interval": [encode_number(end) for end in new]})
            for new in narrow(intervals)
            if new is not None
        ]
        low, high = max(x[0] for x in intervals), min(x[1] for x in intervals)
        parties = make_shares(benefits, self.exclusivity, replies)
        return Settlement(
            self.NAME, parties, {"intersection": [encode_number(low), encode_number(high)]}
        )

    def game(self, types: Mapping[str, Interval]) -> Game:
        """Give the game of joining or staying away."""
        intervals = list(types.values())
        return make_participation_game(
            types,
            self.exclusivity,
            lambda joined: compute_benefits(
                [x if here else None for x, here in zip(intervals, joined, strict=True)]
            ),
        )

    def properties(self) -> Sequence[Property]:
        """Give what an audit looks at unless told otherwise."""
        return (ExPostIC(), IndividualRationality(), DSIC(), CoalitionProof(2), Symmetric())
