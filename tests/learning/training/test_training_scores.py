"""Skill: 0 for constants, 1 for the truth, and the library's own scores in between."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.metrics import accuracy_score, brier_score_loss, r2_score
from sklearn.neighbors import KNeighborsClassifier

from aboveboard.errors import InputError
from aboveboard.learning.training.scores import measure_skill
from aboveboard.learning.training.tables import Terms
from oracles.training import TERMS, honest, rows

TEST, TRAIN = honest(np.random.default_rng(3), 400), honest(np.random.default_rng(4), 200)


class Constant:
    """Says the same of every row."""

    def __init__(self, probabilities: Any) -> None:
        self.probabilities = np.asarray(probabilities, dtype=float)

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
    found = measure_skill(model, rows(x[50:], y[50:]), Terms(("a", "b"), "y", None))
    assert found.value == pytest.approx(r2_score(y[50:], model.predict(x[50:])))


def test_the_standard_error_is_that_of_repeated_test_sets() -> None:
    model = LogisticRegression().fit(TRAIN.x, TRAIN.y)
    values = [
        measure_skill(model, honest(np.random.default_rng(k), 400), TERMS).value for k in range(200)
    ]
    assert measure_skill(model, TEST, TERMS).error == pytest.approx(np.std(values), rel=0.25)


def test_predictions_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="no finite number"):
        measure_skill(Constant([np.nan, 1.0]), TEST, TERMS)


def test_a_model_that_cannot_predict_is_refused_with_its_own_words() -> None:
    model = KNeighborsClassifier(n_neighbors=15).fit(TRAIN.x[:10], TRAIN.y[:10])
    with pytest.raises(InputError, match=r"cannot predict.*n_samples_fit = 10") as refused:
        measure_skill(model, TEST, TERMS)
    assert "\n" not in str(refused.value)
