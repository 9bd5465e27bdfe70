"""Numbers in evidence: exact ones are compared exactly, floats up to the last digits.

Results write each number in one way, so that nobody reads another one than is compared.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import isclose
from typing import Any

from aboveboard.evidence.canonical import as_plain

FLOAT_TOLERANCE = 1e-9
"""Relative: other machines and libraries may differ in a float's last digits, no more."""

ROUNDING = 2**-51
"""Relative: the last bits of the float that stands for an exact number."""

LONGEST_NUMBER = 4000
"""Characters of an exact number."""

MOST_EXPONENT = 4000
"""Largest exponent of a number in text: "1e999999999" would become as many digits."""

_EXPONENT = re.compile(r"[eE][+-]?0*([0-9_]*)\s*\Z")


def parse_number(value: Any) -> Fraction | float | None:
    """Return a number of plain data: an integer, text such as "5/12", or a float; None for others.

    Examples
    --------
    >>> parse_number("5/12"), parse_number(True)
    (Fraction(5, 12), None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, float):
        return value
    if isinstance(value, str) and (
        len(value) > LONGEST_NUMBER or not value.isascii() or _has_large_exponent(value)
    ):
        return None  # Python reads digits of other scripts, too
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError):
        return None


def _has_large_exponent(text: str) -> bool:
    exponent = _EXPONENT.search(text)
    digits = "" if exponent is None else exponent[1].replace("_", "")
    return len(digits) > 4 or int(digits or "0") > MOST_EXPONENT


def is_written_plainly(value: Any) -> bool:
    """Return whether a number is written as results write it, or there is none.

    "1_0", "2/4" or " 3" are numbers that a reader may take for other ones.

    Examples
    --------
    >>> is_written_plainly("5/12"), is_written_plainly("1e3"), is_written_plainly("3")
    (True, False, False)
    """
    number = parse_number(value)
    if number is None or isinstance(number, float):
        return value is None or isinstance(number, float)
    plain = as_plain(number)
    return type(plain) is type(value) and plain == value


def is_same_number(due: Any, stated: Any) -> bool:
    """Return whether two numbers of plain data are the same.

    Parameters
    ----------
    due
        What the number must be. Where it is exact, a float is the same that stands for it; where
        it is a float itself, the last digits may differ.
    stated
        What somebody says that it is.

    Examples
    --------
    >>> is_same_number("1/2", 0.5), is_same_number("1/2", "1/3"), is_same_number(None, 0)
    (True, False, False)
    >>> is_same_number(10**12, 10.0**12 + 0.5), is_same_number(10.0**12 + 0.5, 10**12)
    (False, True)
    """
    a, b = parse_number(due), parse_number(stated)
    if a is None or b is None:
        return due is None and stated is None
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a == b
    try:
        if isinstance(a, Fraction):
            return isclose(float(a), float(b), rel_tol=ROUNDING)
        return isclose(a, float(b), rel_tol=FLOAT_TOLERANCE, abs_tol=FLOAT_TOLERANCE)
    except OverflowError:
        return False


def is_same_data(due: Any, stated: Any) -> bool:
    """Return whether plain data are the same, numbers as `is_same_number` says.

    Examples
    --------
    >>> is_same_data({"a": ["1/2", None]}, {"a": [0.5, None]}), is_same_data([1], {"0": 1})
    (True, False)
    """
    if isinstance(due, dict) and isinstance(stated, dict):
        return set(due) == set(stated) and all(is_same_data(due[key], stated[key]) for key in due)
    if isinstance(due, list) and isinstance(stated, list):
        return len(due) == len(stated) and all(map(is_same_data, due, stated))
    return bool(type(due) is type(stated) and due == stated) or is_same_number(due, stated)


def parse_point(data: Any) -> tuple[Fraction, ...] | None:
    """Return finite numbers of plain data, exact; None where there are none."""
    if not isinstance(data, list):
        return None
    numbers = []
    for each in data:
        number = parse_number(each)
        try:
            # A float stands for the shortest decimal that means it, as in a collaboration file.
            numbers.append(Fraction(repr(number)) if isinstance(number, float) else number)
        except ValueError:
            return None
    return None if None in numbers else tuple(x for x in numbers if x is not None)
