"""Instances of set union on which the claims are tried, and their description."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import combinations_with_replacement, product
from operator import or_

import numpy as np

from aboveboard.exchange.regions import Regions
from papers.claims import Family

Sets = list[list[int]]


def name_parties(n: int) -> tuple[str, ...]:
    """Name parties as the paper does: "1", "2", .."""
    return tuple(str(i + 1) for i in range(n))


def make_regions(owners: Sequence[int], n: int) -> Regions:
    """Return the instance whose element e is owned by the parties in the bit mask owners[e]."""
    masks = np.array(owners, dtype=np.uint64)
    return Regions(name_parties(n), masks, np.ones(len(masks), dtype=np.int64))


def list_diagrams(n: int, most: int, *, nobody_empty: bool = False) -> Family:
    """Return every instance of n parties with 1 to `most` elements, up to the elements' names.

    With `nobody_empty` every party owns something: one that owns nothing counts as absent.
    """

    def generate() -> Iterator[Regions]:
        for size in range(1, most + 1):
            for owners in combinations_with_replacement(range(1, 1 << n), size):
                if not nobody_empty or reduce(or_, owners) == (1 << n) - 1:
                    yield make_regions(owners, n)

    parties = f"{n} non-empty parties" if nobody_empty else f"{n} parties"
    return Family(
        f"Venn diagrams of {parties} with at most {_elements(most)}", _Repeatable(generate)
    )


def draw_diagrams(rng: np.random.Generator, n: int, elements: int, count: int) -> Family:
    """Draw instances of n parties in which each element's owners are uniform."""
    drawn = [make_regions(rng.integers(1, 1 << n, elements).tolist(), n) for _ in range(count)]
    return Family(f"Venn diagrams of {n} parties with {_elements(elements)}", drawn, sampled=True)


def list_lacks(n: int, most: int) -> Family:
    """Return every way in which n parties can lack at most `most` elements each."""
    kind = f"lists of what {n} parties lack, at most {_elements(most)} each"
    return Family(kind, sorted(product(range(most + 1), repeat=n), key=sum))


def list_sets(regions: Regions) -> Sets:
    """Return each party's set; elements are numbered from 0."""
    single = regions.split_into_elements()
    return [np.flatnonzero(row).tolist() for row in single.owned]


def restrict_to_coalition(regions: Regions, mask: int) -> Regions:
    """Return the same instance when only the parties in the mask report anything."""
    return Regions(regions.names, regions.owners & np.uint64(mask), regions.counts)


class _Repeatable:
    """An iterable that starts a generator anew each time it is gone through."""

    def __init__(self, generate: Callable[[], Iterator[Regions]]) -> None:
        self._generate = generate

    def __iter__(self) -> Iterator[Regions]:
        return self._generate()


def _elements(count: int) -> str:
    return f"{count} element" if count == 1 else f"{count} elements"
