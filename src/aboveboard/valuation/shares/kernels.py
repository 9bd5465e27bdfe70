"""Compiled loops of the valuation system. Each has a plain twin in tests/oracles/valuation.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.kernels import kernel

ANY_ORDER = {"reassoc", "contract", "nsz"}
"""A sum may be taken in any order, which vectorises it; NaN and infinity keep their meaning."""


@kernel(fastmath=ANY_ORDER)
def sum_table(
    table: NDArray[np.floating[Any]],
    weight: NDArray[np.float64],
    members: NDArray[np.int64],
    by_size: NDArray[np.float64],
    of_row: NDArray[np.float64],
) -> None:
    """Read a table once, in order, and keep what every user's Shapley value is made of.

    To read several rows side by side shares loads of `by_size` and of `weight`, but is slower: a
    processor fetches ahead along one row. Sums are in float64, whatever the table's precision.

    Parameters
    ----------
    table
        Shape (rows, columns), both powers of two: the value of every coalition; the row is the
        mask of the later users, the column that of the earlier ones.
    weight
        Shape (sizes, columns): [p, l] weighs coalitions of p later users and those in mask l.
    members
        Shape (rows,): how many users are in each row's mask.
    by_size
        Added to, shape of `weight`: entry [p, l] is the sum of column l over rows of p users.
    of_row
        Written, shape (rows,): each row's weighted sum.
    """
    rows, columns = table.shape
    for h in range(rows):
        p = members[h]
        total = 0.0
        for c in range(columns):
            x = np.float64(table[h, c])
            by_size[p, c] += x
            total += weight[p, c] * x
        of_row[h] = total


@kernel(fastmath=ANY_ORDER)
def fold(sums: NDArray[np.float64], found: NDArray[np.float64]) -> None:
    """Write for each bit the sum over the positions that have it; `sums` are folded in half.

    Shapes are (2^bits,) and (bits,).
    """
    for bit in range(len(found) - 1, -1, -1):
        half = 1 << bit
        total = 0.0
        for k in range(half):
            above = sums[half + k]
            total += above
            sums[k] += above
        found[bit] = total


@kernel(fastmath=ANY_ORDER)
def add_up(
    by_size: NDArray[np.float64],
    weight: NDArray[np.float64],
    of_row: NDArray[np.float64],
    inside: NDArray[np.int64],
    sizes: NDArray[np.float64],
    users: NDArray[np.float64],
) -> None:
    """Add up what `sum_table` found, by size of the coalition and for each user.

    Parameters
    ----------
    by_size, weight, of_row
        As `sum_table` has them; `of_row` is used up.
    inside
        Shape (columns,): how many users are in each column's mask.
    sizes
        Added to, shape (N + 1,): the sum of the values of all coalitions of each size.
    users
        Written, shape (N,): the weighted sum of the values of each user's coalitions.
    """
    columns = len(inside)
    of_column = np.zeros(columns)
    for p in range(by_size.shape[0]):
        for c in range(columns):
            of_column[c] += weight[p, c] * by_size[p, c]
        for c in range(columns):
            sizes[p + inside[c]] += by_size[p, c]
    later = by_size.shape[0] - 1
    earlier = len(users) - later
    fold(of_column, users[:earlier])
    fold(of_row, users[earlier:])


@kernel()
def place_type(
    counts: NDArray[np.int64],
    weight: NDArray[np.float64],
    left: NDArray[np.int64],
    pool: int,
    size: int,
    column: int,
    last: int,
    floor: float,
    scratch: NDArray[np.float64],
    room: NDArray[np.int64],
    room_weight: NDArray[np.float64],
    room_left: NDArray[np.int64],
) -> Any:
    """Split the members still to be placed: how many are of one type, with which probability.

    A coalition of given size drawn at random has a multivariate hypergeometric number of members
    of each type. Types are placed one after the other; each step multiplies by one hypergeometric
    probability, had from its neighbour by a ratio of small numbers, outwards from the mode, and
    stops where the product falls below `floor`.

    Parameters
    ----------
    counts, weight, left
        Shape (m, types), (m,), (m,): the states so far, their probabilities, and how many members
        are not placed yet.
    pool
        How many users are of this type or a later one.
    size
        How many are of this type.
    column, last
        Where this type's count is written, and that of the type that takes what is left (-1: none).
    floor
        Probabilities below it are left out.
    scratch
        Shape (size + 1,).
    room, room_weight, room_left
        Written: the states after this type, at least m (size + 1) of them.

    Returns
    -------
    tuple
        How many states were written, and an upper bound of the probability left out.
    """
    written, lost = 0, 0.0
    others = pool - size
    for m in range(len(weight)):
        draws = left[m]
        low, high = max(0, draws - others), min(size, draws)
        mode = min(max((draws + 1) * (size + 1) // (pool + 2), low), high)
        scratch[mode] = 1.0
        total, outside, w = 1.0, 0.0, weight[m]
        first = last_kept = mode
        x = 1.0
        for k in range(mode, high):
            ratio = (size - k) * (draws - k) / ((k + 1.0) * (others - draws + k + 1.0))
            x *= ratio
            if x * w < floor:
                outside += x / (1.0 - ratio) if ratio < 1.0 else x * (high - k)
                break
            scratch[k + 1] = x
            total += x
            last_kept = k + 1
        x = 1.0
        for k in range(mode, low, -1):
            ratio = k * (others - draws + k) / ((size - k + 1.0) * (draws - k + 1.0))
            x *= ratio
            if x * w < floor:
                outside += x / (1.0 - ratio) if ratio < 1.0 else x * (k - low)
                break
            scratch[k - 1] = x
            total += x
            first = k - 1
        lost += w * outside / total
        for k in range(first, last_kept + 1):
            for t in range(counts.shape[1]):
                room[written, t] = counts[m, t]
            room[written, column] = k
            if last >= 0:
                room[written, last] = draws - k
            room_weight[written] = w * scratch[k] / total
            room_left[written] = draws - k
            written += 1
    return written, lost


@kernel()
def add_moments(
    counts: NDArray[np.int64],
    weight: NDArray[np.float64],
    worth: NDArray[np.float64],
    reference: float,
    per_member: NDArray[np.float64],
    share: float,
    covariance: NDArray[np.float64],
) -> float:
    """Add up the mean of `worth` - reference, and its covariance with each type's share.

    `per_member` is 1 over each type's size, `share` the coalition's size over N; `covariance`,
    shape (types,), is added to.
    """
    mean = 0.0
    for m in range(len(weight)):
        d = weight[m] * (worth[m] - reference)
        mean += d
        for t in range(len(per_member)):
            covariance[t] += d * (counts[m, t] * per_member[t] - share)
    return mean
