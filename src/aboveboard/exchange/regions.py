"""An instance of set union, up to the elements' names: how many elements which parties own."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.formatting.plain_json import Json

MOST_OWNERS = 63
"""Parties that a mask of owners has bits for: 64, without the sign bit that polars keeps."""


def check_owners(n: int) -> None:
    """Raise `InputError` if there are more parties than a mask of owners has bits for."""
    if n > MOST_OWNERS:
        raise InputError(
            "parties", f"{n} parties exchange records", f"at most {MOST_OWNERS} parties can"
        )


MOST_ELEMENTS = 24
"""Elements up to which an instance is described element by element."""


@dataclass(frozen=True)
class Regions:
    """The regions of the parties' Venn diagram; several may have the same owners.

    Parameters
    ----------
    names
        The parties.
    owners
        Bit masks, shape (regions,), uint64: bit i is set if names[i] owns the elements.
    counts
        Elements of each region, shape (regions,), int64.

    Examples
    --------
    >>> lists = Regions.from_sets({"a": ["x", "y"], "b": ["y", "z"]})
    >>> lists.sizes.tolist(), lists.union, lists.lacks.tolist()
    ([2, 2], 3, [1, 1])
    """

    names: tuple[str, ...]
    owners: NDArray[np.uint64]
    counts: NDArray[np.int64]

    @classmethod
    def from_sets(cls, sets: Mapping[str, Collection[Hashable]]) -> Regions:
        """Return the regions of explicit sets.

        Raises
        ------
        InputError
            If there are more parties than a mask has bits for.

        Examples
        --------
        >>> lists = Regions.from_sets({"a": ["x", "y"], "b": ["y", "z"]})
        >>> lists.union, lists.lacks.tolist()
        (3, [1, 1])
        """
        check_owners(len(sets))
        mask_of: dict[Hashable, int] = {}
        for i, elements in enumerate(sets.values()):
            for element in elements:
                mask_of[element] = mask_of.get(element, 0) | 1 << i
        masks = sorted(set(mask_of.values()))
        tally = dict.fromkeys(masks, 0)
        for mask in mask_of.values():
            tally[mask] += 1
        return cls(
            tuple(sets),
            np.array(masks, dtype=np.uint64),
            np.array([tally[mask] for mask in masks], dtype=np.int64),
        )

    @cached_property
    def owned(self) -> NDArray[np.bool_]:
        """Whether a party owns a region, shape (parties, regions)."""
        bits = np.arange(len(self.names), dtype=np.uint64)
        return (self.owners[None, :] >> bits[:, None] & np.uint64(1)).astype(np.bool_)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """How many elements each party owns."""
        return np.asarray((self.owned * self.counts).sum(axis=1), dtype=np.int64)

    @property
    def union(self) -> int:
        """How many elements there are."""
        return int(self.counts.sum())

    @property
    def lacks(self) -> NDArray[np.int64]:
        """How many elements of the union each party lacks."""
        return self.union - self.sizes

    def arrange(self, names: tuple[str, ...]) -> Regions:
        """Return the same regions for parties in another order, with further ones that own nothing.

        Examples
        --------
        >>> Regions.from_sets({"a": "x", "b": "yz"}).arrange(("b", "c", "a")).sizes.tolist()
        [2, 0, 1]
        """
        arranged = Regions(names, self.owners, self.counts)
        owners = arranged.translate_masks(self.owners, self.names)
        order = np.argsort(owners)
        return Regions(names, owners[order], self.counts[order])

    def translate_masks(
        self, masks: NDArray[np.uint64], names: tuple[str, ...]
    ) -> NDArray[np.uint64]:
        """Return masks of owners among `names` as masks among these parties."""
        check_owners(len(self.names))
        translated = np.zeros(len(masks), dtype=np.uint64)
        for old, name in enumerate(names):
            bit = masks >> np.uint64(old) & np.uint64(1)
            translated |= bit << np.uint64(self.names.index(name))
        return translated

    def split_into_elements(self) -> Regions:
        """Return the same instance with every element a region of its own."""
        owners = np.repeat(self.owners, self.counts)
        return Regions(self.names, owners, np.ones(len(owners), dtype=np.int64))

    def merge_equal_owners(self) -> Regions:
        """Return the same instance with one region for each set of owners."""
        owners, where = np.unique(self.owners, return_inverse=True)
        counts = np.bincount(where, weights=self.counts, minlength=len(owners)).astype(np.int64)
        return Regions(self.names, owners, counts)

    def shrink(self) -> Iterator[Regions]:
        """Yield smaller instances: fewer parties, then fewer elements, the largest cut first."""
        merged = self.merge_equal_owners()
        if len(self.names) > 2:
            for i in range(len(self.names)):
                yield merged.remove_party(i)
        if (merged.counts > 1).any():
            yield merged._with_counts(merged.counts // 2)
            yield merged._with_counts((merged.counts + 1) // 2)
        for r in range(len(merged.counts)):
            yield merged._with_count(r, 0)
        for r, count in enumerate(merged.counts.tolist()):
            if count > 2:
                yield merged._with_count(r, count // 2)
        for r, count in enumerate(merged.counts.tolist()):
            if count > 1:
                yield merged._with_count(r, count - 1)

    def remove_party(self, i: int) -> Regions:
        """Return the instance without party i."""
        low = np.uint64((1 << i) - 1)
        owners = (self.owners & low) | (self.owners >> np.uint64(1) & ~low)
        names = self.names[:i] + self.names[i + 1 :]
        return (
            Regions(names, owners, self.counts)
            ._with_counts(np.where(owners != 0, self.counts, 0))
            .merge_equal_owners()
        )

    def _with_count(self, r: int, count: int) -> Regions:
        counts = self.counts.copy()
        counts[r] = count
        return self._with_counts(counts)

    def _with_counts(self, counts: NDArray[np.int64]) -> Regions:
        kept = counts > 0
        return Regions(self.names, self.owners[kept], counts[kept])

    def name_region(self, r: int) -> str:
        """Name a region by its owners: "only alpha", "alpha & beta", "all but alpha", "all"."""
        owners = self.owned[:, r]
        holders = [name for name, has in zip(self.names, owners, strict=True) if has]
        if len(holders) == 1:
            return f"only {holders[0]}"
        if len(holders) == len(self.names) > 2:
            return "all"
        if len(holders) == len(self.names) - 1 > 2:
            return (
                f"all but {next(n for n, has in zip(self.names, owners, strict=True) if not has)}"
            )
        return " & ".join(holders)

    def name_elements(self) -> list[str]:
        """Name the elements of an instance of single elements: e1, e2, .."""
        return [f"e{r + 1}" for r in range(len(self.counts))]

    def describe(self) -> dict[str, Json]:
        """Describe the instance: the parties' sets where they are small, else region counts."""
        if self.union <= MOST_ELEMENTS:
            single = self.split_into_elements()
            names = single.name_elements()
            sets = {
                party: [e for e, has in zip(names, single.owned[i], strict=True) if has]
                for i, party in enumerate(self.names)
            }
            return {"sets": sets}
        merged = self.merge_equal_owners()
        return {
            "regions": {merged.name_region(r): int(c) for r, c in enumerate(merged.counts.tolist())}
        }
