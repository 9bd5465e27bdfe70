"""Shares of users who all differ, from random orders of arrival."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from fractions import Fraction
from math import inf

import numpy as np
import pytest

from aboveboard.errors import InputError
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.valuation import DpMean, FederatedMean, Payments, Population, divide
from aboveboard.valuation.levels import Level
from aboveboard.valuation.payments_file import PaymentsFile
from aboveboard.valuation.shares import orders
from aboveboard.valuation.shares.division import Fairness
from aboveboard.valuation.shares.orders import OrderWalker, divide_along_orders
from oracles import valuation as oracle

F = Fraction
FEDERATED = FederatedMean(
    Population(0.8, 5.0),
    tuple(map(F, [2, 9, 4, 30, 7, 1, 12, 5])),
    tuple(map(F, [1, 1, 2, 1, 1, 3, 1, 1])),
)
AT: tuple[Level, ...] = tuple(map(F, [2, 1, 2, 1, 0, 2, 1, 2]))
EPSILONS: tuple[Level, ...] = (F(1, 2), F(3), inf, F(0), F(2), F(7), inf, F(1))


def utilities() -> list[tuple[OrderWalker, tuple[Level, ...]]]:
    return [(FEDERATED, AT), (DpMean(), EPSILONS)]


@pytest.mark.parametrize(("utility", "levels"), utilities(), ids=["federated", "dp"])
def test_a_walk_adds_up_what_each_user_adds(
    utility: OrderWalker, levels: tuple[Level, ...]
) -> None:
    rng = np.random.default_rng(4)
    there = np.array([i for i, x in enumerate(levels) if x])
    drawn = np.array([rng.permutation(there) for _ in range(5)])
    credit = rng.uniform(size=drawn.shape)
    credit[1, 3:] = 0
    expected = np.zeros(len(levels))
    for order, part in zip(drawn, credit, strict=True):
        now: list[Level] = [F(0)] * len(levels)
        before = float(utility.worth(now))
        for k, i in enumerate(order):
            now[i] = levels[i]
            value = float(utility.worth(now))
            expected[i] += part[k] * (value - before)
            before = value
    np.testing.assert_allclose(utility.walk_orders(levels, drawn, credit), expected, atol=1e-11)


@pytest.mark.parametrize("fairness", ["users", "platform"])
@pytest.mark.parametrize(("utility", "levels"), utilities(), ids=["federated", "dp"])
def test_shares_are_within_their_standard_errors_of_the_exact_ones(
    utility: OrderWalker, levels: tuple[Level, ...], fairness: Fairness
) -> None:
    exact = divide(utility, levels, fairness)
    found = divide_along_orders(utility, levels, fairness, seed=3, blocks=400)
    gaps = np.array(found.users) - np.array([float(x) for x in exact.users])
    errors = np.array(found.standard_errors)
    assert (abs(gaps) <= 4.5 * errors + 1e-12).all()
    assert errors.max() < 0.01 * float(exact.total)
    assert float(found.platform) == pytest.approx(float(exact.platform), abs=8 * errors.max())
    assert sum(found.users) + found.platform == pytest.approx(float(exact.total))


def test_standard_errors_are_as_large_as_the_errors() -> None:
    exact = np.array([float(x) for x in divide(FEDERATED, AT).users])
    there = np.flatnonzero(exact)
    squares = []
    for seed in range(60):
        found = divide_along_orders(FEDERATED, AT, seed=seed, blocks=30)
        z = (np.array(found.users) - exact)[there] / np.array(found.standard_errors)[there]
        squares.append((z**2).mean())
    assert 0.75 < np.mean(squares) < 1.35


@pytest.mark.parametrize("fairness", ["users", "platform"])
def test_rotations_that_end_early_leave_shares_right(
    fairness: Fairness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "MOST_ROTATIONS", 3)
    monkeypatch.setattr(orders, "FIRST_STEPS", 2)
    exact = np.array([float(x) for x in divide(FEDERATED, AT, fairness).users])
    found = divide_along_orders(FEDERATED, AT, fairness, seed=1, blocks=2000)
    assert (abs(found.users - exact) <= 4.5 * np.array(found.standard_errors) + 1e-12).all()
    assert sum(found.users) + found.platform == pytest.approx(float(found.total))


def test_users_share_alpha() -> None:
    whole = divide_along_orders(FEDERATED, AT, blocks=20)
    part = divide_along_orders(FEDERATED, AT, alpha=F(1, 4), blocks=20)
    np.testing.assert_allclose(part.users, np.array(whole.users) / 4)
    assert part.platform == pytest.approx(0.75 * float(whole.total))


def test_users_who_share_nothing_of_it_get_nothing() -> None:
    assert set(divide_along_orders(FEDERATED, AT, alpha=F(0)).users) == {0.0}


def test_who_is_at_level_0_has_nothing_to_chance() -> None:
    found = divide_along_orders(FEDERATED, AT, blocks=20)
    assert (found.users[4], found.standard_errors[4]) == (0.0, 0.0)


def test_far_too_many_are_refused() -> None:
    n = 2001
    with pytest.raises(InputError, match="round levels, samples and weights"):
        divide_along_orders(DpMean(), [F(i + 1, 7) for i in range(n)])


def test_the_oracle_is_the_same_shapley_value() -> None:
    levels = [int(x) for x in AT[:4]]
    values = [
        oracle.federated_utility(
            0.8,
            5.0,
            [x if mask >> i & 1 else 0 for i, x in enumerate(levels)],
            [2, 9, 4, 30],
            [1, 1, 2, 1],
        )
        for mask in range(16)
    ]
    four = FederatedMean(Population(0.8, 5.0), FEDERATED.samples[:4], FEDERATED.weights[:4])
    found = divide_along_orders(four, AT[:4], blocks=2000)
    exact = [float(x) for x in oracle.shapley_by_permutations(values)]
    assert abs(np.array(found.users) - exact).tolist() <= [
        5 * e + 1e-9 for e in found.standard_errors
    ]


FILE = """
mechanism = "valuation.payments"
seed = 0
[utility]
kind = "{kind}"
{keys}
[sampling]
method = "orders"
{budget}
"""


def settled(users: int, kind: str = "dp-mean", keys: str = "", budget: str = "") -> Settlement:
    text = FILE.format(kind=kind, keys=keys, budget=budget)
    level = 'epsilon = "{i}/7"' if kind == "dp-mean" else ""
    text += "".join(f"[parties.p{i}]\n{level.format(i=i + 1)}\n" for i in range(users))
    file = PaymentsFile.model_validate(tomllib.loads(text, parse_float=Decimal))
    return Payments.from_file(file).settle(Payments.read_reports(file, None))


@pytest.mark.deep
def test_a_file_asks_for_it_by_name() -> None:
    settlement = settled(40)
    shares = [float(x.more["share"]) for x in settlement.parties.values()]
    assert sum(shares) == pytest.approx(float(settlement.details["utility"]))
    assert shares == sorted(shares)
    assert all(0 < x.more["standard_error"] < 0.001 for x in settlement.parties.values())
    assert "random orders of arrival" in settlement.details["method"]


def test_only_closed_forms_are_walked_along_and_without_a_budget() -> None:
    with pytest.raises(InputError, match="'table' has none"):
        settled(2, "table", "values = [0, 1, 1, 2]")
    with pytest.raises(InputError, match="leave budget out"):
        settled(4, budget="budget = 100")
