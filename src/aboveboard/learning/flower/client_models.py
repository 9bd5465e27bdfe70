"""Clients' models as the center measures them: what they say of its rows, and how good that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.learning.payments.measured_market import find_interval
from aboveboard.learning.training.estimators import format_error
from aboveboard.learning.training.predictions import Predictions
from aboveboard.learning.training.scores import Meter, Skill
from aboveboard.learning.training.tables import TrainingRows, TrainingTerms

MOST_CLASSES = 10_000
"""Labels that are larger are not classes 0, 1, .."""


@dataclass(frozen=True)
class ClientModel:
    """A model and its quality.

    Parameters
    ----------
    arrays
        Flower's record of it.
    predictions
        What it says of the center's rows.
    skill
        How good that is.
    claimed
        On how many examples its client says it was trained.
    """

    arrays: Any
    predictions: Predictions
    skill: Skill
    claimed: float = 0.0


@dataclass(frozen=True)
class ModelMeter:
    """Measures models on the center's rows.

    Parameters
    ----------
    predict
        Takes a model; returns what it says of the rows.
    meter
        Knows what is true of them.
    seed
        Of rows that are drawn again.
    """

    predict: Callable[[Any], Any]
    meter: Meter
    seed: int

    def measure(self, arrays: Any, claimed: float = 0.0) -> ClientModel:
        """Return a model with its quality.

        Raises
        ------
        InputError
            If `predict` fails on it, or what it says is of another shape than the truth, or not
            finite.
        """
        try:
            said = np.asarray(self.predict(arrays), dtype=np.float64)
        except Exception as error:  # a client may send arrays of any shape
            raise InputError(
                "predict",
                f"it fails on the model ({' '.join(format_error(error).split())[:200]})",
                "look at the model",
            ) from error
        predictions = _read_predictions(said, self.meter)
        return ClientModel(arrays, predictions, self.meter.score(predictions), claimed)

    def find_quality(self, arrays: Any) -> float:
        """Return a model's quality; less than any other's where it predicts nothing."""
        try:
            return self.measure(arrays).skill.value
        except InputError:
            return float("-inf")

    def is_better(self, model: ClientModel, other: ClientModel) -> bool:
        """Return whether a model is better than another, as far as the rows tell."""
        drawn = self.resample([model, other])
        low, _ = find_interval(drawn[:, 0] - drawn[:, 1], model.skill.value - other.skill.value)
        return low > 0

    def resample(self, models: Sequence[ClientModel]) -> NDArray[np.float64]:
        """Return qualities on rows drawn again, shape (draws, models)."""
        drawn = self.meter.resample([model.predictions for model in models], self.seed)
        return drawn[~np.isnan(drawn).any(axis=1)]


def make_meter(truth: Any) -> Meter:
    """Return what measures models by the labels of the center's rows.

    Raises
    ------
    InputError
        If they are not classes 0, 1, .. or numbers.
    """
    labels = np.asarray(truth)
    if labels.ndim != 1 or not len(labels) or labels.dtype.kind not in "biuf":
        raise InputError(
            "truth", "it is not a list of numbers", "give each row its label as a number: 0, 1, .."
        )
    if labels.dtype.kind == "b":
        labels = labels.astype(np.int64)
    if not np.isfinite(labels).all():
        raise InputError("truth", "a label is not a finite number", "leave such rows out")
    is_class = labels.dtype.kind in "iu"
    odd = is_class and not 0 <= labels.min() <= labels.max() < MOST_CLASSES
    if odd or len(np.unique(labels)) < 2:
        raise InputError(
            "truth", "its labels are not 0, 1, .. of two or more classes, or numbers", "correct it"
        )
    classes = tuple(str(k) for k in range(int(labels.max()) + 1)) if is_class else None
    terms = TrainingTerms((), "truth", classes)
    return Meter(
        np.zeros((len(labels), 0)),
        TrainingRows(np.zeros((len(labels), 0)), labels, np.arange(len(labels)), str),
        terms,
    )


def _read_predictions(values: NDArray[np.float64], meter: Meter) -> Predictions:
    rows, width = meter.truth.shape
    if meter.terms.classes is None and values.ndim == 1:
        values = values[:, None]
    if values.shape != (rows, width):
        raise InputError(
            "predict",
            f"it returns an array of shape {values.shape} instead of {(rows, width)}",
            "return a row for each row of truth, and a column for each class",
        )
    if not np.isfinite(values).all():
        raise InputError("predict", "it returns what is not a finite number", "look at the model")
    labels = values[:, 0] if meter.terms.classes is None else values.argmax(axis=1)
    return Predictions(values, labels, certain=False)
