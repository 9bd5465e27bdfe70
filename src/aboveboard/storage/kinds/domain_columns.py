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
    Fields,
    Mask,
    add_starts,
    find_ranks,
    mark_following,
    take_lines,
)
from aboveboard.storage.kinds import domain

ROWS = 1 << 16
"""Names that are joined to one text."""

PIECE = 1 << 20
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
    fits, row, start = np.ones(texts.len(), np.bool_), 0, 0
    while start <= len(joined):
        end = joined.rfind(b"\n", start, start + PIECE) if start + PIECE < len(joined) else -1
        end = len(joined) if end < 0 else end
        TEXT_BYTES.fill(joined, start, end)
        names = take_lines(TEXT_BYTES)
        rows = int(np.bitwise_count(names.ends).sum())
        if row + rows > fits.size:  # a line feed stands in a text
            return texts.str.contains(domain.NORMAL).to_numpy()
        odd = mark_odd_names(names)
        if odd.any():
            fits[row + find_ranks(odd, names.ends)] = False
        row, start = row + rows, end + 1
    return fits


def mark_odd_names(names: Fields) -> Mask:
    """Return the ends of names that break a rule of the pattern, however long they are.

    Parameters
    ----------
    names
        None is longer than a run whose end is found.
    """
    text, starts, inside, ends = names
    letters = text.mark("az")
    signs = letters | text.mark("09")
    lines = text.mark("_") & inside if text.has("_") else None
    if lines is not None:
        signs |= lines
    dots = text.mark(".") & inside
    borders = others = dots | ends
    odd = inside & ~(signs | dots)
    if odd.any():
        hyphens = odd & text.mark("-")
        odd ^= hyphens
        others = borders | hyphens
    # No two of dots, hyphens and ends stand beside each other.
    odd |= (mark_following(others) | starts) & others
    # The last label follows a dot, begins with a letter and has no low line.
    labels = ~borders
    odd |= ends & ~_carry(mark_following(dots) & letters, labels)
    if lines is not None:
        odd |= ends & _carry(lines, labels)
    # From wherever a name is odd to its end.
    return ends & (odd | _carry(odd & ~ends, ~ends)) if odd.any() else odd


def _carry(starts: Mask, runs: Mask) -> Mask:
    """Return starts carried to the ends of their runs, which are no longer than a name."""
    passed = add_starts(starts, runs)
    assert passed is not None
    return passed
