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
    ReadWholeError,
    describe_os_error,
    open_regular_file,
)
from aboveboard.storage.formats.lines import KindLines, split_lines
from aboveboard.storage.formats.parquet_batches import read_parquet_batches
from aboveboard.storage.formats.text_batches import FingerprintedFile, read_text_batches
from aboveboard.storage.intake import Intake
from aboveboard.storage.kinds import Kind
from aboveboard.storage.options import DataOptions
from aboveboard.storage.records import Form, Records
from aboveboard.storage.shelf import GrowingList, Shelf
from aboveboard.storage.spilling import describe_full_disk
from aboveboard.storage.tabular_files import (
    JSON_SUFFIXES,
    Table,
    choose_read_columns,
    is_delimited,
    name_delimited,
    read_table_batches,
)

LARGE = 1 << 24
"""Bytes of a file from which on it is read batch by batch."""

COPY_STEP = 1 << 22
"""Bytes that are copied at a time."""

WAITING = 1 << 26
"""Bytes of distinct lines that are looked at one by one, once all are there."""

WHOLE = (*JSON_SUFFIXES, ".xlsx", ".xlsm", ".ods", ".parquet", ".pq")
"""How files are called that are something else than lines, or at fault."""


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
                text = FingerprintedFile(file)
                found = _stream_text(text, start, path, where, options or DataOptions(), shelf)
                return None if found is None else (found, text.finish())
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
            while piece := file.read(COPY_STEP):
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


def _stream_text(
    file: FingerprintedFile,
    start: bytes,
    path: Path,
    where: str,
    options: DataOptions,
    shelf: Shelf,
) -> Records | None:
    intake = Intake(where, options)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] in ([".gz"], [".zst"], [".zstd"]):
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    if suffix in WHOLE or options.path is not None:
        return None
    table = is_delimited(suffix, options)
    if not table and options.key is not None and not options.shared_key:
        return None  # a mistake

    def read(intake: Intake) -> Iterator[pl.DataFrame]:
        batches = read_text_batches(file, where, start, options.encoding, quoted=table)
        if table:
            for rows in read_table_batches(batches, where, suffix, options):
                yield intake.take_table(rows)
        elif options.kind in (None, "text"):
            for data, before in batches:
                yield intake.take_lines(split_lines(data, where, before), before)
        else:
            yield from _read_kind_lines(batches, options.kind, where, intake)

    if not table:
        return _collect(read, intake, shelf, "lines", "txt")
    return _collect(read, intake, shelf, name_delimited(suffix), "csv")


def _read_kind_lines(
    batches: Iterator[tuple[bytes, int]], kind: Kind, where: str, intake: Intake
) -> Iterator[pl.DataFrame]:
    read = KindLines(kind, where)
    for data, before in batches:
        lines = split_lines(data, where, before)
        if kind == "url" and before and lines.str.starts_with('"').any():
            raise ReadWholeError  # whether URLs are fields is asked of all lines together
        yield intake.take_kind(read.take(lines, before))
        if read.waiting > WAITING:
            read.compact()
            if read.waiting > WAITING:
                raise ReadWholeError
    yield intake.take_kind(read.finish(intake.listed))


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
