"""Payments for any rule: against a linear programme, against plain search, against a checker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import aboveboard as ab
from aboveboard.errors import BudgetExceeded
from aboveboard.implementation import Deficit, Implementation, LyingCycle, implement
from aboveboard.implementation.checker import check_chain, check_deficit

Values = dict[tuple[str, Any], dict[Any, Fraction]]


def make_family(
    rule: Callable[[dict[str, Any]], Any],
    value: Callable[[str, Any, Any], Any],
    sizes: Sequence[int],
    *,
    absent: bool = True,
) -> list[ab.TabularGame]:
    """A family whose types are 1, 2, .. and whose report 0 means staying away."""
    reports = {f"p{k}": range(0 if absent else 1, size + 1) for k, size in enumerate(sizes)}
    return list(ab.tabulate_all(rule, value, reports, absent=0 if absent else None))


def random_family(draw: Any, sizes: Sequence[int], absent: bool = True) -> list[ab.TabularGame]:
    """Outcomes and values at random, what staying away is worth among them."""
    spaces = [range(0 if absent else 1, size + 1) for size in sizes]
    outcomes = {p: draw.randrange(4) for p in product(*spaces)}
    worths = {
        (f"p{k}", t, x): Fraction(draw.randint(-6, 6), draw.choice((1, 2, 3)))
        for k, size in enumerate(sizes)
        for t in range(1, size + 1)
        for x in range(4)
    }
    return make_family(
        lambda reports: outcomes[tuple(reports.values())],
        lambda party, type_, x: worths[party, type_, x],
        sizes,
        absent=absent,
    )


def by_types(games: Sequence[ab.TabularGame]) -> dict[tuple[int, ...], ab.TabularGame]:
    return {tuple(g.truth(i) for i in range(len(g.players))): g for g in games}


def solve_by_linear_programme(
    games: Sequence[ab.TabularGame], *, rational: bool, balanced: bool
) -> tuple[bool, float | None]:
    """Whether payments exist, by HiGHS, and the least subsidy at any profile."""
    known = by_types(games)
    players = len(games[0].players)
    column = {(i, p): k for k, (i, p) in enumerate(product(range(players), known))}
    rows, limits = [], []

    def demand(entries: dict[int, float], limit: float) -> None:
        row = np.zeros(len(column) + 1)
        for k, x in entries.items():
            row[k] = x
        rows.append(row)
        limits.append(limit)

    for (i, profile), k in column.items():
        game = known[profile]
        worth = game.payoffs(profile)[i]
        for other in known:
            differs = [j for j in range(players) if other[j] != profile[j]]
            if differs == [i]:
                lie = game.payoffs(other)[i]
                demand({k: 1.0, column[i, other]: -1.0}, float(worth - lie))
        away = game.absent(i)
        if rational and away is not None:
            outside = game.payoffs((*profile[:i], away, *profile[i + 1 :]))[i]
            demand({k: 1.0}, float(worth - outside))
    if balanced:
        for profile in known:
            demand({column[i, profile]: -1.0 for i in range(players)} | {len(column): -1.0}, 0.0)
    cost = np.zeros(len(column) + 1)
    cost[-1] = 1.0
    bounds = [(None, None)] * len(column) + [(0, None)]
    found = linprog(cost, np.array(rows), np.array(limits), bounds=bounds, method="highs")
    return found.status == 0, float(found.fun) if found.status == 0 else None


def assert_payments_work(games: Sequence[ab.TabularGame], found: Implementation) -> None:
    """Check every constraint by its definition."""
    known = by_types(games)
    positions = {
        profile: tuple(found.family.types[i].index(t) for i, t in enumerate(profile))
        for profile in known
    }
    for profile, game in known.items():
        paid = found.payments[positions[profile]]
        for i, worth in enumerate(game.payoffs(profile)):
            for other in known:
                if [j for j in range(len(profile)) if other[j] != profile[j]] == [i]:
                    lie = game.payoffs(other)[i] - found.payments[positions[other]][i]
                    assert worth - paid[i] >= lie
            away = game.absent(i)
            if away is not None:
                alone = game.payoffs((*profile[:i], away, *profile[i + 1 :]))[i]
                assert worth - paid[i] >= alone


@given(st.randoms(use_true_random=False), st.sampled_from([(2, 2), (3, 2), (4,), (2, 2, 2)]))
def test_the_answer_is_that_of_a_linear_programme(draw: Any, sizes: tuple[int, ...]) -> None:
    games = random_family(draw, sizes)
    found = implement(games)
    exists, _ = solve_by_linear_programme(games, rational=True, balanced=False)
    assert found.implementable == exists
    if exists:
        _, subsidy = solve_by_linear_programme(games, rational=True, balanced=True)
        assert float(found.subsidy) == pytest.approx(subsidy, abs=1e-7)
        assert found.budget == (found.subsidy == 0)
        assert_payments_work(games, found)


@given(st.randoms(use_true_random=False), st.sampled_from([(3, 2), (4,), (2, 2, 2)]))
def test_a_certificate_convinces_a_checker_that_shares_no_code(
    draw: Any, sizes: tuple[int, ...]
) -> None:
    games = random_family(draw, sizes)
    found, known = implement(games), by_types(games)
    types = found.family.types
    if isinstance(found.certificate, LyingCycle):
        i = found.certificate.player
        rest = [t for j, t in enumerate(types) if j != i]
        others = tuple(t[k] for t, k in zip(rest, found.certificate.others, strict=True))
        assert check_chain(known, i, others, [types[i][k] for k in found.certificate.types])
        # Any other chain, the honest one first of all, does not convince.
        assert not check_chain(known, i, others, [types[i][0]])
    elif isinstance(found.certificate, Deficit):
        profile = tuple(types[i][k] for i, k in enumerate(found.certificate.profile))
        paths = [[types[i][k] for k in path] for i, path in enumerate(found.certificate.paths)]
        assert check_deficit(known, profile, paths)
        assert found.certificate.total < 0
    else:
        assert found.holds


def make_trade(outside: Sequence[int | None]) -> list[ab.TabularGame]:
    """Trade where the buyer offers more than the seller wants; staying away is no action."""
    offers, costs = (1, 3), (0, 2)
    traded = np.array([[offer > cost for cost in costs] for offer in offers])
    return [
        ab.TabularGame(
            [traded * offers[b], traded * -costs[s]],
            players=["buyer", "seller"],
            truth=[b, s],
            outside=outside,
        )
        for b, s in product(range(2), range(2))
    ]


def test_a_deficit_convinces_where_staying_away_is_no_action() -> None:
    games = make_trade([0, 0])
    found = implement(games)
    assert isinstance(found.certificate, Deficit)
    assert (found.subsidy, found.certificate.paths) == (1, ((0, 1), (1, 0)))
    assert check_deficit(by_types(games), found.certificate.profile, found.certificate.paths)
    # Who cannot stay away can be made to pay, so that nothing is proved.
    held = by_types(make_trade([0, None]))
    assert not check_deficit(held, found.certificate.profile, found.certificate.paths)


def test_an_answer_is_short_as_text() -> None:
    assert len(repr(implement(make_trade([0, 0])))) < 250


@given(st.randoms(use_true_random=False))
def test_no_payments_take_more_than_the_greatest_and_none_less_than_the_least(draw: Any) -> None:
    games = random_family(draw, (3, 2))
    most = implement(games)
    if not most.implementable:
        return
    least = implement(games, payments="least")
    if all(x >= 0 for paid in most.payments.values() for x in paid):
        assert_payments_work(games, least)
        for profile, paid in least.payments.items():
            assert all(0 <= a <= b for a, b in zip(paid, most.payments[profile], strict=True))


def shortest_chain(games: Sequence[ab.TabularGame], i: int) -> int | None:
    """The fewest types in a chain of lies that pays, by trying all."""
    from itertools import permutations

    known = by_types(games)
    types = sorted({p[i] for p in known})
    others = sorted({(*p[:i], *p[i + 1 :]) for p in known})
    for length in range(2, len(types) + 1):
        for chain in permutations(types, length):
            if any(check_chain(known, i, rest, chain) for rest in others):
                return length
    return None


@given(st.randoms(use_true_random=False))
def test_the_chain_of_lies_is_the_shortest(draw: Any) -> None:
    games = random_family(draw, (4, 2))
    found = implement(games).certificate
    if isinstance(found, LyingCycle):
        assert len(found.types) == shortest_chain(games, found.player)


def sell(bids: dict[str, int]) -> str:
    return max(bids, key=lambda p: bids[p])


def value(party: str, type_: int, winner: str) -> int:
    return type_ if party == winner else 0


def test_the_greatest_payments_of_an_efficient_sale_are_second_prices() -> None:
    games = list(ab.tabulate_all(sell, value, {p: range(6) for p in "abc"}, absent=0))
    found = implement(games)
    assert found.holds
    for profile, paid in found.payments.items():
        bids = [k + 1 for k in profile]
        winner = bids.index(max(bids))
        # A tie goes to the first, so that a later winner must bid one more.
        price = max((b if j > winner else b + 1) for j, b in enumerate(bids) if j != winner)
        # The least type is 1, so that whoever wins with every type may be asked for 1.
        assert paid == tuple(max(price, 1) if j == winner else 0 for j in range(3))


def test_selling_to_the_lowest_bidder_has_no_payments_and_a_chain_of_two() -> None:
    def sell_low(bids: dict[str, int]) -> str:
        return min(bids, key=lambda p: bids[p] or 99)

    found = implement(ab.tabulate_all(sell_low, value, {p: range(4) for p in "ab"}, absent=0))
    assert not found.implementable
    assert isinstance(found.certificate, LyingCycle)
    assert len(found.certificate.types) == 2
    assert found.as_dict()["certificate"]["kind"] == "chain of lies"


def test_efficient_bilateral_trade_needs_a_subsidy() -> None:
    """Myerson and Satterthwaite, with types 1 to 4: trade where the buyer values it more."""

    def trade(reports: dict[str, int]) -> bool:
        return 0 < reports["seller"] < reports["buyer"]

    def worth(party: str, type_: int, trades: bool) -> int:
        if party == "seller":
            return 0 if trades else type_
        return type_ if trades else 0

    games = list(
        ab.tabulate_all(trade, worth, {p: range(5) for p in ("seller", "buyer")}, absent=0)
    )
    found = implement(games)
    assert found.implementable
    assert found.budget is False
    # A buyer of 4 pays the least type that trades; a seller of 1 gets the greatest.
    assert found.subsidy == max(
        (min(b - 1, 4) - (s + 1)) for s in range(1, 5) for b in range(1, 5) if s < b
    )
    assert implement(games, budget=None).budget is None


def build_common_value_game(truth: tuple[int, int]) -> ab.TabularGame:
    """The second player's true type says whether the first one gains or loses by the good."""
    payoffs = np.zeros((2, 2, 2), dtype=object)
    for r, s in product(range(2), repeat=2):
        receives = r if s == 0 else 1 - r
        payoffs[0, r, s] = receives * truth[0] * (1 if truth[1] == 0 else -1)
    return ab.TabularGame(payoffs.tolist(), truth=truth)


def test_dominant_asks_for_more_where_values_depend_on_the_others_types() -> None:
    games = [build_common_value_game(truth) for truth in product(range(2), repeat=2)]
    ex_post = implement(games, individually_rational=False)
    dominant = implement(games, ic="dominant", individually_rational=False)
    assert ex_post.implementable
    assert not dominant.implementable
    assert isinstance(dominant.certificate, LyingCycle)


def test_payments_that_a_game_makes_already_are_taken_out_first() -> None:
    def sell_first_price(bids: dict[str, int]) -> tuple[str, int]:
        winner = sell(bids)
        return winner, bids[winner]

    games = ab.tabulate_all(
        sell_first_price,
        lambda party, type_, sale: (type_ - sale[1]) if party == sale[0] else 0,
        {p: range(4) for p in "ab"},
        absent=0,
        payment=lambda party, sale: sale[1] if party == sale[0] else 0,
    )
    plain = implement(ab.tabulate_all(sell, value, {p: range(4) for p in "ab"}, absent=0))
    assert implement(games).payments == plain.payments


def test_what_is_no_family_is_refused() -> None:
    games = list(ab.tabulate_all(sell, value, {p: range(3) for p in "ab"}, absent=0))
    with pytest.raises(ValueError, match="one game for each of the 4 profiles"):
        implement(games[:-1])
    with pytest.raises(ValueError, match="there is no game"):
        implement([])
    with pytest.raises(ValueError, match="dominant"):
        implement(games, ic="bayesian")


def test_a_single_game_has_one_type_each_and_payments() -> None:
    found = implement(ab.TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]]))
    assert found.holds
    assert list(found.payments) == [(0, 0)]


def test_numbers_beyond_64_bits_stay_exact() -> None:
    huge = 10**40

    def worth(party: str, type_: int, winner: str) -> int:
        return type_ * huge if party == winner else 0

    found = implement(ab.tabulate_all(sell, worth, {p: range(4) for p in "ab"}, absent=0))
    assert max(x for paid in found.payments.values() for x in paid) == 3 * huge


def test_too_many_constraints_are_refused_before_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aboveboard.implementation.family.MOST_CONSTRAINTS", 10)
    games = list(ab.tabulate_all(sell, value, {p: range(4) for p in "ab"}, absent=0))
    with pytest.raises(BudgetExceeded, match="36 incentive constraints"):
        implement(games)
