"""Rows of one part as texts, which are hashed as their cells lie and written for hardly any row.

A row's text is its cells, one after the other, and a character of one byte between them.
Cost: one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.exchange.siphash import _sip_round
from aboveboard.kernels import kernel
from aboveboard.storage.strings import Strings, pack_words, read_word

WHOLE = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)
"""Types whose values are integers of 64 bits, written in decimal."""


LONGEST_NUMBER = 20
"""Bytes of the longest of these integers in decimal, with its sign."""


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


def write_row(columns: Sequence[Cells], row: int, between: str) -> bytes:
    """Return the text of one row."""
    written = []
    for values, chosen in columns:
        at = int(chosen[row])
        whole = not isinstance(values, Strings)
        written.append(str(values[at]).encode() if whole else bytes(values[at]))
    return between.encode().join(written)


def hash_rows(
    columns: Sequence[Cells], between: str, key: tuple[np.uint64, np.uint64]
) -> NDArray[np.uint64]:
    """Return SipHash-2-4 of each row's text; quickest where rows come in the order of the cells.

    Parameters
    ----------
    columns
        The cells of each column.
    between
        What stands between cells, one byte.
    key
        The two halves of the key.
    """
    numbers, buffers, begins, size, count = [], [], [], 0, 0
    room = len(columns)
    for values, _ in columns:
        begins.append(count)
        if isinstance(values, Strings):
            numbers.append(values.offsets + size)
            buffers.append(values.buffer)
            size += values.buffer.size
            room += int(np.diff(values.offsets).max(initial=0))
        else:
            numbers.append(values)
            room += LONGEST_NUMBER
        count += numbers[-1].size
    hashes: NDArray[np.uint64] = _hash_rows(
        np.stack([chosen for _, chosen in columns], axis=1),
        np.array([isinstance(values, Strings) for values, _ in columns]),
        np.array(begins),
        np.concatenate(numbers),
        pack_words(buffers),
        ord(between),
        room,
        *key,
    )
    return hashes


@kernel()
def _hash_rows(
    chosen: Any,
    are_texts: Any,
    begins: Any,
    numbers: Any,
    words: Any,
    between: int,
    room: int,
    key0: Any,
    key1: Any,
) -> Any:
    hashes = np.empty(chosen.shape[0], np.uint64)
    text = np.zeros(room // 8 + 2, np.uint64)
    for row in range(hashes.size):
        text[0], size = np.uint64(0), 0
        for column in range(begins.size):
            at = begins[column] + chosen[row, column]
            if column:
                size = _add(text, size, np.uint64(between), 1)
            if are_texts[column]:
                place, end = numbers[at], numbers[at + 1]
                size = _add_text(text, size, words, place, end)
            else:
                size = _add_number(text, size, numbers[at])
        hashes[row] = _hash_words(text, size, key0, key1)
    return hashes


@kernel()
def _add(text: Any, size: int, bytes_: Any, count: int) -> int:
    """Add up to eight bytes to so many, the first counts least; those that are more are zeros."""
    at, shift = size >> 3, np.uint64(8 * (size & 7))
    text[at] |= bytes_ << shift
    text[at + 1] = (bytes_ >> np.uint64(1)) >> (np.uint64(63) - shift)
    return size + count


@kernel()
def _add_text(text: Any, size: int, words: Any, place: int, end: int) -> int:
    while end - place >= 8:
        size = _add(text, size, read_word(words, place), 8)
        place += 8
    if place < end:
        beyond = np.uint64(8 * (8 - (end - place)))
        size = _add(text, size, (read_word(words, place) << beyond) >> beyond, end - place)
    return size


@kernel()
def _add_number(text: Any, size: int, number: int) -> int:
    """Add a whole number in decimal, eight digits at a time."""
    # The size of the least integer does not fit into 63 bits.
    rest = np.uint64(number) if number >= 0 else np.uint64(0) - np.uint64(number)
    if number < 0:
        size = _add(text, size, np.uint64(ord("-")), 1)
    middle = rest // np.uint64(10**8)
    upper = middle // np.uint64(10**8)
    low, middle = rest - middle * np.uint64(10**8), middle - upper * np.uint64(10**8)
    if upper:
        size = _add_short(text, size, upper)
        size = _add(text, size, _write_digits(middle), 8)
        return _add(text, size, _write_digits(low), 8)
    if middle:
        size = _add_short(text, size, middle)
        return _add(text, size, _write_digits(low), 8)
    return _add_short(text, size, low)


@kernel()
def _add_short(text: Any, size: int, number: Any) -> int:
    """Add a number of up to eight digits, without zeros before them."""
    digits, count = _write_digits(number), 8
    while count > 1 and digits & np.uint64(0xFF) == np.uint64(ord("0")):
        digits >>= np.uint64(8)
        count -= 1
    return _add(text, size, digits, count)


@kernel()
def _hash_words(text: Any, size: int, key0: Any, key1: Any) -> Any:
    """Return SipHash-2-4 of so many bytes, as `siphash24` does."""
    v0 = key0 ^ np.uint64(0x736F6D6570736575)
    v1 = key1 ^ np.uint64(0x646F72616E646F6D)
    v2 = key0 ^ np.uint64(0x6C7967656E657261)
    v3 = key1 ^ np.uint64(0x7465646279746573)
    last = size >> 3
    text[last] |= np.uint64(size) << np.uint64(56)
    for at in range(last + 1):
        v3 ^= text[at]
        v0, v1, v2, v3 = _sip_round(v0, v1, v2, v3)
        v0, v1, v2, v3 = _sip_round(v0, v1, v2, v3)
        v0 ^= text[at]
    v2 ^= np.uint64(0xFF)
    for _ in range(4):
        v0, v1, v2, v3 = _sip_round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@kernel()
def _write_digits(number: Any) -> Any:
    """Return the eight digits of a number below 10**8 as text, the first counts least.

    Halves, quarters and single digits are taken apart side by side in one word.
    """
    upper = number // np.uint64(10_000)
    fours = upper | ((number - upper * np.uint64(10_000)) << np.uint64(32))
    upper = ((fours * np.uint64(10_486)) >> np.uint64(20)) & np.uint64(0x7F0000007F)
    twos = upper | ((fours - upper * np.uint64(100)) << np.uint64(16))
    upper = ((twos * np.uint64(103)) >> np.uint64(10)) & np.uint64(0x000F000F000F000F)
    ones = upper | ((twos - upper * np.uint64(10)) << np.uint64(8))
    return ones + np.uint64(0x3030303030303030)
