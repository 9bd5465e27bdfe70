"""Set union of lists that do not fit into memory: part by part, then one pass for each party.

Every part gives the counts of its regions, which add up, and the places of its elements in the
hand-out order. What a party is handed are the elements that it lacks up to a limit in that order:
the bucket in which the limit lies follows from counts, and the limit from the few elements of that
bucket. A reply is written in one pass over the parts. The result is the same, byte for byte, for
any number of parts, and for lists in memory (`ownership`, `conflicts`, `handout`, `replies`).

Cost: the rows once to disk and back, a sort and a hash; memory for two parts at a time, and for
what comes of the first half GiB of lists: a union of that size is not written to disk again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import count, islice
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.exchange import partition_kernels as kernels
from aboveboard.exchange.ownership import OWNERS
from aboveboard.exchange.partition_tasks import (
    BUCKET,
    ORDER,
    Layout,
    PartResult,
    PartTask,
    tabulate_parts,
)
from aboveboard.exchange.regions import check_owners
from aboveboard.exchange.replies import list_columns, write_columns
from aboveboard.mechanisms.settlement import Reply
from aboveboard.storage.partitions import Sizes, Source, list_parts, measure_source
from aboveboard.storage.records import ELEMENT, Records
from aboveboard.storage.spilling import SpillFolder, StoredRows

Task = TypeVar("Task")
Result = TypeVar("Result")

TOGETHER, FEW_TOGETHER = 8, 2
"""Parts that are worked on one after the other, and whose elements go into one table; fewer while
tables stay in memory, so that no core waits long for another's last ones."""

IN_FLIGHT = 2
"""Tasks that are handed out at a time, for each core."""


@dataclass(frozen=True)
class Limit:
    """Where what a party is handed ends, in the hand-out order.

    Parameters
    ----------
    order
        The place of the last element that it is handed.
    element
        That element: places may be equal, though hardly ever.
    """

    order: int
    element: str


@dataclass(frozen=True, eq=False)
class PartitionedUnion:
    """The union of several lists, in parts.

    Parameters
    ----------
    names
        The parties, sorted.
    records
        What each holds.
    layout
        What all parts have in common.
    parts
        The result of each, in the order of elements.
    folder
        Where they lie; None: in memory.
    first
        Mask of the parties whose elements are handed out before all others; 0: none are.
    """

    names: tuple[str, ...]
    records: Mapping[str, Records]
    layout: Layout
    parts: tuple[PartResult, ...] = field(repr=False)
    folder: SpillFolder | None = None
    first: int = 0

    @property
    def conflicts(self) -> int:
        """How many elements have owners whose rows differ."""
        return sum(part.conflicts for part in self.parts)

    @cached_property
    def _regions(self) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        masks = np.concatenate([part.masks for part in self.parts])
        regions, where = np.unique(masks, return_inverse=True)
        counts = np.zeros(regions.size, np.int64)
        np.add.at(counts, where, np.concatenate([part.counts for part in self.parts]))
        return regions, counts

    def count_regions(self) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Return the masks of owners, ascending, and how many elements each has."""
        return self._regions

    @cached_property
    def _lacked(self) -> NDArray[np.int64]:
        """By party and bucket of the hand-out order: elements that the party lacks."""
        if self.first:
            return self._count_lacked()
        lacked: NDArray[np.int64] = np.sum([part.lacked for part in self.parts], axis=0)
        return lacked

    def _count_lacked(self) -> NDArray[np.int64]:
        """Count in another order than that of the parts: one more pass over all elements."""
        total = np.zeros((len(self.names), 1 << (64 - BUCKET)), np.int64)
        for plan in self._scan():
            found = plan.select(OWNERS, ORDER).collect()
            masks, places = found[OWNERS].to_numpy(), found[ORDER].to_numpy()
            total += kernels.count_lacked(masks.copy(), places.copy(), len(self.names), BUCKET)
        return total

    def find_limits(self, amounts: Mapping[str, int]) -> dict[str, Limit | None]:
        """Return where each party's reply ends; None where it is handed all, or nothing.

        Raises
        ------
        ValueError
            If an amount is negative, or more than a party lacks.
        """
        buckets: dict[str, tuple[int, int]] = {}
        limits: dict[str, Limit | None] = dict.fromkeys(amounts)
        for party, amount in amounts.items():
            counts = self._lacked[self.names.index(party)]
            if not 0 <= amount <= counts.sum():
                raise ValueError(f"{party} lacks {counts.sum()} elements, not {amount}")
            if 0 < amount < counts.sum():
                up_to = np.cumsum(counts)
                bucket = int(np.searchsorted(up_to, amount))
                buckets[party] = bucket, amount - int(up_to[bucket] - counts[bucket])
        if not buckets:
            return limits
        wanted = sorted({bucket for bucket, _ in buckets.values()})
        in_bucket = (pl.col(ORDER) // (1 << BUCKET)).is_in(wanted)
        found = pl.concat(
            [
                plan.filter(in_bucket).select(ELEMENT, OWNERS, ORDER).collect()
                for plan in self._scan()
            ]
        ).sort(ORDER, ELEMENT)
        for party, (bucket, rank) in buckets.items():
            inside = found.filter(self._lacks(party) & (pl.col(ORDER) // (1 << BUCKET) == bucket))
            element, _, order = inside.row(rank - 1)
            limits[party] = Limit(order, element)
        return limits

    def hand_out(self, amounts: Mapping[str, int], first: Collection[str] = ()) -> dict[str, Reply]:
        """Return the reply of each party that is handed so many elements.

        Elements of the parties in `first` go before all others.

        Raises
        ------
        ValueError
            If an amount is negative, or more than a party lacks.
        """
        if first and not self.first:
            mask = sum(1 << k for k, name in enumerate(self.names) if name in first)
            return replace(self, first=mask).hand_out(amounts)
        limits = self.find_limits(amounts)
        replies = {}
        for name, amount in amounts.items():
            scan = partial(self.scan_reply, name, amount, limits[name])
            replies[name] = Reply(
                self.records[name].form,
                partial(_collect, scan),
                scan=scan,
                elements=partial(self.list_elements, name, amount, limits[name]),
            )
        return replies

    def list_elements(self, party: str, amount: int, limit: Limit | None) -> pl.Series:
        """Return the elements of one party's reply; parameters as in `scan_reply`."""
        handed = self._select_handed(party, amount, limit)
        plans = [plan.filter(handed).select(ELEMENT) for plan in self._scan()]
        return pl.concat(plans).collect()[ELEMENT]

    def scan_reply(self, party: str, amount: int, limit: Limit | None) -> pl.LazyFrame:
        """Return one party's reply, to be computed as it is written.

        Parameters
        ----------
        party
            Who is handed it.
        amount
            How many elements.
        limit
            As `find_limits` returns it.
        """
        records = self.records[party]
        columns = list_columns(party, self.records)
        types = self.layout.types
        schema = {ELEMENT: pl.String(), **{c: types[c] for c in columns}}
        handed = self._select_handed(party, amount, limit)
        written = write_columns(records, schema)
        return pl.concat([plan.filter(handed).select(written) for plan in self._scan()])

    def _select_handed(self, party: str, amount: int, limit: Limit | None) -> pl.Expr:
        """Return which rows of the union the party is handed."""
        if limit is None:
            return self._lacks(party) if amount else pl.lit(value=False)
        last = pl.lit(limit.order, dtype=pl.UInt64)
        before = (pl.col(ORDER) == last) & (pl.col(ELEMENT) <= limit.element)
        return self._lacks(party) & ((pl.col(ORDER) < last) | before)

    def head_regions(self, each: int, most: int) -> pl.Series:
        """Return so many first elements of each region, and at most so many in all."""
        few = pl.DataFrame(schema={OWNERS: pl.UInt64, ELEMENT: pl.String})
        for plan in self._scan():
            part = plan.select(OWNERS, ELEMENT).collect()
            first = part.group_by(OWNERS, maintain_order=True).head(each)
            # By way of lists: some texts of a column would keep all of its bytes in memory.
            copied = pl.DataFrame(first.to_dict(as_series=False), schema=few.schema)
            few = pl.concat([few, copied]).group_by(OWNERS, maintain_order=True).head(each)
            shown, full = few.head(most), few.filter(pl.len().over(OWNERS) == each)
            if shown.height == most and shown[OWNERS].is_in(full[OWNERS].implode()).all():
                break  # what follows changes nothing of these
        return few.head(most)[ELEMENT]

    def _scan(self) -> Iterator[pl.LazyFrame]:
        for part in self.parts:
            table = part.table
            plan = table.lazy() if isinstance(table, pl.DataFrame) else pl.scan_ipc(table)
            yield plan.with_columns(self._order.alias(ORDER)) if self.first else plan

    @property
    def _order(self) -> pl.Expr:
        """An element's place where those of some parties go first, as in `handout.put_first`."""
        mask = pl.lit(self.first, dtype=pl.UInt64)
        early, late = (pl.lit(place, dtype=pl.UInt64) for place in (0, 1 << 63))
        tier = pl.when(pl.col(OWNERS) & mask != 0).then(early).otherwise(late)
        return pl.col(ORDER) // 2 + tier

    def _lacks(self, party: str) -> pl.Expr:
        bit = pl.lit(1 << self.names.index(party), dtype=pl.UInt64)
        return pl.col(OWNERS) & bit == 0


def _collect(scan: Callable[[], pl.LazyFrame]) -> pl.DataFrame:
    return scan().collect()


def tabulate_union(
    records: Mapping[str, Records],
    seed: int,
    *,
    executor: Executor | None = None,
    sizes: Sizes | None = None,
) -> PartitionedUnion:
    """Find the owners, the row and the place of each element, part by part.

    Parameters
    ----------
    records
        What each party holds.
    seed
        The collaboration's: it fixes the hand-out order.
    executor
        Where parts are worked on; None: on the cores of this machine. Workers of a cluster must see
        this machine's temporary folder if lists lie on disk.
    sizes
        How large parts are.

    Raises
    ------
    InputError
        If there are more than 63 parties, or no room on the disk.
    """
    names = tuple(sorted(records))
    check_owners(len(names))
    listed = [records[name] for name in names]
    layout = Layout(
        tuple(dict(one.schema) for one in listed),
        tuple(one.form != "txt" for one in listed),
        tuple(sorted({c for name in names for c in list_columns(name, records)})),
        seed,
    )
    stored = any(isinstance(one.rows, StoredRows) for one in listed)
    folder = SpillFolder() if stored else None
    sizes = sizes or Sizes()
    kept = sizes.kept if executor is None else 0
    tasks = _plan_tasks(list_parts(listed, sizes), layout, folder, kept)
    if executor is not None:
        parts = tuple(map_in_order(tabulate_parts, tasks, executor))
    else:
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            parts = tuple(map_in_order(tabulate_parts, tasks, pool))
    return PartitionedUnion(names, records, layout, parts, folder)


def _plan_tasks(
    parts: Iterator[tuple[Source, ...]], layout: Layout, folder: SpillFolder | None, kept: int
) -> Iterator[PartTask]:
    """Yield tasks; of lists on disk the tables of the first so many bytes stay in memory."""
    size = 0
    for number in count():
        in_memory = folder is None or size < kept
        batch = tuple(islice(parts, FEW_TOGETHER if size < kept else TOGETHER))
        if not batch:
            return
        size += sum(measure_source(source) for sources in batch for source in sources)
        if folder is None or in_memory:
            yield PartTask(batch, layout, None)
        else:
            yield PartTask(batch, layout, folder.path / f"{number:05}.arrow")


def map_in_order(
    work: Callable[[Task], Result], tasks: Iterator[Task], executor: Executor
) -> Iterator[Result]:
    """Yield the result of each task, in order; what a lost worker leaves is done here.

    Parameters
    ----------
    work
        What is done; for executors of other processes it must be picklable.
    tasks
        What it is done for; few are held at a time.
    executor
        Where it is done.
    """
    waiting: list[tuple[Task, Future[Result] | None]] = []
    most = IN_FLIGHT * (os.cpu_count() or 1)
    for task in tasks:
        waiting.append((task, _submit(executor, work, task)))
        if len(waiting) >= most:
            yield _wait_for(work, *waiting.pop(0))
    for each in waiting:
        yield _wait_for(work, *each)


def _submit(
    executor: Executor, work: Callable[[Task], Result], task: Task
) -> Future[Result] | None:
    try:
        return executor.submit(work, task)
    except RuntimeError:  # a pool that has lost a worker takes nothing more
        return None


def _wait_for(work: Callable[[Task], Result], task: Task, future: Future[Result] | None) -> Result:
    if future is None:
        return work(task)
    try:
        return future.result()
    except (InputError, MemoryError):
        raise
    except Exception:
        # A part is the same wherever it is worked on; a fault of its own shows again here.
        return work(task)
