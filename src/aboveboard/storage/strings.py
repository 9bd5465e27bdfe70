"""Columns of text as bytes in one piece: sorted, grouped and routed by compiled loops.

Texts are compared byte by byte, as polars does. Each is first known by eight of its bytes, read as
one number; whole texts are compared only where these agree. Cost: a sort of numbers, and a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.kernels import kernel

SHORT_RUN = 64
"""Texts with one prefix that are sorted by insertion; more are merged."""


@dataclass(frozen=True, eq=False)
class Strings:
    """Texts, one after the other.

    Parameters
    ----------
    buffer
        uint8: their bytes.
    offsets
        int64, one more than texts: text i is `buffer[offsets[i]:offsets[i + 1]]`.
    """

    buffer: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @classmethod
    def from_series(cls, texts: pl.Series) -> Strings:
        """Return the texts of a column without nulls."""
        lengths = texts.str.len_bytes()
        offsets = np.zeros(len(texts) + 1, np.int64)
        np.cumsum(lengths.to_numpy(), out=offsets[1:])
        # The public way to a column's bytes in one piece; an empty list would become a null.
        filled = texts if lengths.len() == 0 or lengths.min() else texts.filter(lengths > 0)
        bytes_ = filled.cast(pl.Binary).cast(pl.List(pl.UInt8)).explode()
        return cls(bytes_.to_numpy(), offsets)

    def __len__(self) -> int:
        return self.offsets.size - 1

    def __getitem__(self, text: int) -> bytes:
        return self.buffer[self.offsets[text] : self.offsets[text + 1]].tobytes()

    @cached_property
    def shared(self) -> int:
        """How many bytes all texts begin with together."""
        return int(_count_shared(self.buffer, self.offsets)) if len(self) else 0

    @cached_property
    def words(self) -> NDArray[np.uint64]:
        """The bytes by eights, zeros after the last: see `read_word`."""
        return pack_words([self.buffer])

    @cached_property
    def prefixes(self) -> NDArray[np.uint64]:
        """The eight bytes after those that all share, the first counts most; zeros at the end."""
        prefixes: NDArray[np.uint64] = _read_prefixes(self.words, self.offsets, self.shared)
        return prefixes

    def sort(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sort the texts.

        Returns
        -------
        order
            Their positions in ascending order; of equal texts the earlier ones first.
        starts
            Where in it another text begins: positions, and the end.
        """
        order = np.argsort(self.prefixes)
        begins = _sort_runs(
            order, self.prefixes[order], self.words, self.buffer, self.offsets, self.shared
        )
        return order, np.append(np.flatnonzero(begins), order.size)

    def route(self, borders: Strings) -> NDArray[np.uint16]:
        """Return for each text how many of the ascending borders are not greater than it."""
        if not len(borders):
            return np.zeros(len(self), np.uint16)
        routed: NDArray[np.uint16] = _route(
            self.words,
            self.buffer,
            self.offsets,
            borders.buffer,
            borders.offsets,
            borders.prefixes,
            borders.shared,
        )
        return routed


@kernel()
def _count_shared(buffer: Any, offsets: Any) -> Any:
    start = offsets[0]
    shared = offsets[1] - start
    for i in range(1, offsets.size - 1):
        shared = min(shared, offsets[i + 1] - offsets[i])
        for at in range(shared):
            if buffer[offsets[i] + at] != buffer[start + at]:
                shared = at
                break
    return shared


def pack_words(buffers: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint64]:
    """Return bytes that follow each other by eights, with zeros after the last: see `read_word`."""
    size = sum(buffer.size for buffer in buffers)
    packed, filled = np.zeros(8 * (size // 8 + 2), np.uint8), 0
    for buffer in buffers:
        packed[filled : filled + buffer.size] = buffer
        filled += buffer.size
    return packed.view("<u8").astype(np.uint64, copy=False)


@kernel()
def read_word(words: Any, place: int) -> Any:
    """Return eight bytes from any place on as one number, the first counts least."""
    at, shift = place >> 3, np.uint64(8 * (place & 7))
    return (words[at] >> shift) | ((words[at + 1] << np.uint64(1)) << (np.uint64(63) - shift))


@kernel()
def _read_prefix(words: Any, start: int, end: int) -> Any:
    """Return the eight bytes from `start` on, the first counts most; zeros from `end` on."""
    size = end - start
    if size <= 0:
        return np.uint64(0)
    word = read_word(words, start)
    low = np.uint64(0x00FF00FF00FF00FF)
    word = ((word & low) << np.uint64(8)) | ((word >> np.uint64(8)) & low)
    low = np.uint64(0x0000FFFF0000FFFF)
    word = ((word & low) << np.uint64(16)) | ((word >> np.uint64(16)) & low)
    word = (word << np.uint64(32)) | (word >> np.uint64(32))
    after = np.uint64(64 - 8 * min(size, 8))
    return (word >> after) << after


@kernel()
def _read_prefixes(words: Any, offsets: Any, skip: int) -> Any:
    prefixes = np.empty(offsets.size - 1, np.uint64)
    for i in range(prefixes.size):
        prefixes[i] = _read_prefix(words, offsets[i] + skip, offsets[i + 1])
    return prefixes


@kernel()
def _compare(buffer: Any, a: int, a_end: int, other: Any, b: int, b_end: int) -> int:
    """Return -1, 0 or 1 as the first text is less than, equal to or greater than the second."""
    length = min(a_end - a, b_end - b)
    for at in range(length):
        one, two = buffer[a + at], other[b + at]
        if one != two:
            return -1 if one < two else 1
    if a_end - a == b_end - b:
        return 0
    return -1 if a_end - a < b_end - b else 1


@kernel()
def _is_before(buffer: Any, offsets: Any, skip: int, one: int, other: int) -> bool:
    """Return whether a text comes before another; of equal ones the earlier."""
    found = _compare(
        buffer,
        offsets[one] + skip,
        offsets[one + 1],
        buffer,
        offsets[other] + skip,
        offsets[other + 1],
    )
    return found < 0 or (found == 0 and one < other)


@kernel()
def _sort_runs(order: Any, prefixes: Any, words: Any, buffer: Any, offsets: Any, skip: int) -> Any:
    """Sort texts whose prefixes agree; `prefixes` are in the same order as `order` already.

    Returns
    -------
    Whether the text at a place of `order` is another one than that before it.
    """
    begins = np.ones(order.size, np.bool_)
    # Before any of them is looked at: reads that wait for nothing take a third of the time.
    keys = np.empty(order.size, np.uint64)
    for at in range(order.size):
        row = order[at]
        keys[at] = _read_prefix(words, offsets[row] + skip + 8, offsets[row + 1])
    start = 0
    while start < order.size:
        end = start + 1
        while end < order.size and prefixes[end] == prefixes[start]:
            end += 1
        if end - start > 1:
            run = slice(start, end)
            _sort_run(order[run], begins[run], keys[run], buffer, offsets, skip + 16)
        start = end
    return begins


@kernel()
def _sort_run(run: Any, begins: Any, keys: Any, buffer: Any, offsets: Any, skip: int) -> None:
    """Sort texts by their keys, and those of one key, which agree up to `skip`, by what follows.

    Zeros stand after the end of a text, here and in what agrees: of two that agree with them the
    shorter one comes first, so what is left to compare begins behind, and lengths decide.
    """
    if run.size > SHORT_RUN:
        places = np.argsort(keys)
        run[:] = run[places]
        keys[:] = keys[places]
    else:
        for place in range(1, run.size):
            row, key, at = run[place], keys[place], place
            while at > 0 and keys[at - 1] > key:
                run[at], keys[at] = run[at - 1], keys[at - 1]
                at -= 1
            run[at], keys[at] = row, key
    start = 0
    while start < run.size:
        end = start + 1
        while end < run.size and keys[end] == keys[start]:
            end += 1
        if end - start > 1:
            _merge_sort(run[start:end], buffer, offsets, skip)
            # Now, while these texts are near the processor.
            for at in range(start + 1, end):
                one, other = run[at - 1], run[at]
                begins[at] = (
                    _compare(
                        buffer,
                        offsets[one] + skip,
                        offsets[one + 1],
                        buffer,
                        offsets[other] + skip,
                        offsets[other + 1],
                    )
                    != 0
                )
        start = end


@kernel()
def _insertion_sort(run: Any, buffer: Any, offsets: Any, skip: int) -> None:
    for place in range(1, run.size):
        row, at = run[place], place
        while at > 0 and _is_before(buffer, offsets, skip, row, run[at - 1]):
            run[at] = run[at - 1]
            at -= 1
        run[at] = row


@kernel()
def _merge_sort(run: Any, buffer: Any, offsets: Any, skip: int) -> None:
    for start in range(0, run.size, SHORT_RUN):
        _insertion_sort(run[start : start + SHORT_RUN], buffer, offsets, skip)
    width = SHORT_RUN
    if run.size <= width:
        return
    scratch = np.empty_like(run)
    while width < run.size:
        for start in range(0, run.size, 2 * width):
            middle = min(start + width, run.size)
            end = min(start + 2 * width, run.size)
            left, right = start, middle
            for at in range(start, end):
                if right == end or (
                    left < middle and not _is_before(buffer, offsets, skip, run[right], run[left])
                ):
                    scratch[at] = run[left]
                    left += 1
                else:
                    scratch[at] = run[right]
                    right += 1
        run[:] = scratch
        width *= 2


@kernel()
def _count_smaller(numbers: Any, limit: Any) -> int:
    """Return how many of some ascending numbers are less than a limit."""
    count, left = 0, numbers.size
    while left > 0:
        # Without a branch, which nothing foretells.
        half = (left + 1) >> 1
        count += half * np.int64(numbers[count + half - 1] < limit)
        left -= half
    return count


@kernel()
def _route(
    words: Any,
    buffer: Any,
    offsets: Any,
    border_buffer: Any,
    border_offsets: Any,
    prefixes: Any,
    skip: int,
) -> Any:
    routed = np.empty(offsets.size - 1, np.uint16)
    first, first_end = border_offsets[0], border_offsets[0] + skip
    for i in range(routed.size):
        start, end = offsets[i], offsets[i + 1]
        # Beside the bytes that all borders share, a text is before all of them or after all.
        side = _compare(buffer, start, min(end, start + skip), border_buffer, first, first_end)
        if side != 0:
            routed[i] = 0 if side < 0 else prefixes.size
            continue
        prefix = _read_prefix(words, start + skip, end)
        low = high = _count_smaller(prefixes, prefix)
        if low < prefixes.size and prefixes[low] == prefix:
            last = prefix == np.uint64(0xFFFFFFFFFFFFFFFF)
            high = prefixes.size if last else _count_smaller(prefixes, prefix + np.uint64(1))
        while low < high:
            middle = (low + high) // 2
            border, border_end = border_offsets[middle], border_offsets[middle + 1]
            if _compare(buffer, start, end, border_buffer, border, border_end) >= 0:
                low = middle + 1
            else:
                high = middle
        routed[i] = low
    return routed
