"""Numbers that stay exact: integers and fractions beside floats, one by one and in arrays."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import gcd, inf, isfinite, isinf, lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.formatting.numbers import Number as Number

Array = NDArray[Any]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
MaskArray = NDArray[np.uint64]
"""Sets of up to 64 parties or elements, one bit for each."""

LARGEST_ENTRY = 2**61
"""Entries of int64 arrays are no larger, so that differences of two fit into 64 bits."""


def to_number(x: Any) -> Number:
    """Return a number of a stranger's game, such as a NumPy scalar, as one of Python's.

    Raises
    ------
    ValueError
        If it is infinite, not a number, or no number at all.
    """
    value = x.item() if isinstance(x, np.generic | np.ndarray) else x
    if isinstance(value, int | Fraction):
        return value
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError(f"a payoff is {value}; payoffs must be finite numbers")
        return value
    try:
        return Fraction(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"a payoff is {value!r}; payoffs must be finite numbers") from None


def from_units(x: Any, unit: Fraction) -> Number:
    """Return an entry of a payoff array as a number: its value times `unit`."""
    if isinstance(x, float | np.floating):
        return float(x) if unit == 1 else float(x) * float(unit)
    value = Fraction(x if isinstance(x, Fraction) else int(x)) * unit
    return value.numerator if value.denominator == 1 else value


def as_integer(x: Any, name: str, least: int | None = None) -> int:
    """Return an argument that must be a whole number as an `int`; `name` is what messages call it.

    Raises
    ------
    TypeError
        If it is not an integer: True, 2.0 and "2" are not.
    ValueError
        If it is less than `least`.
    """
    if isinstance(x, bool | np.bool_) or not isinstance(x, int | np.integer):
        raise TypeError(f"{name} is {x!r}; it must be a whole number")
    if least is not None and x < least:
        raise ValueError(f"{name} is {x}; it must be at least {least}")
    return int(x)


def to_nearest_float(x: Number) -> float:
    """Return a number as the nearest float; infinite where it is beyond all floats."""
    try:
        return float(x)
    except OverflowError:
        return -inf if x < 0 else inf


def to_floats(numbers: Iterable[Number]) -> Array:
    """Return numbers, of which one is a float, as a one-dimensional array of float64.

    Raises
    ------
    ValueError
        If an integer or a fraction is beyond all floats.
    """
    try:
        return np.array([float(x) for x in numbers], dtype=np.float64)
    except OverflowError:
        raise ValueError(
            "a payoff beyond 1e308 stands beside a float; give all as integers or fractions"
        ) from None


def as_floats(entries: Array) -> Array:
    """Return an array as float64.

    Raises
    ------
    ValueError
        If an integer or a fraction is beyond all floats.
    """
    if entries.dtype == object:
        return to_floats(entries.ravel().tolist()).reshape(entries.shape)
    return entries.astype(np.float64)


def to_array(entries: Any, name: str) -> Array:
    """Return numbers in nested sequences as an array; `name` is what messages call them.

    Raises
    ------
    ValueError
        If the rows differ in length, or what they hold is text, complex or a date.
    """
    try:
        # A file that is mapped into memory stays one: it may be larger than the memory.
        array = entries if isinstance(entries, np.memmap) else np.asarray(entries)
    except ValueError:
        raise ValueError(f"{name} are ragged; each row must have as many entries") from None
    if array.dtype.kind not in "biufO":
        raise ValueError(f"{name} are {array.dtype}; they must be integers, fractions or floats")
    return array


def make_exact_if_possible(entries: Array) -> tuple[Array, Fraction]:
    """Return the array as int64 with its unit where that loses nothing, else float64 or objects.

    Raises
    ------
    ValueError
        If an entry is not a finite number.
    """
    if entries.dtype == object:
        return _scale(entries)
    if isinstance(entries, np.memmap) and _can_stay_mapped(entries):
        return _freeze(np.asarray(entries)[...]), Fraction(1)
    if entries.dtype == bool or np.issubdtype(entries.dtype, np.integer):
        if entries.size and (
            int(entries.max()) > LARGEST_ENTRY or int(entries.min()) < -LARGEST_ENTRY
        ):
            return _freeze(entries.astype(object, order="C")), Fraction(1)
        return _freeze(entries.astype(np.int64, order="C")), Fraction(1)
    inexact = entries.astype(np.float64, order="C")
    if not np.isfinite(inexact).all():
        raise ValueError("payoffs must be finite numbers; one is infinite or not a number")
    # Integers below 2^53 are exact in float64, and so are their differences.
    small = inexact.size and float(np.abs(inexact).max()) < 2**53
    if small and (inexact == np.floor(inexact)).all():
        return _freeze(inexact.astype(np.int64)), Fraction(1)
    return _freeze(inexact), Fraction(1)


MAPPED_BLOCK = 1 << 20
"""Entries of a mapped file checked at once."""


def _can_stay_mapped(entries: Array) -> bool:
    """Return whether a mapped file can be scanned as it is, without a copy in memory.

    Raises
    ------
    ValueError
        If an entry is not a finite number.
    """
    if entries.dtype not in (np.int64, np.float64) or not entries.flags.c_contiguous:
        return False
    flat = entries.reshape(-1)
    for start in range(0, len(flat), MAPPED_BLOCK):
        block = flat[start : start + MAPPED_BLOCK]
        if entries.dtype == np.float64:
            if not np.isfinite(block).all():
                raise ValueError("payoffs must be finite numbers; one is infinite or not a number")
        elif int(block.max()) > LARGEST_ENTRY or int(block.min()) < -LARGEST_ENTRY:
            return False
    return True


def _scale(entries: Array) -> tuple[Array, Fraction]:
    """Return an array of Python numbers as int64 over a common denominator if it fits."""
    flat = [to_number(x) for x in entries.ravel().tolist()]
    if any(isinstance(x, float) for x in flat):
        return make_exact_if_possible(to_floats(flat).reshape(entries.shape))
    exact = [Fraction(x) for x in flat]
    denominator = lcm(*(x.denominator for x in exact))
    numerators = [x.numerator * (denominator // x.denominator) for x in exact]
    if all(abs(x) <= LARGEST_ENTRY for x in numerators):
        table = np.array(numerators, dtype=np.int64).reshape(entries.shape)
        return _freeze(table), Fraction(1, denominator)
    return _freeze(as_objects(exact).reshape(entries.shape)), Fraction(1)


def _freeze(entries: Array) -> Array:
    entries = entries.view()
    entries.flags.writeable = False
    return entries


def normalize_array(entries: Any) -> Array:
    """Return an array as int64 where that is exact, as objects (integers, fractions), or as floats.

    Narrow integers would wrap around in differences, and narrow floats would pass for exact.

    Raises
    ------
    ValueError
        If an entry is not a finite number.
    """
    array: Array = np.asarray(entries)
    if array.dtype == object:
        flat = array.ravel().tolist()
        if set(map(type, flat)) <= {int, Fraction}:
            return array
        flat = [to_number(x) for x in flat]
        if any(isinstance(x, float) for x in flat):
            return to_floats(flat).reshape(array.shape)
        return as_objects(flat).reshape(array.shape)
    if array.dtype == bool or np.issubdtype(array.dtype, np.integer):
        fits = (
            not array.size
            or -LARGEST_ENTRY <= int(array.min()) <= int(array.max()) <= LARGEST_ENTRY
        )
        return array.astype(np.int64, copy=False) if fits else array.astype(object)
    if array.dtype.kind != "f":
        raise ValueError(f"payoffs are {array.dtype}; they must be integers, fractions or floats")
    inexact: Array = array.astype(np.float64, copy=False)
    if not np.isfinite(inexact).all():
        raise ValueError("a payoff is infinite or not a number; payoffs must be finite numbers")
    return inexact


def as_objects(numbers: list[Any]) -> Array:
    """Return a one-dimensional array of these very objects."""
    array = np.empty(len(numbers), dtype=object)
    array[:] = numbers
    return array


def absolute(x: Number) -> Number:
    """Return the absolute value; unlike `abs`, typed for every kind of number."""
    return -x if x < 0 else x


def max_abs(entries: Array) -> Number:
    """Return the largest absolute value in a tidied array; 0 if it is empty."""
    if not entries.size:
        return 0
    return to_number(max(entries.max(), -entries.min()))


def sum_exactly(numbers: Iterable[Number]) -> Number:
    """Sum numbers exactly; as a float where one is a float and the sum is not beyond floats."""
    listed = list(numbers)
    exact = sum((Fraction(x) for x in listed), Fraction(0))
    inexact = to_nearest_float(exact) if any(isinstance(x, float) for x in listed) else inf
    return exact if isinf(inexact) else inexact


def sum_along(entries: Array, axis: int) -> Array:
    """Sum along an axis without overflow."""
    if entries.dtype == np.int64 and int(max_abs(entries)) * entries.shape[axis] > LARGEST_ENTRY:
        entries = entries.astype(object)
    sums: Array = np.asarray(entries.sum(axis=axis))
    return sums


def to_units(value: Number, unit: Fraction) -> Number:
    """Return how many units a value is worth, exact where the value is."""
    if isinstance(value, float) and (shown := to_nearest_float(unit)) not in (0, inf):
        return value / shown
    units = Fraction(value) / unit
    return units.numerator if units.denominator == 1 else units


def rescale(entries: Array, unit: Fraction, onto: Fraction) -> Array:
    """Return entries in units of `unit` as entries in units of `onto`."""
    if unit == onto:
        return entries
    factor = unit / onto
    if entries.dtype == np.float64:
        return entries * float(factor)
    if (
        entries.dtype == np.int64
        and factor.denominator == 1
        and int(max_abs(entries)) * factor.numerator <= LARGEST_ENTRY
    ):
        return entries * np.int64(factor.numerator)
    exact: Array = entries.astype(object) * factor
    return exact


def find_common_unit(a: Fraction, b: Fraction) -> Fraction:
    """Return the largest unit of which both are whole multiples."""
    return Fraction(
        gcd(a.numerator * b.denominator, b.numerator * a.denominator),
        a.denominator * b.denominator,
    )
