"""Whether an estimator suits a training, as far as that shows without training anything.

Models are averaged through `coef_` and `intercept_`. Whether an estimator has these once it is
fitted, its documentation says: scikit-learn documents every attribute of a fitted model, and tests
itself for that. Whether they can be set shows in its class: a property without a setter cannot. An
estimator of trusted code is looked at by its class only; the run finds out the rest.
Cost: none to speak of, or some hundred calls of a scorer.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np

from aboveboard.errors import InputError
from aboveboard.learning.training.estimators import make_not_averageable, make_not_linear
from aboveboard.learning.training.predictions import Predictions
from aboveboard.learning.training.scores import Meter
from aboveboard.learning.training.tables import TrainingTerms
from aboveboard.mechanisms.user_code import is_of_sklearn

KNOWN_PART = 0.5
"""Part of the draws of the test rows that must be scored: fewer tell no intervals."""


def refuse_unaveraged(estimator: Any) -> None:
    """Raise `InputError` if models of an unfitted estimator can for certain not be averaged.

    Parameters
    ----------
    estimator
        Unfitted.

    Raises
    ------
    InputError
        If its `coef_` or `intercept_` is missing or cannot be set.
    """
    kind = type(estimator)
    for name in ("coef_", "intercept_"):
        attribute = inspect.getattr_static(kind, name, None)
        if isinstance(attribute, property) and attribute.fset is None:
            raise make_not_averageable(estimator)
    text = inspect.getdoc(kind) or ""
    if not is_of_sklearn(f"{kind.__module__}.") or "Attributes\n---" not in text:
        return
    if not all(re.search(rf"^{name} :", text, re.MULTILINE) for name in ("coef_", "intercept_")):
        raise make_not_linear(estimator)


def refuse_unscorable(estimator: Any, meter: Meter, seed: int) -> None:
    """Raise `InputError` if the metric cannot score what such an estimator says, even if right.

    Nor if it can score it on too few of the test rows' draws to say how certain qualities are.

    Parameters
    ----------
    estimator
        Unfitted.
    meter
        Measures models on the test rows.
    seed
        Of the draws.
    """
    if meter.metric is None:
        return
    truth = _predict_truth(estimator, meter, meter.terms)
    meter.score(truth)
    drawn = meter.resample([truth], seed)
    known = int(np.isfinite(drawn).sum())
    if known < KNOWN_PART * len(drawn):
        raise InputError(
            "training.metric",
            f"{meter.metric!r} can score {known} of {len(drawn)} draws of the test rows: in the "
            "others a class is missing, or a constant is as good as the truth, so that nothing is "
            "known of how certain qualities are",
            "hold out more rows of each class, or name another metric, such as accuracy",
        )


def refuse_labels(estimator: Any) -> None:
    """Raise `InputError` if the estimator says that it does not predict one label."""
    from sklearn import utils

    read = getattr(utils, "get_tags", None)  # from scikit-learn 1.6 on
    if read is None or not hasattr(estimator, "__sklearn_tags__"):
        return
    if not read(estimator).target_tags.single_output:
        raise InputError(
            "training.estimator",
            f"{type(estimator).__name__} predicts several labels together, and there is one",
            "name an estimator that predicts one",
        )


def _predict_truth(estimator: Any, meter: Meter, terms: TrainingTerms) -> Predictions:
    """Return what is never wrong, in the forms in which the estimator predicts."""
    truth = meter.truth
    decision = None
    if terms.classes is not None and _may_have(estimator, "decision_function"):
        decision = truth[:, 1] if truth.shape[1] == 2 else truth
    certain = terms.classes is not None and not _may_have(estimator, "predict_proba")
    return Predictions(truth, meter.targets, certain, decision)


def _may_have(estimator: Any, method: str) -> bool:
    """Return whether the estimator has a method, or may have it once it is fitted."""
    if hasattr(estimator, method):
        return True
    # What an estimator made of others can do shows in some only when they are fitted.
    nested = any("__" in name for name in estimator.get_params(deep=True))
    return nested and inspect.getattr_static(type(estimator), method, None) is not None
