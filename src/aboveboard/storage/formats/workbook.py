"""Workbooks, .xlsx and .ods: the one sheet that holds something, or the one that is named.

polars reads them with fastexcel, which the extra `tables` brings.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection
from typing import Any

import polars as pl

from aboveboard.errors import InputError
from aboveboard.formatting import join_names
from aboveboard.storage.formats.content import Whereabouts
from aboveboard.storage.formats.unclear_cells import refuse_unclear_cells
from aboveboard.storage.limits import refuse_too_large

# fastexcel warns of empty columns and of sheets that are none, some in words of the file.
for _name in ("fastexcel", "calamine"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

SHEETS_LISTED = 8
"""Sheets named in a message."""

TIME, MIDNIGHT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$", " 00:00:00"
"""How a time is written in a column that holds texts, too; and its end if it is a date."""

MOST_WHOLE = float(1 << 53)
"""Largest number up to which floats have every integer."""


def read_workbook(
    data: bytes, where: str, sheet: str | None, key: str | None, wanted: Collection[str] | None
) -> tuple[pl.DataFrame, Whereabouts]:
    """Read one sheet of a workbook, its first row as header; columns with their types.

    Parameters
    ----------
    data
        The workbook.
    where
        What to call it in messages.
    sheet
        The sheet's name; None: the one that holds something.
    key
        The column that holds the elements; None: nobody says.
    wanted
        The columns whose values anybody asks for; None: all. In others cells may show errors.

    Raises
    ------
    InputError
        The workbook is broken, or fastexcel is not there; there is no such sheet, or none is named
        and several hold something; the header leaves a column without a name or names one twice;
        cells are merged, or show an error in a column that is wanted.
    """
    try:
        import fastexcel
    except ImportError:
        problem = "this is a workbook, and the package fastexcel is not there"
        remedy = "save the sheet as CSV, or pip install 'aboveboard[tables]'"
        raise InputError(where, problem, remedy) from None
    try:
        book = fastexcel.read_excel(data)
        name = _choose_sheet(book, where, sheet)
        # Without a header first: one that is repeated would be renamed, silently. What stands
        # above it is empty, and skipped.
        loaded = book.load_sheet(name, header_row=None, n_rows=1, dtypes="string")
        whole = book.load_sheet(name, header_row=None, n_rows=1, skip_rows=0, dtypes="string")
        above = whole.total_height - loaded.total_height
        head = loaded.to_polars()
        refuse_too_large(where, rows=loaded.total_height, columns=loaded.width)
        names = [str(value or "").strip() for value in head.row(0)] if head.height else []
        rows = book.load_sheet(
            name,
            header_row=None,
            skip_rows=above + 1,
            schema_sample_rows=None,
            dtype_coercion="coerce",
        ).to_polars()
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        problem = f"this workbook cannot be read ({first})"
        raise InputError(where, problem, "save it again, or save the sheet as CSV") from None
    at = [column.absolute_index + 1 for column in loaded.available_columns()]
    named = {column: called for column, called in zip(at, names, strict=False) if called}
    unread = set() if wanted is None else {column for column, n in named.items() if n not in wanted}
    optional = {column for column, n in named.items() if key not in (None, n)}
    refuse_unclear_cells(data, name, where, above + 1, unread, optional)
    return _with_header(rows, names, where, name, above)


def _choose_sheet(book: Any, where: str, sheet: str | None) -> str:
    names: list[str] = list(book.sheet_names)
    shown = join_names([repr(name) for name in names[:SHEETS_LISTED]])
    if sheet is not None:
        if sheet not in names:
            raise InputError(where, f"there is no sheet {sheet!r}", f"the sheets are: {shown}")
        return sheet
    load = book.load_sheet
    filled = [name for name in names if load(name, header_row=None, n_rows=1).height]
    if not filled:
        raise InputError(where, "this workbook is empty", "name one that holds a table")
    if len(filled) > 1:
        problem = "several sheets of this workbook hold something"
        raise InputError(where, problem, f"set sheet to one of: {shown}")
    return filled[0]


def _with_header(
    rows: pl.DataFrame, names: list[str], where: str, sheet: str, above: int
) -> tuple[pl.DataFrame, Whereabouts]:
    place = f"{where}, sheet {sheet!r}, row {above + 1}"
    if rows.width < len(names):
        missing = [pl.lit(None, pl.String).alias(f"__{at}") for at in range(rows.width, len(names))]
        rows = rows.with_columns(missing)
    names = [*names, *[""] * (rows.width - len(names))]
    kept = [
        (name, column)
        for name, column in zip(names, rows.get_columns(), strict=True)
        if name or column.null_count() < rows.height
    ]
    if any(not name for name, _ in kept):
        problem = "the header leaves a column without a name"
        raise InputError(
            place, problem, "name every column, and remove what stands above the header"
        )
    twice = [name for name, count in Counter(name for name, _ in kept).items() if count > 1]
    if twice:
        problem = f"the header names {twice[0]!r} more than once"
        raise InputError(place, problem, "give every column a name of its own")
    frame = pl.DataFrame([_as_whole(column).alias(name) for name, column in kept])
    frame = frame.with_row_index("__row__", offset=above + 2)
    frame = frame.filter(~pl.all_horizontal(pl.exclude("__row__").is_null()))
    numbers = frame["__row__"]
    return frame.drop("__row__"), lambda row: f"sheet {sheet!r}, row {numbers[row]}"


def _as_whole(column: pl.Series) -> pl.Series:
    """Return whole numbers as integers, and times at midnight as dates.

    A workbook has no numbers but floats, and no dates but times.
    """
    if isinstance(column.dtype, pl.Datetime) and column.null_count() < column.len():
        at_midnight = (column.dt.truncate("1d") == column).all()
        return column.cast(pl.Date) if at_midnight else column
    if column.dtype == pl.String:  # dates among texts come with their time
        times = column.str.contains(TIME).fill_null(value=False)
        if times.any() and column.filter(times).str.ends_with(MIDNIGHT).all():
            return column.str.strip_suffix(MIDNIGHT).zip_with(times, column)
        return column
    if column.dtype != pl.Float64 or column.null_count() == column.len():
        return column
    values = column.drop_nulls()
    whole = values.is_finite().all() and (values.abs() < MOST_WHOLE).all()
    return column.cast(pl.Int64) if whole and (values == values.floor()).all() else column
