"""Rows that do not fit into memory, in files of a private folder.

The folder is made in the temporary folder (`TMPDIR`), is readable by its owner alone, and goes away
with the last that refers to it; what a killed process leaves there, the next one removes.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import weakref
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from aboveboard.errors import InputError
from aboveboard.storage.scratch import make_locked_folder


class SpillFolder:
    """A private folder that lives as long as this object.

    Raises
    ------
    InputError
        If it cannot be made.
    """

    def __init__(self) -> None:
        try:
            self.path, lock = make_locked_folder()
        except OSError as error:
            raise _describe(error) from error
        self._end = weakref.finalize(self, _remove, self.path, lock)

    def close(self) -> None:
        """Remove the folder now."""
        self._end()


def _remove(folder: Path, lock: int | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        with suppress(OSError):
            os.close(lock)


def _describe(error: OSError) -> InputError:
    return InputError(
        tempfile.gettempdir(),
        f"rows that do not fit into memory cannot be written there ({error.strerror or error})",
        "make room, or name another place in the environment variable TMPDIR",
    )


def write_rows(frame: pl.DataFrame, path: Path) -> None:
    """Write a table for ourselves, whole or not at all.

    Raises
    ------
    InputError
        If there is no room.
    """
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with beside.open("wb") as file:
            # The older layout of text holds what these rows need and no more.
            frame.write_ipc(file, compat_level=pl.CompatLevel.oldest())
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise _describe(error) from error


def read_rows(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """Return the table in a file that `write_rows` wrote."""
    return pl.read_ipc(path, columns=columns)


@dataclass(frozen=True, eq=False)
class StoredRows:
    """One party's rows in files, parted by element.

    Parameters
    ----------
    folder
        Where they lie.
    schema
        Columns and types.
    height
        How many rows there are.
    borders
        Elements, ascending: part k holds those from border k - 1 on that are before border k.
    pieces
        The files of each part.
    """

    folder: SpillFolder
    schema: pl.Schema
    height: int
    borders: tuple[str, ...]
    pieces: tuple[tuple[Path, ...], ...]

    def load(self, columns: list[str] | None = None) -> pl.DataFrame:
        """Return all rows, or some columns of them; their order is that of the parts."""
        return self._concatenate([path for piece in self.pieces for path in piece], columns)

    def load_part(self, part: int) -> pl.DataFrame:
        """Return the rows of one part."""
        return self._concatenate(list(self.pieces[part]))

    def _concatenate(self, paths: list[Path], columns: list[str] | None = None) -> pl.DataFrame:
        if not paths:
            return pl.DataFrame(schema=self.schema).select(columns or self.schema.names())
        return pl.concat([read_rows(path, columns) for path in paths])
