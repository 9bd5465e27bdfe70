"""The collaboration files of the `market` system: goods, bids, coalitions, proposal, votes.

Everything is read exactly and refused in one line where it is wrong. What is refused is what
means nothing: a good that nobody or two parties bring, a bid on an unknown good, a value beyond the
bound, the vote of a stranger. A price outside the domain, or prices that do not sum to zero, are
not: such an announcement is a legal move of the proposer, and step a of the mechanism fines it 1.
The simple mechanisms have no step a; there the same announcement is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from aboveboard.mechanisms.file_model import CollaborationFile, Exact
from aboveboard.storage.options import TableKeys

DESTROYED_GOODS = "destroyed"
"""The key of [proposal] allocation for goods that nobody gets."""

MOST_BITS = 60
"""Welfares of more than a few players would leave the 64 bits of the solvers beyond this."""

Integer = Annotated[int, Field(strict=True)]
VoteText = Literal["yes", "no"]
SolverName = Literal["auto", "exhaustive", "highs", "cp-sat"]


Count = Annotated[int, Field(strict=True, ge=1, le=1000)]
Goods = tuple[str, ...] | dict[str, Count]
"""Names of goods, one unit of each; or how many units of each."""


class BidTable(BaseModel):
    """One bid: some goods and what they are worth together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    goods: Goods = Field(
        min_length=1, description="names of goods; or how many units of each: {pallet = 2}"
    )
    value: Exact = Field(description="what they are worth, of either sign; decimals are allowed")
    group: str | None = Field(
        default=None, description="of the bids of a group at most one counts; groups add"
    )

    def count_goods(self) -> dict[str, int]:
        """Return how many units of each good the bid is on."""
        return dict(self.goods) if isinstance(self.goods, Mapping) else dict.fromkeys(self.goods, 1)


class Player(BaseModel):
    """One party of a market."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endowment: Goods = Field(
        default=(), description="goods that it brings; or how many units of each: {pallet = 3}"
    )
    bidding: Literal["table", "additive", "xor", "or"] = Field(
        default="xor", description="the language of its values"
    )
    values: tuple[BidTable, ...] = Field(default=(), description="its bids")

    def count_endowment(self) -> dict[str, int]:
        """Return how many units of each good the party brings."""
        counts: dict[str, int] = {}
        units = (
            self.endowment.items()
            if isinstance(self.endowment, Mapping)
            else ((good, 1) for good in self.endowment)
        )
        for good, count in units:
            counts[good] = counts.get(good, 0) + count
        return counts


class Ballot(BaseModel):
    """A party's votes in steps 2 and 3."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    step_2: VoteText = Field(description="the vote on the announcement")
    step_3: VoteText = Field(description="the vote when it is asked alone")


def _parse_votes(given: Any) -> dict[str, Ballot] | str:
    """Return votes by party, or the name of the folder that holds them."""
    if isinstance(given, str) and given:
        return given
    if not isinstance(given, Mapping):
        raise ValueError("must be a table of votes by party; or the name of a folder of votes")  # noqa: TRY004 - pydantic reports ValueError
    votes = {}
    for name, vote in given.items():
        both = {"step_2": vote, "step_3": vote} if isinstance(vote, str) else vote
        try:
            votes[str(name)] = Ballot.model_validate(both)
        except ValidationError:
            raise ValueError(
                f'the vote of {name} is {vote}; write "yes" or "no", or both step_2 and step_3'
            ) from None
    return votes


class Proposal(BaseModel):
    """What the proposer announces."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    allocation: dict[str, tuple[str, ...]] = Field(
        description="who gets which goods; those under 'destroyed' nobody gets"
    )
    prices: dict[str, Exact] | None = Field(
        default=None, description="what each pays; if left out, what it gains"
    )


class MarketFile(CollaborationFile, TableKeys):
    """What every file of the system has."""

    bits: Integer | None = Field(
        default=None,
        ge=1,
        le=MOST_BITS,
        description="k: values lie in (-2^(k-1), 2^(k-1)); if left out, the least that holds them",
    )
    bids: str | None = Field(
        default=None,
        min_length=1,
        description="a table of bids (party, goods, value; group, quantity), or a CATS instance",
    )
    endowments: str | None = Field(
        default=None, min_length=1, description="a table of endowments (party, good; quantity)"
    )
    seller: str | None = Field(
        default=None, min_length=1, description="who brings every good that nobody else brings"
    )
    coalitions: tuple[tuple[str, ...], ...] = Field(
        default=(), description="who colludes with whom; whoever is not named stands alone"
    )
    solver: SolverName = Field(default="auto", description="how the best allocation is searched")
    seconds: Integer | None = Field(
        default=None, ge=1, description="the search ends after this; if left out, when it is proved"
    )
    parties: dict[str, Player] = Field(
        default_factory=dict, description="by name: one table per party; more may be in the tables"
    )


class ProposingFile(MarketFile):
    """A file of a mechanism in which one party proposes and the others vote."""

    proposer: str | None = Field(
        default=None, description="who proposes; random: drawn by the seed; else the first party"
    )
    proposal: Proposal | None = Field(
        default=None, description="what is announced; else the proposer's best"
    )
    votes: Annotated[dict[str, Ballot] | str, PlainValidator(_parse_votes)] = Field(
        default_factory=dict,
        description="who says what, or the folder of their files; else the dominant votes",
    )


class VotedFile(ProposingFile):
    """A file of a mechanism that rewards those who vote."""

    epsilon: Exact | None = Field(
        default=None, description="the unit of rewards; if left out, the middle of its range"
    )
