"""The platform's estimates: Proposition 5's weights, and the errors they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aboveboard.valuation.estimation.estimates import find_estimator
from aboveboard.valuation.estimation.simulation import (
    simulate_federated_mean,
    simulate_private_mean,
)
from aboveboard.valuation.utilities.dp_mean import private_mean
from aboveboard.valuation.utilities.federated_mean import Population, compute_expected_errors
from oracles import valuation as oracle

users = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 50)), min_size=1, max_size=6)
variances = st.floats(0.05, 20)


def error_of(v: np.ndarray, i: int, s2: float, t2: float, samples: list[int]) -> float:
    """Equation 55: the error of sum_j v_j thetahat_j, by its definition."""
    target = np.eye(len(v))[i]
    return float(s2 * ((v - target) ** 2).sum() + (t2 * v**2 / np.array(samples)).sum())


@given(users, variances, variances)
def test_no_weights_that_sum_to_1_have_a_smaller_error(
    each: list[tuple[int, int]], s2: float, t2: float
) -> None:
    levels, samples = [x for x, _ in each], [n for _, n in each]
    assume(any(levels))
    weights = find_estimator(Population(s2, t2), levels, samples).weights()
    direct = [j for j, x in enumerate(levels) if x == 2]
    federated = [j for j, x in enumerate(levels) if x == 1]
    promised = compute_expected_errors(Population(s2, t2), levels, samples)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-12)
    for i in range(len(levels)):
        v = np.zeros(len(levels))
        v[direct] = weights[i, 1:]
        if federated:
            v[federated] = weights[i, 0] / len(federated)
        else:
            assert weights[i, 0] == 0
        least = oracle.emse_by_minimisation(s2, t2, levels, samples, i)
        assert error_of(v, i, s2, t2, samples) == pytest.approx(least, rel=1e-7)
        assert float(promised[i]) == pytest.approx(least, rel=1e-7)


@pytest.mark.parametrize("i", range(5))
def test_a_step_in_any_direction_only_makes_the_error_larger(i: int) -> None:
    s2, t2, levels, samples = 0.7, 3.0, [2, 1, 0, 2, 1], [4, 9, 1, 30, 2]
    weights = find_estimator(Population(s2, t2), levels, samples).weights()[i]

    def error(w: np.ndarray) -> float:
        v = np.array([w[1], w[0] / 2, 0, w[2], w[0] / 2])
        return error_of(v, i, s2, t2, samples)

    for a in range(3):
        for b in range(3):
            step = 1e-3 * (np.eye(3)[a] - np.eye(3)[b])
            assert error(weights + step) >= error(weights)


def test_proposition_5_as_printed_for_each_level() -> None:
    s2, t2, levels, samples = 1.5, 4.0, [2, 2, 1, 1, 0], [3, 8, 5, 2, 9]
    found = find_estimator(Population(s2, t2), levels, samples).weights()
    v = [s2 + t2 / n for n in samples]
    v0 = s2 + t2 * (1 / 5 + 1 / 2) / 2
    n1, n2 = 2, 2
    bar = n2 / (1 / v[0] + 1 / v[1])
    d = n1 + n2 * v0 / bar
    silent = [n1 / d, v0 / v[0] / d, v0 / v[1] / d]
    federated = [
        n1 / d + n2 / d * s2 / bar,
        v0 / v[0] / d - s2 / v[0] / d,
        v0 / v[1] / d - s2 / v[1] / d,
    ]
    direct = [
        n1 / d - n1 / d * s2 / v[0],
        v0 / v[0] / d + (d - v0 / v[0]) / d * s2 / v[0],
        v0 / v[1] / d - v0 / v[1] / d * s2 / v[0],
    ]
    np.testing.assert_allclose(found[4], silent)
    np.testing.assert_allclose(found[2], federated)
    np.testing.assert_allclose(found[3], federated)
    np.testing.assert_allclose(found[0], direct)


def test_one_federated_user_is_as_good_as_direct() -> None:
    population, samples = Population(1.0, 4.0), [3, 5, 8]
    alone = find_estimator(population, [2, 1, 0], samples)
    direct = find_estimator(population, [2, 2, 0], samples)
    np.testing.assert_allclose(
        alone(np.array([1.0]), np.array(7.0)), direct(np.array([1.0, 7.0]), np.array(0.0))
    )


def test_nobody_shares_nothing_is_estimated() -> None:
    with pytest.raises(ValueError, match="nobody shares"):
        find_estimator(Population(1, 1), [0, 0], [1, 1])


@pytest.mark.parametrize("levels", [[2, 2, 2, 2], [1, 1, 1, 1], [2, 1, 1, 0], [0, 0, 1, 2]])
def test_the_simulated_error_is_the_promised_one(levels: list[int]) -> None:
    population, samples = Population(0.8, 5.0), [2, 7, 20, 4]
    best = find_estimator(population, levels, samples)
    promised = np.array([float(x) for x in compute_expected_errors(population, levels, samples)])
    found = simulate_federated_mean(best, population, samples, np.random.default_rng(5), 50_000)
    assert (abs(found.distance(promised)) < 4).all()
    # It would tell an error promised a twentieth too small.
    assert (abs(found.distance(promised * 0.95)) > 4).all()


def test_the_same_seed_simulates_the_same() -> None:
    population, samples = Population(1.0, 4.0), [3, 5]
    best = find_estimator(population, [2, 1], samples)
    one, other = (
        simulate_federated_mean(best, population, samples, np.random.default_rng(1), 100)
        for _ in range(2)
    )
    assert one.errors.tolist() == other.errors.tolist()


@pytest.mark.parametrize("epsilons", [[1.0, 2.0, 9.0], [0.5], [float("inf"), 0.0], [0.0, 0.0]])
def test_the_simulated_risk_of_the_private_mean_is_the_promised_one(epsilons: list[float]) -> None:
    plan = private_mean(epsilons)
    found = simulate_private_mean(plan, np.random.default_rng(2), 50_000)
    promised = np.array([float(plan.risk)])
    assert (abs(found.distance(promised)) < 4).all()
    assert (abs(found.distance(promised * 0.9)) > 4).all()
