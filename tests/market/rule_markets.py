"""Small markets for the tests of the rule, and the same markets as the oracle sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from aboveboard.market.model.bidding import BundleTable
from aboveboard.market.model.markets import DESTROYED, Market, Outcome
from papers.market.failures import enumerate_small_markets

Bundle = frozenset[int]


def market(
    endowment: Sequence[int], values: Sequence[Sequence[int]], bits: int, names: str = "abcdef"
) -> Market:
    """values[i][mask - 1] is what the bundle `mask` is worth to player i."""
    goods = tuple(f"g{g + 1}" for g in range(len(endowment)))
    tables = tuple(
        BundleTable(tuple((mask + 1, value) for mask, value in enumerate(row))) for row in values
    )
    return Market(tuple(names[: len(values)]), goods, tuple(endowment), tables, bits)


def markets(n: int, m: int, bits: int) -> st.SearchStrategy[Market]:
    most = (1 << (bits - 1)) - 1
    row = st.lists(st.integers(-most, most), min_size=(1 << m) - 1, max_size=(1 << m) - 1)
    return st.builds(
        market,
        st.lists(st.integers(0, n - 1), min_size=m, max_size=m),
        st.lists(row, min_size=n, max_size=n),
        st.just(bits),
    )


def proposals(n: int, m: int, most: int) -> st.SearchStrategy[Outcome]:
    """Balanced announcements of whole prices up to `most`."""
    return st.builds(
        lambda owners, prices: Outcome(tuple(owners), (-sum(prices), *prices)),
        st.lists(st.integers(DESTROYED, n - 1), min_size=m, max_size=m),
        st.lists(st.integers(-most, most), min_size=n - 1, max_size=n - 1),
    )


def votes(n: int) -> st.SearchStrategy[list[bool]]:
    return st.lists(st.booleans(), min_size=n - 1, max_size=n - 1)


def sets(owners: Sequence[int], n: int) -> tuple[Bundle, ...]:
    """An allocation as the oracle has it: a set of goods for each player."""
    return tuple(frozenset(g for g, o in enumerate(owners) if o == i) for i in range(n))


def thetas(of: Market) -> list[Callable[[Bundle], int]]:
    """Valuations as the oracle has them: functions of sets of goods."""
    return [
        lambda held, v=valuation: v.value(sum(1 << g for g in held)) for valuation in of.valuations
    ]


def first_that(
    shows: Callable[[Market], Mapping[str, Any] | None], n: int, m: int, bits: int
) -> tuple[Market, Mapping[str, Any]]:
    """The smallest market of this size that shows a failure, and the play that it fails in."""
    found = ((of, shows(of)) for of in enumerate_small_markets(n, m, bits))
    return next((of, shown) for of, shown in found if shown is not None)
