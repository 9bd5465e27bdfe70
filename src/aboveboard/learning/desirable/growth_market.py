"""The growth market of two parties, Q(t) = t: columns in O(N log^2 N), in units of the step.

v_i(q) = (q_1 + q_2)^alpha q_i. Values are homogeneous: with all sizes in units of the grid's step
they are step^(alpha + 1) times those in steps. Cost: 0.7 s for a column of 10^6 sizes on one core.
Source: "Mechanism Design for Multi-Party Machine Learning", section 6.2.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from math import inf
from os import cpu_count

import numpy as np

from aboveboard.games.numbers import FloatArray
from aboveboard.learning.desirable.kernels import growth_column


def compute_powers(alpha: float, top: int) -> FloatArray:
    """Return k^alpha for k = 0 .. top; 0 for k = 0, where nobody has a market."""
    powers = np.arange(top + 1, dtype=np.float64)
    powers[1:] **= alpha
    powers[0] = 0.0
    return powers


class MarketColumn:
    """One column of the market, which grows by doubling.

    Parameters
    ----------
    alpha
        Market growth rate, -1 or more.
    other
        The other party's size, in steps.
    smallest
        The smallest size on the grid: 0 or 1 step.
    """

    def __init__(self, alpha: float, other: int, smallest: int) -> None:
        self.alpha, self.other, self.smallest = alpha, other, smallest
        self.payments = np.zeros(0)
        self.parents = np.zeros(0, dtype=np.int32)
        self._best = np.zeros(0)

    def extend(
        self, count: int, *, powers: FloatArray | None = None, tolerance: float = inf
    ) -> int | None:
        """Go on to `count` sizes.

        Parameters
        ----------
        count
            How many sizes the column has then; if it had some, a power of two, now twice that.
        powers
            k^alpha, at least up to twice the largest total, where they are at hand.
        tolerance
            A loss is a sum of payments, of the party and of another of the smallest size, below
            minus this part of the joint value. Infinite: do not look.

        Returns
        -------
        int or None
            Position of the first size at which there is a loss; the column then ends there.

        Raises
        ------
        ValueError
            If `count` is not twice what the column has.
        """
        done = len(self.payments)
        if done and (done & (done - 1) or count != 2 * done):
            raise ValueError(f"a column of {done} sizes cannot go on to {count}; it doubles")
        if powers is None:
            powers = compute_powers(self.alpha, 2 * (count - 1 + self.smallest + self.other))
        more = count - done
        self.payments = np.concatenate([self.payments, np.zeros(more)])
        self.parents = np.concatenate([self.parents, np.full(more, -1, dtype=np.int32)])
        self._best = np.concatenate([self._best, np.full(more, -inf)])
        edge = -self.alpha if self.alpha < 0 else inf
        loss = growth_column(
            edge,
            powers,
            self.other,
            self.smallest,
            done,
            tolerance,
            self._best,
            self.parents,
            self.payments,
        )
        return None if loss < 0 else int(loss)

    def chain(self, position: int) -> list[int]:
        """Return the sizes, in steps, whose constraints bind a payment: the lowest first."""
        sizes = []
        while position >= 0:
            sizes.append(position + self.smallest)
            position = int(self.parents[position])
        return sizes[::-1]


def compute_all_payments(
    alpha: float, count: int, smallest: int, *, threads: int | None = None
) -> FloatArray:
    """Return all largest payments, in units of step^(alpha + 1).

    Memory: one number for each profile, and O(count) for each thread.

    Parameters
    ----------
    alpha
        Market growth rate.
    count
        Sizes on the grid: smallest, smallest + 1, .. steps.
    smallest
        0 or 1.
    threads
        How many columns are gone through at once; by default one for each core.

    Returns
    -------
    array
        Shape (count, count): by the party's own position and the other's.
    """
    table = np.zeros((count, count))
    if alpha < -1:
        # Sharing nothing is efficient, and free.
        return table
    powers = compute_powers(alpha, 2 * (count - 1 + smallest) * 2)

    def one(position: int) -> None:
        column = MarketColumn(alpha, position + smallest, smallest)
        column.extend(count, powers=powers)
        table[position] = column.payments

    with ThreadPoolExecutor(threads or cpu_count() or 1) as pool:
        for _ in pool.map(one, range(count)):
            pass
    return table.T
