"""What every collaboration file has: its keys, exact numbers, and the seed."""

from __future__ import annotations

import hashlib
import re
import secrets
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

MOST_DIGITS = 300
"""Digits of a number in a collaboration file: floats have no more, and none takes long to read."""


SHORT_INTEGER = 10**15
"""Whole numbers below are short, whatever else."""

TINY = Fraction(1, 10**300)
"""Floats end a little beyond: whatever is taken exactly must also do in float64."""


def _parse_exponent(text: str) -> int:
    """Return the exponent of a number as written; 0 where there is none."""
    # As `Fraction` reads it: blanks around and underscores within are allowed there too.
    exponent = text.lower().partition("e")[2].strip().replace("_", "")
    return int(exponent) if re.fullmatch(r"[+-]?\d+", exponent) else 0


def parse_exact(value: Any) -> Fraction:
    """Return a number exactly: 3, 0.3 and "5/12" mean what they say.

    Raises
    ------
    ValueError
        If it is not a finite number, is longer than `MOST_DIGITS`, or is beyond what a float can
        hold.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str | Fraction):
        raise ValueError('must be a number, or a fraction as text such as "5/12"')  # noqa: TRY004 - pydantic reports ValueError
    if type(value) is int and abs(value) < SHORT_INTEGER:
        return Fraction(value)
    text = repr(value) if isinstance(value, float) else str(value)
    if len(text) > MOST_DIGITS or abs(_parse_exponent(text)) > MOST_DIGITS:
        raise ValueError(f"is a number of more than {MOST_DIGITS} digits; write a shorter one")
    try:
        # A float from Python code means its shortest decimal, as it would in the file.
        plain = type(value) is Decimal and value.is_finite()
        number = Fraction(value if plain else text)  # a decimal's parts need no search for them
    except (ValueError, ZeroDivisionError):
        raise ValueError(
            f"is {value}, which is not a finite number; write a number, or a fraction as text "
            'such as "5/12"'
        ) from None
    if number and not TINY <= abs(number) <= 1 / TINY:
        raise ValueError("is beyond what a float can hold; write a number from 1e-300 to 1e300")
    return number


Exact = Annotated[Fraction, BeforeValidator(parse_exact)]
"""A number in a collaboration file, taken exactly."""


SEED_BITS = 256
"""Length of a seed that is drawn: nobody guesses it, and no two runs share it."""


def draw_seed() -> int:
    """Return a seed that nobody can predict, never 0.

    Examples
    --------
    >>> 0 < draw_seed() < 2**SEED_BITS
    True
    """
    return secrets.randbelow(2**SEED_BITS - 1) + 1


def parse_seed(value: Any) -> Any:
    """Return a seed as an integer: digits mean their number, other text its SHA-256.

    Raises
    ------
    ValueError
        If it is neither a whole number nor text, is empty, is negative, or has more than
        `SEED_BITS` bits.

    Examples
    --------
    >>> parse_seed(7), parse_seed("7")
    (7, 7)
    >>> parse_seed("draw of 3 May 2026").bit_length() <= SEED_BITS
    True
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("must be a whole number or text")  # noqa: TRY004 - pydantic reports ValueError
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("is empty text; write a whole number or text")
        if not re.fullmatch(r"\d{1,78}", value):
            return int.from_bytes(hashlib.sha256(value.encode()).digest())
        value = int(value)
    if value < 0:
        raise ValueError("must be a number of at least 0, or text")
    if value >= 2**SEED_BITS:
        raise ValueError(f"must be a number below 2^{SEED_BITS}, or text")
    return value


Seed = Annotated[int, BeforeValidator(parse_seed)]
"""A seed in a collaboration file, as an integer below 2^256."""


class Views(BaseModel):
    """Who sees which output besides replies; what is left out is as verification needs it.

    Examples
    --------
    >>> Views(regions="center").shares is None
    True
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    shares: Literal["all", "party"] | None = Field(
        default=None,
        description="what each gains and pays: for all, or for each party its own",
    )
    regions: Literal["all", "center"] | None = Field(
        default=None,
        description="how many elements the overlaps of exchanged lists have: for all, or for the "
        "center alone, and then no party can verify gains",
    )

    @property
    def hides_overlaps(self) -> bool:
        """Whether parties are told nothing of how their lists overlap."""
        return self.regions == "center"


def _check_currency(code: str) -> str:
    if code and not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise ValueError("must be three capital letters, such as EUR")
    return code


class CollaborationFile(BaseModel):
    """What every collaboration file has; each mechanism adds its own keys.

    Examples
    --------
    >>> class AuctionFile(CollaborationFile):
    ...     reserve: int = 0
    >>> AuctionFile.model_validate({"mechanism": "auctions:Mine", "seed": 1, "reserve": 3}).reserve
    3
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: str = Field(default="", description="what the collaboration is called")
    operator: str = Field(
        default="", max_length=200, description="who runs the center, for reports and records"
    )
    mechanism: str = Field(description="which rule is run")
    currency: Annotated[str, AfterValidator(_check_currency)] = Field(
        default="",
        description="what payments are in, such as EUR: they are then rounded to its smallest coin",
    )
    sees: Views = Field(default_factory=Views, description="who sees which output besides replies")
    seed: Seed = Field(
        default_factory=draw_seed,
        description="seed of everything that is drawn: a whole number or text; if left out, it is "
        "drawn and recorded",
    )
