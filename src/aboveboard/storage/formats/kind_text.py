"""A text of lines of a kind, read piece by piece if it is long: two pieces at a time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

from aboveboard.storage.formats.extents import count_feeds
from aboveboard.storage.formats.lines import (
    KindLines,
    ListedElements,
    LookedAt,
    refuse_many_lines,
    split_lines,
)
from aboveboard.storage.kinds import Kind

PIECE = 1 << 23
"""Bytes of a piece, about: polars takes as long for a call as to split a twentieth of it."""

THREADS = 2
"""Pieces that are looked at together."""

BEGINNING = 200
"""Lines that show how a list's lines begin."""


def read_kind_text(data: bytes, kind: Kind, where: str) -> ListedElements:
    r"""Read a list whose elements are of a kind.

    Parameters
    ----------
    data
        UTF-8, without a byte order mark.
    kind
        Any but "text".
    where
        What to call the file in messages.

    Raises
    ------
    InputError
        As `split_lines` and `read_kind_lines` do.

    Examples
    --------
    >>> read_kind_text(b"0.0.0.0 a.example\n# b\n", "domain", "hosts").elements.to_list()
    ['a.example']
    """
    read = KindLines(kind, where)
    # Whether URLs are fields is asked of all lines together.
    ends = [] if kind == "url" else list(_cut(data))
    if len(ends) < 2:
        return read.list_elements([read.take(split_lines(data, where))])
    starts = [0, *ends[:-1]]
    counts = [count_feeds(data, start, end) for start, end in zip(starts, ends, strict=True)]
    refuse_many_lines(data, where, sum(counts) + 1)
    read.begin(split_lines(data[: _find_line(data, BEGINNING)], where))

    def look(start: int, end: int, before: int) -> tuple[LookedAt, int]:
        return read.look(split_lines(data[start:end], where, before)), before

    with ThreadPoolExecutor(THREADS) as pool:
        above = accumulate(counts[:-1], initial=0)
        pieces = pool.map(look, starts, ends, above)
        return read.list_elements([read.take_looked(*piece) for piece in pieces])


def _cut(data: bytes) -> Iterator[int]:
    """Yield where each piece ends: after a line feed, or with the text."""
    end = 0
    while end < len(data):
        end = data.find(b"\n", end + PIECE) + 1 or len(data)
        yield end


def _find_line(data: bytes, number: int) -> int:
    """Return where a line begins, counted from 0; the end of the text if it has no such line."""
    end = 0
    for _ in range(number):
        end = data.find(b"\n", end) + 1 or len(data)
    return end
