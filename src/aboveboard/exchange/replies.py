"""What a party finds in its reply: the elements handed to it, with their rows where it wants rows.

A row comes from the first owner by name, so a reply is the same whatever the order of parties,
files and rows. A reply's columns are those of all the other parties, whoever's rows it holds: what
a column is called, and its type, do not depend on which elements were handed out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from aboveboard.exchange.handout import select_elements
from aboveboard.exchange.ownership import Ownership
from aboveboard.storage.records import ELEMENT, Records, restore_column


@dataclass(frozen=True)
class Replies:
    """All replies of one settlement, made when they are asked for.

    The rows of all elements are gathered once, at the first reply; each reply is a slice of them,
    and only one need be in memory at a time.

    Parameters
    ----------
    ownership
        Of these very records, from `own`.
    records
        What each party holds.
    amounts, seed
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

    @cached_property
    def _chosen(self) -> dict[str, np.ndarray]:
        return select_elements(self.ownership, self.amounts, self.seed)

    @cached_property
    def _rows(self) -> pl.DataFrame:
        columns = sorted({c for party in self.amounts for c in _columns(party, self.records)})
        elements = self.ownership.elements.select(ELEMENT)
        return _with_rows(elements, self.ownership.first_rows, columns, self.records)

    def to(self, party: str) -> pl.DataFrame:
        """Make one party's reply.

        For lines of text: the column `element`. For CSV and Parquet whole rows, sorted by element:
        the receiver's own name for the key first, then the other parties' other columns sorted by
        name, null where the row's owner has no such column. A column of several types has their
        common supertype, or is text where they have none.
        """
        columns = _columns(party, self.records)
        reply = self._rows.select(ELEMENT, *columns)[self._chosen[party]]
        return _in_the_words_of(self.records[party], reply)


def _columns(receiver: str, records: Mapping[str, Records]) -> list[str]:
    """List the columns that a reply has beside the element, under their names in `Records`."""
    if records[receiver].form == "txt":
        return []
    others = (records[name].frame.columns for name in records if name != receiver)
    return sorted({column for columns in others for column in columns} - {ELEMENT})


def _with_rows(
    elements: pl.DataFrame, rows: np.ndarray, columns: list[str], records: Mapping[str, Records]
) -> pl.DataFrame:
    """Append to each element these columns of its row, numbered as by `end_to_end`."""
    if not columns:
        return elements
    frames = [records[name].frame for name in sorted(records)]
    types = {
        column: _shared_type([frame.schema.get(column) for frame in frames]) for column in columns
    }
    laid = pl.concat(
        [
            frame.select(
                ELEMENT,
                *(
                    _converted(column, frame.schema[column], types[column])
                    for column in columns
                    if column in frame.columns
                ),
            )
            for frame in frames
        ],
        how="diagonal",
    )
    return elements.hstack(laid.select(columns)[rows])


def _shared_type(types: Sequence[pl.DataType | None]) -> pl.DataType:
    """Find the type that a column has in a reply, given its type with each party that has it."""
    known = list(dict.fromkeys(dtype for dtype in types if dtype is not None))
    if len(known) == 1:
        return known[0]
    text = pl.String()
    if text in known:
        return text
    empty = [pl.Series("", [], dtype=dtype).to_frame() for dtype in known]
    try:
        shared = pl.concat(empty, how="vertical_relaxed").dtypes[0]
    except pl.exceptions.PolarsError:
        return text
    # Of signed and unsigned integers polars makes floats, which lose digits, or integers of 128
    # bits, which other readers of Parquet do not know.
    integers = all(dtype.is_integer() for dtype in known)
    return text if integers and (shared.is_float() or shared == pl.Int128) else shared


def _converted(column: str, held: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    if held == wanted:
        return pl.col(column)
    return _as_text(column, held) if wanted == pl.String else pl.col(column).cast(wanted)


def _as_text(column: str, held: pl.DataType) -> pl.Expr:
    """Write values as text: nested ones as JSON, bytes in hexadecimal, durations as ISO says."""
    values = pl.col(column)
    if held == pl.Binary:
        return values.bin.encode("hex")
    if held == pl.Duration:
        return values.dt.to_string("iso")
    if not held.is_nested():
        return values.cast(pl.String)
    wrapped = pl.struct(values.alias("_")).struct.json_encode()
    bare = wrapped.str.strip_prefix('{"_":').str.strip_suffix("}")
    return pl.when(values.is_not_null()).then(bare).alias(column)


def _in_the_words_of(receiver: Records, reply: pl.DataFrame) -> pl.DataFrame:
    """Give columns the names their owners know them by, and the types the receiver's form has."""
    if receiver.key is None:
        return reply
    if receiver.form == "csv":
        no_csv = [
            column
            for column, dtype in reply.schema.items()
            if dtype in (pl.Binary, pl.Duration) or dtype.is_nested()
        ]
        reply = reply.with_columns(_as_text(column, reply.schema[column]) for column in no_csv)
    columns = [restore_column(column) for column in reply.columns[1:]]
    if receiver.key in columns:
        # Another party's column bears the name of the receiver's key: the key keeps it.
        renamed = receiver.key + "_"
        while renamed in columns:
            renamed += "_"
        columns[columns.index(receiver.key)] = renamed
    return reply.rename(dict(zip(reply.columns, [receiver.key, *columns], strict=True)))
