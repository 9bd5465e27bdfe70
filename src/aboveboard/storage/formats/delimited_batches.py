"""A large CSV or TSV some rows at a time: every batch is read below the head of the file.

The head is all down to the header: a `sep=` line, comments, the header. A table whose columns or
rows must be looked at together (a decimal comma that is to be found, quotation marks in a TSV, a
header that may be a comment) is read whole.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from aboveboard.storage.formats.content import ReadWholeError, Whereabouts
from aboveboard.storage.formats.csv_comments import (
    Marked,
    take_commented_header,
    take_comments,
    take_separator_line,
)
from aboveboard.storage.formats.delimited import find_delimiter, read_delimited


class Rows(NamedTuple):
    """Some rows of a table, where each stands, and how many comments stand among them."""

    frame: pl.DataFrame
    whereabouts: Whereabouts
    comments: int


class _Head(NamedTuple):
    """What stands above the rows: its bytes, its lines, its comments, and what parts fields."""

    text: bytes
    lines: int
    comments: int
    delimiter: str


def read_delimited_batches(
    batches: Iterator[tuple[bytes, int]],
    where: str,
    *,
    delimiter: str | None,
    default: str,
    decimal: str | None,
    key: str | None,
    marked: Marked,
) -> Iterator[Rows]:
    """Yield the rows of a table.

    Parameters
    ----------
    batches
        Whole records of the file, and how many lines stand above each batch.
    where, delimiter, default, decimal, key, marked
        As for `read_delimited`.

    Raises
    ------
    ReadWholeError
        If the file must be read whole.
    InputError
        As `read_delimited` does.
    """
    head: _Head | None = None
    for data, before in batches:
        first = head is None
        if head is None:
            head = _take_head(data, where, delimiter, default, key)
            if decimal == "," or (decimal is None and head.delimiter == ";"):
                raise ReadWholeError
        quoted = head.delimiter == "\t" and b'"' in data
        unclear = marked == "unclear" and not head.comments
        if quoted or (unclear and (data.startswith(b"#") or b"\n#" in data)):
            raise ReadWholeError
        frame, whereabouts, comments = read_delimited(
            data if first else head.text + data,
            where,
            delimiter=head.delimiter,
            decimal=decimal,
            key=key,
            marked=marked,
            before=0 if first else before - head.lines,
        )
        yield Rows(frame, whereabouts, comments if first else comments - head.comments)
    if head is None:
        raise ReadWholeError


def _take_head(
    data: bytes, where: str, delimiter: str | None, default: str, key: str | None
) -> _Head:
    """Return what stands above the rows in the first batch."""
    body, _, stated = take_separator_line(data)
    body, comments, _ = take_comments(body)
    rest = body.lstrip(b"\r\n")
    if not rest:
        raise ReadWholeError
    delimiter = delimiter or stated or find_delimiter(body, default, where)
    header, _ = take_commented_header(body, comments, delimiter, key, where)
    line = rest[: rest.find(b"\n") + 1]
    if header is not None or line.count(b'"') % 2 or not line:
        raise ReadWholeError
    try:
        names = next(csv.reader([line.decode("utf-8", "replace")], delimiter=delimiter), [])
    except csv.Error as error:
        raise ReadWholeError from error
    if "" in names:
        raise ReadWholeError  # whether such a column holds anything all rows say
    text = data[: len(data) - len(rest) + len(line)]
    return _Head(text, text.count(b"\n"), len(comments), delimiter)
