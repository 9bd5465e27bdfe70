"""What a party finds in its reply: the elements handed to it, with their rows where it wants rows.

Which row stands for an element that several own is decided in `conflicts`. A reply is the same
whatever the order and the names of parties, files and rows. Its columns are those of all the other
parties, whatever rows it holds: their names and types do not depend on which elements were handed
out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from aboveboard.exchange.columns import as_text, convert, find_common_type
from aboveboard.exchange.conflicts import ChosenRows, choose_rows
from aboveboard.exchange.handout import select_elements
from aboveboard.exchange.ownership import Ownership
from aboveboard.storage.cells import mark_formula, mark_name
from aboveboard.storage.records import ELEMENT, Records, restore_column


@dataclass(frozen=True)
class Replies:
    """All replies of one settlement, made on demand.

    The rows of all elements are gathered once, at the first reply; each reply is a slice of them,
    and only one has to be in memory at a time.

    Parameters
    ----------
    ownership
        Of these very records, from `own`.
    records
        What each party holds.
    amounts, seed, first
        As in `chosen`, which says which elements.

    Raises
    ------
    ValueError
        If an amount is negative, or more than a party lacks.
    """

    ownership: Ownership
    records: Mapping[str, Records]
    amounts: Mapping[str, int]
    seed: int
    first: int = 0

    @cached_property
    def _selected(self) -> dict[str, np.ndarray]:
        return select_elements(self.ownership, self.amounts, self.seed, self.first)

    @cached_property
    def _rows(self) -> pl.DataFrame:
        columns = sorted({c for party in self.amounts for c in list_columns(party, self.records)})
        elements = self.ownership.elements.select(ELEMENT)
        return _with_rows(elements, self._chosen_rows.rows, columns, self.records)

    @cached_property
    def _chosen_rows(self) -> ChosenRows:
        return choose_rows(self.ownership.elements[ELEMENT], self.records, self.seed)

    @property
    def conflicts(self) -> int:
        """How many elements have owners whose rows differ; 0 where fewer than two send rows."""
        senders = [r for r in self.records.values() if r.form != "txt"]
        return self._chosen_rows.conflicts if len(senders) > 1 else 0

    def list_elements(self, party: str) -> pl.Series:
        """Return the elements that one party is handed."""
        return self.ownership.elements[ELEMENT][self._selected[party]]

    def make_reply(self, party: str) -> pl.DataFrame:
        """Return one party's reply.

        For lines of text: the column `element`. For CSV and Parquet whole rows, sorted by element:
        the other parties' columns, null where the row's owner has no such column. Those that the
        receiver has too, its key among them, come first, in the order of its file; the others are
        sorted by name. A column of several types has their
        common supertype, or is text where they have none.
        """
        columns = list_columns(party, self.records)
        reply = self._rows.select(ELEMENT, *columns)[self._selected[party]]
        return reply.select(write_columns(self.records[party], reply.schema))


def list_columns(receiver: str, records: Mapping[str, Records]) -> list[str]:
    """List the columns that a reply has beside the element, under their names in `Records`."""
    if records[receiver].form == "txt":
        return []
    others = (records[name].schema for name in records if name != receiver)
    return sorted({column for columns in others for column in columns} - {ELEMENT})


def find_types(columns: list[str], records: Mapping[str, Records]) -> dict[str, pl.DataType]:
    """Return the type of each column in replies."""
    schemas = [records[name].schema for name in sorted(records)]
    return {c: find_common_type([schema.get(c) for schema in schemas]) for c in columns}


def _with_rows(
    elements: pl.DataFrame, rows: np.ndarray, columns: list[str], records: Mapping[str, Records]
) -> pl.DataFrame:
    """Append to each element these columns of its row, numbered as in `conflicts`."""
    if not columns:
        return elements
    frames = [records[name].frame for name in sorted(records)]
    types = find_types(columns, records)
    laid = pl.concat(
        [
            frame.select(
                ELEMENT,
                *(
                    convert(column, frame.schema[column], types[column])
                    for column in columns
                    if column in frame.columns
                ),
            )
            for frame in frames
        ],
        how="diagonal",
    )
    numbers = pl.Series(rows)
    numbers = numbers.set(numbers < 0, None)  # no owner has rows
    return elements.hstack(laid.select(pl.col(c).gather(numbers) for c in columns))


def write_columns(receiver: Records, schema: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    """Return a reply's columns under the names that the owners use, with the types of its form.

    Parameters
    ----------
    receiver
        Who is handed the reply.
    schema
        The element, and the columns beside it under their names in `Records`.
    """
    if receiver.key is None:
        return [pl.col(ELEMENT)]
    names = dict(zip(schema, _name_columns(receiver, list(schema)), strict=True))
    columns = {
        names[column]: (*_write_for(receiver, column, dtype), column)
        for column, dtype in schema.items()
    }
    own = [name for name in receiver.columns if name in columns]
    escaped = receiver.form == "csv" and receiver.csv == "escaped"
    written = []
    for name in (*own, *(name for name in columns if name not in own)):
        values, dtype, _ = columns[name]
        values = mark_formula(values, dtype) if escaped else values
        written.append(values.alias(mark_name(name) if escaped else name))
    return written


def _name_columns(receiver: Records, schema: list[str]) -> list[str]:
    """Return the names of a reply's columns, the receiver's own name of the key first."""
    assert receiver.key is not None
    columns = [restore_column(column) for column in schema[1:]]
    if receiver.key in columns:
        # Another party's column has the name of the receiver's key: the key keeps it.
        renamed = receiver.key + "_"
        while renamed in columns:
            renamed += "_"
        columns[columns.index(receiver.key)] = renamed
    return [receiver.key, *columns]


def _write_for(receiver: Records, column: str, dtype: pl.DataType) -> tuple[pl.Expr, pl.DataType]:
    """Return a column as the receiver's form has it, and its type there."""
    not_in_csv = dtype in (pl.Binary, pl.Duration) or dtype.is_nested()
    if receiver.form == "csv" and not_in_csv:
        return as_text(column, dtype), pl.String()
    return pl.col(column), dtype
