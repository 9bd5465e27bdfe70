"""Every allocation of a tiny market, in canonical order.

What: the welfare of all (n + 1)^m allocations, in chunks of whole arrays; the first best one is
the canonical optimum. Cost: n 2^m valuations, then O((n + m) (n + 1)^m). Exact: 64-bit integers
where no sum can overflow, Python's otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import format_count, format_rounded
from aboveboard.games.numbers import LARGEST_ENTRY, Array
from aboveboard.market.model.markets import DESTROYED, Allocation, Market
from aboveboard.market.optimum.integer_programme import order_owners

MOST_ALLOCATIONS = 20_000_000
"""Allocations that are searched at most: some ten seconds."""

CHUNK = 1 << 16
"""Allocations that are valued at once: a few megabytes."""


def count_allocations(market: Market) -> int:
    """Return the number of allocations: every good has an owner or none."""
    return int((market.n + 1) ** market.m)


def search_all(market: Market) -> tuple[Allocation, int]:
    """Return the canonical optimum and its welfare.

    Raises
    ------
    BudgetExceeded
        If there are more than `MOST_ALLOCATIONS` allocations.
    """
    best: tuple[int, int] | None = None
    for start, welfare in _compute_welfare(market):
        k = int(welfare.argmax())
        if best is None or welfare[k] > best[1]:  # the first of equals stays
            best = start + k, int(welfare[k])
    assert best is not None  # there is always the endowment
    return _decode_allocation(market, best[0]), best[1]


def list_optimal(market: Market, limit: int) -> tuple[tuple[Allocation, ...], bool]:
    """Return the optimal allocations in canonical order, at most `limit`, and whether that is all.

    Raises
    ------
    BudgetExceeded
        If there are more than `MOST_ALLOCATIONS` allocations.
    """
    best: int | None = None
    places: list[int] = []
    for start, welfare in _compute_welfare(market):
        top = int(welfare.max())
        if best is None or top > best:
            best, places = top, []
        if top == best and len(places) <= limit:
            places += [start + int(k) for k in np.flatnonzero(welfare == top)[: limit + 1]]
    return tuple(_decode_allocation(market, p) for p in places[:limit]), len(places) <= limit


def _compute_welfare(market: Market) -> Iterator[tuple[int, Array]]:
    """Yield chunks: the first allocation's place in canonical order, and everyone's welfare."""
    total = count_allocations(market)
    if total > MOST_ALLOCATIONS:
        raise BudgetExceeded(
            f"{market.n} players and {market.m} goods have {format_rounded(total, 3)} "
            "allocations; an exhaustive "
            f"search takes at most {format_count(MOST_ALLOCATIONS)}; name a solver: highs or cp-sat"
        )
    narrow = market.n * market.bound <= LARGEST_ENTRY
    tables = [
        np.array([v.value(s) for s in range(1 << market.m)], dtype=np.int64 if narrow else object)
        for v in market.valuations
    ]
    orders = np.array([order_owners(market, g) for g in range(market.m)], dtype=np.int64)
    for start in range(0, total, CHUNK):
        places = np.arange(start, min(start + CHUNK, total))
        held = np.zeros((market.n + 1, len(places)), dtype=np.int64)
        columns = np.arange(len(places))
        for g in reversed(range(market.m)):  # the first good is the most significant digit
            places, digit = np.divmod(places, market.n + 1)
            held[orders[g][digit], columns] += 1 << g  # DESTROYED is the last row
        each = [table[bundle] for table, bundle in zip(tables, held, strict=False)]
        yield start, np.sum(each, axis=0)


def _decode_allocation(market: Market, place: int) -> Allocation:
    owners = [DESTROYED] * market.m
    for g in reversed(range(market.m)):
        place, digit = divmod(place, market.n + 1)
        owners[g] = order_owners(market, g)[digit]
    return tuple(owners)
