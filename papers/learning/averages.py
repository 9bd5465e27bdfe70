"""Section 6.1's random markets: how they are drawn, and averages over them.

Coefficients are drawn uniformly from -1 to 1, in thousandths, so that who is served is exact. On
the diagonal they are drawn from 0 to 1: Example 1 has alpha_ii positive, and with less the payment
is not truthful (Theorem 1). Cost: n + 1 allocations a market.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.learning import (
    Counterfactual,
    Linear,
    Logistic,
    Market,
    PaymentOutcome,
    compute_outcome,
)

FloatArray = NDArray[np.float64]

THOUSANDTHS = 1000

SURE = 4.0
"""Standard errors: a difference that chance shows once in 16,000 draws."""


def coefficients(rng: np.random.Generator, n: int) -> Linear:
    """Draw a linear market: U[-1, 1], on the diagonal U[0, 1]."""
    entries = rng.integers(-THOUSANDTHS, THOUSANDTHS + 1, (n, n))
    entries[np.diag_indices(n)] = rng.integers(0, THOUSANDTHS + 1, n)
    return Linear(tuple(tuple(Fraction(x, THOUSANDTHS) for x in row) for row in entries.tolist()))


def play_market(
    valuation: Linear, sizes: Sequence[float], absent: Counterfactual
) -> PaymentOutcome:
    """Return what comes out of one market with Q(t) = (1 - e^-t)/(1 + e^-t)."""
    return compute_outcome(Market(Logistic(), valuation, len(sizes), absent), list(sizes))


@dataclass(frozen=True)
class Average:
    """A mean and its standard error."""

    mean: float
    error: float

    @property
    def is_above(self) -> bool:
        """Whether it is above 0, beyond chance."""
        return self.mean > SURE * self.error

    def as_dict(self) -> dict[str, float]:
        """Return plain data."""
        return {"mean": round(self.mean, 9), "standard error": round(self.error, 9)}


def average(values: Any) -> Average:
    """Return the mean of samples."""
    array = np.asarray(values, dtype=np.float64)
    return Average(float(array.mean()), float(array.std(ddof=1)) / sqrt(len(array)))
