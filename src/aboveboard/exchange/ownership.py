"""The owners of each element as a bit mask, and the regions of the Venn diagram.

One pass over all records (a group-by in polars' streaming engine) and one sort of the distinct
elements; everything after that works on masks and on the counts per mask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from aboveboard.exchange.regions import check_owners
from aboveboard.storage.records import ELEMENT, Records

FEW_ELEMENTS = 1_000
"""Elements of all lists that Python indexes."""

OWNERS = "owners"
"""Name of the column of masks in `Ownership.elements`."""


@dataclass(frozen=True, eq=False)
class Ownership:
    """The distinct elements of all parties, each with the mask of those who hold it.

    Parameters
    ----------
    names
        The parties, sorted: nothing depends on their order in the file.
    elements
        Columns `element` (text, ascending by its bytes) and `owners` (UInt64; bit i is set where
        `names[i]` holds the element).
    """

    names: tuple[str, ...]
    elements: pl.DataFrame

    def __len__(self) -> int:
        return self.elements.height

    def masks(self) -> np.ndarray:
        """Return the owners of each element, uint64 of shape (elements,)."""
        return self.elements[OWNERS].to_numpy()

    def find_lacked(self, party: str) -> np.ndarray:
        """Return the positions in `elements` of what a party does not hold: int64, ascending."""
        bit = np.uint64(1 << self.names.index(party))
        return np.flatnonzero((self.masks() & bit) == 0)

    def count_regions(self) -> tuple[np.ndarray, np.ndarray]:
        """Count the elements of each region of the Venn diagram.

        Returns
        -------
        masks
            uint64, ascending: the regions that are not empty.
        counts
            int64: elements in each.
        """
        counted = self.elements.group_by(OWNERS).len("elements").sort(OWNERS)
        counts = counted["elements"].cast(pl.Int64)
        return counted[OWNERS].to_numpy(), counts.to_numpy()


def index_owners(records: Mapping[str, Records]) -> Ownership:
    """Find the owners of each element.

    Parameters
    ----------
    records
        What each party holds, one party at least.

    Returns
    -------
    Ownership
        It does not depend on the order of the parties or of their rows.

    Raises
    ------
    InputError
        If there are more than 63 parties.
    """
    names = tuple(sorted(records))
    check_owners(len(names))
    if sum(map(len, records.values())) <= FEW_ELEMENTS:
        return Ownership(names, _index_few(records))
    owned = (
        concatenate_records(records)
        .group_by(ELEMENT)
        .agg(pl.col(OWNERS).sum())
        .sort(ELEMENT)
        .collect(engine="streaming")
    )
    return Ownership(names, owned)


def _index_few(records: Mapping[str, Records]) -> pl.DataFrame:
    """Return the owners of each of a few elements: polars takes milliseconds to begin."""
    owners: dict[str, int] = {}
    for bit, name in enumerate(sorted(records)):
        for element in records[name].elements.to_list():
            owners[element] = owners.get(element, 0) + (1 << bit)
    found = sorted(owners)  # by code point, which is the order of UTF-8's bytes
    return pl.DataFrame(
        {ELEMENT: found, OWNERS: [owners[element] for element in found]},
        schema={ELEMENT: pl.String, OWNERS: pl.UInt64},
    )


def concatenate_records(records: Mapping[str, Records]) -> pl.LazyFrame:
    """Lay the parties' elements end to end, in the order of the parties' sorted names.

    Returns
    -------
    LazyFrame
        Columns `element` and `owners` (UInt64: the bit of the one party whose row it is).
    """
    return pl.concat(
        [
            records[name]
            .frame.lazy()
            .select(ELEMENT, pl.lit(1 << bit, dtype=pl.UInt64).alias(OWNERS))
            for bit, name in enumerate(sorted(records))
        ]
    )
