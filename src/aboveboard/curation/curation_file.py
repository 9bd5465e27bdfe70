"""The collaboration file of the curation mechanisms, and the objects it describes."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator

from aboveboard.curation.commitments import (
    TRUTH,
    Commitment,
)
from aboveboard.mechanisms.file_model import CollaborationFile, Exact

_EXACT: TypeAdapter[Fraction] = TypeAdapter(Exact, config=ConfigDict(arbitrary_types_allowed=True))
CALLABLE_NAME = r"^[\w.]+:[\w.]+$"


def _parse_commitment(value: Any) -> Commitment:
    if isinstance(value, Commitment):
        return value
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("a commitment is two numbers; write [p, q], for example [1, 0]")
    p, q = (_EXACT.validate_python(x) for x in value)
    for name, x in (("p", p), ("q", q)):
        if not 0 <= x <= 1:
            raise ValueError(f"{name} is {x}; p and q are probabilities, from 0 to 1")
    return Commitment(p, q)


Pair = Annotated[Any, BeforeValidator(_parse_commitment)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


KEYS: Mapping[str, tuple[str, ...]] = {
    "majority": ("center_weight",),
    "threshold": ("k", "center_weight"),
    "mean": ("level", "center_weight"),
    "parity": (),
    "and": (),
    "or": (),
    "table": ("values",),
    "callable": ("function",),
    "median": ("thresholds", "range", "distribution", "center_weight"),
    "average": ("thresholds", "range", "distribution", "center_weight"),
}
"""By kind of function: the keys that it takes beside `prior`."""

OPTIONAL = ("center_weight", "distribution")
"""Those with a default."""


class FunctionTable(_Strict):
    """What all want to know; which keys it needs depends on the kind."""

    kind: Literal[
        "majority",
        "threshold",
        "mean",
        "parity",
        "and",
        "or",
        "table",
        "callable",
        "median",
        "average",
    ] = Field(description="what g is of all bits, the center's among them")
    k: int | None = Field(
        default=None, strict=True, description="for threshold: how many ones make g = 1"
    )
    level: Exact | None = Field(
        default=None, ge=0, le=1, description="for mean: g = 1 if the mean is above it"
    )
    center_weight: int | None = Field(
        default=None,
        ge=0,
        strict=True,
        description="for majority, threshold, mean, median, average: how often the center's bit "
        "or number counts; default 1",
    )
    values: tuple[Literal[0, 1], ...] | None = Field(
        default=None,
        description="for table: g of every set of bits, by bit mask, the center's bit first",
    )
    function: str | None = Field(
        default=None,
        pattern=CALLABLE_NAME,
        description='for callable: "module:function" of a tuple of bits, the center\'s first',
    )
    thresholds: tuple[Exact, ...] | None = Field(
        default=None,
        description="for median, average: each number is told by which of these it reaches",
    )
    range: tuple[Exact, Exact] | None = Field(
        default=None, description="for median, average: the lowest and the highest number"
    )
    distribution: tuple[Exact, ...] | None = Field(
        default=None,
        description="for median, average: the chance of each step between thresholds, from the "
        "lowest; default: all alike",
    )
    prior: Exact = Field(
        default=Fraction(1, 2), gt=0, lt=1, description="chance that a bit is 1, the same for all"
    )

    joint: tuple[Exact, ...] | None = Field(
        default=None,
        description="the chance of every set of bits, by bit mask, the center's bit first, where "
        "bits depend on one another; instead of priors; for median, average of every combination "
        "of steps, the center's number first",
    )

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        takes = KEYS[self.kind]
        for key in (
            "k",
            "level",
            "center_weight",
            "values",
            "function",
            "thresholds",
            "range",
            "distribution",
        ):
            present = getattr(self, key) is not None
            if present and key not in takes:
                raise ValueError(
                    f"kind = {self.kind!r} has no {key}; it takes {', '.join(takes) or 'no keys'}"
                )
            if not present and key in takes and key not in OPTIONAL:
                raise ValueError(f"kind = {self.kind!r} needs {key}; add it")
        return self

    @property
    def is_about_numbers(self) -> bool:
        """Whether parties have numbers and not bits."""
        return self.kind in ("median", "average")


class CenterTable(_Strict):
    """The center's own bits."""

    prior: Exact | None = Field(
        default=None, gt=0, lt=1, description="chance that the center's bit is 1, if it differs"
    )
    data: Path | None = Field(
        default=None, description="one column of 0 and 1, one row for each round"
    )
    bits: tuple[Literal[0, 1], ...] | None = Field(
        default=None, description="the bits themselves, instead of data"
    )
    distribution: tuple[Annotated[Exact, Field(ge=0)], ...] | None = Field(
        default=None, description="for median, average: the chance of each step, if it differs"
    )
    numbers: tuple[Exact, ...] | None = Field(
        default=None, description="for median, average: the numbers themselves, instead of data"
    )


class AgentTable(_Strict):
    """One agent."""

    value: Exact = Field(default=Fraction(1), gt=0, description="what a right guess is worth")
    price: Exact = Field(gt=0, description="what the truthful commitment costs")
    prior: Exact | None = Field(
        default=None, gt=0, lt=1, description="chance that its bit is 1, if it differs"
    )
    shape: str = Field(
        default="linear",
        description="how the price grows: linear, quadratic, plateau, indicator, or "
        '"module:function" of p and q',
    )
    commitment: Pair = Field(
        default=TRUTH,
        description="[p, q]: chance to send 0 if the bit is 0, and if it is 1; [1, 0] is the truth",
    )
    data: Path | None = Field(
        default=None, description="one column of 0 and 1, one row for each round"
    )
    bits: tuple[Literal[0, 1], ...] | None = Field(
        default=None, description="the bits themselves, instead of data"
    )
    distribution: tuple[Annotated[Exact, Field(ge=0)], ...] | None = Field(
        default=None, description="for median, average: the chance of each step, if it differs"
    )
    numbers: tuple[Exact, ...] | None = Field(
        default=None, description="for median, average: the numbers themselves, instead of data"
    )
    coins: str | None = Field(
        default=None,
        max_length=200,
        description="a secret text: with it and the seed its messages are drawn, so that who knows "
        "the seed alone learns no more of its bits; a round between organisations makes it",
    )


class AgentTableWithoutPrice(AgentTable):
    """One agent of a mechanism that needs no prices."""

    price: Exact | None = Field(  # type: ignore[assignment]  # wider than the parent, on purpose
        default=None,
        gt=0,
        description="what the truthful commitment costs; if left out, the agent is answered all "
        "the same, but its utility is unknown",
    )


class DesignTable(_Strict):
    """What the audit lets agents commit to; truth, silence and a whisper are always among them."""

    commitments: tuple[Pair, ...] = Field(
        default=(), description="[[p, q], ..]; if left out, half the truth and its contrary"
    )


class CurationFile(CollaborationFile):
    """The collaboration file of the curation mechanisms."""

    mechanism: str
    function: FunctionTable = Field(description="g, what all want to know")
    center: CenterTable = Field(
        default=CenterTable(), description="the center's bits; design and audit need none"
    )
    parties: dict[str, AgentTable] = Field(min_length=1, description="the agents, by name")
    replies: Literal["messages", "two-bits"] = Field(
        default="messages",
        description="what the answered get: all messages, or two bits in each round: the best "
        "guess for each value of their own bit",
    )
    design: DesignTable = Field(
        default=DesignTable(),
        description="what an audit lets agents commit to, beside the truth, silence and a whisper",
    )

    @model_validator(mode="after")
    def _check_replies(self) -> Self:
        if self.replies == "two-bits" and self.function.is_about_numbers:
            raise ValueError("replies of two bits answer a question about bits; omit replies")
        return self

    @model_validator(mode="after")
    def _check_table(self) -> Self:
        values, n = self.function.values, len(self.parties)
        if values is not None and len(values) != 2 << n:
            raise ValueError(
                f"function.values has {len(values)} entries; {n} agents and the center have "
                f"{2 << n} sets of bits, by bit mask, the center's bit first"
            )
        return self


class CurationFileWithoutPrices(CurationFile):
    """The same for a mechanism that needs no prices to answer."""

    parties: dict[str, AgentTableWithoutPrice] = Field(  # type: ignore[assignment]  # wider
        min_length=1, description="the agents, by name"
    )


class FairFile(CurationFileWithoutPrices):
    """The collaboration file of curation.fair, which chooses its score."""

    score: Literal["price", "indicator", "any-word"] = Field(
        default="price",
        description="what agents who are not truthful compete with: their relative price, or "
        "whether they say anything; any-word: who says anything is answered while another is not "
        "truthful; only the first, and a lot, need prices",
    )
    lot: bool = Field(
        default=True,
        description="for any-word: whether an agent that says something else while all others "
        "are truthful is answered by lot, so that no equilibrium is mixed; needs prices",
    )
    margin: Exact = Field(
        default=Fraction(0),
        ge=0,
        description="for the lot: by which part the true prices may exceed those of this file",
    )

    @model_validator(mode="after")
    def _check_prices(self) -> Self:
        missing = [name for name, agent in self.parties.items() if agent.price is None]
        if missing and self.score == "price":
            raise ValueError(
                f'parties.{missing[0]}.price is missing; add it, or set score = "indicator"'
            )
        if missing and self.score == "any-word" and self.lot:
            raise ValueError(f"parties.{missing[0]}.price is missing; add it, or set lot = false")
        if self.score != "any-word" and {"lot", "margin"} & self.model_fields_set:
            raise ValueError('lot and margin go with score = "any-word"; omit them, or set it')
        if self.margin and not self.lot:
            raise ValueError("margin is of the lot, and there is none; omit margin")
        return self
