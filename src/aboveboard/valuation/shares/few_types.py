"""Shapley values of very many users of few types, in polynomial time.

What: users of one type are interchangeable, so U depends on the numbers k_t of each type that take
part. A coalition of s users drawn at random has k with the multivariate hypergeometric probability
H(k) = prod C(N_t, k_t) / C(N, s). Among users (Theorem 2) a user of type t is worth

    (U(N) - U(0)) / N + sum over s of E_H[(u(k) - u_s) (k_t/N_t - s/N)] N / (s (N - s)),

any constant u_s may be taken off, as k_t/N_t is s/N in the mean; with the platform (Theorem 1)
N/(s (N - s)) becomes 1/(N - s) and the platform gets the mean over s of E_H[u]. Both come from one
sweep over the states k. Where these are more than `MANY_STATES` and U is smooth, as that of the
closed forms is, far fewer states give nearly the same, and an estimate of the error is part of the
answer (see `multilinear`): of N = 10 000 of 3 types 2e6. H follows from its neighbours by ratios
of small numbers and is not visited where it is below `FLOOR`, so a size s costs about (8 standard
deviations)^(T-1) states instead of the product of all N_t; an upper bound of the probability left
out is part of the answer. Efficiency holds by construction, up to rounding. Cost: N = 10 000 of 3
types about 7e8 states, N = 1000 of 4 types about 4e8. Source: Theorems 1 and 2; the formula is in
`docs/theory.md`, its centred form is ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import comb, inf, log, pi, prod, sqrt

import numpy as np

from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import format_rough
from aboveboard.games.numbers import FloatArray
from aboveboard.valuation.shares.binomial_grids import Counts
from aboveboard.valuation.shares.kernels import add_moments, place_type
from aboveboard.valuation.shares.multilinear import Worth, integrate_shares

FLOOR = 1e-16
"""States less probable than this are left out."""
ROOM = 1 << 18
"""States that are valued in one call: few enough for the cache."""
MANY_STATES = 20_000_000
"""A sweep of more states is tried by the multilinear extension first."""
MOST_TYPES = 5
"""With more types even a grid of thirteen numbers each takes as long as a sweep."""
MOST_STATES = 20_000_000_000
"""About ten minutes on two cores."""


@dataclass(frozen=True)
class TypeValues:
    """What one user of each type, and the platform, are awarded.

    Parameters
    ----------
    sizes
        How many users each type has.
    users
        Shape (types,): what each single user of a type is awarded, for alpha = 1.
    platform
        What is left to the platform.
    total, at_nothing
        Utility of everybody's data and of none.
    states
        How many states were valued.
    lost
        Upper bound of the probability of the states that a sweep left out, over all sizes.
    uncertainty
        How far a share may be off, rounding apart: of a sweep a bound by `lost` and the range of
        the states valued; of the multilinear extension see `Integral.error`.

    Examples
    --------
    >>> divided = shapley_by_type([100, 100], lambda counts: np.sqrt(counts.sum(axis=1)))
    >>> round(divided.total, 6), round(float(divided.users[0]), 6), divided.error < 1e-9
    (14.142136, 0.070711, True)
    """

    sizes: tuple[int, ...]
    users: FloatArray
    platform: float
    total: float
    at_nothing: float
    states: int
    lost: float
    uncertainty: float = 0.0

    @property
    def error(self) -> float:
        """Efficiency: how far users and platform together are from the total."""
        return abs(float(np.dot(self.sizes, self.users)) + self.platform - self.total)


def estimate_states(sizes: Sequence[int]) -> int:
    """Estimate how many states a sweep would visit."""
    n, types = sum(sizes), len(sizes)
    most = prod(size + 1 for size in sizes)
    if types <= 1 or n <= 1:
        return most
    d = types - 1
    ball = (pi ** (d / 2)) / _compute_gamma(d) * (-2 * log(FLOOR)) ** (d / 2)
    spread_of_types = sqrt(prod(size / n for size in sizes))
    s = np.arange(1, n, dtype=np.float64)
    volumes = ball * spread_of_types * (s * (n - s) / n) ** (d / 2)
    return int(min(most, volumes.sum() + 2 * n))


def _compute_gamma(d: int) -> float:
    """Return Gamma(d/2 + 1)."""
    x = 1.0 if d % 2 == 0 else sqrt(pi) / 2
    return x * prod((k / 2 for k in range(2 + d % 2, d + 1, 2)), start=1.0)


def shapley_by_type(
    sizes: Sequence[int],
    worth: Worth,
    *,
    platform: bool = False,
    threads: int | None = None,
    smooth: bool = False,
) -> TypeValues:
    """Divide a utility among users of few types.

    Parameters
    ----------
    sizes
        How many users each type has, each at least 1.
    worth
        U of many states at once; called from several threads.
    platform
        Theorem 1 instead of Theorem 2 with alpha = 1.
    threads
        By default one a core.
    smooth
        U has no jumps or peaks, as that of the closed forms: far fewer states are tried where all
        are many. A peak of a few states would be passed over, and `uncertainty` not tell it.

    Raises
    ------
    BudgetExceeded
        Before any work, if there are more than `MOST_STATES` states.
    ValueError
        If a size is less than 1, or a utility is not a finite number.

    Examples
    --------
    >>> def worth(counts):
    ...     return counts.prod(axis=1).astype(float)
    >>> shapley_by_type([1, 2], worth).users.round(9).tolist()
    [1.0, 0.5]
    """
    if not sizes or min(sizes) < 1:
        raise ValueError(f"sizes are {tuple(sizes)}; each type needs at least one user")
    states = estimate_states(sizes)
    cores = threads or os.cpu_count() or 1
    if smooth and states > MANY_STATES and MOST_TYPES >= len(sizes) > 1:
        found = integrate_shares(sizes, worth, platform=platform, threads=cores)
        if found is not None:
            return TypeValues(
                tuple(sizes),
                found.users,
                found.platform,
                found.total,
                found.at_nothing,
                found.states,
                0.0,
                found.error,
            )
    if states > MOST_STATES:
        raise BudgetExceeded(
            f"{sum(sizes)} users of {len(sizes)} types have about {format_rough(states)} "
            "states that matter, "
            f"more than {format_rough(MOST_STATES)}; make fewer types by rounding levels and "
            "sizes, or sample"
        )
    n = sum(sizes)
    sweep = _Sweep(tuple(sizes), worth)
    workers = min(cores, max(1, states // ROOM))
    portions = [range(w, n + 1, workers) for w in range(workers)]
    if workers == 1:
        parts = [sweep.over(portions[0])]
    else:
        with ThreadPoolExecutor(workers) as pool:
            parts = list(pool.map(sweep.over, portions))
    mean, covariance = np.empty(n + 1), np.empty((n + 1, len(sizes)))
    for portion, part in zip(portions, parts, strict=True):
        mean[portion.start :: workers], covariance[portion.start :: workers] = part.moments
    visited, lost = sum(p.states for p in parts), sum(p.lost for p in parts)
    nothing, total = float(mean[0]), float(mean[n])
    s = np.arange(1, n, dtype=np.float64)
    if platform:
        users = (covariance[1:n] / (n - s)[:, None]).sum(axis=0)
        users += total / (n + 1) - mean[:n].sum() / (n * (n + 1))
        kept = float(mean.mean())
    else:
        users = (covariance[1:n] * (n / (s * (n - s)))[:, None]).sum(axis=0) + (total - nothing) / n
        kept = nothing
    off = 2 * lost * (max(p.highest for p in parts) - min(p.lowest for p in parts))
    return TypeValues(tuple(sizes), users, kept, total, nothing, visited, lost, off)


@dataclass(frozen=True)
class _PartialSums:
    moments: tuple[FloatArray, FloatArray]
    states: int
    lost: float
    lowest: float
    highest: float


SweepState = tuple[Counts, FloatArray, Counts]
"""Numbers of each type, probability, members not placed yet."""


class _Sweep:
    """Visits the states of every size; small types are placed first, the largest takes the rest."""

    def __init__(self, sizes: tuple[int, ...], worth: Worth) -> None:
        self.sizes, self.worth, self.n = sizes, worth, sum(sizes)
        self.order = sorted(range(len(sizes)), key=sizes.__getitem__)
        self.per_member = 1.0 / np.array(sizes, dtype=np.float64)

    def over(self, portion: range) -> _PartialSums:
        """Return mean and covariances of `worth` for each size in `portion`."""
        mean = np.empty(len(portion))
        covariance = np.zeros((len(portion), len(self.sizes)))
        states, lost, lowest, highest = 0, [0.0], inf, -inf
        for row, s in enumerate(portion):
            reference, total = None, 0.0
            for counts, weight, _ in self._states(s, lost):
                u = np.asarray(self.worth(counts), dtype=np.float64)
                if not np.isfinite(u).all():
                    bad = counts[int(np.flatnonzero(~np.isfinite(u))[0])]
                    raise ValueError(
                        f"the utility of {bad.tolist()} users of each type is not finite"
                    )
                lowest, highest = min(lowest, float(u.min())), max(highest, float(u.max()))
                reference = float(u[len(u) // 2]) if reference is None else reference
                total += add_moments(
                    counts, weight, u, reference, self.per_member, s / self.n, covariance[row]
                )
                states += len(u)
            mean[row] = (reference or 0.0) + total
        return _PartialSums((mean, covariance), states, lost[0], lowest, highest)

    def _states(self, s: int, lost: list[float]) -> Iterator[SweepState]:
        """Yield the states of coalitions of s users, in blocks."""
        types = len(self.sizes)
        start = np.zeros((1, types), dtype=np.int64)
        if types == 1:
            start[0, 0] = s
            yield start, np.ones(1), np.zeros(1, dtype=np.int64)
            return
        yield from self._place((start, np.ones(1), np.array([s])), 0, self.n, lost)

    def _place(
        self, state: SweepState, at: int, pool: int, lost: list[float]
    ) -> Iterator[SweepState]:
        column = self.order[at]
        size = self.sizes[column]
        final = at == len(self.order) - 2
        last = self.order[-1] if final else -1
        block = max(1, ROOM // (size + 1))
        for k in range(0, len(state[1]), block):
            before, weights = state[0][k : k + block], state[1][k : k + block]
            to_place = state[2][k : k + block]
            room = len(weights) * (size + 1)
            counts = np.empty((room, len(self.sizes)), dtype=np.int64)
            weight, left = np.empty(room), np.empty(room, dtype=np.int64)
            written, missed = place_type(
                before,
                weights,
                to_place,
                pool,
                size,
                column,
                last,
                FLOOR,
                np.empty(size + 1),
                counts,
                weight,
                left,
            )
            lost[0] += missed
            placed = counts[:written], weight[:written], left[:written]
            if final:
                yield placed
            else:
                yield from self._place(placed, at + 1, pool - size, lost)


def shapley_by_type_exactly(
    sizes: Sequence[int], worth: Callable[[tuple[int, ...]], Fraction], *, platform: bool = False
) -> tuple[tuple[Fraction, ...], Fraction]:
    """Divide exactly: each user's share by type for alpha = 1, and what the platform has.

    Visits every state: prod (N_t + 1) calls of `worth`.

    Parameters
    ----------
    sizes
        How many users each type has.
    worth
        U of the numbers of each type that take part.
    platform
        The platform is a member (Theorem 1).

    Examples
    --------
    >>> def worth(counts):
    ...     return Fraction(counts[0] * counts[1])
    >>> shapley_by_type_exactly([1, 2], worth)
    ((Fraction(1, 1), Fraction(1, 2)), Fraction(0, 1))
    """
    n = sum(sizes)
    users = [Fraction(0)] * len(sizes)
    kept = Fraction(0)
    for counts in product(*(range(size + 1) for size in sizes)):
        s, u = sum(counts), worth(counts)
        h = Fraction(prod(comb(a, k) for a, k in zip(sizes, counts, strict=True)), comb(n, s))
        kept += h * u / (n + 1) if platform else (u if s == 0 else 0)
        for t, (size, k) in enumerate(zip(sizes, counts, strict=True)):
            inside, outside = _find_coefficients(n, s, platform=platform)
            users[t] += h * u * (Fraction(k, size) * inside - Fraction(size - k, size) * outside)
    return tuple(users), kept


def _find_coefficients(n: int, s: int, *, platform: bool) -> tuple[Fraction, Fraction]:
    """Return what U of coalitions of s adds to a member's value, and takes off another's."""
    if platform:
        inside = Fraction(1, n + 1)
        outside = Fraction(s + 1, (n - s) * (n + 1)) if s < n else Fraction(0)
    else:
        inside = Fraction(1, s) if s else Fraction(0)
        outside = Fraction(1, n - s) if s < n else Fraction(0)
    return inside, outside


def count_states(sizes: Sequence[int]) -> int:
    """Count the states an exact division visits."""
    return prod(size + 1 for size in sizes)
