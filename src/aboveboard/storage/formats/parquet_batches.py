"""Parquet group of rows by group of rows: memory is that of some groups, not of the file.

Only what polars reads plainly is read so; every other file is read whole, and refused there if
there is a fault in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from aboveboard.storage.formats.content import ReadWholeError
from aboveboard.storage.formats.parquet import silent
from aboveboard.storage.formats.parquet_footer import (
    Footer,
    FooterError,
    LargeTextError,
    check_pages,
    read_footer,
)
from aboveboard.storage.limits import refuse_too_large

ROWS = 1 << 18
"""Rows that are read together, unless one group has more."""

BYTES = 1 << 26
"""Bytes in memory of the groups that are read together, unless one takes more."""

PEAK = 6
"""Times the size of groups in memory that it takes to read them, to write them for ourselves, and
to read back what is one part, as equal rows are."""

ONE_CATEGORICAL = (1, 32)
"""The first version of polars in which batches of one column of categories fit together."""


def read_parquet_batches(
    path: Path, where: str, columns: list[str] | None
) -> Iterator[tuple[pl.DataFrame, int]]:
    """Yield the rows of a file, and how many stand above them.

    Parameters
    ----------
    path
        The file, which nobody else can change.
    where
        What to call it in messages.
    columns
        Those to read, in the file's order; None, or if one of them is not there: all.

    Raises
    ------
    ReadWholeError
        If it must be read whole.
    InputError
        If some groups of rows would not fit into memory.
    """
    footer, chosen = _look_at(path, columns)
    names = footer.columns
    plan = pl.scan_parquet(path, glob=False).select(pl.nth([names.index(x) for x in chosen]))
    try:
        with silent:
            schema = plan.collect_schema()
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise ReadWholeError from error
    if not all(map(_is_plain, schema.dtypes())):
        raise ReadWholeError
    at = 0
    for rows, memory in _join_groups(footer, frozenset(chosen)):
        refuse_too_large(where, rows=footer.rows, columns=len(chosen), memory=PEAK * memory)
        try:
            with silent:
                frame = plan.slice(at, rows).collect()
        except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise ReadWholeError from error
        if frame.height != rows:
            raise ReadWholeError
        yield frame, at
        at += rows


def _look_at(path: Path, columns: list[str] | None) -> tuple[Footer, list[str]]:
    """Return what a file says of itself, and the columns to read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            footer = read_footer(file, size)
            names = footer.columns
            chosen = [name for name in names if name in columns] if columns else list(names)
            if len(set(names)) < len(names) or not footer.rows or len(chosen) < len(columns or ()):
                raise ReadWholeError
            wanted = frozenset(chosen)
            odd = check_pages(file, size, footer, wanted)
        except (FooterError, LargeTextError) as error:
            raise ReadWholeError from error
    if odd or wanted & (footer.find_int96() | footer.uuids):
        raise ReadWholeError
    return footer, chosen


def _is_plain(dtype: pl.DataType) -> bool:
    """Return whether batches of a column fit together as they are."""
    extension = getattr(pl, "BaseExtension", None) or getattr(pl, "Extension", None)
    if extension is not None and isinstance(dtype, extension):
        return False
    version = tuple(int(part) for part in pl.__version__.split(".")[:2])
    return not isinstance(dtype, pl.Categorical) or version >= ONE_CATEGORICAL


def _join_groups(footer: Footer, wanted: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Yield the rows and the bytes in memory of groups that are read together."""
    rows = memory = 0
    for more, taken in zip(footer.groups, footer.estimate_groups(wanted), strict=True):
        if rows and (rows + more > ROWS or memory + taken > BYTES):
            yield rows, memory
            rows = memory = 0
        rows, memory = rows + more, memory + taken
    if rows:
        yield rows, memory
