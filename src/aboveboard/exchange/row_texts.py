"""Rows of one part as texts, written by compiled loops: column by column, and without Python's.

Cost: one pass to measure and one to write for each column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.kernels import kernel
from aboveboard.storage.strings import Strings

WHOLE = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)
"""Types whose values are integers of 64 bits, written in decimal."""


class Cells(NamedTuple):
    """The cells of one column: texts, or integers of 64 bits; and which of them are written."""

    values: Strings | NDArray[np.int64]
    chosen: NDArray[np.int64]


def choose_cells(values: pl.Series, rows: NDArray[np.int64]) -> Cells | None:
    """Return the cells of some rows of a column; None where they must be made texts first."""
    if values.null_count():
        return None
    if values.dtype == pl.String:
        return Cells(Strings.from_series(values), rows)
    if values.dtype in WHOLE:
        return Cells(values.cast(pl.Int64).to_numpy(), rows)
    return None


def make_cells(texts: pl.Series) -> Cells:
    """Return all cells of a column of texts without nulls."""
    return Cells(Strings.from_series(texts), np.arange(len(texts)))


def leave_cells_empty(rows: int) -> Cells:
    """Return so many cells without a text."""
    nothing = Strings(np.zeros(0, np.uint8), np.zeros(2, np.int64))
    return Cells(nothing, np.zeros(rows, np.int64))


def join_cells(columns: Sequence[Cells], between: str) -> Strings:
    """Return a text for each row: its cells, and a character of one byte between them."""
    rows = columns[0].chosen.size
    offsets = np.zeros(rows + 1, np.int64)
    lengths = offsets[1:]
    lengths += len(columns) - 1
    for values, chosen in columns:
        if isinstance(values, Strings):
            _measure_texts(lengths, values.offsets, chosen)
        else:
            _measure_numbers(lengths, values, chosen)
    np.cumsum(lengths, out=lengths)
    buffer = np.empty(offsets[-1], np.uint8)
    places = offsets[:-1].copy()
    for number, (values, chosen) in enumerate(columns):
        if number:
            _write_byte(buffer, places, ord(between))
        if isinstance(values, Strings):
            _write_texts(buffer, places, values.buffer, values.offsets, chosen)
        else:
            _write_numbers(buffer, places, values, chosen)
    return Strings(buffer, offsets)


@kernel()
def _measure_texts(lengths: Any, offsets: Any, chosen: Any) -> None:
    for i in range(chosen.size):
        row = chosen[i]
        lengths[i] += offsets[row + 1] - offsets[row]


@kernel()
def _measure_numbers(lengths: Any, values: Any, chosen: Any) -> None:
    for i in range(chosen.size):
        number = values[chosen[i]]
        digits = 1 if number >= 0 else 2
        rest = _find_size(number)
        while rest >= np.uint64(10):
            rest //= np.uint64(10)
            digits += 1
        lengths[i] += digits


@kernel()
def _find_size(number: int) -> Any:
    """Return a number without its sign; that of the least integer does not fit into 63 bits."""
    return np.uint64(number) if number >= 0 else np.uint64(0) - np.uint64(number)


@kernel()
def _write_byte(buffer: Any, places: Any, byte: int) -> None:
    for i in range(places.size):
        buffer[places[i]] = byte
        places[i] += 1


@kernel()
def _write_texts(buffer: Any, places: Any, texts: Any, offsets: Any, chosen: Any) -> None:
    for i in range(chosen.size):
        start, place = offsets[chosen[i]], places[i]
        size = offsets[chosen[i] + 1] - start
        for at in range(size):
            buffer[place + at] = texts[start + at]
        places[i] = place + size


@kernel()
def _write_numbers(buffer: Any, places: Any, values: Any, chosen: Any) -> None:
    digits = np.empty(20, np.uint8)
    for i in range(chosen.size):
        number, place = values[chosen[i]], places[i]
        rest = _find_size(number)
        if number < 0:
            buffer[place] = ord("-")
            place += 1
        count = 0
        while count == 0 or rest > np.uint64(0):
            tenth = rest // np.uint64(10)
            digits[count] = np.uint8(rest - tenth * np.uint64(10)) + np.uint8(ord("0"))
            rest = tenth
            count += 1
        for at in range(count):
            buffer[place + at] = digits[count - 1 - at]
        places[i] = place + count
