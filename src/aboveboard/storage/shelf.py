"""Takes parties' lists as they are read: beyond some bytes they go to disk, parted by element.

What is put here is written while the next list is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from math import ceil

import polars as pl

from aboveboard.storage.partitions import (
    MOST_PARTS,
    Sizes,
    Source,
    draw_borders,
    join_pieces,
    measure_source,
    store_parts,
)
from aboveboard.storage.records import Records
from aboveboard.storage.spilling import (
    SpillFolder,
    StoredRows,
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
        if self.borders is not None:
            self.work(self._store_all)

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
        assert self.borders is not None
        for name, records in self._records.items():
            frame = records.rows
            if isinstance(frame, pl.DataFrame):
                pieces = join_pieces(
                    [store_parts(frame, self.borders, self.folder)], len(self.borders) + 1
                )
                stored = StoredRows(self.folder, frame.schema, frame.height, self.borders, pieces)
                self._records[name] = replace(records, rows=stored)
