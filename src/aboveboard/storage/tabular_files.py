"""A data file as a table, whatever its format: CSV, TSV, JSON, Parquet or a workbook.

The systems that read tables of numbers, and the reader of parties' lists, open files here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.storage.formats.content import (
    FileBytes,
    Whereabouts,
    read_content,
    read_file,
)
from aboveboard.storage.formats.csv_comments import Marked
from aboveboard.storage.formats.delimited import read_delimited
from aboveboard.storage.formats.delimited_batches import read_delimited_batches
from aboveboard.storage.formats.encoding import decode
from aboveboard.storage.formats.json_lists import is_json, parse
from aboveboard.storage.formats.json_tables import read_json_table
from aboveboard.storage.formats.parquet import read_parquet_file
from aboveboard.storage.formats.text_tables import Rows, TextTable
from aboveboard.storage.formats.workbook import read_workbook
from aboveboard.storage.kinds import FIELD_LOOKS
from aboveboard.storage.options import DataOptions
from aboveboard.storage.paths import DataPath
from aboveboard.storage.records import Form

JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Table:
    """The rows of a file.

    Parameters
    ----------
    frame
        Its columns: text from CSV, types from Parquet and workbooks.
    whereabouts
        Says in words where a row stands.
    form
        How its owner wants a reply.
    name
        What the file is, in words.
    comments
        Lines of it that are comments.
    header_is_row
        Whether the first row names the columns, as an element could that is meant as one.
    uuids
        The columns whose type says that they hold UUIDs.
    odd
        The rows whose key may not be in the normal form of its kind, or be too long for it; None:
        nobody has looked.
    """

    frame: pl.DataFrame
    whereabouts: Whereabouts
    form: Form
    name: str
    comments: int = 0
    header_is_row: bool = False
    uuids: frozenset[str] = frozenset()
    odd: NDArray[np.int64] | None = None


def read_plain_content(
    source: Path | FileBytes, where: str, options: DataOptions, *, key_alone: bool = False
) -> Table | tuple[bytes, str]:
    """Return the table that a file holds, or the text of a file that is none and its suffix.

    Parameters
    ----------
    source
        The file, or its bytes if they are read already.
    where
        What to call it in messages.
    options
        What the collaboration file says of it.
    key_alone
        As `TextTable` has it.

    Raises
    ------
    InputError
        If the file cannot be read, or is broken or too large.
    """
    content = read_content(source, where)
    if content.container == "parquet":
        wanted = choose_read_columns(options)
        frame, whereabouts, uuids = read_parquet_file(content.data, where, wanted)
        return Table(frame, whereabouts, "parquet", "Parquet", uuids=uuids)
    if content.container == "workbook":
        wanted = choose_read_columns(options)
        frame, whereabouts = read_workbook(content.data, where, options.sheet, options.key, wanted)
        return Table(frame, whereabouts, "csv", "workbook", header_is_row=True)
    data = decode(content.data, where, options.encoding)
    if is_delimited(content.suffix, options):
        if options.delimiter is None and is_json(data):
            problem = f"this is JSON, though it is called {content.suffix}"
            raise InputError(where, problem, "give it the suffix .json")
        asked = _ask_for(options, content.suffix, key_alone=key_alone)
        return _take_rows(read_delimited(data, where, asked), content.suffix)
    return data, content.suffix


def is_delimited(suffix: str, options: DataOptions) -> bool:
    """Return whether a text is a table: its suffix says so, or somebody states a delimiter."""
    return suffix in (".csv", ".tsv") or options.delimiter is not None


def read_table_batches(
    batches: Iterator[tuple[bytes, int]], where: str, suffix: str, options: DataOptions
) -> Iterator[Table]:
    """Yield the rows of a table in text, some at a time.

    Parameters
    ----------
    batches
        As for `read_delimited_batches`.
    where, suffix, options
        Of the file.
    """
    for rows in read_delimited_batches(batches, where, _ask_for(options, suffix)):
        yield _take_rows(rows, suffix)


def _ask_for(options: DataOptions, suffix: str, *, key_alone: bool = False) -> TextTable:
    """Return how a table in text is to be read, in a file of this suffix."""
    return TextTable(
        delimiter=options.delimiter,
        default="\t" if suffix == ".tsv" else ",",
        decimal=options.decimal,
        key=options.key,
        marked=_read_marked(options),
        key_alone=key_alone,
        look=FIELD_LOOKS.get(options.kind) if options.kind else None,
    )


def _take_rows(rows: Rows, suffix: str) -> Table:
    """Return rows of a text as a table."""
    name = name_delimited(suffix)
    frame, whereabouts, comments, odd = rows
    return Table(frame, whereabouts, "csv", name, comments, header_is_row=True, odd=odd)


def name_delimited(suffix: str) -> str:
    """Return what a table in text is called, by its file's suffix."""
    return "TSV" if suffix == ".tsv" else "CSV"


def choose_read_columns(options: DataOptions) -> list[str] | None:
    """Return the columns of a typed table whose values anybody asks for, None for all."""
    if options.columns is None or options.key is None:
        return None
    return [*options.columns, options.key]


def drop_empty_rows(table: Table) -> Table:
    """Leave out rows in which every field is empty, as spreadsheets write them (`;;;`)."""
    if table.form == "parquet" or not all(x.null_count() for x in table.frame.get_columns()):
        return table
    filled = table.frame.select(~pl.all_horizontal(pl.all().is_null())).to_series()
    if filled.all():
        return table
    rows = filled.arg_true()
    return replace(
        table,
        frame=table.frame.filter(filled),
        odd=None,
        whereabouts=lambda row: table.whereabouts(int(rows[row])),
    )


def _read_marked(options: DataOptions) -> Marked:
    """Return what rows are that begin with `#`: comments, where the elements have a kind."""
    if options.kind is None:
        return "unclear"
    return "data" if options.kind == "text" else "comments"


def read_table(
    path: Path, where: str, options: DataOptions | None = None
) -> tuple[pl.DataFrame, Whereabouts]:
    """Read a table from CSV, TSV, JSON, Parquet or a workbook, told apart by how the file begins.

    Parameters
    ----------
    path
        The file; a text file of any suffix that is not JSON is taken for CSV.
    where
        What to call it in messages.
    options
        What the collaboration file says of it; None: what a `DataPath` says, else nothing.

    Returns
    -------
    The rows, and what says in words where a row stands.

    Raises
    ------
    InputError
        If the file cannot be read, is broken or too large, or holds no table.
    """
    if options is None and isinstance(path, DataPath):
        options = path.options
    options = options or DataOptions()
    found = read_plain_content(path, where, options)
    if isinstance(found, Table):
        return found.frame, found.whereabouts
    data, suffix = found
    if suffix in JSON_SUFFIXES or options.path is not None or is_json(data):
        return read_json_table(parse(data, where), options.path, where)
    rows = read_delimited(data, where, _ask_for(options, suffix))
    return rows.frame, rows.whereabouts


def read_csv(path: Path, where: str, separator: str) -> tuple[pl.DataFrame, Whereabouts]:
    """Read a CSV file with this separator, every column as text, byte for byte.

    Raises
    ------
    InputError
        If the file cannot be read or is not CSV.
    """
    content = read_content(path, where)
    if content.container != "text":
        raise InputError(where, f"this is not a CSV file but {content.suffix}", "save it as CSV")
    data = decode(content.data, where, None)
    rows = read_delimited(data, where, TextTable(delimiter=separator, decimal="."))
    return rows.frame, rows.whereabouts


def read_parquet(path: Path, where: str) -> tuple[pl.DataFrame, Whereabouts]:
    """Read a Parquet file, columns with their types; a row's whereabouts are its number.

    Raises
    ------
    InputError
        If the file cannot be read or is not Parquet.
    """
    frame, whereabouts, _ = read_parquet_file(read_file(path, where).data, where)
    return frame, whereabouts
