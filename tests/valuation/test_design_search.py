"""The search for the best offer, held against all profiles looked at one by one in fractions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.valuation import DpMean, FederatedMean, Population, TableUtility, propose_offer
from aboveboard.valuation.offers.alike_offers import find_best_offer
from aboveboard.valuation.offers.alike_users import AlikeUsers
from aboveboard.valuation.offers.best_replies import follow_best_replies
from aboveboard.valuation.offers.design import Design
from aboveboard.valuation.offers.pure_profiles import PureProfiles, potential
from oracles import valuation as oracle

F = Fraction
ZERO = F(0)
COSTS = st.fractions(0, F(1, 2), max_denominator=20)
SELECTIONS = ("optimistic", "pessimistic")


def table_of(utility: Any, levels: Sequence[Any]) -> list[Any]:
    """U of every coalition, by bit mask, one call each."""
    n = len(levels)
    return [
        utility.worth(tuple(x if mask >> i & 1 else ZERO for i, x in enumerate(levels)))
        for mask in range(1 << n)
    ]


class Brute:
    """All pure profiles, their shares by the printed sums, their intervals of alpha."""

    def __init__(self, utility: Any, design: Design, platform: bool) -> None:
        n = len(design.costs)
        self.profiles = list(product(design.levels, repeat=n))
        self.shares: dict[Any, list[Any]] = {}
        self.kept: dict[Any, Any] = {}
        self.worth: dict[Any, Any] = {}
        for profile in self.profiles:
            table = table_of(utility, profile)
            if platform:
                self.kept[profile], self.shares[profile] = oracle.theorem_1(table)
            else:
                self.shares[profile] = oracle.theorem_2(table)
            self.worth[profile] = F(table[-1]) - F(table[0])
        self.design = design

    def interval(self, profile: Any) -> tuple[Any, Any]:
        low: Any = ZERO
        high: Any = inf
        for i, level in enumerate(profile):
            for other in self.design.levels:
                changed = (*profile[:i], other, *profile[i + 1 :])
                rise = self.shares[profile][i] - self.shares[changed][i]
                need = self.design.costs[i][level] - self.design.costs[i][other]
                if rise > 0:
                    low = max(low, need / rise)
                elif rise < 0:
                    high = min(high, need / rise)
                elif need > 0:
                    low = inf
        return low, high

    def best(self, selection: str) -> Any:
        there = [(p, *self.interval(p)) for p in self.profiles]
        there = [(p, a, b) for p, a, b in there if a <= b and a <= 1]
        if selection == "optimistic":
            return max((1 - a) * self.worth[p] for p, a, _ in there)
        points = {a for _, a, _ in there} | {b for _, _, b in there if b <= 1} | {ZERO}
        values = []
        for alpha in points:
            at = [self.worth[p] for p, a, b in there if a <= alpha <= b]
            above = [self.worth[p] for p, a, b in there if a <= alpha < b]
            values += [(1 - alpha) * min(x) for x in (at, above) if x]
        return max(values)

    def fixed(self, selection: str) -> Any:
        """What the platform as a member keeps in its best or worst pure equilibrium."""
        there = [(p, *self.interval(p)) for p in self.profiles]
        kept = [self.kept[p] for p, a, b in there if a <= 1 <= b]
        return max(kept) if selection == "optimistic" else min(kept)


def names(n: int) -> tuple[str, ...]:
    return tuple(f"u{i}" for i in range(n))


def design_of(levels: Sequence[Any], costs: Sequence[Sequence[F]], selection: str) -> Design:
    each = tuple({ZERO: ZERO, **dict(zip(levels, (ZERO, *own), strict=True))} for own in costs)
    return Design(tuple(levels), each, selection)


@pytest.mark.deep
@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("levels", [(ZERO, F(1), inf), (F(1), F(3), inf), (F(1), F(3))])
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_the_best_of_all_pure_profiles_is_found(
    levels: Sequence[Any], selection: str, data: Any
) -> None:
    each = st.tuples(*[COSTS] * (len(levels) - 1))
    costs = data.draw(st.lists(each, min_size=3, max_size=3).filter(lambda x: len(set(x)) > 1))
    design = design_of(levels, costs, selection)
    offer = propose_offer(DpMean(), names(3), design)
    expected = Brute(DpMean(), design, platform=False).best(selection)
    assert offer.platform == pytest.approx(float(expected), abs=1e-6)
    assert offer.regret < 1e-9


@pytest.mark.parametrize("selection", SELECTIONS)
@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=7, max_size=7),
    st.lists(COSTS, min_size=3, max_size=3, unique=True),
)
def test_any_table_is_searched_as_well(selection: str, values: list[int], costs: list[F]) -> None:
    utility = TableUtility((ZERO, *(F(x, 20) for x in values)))
    design = design_of((ZERO, F(1)), [(c,) for c in costs], selection)
    offer = propose_offer(utility, names(3), design)
    expected = Brute(utility, design, platform=False).best(selection)
    assert offer.platform == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize("selection", SELECTIONS)
@settings(max_examples=12, deadline=None)
@given(st.lists(COSTS, min_size=3, max_size=3))
def test_with_the_platform_as_a_member_its_best_equilibrium_is_found(
    selection: str, costs: list[F]
) -> None:
    design = design_of((ZERO, inf), [(c,) for c in costs], selection)
    offer = propose_offer(DpMean(), names(3), design, "platform")
    expected = Brute(DpMean(), design, platform=True).fixed(selection)
    assert offer.alpha is None
    if len(set(costs)) > 1:
        assert offer.platform == pytest.approx(float(expected))
    elif selection == "optimistic":
        assert offer.platform >= float(expected) - 1e-9


def test_design_heeds_that_the_platform_is_a_member() -> None:
    design = Design.from_numbers(ZERO, inf, [F(1, 5)] * 2)
    offer = propose_offer(DpMean(), names(2), design, "platform")
    platform, users = oracle.theorem_1([ZERO, F(2, 3), F(2, 3), F(1)])
    assert offer.platform == pytest.approx(float(platform)) == pytest.approx(5 / 9)
    assert offer.shares == pytest.approx([float(x) for x in users])
    assert offer.as_dict()["alpha"] is None
    assert "no alpha is chosen" in offer.headline


def test_at_equal_costs_one_of_two_users_is_worth_more_than_two_who_toss_coins() -> None:
    offer = propose_offer(DpMean(), names(2), Design.from_numbers(ZERO, inf, [F(1, 2)] * 2))
    assert offer.platform == pytest.approx(1 / 6)
    assert offer.equilibrium == "asymmetric pure"
    assert offer.as_dict()["symmetric"]["platform"] == pytest.approx(1 / 12)
    assert ("kind of equilibrium", "users act differently") in offer.summary_rows()


@pytest.mark.parametrize("n", [3, *(pytest.param(n, marks=pytest.mark.deep) for n in (2, 5, 10))])
def test_equal_costs_are_never_worse_for_the_platform_than_nearly_equal_ones(n: int) -> None:
    for cost in (F(1, 50), F(1, 4)):
        equal = propose_offer(DpMean(), names(n), Design.from_numbers(ZERO, inf, [cost] * n))
        nearly = [cost + F(i, 10**9) for i in range(n)]
        other = propose_offer(DpMean(), names(n), Design.from_numbers(ZERO, inf, nearly))
        assert equal.platform >= other.platform - 1e-6


@pytest.mark.deep
@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.integers(0, 30), min_size=3, max_size=5).filter(sum),
    st.floats(0.02, 0.5),
)
def test_pessimistic_offers_to_users_who_are_alike_are_refined(
    steps: list[int], cost: float
) -> None:
    worth = np.cumsum([0, *steps]) / sum(steps)
    n = len(steps)
    game = AlikeUsers(worth[1:] / np.arange(1, n + 1), worth)
    found = find_best_offer(game, cost, "pessimistic").candidate
    gain = worth[1:] / np.arange(1, n + 1)
    best = 0.0
    for alpha in np.linspace(0.001, 0.999, 499):
        pure = [
            worth[k]
            for k in range(n + 1)
            if (k == 0 or alpha * gain[k - 1] >= cost) and (k == n or alpha * gain[k] <= cost)
        ]
        mixed = [
            float(game.compute_expected_utility(np.array([q]))[0])
            for q in game.equilibria(alpha, cost)
        ]
        best = max(best, (1 - alpha) * min(pure + mixed))
    assert found.value >= best - 1e-6


def test_pessimistic_replies_need_no_grid() -> None:
    # Two users join one after the other: just above 0.123456789 and 0.2345678901.
    gains = {0: 1.0, 1: 1.0}
    costs = [0.123456789, 0.2345678901]
    worth = [0.0, 1.0, 1.0, 2.0]
    best, mask = follow_best_replies(
        lambda others, i: gains[i], lambda m: worth[m], costs, "pessimistic"
    )
    assert mask == 3
    assert best.alpha == pytest.approx(0.2345678901, abs=1e-12)
    assert best.value == pytest.approx(2 * (1 - 0.2345678901), abs=1e-9)
    assert not best.attained


def different(n: int) -> FederatedMean:
    return FederatedMean(
        Population(F(1), F(10)), tuple(F(10 + 3 * i) for i in range(n)), (F(1),) * n
    )


def test_many_different_users_are_searched_as_well_as_few() -> None:
    n = 12
    utility = different(n)
    offer = propose_offer(utility, names(n), Design.from_numbers(ZERO, F(2), [F(1, 2)] * n))
    worth = np.asarray(utility.table((F(2),) * n), dtype=float)
    p = [0.0] * len(worth)
    for mask in range(1, 1 << n):
        members = [i for i in range(n) if mask >> i & 1]
        p[mask] = (worth[mask] + sum(p[mask ^ (1 << i)] for i in members)) / len(members)
    best = 0.0
    for mask in range(1 << n):
        rises = [(i, p[mask | 1 << i] - p[mask & ~(1 << i)]) for i in range(n)]
        low = max((0.5 / r for i, r in rises if mask >> i & 1), default=0.0)
        high = min((0.5 / r for i, r in rises if not mask >> i & 1), default=inf)
        if low <= high and low <= 1:
            best = max(best, (1 - low) * worth[mask])
    assert offer.platform == pytest.approx(best)


@pytest.mark.deep
@pytest.mark.parametrize(("n", "platform"), [(20, 66.4728), (21, 70.3585), (23, 78.2139)])
def test_more_than_twenty_different_users_are_searched_exhaustively(
    n: int, platform: float
) -> None:
    start = time.process_time()
    offer = propose_offer(different(n), names(n), Design.from_numbers(ZERO, F(2), [F(1, 2)] * n))
    assert offer.platform >= platform - 1e-4
    assert time.process_time() - start < 60


def test_who_stays_at_a_level_above_nothing_is_not_said_to_share_nothing() -> None:
    utility, levels = DpMean(), (F(1), F(3))
    costs = [F(1, 20), F(1, 10), F(1, 5)]
    offer = propose_offer(
        utility, ("a", "b", "c"), design_of(levels, [(c,) for c in costs], "optimistic")
    )
    assert "a chooses level 3 and b and c choose level 1" in offer.headline
    (table,) = offer.tables()
    assert [row[1] for row in table.rows] == ["3", "1", "1"]
    assert min(offer.shares) > 0
    assert offer.as_dict()["levels"] == {"a": 3, "b": 1, "c": 1}


def test_three_levels_of_too_many_users_are_refused() -> None:
    n = 40
    costs = tuple({ZERO: ZERO, F(1): F(i, 100), F(2): F(i, 50)} for i in range(n))
    with pytest.raises(InputError, match="too many"):
        propose_offer(different(n), names(n), Design((ZERO, F(1), F(2)), costs))


def test_the_public_search_of_masks_agrees_with_its_space() -> None:
    table = np.asarray(different(6).table((F(2),) * 6), dtype=float)
    best, mask = PureProfiles(potential(table), table, np.full(6, 0.5)).best()
    offer = propose_offer(different(6), names(6), Design.from_numbers(ZERO, F(2), [F(1, 2)] * 6))
    assert offer.platform == pytest.approx(best.value)
    assert [i for i in range(6) if mask >> i & 1] == [int(x[1]) for x in offer.sharing]
