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
states. Efficiency: what the sum lacks of U(N) - U(0) is split evenly. Cost: about 4.5 sqrt(N)
points of 13^types states. Source: Owen, "Multilinear extensions of games" (1972); the bound, its
proof in `docs/theory.md`, and the grids are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from math import exp, fsum, inf, lgamma, prod, sqrt

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Counts = NDArray[np.int64]
Worth = Callable[[Counts], FloatArray]

LADDER = (13, 19, 27)
"""Numbers of a type that a grid holds, at first and where these are too few."""
DROPPED = 1
"""Numbers at either end that the grid does without which it is compared with."""
TOLERANCE = 1e-10
"""How far two grids' shares of a type may differ, as a part of the range of the utility."""
TAIL = 1e-16
"""Probability beyond the end of a window, about."""
LIGHT = 1e-18
"""States of no larger weight are not valued."""
FEW_MORE = 3
"""Whole windows are taken where they have no more than so many times a grid's states."""
MOST_WHOLE = 10_000_000
"""States of all whole windows at one point, at most."""
AT_ONCE = 1 << 17
"""States that are valued in one call."""
WIDEST = 9.0
"""Standard deviations that a window reaches to either side, at most."""


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


@dataclass(frozen=True)
class _Grid:
    """Numbers of one type, and their weights in a binomial sum: of all, and without the outermost.

    `whole`: these are all numbers that matter, and both weights their probabilities.
    """

    numbers: Counts
    weights: FloatArray
    whole: bool


def _find_probabilities(size: int, q: float) -> tuple[int, FloatArray]:
    """Return the first number of a window and the binomial probabilities in it."""
    spread = sqrt(size * q * (1 - q))
    reach = WIDEST * spread + 20
    low, high = max(0, int(size * q - reach)), min(size, int(size * q + reach) + 1)
    k = np.arange(low, high + 1)
    mode = min(max(int((size + 1) * q), low), high)
    with np.errstate(divide="ignore"):
        ratios = np.log((size - k[:-1]) / (k[:-1] + 1.0)) + np.log(q) - np.log1p(-q)
    logs = np.concatenate([[0.0], np.cumsum(ratios)])
    found = np.exp(logs - logs[mode - low])
    found /= found.sum()
    inside = np.flatnonzero(found > TAIL)
    first, last = int(inside[0]), int(inside[-1])
    kept = found[first : last + 1]
    return low + first, kept / kept.sum()


def _make_grid(size: int, q: float, nodes: int) -> _Grid:
    """Return a grid of so many numbers; 0: of all that matter."""
    low, probabilities = _find_probabilities(size, q)
    if not nodes or len(probabilities) <= nodes + 4:
        numbers = np.arange(low, low + len(probabilities), dtype=np.int64)
        return _Grid(numbers, np.stack([probabilities, probabilities]), whole=True)
    polynomials, points = _find_gauss_points(probabilities, nodes)
    places = np.clip(np.rint(points).astype(np.int64), 0, len(probabilities) - 1)
    middle = nodes // 2
    for i in range(middle + 1, nodes):  # distinct, from the middle outwards
        places[i] = max(places[i], places[i - 1] + 1)
    for i in reversed(range(middle)):
        places[i] = min(places[i], places[i + 1] - 1)
    places = np.maximum(places, np.arange(nodes))
    places = np.minimum(places, np.arange(len(probabilities) - nodes, len(probabilities)))
    weights = np.zeros((2, nodes))
    inner = slice(DROPPED, nodes - DROPPED)
    for row, here in zip(weights, (slice(None), inner), strict=True):
        at = places[here]
        target = np.zeros(len(at))
        target[0] = 1.0
        row[here] = np.linalg.solve(polynomials[: len(at), at], target)
    return _Grid(low + places, weights, whole=False)


def _find_gauss_points(probabilities: FloatArray, nodes: int) -> tuple[FloatArray, FloatArray]:
    """Return the orthonormal polynomials of a distribution, and the points of Gauss's rule."""
    k = np.arange(len(probabilities), dtype=np.float64)
    polynomials, diagonal, beside = _orthonormalise(k, probabilities, nodes)
    jacobi = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    points = np.asarray(np.linalg.eigvalsh(jacobi), dtype=np.float64)
    return polynomials, points


def _orthonormalise(
    k: FloatArray, probabilities: FloatArray, nodes: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the orthonormal polynomials of a distribution and their recurrence (Stieltjes)."""
    found = np.zeros((nodes, len(k)))
    diagonal, beside = np.zeros(nodes), np.zeros(nodes - 1)
    before, now = np.zeros(len(k)), np.ones(len(k))
    for j in range(nodes):
        found[j] = now
        diagonal[j] = (probabilities * k * now * now).sum()
        if j == nodes - 1:
            break
        after = (k - diagonal[j]) * now - (beside[j - 1] * before if j else 0.0)
        # Once more against all before: rounding would let them lean together.
        after -= found[: j + 1].T @ (found[: j + 1] @ (probabilities * after))
        beside[j] = sqrt((probabilities * after * after).sum())
        before, now = now, after / beside[j]
    return found, diagonal, beside


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
    span = max(part.highest for part in parts) - min(part.lowest for part in parts)
    states = sum(part.states for part in parts)
    error = off + abs(missing) / n + relative * span
    return Integral(users, kept, total, parts[0].nothing, states, error)


class _Sums:
    """Adds up expectations over the users who take part, and notes the range of the utility."""

    def __init__(self, sizes: tuple[int, ...], worth: Worth) -> None:
        self.sizes, self.worth = sizes, worth
        self.each = np.array(sizes, dtype=np.float64)
        self.states, self.lowest, self.highest = 0, inf, -inf
        self.found: dict[float, tuple[FloatArray, FloatArray]] = {}
        self.rough = False
        self.nothing, self.total = self._value(np.array([[0] * len(sizes), sizes])).tolist()

    def at_all(self, points: Sequence[float]) -> _Sums:
        """Add up at all points, until the utility is found too rough at one; return itself."""
        for q in points:
            found = self.at(q)
            if found is None:
                self.rough = True
                break
            self.found[q] = found
        return self

    def at(self, q: float) -> tuple[FloatArray, FloatArray] | None:
        """Return E[u] and E[u (K_t - N_t q)], and how far the latter may be off; None: too far."""
        whole = {size: _make_grid(size, q, 0) for size in set(self.sizes)}
        most = prod(len(whole[size].numbers) for size in self.sizes)
        for nodes in LADDER:
            if most <= FEW_MORE * nodes ** len(self.sizes):
                break
            by_size = {size: _make_grid(size, q, nodes) for size in whole}
            expected, fewer, lost = self._add_up([by_size[size] for size in self.sizes], q)
            gap = np.abs(expected - fewer)[1:] + lost
            if gap.max() <= TOLERANCE * (self.highest - self.lowest) * q * (1 - q):
                return expected, gap
        if most > MOST_WHOLE:
            return None
        expected, _, lost = self._add_up([whole[size] for size in self.sizes], q)
        return expected, np.full(len(self.sizes), lost)

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

    def _add_up(self, grids: Sequence[_Grid], q: float) -> tuple[FloatArray, FloatArray, float]:
        """Return both grids' sums, and how far states of negligible weight may move the first."""
        mean = self.each * q
        found = np.zeros((2, 1 + len(grids)))
        reference, light = None, 0.0
        for counts, weights in _list_states(grids):
            heavy = np.abs(weights).max(axis=0) > LIGHT
            light += float(np.abs(weights[0, ~heavy]).sum())
            u = self._value(counts[heavy])
            if not len(u):
                continue
            reference = float(u[len(u) // 2]) if reference is None else reference
            weighted = weights[:, heavy] * (u - reference)
            found[:, 0] += weighted.sum(axis=1)
            found[:, 1:] += weighted @ (counts[heavy] - mean)
        found[:, 0] += reference or 0.0
        reach = max(float(np.abs(g.numbers - m).max()) for g, m in zip(grids, mean, strict=True))
        return found[0], found[1], light * reach * (self.highest - self.lowest)


def _list_states(grids: Sequence[_Grid]) -> Iterator[tuple[Counts, FloatArray]]:
    """Yield all combinations of the grids' numbers with both weights, (m, types) and (2, m)."""
    first, *rest = grids
    others = (
        np.stack(
            [x.ravel() for x in np.meshgrid(*(g.numbers for g in rest), indexing="ij")], axis=1
        )
        if rest
        else np.zeros((1, 0), dtype=np.int64)
    )
    weights = np.ones((2, 1))
    for grid in rest:
        weights = (weights[:, :, None] * grid.weights[:, None, :]).reshape(2, -1)
    block = max(1, AT_ONCE // len(others))
    for start in range(0, len(first.numbers), block):
        numbers = first.numbers[start : start + block]
        counts = np.empty((len(numbers) * len(others), len(grids)), dtype=np.int64)
        counts[:, 0] = np.repeat(numbers, len(others))
        counts[:, 1:] = np.tile(others, (len(numbers), 1))
        both = first.weights[:, start : start + block]
        yield counts, (both[:, :, None] * weights[:, None, :]).reshape(2, -1)
