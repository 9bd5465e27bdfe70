"""Columns of domain names, many at a time: which are in normal form, as `domain.NORMAL` says.

A pattern goes from byte to byte, and takes longer than to read the file. Here each of its rules is
one look at all bytes of some thousand names.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.storage.bit_masks import (
    TEXT_BYTES,
    Mask,
    TextBytes,
    add_starts,
    find_ranks,
    mark_following,
)
from aboveboard.storage.kinds import domain

ROWS = 1 << 16
"""Names that are joined to one text."""

PIECE = 1 << 18
"""Bytes looked at together: they and their masks stay near the processor."""


def find_normal_names(texts: pl.Series) -> pl.Series:
    r"""Return which texts the pattern of names shows to be in normal form: Boolean, no null.

    Parameters
    ----------
    texts
        String. What is longer than one label may be is never shown to be so.

    Examples
    --------
    >>> texts = pl.Series(["a.example", "a-.example", None, "a.example\n", "a.1"])
    >>> find_normal_names(texts).to_list()
    [True, False, False, False, False]
    """
    short = texts.str.len_bytes() <= domain.LONGEST_LABEL
    if texts.null_count() or not short.all():
        texts = texts.set(~short, None).fill_null("")
    parts = [_find_normal(texts.slice(at, ROWS)) for at in range(0, texts.len(), ROWS)]
    return pl.Series("element", np.concatenate(parts) if parts else [], dtype=pl.Boolean)


def _find_normal(texts: pl.Series) -> NDArray[np.bool_]:
    """Return which texts are in normal form; none is null or long."""
    joined = texts.str.join("\n").cast(pl.Binary).item()
    names, view, low_lines = TEXT_BYTES, memoryview(joined), b"_" in joined
    fits, row, start = np.ones(texts.len(), np.bool_), 0, 0
    while start <= len(joined):
        end = joined.rfind(b"\n", start, start + PIECE) if start + PIECE < len(joined) else -1
        end = len(joined) if end < 0 else end
        names.fill(view[start:end])
        feeds = names.drop_filling(names.mark("\n"))
        rows = int(np.bitwise_count(feeds).sum())
        if row + rows > fits.size:  # a line feed stands in a text
            return texts.str.contains(domain.NORMAL).to_numpy()
        odd = _mark_odd(names, feeds, low_lines=low_lines)
        if odd.any():
            # From wherever a name is odd to its end, which is the line feed.
            ends = feeds & (odd | _carry(odd & ~feeds, ~feeds))
            fits[row + find_ranks(ends, feeds)] = False
        row, start = row + rows, end + 1
    return fits


def _mark_odd(names: TextBytes, feeds: Mask, *, low_lines: bool) -> Mask:
    """Return where names break a rule of the pattern; those of the last label at their end.

    Parameters
    ----------
    names
        Each with a line feed after it.
    feeds
        Where these are.
    low_lines
        Whether there are any.
    """
    letters, dots = names.mark("az"), names.mark(".")
    signs = letters | names.mark("09")
    if low_lines:
        signs |= (lines := names.mark("_"))
    borders = dots | feeds
    others = borders | names.mark("-")
    odd = ~(signs | others)
    # No two of dots, hyphens and ends stand beside each other.
    beside = mark_following(others)
    beside[0] |= 1
    odd |= beside & others
    # The last label follows a dot, begins with a letter and has no low line.
    labels = ~borders
    odd |= feeds & ~_carry(mark_following(dots) & letters, labels)
    if low_lines:
        odd |= feeds & _carry(lines, labels)
    return names.drop_filling(odd)


def _carry(starts: Mask, runs: Mask) -> Mask:
    """Return starts carried to the ends of their runs; names so short have no long ones."""
    passed = add_starts(starts, runs)
    assert passed is not None
    return passed
