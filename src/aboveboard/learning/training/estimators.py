"""From an import path to a scikit-learn estimator, and what federated averaging needs of it.

An estimator is linear, to us, if once fitted it has `coef_` and `intercept_` and predicts with
them: a model is then these two arrays, `Parameters`, and can be sent, averaged and built again.
scikit-learn is an extra and imported when it is used.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.learning.training.library_threads import keep_to_threads
from aboveboard.mechanisms.user_code import is_of_sklearn, name_class
from aboveboard.mechanisms.user_functions import import_function, locate_function

ROW_WEIGHTS = (1.0, 8.0, 64.0, 512.0)
"""What each row may weigh in a fit. A penalty in the estimator weighs less the more rows there
are, so copies of rows can train a better model though they teach nothing new. Every model is
therefore trained with each of these weights, if the estimator takes them, and the best one counts:
what copies would bring is had without them. Steps of 8 do: near its best quality is flat."""

EXTRA = "pip install 'aboveboard[learning]'"


@dataclass(frozen=True)
class Parameters:
    """What a linear model is, and all that a party sends of it.

    Parameters
    ----------
    coef
        Shape (features,), (1, features) or (classes, features), as the estimator has it.
    intercept
        Shape (), (1,) or (classes,).
    """

    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]


def require_sklearn() -> None:
    """Raise `InputError` unless scikit-learn is installed."""
    if find_spec("sklearn") is None:
        raise InputError(
            "training", "real training needs scikit-learn, which is not installed", EXTRA
        )


def make_estimator(path: str, parameters: Mapping[str, Any], seed: int) -> Any:
    """Return the estimator that a collaboration file names, unfitted.

    Parameters
    ----------
    path
        Such as "sklearn.linear_model.LogisticRegression".
    parameters
        Its keyword arguments.
    seed
        Passed as `random_state` where it has one and the parameters do not set it.

    Raises
    ------
    InputError
        If scikit-learn is missing, nothing is found there, it is not a classifier or regressor of
        scikit-learn's kind, or it does not take the parameters.
    """
    require_sklearn()
    from sklearn.base import is_classifier, is_regressor

    place = "training.estimator"
    made = import_class(path, place)
    needed = ("fit", "predict", "get_params", "set_params")
    if not isinstance(made, type) or any(not hasattr(made, name) for name in needed):
        raise InputError(
            place,
            f"{path} is not a scikit-learn estimator",
            'name a class such as "sklearn.linear_model.LogisticRegression"',
        )
    try:
        estimator: Any = made(**parameters)
        taken = estimator.get_params(deep=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            "training.parameters",
            f"{path} refuses them ({format_error(error)})",
            "see its documentation",
        ) from None
    if not (is_classifier(estimator) or is_regressor(estimator)):
        raise InputError(
            place, f"{path} is neither a classifier nor a regressor", "name one that is"
        )
    if "random_state" in taken and "random_state" not in parameters:
        # scikit-learn takes seeds of 32 bits.
        estimator.set_params(random_state=seed % 2**32)
    return estimator


def import_class(path: str, place: str) -> Any:
    """Return the class that an import path names: one of scikit-learn, or trusted code.

    Raises
    ------
    InputError
        If it cannot be imported, or is neither.
    """
    try:
        if is_of_sklearn(path):
            return _import_from_sklearn(path)
        return import_function(locate_function(name_class(path)))
    except InputError as error:
        problem = f"{path} cannot be imported ({error.problem})"
        raise InputError(place, problem, error.remedy) from None
    except (Exception, SystemExit) as error:  # whatever a module raises while it is imported
        problem = f"{path} cannot be imported ({type(error).__name__}: {format_error(error)})"
        raise InputError(
            place, problem, 'write the import path of a class, "module.Class"'
        ) from None


def _import_from_sklearn(path: str) -> Any:
    module, _, name = path.rpartition(".")
    imported = getattr(importlib.import_module(module), name)
    if not is_of_sklearn(f"{imported.__module__}."):
        raise AttributeError(f"{name} is not a class of scikit-learn")
    return imported


def predicts_classes(estimator: Any) -> bool:
    """Return whether the estimator predicts classes; otherwise it predicts numbers."""
    from sklearn.base import is_classifier

    return bool(is_classifier(estimator))


def list_row_weights(estimator: Any) -> tuple[float, ...]:
    """Return the weights that rows are tried with; 1 where the estimator's `fit` takes none."""
    taken = "sample_weight" in inspect.signature(estimator.fit).parameters
    return ROW_WEIGHTS if taken else (1.0,)


def fit_model(
    estimator: Any,
    x: NDArray[np.float64],
    y: NDArray[Any],
    place: str,
    weight: float | NDArray[np.float64] = 1.0,
) -> Any:
    """Return a copy fitted to rows.

    Rows of one class only give the model that always predicts that class.

    Parameters
    ----------
    estimator
        Unfitted.
    x, y
        Rows as numbers, and what is learned.
    place
        Where the rows come from, for messages.
    weight
        That of every row, or of each.

    Raises
    ------
    InputError
        If the estimator cannot be fitted.
    """
    from sklearn.base import clone
    from sklearn.dummy import DummyClassifier

    if predicts_classes(estimator) and len(np.unique(y)) == 1:
        return DummyClassifier(strategy="prior").fit(x, y)
    return _call_fit(clone(estimator).fit, x, y, place, weight)


def extract_parameters(model: Any) -> Parameters:
    """Return the parameters of a fitted linear model.

    Raises
    ------
    InputError
        If it is not linear.
    """
    coef, intercept = getattr(model, "coef_", None), getattr(model, "intercept_", None)
    if coef is None or intercept is None or not isinstance(coef, np.ndarray):
        raise make_not_linear(model)
    return Parameters(
        np.array(coef, dtype=np.float64, order="C"), np.array(intercept, dtype=np.float64)
    )


def build_model(pattern: Any, parameters: Parameters) -> Any:
    """Return a copy of a fitted model with these parameters in it.

    Raises
    ------
    InputError
        If its parameters cannot be set.
    """
    model = copy.deepcopy(pattern)
    try:
        model.coef_ = parameters.coef.copy()
        # A regressor's intercept is a number where it predicts one.
        model.intercept_ = (
            parameters.intercept.copy()
            if parameters.intercept.ndim
            else float(parameters.intercept)
        )
    except AttributeError:
        raise make_not_averageable(pattern) from None
    return model


def require_linear(pattern: Any, x: NDArray[np.float64]) -> None:
    """Refuse a fitted model unless it predicts with `coef_` and `intercept_` alone.

    With both 0 a linear model predicts the same for every row.

    Raises
    ------
    InputError
        If it does not, or its coefficients cannot be set.
    """
    shape = extract_parameters(pattern)
    nothing = Parameters(np.zeros_like(shape.coef), np.zeros_like(shape.intercept))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a model of zeros is not a real one
        said = np.asarray(build_model(pattern, nothing).predict(x))
    if (said != said[0]).any():
        raise make_not_averageable(pattern)


def make_not_linear(model: Any) -> InputError:
    """Return the error that an estimator's models have no coefficients to average."""
    return InputError(
        "training.estimator",
        f"{type(model).__name__} has no coef_ and intercept_, so its models cannot be averaged",
        'name a linear model, or write method = "pooled" and let the center see the rows',
    )


def make_not_averageable(model: Any) -> InputError:
    """Return the error that the coefficients of an estimator's models cannot be set."""
    return InputError(
        "training.estimator",
        f"{type(model).__name__} does not predict with coef_ and intercept_ that can be set, so "
        "its models cannot be averaged",
        'name a linear model, or write method = "pooled"',
    )


def can_continue(estimator: Any) -> bool:
    """Return whether a local fit can continue from another model.

    If not (ridge regression in closed form, liblinear), each local fit starts anew, and averaging
    once is all there is to do.
    """
    taken = estimator.get_params(deep=False)
    return hasattr(estimator, "partial_fit") or (
        {"warm_start", "max_iter"} <= set(taken) and taken.get("solver") != "liblinear"
    )


def continue_fit(
    model: Any,
    x: NDArray[np.float64],
    y: NDArray[Any],
    steps: int,
    place: str,
    weight: float | NDArray[np.float64] = 1.0,
) -> Any:
    """Continue from a fitted model for a few local steps, on a copy.

    Steps are passes over the rows where the estimator has `partial_fit`, iterations of its solver
    where it has a warm start; without either the model is fitted anew.
    """
    if not can_continue(model):
        return fit_model(model, x, y, place, weight)
    model = copy.deepcopy(model)
    if hasattr(model, "partial_fit"):
        for _ in range(steps):
            _call_fit(model.partial_fit, x, y, place, weight)
        return model
    usual = model.get_params(deep=False)
    model.set_params(warm_start=True, max_iter=steps)
    _call_fit(model.fit, x, y, place, weight)
    return model.set_params(warm_start=usual["warm_start"], max_iter=usual["max_iter"])


def _call_fit(
    fit: Any,
    x: NDArray[np.float64],
    y: NDArray[Any],
    place: str,
    weight: float | NDArray[np.float64],
) -> Any:
    alike = isinstance(weight, float) and weight == 1
    more = {} if alike else {"sample_weight": np.broadcast_to(weight, len(y)).copy()}
    try:
        with keep_to_threads(), warnings.catch_warnings():
            # A few steps are not meant to converge, and a model is judged by its quality alone.
            warnings.simplefilter("ignore")
            return fit(x, y, **more)
    except (Exception, SystemExit) as error:  # strangers' estimators raise what they like
        problem = f"the estimator cannot be fitted ({type(error).__name__}: {format_error(error)})"
        raise InputError(
            place, problem, "correct training.parameters, or name another estimator"
        ) from None


def format_error(error: BaseException) -> str:
    """Return an exception's message as one line of moderate length."""
    return " ".join(str(error).split())[:200]
