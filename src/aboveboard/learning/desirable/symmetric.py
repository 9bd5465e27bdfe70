"""Algorithm 1 where the parties are alike: one party, and the others up to permutation.

In a symmetric market what a party pays depends on its own size and on the multiset of the others'.
Of m sizes there are C(m + n - 2, n - 1) multisets of n - 1, where the full search has n m^(n - 1)
columns. Multisets are numbered in the combinatorial number system, ordered by their largest
members, so that a larger grid only adds to the end. Cost: m^2 / 2 valuations a multiset. Source:
"Mechanism Design for Multi-Party Machine Learning", Algorithm 1; the numbering is Lehmer's.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import comb

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import Array
from aboveboard.learning.desirable.constraints import AT_ONCE, compute_constraints
from aboveboard.learning.desirable.payments import compute_largest_payments
from aboveboard.learning.market.allocation import Market
from aboveboard.learning.market.valuations import Growth, Linear


def is_symmetric(market: Market) -> bool:
    """Return whether parties' names matter in no valuation, as far as its form tells."""
    if isinstance(market.valuation, Linear):
        matrix = market.valuation.matrix
        own = {matrix[i][i] for i in range(market.n)}
        others = {x for i, row in enumerate(matrix) for j, x in enumerate(row) if i != j}
        return len(own) == 1 and len(others) <= 1
    return isinstance(market.valuation, Growth)


def list_multisets(m: int, k: int) -> NDArray[np.int64]:
    """Return all multisets of k positions below m, each ascending, in order of their numbers."""
    every = np.array(list(combinations_with_replacement(range(m), k)), dtype=np.int64)
    every = every.reshape(-1, k)
    ordered = np.empty_like(every)
    ordered[number_multisets(every)] = every
    return ordered


def number_multisets(ascending: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of each multiset; shape (.., k), ascending along the last axis, to (..)."""
    found = np.zeros(ascending.shape[:-1], dtype=np.int64)
    top = int(ascending.max(initial=0))
    for j in range(ascending.shape[-1]):
        # How many multisets of j + 1 have all members below this one.
        below = np.array([comb(c + j, j + 1) for c in range(top + 1)], dtype=np.int64)
        found += below[ascending[..., j]]
    return found


def compute_symmetric_payments(market: Market, sizes: Array) -> tuple[Array, Array]:
    """Return what a party pays by its own size and the number of the multiset of the others'.

    Parameters
    ----------
    market
        A market for which `is_symmetric` holds; this is not looked at.
    sizes
        The grid, ascending, shape (m,).

    Returns
    -------
    payments
        Shape (m, multisets).
    peak
        The largest absolute value met.
    """
    m, n = len(sizes), market.n
    others = list_multisets(m, n - 1)
    step = max(1, AT_ONCE // (n * m * (m + 1) // 2))
    parts, peaks = [], []
    for start in range(0, len(others), step):
        given = compute_constraints(market, sizes, 0, others[start : start + step])
        parts.append(compute_largest_payments(given).payments)
        peaks.append(np.abs(given.values).max())
    return np.ascontiguousarray(np.concatenate(parts).T), np.max(peaks)


def expand_to_profiles(payments: Array, n: int) -> tuple[Array, ...]:
    """Return each party's payment at every profile, shape (m,) * n each, as views of one table."""
    m = len(payments)
    others = np.sort(np.indices((m,) * (n - 1)).reshape(n - 1, -1).T, axis=-1)
    table = payments[:, number_multisets(others)].reshape((m,) * n)
    return tuple(np.moveaxis(table, 0, i) for i in range(n))
