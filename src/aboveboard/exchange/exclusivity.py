"""What the collaboration files of the exchange share: each party's taste for exclusivity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from pydantic import BaseModel, ConfigDict, Field

from aboveboard.exchange.utility import utilities
from aboveboard.mechanism import CollaborationFile, Exact, Reply, Share


class ExclusiveParty(BaseModel):
    """One party of an exchange; each mechanism adds its own keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    exclusivity: Exact | None = Field(default=None, ge=0, description="its own taste")


class ExclusiveFile(CollaborationFile):
    """The collaboration file of an exchange; each mechanism adds its own keys and parties."""

    exclusivity: Exact = Field(default=Fraction(1), ge=0, description="everybody's taste")


def by_party(file: ExclusiveFile, parties: Mapping[str, ExclusiveParty]) -> dict[str, Fraction]:
    """Give each party's exclusivity: its own where it has one, else the file's."""
    return {
        name: file.exclusivity if party.exclusivity is None else party.exclusivity
        for name, party in parties.items()
    }


def shares(
    benefits: Mapping[str, Fraction | int],
    exclusivity: Mapping[str, Fraction],
    replies: Sequence[Reply],
) -> dict[str, Share]:
    """Give every party's share of an exchange: nobody pays."""
    names = list(benefits)
    utility = utilities(list(benefits.values()), [exclusivity[name] for name in names])
    return {
        name: Share(benefits[name], u, 0, reply)
        for name, u, reply in zip(names, utility, replies, strict=True)
    }
