"""A large CSV or TSV some rows at a time: every batch is read below the head of the file.

The head is all down to the header: a `sep=` line, comments, the header. A table whose columns or
rows must be looked at together (a decimal comma that is to be found, quotation marks in a TSV, a
header that may be a comment) is read whole.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from aboveboard.storage.formats.content import ReadWholeError
from aboveboard.storage.formats.csv_comments import (
    take_commented_header,
    take_comments,
    take_separator_line,
)
from aboveboard.storage.formats.delimited import find_delimiter, read_delimited
from aboveboard.storage.formats.text_tables import Rows, TextTable


class _Head(NamedTuple):
    """What stands above the rows: its bytes, its lines, its comments, and what parts fields."""

    text: bytes
    lines: int
    comments: int
    delimiter: str


def read_delimited_batches(
    batches: Iterator[tuple[bytes, int]], where: str, asked: TextTable
) -> Iterator[Rows]:
    """Yield the rows of a table.

    Parameters
    ----------
    batches
        Whole records of the file, and how many lines stand above each batch.
    where, asked
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
            head = _take_head(data, where, asked)
            asked = replace(asked, delimiter=head.delimiter)
            if asked.decimal == "," or (asked.decimal is None and head.delimiter == ";"):
                raise ReadWholeError
        quoted = head.delimiter == "\t" and b'"' in data
        unclear = asked.marked == "unclear" and not head.comments
        if quoted or (unclear and (data.startswith(b"#") or b"\n#" in data)):
            raise ReadWholeError
        if first:
            yield read_delimited(data, where, asked)
        else:
            rows = read_delimited(head.text + data, where, asked, before=before - head.lines)
            yield rows._replace(comments=rows.comments - head.comments)
    if head is None:
        raise ReadWholeError


def _take_head(data: bytes, where: str, asked: TextTable) -> _Head:
    """Return what stands above the rows in the first batch."""
    body, _, stated = take_separator_line(data)
    body, comments, _ = take_comments(body)
    rest = body.lstrip(b"\r\n")
    if not rest:
        raise ReadWholeError
    delimiter = asked.delimiter or stated or find_delimiter(body, asked.default, where)
    header, _ = take_commented_header(body, comments, delimiter, asked.key, where)
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
