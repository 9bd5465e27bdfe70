"""Which bytes of a text are of some kind, as bits: NumPy then looks at 64 bytes at a time.

Bit i of a mask says it of byte i, 64 of them in a word, the lowest first. An addition finds where
runs end: the carry goes through a run of ones, and stops at the first zero.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint64]
"""Words in the order of their bits, whatever the machine's own order of bytes."""

WORD = 64
"""Bits of a word."""

LONGEST_RUN = 1 << 11
"""Bytes of a run whose end is found for certain: each word of it takes one more addition."""

_ONE, _LAST = np.uint64(1), np.uint64(WORD - 1)


class TextBytes(threading.local):
    """The bytes of one piece of text after another, in one place that is filled again for each.

    New memory for each would cost more than what is done in it. Each thread has a place of its own.
    """

    def __init__(self) -> None:
        self._room = np.empty((2, 0), np.uint8)
        self._flags = np.empty(0, np.bool_)
        self._source, self._start, self._end = b"", 0, 0
        self.size = self.length = 0

    def fill(self, source: bytes, start: int, end: int) -> None:
        """Take a text, which is a part of its source, and a line feed after it.

        Further line feeds fill the last word.
        """
        self._source, self._start, self._end = source, start, end
        size = end - start
        self.length = size + 1
        self.size = (size // WORD + 1) * WORD
        if self.size > self._flags.size:
            self._room = np.empty((2, self.size), np.uint8)
            self._flags = np.empty(self.size, np.bool_)
        self._room[0, :size] = np.frombuffer(source, np.uint8, size, start)
        self._room[0, size : self.size] = ord("\n")

    def has(self, character: str) -> bool:
        """Return whether a character stands in the text: found faster than it is marked."""
        return self._source.find(character.encode(), self._start, self._end) >= 0

    def mark(self, characters: str) -> Mask:
        """Return where a character stands, or one between two: "." or "az"."""
        text, other = self._room[:, : self.size]
        first, last = ord(characters[0]), ord(characters[-1])
        flags = self._flags[: self.size]
        if first == last:
            return pack(np.equal(text, first, out=flags))
        np.subtract(text, first, out=other)  # what is less wraps around
        return pack(np.less_equal(other, last - first, out=flags))

    def drop_filling(self, mask: Mask) -> Mask:
        """Return a mask without the places after the text's last line feed."""
        over = np.uint64(self.size - self.length)
        mask[-1] = mask[-1] << over >> over
        return mask


TEXT_BYTES = TextBytes()
"""For texts that are looked at piece by piece."""


class Fields(NamedTuple):
    """Some fields of a text, of which there may be others.

    Parameters
    ----------
    text
        The text.
    starts
        Where each begins; of an empty one that is its end.
    inside
        The bytes that belong to them.
    ends
        What comes right after each: a line feed, or what parts fields.
    """

    text: TextBytes
    starts: Mask
    inside: Mask
    ends: Mask


FieldLook = Callable[[Fields], Mask]
"""Returns the ends of the fields that are odd, whatever that is."""


def take_lines(text: TextBytes) -> Fields:
    """Return the lines of a text as fields."""
    feeds = text.drop_filling(text.mark("\n"))
    return Fields(text, mark_starts(feeds), text.drop_filling(~feeds), feeds)


def pack(flags: NDArray[np.bool_]) -> Mask:
    """Return the mask of flags, as many as fill whole words.

    Examples
    --------
    >>> [hex(word) for word in pack(np.arange(128) % 4 == 1)]
    ['0x2222222222222222', '0x2222222222222222']
    """
    return np.packbits(flags, bitorder="little").view("<u8")


def mark_starts(feeds: Mask) -> Mask:
    """Return where lines start of which these are the line feeds: one more after the last."""
    starts = mark_following(feeds)
    starts[0] |= _ONE
    return starts


def mark_following(mask: Mask) -> Mask:
    """Return the places that come right after those of a mask."""
    moved = mask << _ONE
    moved[1:] |= mask[:-1] >> _LAST
    return moved


def add_starts(starts: Mask, runs: Mask) -> Mask | None:
    """Return the sum of starts and runs, in which each start was carried to the end of its run.

    Parameters
    ----------
    starts
        Places; one that is in no run must not be the end of another.
    runs
        The places that are passed over.

    Returns
    -------
    The sum: what of it is in no run are the ends (a start in no run is its own), and what of a run
    is not in it lies between start and end. None: a run is too long.

    Examples
    --------
    >>> starts, runs = (np.array([bits], np.uint64) for bits in (0b0000010, 0b0011110))
    >>> bin(add_starts(starts, runs)[0])
    '0b100000'
    """
    passed = starts + runs
    into = passed[1:]
    carried = passed[:-1] < runs[:-1]
    for _ in range(LONGEST_RUN // WORD + 1):
        if not carried.any():
            return passed
        into += carried
        full = carried[:-1] & (into[:-1] == 0)
        carried[0] = False
        carried[1:] = full
    return None


def find_ranks(some: Mask, among: Mask) -> NDArray[np.int64]:
    """Return which places of a mask those of another are, counted from 0, ascending.

    Parameters
    ----------
    some
        Few places, all of them in `among`.
    among
        Many.

    Examples
    --------
    >>> some, among = (np.array([bits], np.uint64) for bits in (0b1001000, 0b1011010))
    >>> find_ranks(some, among).tolist()
    [1, 3]
    """
    words = np.flatnonzero(some)
    before = np.cumsum(np.bitwise_count(among), dtype=np.int64)[words]
    before -= np.bitwise_count(among[words])
    ranks = []
    left = some[words]
    while words.size:
        lowest = left & (~left + _ONE)
        ranks.append(before + np.bitwise_count(among[words] & (lowest - _ONE)))
        left ^= lowest
        more = left != 0
        words, before, left = words[more], before[more], left[more]
    return np.sort(np.concatenate(ranks)) if ranks else np.zeros(0, np.int64)
