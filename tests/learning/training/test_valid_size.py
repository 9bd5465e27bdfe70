"""What a party's data are measured to be worth, where the truth is known."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.learning.training.estimators import (
    ROW_WEIGHTS,
    Parameters,
    build_model,
    fit_model,
    make_estimator,
)
from aboveboard.learning.training.scores import measure_skill
from aboveboard.learning.training.tables import TrainingRows
from aboveboard.learning.training.valid_size import BEYOND, CenterCurve, measure_center_curve
from oracles.training import SLOPES, TERMS, honest, rows

ESTIMATOR = make_estimator("sklearn.linear_model.LogisticRegression", {"C": 0.05}, 0)
TEST, VALIDATION = honest(np.random.default_rng(0), 1500), honest(np.random.default_rng(1), 1500)
DRAWS = 12

pytestmark = pytest.mark.deep  # valid sizes are measured by every training


def trained(x: NDArray[np.float64], y: NDArray[Any]) -> Any:
    return fit_model(ESTIMATOR, x, y, "here")


def quality(x: NDArray[np.float64], y: NDArray[Any]) -> float:
    models = (fit_model(ESTIMATOR, x, y, "here", weight) for weight in ROW_WEIGHTS)
    return max(measure_skill(model, TEST, TERMS).value for model in models)


@pytest.fixture(scope="module")
def curve() -> CenterCurve:
    return measure_center_curve(VALIDATION, 2, 0, quality)


def sizes(curve: CenterCurve, draw: Any, claimed: int) -> list[int]:
    found = []
    for seed in range(DRAWS):
        data: TrainingRows = draw(np.random.default_rng(100 + seed))
        found.append(curve.find_valid_size(quality(data.x, data.y), claimed))
    return found


@pytest.mark.parametrize(
    "n", [300, *(pytest.param(n, marks=pytest.mark.deep) for n in (100, 1000))]
)
def test_honest_rows_count_as_what_they_are_within_a_factor_of_two(
    curve: CenterCurve, n: int
) -> None:
    found = sizes(curve, lambda rng: honest(rng, n), n)
    assert max(found) <= n
    assert sum(size >= n / 2 for size in found) >= 0.75 * DRAWS
    assert np.median(found) >= 0.6 * n


def test_half_of_the_rows_are_about_half_of_the_size(curve: CenterCurve) -> None:
    whole = np.mean(sizes(curve, lambda rng: honest(rng, 600), 600))
    half = np.mean(sizes(curve, lambda rng: honest(rng, 600).select(np.arange(300)), 300))
    assert 0.35 <= half / whole <= 0.65


def test_rows_that_are_copied_ten_times_stay_what_they_were(curve: CenterCurve) -> None:
    # A process of its own may neither drop its copies nor count its rows as they are.
    def copied(rng: np.random.Generator) -> TrainingRows:
        data = honest(rng, 150)
        return rows(np.tile(data.x, (10, 1)), np.tile(data.y, 10))

    assert np.median(sizes(curve, copied, 1500)) <= 1.5 * np.median(
        sizes(curve, lambda rng: honest(rng, 150), 1500)
    )


def test_copies_that_differ_by_a_hair_are_no_more_than_copies(curve: CenterCurve) -> None:
    def jittered(rng: np.random.Generator) -> TrainingRows:
        data = honest(rng, 150)
        noise = rng.normal(size=(1500, len(SLOPES))) * 1e-3
        return rows(np.tile(data.x, (10, 1)) + noise, np.tile(data.y, 10))

    assert np.median(sizes(curve, jittered, 1500)) <= 1.5 * np.median(
        sizes(curve, lambda rng: honest(rng, 150), 1500)
    )


def test_labels_that_are_all_drawn_at_random_are_worth_nothing(curve: CenterCurve) -> None:
    found = sizes(curve, lambda rng: honest(rng, 1000, flipped=1.0), 1000)
    assert max(found) <= 20


def test_the_more_labels_are_wrong_the_smaller_the_size(curve: CenterCurve) -> None:
    means = [
        np.mean(sizes(curve, lambda rng, f=flipped: honest(rng, 500, flipped=f), 500))
        for flipped in (0.0, 0.2, 0.5, 1.0)
    ]
    assert all(after < before for before, after in pairwise(means))
    assert means[2] < 0.35 * means[0]


def test_random_rows_beside_honest_ones_do_not_raise_the_size(curve: CenterCurve) -> None:
    def diluted(rng: np.random.Generator) -> TrainingRows:
        data = honest(rng, 300)
        x = np.vstack((data.x, rng.normal(size=(600, len(SLOPES)))))
        return rows(x, np.concatenate((data.y, rng.integers(0, 2, 600))))

    padded = sizes(curve, diluted, 900)
    alone = sizes(curve, lambda rng: honest(rng, 300), 900)
    assert np.mean(padded) < np.mean(alone)
    assert np.median(padded) <= 300


def test_a_model_of_zeros_has_size_zero_whatever_is_claimed(curve: CenterCurve) -> None:
    zeros = Parameters(np.zeros((1, len(SLOPES))), np.zeros(1))
    model = build_model(trained(VALIDATION.x, VALIDATION.y), zeros)
    assert curve.find_valid_size(measure_skill(model, TEST, TERMS).value, 10**6) == 0


def test_a_claim_can_lower_the_size_and_never_raise_it(curve: CenterCurve) -> None:
    measured = curve.find_valid_size(0.1, 10**9)
    assert curve.find_valid_size(0.1, measured + 1) == measured
    assert curve.find_valid_size(0.1, 7) == 7


def test_what_cannot_be_told_apart_is_bounded_by_the_centers_own_rows(curve: CenterCurve) -> None:
    assert curve.find_valid_size(1.0, 10**9) == BEYOND * len(VALIDATION.y)


def test_the_size_is_where_the_curve_has_that_quality(curve: CenterCurve) -> None:
    for quality_there in (0.02, 0.1, 0.15):
        size = curve.invert(quality_there)
        assert curve.curve.evaluate([size])[0] == pytest.approx(quality_there)


def test_a_center_with_too_few_rows_is_told_so() -> None:
    with pytest.raises(InputError, match=r"training.validation: 19 rows"):
        measure_center_curve(VALIDATION.select(np.arange(19)), 2, 0, quality)


def test_features_that_say_nothing_are_refused() -> None:
    noise = honest(np.random.default_rng(2), 200, flipped=1.0)
    with pytest.raises(InputError, match="learns nothing"):
        measure_center_curve(noise, 2, 0, lambda x, y: 0.0)
