"""The elements of a reply file, as its receiver reads them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl

from aboveboard.errors import InputError


def read_elements(path: Path, name: str, opened: Collection[str]) -> tuple[list[bytes], bool]:
    """Return the elements of a reply, and whether its rows have other columns, too.

    Parameters
    ----------
    path
        The reply: lines of text, CSV or Parquet; of a table the first column that holds only
        elements that were opened.
    name
        Its name, whose ending tells its form.
    opened
        The elements that the evidence opens; in CSV a cell may have a mark before it, so that no
        spreadsheet computes it.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    known = frozenset(opened)
    try:
        if name.endswith(".parquet"):
            frame = pl.read_parquet(path)
        elif name.endswith(".csv"):
            frame = pl.read_csv(path, infer_schema=False)
        else:
            lines = path.read_text(encoding="utf-8").split("\n")
            return [line.encode("utf-8") for line in lines if line], False
        texts = frame.cast(pl.String).get_columns()  # lists, and bytes that are not UTF-8, refuse
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), "the reply cannot be read", "copy it once more") from error
    columns = [_unmark(column, known) for column in texts]
    best = max(columns, key=lambda cells: sum(c in known for c in cells), default=[])
    return [cell.encode("utf-8") for cell in best], len(columns) > 1


def _unmark(column: pl.Series, known: frozenset[str]) -> list[str]:
    cells = [cell or "" for cell in column.to_list()]
    return [c[1:] if c not in known and c[:1] == "'" and c[1:] in known else c for c in cells]
