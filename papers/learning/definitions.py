"""Definitions 1 to 9 in plain loops over Fractions: what the claims hold the product against.

A report is a size, or None where a party stays away. Nothing here calls the product. Cost: one
valuation for each utility, or one for each set of parties where the best set is looked for.
Source: "Mechanism Design for Multi-Party Machine Learning", section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

Reports = Sequence[Any]
"""One entry for each party: its size, or None."""


@dataclass(frozen=True)
class Rule:
    """A market and its allocation; Q(t) = t.

    Parameters
    ----------
    n
        Parties.
    value
        v_i: from i and the qualities in use.
    handed
        x: from reports to the qualities handed out.
    """

    n: int
    value: Callable[[int, Sequence[Any]], Any]
    handed: Callable[[Reports], Sequence[Any]]


def fill_absent(reports: Reports) -> list[Any]:
    """Return sizes as the center knows them: 0 for who is absent."""
    return [0 if t is None else t for t in reports]


def replace_report(reports: Reports, i: int, report: Any) -> list[Any]:
    """Return the reports with another one of party i."""
    return [report if k == i else t for k, t in enumerate(reports)]


def worth(rule: Rule, i: int, true: Sequence[Any], reports: Reports) -> Any:
    """Return v_i(x(t'), t), where every party uses the better of x_j and its own model."""
    q = [max(x, t) for x, t in zip(rule.handed(reports), true, strict=True)]
    return rule.value(i, q)


def exploitation(rule: Rule, i: int, reports: Reports) -> Any:
    """Return the maximal exploitation payment (Definition 9); 0 for who is absent."""
    if reports[i] is None:
        return 0
    true = fill_absent(reports)
    return worth(rule, i, true, reports) - worth(rule, i, true, replace_report(reports, i, None))


def utility(rule: Rule, i: int, true: Sequence[Any], reports: Reports) -> Any:
    """Return u_i(t, t') under maximal exploitation payments."""
    return worth(rule, i, true, reports) - exploitation(rule, i, reports)


def of_served(served: Callable[[Reports], Sequence[bool]]) -> Callable[[Reports], list[Any]]:
    """Hand the best model, trained on the sum of all reports, to those who are served."""

    def handed(reports: Reports) -> list[Any]:
        best = sum(fill_absent(reports))
        return [best if s else 0 for s in served(reports)]

    return handed


def subsets(members: Sequence[int]) -> Iterator[set[int]]:
    """Return all subsets, the largest first and then in the order of their members."""
    for size in range(len(members), -1, -1):
        for chosen in sorted(combinations(members, size), key=lambda s: sum(1 << j for j in s)):
            yield set(chosen)


def linear(matrix: Sequence[Sequence[Any]], counterfactual: str) -> Rule:
    """Return Example 1's market, served by the sums of columns."""
    n = len(matrix)

    def value(i: int, q: Sequence[Any]) -> Any:
        return sum(Fraction(a) * x for a, x in zip(matrix[i], q, strict=True))

    def served(reports: Reports) -> list[bool]:
        there = [t is not None for t in reports]
        if counterfactual == "none" and not all(there):
            return [False] * n
        counted = [i for i in range(n) if counterfactual == "all" or there[i]]
        return [there[j] and sum(matrix[i][j] for i in counted) >= 0 for j in range(n)]

    return Rule(n, value, of_served(served))


def by_search(n: int, value: Callable[[int, Sequence[Any]], Any], counterfactual: str) -> Rule:
    """Return a market of any valuation, served by trying every set; ties serve more."""

    def served(reports: Reports) -> list[bool]:
        there = [i for i in range(n) if reports[i] is not None]
        if counterfactual == "none" and len(there) < n:
            return [False] * n
        counted = there if counterfactual == "participants" else range(n)
        sizes, best = fill_absent(reports), sum(fill_absent(reports))
        chosen, most = set[int](), None
        for group in subsets(there):
            q = [max(best, t) if j in group else t for j, t in enumerate(sizes)]
            total = sum(value(i, q) for i in counted)
            if most is None or total > most:
                chosen, most = group, total
        return [j in chosen for j in range(n)]

    return Rule(n, value, of_served(served))


def share_of_market(alpha: int) -> Callable[[int, Sequence[Any]], Any]:
    """Return section 6.2's valuation at a whole growth rate, exactly."""

    def value(i: int, q: Sequence[Any]) -> Any:
        total = sum(q)
        return Fraction(total) ** alpha * q[i] if total else Fraction(0)

    return value


def share_with_all(n: int, value: Callable[[int, Sequence[Any]], Any]) -> Rule:
    """Serve every participant."""
    return Rule(n, value, of_served(lambda reports: [t is not None for t in reports]))


def share_with_none(n: int, value: Callable[[int, Sequence[Any]], Any]) -> Rule:
    """Serve nobody."""
    return Rule(n, value, of_served(lambda reports: [False] * len(reports)))
