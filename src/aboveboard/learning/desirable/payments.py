"""Algorithm 1's core: the largest payments that leave no lie and no absence more than the truth.

The constraints of one column are a graph whose edges run from lower to higher reports, so shortest
paths are found in one pass over ascending sizes, whatever the signs of the weights. Here in terms
of what truth leaves, u(t) = max(alone[t], max over r < t of values[r, t] - p(r)), and
p(t) = values[t, t] - u(t). Cost: m^2 / 2 steps a column. Source: "Mechanism Design for Multi-Party
Machine Learning", Algorithm 1 and Theorem 5 (there with a general shortest-path search).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import Array, as_objects
from aboveboard.learning.desirable.constraints import (
    Constraints,
    compute_constraints,
    iterate_columns,
)
from aboveboard.learning.desirable.kernels import forward_pass
from aboveboard.learning.market.allocation import Market

NO_PARENT = -1
"""The parent of a size whose binding constraint is that of staying away."""


@dataclass(frozen=True)
class LargestPayments:
    """The largest payments of some columns.

    Parameters
    ----------
    payments
        Shape (columns, m).
    parents
        Shape (columns, m): the report whose lie binds, or `NO_PARENT`.
    """

    payments: Array
    parents: NDArray[np.int64]


def compute_largest_payments(given: Constraints) -> LargestPayments:
    """Go once through each column; exact where the constraints are."""
    payments = np.zeros(given.alone.shape, dtype=given.values.dtype)
    parents = np.full(given.alone.shape, NO_PARENT, dtype=np.int64)
    if given.values.dtype == np.float64:
        forward_pass(given.values, given.alone.astype(np.float64), payments, parents)
        return LargestPayments(payments, parents)
    for c in range(len(payments)):
        paid, parent = _solve_exactly(given.values[c].tolist(), given.alone[c].tolist())
        payments[c], parents[c] = as_objects(paid), parent
    return LargestPayments(payments, parents)


def _solve_exactly(values: list[list[Any]], alone: list[Any]) -> tuple[list[Any], list[int]]:
    """Go through one column of exact numbers."""
    payments: list[Any] = []
    parents = []
    for t, least in enumerate(alone):
        utility, parent = least, NO_PARENT
        for r in range(t):
            kept = values[r][t] - payments[r]
            if kept > utility:
                utility, parent = kept, r
        payments.append(values[t][t] - utility)
        parents.append(parent)
    return payments, parents


def compute_party_payments(market: Market, sizes: Array, i: int) -> tuple[Array, Array]:
    """Return a party's largest payment at every profile, and the largest value met on the way.

    Parameters
    ----------
    market
        Who is served, and what qualities are worth.
    sizes
        The grid, ascending, shape (m,).
    i
        The party.

    Returns
    -------
    payments
        Shape (m,) * n, by the positions of the parties' sizes.
    peak
        Shape (): the largest absolute value, by which rounding errors are judged.
    """
    m, n = len(sizes), market.n
    parts, peaks = [], []
    for others in iterate_columns(m, n, width=n * m * (m + 1) // 2):
        given = compute_constraints(market, sizes, i, others)
        parts.append(compute_largest_payments(given).payments)
        peaks.append(np.abs(given.values).max())
    table = np.concatenate(parts).reshape((m,) * n)
    return np.ascontiguousarray(np.moveaxis(table, -1, i)), np.max(peaks)
