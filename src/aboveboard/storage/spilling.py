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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

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


class Piece(NamedTuple):
    """Some rows in a file: where, from which byte on, and how many bytes."""

    path: Path
    start: int
    size: int


def write_rows(frame: pl.DataFrame, path: Path) -> None:
    """Write a table for ourselves, whole or not at all.

    Raises
    ------
    InputError
        If there is no room.
    """
    with _write_whole(path) as file:
        # The older layout of text holds what these rows need and no more.
        frame.write_ipc(file, compat_level=pl.CompatLevel.oldest())


def write_pieces(frames: Iterable[pl.DataFrame], folder: Path) -> list[Piece | None]:
    """Write tables into one new file of a folder; None for those without rows.

    Raises
    ------
    InputError
        If there is no room.
    """
    path = folder / f"{secrets.token_hex(8)}.rows"
    pieces: list[Piece | None] = []
    with _write_whole(path) as file:
        for frame in frames:
            if not frame.height:
                pieces.append(None)
                continue
            start = file.tell()
            frame.write_ipc_stream(file, compat_level=pl.CompatLevel.oldest())
            pieces.append(Piece(path, start, file.tell() - start))
    return pieces


@contextmanager
def _write_whole(path: Path) -> Iterator[BinaryIO]:
    """Yield a file that appears under its name once all of it is written."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with describe_full_disk():
            with beside.open("wb") as file:
                yield file
            beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


@contextmanager
def describe_full_disk() -> Iterator[None]:
    """Put into our words what the operating system refuses while we write for ourselves.

    Raises
    ------
    InputError
        If there is no room.
    """
    try:
        yield
    except OSError as error:
        raise _describe(error) from error


def read_piece(piece: Piece, columns: list[str] | None = None) -> pl.DataFrame:
    """Return the table that `write_pieces` wrote, or some of its columns."""
    with piece.path.open("rb") as file:
        file.seek(piece.start)
        return pl.read_ipc_stream(file.read(piece.size), columns=columns)


def remove_pieces(pieces: Iterable[Piece]) -> None:
    """Remove the files of pieces, each with all that is in it."""
    for path in {piece.path for piece in pieces}:
        path.unlink(missing_ok=True)


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
        Those of each part.
    """

    folder: SpillFolder
    schema: pl.Schema
    height: int
    borders: tuple[str, ...]
    pieces: tuple[tuple[Piece, ...], ...]

    @property
    def size(self) -> int:
        """How many bytes they take on disk."""
        return sum(piece.size for pieces in self.pieces for piece in pieces)

    def load(self, columns: list[str] | None = None) -> pl.DataFrame:
        """Return all rows, or some columns of them; their order is that of the parts."""
        return self._concatenate([piece for part in self.pieces for piece in part], columns)

    def load_part(self, part: int, columns: list[str] | None = None) -> pl.DataFrame:
        """Return the rows of one part, or some columns of them."""
        return self._concatenate(list(self.pieces[part]), columns)

    def _concatenate(self, pieces: list[Piece], columns: list[str] | None = None) -> pl.DataFrame:
        if not pieces:
            return pl.DataFrame(schema=self.schema).select(columns or self.schema.names())
        return pl.concat([read_piece(piece, columns) for piece in pieces])
