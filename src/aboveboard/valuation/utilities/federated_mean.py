"""Every user's own mean, estimated by the platform from data at three levels of sharing.

What: user i has mean theta_i (variance s2 between users) and n_i samples of expected variance t2.
At level 2 the platform gets its sample mean, at level 1 only the average of all federated users'
sample means, at level 0 nothing. With V = s2 + t2/n, r = (t2/n)/V, V0 and r0 the same with the mean
of 1/n over the N1 federated users, and A = sum over direct users of 1/V_j + N1/V0, the expected
squared error of the best estimator of theta_i whose weights sum to 1 is

    level 0: s2 + 1/A        level 2: r_i (s2 + r_i/A)
    level 1: s2 (1 - (1 - r0)/N1) + r0^2/A        without data: t2 + 2 s2

and U = sum a_i log((t2 + 2 s2)/error_i). U is not monotone from level 0 to 1 (one more user blurs
the aggregate), so shares can be negative. Cost: one log a direct user and coalition; a table of
2^20 in tenths of a second. Source: "The Fair Value of Data Under Heterogeneous Privacy
Constraints", section 4, Propositions 4 and 5, in the closed forms of `docs/theory.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import FloatArray, Number
from aboveboard.valuation.utilities.kernels import fill_federated_counts, fill_federated_table
from aboveboard.valuation.utilities.kernels_orders import walk_federated_orders

SILENT, FEDERATED, DIRECT = 0, 1, 2


@dataclass(frozen=True)
class Population:
    """How the users' data vary.

    Parameters
    ----------
    s2
        Variance of the users' means, at least 0.
    t2
        Expected variance of a user's samples, more than 0.

    Raises
    ------
    ValueError
        If one is out of its range.

    Examples
    --------
    >>> compute_expected_errors(Population(Fraction(1), Fraction(4)), [2, 0], [4, 4])
    (Fraction(1, 1), Fraction(3, 1))
    """

    s2: Number
    t2: Number

    def __post_init__(self) -> None:
        if not (self.s2 >= 0 and self.t2 > 0):
            raise ValueError(f"s2 is {self.s2} and t2 {self.t2}; s2 is at least 0, t2 more than 0")


def compute_expected_errors(
    population: Population, levels: Sequence[int], samples: Sequence[Number]
) -> tuple[Number, ...]:
    """Return the expected squared error of every user's estimate, exact for exact input.

    Parameters
    ----------
    population
        s2 and t2.
    levels
        0, 1 or 2 for each user.
    samples
        How many samples each user has.

    Examples
    --------
    >>> population = Population(s2=Fraction(1), t2=Fraction(4))
    >>> compute_expected_errors(population, [2, 2, 0], [4, 4, 4])
    (Fraction(3, 4), Fraction(3, 4), Fraction(2, 1))
    """
    s2, t2 = population.s2, population.t2
    within = [Fraction(t2) / n if isinstance(t2, int) else t2 / n for n in samples]
    direct = sum(1 / (s2 + w) for x, w in zip(levels, within, strict=True) if x == DIRECT)
    federated = [w for x, w in zip(levels, within, strict=True) if x == FEDERATED]
    n1 = len(federated)
    precision, r0 = direct, t2 * 0
    if n1:
        mean = sum(federated) / n1
        r0 = mean / (s2 + mean)
        precision += n1 / (s2 + mean)
    if not precision:
        return tuple(t2 + 2 * s2 for _ in levels)
    found: list[Number] = []
    for x, w in zip(levels, within, strict=True):
        if x == SILENT:
            found.append(s2 + 1 / precision)
        elif x == FEDERATED:
            found.append(s2 - s2 * (1 - r0) / n1 + r0 * r0 / precision)
        else:
            r = w / (s2 + w)
            found.append(r * (s2 + r / precision))
    return tuple(found)


def utility(
    population: Population,
    levels: Sequence[int],
    samples: Sequence[Number],
    weights: Sequence[Number],
) -> float:
    """Return U = sum a_i log((t2 + 2 s2)/error_i)."""
    base = population.t2 + 2 * population.s2
    each = compute_expected_errors(population, levels, samples)
    return float(
        sum(float(a) * np.log(float(base / e)) for a, e in zip(weights, each, strict=True))
    )


def tabulate(
    population: Population, levels: NDArray[np.int64], samples: FloatArray, weights: FloatArray
) -> FloatArray:
    """Return U of every coalition by bit mask, shape (2^N,); who is not in it is at level 0."""
    out = np.empty(1 << len(levels))
    s2, t2 = float(population.s2), float(population.t2)
    fill_federated_table(levels, 1.0 / samples, weights, s2, t2, out)
    return out


def walk_orders(
    population: Population,
    levels: NDArray[np.int64],
    samples: FloatArray,
    weights: FloatArray,
    orders: NDArray[np.int64],
    credit: FloatArray,
) -> FloatArray:
    """Add up along orders of arrival, shape (m, K), what each user adds, times its credit."""
    out = np.zeros(len(levels))
    s2, t2 = float(population.s2), float(population.t2)
    walk_federated_orders(orders, credit, levels, 1.0 / samples, weights, s2, t2, out)
    return out


@dataclass(frozen=True)
class Types:
    """Users of few types.

    Parameters
    ----------
    sizes, levels, samples, weights
        Shape (types,): how many users each type has, their level (1 or 2), samples and weight.
    rest
        Weight of all users outside these types: they are silent whatever the others do.
    """

    sizes: NDArray[np.int64]
    levels: NDArray[np.int64]
    samples: FloatArray
    weights: FloatArray
    rest: float = 0.0


def tabulate_counts(population: Population, types: Types, counts: NDArray[np.int64]) -> FloatArray:
    """Return U where `counts[m, t]` users of type t take part and the others are silent; (m,)."""
    out = np.empty(len(counts))
    fill_federated_counts(
        types.sizes,
        types.levels,
        1.0 / types.samples,
        types.weights,
        float(population.s2),
        float(population.t2),
        types.rest,
        counts,
        out,
    )
    return out
