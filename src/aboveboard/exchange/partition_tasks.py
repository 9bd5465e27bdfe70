"""Parts of a union: the owners of its elements, the row that stands for each, counts to add up.

A part holds the rows of all parties whose elements lie between two borders. It is worked on by
itself, in this process or another: the same part gives the same result wherever and however often,
and its file appears whole or not at all, so that nothing is lost with a worker.

Cost: a sort of the part's rows, and one hash an element; about six times its rows in memory.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.exchange import partition_kernels as kernels
from aboveboard.exchange.columns import as_text, convert, find_common_type
from aboveboard.exchange.conflicts import NULL
from aboveboard.exchange.handout import derive_key, hash_elements
from aboveboard.exchange.ownership import OWNERS
from aboveboard.exchange.row_texts import (
    Cells,
    choose_cells,
    hash_rows,
    leave_cells_empty,
    make_cells,
    write_row,
)
from aboveboard.storage.partitions import Source, load_source
from aboveboard.storage.records import ELEMENT
from aboveboard.storage.spilling import write_rows
from aboveboard.storage.strings import Strings

ORDER = "\0order"
"""Name of the column with an element's place in the hand-out order."""

BUCKET = 52
"""Bits of a place that are dropped to get the number of its bucket: there are 4,096 buckets."""

ABSENT, BETWEEN = "\1", "\2"
"""In the text of a row: a column that its owner does not have, and what stands between columns."""

_EXACT = (pl.Boolean, pl.Date, pl.Time)
"""Types, beside integers and instants, whose values are equal where their texts are."""


@dataclass(frozen=True)
class Layout:
    """What all parts of a union have in common.

    Parameters
    ----------
    schemas
        Columns and types of each party's rows, in the order of the parties' sorted names.
    sends
        Which of them send rows, and not lines of text.
    kept
        The columns that replies have beside the element.
    seed
        The collaboration's.
    """

    schemas: tuple[Mapping[str, pl.DataType], ...]
    sends: tuple[bool, ...]
    kept: tuple[str, ...]
    seed: int

    @property
    def types(self) -> dict[str, pl.DataType]:
        """The common type of each column, by name and sorted by it."""
        columns = sorted({column for schema in self.schemas for column in schema} - {ELEMENT})
        return {c: find_common_type([s.get(c) for s in self.schemas]) for c in columns}


@dataclass(frozen=True)
class PartTask:
    """What is to be done for some parts that follow each other.

    Parameters
    ----------
    sources
        For each part the parties' rows, in the order of their sorted names.
    layout
        What all parts have in common.
    out
        The file of the result; None: it stays in memory.
    """

    sources: tuple[tuple[Source, ...], ...]
    layout: Layout
    out: Path | None


@dataclass(frozen=True, eq=False)
class PartResult:
    """The result of some parts.

    Parameters
    ----------
    table
        Columns `element` (ascending), `owners`, `ORDER` and those that are kept; or its file.
    masks, counts
        The regions of these parts, and how many elements each has.
    lacked
        By party and bucket of the hand-out order: elements that the party lacks.
    conflicts
        Elements whose owners' rows differ.
    """

    table: pl.DataFrame | Path
    masks: NDArray[np.uint64]
    counts: NDArray[np.int64]
    lacked: NDArray[np.int64]
    conflicts: int


def tabulate_parts(task: PartTask) -> PartResult:
    """Find owners, rows and places of the elements of some parts."""
    parties = len(task.layout.schemas)
    tables, conflicts = [], 0
    masks = np.zeros(0, np.uint64)
    lacked = np.zeros((parties, 1 << (64 - BUCKET)), np.int64)
    for sources in task.sources:
        table, differing = _tabulate_part(sources, task.layout)
        owned = table[OWNERS].to_numpy()
        masks = np.concatenate([masks, owned])
        lacked += kernels.count_lacked(owned, table[ORDER].to_numpy(), parties, BUCKET)
        conflicts += differing
        tables.append(table)
    table = pl.concat(tables)
    if task.out is not None:
        write_rows(table, task.out)
    regions, counts = np.unique(masks, return_counts=True)
    return PartResult(
        table if task.out is None else task.out, regions, counts.astype(np.int64), lacked, conflicts
    )


def _tabulate_part(sources: Sequence[Source], layout: Layout) -> tuple[pl.DataFrame, int]:
    """Return a table of the elements of one part, and how many have conflicting rows."""
    frames = [load_source(source) for source in sources]
    heights = [0 if frame is None else frame.height for frame in frames]
    owners = np.repeat(np.arange(len(frames), dtype=np.uint8), heights)
    laid = _lay(frames, layout)
    texts = Strings.from_series(laid[ELEMENT])
    grouped = _Groups(texts, *texts.sort(), owners)
    rows, conflicts = _choose_rows(grouped, laid, layout)
    elements = laid[ELEMENT].gather(grouped.order[grouped.starts[:-1]])
    found = [
        elements,
        pl.Series(OWNERS, kernels.find_owners(grouped.order, grouped.starts, owners)),
        pl.Series(ORDER, hash_elements(elements, layout.seed)),
    ]
    return pl.DataFrame([*found, *rows.get_columns()]), conflicts


@dataclass(frozen=True, eq=False)
class _Groups:
    """Rows laid end to end: their elements, sorted, where each begins, and each row's party."""

    texts: Strings
    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    owners: NDArray[np.uint8]


def _choose_rows(grouped: _Groups, laid: pl.DataFrame, layout: Layout) -> tuple[pl.DataFrame, int]:
    """Return the kept columns of the row that stands for each element, and count conflicts."""
    if sum(layout.sends) < 2:
        codes, differs = np.zeros(grouped.owners.size, np.uint64), np.zeros(1, np.bool_)
    else:
        codes, differs = _compare_rows(grouped, laid, layout)
    sends = np.array(layout.sends, np.bool_)
    chosen, tied, groups = kernels.vote(grouped.order, grouped.starts, grouped.owners, sends, codes)
    if tied.size:
        places = np.argsort(tied)  # as rows lie in memory: it is read in one go
        contents = _list_cells(grouped, laid, tied[places], layout)
        ranks = np.empty(tied.size, np.uint64)
        ranks[places] = hash_rows(contents, BETWEEN, derive_key(layout.seed))
        equal = kernels.choose_smallest(chosen, tied, groups, ranks)
        if equal.size:
            _choose_by_content(
                chosen, tied, groups, _list_cells(grouped, laid, tied, layout), ranks, equal
            )
    numbers = pl.Series(chosen)
    if (chosen < 0).any():
        numbers = numbers.set(numbers < 0, None)  # no owner has rows
    return laid.select(pl.col(c).gather(numbers) for c in layout.kept), int(differs.sum())


def _lay(frames: Sequence[pl.DataFrame | None], layout: Layout) -> pl.DataFrame:
    """Lay all parties' rows end to end, columns in their common types, null where one has none."""
    types = layout.types
    laid = [
        frame.select(
            ELEMENT,
            *(
                convert(c, frame.schema[c], wanted).alias(c)
                if c in frame.columns
                else pl.lit(None, dtype=wanted).alias(c)
                for c, wanted in types.items()
            ),
        )
        for frame in frames
        if frame is not None
    ]
    if not laid:
        return pl.DataFrame(schema={ELEMENT: pl.String(), **types})
    return pl.concat(laid, rechunk=True)


def _compare_rows(
    grouped: _Groups, laid: pl.DataFrame, layout: Layout
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return numbers that are equal for equal rows of an element, and where owners differ.

    The numbers are 64 bits under a key that is drawn anew: nobody can make them agree.
    """
    codes = np.zeros(grouped.owners.size, np.uint64)
    differs = np.zeros(grouped.starts.size - 1, np.bool_)
    for column, dtype in layout.types.items():
        has = np.array([column in schema for schema in layout.schemas], np.bool_)
        own = _encode(laid[column], dtype)
        kernels.mark_different(grouped.order, grouped.starts, grouped.owners, has, own, differs)
        if not has.all():
            own = np.where(has[grouped.owners], own, np.uint64(secrets.randbits(64)))
        codes = codes * np.uint64(secrets.randbits(64) | 1) + own
    return codes, differs


def _encode(values: pl.Series, dtype: pl.DataType) -> NDArray[np.uint64]:
    """Return numbers that are equal where the texts of values are."""
    exact = dtype.is_integer() or dtype in _EXACT or isinstance(dtype, pl.Datetime)
    if not exact:
        texts = values.to_frame().select(as_text(values.name, dtype).fill_null(NULL))
        values = texts.to_series()
    return values.hash(secrets.randbits(64)).to_numpy()


def _list_cells(
    grouped: _Groups, laid: pl.DataFrame, rows: NDArray[np.int64], layout: Layout
) -> list[Cells]:
    """Return the cells of rows as text: the element, and all columns sorted by name."""
    written = [Cells(grouped.texts, rows), leave_cells_empty(rows.size)]
    for column, dtype in layout.types.items():
        has = np.array([column in schema for schema in layout.schemas], np.bool_)
        cells = choose_cells(laid[column], rows) if has.all() else None
        if cells is None:
            own = as_text(column, dtype).fill_null(NULL)
            if not has.all():
                present = pl.Series(has[grouped.owners[rows]])
                own = pl.when(present).then(own).otherwise(pl.lit(ABSENT))
            cells = make_cells(laid[rows].select(own.alias(column)).to_series())
        written.append(cells)
    return written


def _choose_by_content(
    chosen: NDArray[np.int64],
    tied: NDArray[np.int64],
    groups: NDArray[np.int64],
    contents: Sequence[Cells],
    ranks: NDArray[np.uint64],
    equal: NDArray[np.int64],
) -> None:
    """Choose the smallest row where two of an element have the same hash."""
    for group in set(groups[equal].tolist()):
        places = np.flatnonzero(groups == group)
        best = min(
            places.tolist(), key=lambda at: (int(ranks[at]), write_row(contents, at, BETWEEN))
        )
        chosen[group] = tied[best]
