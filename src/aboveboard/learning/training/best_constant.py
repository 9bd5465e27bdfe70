"""The number that scores best when it is predicted for every row.

Which one that is depends on the score: the mean for the squared error, the median for the absolute
one, another for most others. So it is looked for: at quantiles of what happened, their mean and the
middle of their range, then between the neighbours of the best. Cost: some 300 calls of the score.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

QUANTILES = 257
"""Quantiles that are tried: of fewer rows, every value."""

FINER, REFINEMENTS = 17, 2
"""Numbers that are tried between two neighbours of the best one, and how many times."""


def find_best_constant_number(
    values: NDArray[np.float64], score: Callable[[float], float]
) -> float | None:
    """Return the constant that scores best; None where none can be scored.

    Parameters
    ----------
    values
        What happened.
    score
        Of a constant; NaN where it cannot be scored.
    """
    quantiles = np.quantile(values, np.linspace(0, 1, QUANTILES), method="inverted_cdf")
    middle = (values.min() + values.max()) / 2
    tried = np.unique([*quantiles, values.mean(), np.median(values), middle])
    best, highest = None, -np.inf
    for _ in range(1 + REFINEMENTS):
        scores = np.array([score(float(x)) for x in tried])
        if np.isnan(scores).all():
            break
        k = int(np.nanargmax(scores))
        if scores[k] > highest:
            best, highest = float(tried[k]), float(scores[k])
        around = tried[max(k - 1, 0)], tried[min(k + 1, len(tried) - 1)]
        tried = np.linspace(*around, FINER)
    return best
