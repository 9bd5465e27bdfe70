"""Q(s): how good a model is that was trained on valid data of size s.

Cost: one evaluation for each size, over whole arrays; a fitted curve takes one least-squares fit.
Source: "Mechanism Design for Multi-Party Machine Learning", Assumption 1 (Q(0) = 0, increasing, at
most 1), section 6.1 (logistic) and section 6.2 (identity, which is not bounded by 1).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aboveboard.errors import InputError
from aboveboard.formatting import format_rounded, round_digits
from aboveboard.games.numbers import Array, Number

FEWEST_POINTS = 3
"""A learning curve has three parameters."""

KEPT_DIGITS = 12
"""Significant digits kept of fitted parameters: far finer than any score, and the same again on a
replay whose library sums in another order."""


class Quality(Protocol):
    """The quality of a model by the valid size of its training data.

    Examples
    --------
    >>> from aboveboard.learning import Identity
    >>> Identity().evaluate([1, 2]).tolist()
    [1, 2]
    """

    KIND: ClassVar[str]

    def evaluate(self, sizes: ArrayLike) -> Array:
        """Return Q of every size, in the shape of `sizes`; increasing, and 0 at 0."""
        ...


@dataclass(frozen=True)
class Logistic:
    """Q(s) = (1 - e^-s) / (1 + e^-s), in float64 (section 6.1).

    Examples
    --------
    >>> from aboveboard.learning import Logistic
    >>> Logistic().evaluate([0.0, 1.0]).round(4).tolist()
    [0.0, 0.4621]
    """

    KIND: ClassVar[str] = "logistic"

    def evaluate(self, sizes: ArrayLike) -> Array:
        """Return Q of every size; it is tanh(s / 2), which loses no digits near 0."""
        quality: Array = np.tanh(_as_floats(sizes) / 2)
        return quality


@dataclass(frozen=True)
class Identity:
    """Q(s) = s (section 6.2): exact for whole numbers and fractions, and not bounded by 1.

    Examples
    --------
    >>> from aboveboard.learning import Identity
    >>> Identity().evaluate([1, 2]).tolist()
    [1, 2]
    """

    KIND: ClassVar[str] = "identity"

    def evaluate(self, sizes: ArrayLike) -> Array:
        """Return the sizes themselves."""
        return np.asarray(sizes)


@dataclass(frozen=True)
class LearningCurve:
    """A learning curve: Q(s) = ceiling (1 - (1 + s / scale)^-power), in float64.

    The error that more data can remove falls as a power of the size. Q(0) = 0, Q is strictly
    increasing, and at most `ceiling`.

    Parameters
    ----------
    ceiling
        What no amount of data exceeds, above 0 and at most 1.
    scale, power
        How fast it is approached; both above 0.
    points
        The (size, score) pairs it was fitted to.
    residuals
        Score minus Q(size), one for each point.

    Examples
    --------
    >>> from aboveboard.learning import LearningCurve
    >>> LearningCurve(0.9, 100.0, 1.0).evaluate([100.0]).tolist()
    [0.45]
    """

    ceiling: float
    scale: float
    power: float
    points: tuple[tuple[float, float], ...] = ()
    residuals: tuple[float, ...] = ()

    KIND: ClassVar[str] = "fitted"

    def evaluate(self, sizes: ArrayLike) -> Array:
        """Return Q of every size."""
        rest = np.expm1(-self.power * np.log1p(_as_floats(sizes) / self.scale))
        quality: Array = -self.ceiling * rest
        return quality

    @property
    def error(self) -> float:
        """Root of the mean squared residual."""
        return float(np.sqrt(np.mean(np.square(self.residuals)))) if self.residuals else 0.0


def fit_learning_curve(
    points: Sequence[tuple[Number, Number]], place: str = "quality.points"
) -> LearningCurve:
    """Fit a learning curve to measured scores by least squares (scipy's `curve_fit`).

    Parameters
    ----------
    points
        (size, score) pairs of trained models: sizes above 0, scores from 0 to 1, measured so that
        a model without data scores 0. Several scores of one size are welcome.
    place
        Where the points come from, for messages.

    Raises
    ------
    InputError
        If there are fewer than three sizes, a number is out of range, no score is above 0, scores
        fall as sizes grow, the fit does not converge, or scipy is not installed.

    Examples
    --------
    >>> from aboveboard.learning import fit_learning_curve
    >>> curve = fit_learning_curve([(10, 0.3), (50, 0.6), (200, 0.7), (800, 0.75)])
    >>> round(curve.ceiling, 2)
    0.75
    """
    try:
        from scipy.optimize import curve_fit
    except ImportError:
        raise InputError(
            place, "fitting a learning curve needs scipy", 'pip install "aboveboard[learning]"'
        ) from None
    sizes = np.array([float(s) for s, _ in points])
    scores = np.array([float(y) for _, y in points])
    _check(sizes, scores, place)

    def curve(s: Array, ceiling: float, log_scale: float, power: float) -> Array:
        return LearningCurve(ceiling, float(np.exp(log_scale)), power).evaluate(s)

    middle, top = float(np.log(np.median(sizes))), min(1.0, 1.05 * float(scores.max()))
    low, high = float(np.log(sizes.min())), float(np.log(sizes.max()))
    # Beyond these the curve is a step or a straight line over all sizes that were measured.
    bounds = ((1e-6, low - 10, 0.05), (1.0, high + 10, 20.0))
    start = (max(top, 1e-3), middle, 1.0)
    try:
        with warnings.catch_warnings():
            # As many points as parameters leave no variance to estimate; it is not asked for.
            warnings.simplefilter("ignore")
            found, _ = curve_fit(curve, sizes, scores, p0=start, bounds=bounds, max_nfev=5000)
    except RuntimeError:
        raise InputError(
            place, "no learning curve can be fitted to these scores", "measure more sizes"
        ) from None
    ceiling, scale, power = (
        round_digits(x, KEPT_DIGITS) for x in (found[0], float(np.exp(found[1])), found[2])
    )
    pairs = tuple(zip(sizes.tolist(), scores.tolist(), strict=True))
    fitted = LearningCurve(ceiling, scale, power, pairs)
    residuals = tuple((scores - fitted.evaluate(sizes)).tolist())
    return LearningCurve(ceiling, scale, power, pairs, residuals)


def _check(sizes: NDArray[np.float64], scores: NDArray[np.float64], place: str) -> None:
    if not (np.isfinite(sizes).all() and np.isfinite(scores).all()):
        raise InputError(place, "a size or a score is not finite", "give finite numbers")
    different = len(np.unique(sizes))
    if different < FEWEST_POINTS:
        raise InputError(
            place,
            f"it has {different} different sizes",
            f"give {FEWEST_POINTS} or more, as [[size, score], ..]",
        )
    if (sizes <= 0).any():
        raise InputError(
            place,
            f"a size is {format_rounded(sizes.min())}",
            "give sizes above 0; Q(0) = 0 is assumed",
        )
    if (scores < 0).any() or (scores > 1).any():
        odd = scores[(scores < 0) | (scores > 1)][0]
        raise InputError(place, f"a score is {format_rounded(odd)}", "give scores from 0 to 1")
    if not scores.any():
        raise InputError(place, "no score is above 0", "measure models that have learnt something")
    if scores.min() < scores.max() and np.polyfit(np.log(sizes), scores, 1)[0] <= 0:
        raise InputError(
            place,
            "scores do not rise with the size",
            "measure larger sizes or several runs of each: quality increases with valid data",
        )


def _as_floats(sizes: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(sizes).astype(np.float64)
