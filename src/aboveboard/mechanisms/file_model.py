"""TODO."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

LONGEST = 300
"""Digits of a number in a collaboration file: floats have no more, and none takes long to read."""


TINY = Fraction(1, 10**300)
"""Floats end a little beyond: whatever is taken exactly must also do in float64."""


def _exponent(text: str) -> int:
    """Give the exponent of a number as written; 0 where there is none."""
    # As `Fraction` reads it: blanks around and underscores within are allowed there too.
    exponent = text.lower().partition("e")[2].strip().replace("_", "")
    return int(exponent) if re.fullmatch(r"[+-]?\d+", exponent) else 0


def _fraction(value: Any) -> Any:
    """Read a number exactly: 3, 0.3 and "5/12" mean what they say."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str | Fraction):
        raise ValueError('must be a number, or a fraction as text such as "5/12"')  # noqa: TRY004 - pydantic reports ValueError
    text = repr(value) if isinstance(value, float) else str(value)
    if len(text) > LONGEST or abs(_exponent(text)) > LONGEST:
        raise ValueError(f"is a number of more than {LONGEST} digits; write a shorter one")
    try:
        # A float from Python code means its shortest decimal, as it would in the file.
        number = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError(
            f"is {value}, which is no finite number; write a number, or a fraction as text "
            'such as "5/12"'
        ) from None
    if number and not TINY <= abs(number) <= 1 / TINY:
        raise ValueError("is beyond what a float can hold; write a number from 1e-300 to 1e300")
    return number


Exact = Annotated[Fraction, BeforeValidator(_fraction)]
"""A number in a collaboration file, taken exactly."""


class CollaborationFile(BaseModel):
    """What every collaboration file has; each mechanism adds its own keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: str = Field(default="", description="what the collaboration is called")
    mechanism: str = Field(description="which rule is run")
    seed: int = Field(
        default=0, ge=0, lt=2**63, strict=True, description="seed of everything that is drawn"
    )
