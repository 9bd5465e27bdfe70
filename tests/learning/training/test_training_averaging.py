"""Federated averaging: weighted by what is validated, not by what is claimed."""

from __future__ import annotations

import numpy as np
import pytest

from aboveboard.learning.training.averaging import Averaging, average, clip_updates, run_averaging
from aboveboard.learning.training.estimators import Parameters


def model(*numbers: float) -> Parameters:
    return Parameters(np.array([numbers[:-1]]), np.array(numbers[-1:]))


def towards(*goals: tuple[str, Parameters]) -> object:
    """Return local steps that go half of the way to each party's own optimum."""

    def steps(current: Parameters) -> dict[str, Parameters]:
        return {
            name: Parameters(
                (current.coef + goal.coef) / 2, (current.intercept + goal.intercept) / 2
            )
            for name, goal in goals
        }

    return steps


A, B = model(1.0, 0.0), model(4.0, 3.0)


def test_an_average_weighs_by_size() -> None:
    found = average({"a": A, "b": B}, {"a": 2, "b": 1})
    assert found.coef.tolist() == [[2.0]]
    assert found.intercept.tolist() == [1.0]


def test_rounds_go_to_the_weighted_mean_of_what_parties_want() -> None:
    found = run_averaging(
        model(9.0, 9.0), towards(("a", A), ("b", B)), Averaging({"a": 2.0, "b": 1.0}, 40)
    )
    assert found.parameters.coef[0, 0] == pytest.approx(2.0)


def test_who_returns_what_it_was_given_stalls_an_average_by_claims() -> None:
    def steps(current: Parameters) -> dict[str, Parameters]:
        return {**towards(("a", A))(current), "rider": current}

    claims = {"a": 100.0, "rider": 1e6}
    stalled = run_averaging(model(9.0, 9.0), steps, Averaging(claims, 20)).parameters
    assert stalled.coef[0, 0] > 8.9
    # Validated, the free rider's size is 0, and it takes no part in the average.
    free = run_averaging(model(9.0, 9.0), steps, Averaging({"a": 100.0}, 20)).parameters
    assert free.coef[0, 0] == pytest.approx(1.0, abs=1e-3)


def test_an_update_that_is_not_accepted_is_left_out_of_its_round() -> None:
    found = run_averaging(
        model(9.0, 9.0),
        towards(("a", A), ("b", B)),
        Averaging({"a": 1.0, "b": 1.0}, 30, accepts=lambda name, update: name != "b"),
    )
    assert found.parameters.coef[0, 0] == pytest.approx(1.0)
    assert found.left_out == {"a": 0, "b": 30}


def test_where_no_update_is_accepted_the_model_stays() -> None:
    found = run_averaging(
        A, towards(("b", B)), Averaging({"b": 1.0}, 3, lambda name, update: False)
    )
    assert found.parameters is A


def test_the_best_round_is_the_result() -> None:
    # Towards the goal until it is passed: the average of the third round is nearest.
    numbers = iter([5.0, 3.0, 2.1, 0.0, -4.0])

    def steps(current: Parameters) -> dict[str, Parameters]:
        return {"a": model(next(numbers), 0.0)}

    found = run_averaging(
        model(9.0, 0.0),
        steps,
        Averaging({"a": 1.0}, 5, quality=lambda p: -abs(float(p.coef[0, 0]) - 2)),
    )
    assert (found.round, found.parameters.coef[0, 0]) == (3, 2.1)


def test_a_long_update_is_shortened_to_so_many_times_the_median_one() -> None:
    start = model(0.0, 0.0)
    updates = {"a": model(1.0, 0.0), "b": model(0.0, 2.0), "c": model(30.0, 40.0)}
    clipped = clip_updates(start, updates, 3.0)
    assert clipped["a"] is updates["a"]
    assert clipped["b"] is updates["b"]
    # The median length is 2: of 50, 6 remain, in the same direction.
    assert clipped["c"].coef[0, 0] == pytest.approx(3.6)
    assert clipped["c"].intercept[0] == pytest.approx(4.8)


def weighted_median(values: list[float], weights: list[float]) -> float:
    """Return the mean of the lowest and the highest value with half of the weight on each side."""
    total = sum(weights)
    halves = [
        v for v in values
        if sum(w for x, w in zip(values, weights, strict=True) if x <= v) >= total / 2 - 1e-9
        and sum(w for x, w in zip(values, weights, strict=True) if x >= v) >= total / 2 - 1e-9
    ]  # fmt: skip
    return (min(halves) + max(halves)) / 2


def trimmed_mean(values: list[float], weights: list[float], cut: float) -> float:
    """Of a thousand grains for each unit of weight, in order, those from each end left out."""
    pairs = sorted(zip(values, weights, strict=True))
    grains = [v for v, w in pairs for _ in range(1000 * int(w))]
    left_out = round(cut * len(grains))
    return float(np.mean(grains[left_out : len(grains) - left_out]))


@pytest.mark.parametrize("weights", [[1, 1, 1], [5, 1, 4], [1, 1, 1, 1], [2, 3, 4, 1, 10]])
def test_robust_averages_are_those_of_their_definitions(weights: list[float]) -> None:
    values = [3.0, -50.0, 1.0, 2.0, 70.0][: len(weights)]
    names = "abcde"[: len(weights)]
    models = {name: model(value, -value) for name, value in zip(names, values, strict=True)}
    sizes = dict(zip(names, map(float, weights), strict=True))
    median = average(models, sizes, "median")
    assert median.coef[0, 0] == pytest.approx(weighted_median(values, weights))
    trimmed = average(models, sizes, "trimmed-mean")
    assert trimmed.coef[0, 0] == pytest.approx(trimmed_mean(values, weights, 0.2))
    assert trimmed.intercept[0] == pytest.approx(-trimmed_mean(values, weights, 0.2))


def test_krum_takes_the_update_nearest_to_the_others() -> None:
    values = {"a": 1.0, "b": 1.2, "c": 0.9, "d": 1.05, "e": 400.0}
    models = {name: model(value, 0.0) for name, value in values.items()}
    # f = 1 may lie: each is judged by its 2 nearest; d has 0.05 and 0.15.
    found = average(models, dict.fromkeys(models, 1.0), "krum")
    scores = {
        name: sum(sorted((value - other) ** 2 for n, other in values.items() if n != name)[:2])
        for name, value in values.items()
    }
    assert found is models[min(scores, key=lambda name: scores[name])]


@pytest.mark.parametrize("averaging", ["median", "trimmed-mean", "krum"])
def test_one_party_of_five_cannot_move_a_robust_average_far(averaging: str) -> None:
    models = {name: model(x, x) for name, x in zip("abcd", (1.0, 1.1, 0.9, 1.0), strict=True)}
    sizes = dict.fromkeys([*models, "liar"], 1.0)
    moved = average({**models, "liar": model(1e6, -1e6)}, sizes,
                    averaging)  # fmt: skip
    assert 0.9 <= moved.coef[0, 0] <= 1.1
