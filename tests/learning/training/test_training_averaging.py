"""Federated averaging: weighted by what is validated, not by what is claimed."""

from __future__ import annotations

import numpy as np
import pytest

from aboveboard.learning.training.averaging import average, run_averaging
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
    found = run_averaging(model(9.0, 9.0), towards(("a", A), ("b", B)), {"a": 2.0, "b": 1.0}, 40)
    assert found.parameters.coef[0, 0] == pytest.approx(2.0)


def test_who_returns_what_it_was_given_stalls_an_average_by_claims() -> None:
    def steps(current: Parameters) -> dict[str, Parameters]:
        return {**towards(("a", A))(current), "rider": current}  # type: ignore[operator]

    claims = {"a": 100.0, "rider": 1e6}
    stalled = run_averaging(model(9.0, 9.0), steps, claims, 20).parameters
    assert stalled.coef[0, 0] > 8.9
    # Validated, the free rider's size is 0, and it takes no part in the average.
    free = run_averaging(model(9.0, 9.0), steps, {"a": 100.0}, 20).parameters
    assert free.coef[0, 0] == pytest.approx(1.0, abs=1e-3)


def test_an_update_that_is_not_accepted_is_left_out_of_its_round() -> None:
    found = run_averaging(
        model(9.0, 9.0),
        towards(("a", A), ("b", B)),
        {"a": 1.0, "b": 1.0},
        30,
        accepts=lambda name, update: name != "b",
    )
    assert found.parameters.coef[0, 0] == pytest.approx(1.0)
    assert found.left_out == {"a": 0, "b": 30}


def test_where_no_update_is_accepted_the_model_stays() -> None:
    found = run_averaging(A, towards(("b", B)), {"b": 1.0}, 3, lambda name, update: False)
    assert found.parameters is A
