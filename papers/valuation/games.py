"""The product's games of alike users, and gamma and U(p) from their definitions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import Any

from aboveboard.valuation import (
    AlikeUsers,
    DpMean,
    TableUtility,
    make_alike_users,
    shapley_among_users,
)
from aboveboard.valuation.levels import NOTHING, Level
from aboveboard.valuation.offers.alike_users import Candidate
from papers.valuation.instances import Values, of_number

TOLERANCE = 1e-9
"""Of what the product finds in float64."""


@lru_cache(maxsize=4096)
def find_offer(worth: Values) -> AlikeUsers:
    """Return the product's game of users who share or not, from U of 0, 1, .., N sharers."""
    table = TableUtility(tuple(map(Fraction, of_number(worth))))
    return make_alike_users(table, len(worth) - 1, NOTHING, Fraction(1))


@lru_cache(maxsize=4096)
def best_offer(worth: Values, cost: float) -> Candidate:
    """Return the product's best offer, remembered: several claims look at the same one."""
    return find_offer(worth).best(cost)


@lru_cache(maxsize=64)
def example(epsilon: Level, n: int = 2) -> AlikeUsers:
    """Return Example 1's game of N users who share at one level or not."""
    return make_alike_users(DpMean(), n, NOTHING, epsilon)


@lru_cache(maxsize=4096)
def rises(worth: Values) -> tuple[Fraction, ...]:
    """Return by how much a user's fair share rises by sharing while 0, 1, .. others share.

    From the definition: Theorem 2's shares of the game in which the others are at level 0.
    """
    table, n = of_number(worth), len(worth) - 1
    found = []
    for m in range(n):
        after = [table[mask & ((2 << m) - 1)] for mask in range(1 << n)]
        before = [table[mask & ((1 << m) - 1)] for mask in range(1 << n)]
        found.append(
            Fraction(shapley_among_users(after).users[m] - shapley_among_users(before).users[m])
        )
    return tuple(found)


def expectation(values: Sequence[Any], q: Any) -> Any:
    """Return E values[k] where k of len(values) - 1 users share, each with probability q."""
    n = len(values) - 1
    return sum(comb(n, k) * q**k * (1 - q) ** (n - k) * x for k, x in enumerate(values))
