"""Whether every row of a plain table has as many fields, without the fields being read.

To read one column takes half the time of reading all, but then nobody counts the fields. The fields
of one column are looked at meanwhile, as long as their bytes are near the processor.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aboveboard.storage.bit_masks import (
    TEXT_BYTES,
    FieldLook,
    Fields,
    TextBytes,
    add_starts,
    find_ranks,
    mark_following,
    mark_starts,
)

PIECE = 1 << 20
"""Bytes looked at together: they and their masks stay near the processor."""


class ColumnLook(NamedTuple):
    """Which column is looked at, counted from 0, and what tells its odd fields."""

    column: int
    look: FieldLook


class Shape(NamedTuple):
    """How many rows a table has, and in which of them, counted from 0, a field is odd."""

    rows: int
    odd: NDArray[np.int64]


def find_shape(
    columns: int, text: bytes, delimiter: str, wanted: ColumnLook | None = None, start: int = 0
) -> Shape | None:
    r"""Return the shape of a table if every line is shown to have as many fields, else None.

    Parameters
    ----------
    columns
        How many, at least two: then no line is blank.
    text
        In which no delimiter or line feed is part of a field.
    delimiter
        One character of ASCII.
    wanted
        What is to be looked at; None: no field is.
    start
        Where in the text the first row begins.

    Examples
    --------
    >>> find_shape(2, b"a,b\n1,2\n,\n", ",").rows, find_shape(2, b"a,b\n1,2,3\n", ",")
    (3, None)
    """
    rows, odd = 0, [np.zeros(0, np.int64)]
    while start < len(text):
        end = text.rfind(b"\n", start, start + PIECE)
        if end < 0:
            if start + PIECE < len(text):  # a line of this length is another reader's business
                return None
            end = len(text)
        TEXT_BYTES.fill(text, start, end)
        found = _look_at_rows(columns, TEXT_BYTES, delimiter, wanted)
        if found is None:
            return None
        if found.odd.size:
            odd.append(rows + found.odd)
        rows, start = rows + found.rows, end + 1
    return Shape(rows, np.concatenate(odd))


def _look_at_rows(
    columns: int, text: TextBytes, delimiter: str, wanted: ColumnLook | None
) -> Shape | None:
    feeds, delimiters = text.drop_filling(text.mark("\n")), text.mark(delimiter)
    rows, between = int(np.bitwise_count(feeds).sum()), columns - 1
    if np.bitwise_count(delimiters).sum() != between * rows:
        return None
    bytes_, odd = ~(feeds | delimiters), np.zeros(0, np.int64)
    starts = text.drop_filling(mark_starts(feeds))
    # Where no row has too few delimiters, and they are as many as they should be, none has more.
    for column in range(columns if wanted and wanted.column == between else between):
        passed = add_starts(starts, bytes_)
        if passed is None:
            return None
        ends = passed & ~bytes_
        if column < between and (ends & feeds).any():
            return None
        if wanted and column == wanted.column:
            found = wanted.look(Fields(text, starts, bytes_ & ~passed, ends))
            odd = find_ranks(found, ends) if found.any() else odd
        starts = mark_following(ends)
    return Shape(rows, odd)
