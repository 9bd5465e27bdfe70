"""Numbers, counts, lists and tables as text: the one place that decides how a number reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from html import escape
from math import floor, log10
from typing import Any

import numpy as np

Number = int | float | Fraction
"""A number that may be exact."""

PRINTED = 10_000  # bits of a number that is still printed: some 3,000 digits; Python ends at 4,300


LONGEST = 1000  # bits of a count that is still written in digits; it fits a float


def describe_action(action: Any) -> str:
    """Write a described action for people: keys and values, entries of lists by commas."""
    if isinstance(action, Mapping):
        return ", ".join(f"{k} {describe_action(v)}" for k, v in action.items())
    if isinstance(action, list | tuple):
        return ", ".join(map(describe_action, action))
    return str(encode(action)) if isinstance(action, int | Fraction) else str(action)


def encode_number(x: Number | None) -> Any:
    """Give a number as data that prints exactly: integer, "5/12", or the float.

    Where that would take more than some thousand digits, which nobody reads and Python does not
    print, it is text such as "about -1.2e5000".
    """
    if isinstance(x, Fraction):
        if x.denominator == 1:
            return encode_number(x.numerator)
        if max(abs(x.numerator), x.denominator).bit_length() > PRINTED:
            return f"about {format_rough(x)}"
        return f"{x.numerator}/{x.denominator}"
    if isinstance(x, int) and x.bit_length() > PRINTED:
        return f"about {format_rough(x)}"
    return x


def format_rough(x: Number) -> str:
    """Write a number of any size, not zero, to two digits, such as "-1.2e5000"."""
    exact = Fraction(x)
    magnitude = log10(abs(exact.numerator)) - log10(exact.denominator)
    exponent = floor(magnitude)
    leading = round(10 ** (magnitude - exponent), 1)
    if leading >= 10:
        leading, exponent = 1.0, exponent + 1
    return f"{'-' if x < 0 else ''}{leading}e{exponent}"


def encode(x: Any) -> Any:
    """Give what an action or a number is as plain data that JSON can hold."""
    if isinstance(x, Mapping):
        return {str(key): encode(value) for key, value in x.items()}
    if isinstance(x, np.ndarray | np.generic):
        x = x.tolist()
    if isinstance(x, list | tuple | set | frozenset):
        return [encode(value) for value in x]
    if isinstance(x, int | Fraction):
        return encode_number(x)
    return x if x is None or isinstance(x, str | bool | int | float) else str(x)


def format_count(n: int) -> str:
    """Write a count in digits, or as a power of ten where nobody would read the digits."""
    if n < 10**9:
        return f"{n:,}"
    if n.bit_length() < LONGEST:
        written = str(n)
        return f"{written[0]}.{written[1]}e{len(written) - 1}"
    shift = n.bit_length() - LONGEST
    exponent = log10(n >> shift) + shift * log10(2)
    return f"{int(10 ** (exponent % 1 + 1) + 1e-6) / 10:.1f}e{int(exponent)}"


def format_digits(n: int) -> str:
    """Write a count in digits; one of more than 300 digits as a power of ten."""
    return str(n) if n.bit_length() < LONGEST else format_count(n)


def format_quantity(n: int, one: str, many: str = "") -> str:
    """Write how many there are: "1 party", "2 parties"; the plural has an s if not given."""
    return f"1 {one}" if n == 1 else f"{n:,} {many or one + 's'}"


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


MONEY = 100
"""From here on a fraction is shown with two decimals, as an amount of money would be."""


HUGE = 10**30
"""From here on nobody reads the digits of a number; JSON has them."""


LEGIBLE = 11
"""Characters up to which a fraction is shown as one; JSON has all of them exactly."""


_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_number(x: Number | None) -> str:
    """Write a number for people: digits grouped, fractions as such where they are short."""
    if x is None:
        return ""
    if x == 0:
        return "0"  # a float may be -0.0
    shown = encode_number(x)
    if not -HUGE < x < HUGE:
        return format_rough(x)
    if isinstance(shown, int):
        return f"{shown:,}"
    if isinstance(shown, float) or abs(float(x)) < MONEY:
        short = isinstance(shown, str) and len(shown) <= LEGIBLE
        return str(shown) if short else f"{float(x):.6g}"
    return f"{float(x):,.2f}"


def format_count_typeset(n: int) -> str:
    """Write how many, a count that nobody would read in digits as 1.0 × 10¹⁸."""
    shown = format_count(n)
    if "e" not in shown:
        return shown
    mantissa, exponent = shown.split("e")
    # The no-break spaces keep the number on one line.
    return f"{mantissa}\u00a0×\u00a010{exponent.translate(_RAISED)}"


def html_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Give a table of text; everything in it is escaped."""

    def row(cells: Sequence[object], kind: str) -> str:
        return "<tr>" + "".join(f"<{kind}>{escape(str(x))}</{kind}>" for x in cells) + "</tr>"

    body = "".join(row(cells, "td") for cells in rows)
    return f"<table><thead>{row(head, 'th')}</thead><tbody>{body}</tbody></table>"
