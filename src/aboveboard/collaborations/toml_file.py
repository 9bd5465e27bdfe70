"""From a TOML file to a table, and back to the line on which a key stands.

A file is refused early if it is not a regular file, is too large, is nested too deeply, or holds
numbers that no computation could use.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.formatting import format_count
from aboveboard.storage.limits import refuse_too_large

STANDARD_INPUT = Path("-")
"""Names the standard input; paths in it are relative to the current folder."""

MEMORY_PER_BYTE = 45
"""Bytes of memory that reading takes at the peak, for each byte of one long string."""

MOST_BYTES = 1 << 26
"""Largest collaboration file: the parser reads some MB a second; long lists go into files."""

MOST_VALUES = 1 << 21
"""Values of a collaboration file: the parser takes some microseconds for each."""

MOST_PARTS = 100
"""Parts of a dotted key: the parser's time grows with their square."""

KEY_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]++|\\.)*+"|'[^'\n]*+')"""
DEEP_KEY = re.compile(
    rf"(?:^|[\[{{,])[ \t]*+{KEY_PART}(?:[ \t]*+\.[ \t]*+{KEY_PART}){{{MOST_PARTS}}}", re.MULTILINE
)


def read_content(path: Path) -> bytes:
    """Return the bytes of a collaboration file.

    Raises
    ------
    InputError
        If it cannot be read, is not a regular file, or is too large.
    """
    from aboveboard.storage.formats.content import open_regular_file  # a hub's pages read no lists

    remedy = "'aboveboard init MECHANISM' writes one"
    try:
        if path == STANDARD_INPUT:
            return _refuse_large(sys.stdin.buffer.read(MOST_BYTES + 1), path)
        if path.is_dir():
            raise InputError(str(path), "this is a folder", "name the collaboration file itself")
        with open_regular_file(path, str(path)) as stream:
            content = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise InputError(str(path), "there is no such file", remedy) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(str(path), f"it cannot be read ({reason})", "make it readable") from error
    return _refuse_large(content, path)


def _refuse_large(content: bytes, path: Path) -> bytes:
    """Return the content, or raise `InputError` if it is too large."""
    if len(content) > MOST_BYTES:
        raise InputError(
            str(path),
            f"it is larger than {MOST_BYTES >> 20} MiB",
            "put long lists in files of their own, and name them here",
        )
    if content.count(b",") + content.count(b"\n") > MOST_VALUES:
        raise InputError(
            str(path),
            f"it holds more than {format_count(MOST_VALUES)} values",
            "put long lists in files of their own, and name them here",
        )
    stated = f"a TOML file of {len(content) >> 20} MiB"
    refuse_too_large(str(path), memory=MEMORY_PER_BYTE * len(content), stated=stated)
    return content


def decode_content(content: bytes, path: Path) -> str:
    """Return the text of a collaboration file; `InputError` names a line that is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(f"{path}: line {line}", "this is not UTF-8", "save it as UTF-8") from None


def parse_table(
    text: str, path: Path, parse_float: Callable[[str], Any] = Decimal
) -> dict[str, Any]:
    """Return a collaboration file as a table; numbers with a point are decimals, as written.

    Parameters
    ----------
    text
        The file.
    path
        Where it stands, for messages.
    parse_float
        Makes a number of one with a point or an exponent.

    Raises
    ------
    InputError
        If it is not TOML, is nested too deeply, or holds a number of thousands of digits.
    """
    if deep := DEEP_KEY.search(text) and DEEP_KEY.search(_blank_texts(text)):
        line = text.count("\n", 0, deep.start(0) + 1) + 1
        raise InputError(
            f"{path}: line {line}",
            f"a key has more than {MOST_PARTS} parts",
            "use one table per party",
        )
    if LONG_WORD.search(text) and LONG_WORD.search(_blank_texts(text)):
        raise _long_number_error(text, path)
    try:
        return tomllib.loads(text, parse_float=parse_float)
    except tomllib.TOMLDecodeError as error:
        problem = str(error)
        found = re.search(r"\(at line (\d+), column (\d+)", problem)
        place = f"{path}: line {found[1]}, column {found[2]}" if found else f"{path}: at the end"
        problem = problem.rpartition(" (at ")[0] or problem
        raise InputError(place, f"this is not TOML: {problem}", _name_remedy(path)) from None
    except RecursionError:
        raise InputError(str(path), "it is nested too deeply", "use one table per party") from None
    except (ValueError, InvalidOperation):
        # Python reads no integer of more than some thousand digits, and no such exponent.
        raise _long_number_error(text, path) from None


def _name_remedy(path: Path) -> str:
    """Return what to do with a file that is not TOML, by its name."""
    name = path.name.lower()
    if name.endswith(".cats"):
        mechanism = 'mechanism = "market.vcg"'
        return (
            f"name this instance of CATS in a collaboration file: {mechanism}, bids = {path.name!r}"
        )
    if name.endswith(".toml") or path == STANDARD_INPUT:
        return "see toml.io"
    return "name the collaboration file itself; it names the data files"


LONG_WORD = re.compile(r"[=\[,]\s*+[+-]?0[xob][0-9A-Fa-f_]{300}")
"""An integer in another base: Python reads one of any length but cannot print it."""

LONG_NUMBER = re.compile(r"[0-9A-Fa-f_]{300}|[eE][+-]?\d{10}")

TEXTS_AND_COMMENTS = re.compile(
    r'''"""(?:[^"\\]++|\\(?s:.?)|"(?!""))*+(?:"{3,5}|\Z)'''
    r"""|'''(?:[^']++|'(?!''))*+(?:'{3,5}|\Z)"""
    r"""|"(?:[^"\\\n]++|\\.)*+"?|'[^'\n]*+'?|#[^\n]*+"""
)
"""Texts and comments; an unclosed one reaches to the end, where the parser refuses it."""


def _blank_texts(text: str) -> str:
    """Return a file with its texts and comments blanked; lines and columns stay where they are.

    Costs a pass over the file, so only a file that looks suspicious gets it.
    """

    def blank(found: re.Match[str]) -> str:
        quoted = found[0]
        if quoted[0] == "#" or len(quoted) < 2:
            return " " * len(quoted)
        return quoted[0] + re.sub(r"[^\n]", " ", quoted[1:-1]) + quoted[0]

    return TEXTS_AND_COMMENTS.sub(blank, text)


def _long_number_error(text: str, path: Path) -> InputError:
    found = LONG_NUMBER.search(_blank_texts(text))
    line = f": line {text.count(chr(10), 0, found.start()) + 1}" if found else ""
    return InputError(
        f"{path}{line}",
        "a number has more digits than can be read",
        "write a number from -1e300 to 1e300",
    )


HEADER = re.compile(r"\s*\[\[?([^\]]+)\]")
KEY = re.compile(r"\s*([\"']?[\w.-]+[\"']?)\s*=")


def find_line(text: str, location: Sequence[str]) -> int | None:
    """Return the line of a key, as far as that is possible without a parser that keeps positions.

    Parameters
    ----------
    text
        The file.
    location
        The key's tables and itself, such as ("parties", "alpha", "data").

    Returns
    -------
    The line, counted from 1; that of its table where the key has none; None where neither has.
    """
    table: list[str] = []
    wanted = list(location)
    best = None
    for number, line in enumerate(text.splitlines(), 1):
        header = HEADER.match(line)
        if header:
            table = [part.strip().strip("\"'") for part in header.group(1).split(".")]
            if table == wanted[: len(table)]:
                best = number
            continue
        key = KEY.match(line)
        if key:
            here = [*table, *(part.strip("\"'") for part in key.group(1).split("."))]
            if here == wanted[: len(here)] and len(here) > len(table):
                return number
    return best
