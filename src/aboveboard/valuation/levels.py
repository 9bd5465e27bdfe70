"""Privacy levels: what a user allows the platform to do with its data.

A level is a number from 0 (the data are not used) to infinity (no restriction): exact, as a
`Fraction`, or `math.inf`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import inf, isinf, isnan
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from aboveboard.errors import InputError
from aboveboard.mechanisms.file_model import Exact

Level = Fraction | float
"""A `Fraction`, or `math.inf`."""

NOTHING = Fraction(0)
INFINITE = frozenset({"inf", "+inf", "infinity"})
SMALLEST, LARGEST = Fraction(1, 10**300), 10**300
"""Levels above 0 lie between these: float64 holds them. Beyond, 0 and "inf" say the same."""
EXACT: TypeAdapter[Fraction] = TypeAdapter(Exact, config=ConfigDict(arbitrary_types_allowed=True))
"""Reads a number as a file may write it; ValidationError where it is none."""


def parse_level(value: Any) -> Level:
    """Read a level exactly: 1.5, "3/2" and "inf" mean what they say.

    Raises
    ------
    ValueError
        If it is not a number from 0 to infinity.

    Examples
    --------
    >>> parse_level("inf"), parse_level(0.3), parse_level(2)
    (inf, Fraction(3, 10), Fraction(2, 1))
    """
    if isinstance(value, str) and value.strip().lower() in INFINITE:
        return inf
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str | Fraction):
        raise ValueError('a privacy level is a number from 0 up, or "inf"')  # noqa: TRY004 - pydantic reports ValueError
    if isinstance(value, float | Decimal) and (isnan(value) or isinf(value)):
        if value == inf:
            return inf
        raise ValueError(f'is {value}; a privacy level is a number from 0 up, or "inf"')
    try:
        exact = EXACT.validate_python(value)
    except ValidationError:
        raise ValueError(f'is {value}; a privacy level is a number from 0 up, or "inf"') from None
    if exact < 0:
        raise ValueError(f'is {value}; a privacy level is a number from 0 up, or "inf"')
    if exact and not SMALLEST <= exact <= LARGEST:
        raise ValueError(f'is {value}; a privacy level is 0, from 1e-300 to 1e300, or "inf"')
    return exact


PrivacyLevel = Annotated[Any, BeforeValidator(parse_level)]
"""A privacy level in a collaboration file."""


def as_floats(levels: Sequence[Level]) -> NDArray[np.float64]:
    """Return levels as float64, shape (N,)."""
    return np.array([float(x) for x in levels])


def encode_level(x: Level) -> Any:
    """Return a level as plain data: an integer, a decimal where that is exact, "3/2", or "inf"."""
    if not isinstance(x, Fraction):
        return "inf" if isinf(x) else x
    if x.denominator == 1:
        return x.numerator
    return float(x) if Fraction(repr(float(x))) == x else f"{x.numerator}/{x.denominator}"


def as_input_error(place: str, error: ValueError, otherwise: str = "") -> InputError:
    """Make a ValueError that says "problem; remedy" one of a place in the collaboration file.

    Parameters
    ----------
    place
        Where it is.
    error
        What a function of plain values has raised.
    otherwise
        The remedy where it says none.
    """
    problem, _, remedy = str(error).partition("; ")
    return InputError(place, problem, remedy or otherwise)
