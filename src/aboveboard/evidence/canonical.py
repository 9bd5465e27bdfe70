"""Canonical JSON: the one way in which data are written before they are hashed or signed.

RFC 8785 fixes the bytes of a JSON value. Integers of 2^53 and more, fractions and money are text,
since RFC 8785 writes every number as a double. What arrives from others is parsed strictly: one
value, no duplicate key, no NaN, limited size and depth, and its bytes must be the canonical ones.
"""

from __future__ import annotations

import base64
import json
import math
import re
from datetime import date, time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import rfc8785

from aboveboard.errors import InputError
from aboveboard.formatting import encode_number, format_count

LARGEST_INTEGER = 2**53
"""Integers from this one on are written as text, since RFC 8785 would round them."""

MOST_BYTES = 64 * 2**20
"""A statement or a bundle's part is smaller; 50,000 elements with their proof take 10 MB."""

MOST_DEPTH = 64
"""Levels of nesting. Ours use eight; Python's own parser fails near a thousand."""


def encode_canonical(data: Any) -> bytes:
    """Return the RFC 8785 bytes of plain data.

    Raises
    ------
    ValueError
        If it holds an integer of 2^53 or more, a number that is not finite, or text that is no
        Unicode.

    Examples
    --------
    >>> encode_canonical({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    try:
        return rfc8785.dumps(data)
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise ValueError(f"this cannot be written as canonical JSON: {error}") from error


def as_plain(value: Any) -> Any:
    """Return data as JSON holds them: large integers, fractions, dates and paths as text.

    Raises
    ------
    ValueError
        If a value has no form in JSON.

    Examples
    --------
    >>> as_plain({"a": (2**60, Fraction(5, 12)), 3: Path("x")})
    {'a': ['1152921504606846976', '5/12'], '3': 'x'}
    """
    if hasattr(value, "item"):  # a number of NumPy
        value = value.item()
    if isinstance(value, dict):
        return {str(key): as_plain(x) for key, x in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(as_plain(x) for x in value)
    if isinstance(value, list | tuple):
        return [as_plain(x) for x in value]
    if isinstance(value, Fraction):
        value = encode_number(value)
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if abs(value) < LARGEST_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, Decimal):
        return str(value)
    raise ValueError(f"{type(value).__name__} cannot be written as JSON")


def decode_canonical(content: bytes, place: str, *, most: int = MOST_BYTES) -> Any:
    """Return the data of canonical JSON that somebody else wrote.

    Parameters
    ----------
    content
        The bytes.
    place
        Where they come from, for errors.
    most
        Bytes that are accepted.

    Raises
    ------
    InputError
        If they are too long, too deep, no JSON, or not in canonical form.
    """
    data = decode_json(content, place, most=most)
    try:
        canonical = encode_canonical(data)
    except ValueError as error:
        raise InputError(place, str(error), "write larger numbers as text") from error
    if canonical != content:
        raise InputError(
            place,
            "it is not in canonical form (RFC 8785)",
            "send the file as aboveboard wrote it",
        )
    return data


def decode_json(content: bytes, place: str, *, most: int = MOST_BYTES) -> Any:
    """Return the data of strict JSON: no key twice, no NaN, no half character, limited size.

    Raises
    ------
    InputError
        If it is too long, too deep or no such JSON.
    """
    if len(content) > most:
        raise InputError(
            place,
            f"it has {format_count(len(content))} bytes",
            f"send at most {format_count(most)} bytes",
        )
    if _depth(content) > MOST_DEPTH:
        raise InputError(
            place, f"it is nested deeper than {MOST_DEPTH} levels", "send what aboveboard wrote"
        )
    try:
        data = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_parse_finite,
        )
        if _HALF.search(content):  # else no text of it can be half a character
            json.dumps(data, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise InputError(
            place, f"it is not valid JSON ({error})", "send the file as aboveboard wrote it"
        ) from error
    return data


_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""How half a character (a surrogate) is written in JSON."""

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,999}")


def decode_whole(text: Any) -> int:
    """Return the whole number in text, in the one way in which it is written here.

    Raises
    ------
    ValueError
        If it is anything else, such as "+3", "03", "3 " or a number itself.

    Examples
    --------
    >>> decode_whole("-12")
    -12
    """
    if not isinstance(text, str) or not _WHOLE.fullmatch(text):
        raise ValueError("this is not a whole number in text")
    return int(text)


def decode_hex(text: Any) -> bytes:
    r"""Return the bytes of hexadecimal text in the one way in which it is written here.

    Python also reads blanks between digits and capital letters: two texts for the same bytes.

    Raises
    ------
    ValueError
        If it is anything else.

    Examples
    --------
    >>> decode_hex("00ff")
    b'\x00\xff'
    >>> try:
    ...     decode_hex("00 FF")
    ... except ValueError as error:
    ...     print(error)
    this is not hexadecimal text in small letters
    """
    try:
        content = bytes.fromhex(text)
    except (TypeError, ValueError):
        content = b""
    if content.hex() != text:
        raise ValueError("this is not hexadecimal text in small letters")
    return content


def decode_base64(text: Any) -> bytes:
    """Return the bytes of base64 text in the one way in which it is written here.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    content = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    if base64.b64encode(content).decode() != text:
        raise ValueError("this is not base64 text as it is written here")
    return content


_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""A text of JSON, or the rest of the content where it does not end: nothing is looked at twice."""
_BRACKET = re.compile(rb"[\[\]{}]")


def _depth(content: bytes) -> int:
    """Return the deepest nesting of brackets outside of text, at least where it is too deep."""
    if content.count(b"[") + content.count(b"{") <= MOST_DEPTH:
        return 0
    depth = deepest = 0
    for bracket in _BRACKET.finditer(_TEXT.sub(b"", content)):
        depth += 1 if bracket[0] in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        raise ValueError("a key stands twice")
    return data


def _parse_finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is larger than any number of JSON here")
    return number


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")
