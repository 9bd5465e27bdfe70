"""What the collaboration files of the exchange share: each party's taste for exclusivity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from aboveboard.errors import InputError
from aboveboard.exchange.utility import compute_utilities
from aboveboard.mechanisms.file_model import CollaborationFile, Exact
from aboveboard.mechanisms.settlement import Reply, Share

MOST = 10**9
"""Largest numerator and denominator of a taste: utilities of 10^9 elements stay within 64 bits."""


def _limit_digits(value: Fraction) -> Fraction:
    if max(value.numerator, value.denominator) > MOST:
        raise ValueError(
            f"has more digits than a taste needs; write a number up to {MOST:,} with at most nine "
            'decimals, or a fraction as text such as "1/3"'
        )
    return value


Taste = Annotated[Exact, Field(ge=0), AfterValidator(_limit_digits)]
"""A weight of the best rival's gain, exact."""


class ExclusiveParty(BaseModel):
    """One party of an exchange; each mechanism adds its own keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    exclusivity: Taste | None = Field(default=None, description="its own taste; else the file's")


class ExclusiveFile(CollaborationFile):
    """The collaboration file of an exchange; each mechanism adds its own keys and parties."""

    exclusivity: Taste = Field(
        default=Fraction(1), description="e: what a unit of the best rival's gain costs"
    )


def resolve_exclusivity(
    file: ExclusiveFile, parties: Mapping[str, ExclusiveParty]
) -> dict[str, Fraction]:
    """Give each party's exclusivity: its own where it has one, else the file's.

    Raises
    ------
    InputError
        If the parties' tastes have no common denominator that is small enough.
    """
    tastes = {
        name: file.exclusivity if party.exclusivity is None else party.exclusivity
        for name, party in parties.items()
    }
    if lcm(*(taste.denominator for taste in tastes.values())) > MOST:
        raise InputError(
            "exclusivity",
            "the parties' tastes have no common denominator up to 10^9",
            "write them with fewer decimals",
        )
    return tastes


def make_shares(
    benefits: Mapping[str, Fraction | int],
    exclusivity: Mapping[str, Fraction],
    replies: Sequence[Reply],
) -> dict[str, Share]:
    """Give every party's share of an exchange: nobody pays."""
    names = list(benefits)
    utility = compute_utilities(list(benefits.values()), [exclusivity[name] for name in names])
    return {
        name: Share(benefits[name], u, 0, reply)
        for name, u, reply in zip(names, utility, replies, strict=True)
    }
