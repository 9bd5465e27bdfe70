"""What a model predicts for the test rows, and an estimator that repeats it for a scorer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.games.numbers import FloatArray
from aboveboard.learning.training.estimators import format_error
from aboveboard.learning.training.library_threads import keep_to_threads
from aboveboard.learning.training.tables import TrainingTerms


@dataclass(frozen=True)
class Predictions:
    """What a model says of the test rows.

    Parameters
    ----------
    values
        Probabilities of the classes (1 for the predicted one where the model has none), or
        numbers; shape (m, k).
    labels
        What `predict` gives, shape (m,).
    certain
        The model gives classes, not probabilities.
    decision
        What `decision_function` gives; None where there is none.
    """

    values: FloatArray
    labels: NDArray[Any]
    certain: bool
    decision: NDArray[Any] | None = None


def make_replay(predictions: Predictions, terms: TrainingTerms) -> Any:
    """Return a fitted estimator that repeats what a model predicts; rows are their positions."""
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

    def positions(x: Any) -> NDArray[np.intp]:
        return np.asarray(x)[:, 0].astype(np.intp)

    def predict(self: Any, x: Any) -> Any:
        return predictions.labels[positions(x)]

    def predict_proba(self: Any, x: Any) -> Any:
        return predictions.values[positions(x)]

    def decision_function(self: Any, x: Any) -> Any:
        assert predictions.decision is not None
        return predictions.decision[positions(x)]

    members: dict[str, Any] = {
        "__sklearn_is_fitted__": lambda self: True,
        "fit": lambda self, x, y: self,
        "predict": predict,
    }
    if terms.classes is None:
        return type("Replay", (RegressorMixin, BaseEstimator), members)()
    if not predictions.certain:
        members["predict_proba"] = predict_proba
    if predictions.decision is not None:
        members["decision_function"] = decision_function
    members["classes_"] = terms.decode_labels(np.arange(len(terms.classes)))
    return type("Replay", (ClassifierMixin, BaseEstimator), members)()


def predict(model: Any, x: FloatArray, terms: TrainingTerms) -> Predictions:
    """Return what a model says.

    A class that the model has never seen has probability 0.

    Raises
    ------
    InputError
        If it cannot predict, or predicts what is not a finite number.
    """
    # A party may send parameters so large that they overflow; that is found below.
    with np.errstate(all="ignore"):
        try:
            predictions = _call_model(model, x, terms)
        except Exception as error:  # strangers' estimators raise what they like
            raise InputError(
                "training.estimator",
                f"its models cannot predict ({type(error).__name__}: {format_error(error)})",
                "correct training.parameters so that a model of ten rows can, or name another",
            ) from None
    if not np.isfinite(predictions.values).all():
        raise InputError(
            "training.estimator", "a model predicts what is not a finite number", "name another"
        )
    return predictions


@keep_to_threads()
def _call_model(model: Any, x: FloatArray, terms: TrainingTerms) -> Predictions:
    labels = np.asarray(model.predict(x))
    if terms.classes is None:
        values = np.asarray(labels, dtype=np.float64).reshape(len(x), -1)[:, :1]
        return Predictions(values, values[:, 0], False)
    names = terms.decode_labels(np.arange(len(terms.classes)))
    seen = list(getattr(model, "classes_", names))
    complete = len(seen) == len(names)
    decision = None
    if complete and hasattr(model, "decision_function"):
        decision = np.asarray(model.decision_function(x))
    if hasattr(model, "predict_proba"):
        probabilities = np.asarray(model.predict_proba(x), dtype=np.float64)
        values = np.zeros((len(x), len(names)))
        values[:, [list(names).index(name) for name in seen]] = probabilities
        return Predictions(values, labels, False, decision)
    values = np.asarray(labels[:, None] == names[None, :], dtype=np.float64)
    return Predictions(values, labels, True, decision)
