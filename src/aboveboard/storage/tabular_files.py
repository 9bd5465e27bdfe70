"""From a file on disk to polars columns: lines of text, CSV, Parquet.

polars and NumPy read whole columns: a file of a million rows takes a fraction of a second and no
Python object a row. What is wrong with a file is said in one line that names the file and, where
there is one, the line. What the columns mean is the business of `readers`.
"""

from __future__ import annotations

import csv
import errno
import io
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from aboveboard.errors import InputError
from aboveboard.formatting import format_quantity

CHUNK = 1 << 26
"""Bytes of text decoded at a time: one polars string holds 4 GiB at most, a file may hold more."""

STDERR = 2
UTF8_BOM = b"\xef\xbb\xbf"
NO_HEADER = "this CSV file has no header"
QUOTING = "quote fields as RFC 4180 says"

Whereabouts = Callable[[int], str]
"""From the number of a row, counted from 0, to words that tell a reader where it stands."""


def opened(path: Path, where: str) -> io.BufferedReader:
    """Open a regular file to read its bytes; symbolic links are followed.

    Parameters
    ----------
    path
        The file.
    where
        What to call it in messages.

    Raises
    ------
    InputError
        If it is a pipe, a device or a socket, which may never end.
    IsADirectoryError, OSError
        If it is a folder, or cannot be opened.
    """
    # Not waiting: to open a pipe that nobody writes to would wait for ever.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(kind := os.fstat(handle).st_mode):
        os.close(handle)
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise InputError(where, "this is not a file", "name a regular file")
    return os.fdopen(handle, "rb")


def read_lines(path: Path, where: str) -> pl.Series:
    """Read the lines of a file that are not blank, `CHUNK` bytes at a time.

    Parameters
    ----------
    path
        A UTF-8 file, with or without byte order mark; lines end as on Unix or Windows.
    where
        What to call the file in messages.

    Returns
    -------
    Series of String, one entry a line, without line ends and otherwise byte for byte.

    Raises
    ------
    InputError
        The file cannot be read, is not UTF-8, or has a carriage return inside a line.
    """
    pieces = [pl.Series([], dtype=pl.String)]
    seen = 0
    try:
        with opened(path, where) as file:
            # A chunk ends where a line does: no line and no UTF-8 character is cut in two.
            while content := file.read(CHUNK) + file.readline():
                text = _decoded(content if seen else content.removeprefix(UTF8_BOM), seen, where)
                pieces.append(_split(text, seen, where))
                seen += content.count(b"\n")
    except OSError as error:
        raise _unreadable(error, where) from error
    return pl.concat(pieces)


def read_csv(path: Path, where: str, separator: str) -> tuple[pl.DataFrame, Whereabouts]:
    """Read a CSV file, every column as text, so that each value comes back byte for byte.

    Parameters
    ----------
    path
        A UTF-8 file with a header; blank lines do not count.
    where
        What to call the file in messages.
    separator
        One character.

    Returns
    -------
    The rows, and the line on which each stands (a quoted field may run over several lines).

    Raises
    ------
    InputError
        The file cannot be read, is not UTF-8, has no header or one that names a column twice, has
        a row with more or fewer fields than the header, or is not quoted as CSV is.
    """
    try:
        with opened(path, where) as file:
            content = file.read().removeprefix(UTF8_BOM)
    except OSError as error:
        raise _unreadable(error, where) from error
    layout = _layout(np.frombuffer(content, np.uint8), separator)
    records = np.flatnonzero(~layout.blank)

    def line(record: int) -> str:
        line_feeds = content.count(b"\n", 0, int(layout.starts[records[record]]))
        return f"line {line_feeds + 1}"

    if not records.size:
        raise InputError(where, NO_HEADER, "name the columns in line 1")
    if not layout.closed:
        problem = "a quotation mark opens a field and none closes it"
        raise InputError(f"{where}, {line(records.size - 1)}", problem, QUOTING)
    # polars would fill short rows with nulls and rename a repeated column, both in silence.
    fields = layout.fields[records]
    if (ragged := fields != fields[0]).any():
        first = int(ragged.argmax())
        problem = (
            f"the row has {format_quantity(fields[first], 'field')} and the header {fields[0]}"
        )
        remedy = f"give every row {fields[0]}; a field that holds the separator stands in quotes"
        raise InputError(f"{where}, {line(first)}", problem, remedy)
    header = _header(content[: layout.ends[records[0]]], where, separator)
    if repeated := sorted(name for name in header if header.count(name) > 1):
        problem = f"the header names {repeated[0]!r} more than once"
        raise InputError(f"{where}, {line(0)}", problem, "give every column a name of its own")

    frame = _parsed(content, layout, where, separator)
    if frame.shape != (records.size - 1, len(header)):
        raise InputError(where, "rows and fields of this CSV file do not add up", QUOTING)
    frame.columns = header
    return frame, lambda row: line(row + 1)


def read_parquet(path: Path, where: str) -> tuple[pl.DataFrame, Whereabouts]:
    """Read a Parquet file, columns with their types; a row's whereabouts are its number.

    Raises
    ------
    InputError
        The file cannot be read or is not Parquet.

    Notes
    -----
    A broken file is refused in one line where polars raises or panics. On about one in ten thousand
    with flipped bits polars asks for more memory than there can be, and the process ends.
    """
    try:
        # Opened first, for the operating system's plain reasons: polars words its own.
        opened(path, where).close()
        with _silent:
            frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except OSError as error:
        raise _unreadable(error, where) from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        problem = f"this is not a Parquet file ({_reason(error)})"
        raise InputError(where, problem, "write the file again") from error
    return frame, lambda row: f"row {row + 1}"


class _Silent:
    """Nothing reaches standard error while any thread is inside.

    On some broken files polars panics, and writes about it past Python before it raises.
    """

    def __init__(self) -> None:
        self.lock, self.inside, self.kept = threading.Lock(), 0, -1

    def __enter__(self) -> None:
        with self.lock:
            if not self.inside:
                self.kept = _redirected(os.devnull)
            self.inside += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside and self.kept >= 0:
                os.dup2(self.kept, STDERR)
                os.close(self.kept)


def _redirected(to: str) -> int:
    """Let standard error go elsewhere; give a handle of where it went, -1 if it was closed."""
    try:
        kept = os.dup(STDERR)
    except OSError:
        return -1
    handle = os.open(to, os.O_WRONLY)
    os.dup2(handle, STDERR)
    os.close(handle)
    return kept


_silent = _Silent()


def _unreadable(error: OSError, where: str) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(where, "there is no such file", "correct the path")
    if isinstance(error, IsADirectoryError):
        return InputError(where, "this is a directory", "name a file in it")
    if isinstance(error, PermissionError):
        return InputError(where, "this file may not be read", "ask for permission to read it")
    reason = error.strerror or type(error).__name__
    return InputError(where, f"this file cannot be read ({reason})", "name a file that can")


def _reason(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _decoded(content: bytes, lines_before: int, where: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = lines_before + content.count(b"\n", 0, error.start) + 1
        problem = "this is not UTF-8"
        raise InputError(f"{where}, line {line}", problem, "save the file as UTF-8") from error


def _split(text: str, lines_before: int, where: str) -> pl.Series:
    """Split a text into the lines that are not blank: String, without line ends."""
    lines = pl.Series([text]).str.split("\n").explode().str.strip_suffix("\r")
    if (broken := lines.str.contains("\r", literal=True)).any():
        line = lines_before + (broken.arg_max() or 0) + 1
        problem = "a carriage return stands inside the line"
        raise InputError(f"{where}, line {line}", problem, "end every line with a line feed")
    return lines.filter(lines.str.contains(r"\S"))


@dataclass(frozen=True)
class _Layout:
    """Where each record of a CSV file starts and ends, its number of fields, whether it is blank.

    `closed` tells whether every quotation mark has its partner.
    """

    starts: np.ndarray
    ends: np.ndarray
    fields: np.ndarray
    blank: np.ndarray
    closed: bool


def _layout(content: np.ndarray, separator: str) -> _Layout:
    """Find the records of a CSV file, given as uint8, in a few passes over its bytes."""
    breaks, separators = content == ord("\n"), content == ord(separator)
    quotes = content == ord('"')
    closed = True
    if quotes.any():
        # After an odd number of quotation marks one is inside a quoted field (a doubled mark
        # leaves it and enters it again). The count wraps at 256, which keeps its parity.
        outside = (np.cumsum(quotes, dtype=np.uint8) & 1) == 0
        breaks &= outside
        separators &= outside
        closed = bool(outside[-1])
    ends = np.flatnonzero(breaks)
    if content.size and (ends.size == 0 or ends[-1] != content.size - 1):
        ends = np.append(ends, content.size)
    starts = np.concatenate((np.zeros(1, np.int64), ends + 1))[: ends.size]
    before = np.searchsorted(np.flatnonzero(separators), ends)
    length = ends - starts
    length -= (length > 0) & (content[ends - 1] == ord("\r"))
    return _Layout(starts, ends, np.diff(before, prepend=0) + 1, length == 0, closed)


def _header(content: bytes, where: str, separator: str) -> list[str]:
    """Read the names of the columns, given the file up to the end of its header."""
    text = _decoded(content, 0, where).strip("\r\n")
    try:
        for names in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            return names
    except csv.Error as error:
        raise InputError(where, f"the header is not CSV ({error})", QUOTING) from error
    raise InputError(where, NO_HEADER, "name the columns in line 1")


def _parsed(content: bytes, layout: _Layout, where: str, separator: str) -> pl.DataFrame:
    """Have polars read the records that are not blank, every column as text."""
    rows = content
    if layout.blank.any():
        kept = np.ones(len(content) + 1, np.bool_)
        # A blank record is "\n" or "\r\n": its start and its end are all of it.
        kept[layout.starts[layout.blank]] = False
        kept[layout.ends[layout.blank]] = False
        rows = np.frombuffer(content, np.uint8)[kept[:-1]].tobytes()
    try:
        return pl.read_csv(rows, separator=separator, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        _decoded(content, 0, where)
        raise InputError(where, f"this is not CSV ({_reason(error)})", QUOTING) from error
