"""How long the texts of a column are, before any step that copies them."""

from __future__ import annotations

import polars as pl

from aboveboard.errors import InputError
from aboveboard.formatting import format_count, format_quantity
from aboveboard.storage.formats.content import Whereabouts
from aboveboard.storage.limits import COPIES, LONGEST_LINE, refuse_too_large

SMALL = 1 << 24
"""Bytes of texts that need not be added up: they fit into memory."""


def refuse_long_texts(values: pl.Series, where: str, whereabouts: Whereabouts, called: str) -> None:
    """Raise where a text is too long to be an element, or where all together would not fit.

    A dictionary of Parquet holds a text once for all rows that have it: a small file may stand for
    a large column.

    Parameters
    ----------
    values
        A column of keys, of any type.
    where
        What to call the file in messages.
    whereabouts
        Says where a row stands.
    called
        What to call the column in messages.

    Raises
    ------
    InputError
        If one is longer than a line may be, or all would not fit into memory.
    """
    if isinstance(values.dtype, pl.Categorical | pl.Enum):
        sizes = values.cat.len_bytes()
    elif values.dtype == pl.String:
        sizes = values.str.len_bytes()
    else:
        return
    longest = sizes.max()
    if not isinstance(longest, int):
        return
    if longest > LONGEST_LINE:
        place = f"{where}, {whereabouts(sizes.arg_max() or 0)}"
        problem = f"{called} is longer than {format_count(LONGEST_LINE)} bytes"
        raise InputError(place, problem, "give one element in each row")
    if longest * sizes.len() <= SMALL:
        return
    total = int(sizes.cast(pl.UInt64).sum() or 0)
    stated = f"{called} in {format_quantity(values.len(), 'row')}"
    refuse_too_large(where, memory=COPIES * total, stated=stated)
