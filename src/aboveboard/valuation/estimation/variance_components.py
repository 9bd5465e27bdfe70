"""How users' means vary between users (s2), and samples within them (t2), from the samples.

What: the analysis-of-variance estimator of the one-way random effects model with unequal numbers of
samples. With k users, user i having n_i samples with mean m_i, N = sum n_i and W_i its sum of
squares about m_i,

    t2 = sum W_i / (N - k)
    s2 = (B/(k - 1) - t2) / n0,  B = sum n_i m_i^2 - (sum n_i m_i)^2/N,
    n0 = (N - sum n_i^2/N) / (k - 1).

Both are unbiased whatever the distribution of the samples; users with one sample tell nothing of
t2. An s2 below 0 is taken as 0, and said. All is a function of sums over users, so that federated
users take part without showing more than these sums. Exact for exact sums. Source: Searle, Casella,
McCulloch, "Variance Components" (1992), section 3.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import fsum

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError


@dataclass(frozen=True)
class Sums:
    """What the estimator needs of some users; sums of two groups add up.

    Parameters
    ----------
    users, samples, squared_counts
        k, N and sum n_i^2: public.
    means, squares
        sum n_i m_i and sum n_i m_i^2.
    within
        sum W_i.
    """

    users: int
    samples: int
    squared_counts: int
    means: Fraction
    squares: Fraction
    within: Fraction

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.users + other.users,
            self.samples + other.samples,
            self.squared_counts + other.squared_counts,
            self.means + other.means,
            self.squares + other.squares,
            self.within + other.within,
        )


NO_USERS = Sums(0, 0, 0, Fraction(0), Fraction(0), Fraction(0))


@dataclass(frozen=True)
class VarianceComponents:
    """The estimates.

    Parameters
    ----------
    s2, t2
        Variance between users, at least 0, and within them.
    untruncated
        The estimate of s2 before it was taken as 0 where negative.

    Examples
    --------
    >>> sums = sum_samples([np.array([1.0, 9.0]), np.array([2.0, 8.0])])
    >>> found = estimate_variance_components(sums)
    >>> found.s2, found.untruncated, found.t2
    (0.0, -12.5, 25.0)
    """

    s2: float
    t2: float
    untruncated: float


def sum_samples(samples: Sequence[NDArray[np.float64]]) -> Sums:
    """Return the sums of users whose samples are at hand, an array of shape (samples,) for each.

    Examples
    --------
    >>> sums = sum_samples([np.array([1.0, 3.0]), np.array([6.0, 8.0])])
    >>> sums.users, sums.samples, sums.means, sums.within
    (2, 4, Fraction(18, 1), Fraction(4, 1))
    """
    total = NO_USERS
    for values in samples:
        means, squares, within = compute_summands(values)
        n = len(values)
        total += Sums(1, n, n * n, Fraction(means), Fraction(squares), Fraction(within))
    return total


def compute_summands(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return what one user adds to the sums: n m, n m^2, and its sum of squares about m."""
    n, mean = len(values), compute_mean(values)
    return n * mean, n * mean * mean, fsum((values - mean) ** 2)


def compute_mean(values: NDArray[np.float64]) -> float:
    """Return the mean, its sum rounded once: the same bits on every machine."""
    return fsum(values) / len(values)


def estimate_variance_components(
    sums: Sums, s2: Fraction | None = None, t2: Fraction | None = None
) -> VarianceComponents:
    """Estimate what is not given.

    Parameters
    ----------
    sums
        Of all users who share.
    s2, t2
        Known values; None: estimated.

    Raises
    ------
    InputError
        If the users who share are too few, or have too few samples, or their samples do not vary.

    Examples
    --------
    >>> sums = sum_samples([np.array([1.0, 3.0]), np.array([6.0, 8.0])])
    >>> found = estimate_variance_components(sums)
    >>> found.s2, found.t2
    (11.5, 2.0)
    """
    k, total = sums.users, sums.samples
    if t2 is None:
        if total <= k:
            raise InputError(
                "utility.t2",
                f"the {k} users who share have one sample each, which says nothing about it",
                "give a number, or data where a user has several samples",
            )
        t2 = sums.within / (total - k)
        if t2 <= 0:
            raise InputError(
                "utility.t2",
                "no user's samples vary, so its estimate is 0",
                "give a number above 0",
            )
    if s2 is not None:
        return VarianceComponents(float(s2), float(t2), float(s2))
    if k < 2:
        raise InputError(
            "utility.s2",
            f"{k} of the users share their data; how users vary takes two or more",
            "give a number, or have more users share",
        )
    between = sums.squares - sums.means**2 / total
    n0 = (total - Fraction(sums.squared_counts, total)) / (k - 1)
    found = (between / (k - 1) - t2) / n0
    return VarianceComponents(float(max(found, Fraction(0))), float(t2), float(found))
