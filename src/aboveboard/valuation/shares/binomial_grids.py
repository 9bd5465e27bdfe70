"""Few numbers that stand for a binomial distribution: sums over them are exact for polynomials.

They lie near the points of Gauss's rule for the distribution. The same numbers without the
outermost, with weights of their own, say how far a sum may be off. Source: Gauss quadrature by the
Jacobi matrix (Golub and Welsch 1969) of the discrete distribution; rounding to whole numbers and
the weights there are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import FloatArray

Counts = NDArray[np.int64]

DROPPED = 1
"""Numbers at either end that the grid does without which it is compared with."""
TAIL = 1e-16
"""Probability beyond the end of a window, about."""
WIDEST = 9.0
"""Standard deviations that a window reaches to either side, at most."""


@dataclass(frozen=True)
class BinomialGrid:
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


def make_grid(size: int, q: float, nodes: int) -> BinomialGrid:
    """Return a grid of so many numbers; 0: of all that matter."""
    low, probabilities = _find_probabilities(size, q)
    if not nodes or len(probabilities) <= nodes + 4:
        numbers = np.arange(low, low + len(probabilities), dtype=np.int64)
        return BinomialGrid(numbers, np.stack([probabilities, probabilities]), whole=True)
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
    return BinomialGrid(low + places, weights, whole=False)


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
