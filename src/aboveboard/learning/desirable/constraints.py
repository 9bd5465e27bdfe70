"""What binds payments when the allocation is fixed: values of lies, and of staying away.

For party i, with the others' reports t_-i taken as true: values[r, t] is v_i when i has size t and
reports r <= t. It then uses max(x_i(r, t_-i), Q(t)), for it may fall back on its own model.
alone[t] is v_i when i stays away. Payments that leave truth at least as much satisfy

    p(t) <= values[t, t] - alone[t]                       (individual rationality)
    p(t) <= p(r) + values[t, t] - values[r, t], r < t     (incentive compatibility; the "Gap")

All reports below t bind, not only the next one. Cost: one valuation for each pair r <= t of each
column t_-i. Source: "Mechanism Design for Multi-Party Machine Learning", Appendix A.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import Array
from aboveboard.learning.market.allocation import Market, assign_models

AT_ONCE = 2**21
"""Qualities that are valued in one go: 16 MiB, and a few times that for what is made of them."""


@dataclass(frozen=True)
class Constraints:
    """What one party has in each of several columns; float64, or exact numbers as objects.

    Parameters
    ----------
    values
        Shape (columns, m, m): [c, r, t] is its value when it reports r and has t; 0 where r > t.
    alone
        Shape (columns, m): its value when it stays away.
    """

    values: Array
    alone: Array


def compute_constraints(
    market: Market, sizes: Array, i: int, others: NDArray[np.int64], *, reports: int | None = None
) -> Constraints:
    """Value every lie, and staying away, of one party in some columns.

    Parameters
    ----------
    market
        Who is served, and what qualities are worth.
    sizes
        The grid, ascending, shape (m,).
    i
        The party.
    others
        Positions of the other parties' sizes on the grid, in their order; shape (columns, n - 1).
    reports
        How many of the sizes, from the smallest on, the party may have; all by default.
        Higher ones bind no lower one.
    """
    m, n = len(sizes) if reports is None else reports, market.n
    codes = np.empty((len(others), m, n), dtype=np.int64)
    codes[..., i] = np.arange(m)
    codes[..., [j for j in range(n) if j != i]] = others[:, None, :]
    reported = sizes[codes].reshape(-1, n)
    quality = market.quality.evaluate(sizes)
    own = quality[codes]
    present = np.ones(reported.shape, dtype=np.bool_)
    q = np.maximum(assign_models(market, reported, present).reshape(codes.shape), own)
    honest = market.valuation.evaluate(q)[..., i]
    # A lie brings what the same report brings in truth, unless the own model is the better one.
    higher = np.triu(np.ones((m, m), dtype=np.bool_))
    values = np.where(higher, honest[..., None], honest[..., None] * 0)
    better = (quality[:m] > q[..., i, None]).astype(np.bool_) & higher
    column, report, truth = np.nonzero(better)
    fallback = q[column, report]
    fallback[:, i] = quality[truth]
    values[column, report, truth] = market.valuation.evaluate(fallback)[:, i]
    present[:, i] = False
    without = assign_models(market, reported, present).reshape(codes.shape)
    return Constraints(values, market.valuation.evaluate(np.maximum(without, own))[..., i])


def iterate_columns(m: int, n: int, *, width: int) -> Iterator[NDArray[np.int64]]:
    """Return the others' positions, all m^(n - 1) of them in order, so many at a time that fit.

    Parameters
    ----------
    m, n
        Sizes on the grid; parties.
    width
        Qualities that one column values.
    """
    total, step = m ** (n - 1), max(1, AT_ONCE // width)
    for start in range(0, total, step):
        flat = np.arange(start, min(start + step, total))
        # The last of the others goes fastest; a party alone has one column, of no others.
        yield (
            np.stack([flat // m**k % m for k in range(n - 2, -1, -1)], axis=-1)
            if n > 1
            else (np.zeros((1, 0), dtype=np.int64))
        )
