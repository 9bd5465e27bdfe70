"""How much a party minds its best rival's gain: one number, or every number of a range.

A file that says nothing means every exclusivity from 0 to 1. Utilities are then counted at the
upper end, and what the rule promises is promised for the whole range. The gain of a lie is linear
in the liar's own exclusivity, so that no lie pays within a range exactly if none pays at its two
ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
)

from aboveboard.errors import InputError
from aboveboard.formatting import encode_number, format_count
from aboveboard.mechanisms.file_model import CollaborationFile, Exact

LARGEST_TERM = 10**9
"""Largest numerator and denominator of an exclusivity: with 10^9 elements utilities fit 64 bits."""


def _limit_digits(value: Fraction) -> Fraction:
    if max(value.numerator, value.denominator) > LARGEST_TERM:
        raise ValueError(
            "has too many digits for an exclusivity; write a number up to "
            f"{format_count(LARGEST_TERM)} with at most "
            'nine decimals, or a fraction as text such as "1/3"'
        )
    return value


_NUMBER: TypeAdapter[Fraction] = TypeAdapter(
    Annotated[Exact, Field(ge=0), AfterValidator(_limit_digits)],
    config=ConfigDict(arbitrary_types_allowed=True),
)


@dataclass(frozen=True)
class ExclusivityRange:
    """Every exclusivity from `low` to `high`; one number where the two are equal.

    Examples
    --------
    >>> str(ExclusivityRange.from_value("1/3")), str(ExclusivityRange.from_value([0.6, 1]))
    ('1/3', '3/5 to 1')
    """

    low: Fraction
    high: Fraction

    @classmethod
    def from_value(cls, value: object) -> Self:
        """Return the range that a file or a program states: a number, or two of them.

        Raises
        ------
        ValueError
            If it is neither, a number is negative or not finite, has more digits than an
            exclusivity needs, or the first of two is the larger.
        """
        if isinstance(value, ExclusivityRange):
            value = [value.low, value.high]
        if not isinstance(value, list | tuple):
            number = _read_number(value)
            return cls(number, number)
        if len(value) != 2:
            raise ValueError("must be one number, or [lowest, highest]")
        low, high = map(_read_number, value)
        if low > high:
            raise ValueError(
                f"starts at {encode_number(low)} and ends at {encode_number(high)}; "
                "write the lower end first"
            )
        return cls(low, high)

    @property
    def is_point(self) -> bool:
        """Whether it is a single number."""
        return self.low == self.high

    def lies_within(self, low: Fraction | int, high: Fraction | int) -> bool:
        """Return whether the whole range lies between two numbers, ends included."""
        return low <= self.low and self.high <= high

    def __str__(self) -> str:
        low, high = encode_number(self.low), encode_number(self.high)
        return str(low) if self.is_point else f"{low} to {high}"


def _read_number(value: object) -> Fraction:
    try:
        return _NUMBER.validate_python(value)
    except ValidationError as error:
        message = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        if message.startswith("Input should"):
            message = f"is {value}; it must be at least 0"
        raise ValueError(message) from None


UNSTATED = ExclusivityRange(Fraction(0), Fraction(1))
"""What a file means that does not say how much its parties mind what rivals gain."""


def _read_exclusivity(value: object) -> Fraction | tuple[Fraction, Fraction]:
    found = ExclusivityRange.from_value(value)
    return found.low if found.is_point else (found.low, found.high)


Exclusivity = Annotated[Fraction | tuple[Fraction, Fraction], PlainValidator(_read_exclusivity)]
"""In a file: 1, 0.5, "1/3", or [0.6, 1] for every number from 0.6 to 1."""

Exclusivities = Mapping[str, "ExclusivityRange | Fraction | int | tuple[Fraction, Fraction]"]
"""By party: its exclusivity."""


class ExclusiveParty(BaseModel):
    """One party of an exchange; each mechanism adds its own keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    exclusivity: Exclusivity | None = Field(
        default=None, description="its own exclusivity; if left out, the file's"
    )


class ExclusiveFile(CollaborationFile):
    """The collaboration file of an exchange; each mechanism adds its own keys and parties."""

    exclusivity: Exclusivity | None = Field(
        default=None,
        description="e: what a unit of the best rival's gain costs, a number or [lowest, highest]; "
        "if left out, anything from 0 to 1",
    )


def resolve_exclusivity(
    file: ExclusiveFile, parties: Mapping[str, ExclusiveParty]
) -> dict[str, ExclusivityRange]:
    """Return each party's exclusivity: its own where it has one, else the file's, else 0 to 1.

    Raises
    ------
    InputError
        If the parties' exclusivities have no common denominator that is small enough.
    """
    stated = {}
    for name, party in parties.items():
        own = file.exclusivity if party.exclusivity is None else party.exclusivity
        stated[name] = UNSTATED if own is None else own
    return check_exclusivity(stated)


def check_exclusivity(exclusivity: Exclusivities) -> dict[str, ExclusivityRange]:
    """Return the parties' exclusivities as ranges; numbers from a program are read exactly.

    Raises
    ------
    InputError
        If one is negative or not finite, or they have no common denominator that is small enough.
    """
    ranges = {}
    for name, value in exclusivity.items():
        try:
            ranges[name] = ExclusivityRange.from_value(value)
        except ValueError as error:
            raise InputError(
                f"exclusivity of {name}", str(error), "write a number from 0, such as 1"
            ) from None
    denominators = (end.denominator for r in ranges.values() for end in (r.low, r.high))
    if lcm(*denominators) > LARGEST_TERM:
        raise InputError(
            "exclusivity",
            "the parties' exclusivities have no common denominator up to 10^9",
            "write them with fewer decimals",
        )
    return ranges
