"""The elements that a party holds or is handed, each with the row that tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

Form = Literal["txt", "csv", "parquet"]

ELEMENT = "element"
"""Name of the column that holds the element (the key, as text) in `Records.frame`."""


@dataclass(frozen=True)
class Records:
    """What one party holds: its elements, each once, and the rest of each one's row.

    Parameters
    ----------
    frame
        Column `element` (text, no null, no value twice) and the party's other columns, if any.
    form
        How the party sent it and how it wants its reply: lines of text, CSV or Parquet.
    key
        What the party itself calls the element column; None for lines of text.
    """

    frame: pl.DataFrame
    form: Form = "txt"
    key: str | None = None

    def __len__(self) -> int:
        return self.frame.height


def escaped(column: str) -> str:
    """Name a party's column inside `Records.frame`, where `element` is taken by the key.

    Examples
    --------
    >>> escaped("seen"), escaped("element"), escaped("element_")
    ('seen', 'element_', 'element__')
    """
    return f"{column}_" if column.rstrip("_") == ELEMENT else column


def original(column: str) -> str:
    """Undo `escaped`: what the party itself calls the column."""
    return column.removesuffix("_") if column.rstrip("_") == ELEMENT else column
