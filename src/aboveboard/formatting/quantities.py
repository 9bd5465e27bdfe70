"""Counts, lists of names, times and sizes as text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from math import log10

MOST_COUNT_BITS = 1000
"""Bits of a count that is still written in digits; it fits a float."""

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_count(n: int) -> str:
    """Return a count in digits, or as a power of ten where nobody would read the digits.

    Examples
    --------
    >>> format_count(12_345), format_count(2**64), format_count(1_999_999_999)
    ('12,345', '1.8e19', '2.0e9')
    """
    n = int(n)  # numpy's numbers have no bit_length
    if n < 10**9:
        return f"{n:,}"
    if n.bit_length() < MOST_COUNT_BITS:
        exponent = len(str(n)) - 1
        tenths = (n + 5 * 10 ** (exponent - 2)) // 10 ** (exponent - 1)
    else:
        shift = n.bit_length() - MOST_COUNT_BITS
        magnitude = log10(n >> shift) + shift * log10(2)
        exponent = int(magnitude)
        tenths = round(10 ** (magnitude - exponent + 1))
    if tenths == 100:
        tenths, exponent = 10, exponent + 1
    return f"{tenths // 10}.{tenths % 10}e{exponent}"


def format_count_typeset(n: int) -> str:
    """Return a count for a report page: one that nobody would read in digits as 1.0 × 10¹⁸.

    Examples
    --------
    >>> format_count_typeset(12_345), format_count_typeset(10**18).replace(chr(160), " ")
    ('12,345', '1.0 × 10¹⁸')
    """
    shown = format_count(n)
    if "e" not in shown:
        return shown
    mantissa, exponent = shown.split("e")
    # The no-break spaces keep the number on one line.
    return f"{mantissa}\u00a0×\u00a010{exponent.translate(_RAISED)}"


def format_digits(n: int) -> str:
    """Return a count in digits; one of more than 300 digits as a power of ten.

    Examples
    --------
    >>> format_digits(12_345), format_digits(10**400)
    ('12345', '1.0e400')
    """
    return str(n) if n.bit_length() < MOST_COUNT_BITS else format_count(n)


def format_quantity(n: int, one: str, many: str = "") -> str:
    """Return a count with what is counted, in the singular or the plural.

    Parameters
    ----------
    n
        The count.
    one, many
        What is counted, such as "party" and "parties"; many empty: the singular with an s.

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
    return _format_minute(seconds // 60)


@lru_cache(maxsize=1024)
def _format_minute(minutes: float) -> str:
    """Return a minute as text; kept, since a page tells a hundred times, and many are alike."""
    return f"{datetime.fromtimestamp(minutes * 60, UTC).isoformat(' ')[:16]} UTC"


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
    """Return a size in the largest unit of which there is at least one, to a tenth.

    Examples
    --------
    >>> format_bytes(512), format_bytes(3 * 2**20), format_bytes(5 * 10**9)
    ('512 bytes', '3.0 MiB', '4.7 GiB')
    """
    for exponent, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        size = n / 2**exponent
        # Else the next unit would be rounded up to 1024.0.
        if size >= 1 or (exponent > 10 and round(1024 * size, 1) >= 1024):
            return f"{size:.1f} {unit}"
    return format_quantity(n, "byte")
