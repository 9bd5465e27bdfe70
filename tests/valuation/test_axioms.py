"""What fair shares promise, and what the paper asks of a utility."""

from __future__ import annotations

from fractions import Fraction
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.games.numbers import as_objects
from aboveboard.valuation import DpMean, shapley_among_users
from aboveboard.valuation.shares import axioms
from aboveboard.valuation.utilities.utilities import tabulate_two_levels

F = Fraction
NAMES = ("a", "b", "c")
VALUES = st.lists(st.fractions(-5, 5, max_denominator=6), min_size=8, max_size=8)


def divided(table: object) -> object:
    return shapley_among_users(table).users


@given(VALUES, st.integers(0, 99))
def test_fair_shares_keep_all_four_axioms(values: list[F], seed: int) -> None:
    table = as_objects(values)
    shares = divided(table).tolist()
    assert axioms.check_fairness(table, shares, NAMES).holds
    assert axioms.check_null_player(table, shares, NAMES).holds
    assert axioms.check_efficiency(shares, values[-1] - values[0]).holds
    assert axioms.check_additivity(table, divided, seed).holds


@given(VALUES, st.sampled_from(NAMES), st.integers(0, 99))
@pytest.mark.deep
def test_they_keep_them_where_two_users_add_the_same_and_one_nothing(
    values: list[F], idle: str, seed: int
) -> None:
    k = NAMES.index(idle)
    table = as_objects([values[(m & ~(1 << k)).bit_count()] for m in range(8)])
    shares = divided(table).tolist()
    fair, null = (
        f(table, shares, NAMES) for f in (axioms.check_fairness, axioms.check_null_player)
    )
    assert fair.holds
    assert fair.checks >= 1
    assert null.holds
    assert null.checks >= 1
    wrong = [*shares]
    wrong[k] += 1
    assert not axioms.check_null_player(table, wrong, NAMES).holds
    wrong = [*shares]
    wrong[(k + 1) % 3] += 1
    assert not axioms.check_fairness(table, wrong, NAMES).holds
    assert not axioms.check_efficiency(wrong, table[-1] - table[0]).holds


def test_a_rule_that_is_not_additive_is_told() -> None:
    def greedy(table: object) -> object:
        shares = divided(table)
        return as_objects([x * x for x in shares.tolist()])

    check = axioms.check_additivity(as_objects([F(x) for x in range(8)]), greedy)
    assert not check.holds
    assert check.witness


@given(VALUES)
def test_monotone_says_what_loops_say(values: list[F]) -> None:
    table = as_objects(values).reshape(2, 2, 2)
    check = axioms.check_monotone(table, NAMES, [[0, 1]] * 3)
    falls = [
        table[a] - table[b]
        for a in np.ndindex(2, 2, 2)
        for b in np.ndindex(2, 2, 2)
        if sum(b) == sum(a) + 1 and all(x <= y for x, y in zip(a, b, strict=True))
    ]
    assert check.holds == (max(falls) <= 0)
    if not check.holds:
        assert -check.witness["gain"] == max(falls)


@given(VALUES)
def test_diminishing_returns_say_what_loops_say(values: list[F]) -> None:
    check = axioms.check_diminishing_returns(as_objects(values), NAMES)
    gains = [
        (m.bit_count(), values[m | 1 << i] - values[m])
        for i in range(3)
        for m in range(8)
        if not m >> i & 1
    ]
    assert check.holds == all(g >= h for m, g in gains for k, h in gains if k >= m)


@given(st.fractions(F(1, 10), 12, max_denominator=40))
def test_the_papers_own_example_lacks_diminishing_returns_below_2_sqrt_3(epsilon: F) -> None:
    table = tabulate_two_levels(DpMean(), 2, F(0), epsilon)
    check = axioms.check_diminishing_returns(table, ("1", "2"))
    assert check.holds == (epsilon**2 >= 12)
    if not check.holds:
        assert check.witness["before"]["switched"] == []
        assert check.witness["before"]["gain"] < check.witness["after"]["gain"]


@pytest.mark.parametrize("n", [2, 3, 6])
def test_without_noise_its_returns_diminish(n: int) -> None:
    names = tuple(map(str, range(n)))
    assert axioms.check_diminishing_returns(
        tabulate_two_levels(DpMean(), n, F(0), inf), names
    ).holds


def test_users_who_differ_are_told_from_growing_returns() -> None:
    check = axioms.check_diminishing_returns(as_objects([F(x) for x in (0, 1, 2, 3)]), ("a", "b"))
    assert not check.holds
    assert "users differ" in check.text


def test_what_holds_is_said_in_the_right_number() -> None:
    two, none = np.array([F(x) for x in (0, 1, 1, 2)]), np.array([F(x) for x in (0, 1, 2, 3)])
    same = axioms.check_fairness(two, [F(1), F(1)], NAMES[:2]).text
    assert same == "1 pair of users: both add the same, and both get the same"
    assert axioms.check_fairness(none, [F(1), F(2)], NAMES[:2]).text == "no two users add the same"
    assert (
        axioms.check_null_player(two, [F(1), F(1)], NAMES[:2]).text == "every user adds something"
    )
