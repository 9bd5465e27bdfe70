"""Powers of fractions with fractional exponents: exact where they are fractions, else rounded."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

ROOT_DIGITS = 40
"""Significant digits to which a power that no fraction equals is rounded, towards zero."""

SMALL_PRIMES = tuple(p for p in range(2, 212) if all(p % q for q in range(2, p)))
"""Primes whose powers are taken out of a number before its root is rounded."""

LARGEST_ROOT = 12
"""Largest denominator of an exponent."""

LARGEST_POWER = 100
"""Largest exponent: beyond, numbers have too many digits to compute with."""


def raise_to(base: Fraction, exponent: Fraction) -> Fraction:
    """Return base^exponent for a base from 0 and an exponent above 0.

    The same base and exponent give the same number, so that equal powers stay equal.

    Raises
    ------
    ValueError
        If the exponent is not positive, it exceeds `LARGEST_POWER`, or its denominator exceeds
        `LARGEST_ROOT`.

    Examples
    --------
    >>> raise_to(Fraction(4, 9), Fraction(3, 2))
    Fraction(8, 27)
    >>> float(raise_to(Fraction(2), Fraction(1, 2)))
    1.4142135623730951
    """
    if not 0 < exponent <= LARGEST_POWER or exponent.denominator > LARGEST_ROOT:
        raise ValueError(
            f"the exponent is {exponent}; it is above 0 and at most {LARGEST_POWER}, and its "
            f"denominator at most {LARGEST_ROOT}"
        )
    power = base**exponent.numerator
    return find_root(power, exponent.denominator) if exponent.denominator > 1 else power


def find_root(x: Fraction, degree: int) -> Fraction:
    """Return the root of a number from 0: exact where it is a fraction, else rounded down.

    Numbers that differ by the power of a fraction of small primes have roots that differ by that
    fraction, exactly: what is equal in theory stays equal.

    Examples
    --------
    >>> find_root(Fraction(27, 8), 3)
    Fraction(3, 2)
    >>> find_root(Fraction(2), 2) == 3 * find_root(Fraction(2, 9), 2)
    True
    """
    if not x:
        return Fraction(0)
    core = x.numerator * x.denominator ** (degree - 1)
    outside = 1
    for prime in SMALL_PRIMES:
        power = prime**degree
        while core % power == 0:
            core //= power
            outside *= prime
    return Fraction(outside, x.denominator) * _round_root(core, degree)


def _round_root(x: int, degree: int) -> Fraction:
    """Return the root of a whole number above 0, exact or rounded down."""
    whole = _floor_root(x, degree)
    if whole**degree == x:
        return Fraction(whole)
    # Python writes no number of thousands of digits.
    shift = 0 if whole.bit_length() > 4 * ROOT_DIGITS else max(0, ROOT_DIGITS + 1 - len(str(whole)))
    return Fraction(_floor_root(x * 10 ** (shift * degree), degree), 10**shift)


def _floor_root(x: int, degree: int) -> int:
    """Return the largest whole number whose power does not exceed x, by Newton's method."""
    if x < 2 or degree == 1:
        return x
    if degree == 2:
        return isqrt(x)
    guess = 1 << -(-x.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + x // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better
