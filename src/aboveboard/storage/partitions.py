"""Lists parted by element, so that each part fits into memory: routed, and spilled to disk.

A part holds the elements between two borders, so parts one after the other are in the order of
elements. Borders are quantiles, by bytes, of a sample that a keyed hash draws under a key of this
process: nobody can foresee it and crowd a part. Rows are routed as they are read (`shelf`); where
the first lists say little of the later ones, a part that comes out too large is parted again
(`split_sources`). Cost: one pass, and each row written and read once.
"""

from __future__ import annotations

import secrets
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import ceil

import numpy as np
import polars as pl

from aboveboard.storage.records import ELEMENT, Records
from aboveboard.storage.spilling import (
    Piece,
    SpillFolder,
    StoredRows,
    read_piece,
    write_pieces,
)

IN_MEMORY = 192 << 20
"""Bytes of all lists together that stay in memory."""

BATCH = 32 << 20
"""Bytes of one list that is read batch by batch which are routed and written together."""

KEPT = 1 << 29
"""Bytes of lists on disk of which what comes of the parts stays in memory."""

PART = 3 << 20
"""Bytes of rows that a part should hold: they are sorted where the processor is quick."""

MOST_PARTS = 1024
"""Parts at a time: as many pieces are written of what is in memory of a list."""

SAMPLE = 1 << 16
"""Elements that borders are drawn from."""

TOO_LARGE = 4
"""How many times as large as it should be a part is parted again."""


Source = pl.DataFrame | tuple[Piece, ...]
"""One list's rows in one part: a table, or the pieces on disk that hold it."""


@dataclass(frozen=True)
class Sizes:
    """How much of the lists is in memory at a time.

    Parameters
    ----------
    in_memory
        Bytes of all lists together that are not written to disk.
    part
        Bytes of a part.
    batch
        Bytes of one list that is read batch by batch which go to disk together.
    kept
        Bytes of lists on disk of which what comes of the parts stays in memory.
    """

    in_memory: int = IN_MEMORY
    part: int = PART
    batch: int = BATCH
    kept: int = KEPT


def load_source(source: Source, columns: list[str] | None = None) -> pl.DataFrame | None:
    """Return the rows of a source, None where it has none."""
    if isinstance(source, pl.DataFrame):
        return source if source.height else None
    if not source:
        return None
    return pl.concat([read_piece(piece, columns) for piece in source])


def measure_source(source: Source) -> int:
    """Return the bytes of a source."""
    if isinstance(source, pl.DataFrame):
        # A slice without rows may count the bytes of what it was cut from.
        return int(source.estimated_size()) if source.height else 0
    return sum(piece.size for piece in source)


def draw_borders(sources: Sequence[Source], parts: int) -> tuple[str, ...]:
    """Return elements that part some lists evenly by bytes; at most one fewer than parts.

    Parameters
    ----------
    sources
        The lists; of those on disk one piece at a time is in memory.
    parts
        How many parts there should be.
    """
    seed, limit = secrets.randbits(64), 1.0
    sample = pl.Series(ELEMENT, [], dtype=pl.String)
    for elements in _list_elements(sources) if parts > 1 else ():
        sample.extend(_draw(elements, seed, limit))
        while len(sample) > 2 * SAMPLE:
            limit /= 2
            sample = _draw(sample, seed, limit)
    if not len(sample):
        return ()
    sample = sample.sort()
    sizes = np.cumsum(sample.str.len_bytes().to_numpy().astype(np.int64) + 1)
    places = np.searchsorted(sizes, sizes[-1] * np.arange(1, parts) / parts)
    borders = sample.gather(places.clip(0, len(sample) - 1)).unique().sort()
    return tuple(borders.to_list())


def _list_elements(sources: Sequence[Source]) -> Iterator[pl.Series]:
    for source in sources:
        if isinstance(source, pl.DataFrame):
            yield source[ELEMENT]
        else:
            yield from (read_piece(piece, [ELEMENT])[ELEMENT] for piece in source)


def _draw(elements: pl.Series, seed: int, share: float) -> pl.Series:
    """Return the elements whose keyed hash is among the smallest: about this share of them."""
    if share == 1:
        return elements
    return elements.filter(elements.hash(seed) < int(share * (1 << 64)))


def route_rows(frame: pl.DataFrame, borders: Sequence[str]) -> list[pl.DataFrame]:
    """Return the rows of each part; they keep their order."""
    if not borders:
        return [frame]
    from aboveboard.storage.strings import Strings  # numba: only where lists are large

    parts = len(borders) + 1
    wanted = Strings.from_series(pl.Series(borders, dtype=pl.String))
    routed = Strings.from_series(frame[ELEMENT]).route(wanted)
    counts = np.bincount(routed, minlength=parts)
    # Of a table in one piece, rows are taken in a third of the time.
    ordered = frame.rechunk()[np.argsort(routed, kind="stable")]
    ends = np.cumsum(counts)
    return [ordered[int(end - n) : int(end)] for end, n in zip(ends, counts, strict=True)]


def split_sources(
    sources: Sequence[Source], most: int, folder: SpillFolder | None, *, allowed: int = TOO_LARGE
) -> Iterator[tuple[Source, ...]]:
    """Yield several lists' rows in parts of about so many bytes, in the order of elements.

    Borders part elements evenly, not the rows beside them: a part that still is too large is parted
    again, as long as that makes it smaller.

    Parameters
    ----------
    sources
        The lists' rows in one part.
    most
        Bytes that a part should have.
    folder
        Where parts of what lies in files go; None where nothing does.
    allowed
        How many times as large as it should be a part is left as it is.
    """
    size = sum(map(measure_source, sources))
    parts = min(ceil(size / most), MOST_PARTS)
    borders = draw_borders(sources, parts) if size > allowed * most else ()
    if not borders:
        yield tuple(sources)
        return
    routed = [_route_source(source, borders, folder) for source in sources]
    found = [tuple(pieces[part] for pieces in routed) for part in range(len(borders) + 1)]
    if sum(any(map(measure_source, part)) for part in found) < 2:
        yield from found
        return
    for part in found:
        yield from split_sources(part, most, folder, allowed=TOO_LARGE)


def _route_source(
    source: Source, borders: tuple[str, ...], folder: SpillFolder | None
) -> Sequence[Source]:
    """Return the parts of one list's rows, on disk where it lies there."""
    if isinstance(source, pl.DataFrame) or folder is None:
        frame = load_source(source)
        return [()] * (len(borders) + 1) if frame is None else route_rows(frame, borders)
    return join_pieces(
        (store_parts(read_piece(piece), borders, folder) for piece in source), len(borders) + 1
    )


def join_pieces(
    stored: Iterable[Sequence[Piece | None]], parts: int
) -> tuple[tuple[Piece, ...], ...]:
    """Return by part the pieces of several tables, from what `store_parts` returns of each."""
    joined: list[list[Piece]] = [[] for _ in range(parts)]
    for pieces in stored:
        for part, piece in enumerate(pieces):
            if piece is not None:
                joined[part].append(piece)
    return tuple(map(tuple, joined))


def store_parts(
    frame: pl.DataFrame, borders: Sequence[str], folder: SpillFolder
) -> list[Piece | None]:
    """Write the rows of each part, and return where; None for a part without rows."""
    return write_pieces(route_rows(frame, borders), folder.path)


def list_parts(records: Sequence[Records], sizes: Sizes) -> Iterator[tuple[Source, ...]]:
    """Yield the parts of several lists, in the order of elements: each list's rows in it."""
    stored = next((one.rows for one in records if isinstance(one.rows, StoredRows)), None)
    if stored is None:
        yield from split_sources([one.frame for one in records], sizes.part, None, allowed=1)
        return
    routed = [_find_parts(one, stored) for one in records]
    for part in range(len(stored.borders) + 1):
        yield from split_sources([each[part] for each in routed], sizes.part, stored.folder)


def _find_parts(records: Records, stored: StoredRows) -> Sequence[Source]:
    if isinstance(records.rows, StoredRows) and records.rows.borders == stored.borders:
        return records.rows.pieces
    own = records.rows
    frames = [own] if isinstance(own, pl.DataFrame) else map(read_piece, chain(*own.pieces))
    stored_frames = (store_parts(frame, stored.borders, stored.folder) for frame in frames)
    return join_pieces(stored_frames, len(stored.borders) + 1)


def pick_rows(records: Records, elements: pl.Series) -> pl.DataFrame:
    """Return the rows of a few elements; of rows in files only their parts are read."""
    wanted = elements.rename(ELEMENT).to_frame()
    if isinstance(records.rows, pl.DataFrame):
        return records.rows.join(wanted, on=ELEMENT, how="semi")
    parts = sorted({bisect_right(records.rows.borders, each) for each in elements.to_list()})
    picked = [records.rows.load_part(part).join(wanted, on=ELEMENT, how="semi") for part in parts]
    return pl.concat(picked) if picked else pl.DataFrame(schema=records.schema)
