"""Compiled walks along orders of arrival: what each user adds to those before it."""

from __future__ import annotations

from math import inf, log

import numpy as np
from numpy.typing import NDArray

from aboveboard.kernels import kernel
from aboveboard.valuation.utilities.kernels import NOISE, _find_errors

SMALL = 1e-200
"""A product of errors is taken the logarithm of before it underflows."""


@kernel()
def _find_length(credit: NDArray[np.float64]) -> int:
    """Return how far an order is walked."""
    length = len(credit)
    while length > 0 and credit[length - 1] == 0.0:
        length -= 1
    return length


@kernel()
def walk_federated_orders(
    orders: NDArray[np.int64],
    credit: NDArray[np.float64],
    level: NDArray[np.int64],
    inverse: NDArray[np.float64],
    weight: NDArray[np.float64],
    s2: float,
    t2: float,
    out: NDArray[np.float64],
) -> None:
    """Add up what each user adds to the federated mean's utility. O(orders N^2), few logs.

    Parameters
    ----------
    orders
        Shape (m, K): permutations of the users above level 0.
    credit
        Shape (m, K): what part of it a user is given who comes k-th; an order is walked up to the
        last that is not 0.
    level, inverse, weight
        Shape (N,): 0, 1 or 2; 1/n; how much the platform cares about the user.
    s2, t2
        Variance between users and within them.
    out
        Shape (N,), added to.
    """
    n = len(level)
    whole = 0.0
    for i in range(n):
        whole += weight[i]
    base = log(t2 + 2.0 * s2)
    shrink = np.empty(n)
    weights = np.empty(n)
    for m in range(len(orders)):
        direct, federated, inverses, federated_weight, silent = 0.0, 0.0, 0.0, 0.0, whole
        there = 0
        before = 0.0
        for k in range(_find_length(credit[m])):
            i = orders[m, k]
            silent -= weight[i]
            if level[i] == 1:
                federated += 1.0
                inverses += inverse[i]
                federated_weight += weight[i]
            else:
                v = s2 + t2 * inverse[i]
                direct += 1.0 / v
                shrink[there] = t2 * inverse[i] / v
                weights[there] = weight[i]
                there += 1
            one, nothing, aggregate = _find_errors(direct, federated, inverses, s2, t2)
            value = silent * (base - log(nothing))
            if federated_weight > 0.0:
                value += federated_weight * (base - log(aggregate))
            # Users of equal weight share a logarithm.
            product = 1.0
            for j in range(there):
                r = shrink[j]
                product *= r * (s2 + r * one)
                value += weights[j] * base
                if j + 1 == there or weights[j + 1] != weights[j] or product < SMALL:
                    value -= weights[j] * log(product)
                    product = 1.0
            out[i] += credit[m, k] * (value - before)
            before = value


@kernel()
def walk_dp_mean_orders(
    orders: NDArray[np.int64],
    credit: NDArray[np.float64],
    epsilons: NDArray[np.float64],
    place: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Add up what each user adds to the private mean's utility. O(orders N^2).

    `epsilons`, shape (N,), ascend; `place[i]` is where user i's stands in it. The rest is as in
    `walk_federated_orders`.
    """
    n = len(epsilons)
    scale = (n + 2.0) / n
    there = np.zeros(n, dtype=np.bool_)
    for m in range(len(orders)):
        there[:] = False
        before = 0.0
        for k in range(_find_length(credit[m])):
            i = orders[m, k]
            there[place[i]] = True
            first, second, full = 0.0, 0.0, 0.0
            for p in range(n):
                if there[p]:
                    e = epsilons[p]
                    if e < inf and e * first - second < NOISE:
                        first += e
                        second += e * e
                    else:
                        full += 1.0
            size = full + first * first / (NOISE + second)
            value = scale * size / (size + 2.0)
            out[i] += credit[m, k] * (value - before)
            before = value
