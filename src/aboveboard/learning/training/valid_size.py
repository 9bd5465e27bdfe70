"""The valid size of a party's data: what its own model proves on the center's held-out rows.

A party trains a model on its own rows alone, before it has been sent any other, and the center
scores it. The valid size is the number of the center's own rows from which a model as good is
trained: s = Q^-1(score), where Q is the learning curve of the same estimator, fitted to trainings
on samples of the center's validation rows, scored on the same test rows. It is at most the number
of distinct rows that the party says it has, and at most `BEYOND` times the center's validation
rows.

So what a party claims can lower its size and never raise it. Rows that teach nothing about the
center's held-out rows, however many, add nothing: duplicates leave the model as it is, since every
model is the best over the weights that a row may have (`estimators.WEIGHTS`); random rows and wrong
labels make it worse; a model no better than a constant has size 0. Rows that are true but
of another population than the center's are valid as far as they help there. Nobody can be measured
better than the quality is: where the curve is flat, sizes far apart are told apart badly, and
matter little, for payments depend on them through Q.

On synthetic data (logistic regression, 8 features, 1500 test rows and as many for validation)
n = 100, 300 and 1000 honest rows that are counted rightly measured n/2 or more in each of 12 draws;
150 rows that are claimed to be 1500 measured 95 to 767, copied ten times 95 to 776; 1000 rows with
random labels 0 to 2. `tests/learning/training/test_valid_size.py` measures it.

Source: "Mechanism Design for Multi-Party Machine Learning", section 2.1 and Assumption 1, which
leave the validation to "a secure protocol (which we propose in the full version)"; this is ours.
Cost: a few hundred fits on the center's rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.formatting import format_quantity
from aboveboard.learning.market.quality import LearningCurve
from aboveboard.learning.training.tables import TrainingRows, shuffle_rows

BEYOND = 10
"""Sizes are not read off the curve beyond so many times the rows it was measured with."""
SIZES = 10
"""Sizes, evenly spaced on a logarithmic scale, at which the center trains."""
MOST_SAMPLES = 12
"""Trainings on samples of one size; fewer for sizes near the whole, whose samples overlap."""
FEWEST_ROWS = 20
"""Validation rows below which there is no learning curve to speak of."""
PLACE = "training.validation"

POWERS = (0.05, 1.0)
"""Excess loss falls as 1/s for parametric models and slower for others; a fit that falls faster
follows the start of the curve, and ends too flat, where sizes are read off."""


@dataclass(frozen=True)
class CenterCurve:
    """How quality grows with the number of the center's own rows.

    Parameters
    ----------
    curve
        Fitted to the means over samples of each size.
    rows
        The number of validation rows.
    """

    curve: LearningCurve
    rows: int

    def find_valid_size(self, quality: float, claimed: int) -> int:
        """Return the valid size, in whole rows, of a party whose own model has this quality.

        Parameters
        ----------
        quality
            Skill of its own model on the test rows.
        claimed
            How many distinct rows it says it has; can only lower the size.
        """
        return min(claimed, floor(self.invert(quality)))

    def invert(self, quality: float) -> float:
        """Return Q^-1(quality), at most `BEYOND` times the validation rows."""
        most = float(BEYOND * self.rows)
        share = quality / self.curve.ceiling
        if share >= 1:
            return most
        return min(most, self.curve.scale * float(np.expm1(-np.log1p(-share) / self.curve.power)))


def measure_center_curve(
    rows: TrainingRows,
    classes: int,
    seed: int,
    score: Callable[[NDArray[np.float64], NDArray[Any]], float],
) -> CenterCurve:
    """Return the center's learning curve, measured.

    Parameters
    ----------
    rows
        The validation rows.
    classes
        How many classes the label has; 0 for a number.
    seed
        Of the samples.
    score
        Trains on features and label positions, and returns the quality on the test rows.

    Raises
    ------
    InputError
        If there are too few rows, or the estimator learns nothing from them.
    """
    refuse_few_rows(rows)
    m = len(rows.y)
    points = []
    for k in np.unique(np.geomspace(max(10, 2 * classes), m, SIZES).astype(int)):
        samples = min(MOST_SAMPLES, max(2, 2 * m // int(k)))
        scores = []
        for i in range(samples if k < m else 1):
            sample = shuffle_rows(rows, seed + i, classes)
            scores.append(score(sample.x[:k], sample.y[:k]))
        points.append((float(k), float(np.mean(scores))))
    if not max(y for _, y in points) > 0:
        raise InputError(
            PLACE,
            "the estimator learns nothing from the center's own rows: it predicts the test set no "
            "better than a constant does",
            "hold out more rows, name better features, or another estimator",
        )
    return CenterCurve(_fit_curve(points), m)


def refuse_few_rows(validation: TrainingRows) -> None:
    """Raise `InputError` if there are too few validation rows for a learning curve."""
    m = len(validation.y)
    if m < FEWEST_ROWS:
        raise InputError(
            PLACE,
            f"{format_quantity(m, 'row')} of the center's {'is' if m == 1 else 'are'} left to "
            "validate with",
            f"hold out {FEWEST_ROWS} or more, besides as many to test on",
        )


def _fit_curve(points: list[tuple[float, float]]) -> LearningCurve:
    """Fit Q(s) = ceiling (1 - (1 + s/scale)^-power) by weighted least squares."""
    from scipy.optimize import curve_fit

    sizes, scores = np.array(points).T

    def curve(s: NDArray[Any], ceiling: float, log_scale: float, power: float) -> NDArray[Any]:
        found: NDArray[Any] = LearningCurve(ceiling, float(np.exp(log_scale)), power).evaluate(s)
        return found

    low, high = float(np.log(sizes[0])), float(np.log(sizes[-1]))
    start = (min(1.0, 1.05 * float(scores.max())), (low + high) / 2, 0.9)
    bounds = ((1e-6, low - 10, POWERS[0]), (1.0, high + 10, POWERS[1]))
    try:
        # A score scatters less the larger the sample: as the root of its size, about.
        found, _ = curve_fit(
            curve, sizes, scores, p0=start, bounds=bounds, sigma=sizes**-0.5, max_nfev=10_000
        )
    except RuntimeError:
        raise InputError(
            PLACE,
            "no learning curve can be fitted to trainings on the center's rows",
            "hold out more rows",
        ) from None
    ceiling, scale, power = float(found[0]), float(np.exp(found[1])), float(found[2])
    fitted = LearningCurve(ceiling, scale, power, tuple(points))
    return LearningCurve(
        ceiling, scale, power, tuple(points), tuple((scores - fitted.evaluate(sizes)).tolist())
    )
