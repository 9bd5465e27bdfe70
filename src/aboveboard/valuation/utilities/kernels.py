"""TODO."""

from __future__ import annotations

from math import inf, log

import numpy as np
from numpy.typing import NDArray

from aboveboard.kernels import kernel

NOISE = 12.0
"""Variance of Laplace noise of scale 1, 2, over the expected variance of one user's bit, 1/6."""


@kernel()
def fill_dp_mean_table(
    epsilons: NDArray[np.float64], bits: NDArray[np.int64], scale: float, out: NDArray[np.float64]
) -> None:
    """Write the DP mean's utility of every coalition. O(N 2^N) steps, no memory of its own.

    Parameters
    ----------
    epsilons
        Shape (n,), ascending, all more than 0; infinite at the end.
    bits
        Shape (n,): the bit of the user whose level stands at each place.
    scale
        (N + 2)/N, so that the utility of all data without noise is 1.
    out
        Written, shape (2^N,).
    """
    n = len(epsilons)
    for mask in range(len(out)):
        first, second, full = 0.0, 0.0, 0.0
        for j in range(n):
            if mask >> bits[j] & 1:
                e = epsilons[j]
                if e < inf and e * first - second < NOISE:
                    first += e
                    second += e * e
                else:
                    full += 1.0
        size = full + first * first / (NOISE + second)
        out[mask] = scale * size / (size + 2.0)


@kernel()
def fill_dp_mean_counts(
    epsilons: NDArray[np.float64],
    columns: NDArray[np.int64],
    scale: float,
    counts: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Write the DP mean's utility where `counts[m, columns[t]]` users have level `epsilons[t]`."""
    for m in range(len(counts)):
        first, second, full = 0.0, 0.0, 0.0
        for t in range(len(epsilons)):
            k = float(counts[m, columns[t]])
            e = epsilons[t]
            if e < inf and e * first - second < NOISE:
                first += k * e
                second += k * e * e
            else:
                full += k
        size = full + first * first / (NOISE + second)
        out[m] = scale * size / (size + 2.0)


@kernel()
def _find_errors(
    direct: float, federated: float, inverse: float, s2: float, t2: float
) -> tuple[float, float, float]:
    """Return 1/A, the error of a user who sends nothing, and that of one who federates."""
    precision = direct
    r0 = 0.0
    if federated > 0.0:
        within = t2 * inverse / federated
        v0 = s2 + within
        r0 = within / v0
        precision += federated / v0
    one = 1.0 / precision
    aggregate = s2 * (1.0 - (1.0 - r0) / federated) + r0 * r0 * one if federated > 0.0 else 0.0
    return one, s2 + one, aggregate


@kernel()
def fill_federated_table(
    level: NDArray[np.int64],
    inverse: NDArray[np.float64],
    weight: NDArray[np.float64],
    s2: float,
    t2: float,
    out: NDArray[np.float64],
) -> None:
    """Write the federated mean's utility of every coalition. O(N 2^N), one log a direct user.

    Parameters
    ----------
    level
        Shape (N,): 0, 1 or 2.
    inverse
        Shape (N,): 1/n of each user.
    weight
        Shape (N,): how much the platform cares about each user.
    s2, t2
        Variance between users and within them.
    out
        Written, shape (2^N,).
    """
    n = len(level)
    base = log(t2 + 2.0 * s2)
    for mask in range(len(out)):
        direct, federated, inverses, rest, federated_weight = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(n):
            if not mask >> i & 1 or level[i] == 0:
                rest += weight[i]
            elif level[i] == 1:
                federated += 1.0
                inverses += inverse[i]
                federated_weight += weight[i]
            else:
                direct += 1.0 / (s2 + t2 * inverse[i])
        if direct == 0.0 and federated == 0.0:
            out[mask] = 0.0
            continue
        one, nothing, aggregate = _find_errors(direct, federated, inverses, s2, t2)
        value = rest * (base - log(nothing))
        if federated_weight > 0.0:
            value += federated_weight * (base - log(aggregate))
        for i in range(n):
            if mask >> i & 1 and level[i] == 2:
                r = t2 * inverse[i] / (s2 + t2 * inverse[i])
                value += weight[i] * (base - log(r * (s2 + r * one)))
        out[mask] = value


@kernel()
def fill_federated_counts(
    sizes: NDArray[np.int64],
    level: NDArray[np.int64],
    inverse: NDArray[np.float64],
    weight: NDArray[np.float64],
    s2: float,
    t2: float,
    rest: float,
    counts: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Write the federated mean's utility where `counts[m, t]` users of type t take part.

    `sizes` says how many users each type has; `rest` is the weight of users outside all types.
    """
    base = log(t2 + 2.0 * s2)
    types = len(sizes)
    shrink = np.empty(types)
    for t in range(types):
        shrink[t] = t2 * inverse[t] / (s2 + t2 * inverse[t])
    for m in range(len(counts)):
        direct, federated, inverses, federated_weight = 0.0, 0.0, 0.0, 0.0
        silent = rest
        for t in range(types):
            k = counts[m, t]
            silent += (sizes[t] - k) * weight[t]
            if level[t] == 1:
                federated += k
                inverses += k * inverse[t]
                federated_weight += k * weight[t]
            else:
                direct += k / (s2 + t2 * inverse[t])
        if direct == 0.0 and federated == 0.0:
            out[m] = 0.0
            continue
        one, nothing, aggregate = _find_errors(direct, federated, inverses, s2, t2)
        value = 0.0
        if silent > 0.0:
            value += silent * (base - log(nothing))
        if federated_weight > 0.0:
            value += federated_weight * (base - log(aggregate))
        for t in range(types):
            if level[t] == 2 and counts[m, t] > 0:
                r = shrink[t]
                value += counts[m, t] * weight[t] * (base - log(r * (s2 + r * one)))
        out[m] = value
