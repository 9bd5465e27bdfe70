"""Interval, average, contribution: settlements and games of all-or-nothing parties."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aboveboard as ab
from aboveboard.exchange.average import AveragePoint
from aboveboard.exchange.average import compute_benefits as average_benefits
from aboveboard.exchange.coalition_values import compute_rewards, find_decrease
from aboveboard.exchange.contribution import Contribution
from aboveboard.exchange.interval import OneDimensionalSearch, narrow
from depth import up_to
from oracles import exchange as oracle

fractions = st.fractions(min_value=-3, max_value=3, max_denominator=4)


def tastes(n: int, exclusivity: Fraction = Fraction(1)) -> dict[str, Fraction]:
    return {f"p{i + 1}": exclusivity for i in range(n)}


@given(
    st.lists(st.none() | st.tuples(st.integers(0, 4), st.integers(5, 9)), min_size=1, max_size=5)
)
def test_intervals_are_narrowed_as_the_plain_implementation_does(listed: list) -> None:
    intervals = [None if x is None else (Fraction(x[0]), Fraction(x[1])) for x in listed]
    expected = [None if r is None else r for _, r in oracle.interval(intervals)]
    assert narrow(intervals) == expected


def test_nested_intervals_mean_no_exchange() -> None:
    intervals = [(Fraction(0), Fraction(9)), (Fraction(3), Fraction(4))]
    assert narrow(intervals) == intervals


def test_identical_intervals_are_treated_alike() -> None:
    left, right = (Fraction(0), Fraction(6)), (Fraction(4), Fraction(9))
    after = narrow([left, right, left])
    assert after[0] == after[2]
    assert after[0] != left


def test_both_ends_of_the_intersection_gain_the_same_length() -> None:
    left, right = (Fraction(4), Fraction(10)), (Fraction(0), Fraction(7))
    (a, b), (c, d) = narrow([left, right])
    assert 6 - (b - a) == 7 - (d - c) == 3


@settings(max_examples=up_to(40))
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(5, 8)), min_size=2, max_size=4),
    st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1)]),
)
def test_joining_a_search_is_dominant(listed: list, exclusivity: Fraction) -> None:
    types = {f"p{i + 1}": (Fraction(a), Fraction(b)) for i, (a, b) in enumerate(listed)}
    game = OneDimensionalSearch(tastes(len(types), exclusivity)).game(types)
    assert ab.audit(game, [ab.DSIC()])["DSIC"].status == "holds"


@given(st.lists(st.tuples(fractions, fractions), min_size=1, max_size=5), st.data())
def test_benefits_of_averages_equal_the_plain_ones(points: list, data: st.DataObject) -> None:
    present = [data.draw(st.booleans()) for _ in points]
    assert average_benefits(points, present) == oracle.average(points, present)


def test_averaging_is_an_equilibrium_but_not_dominant() -> None:
    """Points (0, -1, 0); with 2 and 3 taking part, 3 gains 1/3 by leaving."""
    types = {f"p{i + 1}": (Fraction(x),) for i, x in enumerate((0, -1, 0))}
    game = AveragePoint(tastes(3)).game(types)
    verdicts = ab.audit(game, [ab.ExPostIC(), ab.DSIC()])
    assert verdicts["ex-post IC"].status == "holds"
    assert verdicts["DSIC"].status == "fails"
    assert verdicts["DSIC"].gain == Fraction(1, 3)


@settings(max_examples=up_to(40))
@given(st.lists(st.tuples(fractions, fractions), min_size=2, max_size=4))
def test_the_audit_of_an_average_equals_brute_force_exactly(points: list) -> None:
    n = len(points)
    types = {f"p{i + 1}": x for i, x in enumerate(points)}
    game = AveragePoint(tastes(n)).game(types)
    gain, _, _ = oracle.largest_participation_gain(
        lambda present: oracle.average(points, list(present)), n, Fraction(1), dominant=True
    )
    assert ab.audit(game, [ab.DSIC()])["DSIC"].gain == gain


monotone = st.integers(2, 4).flatmap(
    lambda n: st.lists(st.integers(0, 4), min_size=1 << n, max_size=1 << n).map(
        lambda raw: (
            [max(raw[s] for s in range(mask + 1) if s & mask == s) for mask in range(1 << n)]
            if (n := len(raw).bit_length() - 1)
            else raw
        )
    )
)


@given(monotone, st.booleans())
def test_rewards_equal_the_definition(values: list[int], pareto: bool) -> None:
    n = len(values).bit_length() - 1
    table = compute_rewards(values, pareto=pareto)
    for mask in range(1 << n):
        plain = oracle.contribution_pareto if pareto else oracle.contribution
        expected = plain([Fraction(v) for v in values], mask)
        assert [Fraction(x) for x in table[mask]] == [Fraction(x) for x in expected]


@settings(max_examples=up_to(60))
@given(monotone, st.booleans(), st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1)]))
def test_contributing_is_dominant_and_strongly_dominant(
    values: list[int], pareto: bool, exclusivity: Fraction
) -> None:
    n = len(values).bit_length() - 1
    rule = Contribution(tastes(n, exclusivity), pareto, tuple(values))
    game = rule.game({f"p{i + 1}": 1 << i for i in range(n)})
    verdicts = ab.audit(game, [ab.DSIC(), ab.StrongDominance()])
    assert [v.status for v in verdicts.values()] == ["holds", "holds"]


def test_contributing_stops_being_truthful_beyond_exclusivity_one() -> None:
    rule = Contribution(tastes(2, Fraction(3, 2)), False, (0, 0, 0, 1))
    verdict = ab.audit(rule.game({"p1": 1, "p2": 2}), [ab.ExPostIC()])["ex-post IC"]
    assert (verdict.status, verdict.gain) == ("fails", Fraction(1, 2))


def test_values_that_fall_are_found_with_the_coalitions() -> None:
    assert find_decrease([0, 2, 1, 1]) == (1, 3)
    assert find_decrease([0, 2, 1, 2]) is None


@pytest.mark.parametrize("values", [(0, "1/3", "1/2", "2/3"), (0, 1, 1, 2)])
def test_fractions_and_whole_values_are_settled_exactly(values: tuple) -> None:
    exact = tuple(Fraction(v) for v in values)
    settlement = Contribution(tastes(2), False, exact).settle({"p1": 1, "p2": 2})
    expected = oracle.contribution(list(exact), 3)
    assert [s.benefit for s in settlement.parties.values()] == expected
