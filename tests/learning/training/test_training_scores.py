"""Skill: 0 for constants, 1 for the truth, and the library's own scores in between."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.metrics import accuracy_score, brier_score_loss, get_scorer, r2_score, roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from aboveboard.errors import InputError
from aboveboard.learning.training.predictions import Predictions, predict
from aboveboard.learning.training.scores import Meter, measure_skill, require_scorer
from aboveboard.learning.training.tables import TrainingTerms
from oracles.training import TERMS, honest, rows

TEST, TRAIN = honest(np.random.default_rng(3), 400), honest(np.random.default_rng(4), 200)


class Constant:
    """Says the same of every row."""

    def __init__(self, probabilities: Any) -> None:
        self.probabilities = np.asarray(probabilities, dtype=float)

    def predict(self, x: Any) -> Any:
        return np.full(len(x), int(self.probabilities[1] > 0.5))

    def predict_proba(self, x: Any) -> Any:
        return np.tile(self.probabilities, (len(x), 1))


@given(st.floats(0, 1), st.lists(st.integers(0, 1), min_size=2, max_size=30))
def test_no_constant_scores_above_zero(p: float, labels: list[int]) -> None:
    if len(set(labels)) < 2:
        labels = [0, 1, *labels]
    data = rows(np.zeros((len(labels), 8)), np.array(labels))
    assert measure_skill(Constant([1 - p, p]), data, TERMS).value == 0


def test_who_is_never_wrong_scores_one() -> None:
    class Oracle:
        def predict(self, x: Any) -> Any:
            return TEST.y

        def predict_proba(self, x: Any) -> Any:
            return np.eye(2)[TEST.y]

    assert measure_skill(Oracle(), TEST, TERMS).value == 1


def test_for_two_classes_it_is_the_brier_skill_score() -> None:
    model = LogisticRegression().fit(TRAIN.x, TRAIN.y)
    said = model.predict_proba(TEST.x)[:, 1]
    best = brier_score_loss(TEST.y, np.full(len(TEST.y), TEST.y.mean()))
    expected = 1 - brier_score_loss(TEST.y, said) / best
    assert measure_skill(model, TEST, TERMS).value == pytest.approx(expected)


def test_without_probabilities_it_is_what_accuracy_gains_on_the_largest_class() -> None:
    model = RidgeClassifier().fit(TRAIN.x, TRAIN.y)
    wrong = 1 - accuracy_score(TEST.y, model.predict(TEST.x))
    largest = max(TEST.y.mean(), 1 - TEST.y.mean())
    assert measure_skill(model, TEST, TERMS).value == pytest.approx(1 - wrong / (1 - largest))


def test_for_numbers_it_is_r_squared() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(100, 2))
    y = x @ np.array([1.0, -2.0]) + rng.normal(size=100)
    model = LinearRegression().fit(x[:50], y[:50])
    found = measure_skill(model, rows(x[50:], y[50:]), TrainingTerms(("a", "b"), "y", None))
    assert found.value == pytest.approx(r2_score(y[50:], model.predict(x[50:])))


def test_the_standard_error_is_that_of_repeated_test_sets() -> None:
    model = LogisticRegression().fit(TRAIN.x, TRAIN.y)
    values = [
        measure_skill(model, honest(np.random.default_rng(k), 400), TERMS).value for k in range(200)
    ]
    assert measure_skill(model, TEST, TERMS).error == pytest.approx(np.std(values), rel=0.25)


def test_predictions_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="not a finite number"):
        measure_skill(Constant([np.nan, 1.0]), TEST, TERMS)


def test_a_model_that_cannot_predict_is_refused_with_its_own_words() -> None:
    model = KNeighborsClassifier(n_neighbors=15).fit(TRAIN.x[:10], TRAIN.y[:10])
    with pytest.raises(InputError, match=r"cannot predict.*n_samples_fit = 10") as refused:
        measure_skill(model, TEST, TERMS)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("metric", "constant", "perfect"),
    [("accuracy", None, 1.0), ("roc_auc", 0.5, 1.0), ("neg_log_loss", None, 0.0)],
)
def test_a_named_score_is_measured_between_the_best_constant_and_the_truth(
    metric: str, constant: float | None, perfect: float
) -> None:
    model = LogisticRegression().fit(TRAIN.x, TRAIN.y)
    meter = Meter(TEST.x, TEST, TERMS, metric)
    score = get_scorer(metric)(model, TEST.x, TEST.y)
    p = TEST.y.mean()
    if metric == "accuracy":
        constant = max(p, 1 - p)
    if metric == "neg_log_loss":
        constant = p * np.log(p) + (1 - p) * np.log(1 - p)
    assert constant is not None
    expected = (score - constant) / (perfect - constant)
    assert meter.measure(model).value == pytest.approx(expected, abs=1e-9)


def test_a_named_score_for_numbers() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(100, 2))
    y = x @ np.array([1.0, -2.0]) + rng.normal(size=100)
    model = LinearRegression().fit(x[:50], y[:50])
    meter = Meter(x[50:], rows(x[50:], y[50:]), TrainingTerms(("a", "b"), "y", None), "r2")
    assert meter.measure(model).value == pytest.approx(r2_score(y[50:], model.predict(x[50:])))


@pytest.mark.parametrize(
    "metric",
    [
        "neg_mean_absolute_percentage_error",
        "neg_mean_squared_log_error",
        "neg_max_error",
        "neg_mean_poisson_deviance",
        "d2_absolute_error_score",
    ],
)
def test_no_constant_number_scores_above_zero_by_a_named_score(metric: str) -> None:
    y = np.random.default_rng(6).lognormal(size=90)
    meter = Meter(
        np.zeros((90, 1)), rows(np.zeros((90, 1)), y), TrainingTerms(("a",), "y", None), metric
    )
    for value in np.geomspace(y.min(), y.max(), 60):
        said = Predictions(np.full((90, 1), value), np.full(90, value), certain=False)
        assert meter.score(said).value < 1e-3
    truth = Predictions(y[:, None], y, certain=False)
    assert meter.score(truth).value == 1


def test_a_score_that_no_constant_has_is_refused_in_its_own_words() -> None:
    y = np.arange(-3.0, 4.0)
    meter = Meter(
        np.zeros((7, 1)),
        rows(np.zeros((7, 1)), y),
        TrainingTerms(("a",), "y", None),
        "neg_mean_squared_log_error",
    )
    with pytest.raises(InputError, match="cannot score these rows"):
        meter.score(Predictions(y[:, None], y, certain=False))


def test_a_score_that_does_not_exist_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'accuracy'"):
        require_scorer("acuracy")


def test_a_class_that_a_model_has_never_seen_has_probability_0() -> None:
    labels = np.array([0, 1, 2, 0, 1, 2])
    data = rows(np.arange(48.0).reshape(6, 8), labels)
    terms = TrainingTerms(TERMS.features, "y", ("0", "1", "2"))
    model = LogisticRegression().fit(data.x[:2], data.y[:2])
    said = predict(model, data.x, terms).values
    assert said.shape == (6, 3)
    assert (said[:, 2] == 0).all()
    assert said[:, :2].tolist() == model.predict_proba(data.x).tolist()


def test_the_bootstrap_measures_what_measuring_drawn_rows_would() -> None:
    model = LogisticRegression().fit(TRAIN.x, TRAIN.y)
    other = RidgeClassifier().fit(TRAIN.x, TRAIN.y)
    small = TEST.select(np.arange(80))
    meter = Meter(small.x, small, TERMS)
    drawn = meter.resample([meter.predict(model), meter.predict(other)], seed=7)
    weights = np.random.default_rng(7).multinomial(80, np.full(80, 1 / 80), size=len(drawn))
    for k in (0, 1, 2, 3):
        again = small.select(np.repeat(np.arange(80), weights[k]))
        for j, fitted in enumerate((model, other)):
            assert drawn[k, j] == pytest.approx(measure_skill(fitted, again, TERMS).value)


@pytest.mark.parametrize(
    ("metric", "numbers"),
    [
        ("accuracy", False), ("r2", True), ("neg_mean_absolute_error", True),
        ("neg_median_absolute_error", True),
        *(pytest.param(each, False, marks=pytest.mark.deep)
          for each in ("f1_macro", "neg_log_loss", "roc_auc")),
    ],
)  # fmt: skip
def test_no_constant_scores_above_zero_on_rows_that_are_drawn_again(
    metric: str, numbers: bool
) -> None:
    x = np.arange(24.0)[:, None]
    y = np.random.default_rng(5).exponential(size=24) if numbers else np.arange(24) % 3 // 2
    meter = Meter(
        x, rows(x, y), TrainingTerms(("a",), "y", None if numbers else ("0", "1")), metric
    )
    shares = np.quantile(y, [0.1, 0.4, 0.9]) if numbers else [0.1, 0.3, 0.8]
    constants = [
        Predictions(np.full((24, 1), p), np.full(24, p), certain=False)
        if numbers
        else Predictions(
            np.tile([1 - p, p], (24, 1)), np.full(24, int(p > 0.5)), False, np.full(24, p)
        )
        for p in shares
    ]
    drawn = meter.resample(constants, seed=3)
    assert np.isfinite(drawn).any()
    assert (drawn[np.isfinite(drawn)] == 0).all()


@pytest.mark.deep
def test_a_model_that_ranks_rows_of_one_class_is_no_constant() -> None:
    y = np.arange(40) // 36
    x = np.where(y, 2.0, np.arange(40) / 20)[:, None]
    model = RidgeClassifier().fit(x, y)
    model.intercept_ -= 1
    assert set(model.predict(x)) == {0}  # of no row it is as sure as that it is of the other class
    meter = Meter(x, rows(x, y), TrainingTerms(("a",), "y", ("0", "1")), "roc_auc")
    expected = 2 * roc_auc_score(y, model.decision_function(x)) - 1
    assert expected > 0.9
    assert meter.measure(model).value == pytest.approx(expected)
    drawn = meter.resample([meter.predict(model)], seed=1)
    assert np.nanmedian(drawn) > 0.9
