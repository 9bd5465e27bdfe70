"""The payments of Algorithm 1 from the definitions: by shortest paths, and by trying them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from aboveboard.learning import Market
from aboveboard.learning.desirable.search import SearchResult, search_desirable
from papers.learning.definitions import Rule, replace_report, worth


@dataclass(frozen=True)
class SearchedMarket:
    """A market on a grid: the product's and that of the definitions.

    Parameters
    ----------
    market
        The product's.
    rule
        The same from the definitions.
    sizes
        The grid, ascending.
    shown
        What a counterexample says of the market.
    """

    market: Market
    rule: Rule = field(repr=False)
    sizes: tuple[int, ...]
    shown: Any

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**self.shown, "grid": list(self.sizes)}

    def find_mechanism(self) -> SearchResult:
        """Search the grid with the product."""
        return search_desirable(self.market, self.sizes)


@dataclass(frozen=True)
class Column:
    """What one party has for each report and each true size, the others' sizes fixed.

    Parameters
    ----------
    values
        Row r, entry t: with report r and true size t; None where r is larger.
    alone
        By true size: what it has when it stays away.
    """

    values: list[list[Any]]
    alone: list[Any]


def column(
    instance: SearchedMarket, i: int, others: Sequence[int], *, fallback: bool = True
) -> Column:
    """Value every pair of report and true size; `fallback`: the liar may use its own model."""
    rule, sizes = instance.rule, instance.sizes

    def has(true: int, report: int | None) -> Any:
        there = replace_report(others, i, true)
        told = replace_report(others, i, report)
        if fallback or report is None:
            return worth(rule, i, there, told)
        # Without the fall-back a liar uses what an honest party of the size it reports would.
        return worth(rule, i, told, told)

    values = [[has(t, r) if r <= t else None for t in sizes] for r in sizes]
    return Column(values, [has(t, None) for t in sizes])


def largest(column: Column, *, neighbours: bool = False) -> list[Any]:
    """Return the shortest paths of Algorithm 1's graph by relaxing every edge until none gives way.

    `neighbours`: with the edges between neighbouring sizes alone.
    """
    m = len(column.alone)
    paid = [column.values[t][t] - column.alone[t] for t in range(m)]
    moved = True
    while moved:
        moved = False
        for t in range(m):
            for r in range(max(0, t - 1) if neighbours else 0, t):
                longer = paid[r] + column.values[t][t] - column.values[r][t]
                if longer < paid[t]:
                    paid[t], moved = longer, True
    return paid


def by_trying(column: Column, low: int, high: int) -> list[Any] | None:
    """Return the largest whole payments in a range that leave truth the best, entry by entry.

    None if these largest ones are together no such payments: then there are no largest ones.
    """
    m = len(column.alone)

    def right(paid: Sequence[int]) -> bool:
        left = [column.values[t][t] - paid[t] for t in range(m)]
        return all(
            left[t] >= column.alone[t]
            and all(left[t] >= column.values[r][t] - paid[r] for r in range(t))
            for t in range(m)
        )

    fitting = [paid for paid in product(range(low, high + 1), repeat=m) if right(paid)]
    top = [max(paid[t] for paid in fitting) for t in range(m)]
    return top if right(top) else None


Payments = Callable[[Column], Any]


def all_payments(
    instance: SearchedMarket, pay: Payments, *, fallback: bool = True
) -> list[dict[tuple[int, ...], Any]] | None:
    """Return each party's payment at every profile of sizes; None if `pay` finds none."""
    sizes, n = instance.sizes, instance.rule.n
    tables: list[dict[tuple[int, ...], Any]] = []
    for i in range(n):
        table = {}
        for rest in product(sizes, repeat=n - 1):
            others = [*rest[:i], 0, *rest[i:]]
            paid = pay(column(instance, i, others, fallback=fallback))
            if paid is None:
                return None
            for t, amount in zip(sizes, paid, strict=True):
                table[tuple(replace_report(others, i, t))] = amount
        tables.append(table)
    return tables


def profiles(instance: SearchedMarket) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return positions on the grid and sizes of every profile."""
    n, m = instance.rule.n, len(instance.sizes)
    for positions in product(range(m), repeat=n):
        yield positions, tuple(instance.sizes[p] for p in positions)
