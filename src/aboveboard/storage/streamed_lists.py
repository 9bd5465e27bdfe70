"""A party's large list, read batch by batch onto a shelf: memory does not grow with its rows.

What a batch says, `intake` counts; the elements of all batches go to the shelf, which parts them,
writes them to disk and takes out those that come twice. So the records are those of a list that is
read whole, but for the order of rows. What cannot be read so (a format that needs all of a file) is
left to `party_data`.

What is parsed is what is fingerprinted: a Parquet file, which is read at several places, is copied
into the shelf's private folder first; a text is fingerprinted as it is read.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from aboveboard.storage.formats.content import (
    PARQUET,
    describe_os_error,
    open_regular_file,
)
from aboveboard.storage.formats.parquet_batches import ReadWholeError, read_parquet_batches
from aboveboard.storage.intake import Intake
from aboveboard.storage.options import DataOptions
from aboveboard.storage.records import Form, Records
from aboveboard.storage.shelf import GrowingList, Shelf
from aboveboard.storage.spilling import describe_full_disk
from aboveboard.storage.tabular_files import Table, choose_read_columns

LARGE = 1 << 25
"""Bytes of a file from which on it is read batch by batch."""

STEP = 1 << 22
"""Bytes that are copied at a time."""


def stream_records(
    path: Path, *, place: str, options: DataOptions | None, shelf: Shelf
) -> tuple[Records, str] | None:
    """Read what one party holds batch by batch; None where the file must be read whole.

    Parameters
    ----------
    path
        The file.
    place
        Where the user named it, for messages.
    options
        What the collaboration file says of it; None: nothing.
    shelf
        Where its rows go.

    Returns
    -------
    The records, and the SHA-256 of the file in hexadecimal.

    Raises
    ------
    InputError
        As `read_records` does.
    """
    where = f"{place}: {path}"
    try:
        with open_regular_file(path, where) as file:
            if os.fstat(file.fileno()).st_size < LARGE:
                return None
            start = file.read(4)
            file.seek(0)
            if start != PARQUET:
                return None
            with _copy_privately(file, shelf) as (copy, digest):
                found = _stream_parquet(copy, where, options or DataOptions(), shelf)
    except OSError as error:
        raise describe_os_error(error, where) from error
    return None if found is None else (found, digest)


@contextmanager
def _copy_privately(file: Any, shelf: Shelf) -> Iterator[tuple[Path, str]]:
    """Yield a copy of an open file in the shelf's folder, and its SHA-256."""
    copy, found = shelf.folder.path / f"{secrets.token_hex(8)}.parquet", hashlib.sha256()
    try:
        with describe_full_disk(), copy.open("wb") as out:
            while piece := file.read(STEP):
                found.update(piece)
                out.write(piece)
        yield copy, found.hexdigest()
    finally:
        copy.unlink(missing_ok=True)


def _stream_parquet(copy: Path, where: str, options: DataOptions, shelf: Shelf) -> Records | None:
    columns = choose_read_columns(options)

    def read(intake: Intake) -> Iterator[pl.DataFrame]:
        for frame, before in read_parquet_batches(copy, where, columns):
            table = Table(frame, partial(_name_row, before), "parquet", "Parquet")
            yield intake.take_table(table, before)

    return _collect(read, Intake(where, options), shelf, "Parquet", "parquet")


def _name_row(before: int, row: int) -> str:
    return f"row {before + row + 1}"


def _collect(
    read: Callable[[Intake], Iterator[pl.DataFrame]],
    intake: Intake,
    shelf: Shelf,
    name: str,
    form: Form,
) -> Records | None:
    """Return the records of which `read` yields the elements; None if it cannot go on."""
    grown = GrowingList(shelf)
    try:
        for frame in read(intake):
            grown.add(frame)
        again = intake.find_misjudged()
        if again is not None:
            grown.drop()
            return _collect(read, again, shelf, name, form)
        intake.refuse()
        rows, repeated = grown.close()
    except ReadWholeError:
        grown.drop()
        return None
    except BaseException:
        grown.drop()
        raise
    reading = intake.describe(name, repeated)
    return Records(rows, form, intake.key, intake.columns, reading, intake.options.csv)
