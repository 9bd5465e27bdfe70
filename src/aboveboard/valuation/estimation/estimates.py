"""Every user's mean as the platform estimates it from what it may see.

What: the platform has the mean y_j of each direct user and the average f of the federated users'
means. With V_j = s2 + t2/n_j, V0 the same with the mean of 1/n over the N1 federated users, and
A = sum 1/V_j + N1/V0, it takes the mean weighted by precision, m = (sum y_j/V_j + f N1/V0)/A, and

    level 0: m        level 1: (1 - r0) f + r0 m        level 2: (1 - r_i) y_i + r_i m

with r = 1 - s2/V. These are the weights of Proposition 5, which `weights` writes out and which sum
to 1. Cost: O(N). Source: "The Fair Value of Data Under Heterogeneous Privacy Constraints",
Proposition 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import FloatArray
from aboveboard.valuation.utilities.federated_mean import DIRECT, FEDERATED, Population


@dataclass(frozen=True)
class Estimator:
    """The best estimator at given levels.

    Parameters
    ----------
    levels
        Shape (N,): 0, 1 or 2 for each user; somebody's is above 0.
    direct
        Shape (N2,): weight of each direct user's mean in m, in the order of users.
    federated
        Weight of the federated users' average in m.
    trust
        Shape (N,): 1 - r, what a user's own mean (or the federated average) counts beside m.

    Examples
    --------
    >>> from fractions import Fraction
    >>> best = find_estimator(Population(Fraction(1), Fraction(4)), [2, 2], [4, 4])
    >>> best(np.array([1.0, 3.0]), np.array(0.0)).tolist()
    [1.5, 2.5]
    """

    levels: NDArray[np.int64]
    direct: FloatArray
    federated: float
    trust: FloatArray

    def __call__(self, means: FloatArray, average: FloatArray) -> FloatArray:
        """Estimate.

        Parameters
        ----------
        means
            Shape (.., N2): the direct users' sample means, in the order of users.
        average
            Shape (..): the average of the federated users' sample means; 0 where there are none.

        Returns
        -------
        The estimates, shape (.., N).
        """
        # A sum, not BLAS: its order, and so its last bit, is the same at every run.
        common = (means * self.direct).sum(axis=-1) + average * self.federated
        estimates = np.repeat(common[..., None], len(self.levels), axis=-1)
        own = np.zeros_like(estimates)
        own[..., self.levels == DIRECT] = means
        own[..., self.levels == FEDERATED] = average[..., None]
        estimates += self.trust * (own - estimates)
        return estimates

    def weights(self) -> FloatArray:
        """Write out Proposition 5: shape (N, N2 + 1), the federated average first; O(N N2)."""
        seen = np.eye(len(self.direct) + 1)
        return self(seen[:, 1:], seen[:, 0]).T


def find_estimator(
    population: Population, levels: Sequence[int], samples: Sequence[float]
) -> Estimator:
    """Find the best estimator.

    Parameters
    ----------
    population
        s2 and t2.
    levels
        0, 1 or 2 for each user.
    samples
        How many samples each user has.

    Raises
    ------
    ValueError
        If nobody shares anything: there is no estimate.

    Examples
    --------
    >>> from fractions import Fraction
    >>> best = find_estimator(Population(Fraction(1), Fraction(4)), [2, 2, 0], [4, 4, 4])
    >>> best.direct.tolist(), best.trust.tolist()
    ([0.5, 0.5], [0.5, 0.5, 0.0])
    """
    s2, t2 = float(population.s2), float(population.t2)
    at = np.asarray(levels, dtype=np.int64)
    if not (at > 0).any():
        raise ValueError("nobody shares anything; there is no estimate")
    within = t2 / np.asarray(samples, dtype=np.float64)
    direct, federated = at == DIRECT, at == FEDERATED
    precision = 1.0 / (s2 + within[direct])
    trust = np.zeros(len(at))
    trust[direct] = s2 * precision
    whole, of_federated = float(precision.sum()), 0.0
    if federated.any():
        v0 = s2 + float(within[federated].mean())
        trust[federated] = s2 / v0
        of_federated = int(federated.sum()) / v0
    whole += of_federated
    return Estimator(at, precision / whole, of_federated / whole, trust)
