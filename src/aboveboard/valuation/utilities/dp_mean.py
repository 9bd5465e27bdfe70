"""The mean of bounded data under differential privacy, a privacy level for each user.

What: user i holds X_i, 1/2 with probability p and -1/2 otherwise, p uniform on [0, 1]. The platform
estimates the mean by sum w_i X_i + Laplace(1/eta) with w_i eta <= epsilon_i, so as to minimise the
Bayes risk. With tau the solution of sum over finite epsilon_i > 0 of epsilon_i (tau - epsilon_i)+
= 12 and n_eff = sum min(epsilon_i/tau, 1),

    w_i = min(epsilon_i/tau, 1)/(n_eff + 2),  1/eta = 1/((n_eff + 2) tau),
    risk = 1/(6 (n_eff + 2)),  U = (N + 2)/N * n_eff/(n_eff + 2).

A user above tau is saturated: it gets more privacy than its level demands; more epsilon is worth
nothing. Where no epsilon is finite and positive there is no noise (tau infinite). tau is linear
between neighbouring levels: exact for exact levels, O(N log N). Source: "The Fair Value of Data
Under Heterogeneous Privacy Constraints", Example 1 (two users); N users and any levels are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import Number
from aboveboard.valuation.levels import Level
from aboveboard.valuation.utilities.kernels import fill_dp_mean_counts, fill_dp_mean_table
from aboveboard.valuation.utilities.kernels_orders import walk_dp_mean_orders

NOISE = 12
"""Variance of Laplace noise of scale 1, 2, over the expected variance of one user's bit, 1/6."""
AS_GOOD_AS_INFINITE = 1e9
"""1 - 12/epsilon^2 is 1 in float64 from here on."""


@dataclass(frozen=True)
class PrivateMean:
    """The best linear estimator under these privacy levels.

    Parameters
    ----------
    weights
        Weight of each user's data.
    noise
        Scale 1/eta of the Laplace noise; 0 where there is none.
    tau
        Users at or above it are saturated; infinite where there is no noise.
    effective
        n_eff: as many users without any noise would do as well.
    risk
        Expected squared error; 1/12 without data.
    utility
        The risk on a scale from 0 (no data) to 1 (everybody's data without noise).

    Examples
    --------
    >>> mean = private_mean([Fraction(1, 2), Fraction(2)])
    >>> mean.weights, mean.effective, mean.risk
    ((Fraction(1, 31), Fraction(4, 31)), Fraction(5, 13), Fraction(13, 186))
    """

    weights: tuple[Number, ...]
    noise: Number
    tau: Level
    effective: Number
    risk: Number
    utility: Number


def private_mean(epsilons: Sequence[Level]) -> PrivateMean:
    """Find the best estimator, exactly where the levels are fractions (or infinite).

    Raises
    ------
    ValueError
        If there is no user, or a level is negative or not a number.

    Examples
    --------
    >>> from math import inf
    >>> mean = private_mean([inf, inf, inf, 0])
    >>> mean.weights, mean.utility
    ((Fraction(1, 5), Fraction(1, 5), Fraction(1, 5), Fraction(0, 1)), Fraction(9, 10))
    >>> private_mean([Fraction(1), Fraction(1)]).noise
    Fraction(1, 16)
    """
    if not epsilons or not all(e >= 0 for e in epsilons):
        raise ValueError(f"privacy levels are {list(epsilons)}; one or more numbers from 0 up")
    tau = find_threshold(epsilons)
    reach = [_find_reach(e, tau) for e in epsilons]
    effective = sum(reach, start=Fraction(0))
    n = len(epsilons)
    whole = effective + 2
    noise = Fraction(0) if tau == inf else 1 / (whole * tau)
    utility = Fraction(n + 2, n) * effective / whole
    return PrivateMean(
        tuple(r / whole for r in reach), noise, tau, effective, 1 / (6 * whole), utility
    )


def find_threshold(epsilons: Sequence[Level]) -> Level:
    """Return tau, where sum over finite epsilon_i > 0 of epsilon_i (tau - epsilon_i)+ = 12."""
    first: Level = Fraction(0)
    second: Level = Fraction(0)
    for e in sorted(e for e in epsilons if 0 < e < inf):
        if e * first - second >= NOISE:
            break
        first, second = first + e, second + e * e
    return (NOISE + second) / first if first else inf


def _find_reach(e: Level, tau: Level) -> Number:
    if tau == inf:
        return Fraction(1 if e == inf else 0)
    return Fraction(1) if e >= tau else e / tau


def utility(epsilons: Sequence[Level]) -> Number:
    """Return U of these privacy levels, 0 for those who stay away."""
    return private_mean(epsilons).utility


def tabulate(epsilons: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return U of every coalition by bit mask: shape (2^N,) from levels of shape (N,)."""
    n = len(epsilons)
    out = np.empty(1 << n)
    order = _sort_positive(epsilons)
    fill_dp_mean_table(_cap(epsilons[order]), order, (n + 2) / n, out)
    return out


def tabulate_counts(
    epsilons: NDArray[np.float64], users: int, counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return U where `counts[m, t]` of N `users` take part at level `epsilons[t]`; shape (m,)."""
    out = np.empty(len(counts))
    order = _sort_positive(epsilons)
    fill_dp_mean_counts(_cap(epsilons[order]), order, (users + 2) / users, counts, out)
    return out


def walk_orders(
    epsilons: NDArray[np.float64], orders: NDArray[np.int64], credit: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Add up along orders of arrival, shape (m, K), what each user adds, times its credit."""
    out = np.zeros(len(epsilons))
    order = np.argsort(epsilons, kind="stable")
    place = np.argsort(order)
    walk_dp_mean_orders(orders, credit, _cap(epsilons[order]), place, out)
    return out


def _sort_positive(epsilons: NDArray[np.float64]) -> NDArray[np.int64]:
    order = np.argsort(epsilons, kind="stable").astype(np.int64)
    return order[epsilons[order] > 0]


def _cap(epsilons: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(epsilons >= AS_GOOD_AS_INFINITE, np.inf, epsilons)
