"""The quality of a model: its skill on the center's held-out rows.

The loss of a row is the squared distance between what the model says and what happened: for classes
between the predicted probabilities and the vector that is 1 at the class (the Brier score, which is
proper; an estimator without `predict_proba` says 1 for the class that it predicts, and is held
against the most frequent class), for numbers the squared error. Skill = 1 - loss / loss of the best
constant prediction, and 0 where that is negative: no better than a constant is quality 0, never
wrong is quality 1, as Assumption 1 of the paper wants. The best constant is chosen in hindsight, on
the test rows themselves, so that no constant, and hence no untrained model, scores above 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.learning.training.estimators import format_error
from aboveboard.learning.training.tables import Rows, Terms

NOTHING = 1e-9
"""A skill below this is the rounding of zero."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Skill:
    """A measured quality.

    Parameters
    ----------
    value
        From 0 to 1.
    error
        Its standard error over test rows; those of two models on the same rows are correlated, so
        that differences are known better than this says.
    """

    value: float
    error: float


def measure_skill(model: Any, rows: Rows, terms: Terms) -> Skill:
    """Score a fitted model.

    Parameters
    ----------
    model
        Takes features as `rows` holds them.
    rows
        m held-out rows.
    terms
        Which classes there are.

    Raises
    ------
    InputError
        If the model cannot predict, or predicts what is no finite number.
    """
    truth = encode_outcomes(rows, terms)
    loss = ((predict(model, rows.x, terms) - truth) ** 2).sum(axis=1)
    constant = ((truth - find_best_constant(model, truth, terms)) ** 2).sum(axis=1)
    ratio = loss.mean() / constant.mean()
    value = 1 - ratio
    if not value > NOTHING:
        value = 0.0
    # The delta method for a ratio of two means over the same rows.
    residual = loss - ratio * constant
    error = residual.std() / (np.sqrt(len(residual)) * constant.mean())
    return Skill(float(value), float(error))


def find_best_constant(model: Any, truth: FloatArray, terms: Terms) -> FloatArray:
    """Return the constant prediction, of the kind that the model makes, with the least loss."""
    mean = truth.mean(axis=0)
    if terms.classes is None or hasattr(model, "predict_proba"):
        return np.asarray(mean)
    return np.asarray(np.eye(len(mean))[mean.argmax()])


def encode_outcomes(rows: Rows, terms: Terms) -> FloatArray:
    """Return what happened, shape (m, classes) with a 1 in each row, or (m, 1) for numbers."""
    if terms.classes is None:
        return np.asarray(rows.y, dtype=np.float64)[:, None]
    return np.asarray(np.eye(len(terms.classes))[rows.y])


def predict(model: Any, x: FloatArray, terms: Terms) -> FloatArray:
    """Return what a model says, shaped as `outcomes`.

    Raises
    ------
    InputError
        If it cannot predict, or predicts what is no finite number.
    """
    # A party may send parameters so large that they overflow; that is found below.
    with np.errstate(all="ignore"):
        try:
            said = _said(model, x, terms)
        except Exception as error:  # strangers' estimators raise what they like
            problem = f"its models cannot predict ({type(error).__name__}: {format_error(error)})"
            raise InputError(
                "training.estimator",
                problem,
                "correct training.parameters so that a model of ten rows can, or name another",
            ) from None
    if not np.isfinite(said).all():
        raise InputError(
            "training.estimator", "a model predicts what is no finite number", "name another"
        )
    return said


def _said(model: Any, x: FloatArray, terms: Terms) -> FloatArray:
    if terms.classes is None:
        return np.asarray(model.predict(x), dtype=np.float64).reshape(len(x), -1)[:, :1]
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(x), dtype=np.float64)
    names = terms.decode_labels(np.arange(len(terms.classes)))
    return np.asarray(np.asarray(model.predict(x))[:, None] == names[None, :], dtype=np.float64)
