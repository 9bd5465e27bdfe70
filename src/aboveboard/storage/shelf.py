"""Takes parties' lists as they are read: beyond some bytes they go to disk, parted by element.

A list that was read whole is put here as it is. A large one comes batch by batch: batches are
routed and written while the next are read, and once all are there, repeated elements are taken out
part by part. Memory is that of some batches, whatever the length of the list.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from math import ceil

import polars as pl

from aboveboard.storage.partitions import (
    MOST_PARTS,
    Sizes,
    Source,
    draw_borders,
    join_pieces,
    measure_source,
    route_rows,
    store_parts,
)
from aboveboard.storage.records import ELEMENT, Records
from aboveboard.storage.repeats import has_repeated, keep_once
from aboveboard.storage.spilling import (
    Piece,
    SpillFolder,
    StoredRows,
    read_piece,
    remove_pieces,
    write_pieces,
)


class Shelf:
    """Takes parties' records as they are read; beyond some bytes they go to disk, parted.

    Parameters
    ----------
    lists
        How many there will be.
    sizes
        When they are written, and how they are parted.
    """

    def __init__(self, lists: int, sizes: Sizes | None = None) -> None:
        self.lists, self.sizes = lists, sizes or Sizes()
        self.borders: tuple[str, ...] | None = None
        self._records: dict[str, Records] = {}
        self._folder: SpillFolder | None = None
        self._writing: Future[None] | None = None

    @property
    def folder(self) -> SpillFolder:
        """Where rows go, made when first needed."""
        if self._folder is None:
            self._folder = SpillFolder()
        return self._folder

    def put(self, name: str, records: Records) -> None:
        """Take one party's records; they are written while the next are read."""
        self.wait()
        self._records[name] = records
        held = [each.rows for each in self._records.values()]
        in_memory = sum(measure_source(rows) for rows in held if isinstance(rows, pl.DataFrame))
        if self.borders is None and in_memory > self.sizes.in_memory:
            self.draw_borders([])
        elif self.borders is None and len(held) == 1:
            self._expect(in_memory * self.lists)
        if self.borders is not None:
            self.work(self._store_all)

    def _expect(self, size: int) -> None:
        """Load what routes rows while further lists are read, if there will be so many bytes."""
        if size > self.sizes.in_memory:
            pool = ThreadPoolExecutor(1)
            pool.submit(route_rows, pl.DataFrame({ELEMENT: ["a"]}), ("a",))
            pool.shutdown(wait=False)

    def take(
        self, change: Callable[[Mapping[str, Records]], dict[str, Records]]
    ) -> dict[str, Records]:
        """Return all records after a change; those on disk that it changes go there again."""
        self.wait()
        self._records = change(self._records)
        if self.borders is not None:
            self._store_all()
        return self._records

    def work(self, task: Callable[[], None]) -> None:
        """Have something done while the next is read; the last is waited for."""
        self.wait()
        pool = ThreadPoolExecutor(1)
        try:
            self._writing = pool.submit(task)
        finally:
            pool.shutdown(wait=False)

    def wait(self) -> None:
        """Wait for what is being done, and raise what it raised."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            writing.result()

    def draw_borders(self, further: list[Source]) -> tuple[str, ...]:
        """Draw borders from what there is, for as many parts as all lists will take."""
        rows = [each.rows for each in self._records.values()]
        sources = [*(one for one in rows if isinstance(one, pl.DataFrame)), *further]
        expected = sum(map(measure_source, sources)) * self.lists / len(sources)
        parts = min(ceil(expected / self.sizes.part), MOST_PARTS)
        self.borders = draw_borders(sources, parts)
        return self.borders

    def _store_all(self) -> None:
        held = [k for k, each in self._records.items() if isinstance(each.rows, pl.DataFrame)]
        store = partial(self._store, self.folder)
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            deque(pool.map(store, held), maxlen=0)  # raises what one of them raises

    def _store(self, folder: SpillFolder, name: str) -> None:
        """Write one party's rows, and let go of those in memory."""
        records, borders = self._records[name], self.borders
        frame = records.rows
        assert isinstance(frame, pl.DataFrame)
        assert borders is not None
        pieces = join_pieces([store_parts(frame, borders, folder)], len(borders) + 1)
        stored = StoredRows(folder, frame.schema, frame.height, borders, pieces)
        self._records[name] = replace(records, rows=stored)


class GrowingList:
    """Takes one party's rows batch by batch, and gives back each element once.

    Parameters
    ----------
    shelf
        Where they go.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._batches: list[pl.DataFrame] = []
        self._bytes = 0
        self._schema: pl.Schema | None = None
        self._routed: list[list[Piece | None]] = []
        self._unparted: list[Piece] = []

    def add(self, frame: pl.DataFrame) -> None:
        """Take the next rows, in columns of the same types as the first."""
        self._schema = self._schema or frame.schema
        self._batches.append(frame)
        self._bytes += int(frame.estimated_size())
        if self._bytes > self._shelf.sizes.batch:
            self._flush()

    def _flush(self) -> None:
        batches, self._batches, self._bytes = self._batches, [], 0
        self._shelf.work(lambda: self._store(batches))

    def _store(self, batches: list[pl.DataFrame]) -> None:
        frame = pl.concat(batches)
        batches.clear()
        shelf = self._shelf
        if shelf.borders is None:
            # Where the file is sorted its beginning says nothing of the rest: that comes first.
            found = write_pieces([frame], shelf.folder.path)
            self._unparted += [piece for piece in found if piece is not None]
        else:
            self._routed.append(store_parts(frame, shelf.borders, shelf.folder))

    def close(self) -> tuple[pl.DataFrame | StoredRows, int]:
        """Return each element once, and how many rows named one again."""
        self._shelf.wait()
        if not self._routed and not self._unparted:
            frame = pl.concat(self._batches or [pl.DataFrame(schema={ELEMENT: pl.String})])
            once = keep_once(frame)
            return once, frame.height - once.height
        if self._batches:
            self._flush()
        self._shelf.wait()
        self._route_unparted()
        return self._take_out_repeated()

    def drop(self) -> None:
        """Remove what was written."""
        with suppress(Exception):  # what ended the list is raised already
            self._shelf.wait()
        self._batches = []
        remove_pieces([*self._unparted, *(p for each in self._routed for p in each if p)])

    def _route_unparted(self) -> None:
        if not self._unparted:
            return
        shelf = self._shelf
        borders = shelf.borders
        if borders is None:
            borders = shelf.draw_borders([tuple(self._unparted)])
        while self._unparted:
            piece = self._unparted.pop(0)
            self._routed.append(store_parts(read_piece(piece), borders, shelf.folder))
            remove_pieces([piece])

    def _take_out_repeated(self) -> tuple[StoredRows, int]:
        shelf, schema = self._shelf, self._schema
        assert shelf.borders is not None
        assert schema is not None
        parts = join_pieces(self._routed, len(shelf.borders) + 1)
        rows = StoredRows(shelf.folder, schema, 0, shelf.borders, parts)
        pieces, height, repeated = [], 0, 0
        for part, own in enumerate(parts):
            elements = rows.load_part(part, [ELEMENT])[ELEMENT]
            height += elements.len()
            if has_repeated(elements):
                once = keep_once(rows.load_part(part))
                repeated += elements.len() - once.height
                own = tuple(p for p in write_pieces([once], shelf.folder.path) if p)
            pieces.append(own)
        return replace(rows, height=height - repeated, pieces=tuple(pieces)), repeated
