"""Shapley values of very many users of few types from few states: Owen's multilinear extension.

What: let every user take part with probability q, on its own; K_t of the N_t users of type t then
do, binomially. A user of type t is worth

    integral over q from 0 to 1 of E[u(K) (K_t - N_t q)] / (N_t q (1 - q)),

with the platform as a member (Theorem 1) q times that, and the platform the integral of E[u(K)].
The integrand is a polynomial in q of degree N: Gauss-Legendre with m points errs by no more than
`bound_integral` says, as Legendre coefficients of such a polynomial fall like exp(-j^2 / (2N)). For
each point the binomial sums go over a grid of some numbers of each type, near the points of Gauss's
rule and weighted so that polynomials below that degree are summed exactly; where a type's whole
window is short, over all of it. The same numbers without the outermost say how far that may be off:
where they differ by more than `TOLERANCE` of the utility's range, more numbers are taken, or whole
windows where these are short; if neither helps, the answer is None and the caller sums up all
states. What already differs where one type varies and the others stay at their means is not summed
up everywhere. Efficiency: what the sum lacks of U(N) - U(0) is split evenly. Cost: about
4.5 sqrt(N) points of 13^types states. Source: Owen, "Multilinear extensions of games" (1972); the
bound, its proof in `docs/theory.md`, and the grids are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from math import exp, fsum, inf, lgamma, prod

import numpy as np

from aboveboard.games.numbers import FloatArray
from aboveboard.valuation.shares.binomial_grids import BinomialGrid, Counts, make_grid
from aboveboard.valuation.shares.product_sums import (
    combine,
    contract,
    list_blocks,
    multiply_out,
    pick,
)

Worth = Callable[[Counts], FloatArray]
"""From numbers of each type that take part, shape (m, types), to U, shape (m,)."""

LADDER = (13, 19, 27)
"""Numbers of a type that a grid holds, at first and where these are too few."""
TOLERANCE = 1e-10
"""How far two grids' shares of a type may differ, as a part of the range of the utility."""
LIGHT = 1e-18
"""States of no larger weight are not valued."""
FEW_MORE = 3
"""Whole windows are taken where they have no more than so many times a grid's states."""
MOST_WHOLE = 10_000_000
"""States of all whole windows at one point, at most."""
MOSTLY = 0.75
"""Part of the states from which on all are valued, the lighter ones too."""


@dataclass(frozen=True)
class Integral:
    """Shares by the multilinear extension.

    Parameters
    ----------
    users
        By type: what each single user is awarded.
    platform
        The platform's share; U(0) where it is no member.
    total, at_nothing
        U of everybody and of nobody.
    states
        How many states were valued.
    error
        How far a share may be off: the bound of the integral, for a utility whose range is that of
        the states valued, and the difference of the grids, an estimate.
    """

    users: FloatArray
    platform: float
    total: float
    at_nothing: float
    states: int
    error: float


def bound_integral(degree: int, points: int, largest: float) -> float:
    """Return how far Gauss-Legendre may be off on a Bernstein polynomial of bounded coefficients.

    Parameters
    ----------
    degree
        Of the polynomial.
    points
        Of the rule, which is exact up to degree 2 points - 1.
    largest
        No coefficient in Bernstein's basis is larger in size.
    """
    total = 0.0
    for j in range(2 * points, degree + 1):
        logs = lgamma(degree + 1) + lgamma(degree + 2)
        logs -= lgamma(degree - j + 1) + lgamma(degree + j + 2)
        term = exp(logs / 2) * (2 * j + 1)
        total += term
        if term < 1e-30:
            break
    return largest * total


@lru_cache(maxsize=16)
def find_points(degree: int, relative: float) -> int:
    """Return how many points make the bound as small as this, relative to the coefficients."""
    low, high = 1, degree // 2 + 1
    while low < high:
        middle = (low + high) // 2
        if bound_integral(degree, middle, 1.0) <= relative:
            high = middle
        else:
            low = middle + 1
    return low


def integrate_shares(
    sizes: Sequence[int],
    worth: Worth,
    *,
    platform: bool,
    threads: int = 1,
    relative: float = 1e-13,
) -> Integral | None:
    """Return the shares, or None where the utility is too rough for few states.

    Parameters
    ----------
    sizes
        How many users each type has.
    worth
        U of many states at once.
    platform
        Whether the platform is a member.
    threads
        How many share the points; the answer has the same bits whatever their number.
    relative
        The bound of the integral over q, of the range of the utility.
    """
    n = sum(sizes)
    nodes, masses = np.polynomial.legendre.leggauss(find_points(n, relative))
    points = ((nodes + 1) / 2).tolist()
    if threads == 1:
        parts = [_Sums(tuple(sizes), worth).at_all(points)]
    else:
        with ThreadPoolExecutor(threads) as pool:
            each_part = [points[k::threads] for k in range(threads)]
            parts = list(pool.map(lambda some: _Sums(tuple(sizes), worth).at_all(some), each_part))
    if any(part.rough for part in parts):
        return None
    found = {q: each for part in parts for q, each in part.found.items()}
    each = np.array(sizes, dtype=np.float64)
    users, kept, off = np.zeros(len(sizes)), 0.0, 0.0
    for q, mass in zip(points, (masses / 2).tolist(), strict=True):
        expected, gap = found[q]
        factor = mass * (q if platform else 1.0) / (q * (1 - q))
        users += factor * expected[1:] / each
        kept += mass * expected[0]
        off += factor * float((gap / each).max())
    kept = kept if platform else parts[0].nothing
    total = parts[0].total
    missing = fsum([total, -kept, *(-s * x for s, x in zip(sizes, users.tolist(), strict=True))])
    users += missing / n
    span = max(part.range[1] for part in parts) - min(part.range[0] for part in parts)
    states = sum(part.states for part in parts) - 2 * (len(parts) - 1)  # each valued both ends
    error = off + abs(missing) / n + relative * span
    return Integral(users, kept, total, parts[0].nothing, states, error)


class _Sums:
    """Adds up expectations over the users who take part, and notes the range of the utility."""

    def __init__(self, sizes: tuple[int, ...], worth: Worth) -> None:
        self.sizes, self.worth = sizes, worth
        self.each = np.array(sizes, dtype=np.float64)
        self.states, self.lowest, self.highest = 0, inf, -inf  # the range at the present point
        self.found: dict[float, tuple[FloatArray, FloatArray]] = {}
        self.rough = False
        self.nothing, self.total = self._value(np.array([[0] * len(sizes), sizes])).tolist()
        self.range = self.lowest, self.highest

    def at_all(self, points: Sequence[float]) -> _Sums:
        """Add up at all points, until the utility is found too rough at one; return itself."""
        for q in points:
            found = self.at(q)
            self.range = min(self.range[0], self.lowest), max(self.range[1], self.highest)
            if found is None:
                self.rough = True
                break
            self.found[q] = found
        return self

    def at(self, q: float) -> tuple[FloatArray, FloatArray] | None:
        """Return E[u] and E[u (K_t - N_t q)], and how far the latter may be off; None: too far."""
        # Points that this thread valued before must not decide, or the bits depend on the threads.
        self.lowest, self.highest = sorted((self.nothing, self.total))
        whole = {size: make_grid(size, q, 0) for size in set(self.sizes)}
        most = prod(len(whole[size].numbers) for size in self.sizes)
        for nodes in LADDER:
            if most <= FEW_MORE * nodes ** len(self.sizes):
                break
            by_size = {size: make_grid(size, q, nodes) for size in whole}
            grids = [by_size[size] for size in self.sizes]
            if self._differ_on_lines(grids, q) > self._allow(q):
                continue
            expected, fewer, lost = self._add_up(grids, q)
            gap = np.abs(expected - fewer)[1:] + lost
            if gap.max() <= self._allow(q):
                return expected, gap
        if most > MOST_WHOLE:
            return None
        expected, _, lost = self._add_up([whole[size] for size in self.sizes], q)
        return expected, np.full(len(self.sizes), lost)

    def _allow(self, q: float) -> float:
        """Return how far two grids' sums may differ."""
        return TOLERANCE * (self.highest - self.lowest) * q * (1 - q)

    def _differ_on_lines(self, grids: Sequence[BinomialGrid], q: float) -> float:
        """Return how far both grids' sums differ where one type varies, the others at their means.

        Where a few states show that the numbers are too few, all of them need not be valued.
        """
        mean = self.each * q
        ends = np.cumsum([0, *(len(grid.numbers) for grid in grids)])
        counts = np.tile(np.rint(mean).astype(np.int64), (ends[-1], 1))
        for t, grid in enumerate(grids):
            counts[ends[t] : ends[t + 1], t] = grid.numbers
        u = self._value(counts)
        differences = [0.0]
        for t, grid in enumerate(grids):
            along = u[ends[t] : ends[t + 1]]
            off = (grid.numbers - mean[t]) * (along - along[len(along) // 2])
            differences.append(abs(float((grid.weights[0] - grid.weights[1]) @ off)))
        return max(differences)

    def _value(self, counts: Counts) -> FloatArray:
        u = np.asarray(self.worth(counts), dtype=np.float64)
        if not np.isfinite(u).all():
            bad = counts[int(np.flatnonzero(~np.isfinite(u))[0])]
            raise ValueError(f"the utility of {bad.tolist()} users of each type is not finite")
        if not len(u):
            return u
        self.states += len(u)
        self.lowest, self.highest = min(self.lowest, u.min()), max(self.highest, u.max())
        return u

    def _add_up(
        self, grids: Sequence[BinomialGrid], q: float
    ) -> tuple[FloatArray, FloatArray, float]:
        """Return both grids' sums, and how far states of negligible weight may move the first."""
        mean = self.each * q
        found = np.zeros((2, 1 + len(grids)))
        reference, light = None, 0.0
        for numbers, weights in list_blocks(grids):
            states = multiply_out([np.abs(w).max(axis=0) for w in weights])
            heavy = states > LIGHT
            whole = np.count_nonzero(heavy) > MOSTLY * heavy.size
            if not whole:
                light += float(states[~heavy].sum())
            counts = combine(numbers) if whole else pick(numbers, np.nonzero(heavy))
            u = self._value(counts)
            if not len(u):
                continue
            reference = float(u[len(u) // 2]) if reference is None else reference
            if whole:
                centred = (u - reference).reshape(heavy.shape)
            else:
                centred = np.zeros(heavy.shape)
                centred[heavy] = u - reference
            off = [k - m for k, m in zip(numbers, mean, strict=True)]
            for row in range(2):
                found[row] += contract(centred, [w[row] for w in weights], off)
        found[:, 0] += reference or 0.0
        reach = max(float(np.abs(g.numbers - m).max()) for g, m in zip(grids, mean, strict=True))
        return found[0], found[1], light * reach * (self.highest - self.lowest)
