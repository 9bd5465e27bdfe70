"""Numbers as text for people, and as data that prints exactly."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from fractions import Fraction
from math import floor, isfinite, log10

from aboveboard.formatting.plain_json import Json

Number = int | float | Fraction
"""A number that may be exact."""

MOST_BITS = 10_000
"""Bits of a number that is still printed: some 3,000 digits; Python prints at most 4,300."""

TWO_DECIMALS_FROM = 100
"""From here on a fraction is shown with two decimals, as an amount of money would be."""

HUGE = 10**30
"""From here on nobody reads the digits of a number; JSON has them."""

LEGIBLE = 5
"""Characters up to which a fraction is shown as one; JSON has all of them exactly."""


def encode_number(x: Number | None) -> int | float | str | None:
    """Return a number as data that prints exactly: an integer, "5/12", or the float.

    Where that would take more than some thousand digits, which nobody reads and Python does not
    print, it is text such as "about -1.2e5000".

    Examples
    --------
    >>> encode_number(Fraction(5, 12)), encode_number(Fraction(4, 2)), encode_number(0.25)
    ('5/12', 2, 0.25)
    """
    if isinstance(x, Fraction):
        if x.denominator == 1:
            return encode_number(x.numerator)
        if max(abs(x.numerator), x.denominator).bit_length() > MOST_BITS:
            return f"about {format_rough(x)}"
        return f"{x.numerator}/{x.denominator}"
    if isinstance(x, int) and x.bit_length() > MOST_BITS:
        return f"about {format_rough(x)}"
    return x


def make_plain(x: object) -> Json:
    """Return an action, a number or a structure of them as plain data that JSON can hold.

    Examples
    --------
    >>> make_plain({"prices": (Fraction(1, 2), 3)})
    {'prices': ['1/2', 3]}
    """
    if isinstance(x, Mapping):
        return {str(key): make_plain(value) for key, value in x.items()}
    numpy = sys.modules.get("numpy")  # whoever has not loaded it has none of its values
    if numpy is not None and isinstance(x, numpy.ndarray | numpy.generic):
        x = x.tolist()
    if isinstance(x, list | tuple | set | frozenset):
        return [make_plain(value) for value in x]
    if isinstance(x, int | Fraction):
        return encode_number(x)
    return x if x is None or isinstance(x, str | bool | int | float) else str(x)


def describe_action(action: object) -> str:
    """Return a described action for people: keys and values, entries of lists by commas.

    Examples
    --------
    >>> describe_action({"hides": ["x", "y"]})
    'hides x, y'
    """
    if isinstance(action, Mapping):
        return ", ".join(f"{k} {describe_action(v)}" for k, v in action.items())
    if isinstance(action, list | tuple):
        return ", ".join(map(describe_action, action))
    return str(make_plain(action)) if isinstance(action, int | Fraction) else str(action)


def format_number(x: Number | None) -> str:
    """Return a number for people: digits grouped, fractions as such where they are short.

    Examples
    --------
    >>> format_number(1234567), format_number(Fraction(5, 12)), format_number(Fraction(100000, 7))
    ('1,234,567', '5/12', '14,285.71')
    >>> format_number(0.1 + 0.2), format_number(Fraction(123456, 1234567))
    ('0.3', '0.0999994')
    """
    if x is None:
        return ""
    if x == 0:
        return "0"  # a float may be -0.0
    shown = encode_number(x)
    if not -HUGE < x < HUGE:
        return format_rough(x)
    if isinstance(shown, int):
        return f"{shown:,}"
    if isinstance(shown, float) or abs(float(x)) < TWO_DECIMALS_FROM:
        short = isinstance(shown, str) and len(shown) <= LEGIBLE
        return str(shown) if short else f"{float(x):.6g}"
    return f"{float(x):,.2f}"


def format_decimal(x: Number) -> str:
    """Return a number with all its decimals where they are few, else as `format_number` does.

    Examples
    --------
    >>> format_decimal(Fraction(1109, 8)), format_decimal(1500), format_decimal(Fraction(1, 3))
    ('138.625', '1,500', '1/3')
    """
    if isinstance(x, Fraction) and x.denominator != 1:
        for digits in range(1, 10):
            scaled = abs(x) * 10**digits
            if scaled.denominator == 1:
                whole, rest = divmod(scaled.numerator, 10**digits)
                return f"{'-' if x < 0 else ''}{whole:,}.{rest:0{digits}d}"
    return format_number(x)


def format_rounded(x: Number, digits: int = 6) -> str:
    """Return a number to so many significant digits, never as a fraction.

    Examples
    --------
    >>> format_rounded(Fraction(2, 3)), format_rounded(Fraction(2, 3), digits=3)
    ('0.666667', '0.667')
    """
    if -HUGE < x < HUGE or (isinstance(x, float) and not isfinite(x)):
        return f"{float(x):.{digits}g}"
    return format_rough(x)


def round_digits(x: Number, digits: int = 6) -> float:
    """Return a number rounded to so many significant digits, for tables.

    Examples
    --------
    >>> round_digits(2 / 3), round_digits(1234.5, digits=2)
    (0.666667, 1200.0)
    """
    return float(f"{float(x):.{digits}g}")


def format_percent(p: Number, decimals: int = 0) -> str:
    """Return a share as a percentage with so many decimals.

    Examples
    --------
    >>> format_percent(0.95), format_percent(Fraction(2, 3), decimals=1)
    ('95%', '66.7%')
    """
    return f"{float(p):.{decimals}%}"


def format_rough(x: Number) -> str:
    """Return a number of any size, not zero, to two digits.

    Examples
    --------
    >>> format_rough(-12 * 10**4999)
    '-1.2e5000'
    """
    exact = Fraction(x)
    magnitude = log10(abs(exact.numerator)) - log10(exact.denominator)
    exponent = floor(magnitude)
    leading = round(10 ** (magnitude - exponent), 1)
    if leading >= 10:
        leading, exponent = 1.0, exponent + 1
    return f"{'-' if x < 0 else ''}{leading}e{exponent}"


def format_money(x: Number) -> str:
    """Return an amount: whole ones as they are, others with two decimals, tiny ones to two digits.

    Examples
    --------
    >>> format_money(1200), format_money(Fraction(51, 5)), format_money(0.00123), format_money(-5.0)
    ('1,200', '10.20', '0.0012', '-5')
    """
    if not -HUGE < x < HUGE:
        return format_rough(x)
    if x == int(x):
        return f"{int(x):,}"
    value = float(x)
    return f"{value:,.2f}" if abs(value) >= 0.01 else f"{value:.2g}"


PRACTICALLY_CERTAIN = Fraction(999, 1000)
"""From here on a probability reads as 1 in words; JSON has its digits."""


def format_transfer(x: Number) -> str:
    """Return who pays: "pays 5.07", "receives 5.07" or "pays nothing".

    Parameters
    ----------
    x
        What is paid; negative where it is received.

    Examples
    --------
    >>> format_transfer(Fraction(-76, 15)), format_transfer(1200), format_transfer(0)
    ('receives 5.07', 'pays 1,200', 'pays nothing')
    """
    if not x:
        return "pays nothing"
    return f"pays {format_money(x)}" if x > 0 else f"receives {format_money(-x)}"


def format_amount(x: Number | None) -> str:
    """Return a number for a page that people read: digits grouped, never a fraction.

    Examples
    --------
    >>> format_amount(Fraction(172502, 15)), format_amount(Fraction(5, 12)), format_amount(1234)
    ('11,500.13', '0.416667', '1,234')
    """
    if isinstance(x, Fraction) and x.denominator != 1 and abs(x) < TWO_DECIMALS_FROM:
        return f"{float(x):.6g}"
    return format_number(x)


def format_roughly(x: Number) -> str:
    """Return a number with two digits, where more of them would tell what others brought.

    Examples
    --------
    >>> format_roughly(Fraction(29, 24)), format_roughly(17254), format_roughly(3)
    ('about 1.2', 'about 17,000', 'about 3')
    """
    try:
        rounded = float(f"{float(x):.1e}")
    except OverflowError:
        return "more than a float can hold"
    return f"about {format_number(int(rounded) if rounded.is_integer() else rounded)}"


def format_probability(p: Number) -> str:
    """Return a probability: a short fraction as it is, else three digits; near 1 in words.

    Examples
    --------
    >>> format_probability(Fraction(5, 12)), format_probability(0.41666), format_probability(1e-9)
    ('5/12', '0.417', '1e-09')
    >>> format_probability(0.99999), format_probability(1)
    ('practically certain', '1')
    """
    if PRACTICALLY_CERTAIN <= p < 1:
        return "practically certain"
    shown = encode_number(p)
    if isinstance(shown, int) or (isinstance(shown, str) and len(shown) <= LEGIBLE):
        return str(shown)
    return f"{float(p):.3g}"


def state_probability(p: Number, *, past: bool = False) -> str:
    """Return a probability as the end of a sentence, such as "has probability 5/12".

    Parameters
    ----------
    p
        From 0 to 1.
    past
        Whether the text speaks of what has happened.

    Examples
    --------
    >>> state_probability(Fraction(5, 12)), state_probability(Fraction(999, 1000), past=True)
    ('has probability 5/12', 'was practically certain')
    """
    verb, has = ("was", "had") if past else ("is", "has")
    if p == 1:
        return f"{verb} certain"
    if p >= PRACTICALLY_CERTAIN:
        return f"{verb} practically certain"
    return f"{has} probability {format_probability(p)}"
