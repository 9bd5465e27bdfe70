"""Compiled loops of the learning system. Each has a plain twin in tests/oracles/desirable.py."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aboveboard.kernels import kernel

SLICES = 16
"""Of the sizes gone on with: more would hand on again and again, fewer beyond the first loss."""

SCANNED = 64
"""Rectangles of reports and sizes with sides up to this are scanned whole: cheaper than halving."""


@kernel()
def forward_pass(
    values: NDArray[np.float64],
    alone: NDArray[np.float64],
    payments: NDArray[np.float64],
    parents: NDArray[np.int64],
) -> None:
    """Write the largest payments of each column, and which constraint binds each of them.

    Parameters
    ----------
    values
        Shape (columns, m, m): [c, r, t] is worth to a party of size t that reports r <= t.
    alone
        Shape (columns, m): what it has when it stays away.
    payments
        Written, shape (columns, m). What truth leaves, values - payments, is in float64 no less
        than `alone` and than what any lower report leaves.
    parents
        Written, shape (columns, m): the report whose lie binds, or -1 where staying away does.
    """
    columns, m = alone.shape
    for c in range(columns):
        for t in range(m):
            utility, parent = alone[c, t], -1
            for r in range(t):
                kept = values[c, r, t] - payments[c, r]
                if kept > utility:
                    utility, parent = kept, r
            payments[c, t] = _find_payment_leaving(values[c, t, t], utility)
            parents[c, t] = parent


@kernel(inline=True)
def _find_payment_leaving(value: float, utility: float) -> float:
    """Return the largest payment that leaves at least the utility, both as float64."""
    payment = value - utility
    while value - payment < utility:
        payment = np.nextafter(payment, -np.inf)
    return payment


@kernel()
def growth_column(
    edge: float,
    powers: NDArray[np.float64],
    other: int,
    smallest: int,
    first: int,
    tolerance: float,
    best: NDArray[np.float64],
    parents: NDArray[np.int32],
    payments: NDArray[np.float64],
) -> int:
    """Go on with one column of the two-party growth market, from report `first` on.

    Sizes are whole numbers of steps; entry k of the last three arrays is of size smallest + k.
    A report u makes a joint model of y = u + other. Of size s, it brings f(u, s) =
    2^alpha y^(alpha + 1) where that model is no worse than the party's own, else s (s + y)^alpha,
    whose cross difference is positive for y < -alpha s and negative above (alpha < 0). In a
    rectangle of reports and sizes on one side of that line the best report is monotone in the size
    and found by halving; blocks of reports are passed on to later sizes as they are finished.
    O(N log^2 N) steps.

    Parameters
    ----------
    edge
        Where the cross difference of f changes its sign, as a part of the size: -alpha in a
        competitive market, infinite (nowhere) for alpha >= 0.
    powers
        k^alpha for k = 0, 1, .. (0 for k = 0), up to twice the largest size plus `other`.
    other
        The other party's size.
    smallest
        The smallest size on the grid, 0 or 1.
    first
        How many sizes are done: 0, or a power of two that is half of all.
    tolerance
        A sum of payments below minus this part of the joint value is a loss; infinite: go on.
    best, parents, payments
        Read and written, shape (sizes,): the most that a lie leaves, which report does, the
        largest payment. New entries of `best` are -inf.

    Returns
    -------
    int
        Position of the first size at which the party and another of size `other`, itself the
        smallest on the grid, together cannot pay 0; -1 if there is none.
    """
    count = len(payments)
    shift = smallest + other
    # What is known from before is handed on slice by slice: the loss may come early.
    width = max((count - first) // SLICES, 1)
    for k in range(first, count):
        if first > 0 and (k - first) % width == 0:
            last = min(k + width, count)
            _propagate(edge, powers, other, smallest, 0, first, k, last, best, parents, payments)
        size = smallest + k
        total = k + shift
        value = powers[2 * total] * total
        utility = powers[total] * size
        if best[k] > utility:
            utility = best[k]
        else:
            parents[k] = -1
        payments[k] = _find_payment_leaving(value, utility)
        # The smallest size has no lie: it pays all that the joint model brings it.
        owed = value - powers[total] * other
        if payments[k] + owed < -tolerance * value:
            return k
        done = k + 1
        block = done & -done
        if done > first and done < count:
            last = min(done + block, count)
            _propagate(
                edge,
                powers,
                other,
                smallest,
                done - block,
                done,
                done,
                last,
                best,
                parents,
                payments,
            )
    return -1


@kernel()
def _propagate(
    edge: float,
    powers: NDArray[np.float64],
    other: int,
    smallest: int,
    r0: int,
    r1: int,
    t0: int,
    t1: int,
    best: NDArray[np.float64],
    parents: NDArray[np.int32],
    payments: NDArray[np.float64],
) -> None:
    """Lower payments of sizes t0 to t1 (positions, the last excluded) by reports r0 to r1."""
    shift = smallest + other
    waiting = [(r0, r1, t0, t1)]
    while len(waiting) > 0:
        r0, r1, t0, t1 = waiting.pop()
        # y of the lowest and the highest report; the smallest and the largest size.
        y0, y1 = r0 + shift, r1 - 1 + shift
        s0, s1 = t0 + smallest, t1 - 1 + smallest
        if y0 >= s1:
            _propagate_joint_model(powers, shift, r0, r1, t0, t1, best, parents, payments)
        elif r1 - r0 <= SCANNED and t1 - t0 <= SCANNED:
            _propagate_by_scan(powers, shift, smallest, r0, r1, t0, t1, best, parents, payments)
        elif y1 < s0 and y1 <= edge * s0:
            _propagate_by_halving(
                powers, shift, smallest, r0, r1, t0, t1, True, best, parents, payments
            )
        elif y1 < s0 and y0 >= edge * s1:
            _propagate_by_halving(
                powers, shift, smallest, r0, r1, t0, t1, False, best, parents, payments
            )
        elif r1 - r0 >= t1 - t0:
            middle = (r0 + r1) // 2
            waiting.append((r0, middle, t0, t1))
            waiting.append((middle, r1, t0, t1))
        else:
            middle = (t0 + t1) // 2
            waiting.append((r0, r1, t0, middle))
            waiting.append((r0, r1, middle, t1))


@kernel()
def _propagate_joint_model(
    powers: NDArray[np.float64],
    shift: int,
    r0: int,
    r1: int,
    t0: int,
    t1: int,
    best: NDArray[np.float64],
    parents: NDArray[np.int32],
    payments: NDArray[np.float64],
) -> None:
    """Hand on reports whose joint model is no worse than any of the sizes' own."""
    most, parent = -np.inf, -1
    for r in range(r0, r1):
        y = r + shift
        kept = powers[2 * y] * y - payments[r]
        if kept > most:
            most, parent = kept, r
    for t in range(t0, t1):
        if most > best[t]:
            best[t], parents[t] = most, parent


@kernel()
def _propagate_by_scan(
    powers: NDArray[np.float64],
    shift: int,
    smallest: int,
    r0: int,
    r1: int,
    t0: int,
    t1: int,
    best: NDArray[np.float64],
    parents: NDArray[np.int32],
    payments: NDArray[np.float64],
) -> None:
    """Hand on by looking at every pair."""
    for t in range(t0, t1):
        size = t + smallest
        # Reports from `joint` on make a joint model no worse than the size's own.
        joint = min(max(r0, size - shift), r1)
        most = _find_largest(
            powers[r0 + shift + size : joint + shift + size], size, payments[r0:joint]
        )
        if most > best[t]:
            best[t] = most
            parents[t] = r0 + _find_position(
                powers[r0 + shift + size : joint + shift + size], size, payments[r0:joint], most
            )
        for r in range(joint, r1):
            y = r + shift
            kept = powers[2 * y] * y - payments[r]
            if kept > best[t]:
                best[t], parents[t] = kept, r


@kernel()
def _propagate_by_halving(
    powers: NDArray[np.float64],
    shift: int,
    smallest: int,
    r0: int,
    r1: int,
    t0: int,
    t1: int,
    rising: bool,
    best: NDArray[np.float64],
    parents: NDArray[np.int32],
    payments: NDArray[np.float64],
) -> None:
    """Hand on where the best report is monotone in the size: settle the middle, then each half."""
    waiting = [(t0, t1, r0, r1)]
    while len(waiting) > 0:
        t0, t1, r0, r1 = waiting.pop()
        t = (t0 + t1) // 2
        size = t + smallest
        rates, paid = powers[r0 + shift + size : r1 + shift + size], payments[r0:r1]
        most = _find_largest(rates, size, paid)
        parent = r0 + _find_position(rates, size, paid, most)
        if most > best[t]:
            best[t], parents[t] = most, parent
        low, high = (r0, parent + 1) if rising else (parent, r1)
        if t0 < t:
            waiting.append((t0, t, low, high))
        low, high = (parent, r1) if rising else (r0, parent + 1)
        if t + 1 < t1:
            waiting.append((t + 1, t1, low, high))


@kernel()
def _find_largest(rates: NDArray[np.float64], size: int, paid: NDArray[np.float64]) -> float:
    """Return the most that rates * size - paid is; -inf for none."""
    by, whole = float(size), len(paid) // 4 * 4
    # Four maxima side by side: none waits for another.
    a = b = c = d = -np.inf
    for k in range(0, whole, 4):
        a = max(a, rates[k] * by - paid[k])
        b = max(b, rates[k + 1] * by - paid[k + 1])
        c = max(c, rates[k + 2] * by - paid[k + 2])
        d = max(d, rates[k + 3] * by - paid[k + 3])
    for k in range(whole, len(paid)):
        a = max(a, rates[k] * by - paid[k])
    return max(max(a, b), max(c, d))


@kernel()
def _find_position(
    rates: NDArray[np.float64], size: int, paid: NDArray[np.float64], most: float
) -> int:
    """Return the first place where rates * size - paid is `most`."""
    by = float(size)
    for k in range(len(paid)):
        if rates[k] * by - paid[k] == most:
            return k
    return 0
