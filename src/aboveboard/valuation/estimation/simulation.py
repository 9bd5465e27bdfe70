"""The error that an estimator makes where the truth is known.

What: users' means and sample means are drawn many times, the estimator runs on each draw as it does
on data, and its squared errors are averaged, with the standard error of that average. Sums of
samples are drawn as the sums they are. Cost: O(rounds * users). Draws come from a seeded NumPy
generator: they are repeatable and protect nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aboveboard.games.numbers import FloatArray
from aboveboard.valuation.estimation.estimates import Estimator
from aboveboard.valuation.utilities.dp_mean import PrivateMean
from aboveboard.valuation.utilities.federated_mean import DIRECT, FEDERATED, Population

ROUNDS = 20_000
"""Draws: the standard error of a mean squared error is then about 1 % of it."""
AT_ONCE = 1 << 20
"""Numbers drawn at a time."""
FAR = 4.0
"""Standard errors from which promise and simulation are said to differ: 1 in 16 000 by chance."""


@dataclass(frozen=True)
class SimulatedErrors:
    """Mean squared errors found by simulation.

    Parameters
    ----------
    errors, standard_errors
        Shape (N,), or (1,) for one common estimate.
    rounds
        How many draws.
    """

    errors: FloatArray
    standard_errors: FloatArray
    rounds: int

    def distance(self, promised: FloatArray) -> FloatArray:
        """Return how many standard errors lie between what was promised and what was found."""
        gap = self.errors - promised
        sure = self.standard_errors > 0
        apart = np.where(gap == 0, 0.0, np.sign(gap) * np.inf)
        return np.divide(gap, self.standard_errors, out=apart, where=sure)

    def scale(self, factor: float) -> SimulatedErrors:
        """Return the same errors in another unit."""
        return SimulatedErrors(self.errors * factor, self.standard_errors * factor, self.rounds)


def simulate_federated_mean(
    estimator: Estimator,
    population: Population,
    samples: Sequence[float],
    rng: np.random.Generator,
    rounds: int = ROUNDS,
) -> SimulatedErrors:
    """Simulate the estimates of users' means, everything drawn from normal distributions.

    Parameters
    ----------
    estimator
        What is tried.
    population
        The truth: s2 and t2.
    samples
        How many samples each user has.
    rng
        Draws.
    rounds
        How often.
    """
    n = len(estimator.levels)
    between = float(population.s2) ** 0.5
    within = np.sqrt(float(population.t2) / np.asarray(samples, dtype=np.float64))
    federated = estimator.levels == FEDERATED
    direct = estimator.levels == DIRECT

    def draw_squared_errors(count: int) -> FloatArray:
        truth = rng.normal(scale=between, size=(count, n))
        seen = truth + rng.normal(size=(count, n)) * within
        average = seen[:, federated].mean(axis=1) if federated.any() else np.zeros(count)
        return np.asarray((estimator(seen[:, direct], average) - truth) ** 2)

    done, total, squares = 0, np.zeros(n), np.zeros(n)
    while done < rounds:
        found = draw_squared_errors(min(rounds - done, max(1, AT_ONCE // n)))
        done += len(found)
        total += found.sum(axis=0)
        squares += (found**2).sum(axis=0)
    return _summarize(total, squares, rounds)


def simulate_private_mean(
    found: PrivateMean, rng: np.random.Generator, rounds: int = ROUNDS
) -> SimulatedErrors:
    """Simulate the private mean as Example 1 has it: two-point data, p uniform on [0, 1].

    Parameters
    ----------
    found
        The estimator: weights and noise.
    rng
        Draws.
    rounds
        How often.
    """
    weights = np.array([float(w) for w in found.weights])
    scale = float(found.noise)
    total, squares, done = np.zeros(1), np.zeros(1), 0
    while done < rounds:
        count = min(rounds - done, max(1, AT_ONCE // len(weights)))
        p = rng.uniform(size=count)
        values = np.where(rng.uniform(size=(count, len(weights))) < p[:, None], 0.5, -0.5)
        noise = rng.laplace(scale=scale, size=count) if scale else 0.0
        error = ((values * weights).sum(axis=1) + noise - (p - 0.5)) ** 2
        done += count
        total += error.sum()
        squares += (error**2).sum()
    return _summarize(total, squares, rounds)


def _summarize(total: FloatArray, squares: FloatArray, rounds: int) -> SimulatedErrors:
    mean = total / rounds
    variance = np.maximum(squares / rounds - mean**2, 0.0)
    return SimulatedErrors(mean, np.sqrt(variance / (rounds - 1)), rounds)
