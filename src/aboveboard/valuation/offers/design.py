"""What the platform may choose from, and the table [design] of a collaboration file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from aboveboard.valuation.levels import EXACT, Level, PrivacyLevel
from aboveboard.valuation.utilities.utility_table import StrictTable


def _cost(value: Any) -> Fraction | dict[str, Fraction]:
    exact = (
        {str(name): EXACT.validate_python(x) for name, x in value.items()}
        if isinstance(value, Mapping)
        else EXACT.validate_python(value)
    )
    if min(exact.values() if isinstance(exact, dict) else [exact], default=Fraction(0)) < 0:
        raise ValueError("a privacy cost is negative; it is 0 or more")
    return exact


class DesignTable(StrictTable):
    """What the platform may choose from."""

    levels: tuple[PrivacyLevel, PrivacyLevel] = Field(description="the two that users choose from")
    cost: Annotated[Any, BeforeValidator(_cost)] = Field(
        description="what the less private level costs a user: one number, or a table by party"
    )
    selection: Literal["optimistic", "pessimistic"] = Field(
        default="optimistic",
        description="of several equilibria: the platform's best, or its worst",
    )

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.levels[0] == self.levels[1]:
            raise ValueError("the two levels are the same; give the private one and the other")
        return self


@dataclass(frozen=True)
class Design:
    """What the platform may choose from, and what it costs the users.

    Parameters
    ----------
    low, high
        The two levels on offer, the more private one first.
    costs
        By user: what every level above `low` costs it.
    alike
        One cost was given for all.
    selection
        Which equilibrium is taken where there are several: the platform's best or worst.
    """

    low: Level
    high: Level
    costs: tuple[Fraction, ...]
    alike: bool
    selection: Literal["optimistic", "pessimistic"]
