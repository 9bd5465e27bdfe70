"""`exchange.average`: everybody who joins learns the average of the points of those who join.

What: a party's value of a point y is -|y - a|^2, a the average of ALL true points (or another power
of a distance, in another norm); its benefit is what the reply adds to what its own point is worth,
and zero if it stays away. Truthful when all take part (a Nash equilibrium), not dominant: with
points (0, -1, 0), parties 2 and 3 taking part, 3 gains 1/3 by leaving. Cost: O(n d) a run, and as
much for each coalition of a check. Source: Branzei, Orlandi, Yang (arXiv 1809.10637), appendix B,
Theorem 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, cached_property
from math import lcm
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from aboveboard.auditing import (
    DSIC,
    CoalitionProof,
    ExPostIC,
    IndividualRationality,
    Property,
    Symmetric,
)
from aboveboard.errors import InputError
from aboveboard.exchange.average_loss import (
    LARGEST_DENOMINATOR,
    Loss,
    LossBenefits,
    Metric,
    Point,
    compute_mean,
    find_offsets,
    value_entries,
)
from aboveboard.exchange.exact_powers import LARGEST_POWER
from aboveboard.exchange.exclusivity import (
    ExclusiveFile,
    ExclusiveParty,
    Exclusivities,
    resolve_exclusivity,
)
from aboveboard.exchange.feasible_benefits import BenefitBox
from aboveboard.exchange.mechanism import ExchangeMechanism, as_fraction
from aboveboard.exchange.participation import (
    ParticipationGame,
    Present,
    make_participation_game,
)
from aboveboard.exchange.proofs import prove_equal_shares
from aboveboard.exchange.truthful_range import promise_over_range
from aboveboard.formatting import encode_number, format_quantity
from aboveboard.games.actions import Codes
from aboveboard.games.capabilities import Proof
from aboveboard.games.numbers import Array, as_objects
from aboveboard.mechanisms.file_model import CollaborationFile, Exact
from aboveboard.mechanisms.reading import Read
from aboveboard.mechanisms.settlement import Reply, Settlement


class AverageParty(ExclusiveParty):
    """One party of an average."""

    point: tuple[Exact, ...] = Field(min_length=1, description="coordinates")


class AverageFile(ExclusiveFile):
    """The collaboration file of `exchange.average`."""

    mechanism: Literal["exchange.average"]
    power: Annotated[Exact, Field(gt=0)] = Field(
        default=Fraction(2),
        description="p: a point is worth its distance to this power, negative; at most "
        f"{LARGEST_POWER}, and its denominator at most {LARGEST_DENOMINATOR}",
    )
    metric: Metric = Field(default="euclidean", description="how distances are measured")
    parties: dict[str, AverageParty] = Field(
        min_length=1, description="by name: one table per party"
    )

    @model_validator(mode="after")
    def _same_space(self) -> Self:
        check_dimensions({name: party.point for name, party in self.parties.items()})
        if self.power > LARGEST_POWER:
            raise ValueError(f"power: it is too large; write a number up to {LARGEST_POWER}")
        if self.power.denominator > LARGEST_DENOMINATOR:
            raise ValueError(
                f"power: its denominator is {self.power.denominator}; write a fraction with one up "
                f"to {LARGEST_DENOMINATOR}"
            )
        return self


def check_dimensions(points: Mapping[str, Sequence[Any]]) -> None:
    """Raise `ValueError` unless all points have as many coordinates."""
    first = next(iter(points))
    for name, point in points.items():
        if len(point) != len(points[first]):
            raise ValueError(
                f"the point of {name} has {format_quantity(len(point), 'coordinate')} and that of "
                f"{first} has {len(points[first])}; all points must have as many"
            )


def compute_squared_distance(x: Point, y: Point) -> Fraction:
    """Return the squared distance of two points."""
    return sum(((a - b) ** 2 for a, b in zip(x, y, strict=True)), Fraction(0))


def compute_benefits(points: Sequence[Point], joined: Sequence[bool]) -> list[Fraction]:
    """Return each party's benefit when those in `joined` take part.

    Examples
    --------
    >>> [str(b) for b in compute_benefits([(Fraction(0),), (Fraction(2),)], [True, True])]
    ['1', '1']
    """
    target = compute_mean(points)
    taking_part = [x for x, here in zip(points, joined, strict=True) if here]
    if not taking_part:
        return [Fraction(0)] * len(points)
    error = compute_squared_distance(compute_mean(taking_part), target)
    return [
        compute_squared_distance(x, target) - error if here else Fraction(0)
        for x, here in zip(points, joined, strict=True)
    ]


@dataclass(frozen=True)
class _CoalitionBenefits:
    """The benefits of many coalitions at once, as `compute_benefits` says, in whole units.

    With y_i = x_i minus the average of all, a party's benefit is |y_i|^2 - |sum of y over those who
    join|^2 / s^2 where s parties join.
    """

    points: Sequence[Point]
    are_cheap: ClassVar[bool] = True

    @cached_property
    def _offsets(self) -> tuple[Array, int]:
        return find_offsets(self.points)

    @cached_property
    def _sizes_product(self) -> int:
        return lcm(*range(1, len(self.points) + 1))

    @property
    def unit(self) -> Fraction:
        """What one unit of a benefit is worth."""
        return Fraction(1, (self._offsets[1] * self._sizes_product) ** 2)

    @cached_property
    def _scaled(self) -> tuple[Array, Array]:
        """The offsets, and what the points of the parties lose by themselves, in units."""
        offsets, every = self._offsets[0], self._sizes_product
        own = (offsets**2).sum(axis=1) * every**2
        # No sum of offsets is longer than all of them laid in one line.
        reach = int(sum(np.abs(offsets).sum(axis=0) ** 2)) * every**2
        if reach < 2**60:
            return offsets.astype(np.int64), own.astype(np.int64)
        return offsets, own

    def __call__(self, present: Present) -> Array:
        """Return the benefits of m coalitions, shape (m, n)."""
        offsets, own = self._scaled
        every = self._sizes_product
        sums = present.astype(offsets.dtype) @ offsets
        sizes = np.maximum(present.sum(axis=1), 1)
        scale = np.array([every // int(s) for s in sizes], dtype=offsets.dtype)
        errors = ((sums * scale[:, None]) ** 2).sum(axis=1)
        benefits: Array = np.where(present, own[None, :] - errors[:, None], 0)
        return benefits

    def value_entries(self, present: Present, rows: Codes, players: Codes) -> tuple[Array, Array]:
        """Return a party's benefit and its best rival's in one coalition each, shape (k,)."""
        offsets, own = self._scaled
        every = self._sizes_product
        sums = present.astype(offsets.dtype) @ offsets
        sizes = present.sum(axis=1)
        scale = np.array([every // max(1, int(s)) for s in sizes], dtype=object)
        errors = ((sums.astype(object) * scale[:, None]) ** 2).sum(axis=1)
        return value_entries(own.astype(object), errors, present, rows, players)


@dataclass(frozen=True)
class AveragePoint(ExchangeMechanism[AverageFile, Point, ParticipationGame]):
    """The average of the points of those who join.

    Parameters
    ----------
    exclusivity
        By party: the weight of its best rival's benefit in its utility.
    loss
        What it costs to be away from the average.

    Raises
    ------
    InputError
        If an exclusivity is negative or not finite.

    Examples
    --------
    >>> rule = AveragePoint({"a": 1, "b": 1, "c": 1})
    >>> settlement = rule.settle({"a": (Fraction(0),), "b": (Fraction(3),), "c": (Fraction(0),)})
    >>> settlement.parties["a"].reply.data, settlement.parties["b"].benefit
    ({'point': [1]}, Fraction(4, 1))
    """

    exclusivity: Exclusivities
    loss: Loss = field(default_factory=Loss)

    NAME: ClassVar[str] = "exchange.average"
    UNIT: ClassVar[str] = "squared distance"
    SUMMARY: ClassVar[str] = (
        "parties learn the average of their points; the loss is square, or any power of a distance"
    )
    ASSUMES: ClassVar[str] = (
        "each joins with its true point or stays away (an invented point is not looked at)"
    )
    GUARANTEES: ClassVar[str] = (
        "ex-post IC and IR (exclusivity up to (n - 1)^power), symmetric; NOT DSIC from 3 parties on"
    )
    COST: ClassVar[str] = (
        "O(n d) a run for n points of d coordinates; the audit as much for each coalition: n + 1 "
        "of them for ex-post IC and IR, 2^n for DSIC"
    )
    SOURCE: ClassVar[str] = "Branzei, Orlandi, Yang 2018, appendix B"
    FILE: ClassVar[type[CollaborationFile]] = AverageFile

    def __post_init__(self) -> None:
        """Refuse wrong exclusivities."""
        assert self.ranges

    @classmethod
    def from_file(cls, file: AverageFile) -> AveragePoint:
        """Take the parameters from a validated collaboration file."""
        loss = Loss(file.power, file.metric)
        return cls(resolve_exclusivity(file, file.parties), loss)

    @staticmethod
    def read_reports(file: AverageFile, read: Read) -> dict[str, Point]:
        """Take the points."""
        return {name: party.point for name, party in file.parties.items()}

    def settle(self, reports: Mapping[str, Point]) -> Settlement:
        """Hand everybody the average.

        Raises
        ------
        InputError
            If the points have different numbers of coordinates.
        """
        points = _check_points(reports)
        target = compute_mean(points)
        losses = [self.loss.compute(x, target) for x in points]
        benefits = dict(zip(reports, losses, strict=True))
        average = [encode_number(x) for x in target]
        replies = [Reply("json", data={"point": average}) for _ in points]
        parties = self.make_shares(benefits, replies)
        return Settlement(self.NAME, parties, {"dimensions": len(average)})

    def true_benefits(
        self, types: Mapping[str, Point], settlement: Settlement
    ) -> dict[str, Fraction | int]:
        """Return what the replies add to the parties' points, by the average of all true points."""
        target = compute_mean(list(types.values()))

        @cache
        def compute_gap(*point: str) -> Fraction:
            return self.loss.compute(tuple(Fraction(x) for x in point), target)

        return {
            name: self.loss.compute(types[name], target) - compute_gap(*share.reply.data["point"])
            for name, share in settlement.parties.items()
        }

    def game(self, types: Mapping[str, Point]) -> ParticipationGame:
        """Return the game of joining or staying away.

        What else the center could hand out: to each party any point between its own and the
        average. Points that are further away than its own would mislead it and are not looked at.
        """
        points = _check_points(types)
        benefits: _CoalitionBenefits | LossBenefits = _CoalitionBenefits(points)
        if not self.loss.is_square:
            benefits = LossBenefits(points, self.loss)
        exclusivity = tuple(each.high for each in self.list_ranges(types))
        same = np.array([[x == y for y in points] for x in points])
        box = BenefitBox([self.loss.compute(x, compute_mean(points)) for x in points], exclusivity)

        def list_alternatives(present: Present, unit: Fraction, giving_no_less: bool) -> Array:
            handed = [Fraction(b) * benefits.unit for b in benefits(present[None, :])[0].tolist()]
            return box.list_outcomes(handed, unit, giving_no_less=giving_no_less)

        return make_participation_game(
            tuple(types),
            benefits,
            exclusivity,
            benefits.unit,
            worth_no_more=same,
            compare=lambda _: same,
            alternatives=list_alternatives,
            compared_outcomes="all points between a party's own and the average",
            proofs={Symmetric.name: _prove_symmetry(len(points))},
            likely_gain=lambda: find_likely_leaver(points, exclusivity, self.loss),
        )

    def promises(self, types: Mapping[str, Point]) -> Sequence[Property]:
        """Return what holds for these exclusivities: joining is a best reply up to (n - 1)^p."""
        most = self.loss.find_highest_exclusivity(len(types))
        if not all(r.lies_within(0, most) for r in self.list_ranges(types)):
            return (Symmetric(),)
        ranges = self.list_ranges(types)
        truthful = (ExPostIC(), IndividualRationality())
        return (*truthful, *promise_over_range(ExPostIC(), ranges), Symmetric())

    def examines(self, types: Mapping[str, Point]) -> Sequence[Property]:
        """Return what may not be promised: dominance, coalitions, and truth beyond (n - 1)^p."""
        return (ExPostIC(), IndividualRationality(), DSIC(), CoalitionProof(2))


def _prove_symmetry(parties: int) -> Proof:
    """Return why equal points gain the same in every coalition, whatever the loss."""
    received = "all who join are handed one point, which is worth the same to equal points"
    return prove_equal_shares("average point", received, parties)


def find_likely_leaver(
    points: Sequence[Point], exclusivity: Sequence[Fraction], loss: Loss
) -> tuple[int, Present] | None:
    """Return the party that gains most by leaving only one other, and these two as a coalition.

    Where k is alone it is handed its own point. With i it is handed the middle of both, which is
    nearer to the average: i loses what that brings k, and has itself little use for it if its own
    point lies near the average. None where no such pair is a gain.
    """
    if len(points) < 3:
        return None
    own, shared = _value_pairs(points, loss)
    weights = as_objects(list(exclusivity))
    rival = np.maximum(own[None, :] - shared, 0)  # the others stay away and gain nothing
    gains = shared - own[:, None] + weights[:, None] * rival
    gains[np.diag_indices(len(points))] = 0
    i, k = np.unravel_index(int(np.argmax(gains)), gains.shape)
    if gains[i, k] <= 0:
        return None
    present = np.zeros(len(points), dtype=np.bool_)
    present[k] = True
    return int(i), present


def _value_pairs(points: Sequence[Point], loss: Loss) -> tuple[Array, Array]:
    """Return what each point loses, and the middle of every two: shapes (n,) and (n, n)."""
    if loss.is_square:
        whole, _ = find_offsets(points)
        twice = whole[:, None, :] + whole[None, :, :]
        return 4 * (whole**2).sum(axis=1), (twice**2).sum(axis=2)
    benefits, n = LossBenefits(points, loss), len(points)
    one, other = np.triu_indices(n)
    pairs = np.zeros((len(one), n), dtype=np.bool_)
    pairs[np.arange(len(one)), one] = pairs[np.arange(len(one)), other] = True
    shared = np.empty((n, n), dtype=object)
    shared[one, other] = shared[other, one] = benefits.compute_errors(pairs)
    return benefits.own, shared


def _check_points(points: Mapping[str, Any]) -> list[Point]:
    """Return the points, exact; raise `InputError` if they do not have the same dimensions."""
    try:
        check_dimensions(points)
    except ValueError as error:
        problem, _, remedy = str(error).partition("; ")
        raise InputError("points", problem, remedy) from None
    return [tuple(as_fraction(x) for x in point) for point in points.values()]
