"""The elements that a party holds or is handed, each with the row that describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import polars as pl

from aboveboard.storage.kinds import Kind
from aboveboard.storage.spilling import StoredRows

Form = Literal["txt", "csv", "parquet"]

ELEMENT = "element"
"""Name of the column that holds the element (the key, as text) in `Records.frame`."""


@dataclass(frozen=True)
class Reading:
    """How a party's data were read, and what of them is not an element.

    Parameters
    ----------
    format
        What the file is, in words: "lines", "CSV", "JSON", ..
    kind
        What its elements are; None where the collaboration file does not say.
    entries
        Lines or rows that say something: elements with their repetitions, and what was left out.
    comments
        Lines that are comments.
    left_out
        Counts of entries that are not elements, by reason.
    samples
        By reason, up to three of them: "line 7: @@||good.example^".
    duplicates
        Entries whose element another entry names too.
    respelled
        Entries that were not in normal form.
    key_type
        Of a key with a type: "number", "yes or no", "date", "time", "instant"; else "text".
    """

    format: str = "list"
    kind: Kind | None = None
    entries: int = 0
    comments: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    duplicates: int = 0
    respelled: int = 0
    key_type: str = "text"

    def as_dict(self) -> dict[str, object]:
        """Return what a manifest records: counts, and no party's own lines."""
        return {
            "format": self.format,
            "kind": self.kind,
            "entries": self.entries,
            "comments": self.comments,
            "left_out": dict(self.left_out),
            "duplicates": self.duplicates,
        }


@dataclass(frozen=True)
class Records:
    """What one party holds: its elements, each once, and the rest of each one's row.

    Parameters
    ----------
    rows
        Column `element` (text, no null, no value twice) and those of the party's other columns that
        may leave it, in its own order; in memory, or in files.
    form
        How the party sent it and how it wants its reply: lines of text, CSV or Parquet.
    key
        What the party itself calls the element column; None for lines of text.
    columns
        The names of all columns of the party's file, in its order, the key among them.
    reading
        How it was read, and what was left out.
    csv
        Whether cells of a CSV reply that a spreadsheet would compute are marked as text.
    """

    rows: pl.DataFrame | StoredRows
    form: Form = "txt"
    key: str | None = None
    columns: tuple[str, ...] = ()
    reading: Reading = field(default_factory=Reading)
    csv: Literal["plain", "escaped"] = "escaped"

    def __len__(self) -> int:
        return self.rows.height

    @property
    def frame(self) -> pl.DataFrame:
        """The rows in memory; those in files are read at every call."""
        return self.rows if isinstance(self.rows, pl.DataFrame) else self.rows.load()

    @property
    def elements(self) -> pl.Series:
        """The elements alone, in memory; of rows in files no other column is read."""
        if isinstance(self.rows, pl.DataFrame):
            return self.rows[ELEMENT]
        return self.rows.load([ELEMENT])[ELEMENT]

    @property
    def schema(self) -> pl.Schema:
        """Columns and types of the rows."""
        return self.rows.schema

    def with_frame(self, frame: pl.DataFrame) -> Records:
        """Return the same party's records with other rows."""
        return replace(self, rows=frame)

    @property
    def columns_that_leave(self) -> tuple[str, ...]:
        """Names of the columns, beside the key, that others are handed with an element."""
        return tuple(restore_column(name) for name in self.schema if name != ELEMENT)


def escape_column(column: str) -> str:
    """Return a party's column's name inside `Records.frame`, where `element` is the key's.

    Names that polars takes for a pattern of names (`*`, `^a.*$`) are no names there.

    Examples
    --------
    >>> escape_column("seen"), escape_column("element"), escape_column("element_")
    ('seen', 'element_', 'element__')
    >>> escape_column("*"), escape_column("^a.*$")
    ('*_', '^a.*$_')
    """
    return f"{column}_" if _is_taken(column.rstrip("_")) else column


def _is_taken(name: str) -> bool:
    """Return whether a column of a party cannot have this name inside `Records.frame`."""
    return name in (ELEMENT, "*") or (name.startswith("^") and name.endswith("$"))


def restore_column(column: str) -> str:
    """Return what the party itself calls a column of `Records.frame`: undoes `escape_column`.

    Examples
    --------
    >>> restore_column("element_"), restore_column("seen")
    ('element', 'seen')
    """
    return column.removesuffix("_") if _is_taken(column.rstrip("_")) else column
