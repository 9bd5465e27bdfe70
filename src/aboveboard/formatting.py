"""Numbers, counts, lists and tables as text: the one place that decides how a number reads.

`encode_number` and `encode` make data that prints exactly, for JSON; the `format_` functions make
text for people, the same in terminal and report.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from html import escape
from math import floor, isfinite, log10
from typing import Any

Number = int | float | Fraction
"""A number that may be exact."""

MOST_BITS = 10_000
"""Bits of a number that is still printed: some 3,000 digits; Python prints at most 4,300."""

MOST_COUNT_BITS = 1000
"""Bits of a count that is still written in digits; it fits a float."""

TWO_DECIMALS_FROM = 100
"""From here on a fraction is shown with two decimals, as an amount of money would be."""

HUGE = 10**30
"""From here on nobody reads the digits of a number; JSON has them."""

LEGIBLE = 5
"""Characters up to which a fraction is shown as one; JSON has all of them exactly."""

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def encode_number(x: Number | None) -> Any:
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


def encode(x: Any) -> Any:
    """Return an action, a number or a structure of them as plain data that JSON can hold.

    Examples
    --------
    >>> encode({"prices": (Fraction(1, 2), 3)})
    {'prices': ['1/2', 3]}
    """
    if isinstance(x, Mapping):
        return {str(key): encode(value) for key, value in x.items()}
    numpy = sys.modules.get("numpy")  # whoever has not loaded it has none of its values
    if numpy is not None and isinstance(x, numpy.ndarray | numpy.generic):
        x = x.tolist()
    if isinstance(x, list | tuple | set | frozenset):
        return [encode(value) for value in x]
    if isinstance(x, int | Fraction):
        return encode_number(x)
    return x if x is None or isinstance(x, str | bool | int | float) else str(x)


def describe_action(action: Any) -> str:
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
    return str(encode(action)) if isinstance(action, int | Fraction) else str(action)


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


def format_count(n: int) -> str:
    """Return a count in digits, or as a power of ten where nobody would read the digits.

    Examples
    --------
    >>> format_count(12_345), format_count(2**64)
    ('12,345', '1.8e19')
    """
    n = int(n)  # numpy's numbers have no bit_length
    if n < 10**9:
        return f"{n:,}"
    if n.bit_length() < MOST_COUNT_BITS:
        written = str(n)
        return f"{written[0]}.{written[1]}e{len(written) - 1}"
    shift = n.bit_length() - MOST_COUNT_BITS
    exponent = log10(n >> shift) + shift * log10(2)
    return f"{int(10 ** (exponent % 1 + 1) + 1e-6) / 10:.1f}e{int(exponent)}"


def format_count_typeset(n: int) -> str:
    """Return a count for a report page: one that nobody would read in digits as 1.0 × 10¹⁸."""
    shown = format_count(n)
    if "e" not in shown:
        return shown
    mantissa, exponent = shown.split("e")
    # The no-break spaces keep the number on one line.
    return f"{mantissa}\u00a0×\u00a010{exponent.translate(_RAISED)}"


def format_digits(n: int) -> str:
    """Return a count in digits; one of more than 300 digits as a power of ten."""
    return str(n) if n.bit_length() < MOST_COUNT_BITS else format_count(n)


def format_quantity(n: int, one: str, many: str = "") -> str:
    """Return how many there are; the plural has an s if it is not given.

    Examples
    --------
    >>> format_quantity(1, "party", "parties"), format_quantity(1200, "check")
    ('1 party', '1,200 checks')
    """
    return f"1 {one}" if n == 1 else f"{format_count(n)} {many or one + 's'}"


def join_names(names: Iterable[object], most: int | None = None) -> str:
    """Return names as people list them: "a", "a and b", "a, b and c".

    Parameters
    ----------
    names
        What is listed.
    most
        How many are named; of the rest only the number is.

    Examples
    --------
    >>> join_names(["anna", "bert", "cleo"]), join_names("abcde", most=2)
    ('anna, bert and cleo', 'a, b and 3 more')
    """
    listed = [str(name) for name in names]
    if most is not None and len(listed) > most + 1:
        listed = [*listed[:most], f"{len(listed) - most:,} more"]
    if len(listed) < 2:
        return "".join(listed)
    return f"{', '.join(listed[:-1])} and {listed[-1]}"


def format_moment(seconds: float) -> str:
    """Return a time since 1970 as people read it, in UTC.

    Examples
    --------
    >>> format_moment(1_800_000_000)
    '2027-01-15 08:00 UTC'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def format_span(seconds: float) -> str:
    """Return how long something takes, in its largest unit.

    Examples
    --------
    >>> format_span(30), format_span(3600 * 26), format_span(86400 * 9)
    ('30 seconds', '26 hours', '9 days')
    """
    for size, one in ((2 * 86400, "day"), (2 * 3600, "hour"), (120, "minute")):
        if seconds >= size:
            return format_quantity(int(seconds // {"day": 86400, "hour": 3600}.get(one, 60)), one)
    return format_quantity(int(seconds), "second")


def format_bytes(n: int) -> str:
    """Return a size in the largest unit that has a whole number of it.

    Examples
    --------
    >>> format_bytes(512), format_bytes(3 * 2**20), format_bytes(5 * 10**9)
    ('512 bytes', '3.0 MiB', '4.7 GiB')
    """
    for exponent, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if n >= 2**exponent:
            return f"{n / 2**exponent:.1f} {unit}"
    return format_quantity(n, "byte")


def format_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()
) -> str:
    """Return rows set in columns; those at the positions in `right` are aligned right.

    Examples
    --------
    >>> print(format_table(["party", "gains"], [["anna", "5"], ["bert", "1,200"]], right=[1]))
    party  gains
    anna       5
    bert   1,200
    """
    table = [list(head), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        cells = [
            cell.rjust(width) if k in right else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def format_html_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table of text as HTML; everything in it is escaped."""

    def make_row(cells: Sequence[object], kind: str) -> str:
        return "<tr>" + "".join(f"<{kind}>{escape(str(x))}</{kind}>" for x in cells) + "</tr>"

    body = "".join(make_row(cells, "td") for cells in rows)
    return f"<table><thead>{make_row(head, 'th')}</thead><tbody>{body}</tbody></table>"
