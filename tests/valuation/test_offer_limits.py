"""A budget and a floor, three levels, coins of several users, and the bound: plain brute force."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import permutations, product
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.errors import InputError
from aboveboard.valuation import DpMean, FederatedMean, FunctionUtility, Population, propose_offer
from aboveboard.valuation.offers.design import Design
from aboveboard.valuation.offers.few_coins import FewCoins

F = Fraction


def shares_of(worth: Any, levels: tuple[Any, ...]) -> list[float]:
    """Shapley values as means over all orders of arrival, from the definition."""
    n, found, count = len(levels), [0.0] * len(levels), 0
    for order in permutations(range(n)):
        there: list[Any] = [F(0)] * n
        before = float(worth(tuple(there)))
        for i in order:
            there[i] = levels[i]
            after = float(worth(tuple(there)))
            found[i] += after - before
            before = after
        count += 1
    return [x / count for x in found]


def best_by_hand(
    worth: Any,
    design: Design,
    n: int,
    budget: float = inf,
    floor: float = 0.0,
    *,
    worst: bool = False,
) -> float:
    """Try every profile at every alpha at which one of the conditions begins or ends to hold."""
    profiles = list(product(design.levels, repeat=n))
    share = {p: shares_of(worth, p) for p in profiles}
    nothing = float(worth((F(0),) * n))
    alphas = {0.0, 1.0}
    conditions: dict[Any, list[tuple[float, float]]] = {}
    for p in profiles:
        conditions[p] = []
        for i, level in enumerate(p):
            for other in design.levels:
                if other != level:
                    q = (*p[:i], other, *p[i + 1 :])
                    rise = share[p][i] - share[q][i]
                    need = float(design.costs[i][level] - design.costs[i][other])
                    conditions[p].append((rise, need))
                    if abs(rise) > 1e-12:
                        alphas.add(need / rise)
            if floor and share[p][i] > 1e-12:
                alphas.add(floor / share[p][i])
        value = float(worth(p)) - nothing
        if value > 0:
            alphas.add(budget / value)
    best = -inf
    for at in sorted(a for a in alphas if -1e-12 <= a <= 1 + 1e-12):
        for alpha in (at, at * (1 + 1e-7), at * (1 - 1e-7)) if worst else (at,):
            there = [
                p for p in profiles if all(alpha * r >= need - 1e-9 for r, need in conditions[p])
            ]
            kept = {
                p: alpha * (float(worth(p)) - nothing) <= budget + 1e-9
                and all(
                    alpha * s >= floor - 1e-9
                    for s, x in zip(share[p], p, strict=True)
                    if x != design.levels[0]
                )
                for p in there
            }
            if worst and not all(kept.values()):
                continue
            values = [(1 - alpha) * (float(worth(p)) - nothing) for p in there if kept[p]]
            if values:
                best = max(best, min(values) if worst else max(values))
    return best


def federated(rng: np.random.Generator, n: int) -> FederatedMean:
    samples = tuple(F(int(x)) for x in rng.integers(1, 30, n))
    return FederatedMean(Population(F(1), F(10)), samples, (F(1),) * n)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "limits", [(None, None), (F(1, 2), None), (None, F(1, 5)), (F(1), F(1, 4))]
)
def test_three_levels_under_a_budget_and_a_floor_are_those_of_all_profiles(
    seed: int, limits: tuple[Fraction | None, Fraction | None]
) -> None:
    rng = np.random.default_rng(seed)
    n = 2 + seed % 2
    utility = federated(rng, n)
    costs = [
        {F(0): F(0), F(1): F(int(a), 20), F(2): F(int(a + b), 20)}
        for a, b in rng.integers(0, 8, (n, 2))
    ]
    design = Design((F(0), F(1), F(2)), tuple(costs), "optimistic", *limits)
    offer = propose_offer(utility, [f"u{i}" for i in range(n)], design)
    budget, floor = (
        default if x is None else float(x) for x, default in zip(limits, (inf, 0.0), strict=True)
    )
    expected = best_by_hand(utility.worth, design, n, budget, floor)
    assert offer.platform == pytest.approx(expected, abs=1e-6)
    assert offer.bound is not None
    assert offer.platform <= offer.bound + 1e-9
    assert offer.users <= budget + 1e-9
    assert all(
        paid >= floor - 1e-9
        for paid, level in zip(offer.shares, offer.levels or (), strict=True)
        if level
    )


@pytest.mark.parametrize("seed", range(6))
def test_where_the_worst_equilibrium_counts_all_keep_to_the_limits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    costs = [F(int(x), 20) for x in rng.integers(1, 7, 3)]
    budget, floor = (F(int(x), 10) for x in (rng.integers(2, 9), rng.integers(0, 3)))
    each = tuple({F(0): F(0), inf: c} for c in costs)
    design = Design((F(0), inf), each, "pessimistic", budget, floor)
    offer = propose_offer(DpMean(), ("a", "b", "c"), design)
    by_hand = best_by_hand(DpMean().worth, design, 3, float(budget), float(floor), worst=True)
    assert offer.platform == pytest.approx(by_hand, abs=1e-5)


def test_a_floor_for_users_who_are_alike_acts_like_a_cost() -> None:
    # k sharers are paid max(cost, floor) each, as long as nobody else then wants to share too.
    for cost, floor, budget in product((0.05, 0.1), (0.0, 0.07, 0.15), (0.12, 0.3, 2.0)):
        worth = [float(DpMean().worth((inf,) * k + (F(0),) * (5 - k))) for k in range(6)]
        pay = max(cost, floor)
        gain = [worth[k + 1] / (k + 1) for k in range(5)]
        allowed = [
            worth[k] - k * pay
            for k in range(1, 6)
            if k * pay <= budget + 1e-12
            and pay <= gain[k - 1]
            and (k == 5 or pay / gain[k - 1] * gain[k] <= cost + 1e-12)
        ]
        each = ({F(0): F(0), inf: F(str(cost))},) * 5
        limits = F(str(budget)), F(str(floor))
        offer = propose_offer(DpMean(), "abcde", Design((F(0), inf), each, "optimistic", *limits))
        assert offer.platform == pytest.approx(max([0.0, *allowed]), abs=1e-9)


def random_game(rng: np.random.Generator, n: int) -> FewCoins:
    weights = rng.random(n)
    worth = np.array(
        [sum(w for i, w in enumerate(weights) if m >> i & 1) ** 0.5 for m in range(1 << n)]
    )
    share = {}
    for mask in range(1 << n):
        levels = tuple(mask >> i & 1 for i in range(n))
        share[mask] = shares_of(
            lambda x: worth[sum(1 << i for i, there in enumerate(x) if there)], levels
        )
    rises = np.array([[share[m | 1 << i][i] for m in range(1 << n)] for i in range(n)])
    return FewCoins(rises, worth, rng.random(n) * 0.4)


def regret_by_hand(game: FewCoins, alpha: float, answer: tuple[float, ...]) -> float:
    worst = 0.0
    for i in range(game.n):
        expected = 0.0
        for mask in range(1 << game.n):
            if not mask >> i & 1:
                chance = np.prod(
                    [answer[j] if mask >> j & 1 else 1 - answer[j] for j in range(game.n) if j != i]
                )
                expected += float(chance) * float(game.rises[i, mask])
        net = alpha * expected - float(game.costs[i])
        worst = max(worst, net * (1 - answer[i]), -net * answer[i])
    return worst


@pytest.mark.parametrize("n", [3, 4, 5])
@pytest.mark.parametrize("seed", range(6))
def test_an_equilibrium_of_coins_that_was_planted_is_found(seed: int, n: int) -> None:
    rng = np.random.default_rng([seed, n])
    free, alpha = random_game(rng, n), float(rng.uniform(0.3, 1))
    coins = rng.choice(n, 2 + seed % 2, replace=False)
    answer = [float(x) for x in rng.integers(0, 2, n)]
    for i in coins:
        answer[i] = float(rng.uniform(0.1, 0.9))
    costs = np.zeros(n)
    for i in range(n):
        # What sharing brings is its cost for who tosses coins, above it for who shares.
        gain = 0.0
        for mask in range(1 << n):
            if not mask >> i & 1:
                others = [answer[j] if mask >> j & 1 else 1 - answer[j] for j in range(n) if j != i]
                gain += alpha * float(np.prod(others)) * float(free.rises[i, mask])
        costs[i] = gain * (1.0 if i in coins else 0.9 if answer[i] else 1.1)
    game = FewCoins(free.rises, free.worth, costs)
    found = game.find_equilibria(alpha)
    assert all(regret_by_hand(game, alpha, each) < 1e-9 for each in found)
    assert all(game.find_regret(alpha, each) < 1e-9 for each in found)
    assert min(max(abs(x - y) for x, y in zip(answer, each, strict=True)) for each in found) < 1e-6


@pytest.mark.parametrize("seed", range(12))
def test_no_equilibrium_leaves_the_platform_more_than_the_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    game = random_game(rng, 3)
    bound = max(
        float(game.worth[m]) - sum(float(c) for i, c in enumerate(game.costs) if m >> i & 1)
        for m in range(8)
    )
    for alpha in np.linspace(0.05, 1, 20):
        for answer in game.find_equilibria(float(alpha)):
            kept = 0.0
            for mask in range(8):
                chance = np.prod([p if mask >> i & 1 else 1 - p for i, p in enumerate(answer)])
                kept += (1 - alpha) * float(chance) * float(game.worth[mask])
            assert kept <= bound + 1e-9


@pytest.mark.parametrize("seed", [0, *(pytest.param(k, marks=pytest.mark.deep) for k in (1, 2))])
def test_the_best_offer_is_that_of_a_grid_of_many_more_alphas(seed: int) -> None:
    game = random_game(np.random.default_rng([seed, 17]), 3)
    best = game.best()
    for alpha in np.linspace(0.0005, 1, 1500):
        for answer in game.find_equilibria(float(alpha)):
            chances = [
                np.prod([p if mask >> i & 1 else 1 - p for i, p in enumerate(answer)])
                for mask in range(8)
            ]
            kept = (1 - alpha) * float(game.worth @ np.array(chances))
            assert best is not None
            assert kept <= best[0].value + 1e-7
    if best is not None:
        assert regret_by_hand(game, best[0].alpha, best[1]) < 1e-8


def test_three_users_of_different_costs_are_worth_more_where_one_tosses_a_coin() -> None:
    costs = [F(4, 15), F(13, 45), F(9, 10)]
    # The third user's data are worth nothing: the two others are those of section 5.2.
    two = FunctionUtility("two", lambda levels: DpMean().worth(levels[:2]))
    three = propose_offer(two, "abc", Design.from_numbers(F(0), inf, costs))
    pair = propose_offer(DpMean(), "ab", Design.from_numbers(F(0), inf, costs[:2]))
    assert pair.equilibrium == three.equilibrium == "asymmetric mixed"
    assert three.platform == pytest.approx(pair.platform, abs=1e-7)
    assert three.private == pytest.approx((*pair.private, 1.0), abs=1e-4)
    assert three.regret is not None
    assert three.regret < 1e-8
    assert three.bound is not None
    assert three.bound > three.platform


FILE = """
mechanism = "valuation.payments"
{head}
[utility]
kind = "dp-mean"
[parties.a]
epsilon = "inf"
[parties.b]
epsilon = "inf"
[parties.c]
epsilon = "inf"
[design]
levels = [0, "inf"]
cost = 0.1
{more}
"""


def test_a_budget_and_a_floor_stand_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(FILE.format(head="", more="budget = 0.25"))
    offer = ab.load(path).mechanism.offer()
    assert (len(offer.sharing), round(offer.users, 9)) == (2, 0.2)
    path.write_text(FILE.format(head="", more="floor = 0.15\nbudget = 0.5"))
    offer = ab.load(path).mechanism.offer()
    assert min(x for x in offer.shares if x) >= 0.15 - 1e-12
    assert "bound" in json.loads(json.dumps(offer.as_dict()))


@pytest.mark.parametrize("wrong", ["budget = -1", 'floor = "much"', "budgets = 1"])
def test_a_wrong_limit_is_named(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(FILE.format(head="", more=wrong))
    with pytest.raises(InputError, match=r"design"):
        ab.load(path)


def test_limits_need_an_alpha_to_choose(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(FILE.format(head='fairness = "platform"', more="floor = 1"))
    with pytest.raises(InputError, match="shares are fixed"):
        ab.load(path)
