"""Sums over all combinations of some numbers of each type, the weight of each a product.

An axis for each type: one after the other is summed out, so that a combination takes one step for
each of the sums and its weight need not be written down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import FloatArray
from aboveboard.valuation.shares.binomial_grids import BinomialGrid, Counts

AT_ONCE = 1 << 17
"""States that are valued in one call."""


def list_blocks(grids: Sequence[BinomialGrid]) -> Iterator[tuple[list[Counts], list[FloatArray]]]:
    """Yield the numbers of each type and both weights, few of the first type's at a time."""
    first, *rest = grids
    step = max(1, AT_ONCE // prod(len(grid.numbers) for grid in rest))
    for start in range(0, len(first.numbers), step):
        few = slice(start, start + step)
        yield (
            [first.numbers[few], *(grid.numbers for grid in rest)],
            [first.weights[:, few], *(grid.weights for grid in rest)],
        )


def multiply_out(weights: Sequence[FloatArray]) -> FloatArray:
    """Return the products of all combinations, an axis for each type."""
    product = weights[0]
    for each in weights[1:]:
        product = product[..., None] * each
    return product


def combine(numbers: Sequence[Counts]) -> Counts:
    """Return all combinations of numbers, shape (states, types)."""
    counts = np.empty((*map(len, numbers), len(numbers)), dtype=np.int64)
    for t, each in enumerate(np.ix_(*numbers)):
        counts[..., t] = each
    return counts.reshape(-1, len(numbers))


def pick(numbers: Sequence[Counts], places: Sequence[NDArray[np.int64]]) -> Counts:
    """Return the combinations at these places, shape (states, types)."""
    counts = np.empty((len(places[0]), len(numbers)), dtype=np.int64)
    for t, (each, where) in enumerate(zip(numbers, places, strict=True)):
        counts[:, t] = each[where]
    return counts


def contract(
    values: FloatArray, weights: Sequence[FloatArray], off: Sequence[FloatArray]
) -> FloatArray:
    """Return the sum of all values by the product of their weights, and by each type's `off` too.

    One axis after the other is summed out, so that only the first sum takes a step for each value.
    """
    plain, moments = values, list[FloatArray]()
    for weight, distance in zip(reversed(weights), reversed(off), strict=True):
        moments = [plain @ (weight * distance), *(each @ weight for each in moments)]
        plain = plain @ weight
    return np.array([plain, *moments], dtype=np.float64)
