"""Fair shares of all users from the table of all coalitions, in one pass.

What: `shapley_among_users` is Theorem 2 (users share alpha (U - U(0))), `shapley_with_platform`
is Theorem 1 (the platform is a member without whom nothing is earned). A coalition S of s users
enters the value of each of its members with weight w(s-1) and that of everybody else with -w(s), so

    value of i = sum over S containing i of c(s) U(S) - C,   c(s) = w(s-1) + w(s),
    C = sum over all S of w(s) U(S),

with w(s) = 1/(N C(N-1, s)) among users and 1/((N+1) C(N, s+1)) with the platform. The first sums
for all i at once: the table is read once, block by block, into one row of column sums for each
size and one sum for each row, which are then folded in half once a user. Cost: 2^N multiplications
and additions, 2^(N-8) numbers beyond the table, which may lie in a file (`numpy.memmap`; N = 30 is
8 GiB, or 4 GiB as float32) and is read on all cores where it is large. Exact tables of integers and
fractions are folded as they are. Source: "The Fair Value of Data Under Heterogeneous Privacy
Constraints", Theorems 1 and 2; the reading in one pass is ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import comb, isfinite, lcm

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import Array, FloatArray, Number, as_objects
from aboveboard.valuation.shares.kernels import add_up, sum_table

COLUMNS = 8
"""Bits of a column: sums and weights of 2^8 columns for each size stay in the nearest cache."""
LINE = 64
"""Bytes of a cache line: vectors that lie across two of them are loaded in two steps."""
PARTS = 4
"""A large table is summed in so many parts, whatever the threads: the same bits on any machine."""
SHARED_FROM = 22
"""Users from whom on the parts are shared out: before that threads take longer to wake up."""
AT_ONCE = 1 << 24
"""Values that are looked through at once for one that is not finite."""
COMMON = 4096
"""Bits of a common denominator up to which exact tables are brought to whole numbers."""

Weights = tuple[Fraction, ...]


@dataclass(frozen=True)
class ShapleyDivision:
    """Who gets how much of a utility.

    Parameters
    ----------
    users
        What each user is awarded, in order; an array of floats, or of exact numbers.
    platform
        What is left to the platform.
    total
        Utility of everybody's data, U.
    at_nothing
        Utility of no data, U(0).

    Examples
    --------
    >>> division = shapley_among_users([0, 2, 4, 8], Fraction(1, 2))
    >>> sum(division.users), division.platform, division.total, division.error
    (Fraction(4, 1), Fraction(4, 1), 8, Fraction(0, 1))
    """

    users: Array
    platform: Number
    total: Number
    at_nothing: Number

    @property
    def error(self) -> Number:
        """Efficiency: how far users and platform together are from the total."""
        gap: Number = sum(self.users.tolist()) + self.platform - self.total
        return -gap if gap < 0 else gap


@lru_cache(maxsize=64)
def shapley_weights(users: int) -> Weights:
    """Return w(s) for s = 0..N: 1/(N C(N-1, s)), and 0 for everybody."""
    marginal = (Fraction(1, users * comb(users - 1, s)) for s in range(users))
    return (*marginal, Fraction(0))


@lru_cache(maxsize=64)
def platform_weights(users: int) -> Weights:
    """Return w(s) for s = 0..N: 1/((N+1) C(N, s+1)), and 0 for everybody."""
    marginal = (Fraction(1, (users + 1) * comb(users, s + 1)) for s in range(users))
    return (*marginal, Fraction(0))


def shapley_among_users(
    table: Array | Sequence[Number], alpha: Number = 1, *, threads: int | None = None
) -> ShapleyDivision:
    """Divide by Theorem 2: the users share alpha times the utility of their data.

    Parameters
    ----------
    table
        Shape (2^N,), N at least 1: U of every coalition by bit mask. Floats are divided in
        float64, and a table of float64 or float32 is read where it is, be it in a file
        (`numpy.memmap`); integers and fractions (as objects) exactly.
    alpha
        Part of the utility that the users share.
    threads
        How many read a table of 22 users or more; None: one for each core. The answer has the same
        bits whatever their number.

    Returns
    -------
    Division
        The users' shares, of shape (N,), sum to alpha (U - U(0)): what the platform would have
        without any data is not theirs, so it keeps alpha U(0) besides its (1 - alpha) U.

    Raises
    ------
    ValueError
        If the length is not a power of two, or a value is not a finite number.

    Examples
    --------
    >>> import numpy as np
    >>> shapley_among_users(np.array([0.0, 2.0, 1.0, 4.0])).users.tolist()
    [2.5, 1.5]
    """
    values = check_table(table)
    raw, _ = _compute_values(values, shapley_weights, threads)
    users = raw * (float(alpha) if raw.dtype == np.float64 else alpha)
    total, nothing = _read_ends(values)
    return ShapleyDivision(users, total - multiply(alpha, total - nothing), total, nothing)


def shapley_with_platform(
    table: Array | Sequence[Number], *, threads: int | None = None
) -> ShapleyDivision:
    """Divide by Theorem 1: the platform is one more member, and no coalition earns without it.

    The platform's share is the mean over s of the mean utility of coalitions of s users. Shares
    and the platform's sum to U; a utility of no data, U(0), goes to the platform alone.

    Parameters, errors and cost are those of `shapley_among_users`.

    Examples
    --------
    >>> division = shapley_with_platform([0, 6, 6, 12])
    >>> division.users.tolist(), division.platform
    ([Fraction(3, 1), Fraction(3, 1)], Fraction(6, 1))
    """
    values = check_table(table)
    users, by_size = _compute_values(values, platform_weights, threads)
    n = len(users)
    platform = sum(
        (_weigh(w, x) for w, x in zip(_mean_weights(n), by_size.tolist(), strict=True)), start=0
    )
    return ShapleyDivision(users, platform, *_read_ends(values))


def multiply(alpha: Number, x: Number) -> Number:
    """Multiply, exactly where both are exact."""
    return float(alpha) * x if isinstance(x, float) else alpha * x


def check_table(table: Array | Sequence[Number]) -> Array:
    """Return a table as contiguous float64 or float32, or as an array of integers and fractions.

    One that is in memory or in a file in this form already is not copied.

    Raises
    ------
    ValueError
        If the length is not a power of two above 1, or a value is not a finite number.
    """
    values = table if isinstance(table, np.ndarray) else as_objects(list(table))
    n = len(values).bit_length() - 1
    if values.ndim != 1 or n < 1 or len(values) != 1 << n:
        raise ValueError(
            f"a table has 2^N values, one for each coalition; this one has the shape {values.shape}"
        )
    if values.dtype == object and not any(isinstance(x, float) for x in values):
        return values
    if np.issubdtype(values.dtype, np.integer):
        return values.astype(object)
    kept = np.float32 if values.dtype == np.float32 else np.float64
    return np.ascontiguousarray(values, dtype=kept).view(np.ndarray)


def _read_ends(values: Array) -> tuple[Number, Number]:
    if values.dtype == object:
        return values[-1], values[0]
    return float(values[-1]), float(values[0])


def _mean_weights(n: int) -> Weights:
    return tuple(Fraction(1, (n + 1) * comb(n, s)) for s in range(n + 1))


def _weigh(weight: Fraction, x: Number) -> Number:
    return float(weight) * x if isinstance(x, float) else weight * x


def _compute_values(
    values: Array, weights: Callable[[int], Weights], threads: int | None = None
) -> tuple[Array, Array]:
    """Return the users' values and the sums of the table by size of the coalition."""
    if values.dtype == object:
        w = weights(len(values).bit_length() - 1)
        return _compute_exactly(values, w, _find_member_weights(w))
    return _compute_in_floats(values, weights, threads)


def _find_member_weights(w: Weights) -> Weights:
    """Return c(s) for s = 0..N from w(s)."""
    return (w[0] * 0, *(w[s - 1] + w[s] for s in range(1, len(w))))


@dataclass(frozen=True)
class _Layout:
    """How a table of N users is read: what takes longer to work out than 2^20 values to read.

    Parameters
    ----------
    members, inside
        Shapes (rows,) and (columns,): how many users are in each row's and each column's mask.
    by_member
        Shape (sizes, columns): c(s) of a coalition of so many later users and this column's.
    w
        Shape (N + 1,): w(s).
    """

    members: NDArray[np.int64]
    inside: NDArray[np.int64]
    by_member: FloatArray
    w: FloatArray


@lru_cache(maxsize=8)
def _plan_layout(weights: Callable[[int], Weights], n: int, low: int) -> _Layout:
    w = weights(n)
    c = np.array([float(x) for x in _find_member_weights(w)])
    inside = count_members(low)
    size = np.arange(n - low + 1)[:, None] + inside[None, :]
    by_member = _make_zeros(*size.shape)
    by_member[:] = c[size]
    return _Layout(count_members(n - low), inside, by_member, np.array([float(x) for x in w]))


def _make_zeros(rows: int, columns: int) -> FloatArray:
    """Return zeros that begin with a cache line; NumPy's begin somewhere in one."""
    size, unit = rows * columns, np.dtype(np.float64).itemsize
    room = np.zeros(size + LINE // unit - 1)
    start = -room.__array_interface__["data"][0] % LINE // unit
    return room[start : start + size].reshape(rows, columns)


def _compute_in_floats(
    values: Array, weights: Callable[[int], Weights], threads: int | None
) -> tuple[FloatArray, FloatArray]:
    n = len(values).bit_length() - 1
    layout = _plan_layout(weights, n, min(COLUMNS, max(n - 2, 0)))
    table = values.reshape(len(layout.members), -1)
    of_row = np.empty(len(table))
    by_size = _sum_parts(table, layout.by_member, layout.members, of_row, threads)
    users, sums = np.empty(n), np.zeros(n + 1)
    add_up(by_size, layout.by_member, of_row, layout.inside, sums, users)
    with np.errstate(invalid="ignore"):  # infinities of both signs
        common = float(np.dot(layout.w, sums))
    if not isfinite(common):
        raise ValueError(_describe_bad_value(values))
    return users - common, sums


@lru_cache(maxsize=1)
def _open_pool() -> ThreadPoolExecutor:
    """Return one helper, which stays: to start it takes as long as many values."""
    return ThreadPoolExecutor(1, "shapley")


def _sum_parts(
    table: Array,
    weight: FloatArray,
    members: NDArray[np.int64],
    of_row: FloatArray,
    threads: int | None,
) -> FloatArray:
    """Sum a table, a large one part by part, and return its sums by size and column."""
    if table.size < 1 << SHARED_FROM:
        whole = _make_zeros(*weight.shape)
        sum_table(table, weight, members, whole, of_row)
        return whole
    by_size = [_make_zeros(*weight.shape) for _ in range(PARTS)]
    each = len(table) // PARTS

    def sum_part(k: int) -> None:
        here = slice(k * each, (k + 1) * each)
        sum_table(table[here], weight, members[here], by_size[k], of_row[here])

    if min(threads or os.cpu_count() or 1, PARTS) == 1:
        for k in range(PARTS):
            sum_part(k)
    else:
        parts = [_open_pool().submit(sum_part, k) for k in range(PARTS)]
        # From the other end: on a busy machine the helper may not have started yet.
        for k in reversed(range(PARTS)):
            if parts[k].cancel():
                sum_part(k)
            else:
                parts[k].result()
    total: FloatArray = sum(by_size[1:], start=by_size[0])
    return total


def _describe_bad_value(values: Array) -> str:
    for start in range(0, len(values), AT_ONCE):
        bad = np.flatnonzero(~np.isfinite(values[start : start + AT_ONCE]))
        if len(bad):
            at = start + int(bad[0])
            return f"the value of coalition {at} is {values[at]}, not a finite number"
    return "the values are so large that their sum is not a finite number"


def _compute_exactly(values: Array, w: Weights, member: Weights) -> tuple[Array, Array]:
    n = len(values).bit_length() - 1
    whole, denominator = _scale_to_integers(values)
    scale = lcm(*(x.denominator for x in (*w, *member)))
    sizes = count_members(n)
    sums = as_objects([sum(whole[sizes == s].tolist()) for s in range(n + 1)])
    c = as_objects([int(x * scale) for x in member])
    raw = _fold(c[sizes] * whole)
    common = sum(int(x * scale) * y for x, y in zip(w, sums, strict=True))
    unit = Fraction(1, scale * denominator)
    users = as_objects([Fraction(x - common) * unit for x in raw])
    return users, as_objects([Fraction(x) / denominator for x in sums])


def _scale_to_integers(values: Array) -> tuple[Array, int]:
    """Bring fractions over a common denominator, unless that is longer than is worth it."""
    denominator = 1
    for x in values:
        denominator = lcm(denominator, x.denominator)
        if denominator.bit_length() > COMMON:
            return values, 1
    return as_objects([x.numerator * (denominator // x.denominator) for x in values]), denominator


def _fold(sums: Array) -> Array:
    """Return for each bit the sum over the positions that have it: fold in half once a bit."""
    n = len(sums).bit_length() - 1
    found = np.empty(n, dtype=sums.dtype)
    for bit in reversed(range(n)):
        below, above = sums[: 1 << bit], sums[1 << bit :]
        found[bit] = above.sum()
        sums = below + above
    return found


def count_members(n: int) -> NDArray[np.int64]:
    """Return the number of members of each of the 2^n masks."""
    sizes = np.zeros(1, dtype=np.int64)
    for _ in range(n):
        sizes = np.concatenate([sizes, sizes + 1])
    return sizes
