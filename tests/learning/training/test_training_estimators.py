"""Estimators by import path; linear models taken apart and put together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aboveboard.errors import InputError
from aboveboard.learning.training import estimators
from aboveboard.learning.training.estimators import (
    build_model,
    can_continue,
    continue_fit,
    extract_parameters,
    fit_model,
    list_row_weights,
    make_estimator,
    predicts_classes,
)
from oracles.training import honest

LINEAR = "sklearn.linear_model."
DATA = honest(np.random.default_rng(0), 300)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("sklearn.linear_model.NoSuch", "cannot be imported"),
        ("no_such_module.Model", "cannot be imported"),
        ("collections.OrderedDict", "is not a scikit-learn estimator"),
        ("math.sqrt", "is not a scikit-learn estimator"),
        ("sklearn.cluster.KMeans", "neither a classifier nor a regressor"),
    ],
)
def test_what_is_no_estimator_is_refused(path: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem) as refused:
        make_estimator(path, {}, 0)
    assert str(refused.value).startswith("training.estimator")
    assert "\n" not in str(refused.value)


def test_parameters_that_it_does_not_take_are_refused() -> None:
    with pytest.raises(InputError, match=r"training.parameters: .*LogisticRegression refuses"):
        make_estimator(LINEAR + "LogisticRegression", {"depth": 3}, 0)


def test_values_that_it_does_not_take_are_refused_in_one_line() -> None:
    estimator = make_estimator(LINEAR + "LogisticRegression", {"C": -1.0}, 0)
    with pytest.raises(InputError, match="cannot be fitted") as refused:
        fit_model(estimator, DATA.x, DATA.y, "parties.a.data")
    assert "\n" not in str(refused.value)


def test_the_seed_is_the_random_state_unless_given() -> None:
    assert make_estimator(LINEAR + "SGDClassifier", {}, 2**32 + 5).random_state == 5
    assert make_estimator(LINEAR + "SGDClassifier", {"random_state": 7}, 5).random_state == 7


@pytest.mark.parametrize(
    "path",
    ["LogisticRegression", "SGDClassifier", "RidgeClassifier", "Perceptron", "Ridge"],
)
def test_a_linear_model_is_its_parameters(path: str) -> None:
    model = fit_model(make_estimator(LINEAR + path, {}, 0), DATA.x, DATA.y, "p")
    other = fit_model(make_estimator(LINEAR + path, {}, 0), DATA.x[:50], DATA.y[:50], "p")
    again = build_model(other, extract_parameters(model))
    assert (again.predict(DATA.x) == model.predict(DATA.x)).all()


def test_many_classes_are_a_matrix() -> None:
    y = np.arange(300) % 3
    model = fit_model(make_estimator(LINEAR + "LogisticRegression", {}, 0), DATA.x, y, "p")
    assert extract_parameters(model).coef.shape == (3, 8)


def test_a_model_that_is_not_linear_cannot_be_averaged() -> None:
    model = fit_model(
        make_estimator("sklearn.tree.DecisionTreeClassifier", {}, 0), DATA.x, DATA.y, "p"
    )
    with pytest.raises(InputError, match=r"has no coef_ and intercept_.*pooled"):
        extract_parameters(model)


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("LogisticRegression", {}),
        ("LogisticRegression", {"solver": "saga"}),
        ("SGDClassifier", {"loss": "log_loss", "alpha": 0.01}),
    ],
)
def test_local_steps_go_on_from_what_they_are_given(path: str, parameters: dict[str, Any]) -> None:
    estimator = make_estimator(LINEAR + path, parameters, 0)
    assert can_continue(estimator)
    pattern = fit_model(estimator, DATA.x, DATA.y, "p")
    goal = extract_parameters(pattern)
    far = estimators.Parameters(goal.coef + 3.0, goal.intercept + 3.0)
    near = continue_fit(build_model(pattern, far), DATA.x, DATA.y, 1, "p")
    moved = extract_parameters(near)
    assert np.abs(moved.coef - far.coef).max() > 0
    assert near.get_params() == estimator.get_params()
    many = extract_parameters(continue_fit(build_model(pattern, far), DATA.x, DATA.y, 200, "p"))
    assert np.linalg.norm(many.coef - goal.coef) < 0.5 * np.linalg.norm(far.coef - goal.coef)


@pytest.mark.parametrize(
    ("path", "parameters"), [("Ridge", {}), ("LogisticRegression", {"solver": "liblinear"})]
)
def test_without_a_warm_start_every_step_is_a_fit(path: str, parameters: dict[str, Any]) -> None:
    estimator = make_estimator(LINEAR + path, parameters, 0)
    assert not can_continue(estimator)
    model = fit_model(estimator, DATA.x, DATA.y, "p")
    moved = continue_fit(model, DATA.x, DATA.y, 1, "p")
    assert extract_parameters(moved).coef.tolist() == extract_parameters(model).coef.tolist()


def test_a_weight_of_rows_is_as_many_copies() -> None:
    estimator = make_estimator(LINEAR + "LogisticRegression", {"C": 0.01, "tol": 1e-10}, 0)
    weighed = extract_parameters(fit_model(estimator, DATA.x, DATA.y, "p", 8.0))
    copied = extract_parameters(
        fit_model(estimator, np.tile(DATA.x, (8, 1)), np.tile(DATA.y, 8), "p")
    )
    assert weighed.coef == pytest.approx(copied.coef, abs=1e-4)


def test_weights_are_tried_where_they_are_taken() -> None:
    assert len(list_row_weights(make_estimator(LINEAR + "LogisticRegression", {}, 0))) > 1
    assert list_row_weights(make_estimator("sklearn.neighbors.KNeighborsClassifier", {}, 0)) == (
        1.0,
    )


def test_classifiers_and_regressors_are_told_apart() -> None:
    assert predicts_classes(make_estimator(LINEAR + "LogisticRegression", {}, 0))
    assert not predicts_classes(make_estimator(LINEAR + "Ridge", {}, 0))


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimators, "find_spec", lambda module: None)
    with pytest.raises(InputError, match=r"pip install 'aboveboard\[learning\]'"):
        make_estimator(LINEAR + "LogisticRegression", {}, 0)
