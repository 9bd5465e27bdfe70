"""The private mean of users' bounded data, released once with noise that is safe in floating point.

What: each user gives one number, the mean of its samples, clipped to public bounds and scaled to
[-1/2, 1/2]; released is sum w_i x_i + Laplace(1/eta) with the weights of `dp_mean`, scaled back.
A user's number moves the sum by w_i at most, so user i is given w_i eta <= epsilon_i. The sum is
computed exactly and rounded once; the noise is OpenDP's, which samples exactly from the operating
system's randomness, and its own account of the privacy spent is checked against every epsilon_i.
Nobody can make the same noise again, which is the point of it. Source: "The Fair Value of Data
Under Heterogeneous Privacy Constraints", Example 1; the sampler: Canonne, Kamath, Steinke (2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.games.numbers import Number
from aboveboard.valuation.estimation.variance_components import compute_mean
from aboveboard.valuation.levels import Level
from aboveboard.valuation.utilities.dp_mean import PrivateMean, private_mean

ROUNDING = 2.0**-52
"""The sum lies within [-1/2, 1/2]: rounding it moves two of them apart by less than this."""
SAFETY = 1 + 2.0**-40
"""OpenDP rounds the privacy spent up; so much more noise keeps it within epsilon."""


@dataclass(frozen=True)
class Release:
    """A mean under differential privacy.

    Parameters
    ----------
    mean
        What is released, in the unit of the data.
    scale
        Of the Laplace noise in it, in the unit of the data; 0 where no noise is needed.
    spent
        By user: the epsilon of OpenDP's account; infinite without noise, 0 where unused.
    plan
        The estimator, for data in [-1/2, 1/2].

    Examples
    --------
    >>> from math import inf
    >>> found = release({"ann": Fraction(2)}, {"ann": inf}, (Fraction(0), Fraction(10)))
    >>> found.spent, found.plan.weights
    ({'ann': inf}, (Fraction(1, 3),))
    """

    mean: float
    scale: float
    spent: Mapping[str, float]
    plan: PrivateMean


def clip_mean(
    values: NDArray[np.float64], bounds: tuple[Fraction, Fraction]
) -> tuple[Fraction, int]:
    """Return the mean of one user's samples clipped to the bounds, and how many were outside."""
    low, high = float(bounds[0]), float(bounds[1])
    outside = int(((values < low) | (values > high)).sum())
    mean = Fraction(compute_mean(np.clip(values, low, high)))
    # Bounds need not be float64 numbers: what is promised is the bounds as written.
    return min(max(mean, bounds[0]), bounds[1]), outside


def release(
    values: Mapping[str, Fraction],
    epsilons: Mapping[str, Level],
    bounds: tuple[Fraction, Fraction],
) -> Release:
    """Release the mean of the users' numbers.

    Parameters
    ----------
    values
        By user above level 0: its number, within the bounds.
    epsilons
        By user: its privacy level.
    bounds
        Public.

    Raises
    ------
    InputError
        If noise is needed and OpenDP is not installed.

    Examples
    --------
    >>> from math import inf
    >>> data = {"ann": Fraction(2), "bob": Fraction(4)}
    >>> found = release(data, {"ann": inf, "bob": inf}, (Fraction(0), Fraction(10)))
    >>> found.mean, found.scale
    (4.0, 0.0)
    """
    plan = private_mean(list(epsilons.values()))
    weights: dict[str, Number] = dict(zip(epsilons, plan.weights, strict=True))
    middle, width = sum(bounds) / 2, bounds[1] - bounds[0]
    total = sum(
        (Fraction(weights[name]) * (x - middle) / width for name, x in values.items()),
        start=Fraction(0),
    )
    if not plan.noise:
        spent = {name: inf if w else 0.0 for name, w in weights.items()}
        return Release(float(middle + width * total), 0.0, spent, plan)
    sensitivity = {
        name: float(weights[name]) + ROUNDING
        for name, epsilon in epsilons.items()
        if 0 < epsilon < inf
    }
    scale = SAFETY * max(
        float(plan.noise), *(s / float(epsilons[name]) for name, s in sensitivity.items())
    )
    laplace = make_laplace(scale)
    spent = {
        name: float(laplace.map(sensitivity.get(name, float(w) + ROUNDING))) if w else 0.0
        for name, w in weights.items()
    }
    for name, epsilon in epsilons.items():
        if not spent[name] <= epsilon:
            raise InputError(
                f"parties.{name}.level",
                f"epsilon is {float(epsilon)} and the release would spend {spent[name]}",
                "give another level: no noise in float64 keeps this one exactly",
            )
    noisy = float(laplace(float(total)))
    return Release(float(middle) + float(width) * noisy, scale * float(width), spent, plan)


def make_laplace(scale: float) -> Any:
    """Make OpenDP's Laplace measurement of one float64.

    Raises
    ------
    InputError
        If OpenDP is not installed.
    """
    try:
        import opendp.prelude as dp
    except ImportError:
        raise InputError(
            "utility.kind",
            "releasing a private mean needs OpenDP, which is not installed",
            'pip install "aboveboard[private]"',
        ) from None
    dp.enable_features("contrib")
    space = dp.atom_domain(T=float, nan=False), dp.absolute_distance(T=float)
    return dp.m.make_laplace(*space, scale=scale)
