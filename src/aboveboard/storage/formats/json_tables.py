"""Rows in JSON: a list of objects, or JSON lines of them; each field is a column.

`path` says where the objects are, such as `data[]`; without one they are the list itself, or the
one list of objects that the file holds.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from aboveboard.errors import InputError
from aboveboard.formatting import format_quantity, join_names
from aboveboard.storage.formats.content import Whereabouts
from aboveboard.storage.formats.json_paths import PATHS_LISTED, add_field, follow_path, parse_path
from aboveboard.storage.limits import refuse_too_large

CELL = 16
"""Bytes in memory of a cell, without what it says."""


def read_json_table(
    values: list[Any], path: str | None, where: str
) -> tuple[pl.DataFrame, Whereabouts]:
    """Return a table of JSON.

    Parameters
    ----------
    values
        From `json_lists.parse`.
    path
        Where the objects are; None: they are the values, or the one list of objects.
    where
        What to call the file in messages.

    Raises
    ------
    InputError
        There are no objects at the path, or no path and several lists of them; a row is not an
        object; a column holds lists or objects.
    """
    if path is None:
        path = _find_only_path(values, where)
    steps = parse_path(path, where)
    rows = [row for value in values for row in follow_path(value, steps)]
    called = "line" if len(values) > 1 and len(rows) == len(values) else "entry"
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            problem = f"{called} {number} at path {path!r} is not an object with fields"
            raise InputError(where, problem, "set path to a list of objects, such as data[]")
    if not rows:
        raise InputError(where, f"there are no rows at path {path!r}", "set path to the rows")
    names = list(dict.fromkeys(name for row in rows for name in row))
    stated = f"{format_quantity(len(rows), 'row')} of {format_quantity(len(names), 'column')}"
    memory = CELL * len(rows) * len(names)  # rows may name columns that no other row has
    refuse_too_large(where, columns=len(names), memory=memory, stated=stated)
    columns = [_make_column(name, [row.get(name) for row in rows], where) for name in names]
    return pl.DataFrame(columns), lambda row: f"{called} {row + 1}"


def _find_only_path(values: list[Any], where: str) -> str:
    """Return the path to the rows where there is one possible place for them."""
    if len(values) > 1 or (isinstance(values[0], list) and values[0]):
        return ""
    found = list(dict.fromkeys(_find_lists(values[0], "")))
    if len(found) == 1:
        return found[0]
    problem = "nothing says where in this JSON the rows are"
    if not found:
        raise InputError(where, problem, "write a list of objects, one for each row")
    shown = join_names([repr(path) for path in found[:PATHS_LISTED]])
    raise InputError(where, problem, f"set path to one of: {shown}")


def _find_lists(value: Any, path: str) -> list[str]:
    """Return the paths of lists of objects; what is inside of them is a row's own."""
    if isinstance(value, list):
        return [f"{path}[]"] if value and all(isinstance(x, dict) for x in value) else []
    if not isinstance(value, dict):
        return []
    found = []
    for key, inner in value.items():
        found += _find_lists(inner, add_field(path, key))
    return found


def _make_column(name: str, cells: list[Any], where: str) -> pl.Series:
    """Return a column: numbers or truth values if all are; of several types text."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds & {dict, list}:
        problem = f"the column {name!r} holds lists or objects"
        raise InputError(where, problem, "give each row one value for each column")
    if kinds == {int} and all(-(1 << 63) <= cell < 1 << 63 for cell in cells if cell is not None):
        return pl.Series(name, cells, dtype=pl.Int64)
    if kinds and kinds <= {int, float}:
        try:
            floats = [None if cell is None else float(cell) for cell in cells]
        except OverflowError as error:
            problem = f"the column {name!r} holds a number beyond those of a float"
            raise InputError(where, problem, "write it as text") from error
        return pl.Series(name, floats, dtype=pl.Float64)
    if kinds == {bool}:
        return pl.Series(name, cells, dtype=pl.Boolean)
    return pl.Series(name, [_write(cell) for cell in cells], dtype=pl.String)


def _write(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return str(cell).lower() if isinstance(cell, bool) else str(cell)
