"""Pareto efficiency and efficiency against everything that could be handed out."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.auditing import Efficient, ParetoEfficient
from aboveboard.exchange import AveragePoint, BenefitBox, Contribution, OneDimensionalSearch
from aboveboard.exchange.utility import compute_utilities

linprog = pytest.importorskip("scipy.optimize", reason="scipy (extra: market) is missing").linprog
Numbers = list[Fraction]


def largest_surplus(room: Numbers, e: Numbers, benefits: Numbers, *, no_less: bool) -> float:
    """Return how much total utility can rise without hurting anybody: one LP for each top party."""
    n, here, best = len(room), compute_utilities(benefits, e), float("-inf")
    for top in range(n):
        rows, limits = [], []

        def add(entries: dict[int, float], limit: float) -> None:
            rows.append([entries.get(k, 0.0) for k in range(n + 1)])  # noqa: B023 - it is called at once
            limits.append(limit)  # noqa: B023 - it is called at once

        for j in range(n):
            if j != top:
                add({j: 1, top: -1}, 0)  # nobody has more than the top
                add({j: 1, n: -1}, 0)  # variable n bounds the others
                add({j: -1, top: float(e[j])}, -float(here[j]))
        add({top: -1, n: float(e[top])}, -float(here[top]))
        if no_less:
            add(dict.fromkeys(range(n), -1.0), -float(sum(benefits)))
        cost = [-1.0] * n + [float(e[top])]
        cost[top] += sum(float(e[j]) for j in range(n) if j != top)
        bounds = [(0, float(r)) for r in room] + [(0, None)]
        found = linprog(cost, rows, limits, bounds=bounds)
        if found.status == 0:
            best = max(best, -found.fun)
    return best - float(sum(here))


def draw_box(generator: np.random.Generator) -> tuple[Numbers, Numbers, Numbers]:
    n = int(generator.integers(1, 5))
    room = [Fraction(int(x), 2) for x in generator.integers(0, 9, n)]
    exclusivity = [Fraction(int(x), 4) for x in generator.integers(0, 6, n)]
    if generator.random() < 0.5:
        exclusivity = [exclusivity[0]] * n
    return room, exclusivity, [r * int(generator.integers(0, 5)) / 4 for r in room]


def check_boxes(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    for _ in range(count):
        room, exclusivity, benefits = draw_box(generator)
        no_less = bool(generator.random() < 0.5)
        found = BenefitBox(room, exclusivity).find_dominating(benefits, giving_no_less=no_less)
        surplus = largest_surplus(room, exclusivity, benefits, no_less=no_less)
        if found is None:
            assert surplus == pytest.approx(0, abs=1e-7)
            continue
        before, after = (compute_utilities(b, exclusivity) for b in (benefits, found))
        assert all(x >= y for x, y in zip(after, before, strict=True))
        assert all(0 <= x <= r for x, r in zip(found, room, strict=True))
        assert not no_less or sum(found) >= sum(benefits)
        assert float(sum(after) - sum(before)) == pytest.approx(surplus, abs=1e-7)


def test_what_dominates_is_what_a_linear_programme_finds() -> None:
    check_boxes(seed=1, count=150)


@pytest.mark.deep
def test_what_dominates_is_what_a_linear_programme_finds_many_times() -> None:
    check_boxes(seed=2, count=1000)


def test_the_largest_total_is_that_of_the_best_corner_of_a_grid() -> None:
    generator = np.random.default_rng(3)
    for _ in range(40):
        room, exclusivity, _ = draw_box(generator)
        box = BenefitBox(room, exclusivity)
        found = sum(compute_utilities(box.find_largest_total(), exclusivity))
        grids = [[r * k / 4 for k in range(5)] for r in room]
        assert all(sum(compute_utilities(row, exclusivity)) <= found for row in product(*grids))


@pytest.mark.deep
def test_no_false_holds_on_random_instances_of_the_three_mechanisms() -> None:
    """Each verdict against a search of all benefits in quarters of the room."""
    generator = np.random.default_rng(4)
    for k in range(90):
        game, room, benefits, exclusivity = INSTANCES[k % 3](generator)
        for prop in (ParetoEfficient(), ParetoEfficient(giving_no_less=True), Efficient()):
            status = ab.audit(game, [prop])[prop.name].status
            if is_broken_on_a_grid(prop, room, benefits, exclusivity):
                assert status == "fails", (prop.name, room, benefits, exclusivity)


def is_broken_on_a_grid(
    prop: object, room: Numbers, benefits: Numbers, exclusivity: Numbers
) -> bool:
    here = compute_utilities(benefits, exclusivity)
    for row in product(*([r * k / 4 for k in range(5)] for r in room)):
        there = compute_utilities(row, exclusivity)
        if isinstance(prop, Efficient):
            if sum(there) > sum(here):
                return True
        elif getattr(prop, "giving_no_less", False) and sum(row) < sum(benefits):
            continue
        elif all(x >= y for x, y in zip(there, here, strict=True)) and there != here:
            return True
    return False


def draw_contribution(generator: np.random.Generator) -> tuple:
    values = [0] * 8
    for mask in range(1, 8):
        subsets = [values[s] for s in range(mask) if s & mask == s]
        values[mask] = max(subsets) + int(generator.integers(0, 3))
    e = [Fraction(int(generator.integers(0, 3)), 2)] * 3
    rule = Contribution(dict(zip("abc", e, strict=True)), bool(generator.random() < 0.5), values)
    types = {"a": 1, "b": 2, "c": 4}
    shares = rule.settle(types).parties.values()
    room = [Fraction(values[7] - values[bit]) for bit in types.values()]
    return rule.game(types), room, [s.benefit for s in shares], e


def draw_interval(generator: np.random.Generator) -> tuple:
    n = int(generator.integers(2, 4))
    types = {
        f"p{i}": (Fraction(-int(a)), Fraction(int(b)))
        for i, (a, b) in enumerate(generator.integers(0, 5, (n, 2)))
    }
    e = [Fraction(int(generator.integers(0, 3)), 2)] * n
    rule = OneDimensionalSearch(dict(zip(types, e, strict=True)))
    shares = rule.settle(types).parties.values()
    length = min(x[1] for x in types.values()) - max(x[0] for x in types.values())
    room = [(x[1] - x[0]) - length for x in types.values()]
    return rule.game(types), room, [s.benefit for s in shares], e


def draw_average(generator: np.random.Generator) -> tuple:
    n = int(generator.integers(2, 4))
    types = {f"p{i}": (Fraction(int(x)),) for i, x in enumerate(generator.integers(-4, 5, n))}
    e = [Fraction(int(generator.integers(0, 3)), 2)] * n
    rule = AveragePoint(dict(zip(types, e, strict=True)))
    shares = rule.settle(types).parties.values()
    mean = sum(x[0] for x in types.values()) / n
    room = [(x[0] - mean) ** 2 for x in types.values()]
    return rule.game(types), room, [s.benefit for s in shares], e


INSTANCES = (draw_contribution, draw_interval, draw_average)


def audit_values(values: list[int], e: int, *properties: ab.Property) -> list[str]:
    rule = Contribution(dict.fromkeys("abc", e), pareto=False, values=tuple(values))
    verdicts = ab.audit(rule.game({"a": 1, "b": 2, "c": 4}), list(properties))
    return [str(v.status) for v in verdicts.values()]


BOTH = (ParetoEfficient(), ParetoEfficient(giving_no_less=True))


def test_a_reward_that_could_rise_at_no_cost_is_no_optimum() -> None:
    """(3, 3, 5) instead of (3, 2, 5): b gains 1, nobody loses."""
    assert audit_values([0, 1, 2, 2, 2, 5, 4, 7], 1, *BOTH) == ["fails", "fails"]


def test_where_nobody_minds_rivals_everything_should_be_handed_out() -> None:
    """(2, 3, 4) instead of (2, 1, 1)."""
    statuses = audit_values([0, 3, 2, 4, 1, 4, 3, 5], 0, ParetoEfficient(), Efficient())
    assert statuses == ["fails", "fails"]


def test_a_party_that_knows_nothing_new_could_be_handed_something() -> None:
    """(2, 2, 2) instead of (2, 2, 0)."""
    assert audit_values([0, 1, 1, 3, 0, 1, 1, 3], 1, BOTH[1]) == ["fails"]


def test_a_verdict_says_what_was_compared() -> None:
    rule = Contribution(dict.fromkeys("ab", 1), pareto=False, values=(0, 0, 0, 2))
    verdict = ab.audit(rule.game({"a": 1, "b": 2}), [BOTH[0]])["Pareto efficient"]
    assert verdict.status == "holds"
    assert verdict.statement == (
        "compared with information of every value up to what a party lacks"
    )


@pytest.mark.deep
def test_thirty_parties_are_compared_too() -> None:
    types = {f"p{i}": (Fraction(i * i),) for i in range(30)}
    rule = AveragePoint(dict.fromkeys(types, 1))
    assert ab.audit(rule.game(types), [BOTH[0]])["Pareto efficient"].status == "fails"
