"""`exchange.average`: everybody who joins is told the average of the points of those who join.

What: a party's value of a point y is -|y - a|^2, a the average of ALL true points; its benefit is
what the reply adds to what its own point is worth, and zero if it stays away. Truthful when all
take part (a Nash equilibrium), not dominant: with points (0, -1, 0), parties 2 and 3 taking part,
3 gains 1/3 by leaving. Cost: O(n d) a run, O(n d 2^n) for the game. Source: Branzei, Orlandi, Yang
(arXiv 1809.10637), appendix B, Theorem 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from aboveboard.auditing import (
    DSIC,
    CoalitionProof,
    ExPostIC,
    IndividualRationality,
    Property,
    Symmetric,
)
from aboveboard.exchange.exclusivity import (
    ExclusiveFile,
    ExclusiveParty,
    make_shares,
    resolve_exclusivity,
)
from aboveboard.exchange.participation import make_participation_game
from aboveboard.formatting import encode_number, format_quantity
from aboveboard.games.game import Game
from aboveboard.mechanisms.file_model import CollaborationFile, Exact
from aboveboard.mechanisms.mechanism import Read
from aboveboard.mechanisms.settlement import Reply, Settlement

Point = tuple[Fraction, ...]

MOST_AUDITED = 14
"""Fractions for 2^14 coalitions take a few seconds; each further party doubles that."""


class AverageParty(ExclusiveParty):
    """One party of an average."""

    point: tuple[Exact, ...] = Field(min_length=1, description="coordinates")


class AverageFile(ExclusiveFile):
    """The collaboration file of `exchange.average`."""

    mechanism: Literal["exchange.average"]
    parties: dict[str, AverageParty] = Field(min_length=1, description="by name: a table a party")

    @model_validator(mode="after")
    def _same_space(self) -> Self:
        dimensions = {name: len(party.point) for name, party in self.parties.items()}
        first = next(iter(dimensions))
        for name, d in dimensions.items():
            if d != dimensions[first]:
                raise ValueError(
                    f"the point of {name} has {format_quantity(d, 'coordinate')} and that of {first} has "
                    f"{dimensions[first]}; all points must have as many"
                )
        return self


def compute_mean(points: Sequence[Point]) -> Point:
    """Give the average point, exact."""
    return tuple(sum(xs, Fraction(0)) / len(points) for xs in zip(*points, strict=True))


def squared_distance(x: Point, y: Point) -> Fraction:
    """Give the squared distance."""
    return sum(((a - b) ** 2 for a, b in zip(x, y, strict=True)), Fraction(0))


def compute_benefits(points: Sequence[Point], joined: Sequence[bool]) -> list[Fraction]:
    """Give each party's benefit when those in `joined` take part."""
    target = compute_mean(points)
    taking_part = [x for x, here in zip(points, joined, strict=True) if here]
    if not taking_part:
        return [Fraction(0)] * len(points)
    error = squared_distance(compute_mean(taking_part), target)
    return [
        squared_distance(x, target) - error if here else Fraction(0)
        for x, here in zip(points, joined, strict=True)
    ]


@dataclass(frozen=True)
class AveragePoint:
    """The average of the points of those who join.

    Parameters
    ----------
    exclusivity
        By party: the weight of its best rival's benefit in its utility.
    """

    exclusivity: Mapping[str, Fraction]

    NAME: ClassVar[str] = "exchange.average"
    UNIT: ClassVar[str] = "squared distance"
    SUMMARY: ClassVar[str] = "parties learn the average of their points; the loss is square"
    ASSUMES: ClassVar[str] = "each joins with its true point or stays away"
    GUARANTEES: ClassVar[str] = (
        "ex-post IC and IR (exclusivity up to (n - 1)^2), symmetric; NOT DSIC from 3 parties on"
    )
    COST: ClassVar[str] = "O(n d) a run for n points of d coordinates; O(n d 2^n) for the game"
    SOURCE: ClassVar[str] = "Branzei, Orlandi, Yang 2018, appendix B"
    FILE: ClassVar[type[CollaborationFile]] = AverageFile
    STARTING_FILE: ClassVar[str] = """\
name = "forecasts"
mechanism = "exchange.average"
# How much a party minds what its best rival gains.
exclusivity = 1

# Each party's point, in as many dimensions as you like.
[parties.alpha]
point = [1.0, 2.0]

[parties.beta]
point = [3.5, 0.0]

[parties.gamma]
point = [2.0, 2.5]
"""

    @classmethod
    def from_file(cls, file: AverageFile) -> AveragePoint:
        """Take the parameters from a validated collaboration file."""
        return cls(resolve_exclusivity(file, file.parties))

    @staticmethod
    def read_reports(file: AverageFile, read: Read) -> dict[str, Point]:
        """Take the points."""
        return {name: party.point for name, party in file.parties.items()}

    def settle(self, reports: Mapping[str, Point]) -> Settlement:
        """Tell everybody the average."""
        points = list(reports.values())
        benefits = dict(zip(reports, compute_benefits(points, [True] * len(points)), strict=True))
        average = [encode_number(x) for x in compute_mean(points)]
        replies = [Reply("json", data={"point": average}) for _ in points]
        parties = make_shares(benefits, self.exclusivity, replies)
        return Settlement(self.NAME, parties, {"dimensions": len(average)})

    def game(self, types: Mapping[str, Point]) -> Game:
        """Give the game of joining or staying away.

        Raises
        ------
        ValueError
            If there are too many parties for a table of all coalitions.
        """
        points = list(types.values())
        if len(points) > MOST_AUDITED:
            raise ValueError(
                f"an audit takes at most {MOST_AUDITED} parties; there are {len(points)}"
            )
        return make_participation_game(
            types, self.exclusivity, lambda joined: compute_benefits(points, joined)
        )

    def properties(self) -> Sequence[Property]:
        """Give what an audit looks at unless told otherwise."""
        return (ExPostIC(), IndividualRationality(), DSIC(), CoalitionProof(2), Symmetric())
