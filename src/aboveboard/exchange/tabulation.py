"""The union of the parties' lists as a table: in memory where they are small, else in parts.

Both give the same regions, conflicts and replies, byte for byte.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Union

import polars as pl
from numpy import ndarray

from aboveboard.exchange.ownership import OWNERS, Ownership, index_owners
from aboveboard.exchange.replies import Replies
from aboveboard.mechanisms.settlement import Reply
from aboveboard.storage.records import ELEMENT, Records
from aboveboard.storage.spilling import StoredRows

if TYPE_CHECKING:
    from aboveboard.exchange.partitioned_union import PartitionedUnion

UnionTable = Union["SmallUnion", "PartitionedUnion"]

SMALL_LISTS = 1 << 16
"""Rows of all lists together that are settled in one piece, without compiled loops."""


@dataclass(frozen=True, eq=False)
class SmallUnion:
    """The union of small lists.

    Parameters
    ----------
    records
        What each party holds.
    seed
        The collaboration's.
    """

    records: Mapping[str, Records]
    seed: int

    @cached_property
    def ownership(self) -> Ownership:
        """Who owns what."""
        return index_owners(self.records)

    @property
    def names(self) -> tuple[str, ...]:
        """The parties, sorted."""
        return self.ownership.names

    @cached_property
    def conflicts(self) -> int:
        """How many elements have owners whose rows differ."""
        return Replies(self.ownership, self.records, {}, self.seed).conflicts

    def count_regions(self) -> tuple[ndarray, ndarray]:
        """Return the masks of owners, ascending, and how many elements each has."""
        return self.ownership.count_regions()

    def hand_out(self, amounts: Mapping[str, int], first: Collection[str] = ()) -> dict[str, Reply]:
        """Return the reply of each party that is handed so many elements.

        Elements of the parties in `first` go before all others.
        """
        mask = sum(1 << k for k, name in enumerate(self.names) if name in first)
        replies = Replies(self.ownership, self.records, amounts, self.seed, mask)
        return {
            name: Reply(
                self.records[name].form,
                partial(replies.make_reply, name),
                elements=partial(replies.list_elements, name),
            )
            for name in amounts
        }

    def head_regions(self, each: int, most: int) -> pl.Series:
        """Return so many first elements of each region, and at most so many in all."""
        grouped = self.ownership.elements.group_by(OWNERS, maintain_order=True)
        return grouped.head(each).head(most)[ELEMENT]


def tabulate(
    records: Mapping[str, Records], seed: int, executor: Executor | None = None
) -> UnionTable:
    """Return the union of the parties' lists.

    Parameters
    ----------
    records
        What each party holds.
    seed
        The collaboration's: it fixes the hand-out order.
    executor
        Where parts of large lists are worked on; None: on the cores of this machine.
    """
    rows = count_rows(records)
    if rows <= SMALL_LISTS and not any(
        isinstance(one.rows, StoredRows) for one in records.values()
    ):
        return SmallUnion(records, seed)
    from aboveboard.exchange.partitioned_union import tabulate_union

    return tabulate_union(records, seed, executor=executor)


def are_same(records: Mapping[str, Records], others: Mapping[str, Records]) -> bool:
    """Return whether two mappings hold the very same records."""
    return len(records) == len(others) and all(
        one is others.get(name) for name, one in records.items()
    )


def count_rows(records: Mapping[str, Records]) -> int:
    """Return how many rows all lists have together."""
    return sum(map(len, records.values()))
