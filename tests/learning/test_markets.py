"""Qualities, valuations and allocations against plain loops, and what they refuse."""

from __future__ import annotations

import sys
from fractions import Fraction
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.games.numbers import as_objects
from aboveboard.learning import (
    FunctionValuation,
    Growth,
    Identity,
    LearningCurve,
    Linear,
    Logistic,
    Market,
    QuasiMonotone,
    assign_models,
    fit_learning_curve,
)
from aboveboard.learning.market.allocation import choose_served
from oracles import learning as oracle
from oracles.learning_instances import RULES, SIZES, linear_markets

F = Fraction


def market_of(matrix: list[list[Fraction]], rule: str = "all", quality: object = None) -> Market:
    linear = Linear(tuple(tuple(row) for row in matrix))
    return Market(quality or Identity(), linear, len(matrix), rule)


def row_of(values: list[Fraction]) -> np.ndarray:
    return as_objects(list(values))[None, :]


# ------------------------------------------------------------------------------- quality


@given(st.floats(0, 30))
def test_the_logistic_quality_is_that_of_section_6_1(s: float) -> None:
    assert Logistic().evaluate([s])[0] == pytest.approx((1 - exp(-s)) / (1 + exp(-s)), rel=1e-12)


@pytest.mark.parametrize("quality", [Logistic(), Identity(), LearningCurve(0.9, 20.0, 0.5)])
def test_quality_starts_at_zero_and_increases(quality: object) -> None:
    values = quality.evaluate(np.linspace(0, 20, 400))
    assert values[0] == 0
    assert (np.diff(values) > 0).all()


def test_the_identity_is_exact() -> None:
    assert Identity().evaluate(as_objects([F(1, 3), 7])).tolist() == [F(1, 3), 7]


def test_a_learning_curve_is_found_again_from_its_own_points() -> None:
    truth = LearningCurve(0.8, 40.0, 0.7)
    sizes = [5, 20, 80, 320, 1280]
    found = fit_learning_curve([(s, float(truth.evaluate([s])[0])) for s in sizes])
    assert (found.ceiling, found.scale, found.power) == pytest.approx((0.8, 40.0, 0.7), rel=1e-3)
    assert found.error < 1e-6


def test_a_fitted_curve_shows_its_residuals_and_stays_below_its_ceiling() -> None:
    points = [(10, 0.4), (100, 0.65), (100, 0.6), (1000, 0.74)]
    found = fit_learning_curve(points)
    fitted = found.evaluate([s for s, _ in points])
    assert [y for _, y in points] == pytest.approx((fitted + found.residuals).tolist())
    assert max(abs(x) for x in found.residuals) < 0.05
    assert found.evaluate([1e12])[0] <= found.ceiling <= 1


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([(10, 0.5), (20, 0.6)], "2 different sizes"),
        ([(0, 0.5), (20, 0.6), (30, 0.7)], "a size is 0"),
        ([(10, 0.5), (20, 1.6), (30, 0.7)], "a score is 1.6"),
        ([(10, -0.5), (20, 0.6), (30, 0.7)], "a score is -0.5"),
        ([(10, 0.9), (20, 0.6), (30, 0.3)], "scores do not rise"),
        ([(10, 0), (20, 0), (30, 0)], "no score is above 0"),
        ([(10, float("nan")), (20, 0.6), (30, 0.7)], "not finite"),
    ],
)
def test_scores_that_are_no_learning_curve_are_refused(points: list, said: str) -> None:
    with pytest.raises(InputError, match=said):
        fit_learning_curve(points)


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(InputError, match=r'pip install "aboveboard\[learning\]"'):
        fit_learning_curve([(1, 0.1), (2, 0.2), (3, 0.3)])


# ------------------------------------------------------------------------------- valuations


@given(linear_markets(), st.data())
def test_linear_values_are_those_of_example_1(
    matrix: list[list[Fraction]], data: st.DataObject
) -> None:
    q = [data.draw(SIZES) for _ in matrix]
    linear = Linear(tuple(tuple(row) for row in matrix))
    expected = oracle.linear(matrix)(q)
    assert linear.evaluate(row_of(q)).tolist() == [expected]
    assert [linear.compute_addends(row_of(q), i).sum() for i in range(len(matrix))] == expected
    floats = linear.evaluate([[float(x) for x in q]])[0]
    assert floats == pytest.approx([float(x) for x in expected])


@given(st.lists(st.integers(0, 9), min_size=2, max_size=4), st.sampled_from([-2, -1, 0, 1, 2]))
def test_growth_with_a_whole_rate_is_exact_and_agrees_with_floats(q: list[int], rate: int) -> None:
    growth, total = Growth(F(rate)), sum(q)
    expected = [F(total) ** rate * x if total else 0 for x in q]
    assert growth.evaluate(row_of([F(x) for x in q])).tolist() == [expected]
    floats = growth.evaluate(np.array([q], dtype=np.float64))[0]
    assert floats == pytest.approx([float(x) for x in expected])


def test_a_market_without_any_quality_is_worth_nothing() -> None:
    assert Growth(F(-7, 10)).evaluate(np.zeros((2, 3))).tolist() == [[0.0] * 3] * 2


def test_functions_are_called_once_for_each_different_profile() -> None:
    asked = []

    def double(q: tuple[float, ...]) -> list[float]:
        asked.append(q)
        return [2 * x for x in q]

    called = FunctionValuation("double", double, 2)
    values = called.evaluate(np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]))
    assert values.tolist() == [[2, 4], [6, 8], [2, 4]]
    called.evaluate(np.array([[3.0, 4.0]]))
    assert len(asked) == 2


def test_a_party_by_itself_has_no_others() -> None:
    values = QuasiMonotone((lambda x: 3 * x,), (lambda q: 1 + len(q),))
    assert values.evaluate(np.array([[1.0], [2.0]])).tolist() == [[4.0], [7.0]]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda q: [1.0], "let it give 2 finite numbers"),
        (lambda q: [float("nan"), 0.0], "let it give 2 finite numbers"),
        (lambda q: 1 / 0, "ZeroDivisionError"),
        (lambda q: ["a", "b"], "it failed with ValueError"),
    ],
)
def test_a_function_that_gives_no_values_is_refused(function: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        FunctionValuation("odd", function, 2).evaluate(np.ones((1, 2)))


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (lambda x: -x, "F falls from"),
        (lambda x: x - 2 * x**2, "F falls from"),
        (lambda x: 1.0, "F does not increase"),
    ],
)
def test_an_own_value_that_does_not_increase_is_refused(own: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        QuasiMonotone((own,), (lambda q: 0.0,)).check(1.0)


# ------------------------------------------------------------------------------- allocation


@given(linear_markets(), RULES, st.data())
def test_a_linear_market_serves_whose_column_is_not_negative(
    matrix: list[list[Fraction]], rule: str, data: st.DataObject
) -> None:
    n = len(matrix)
    sizes = [data.draw(SIZES) for _ in range(n)]
    there = [data.draw(st.booleans()) for _ in range(n)]
    reports = [t if yes else oracle.ABSENT for t, yes in zip(sizes, there, strict=True)]
    expected = oracle.served_by_columns(reports, matrix, rule)
    served = choose_served(market_of(matrix, rule), row_of(sizes), np.array([there]))
    assert set(np.flatnonzero(served[0]).tolist()) == expected
    x = assign_models(market_of(matrix, rule), row_of(sizes), np.array([there]))
    assert x[0].tolist() == oracle.handed_out(reports, expected, lambda s: s)


@given(linear_markets(), RULES, st.data())
def test_trying_all_sets_serves_as_well_as_the_columns(
    matrix: list[list[Fraction]], rule: str, data: st.DataObject
) -> None:
    # Linear, but given as a function: then nothing of it is known and all sets are tried.
    n = len(matrix)
    sizes = [float(data.draw(SIZES)) for _ in range(n)]
    there = [data.draw(st.booleans()) for _ in range(n)]
    floats = np.array([[float(x) for x in row] for row in matrix])
    searched = Market(Identity(), FunctionValuation("m", lambda q: floats @ q, n), n, rule)
    row, present = np.array([sizes]), np.array([there])
    x = assign_models(searched, row, present)[0]
    closed = assign_models(market_of(matrix, rule), row, present)[0]
    counted = there if rule == "participants" else [True] * n
    known = np.where(there, sizes, 0.0)
    totals = [(floats @ np.maximum(a, known))[counted].sum() for a in (x, closed)]
    assert totals[0] == pytest.approx(totals[1], abs=1e-9)


@given(
    st.sampled_from([-3, -2, -1, 0, 1]),
    st.lists(st.integers(0, 4), min_size=2, max_size=3),
    RULES,
    st.data(),
)
def test_the_growth_market_serves_all_or_nobody_as_trying_all_sets_would(
    rate: int, sizes: list[int], rule: str, data: st.DataObject
) -> None:
    n = len(sizes)
    there = [data.draw(st.booleans()) for _ in sizes]
    growth = Growth(F(rate))
    market = Market(Identity(), growth, n, rule)
    row = row_of([F(t) for t in sizes])
    x = assign_models(market, row, np.array([there]))[0].tolist()
    reports = [t if yes else oracle.ABSENT for t, yes in zip(sizes, there, strict=True)]

    def value(q: list[Fraction]) -> list[Fraction]:
        return growth.evaluate(row_of([F(a) for a in q]))[0].tolist()

    best = oracle.served_by(reports, value, lambda s: s, rule)
    known = [0 if t == oracle.ABSENT else t for t in reports]
    counted = [i for i in range(n) if rule != "participants" or there[i]]
    totals = [
        sum(value(oracle.in_use(a, known, lambda s: s))[i] for i in counted)
        for a in (x, oracle.handed_out(reports, best, lambda s: s))
    ]
    assert totals[0] == totals[1]


def test_below_minus_one_efficiency_means_sharing_nothing() -> None:
    market = Market(Identity(), Growth(F(-3, 2)), 2)
    assert not choose_served(market, row_of([F(1), F(2)]), np.array([[True, True]])).any()
    fair = Market(Identity(), Growth(F(-1)), 2)
    assert choose_served(fair, row_of([F(1), F(2)]), np.array([[True, True]])).all()


def test_a_tie_serves() -> None:
    market = market_of([[F(1), F(0)], [F(-1), F(0)]])
    assert choose_served(market, row_of([F(1), F(2)]), np.array([[True, True]])).all()


def test_data_of_who_is_not_served_are_used() -> None:
    market = market_of([[F(1), F(0)], [F(-2), F(1)]])
    assert assign_models(market, row_of([F(1), F(2)]), np.array([[True, True]])).tolist() == [
        [0, 3]
    ]


def test_too_many_sets_of_parties_are_refused_at_once() -> None:
    with pytest.raises(InputError, match=r"2\^17 sets"):
        Market(Logistic(), FunctionValuation("f", lambda q: q, 17), 17)
    assert Market(Logistic(), Growth(F(-1, 2)), 17).n == 17
    # A market that shrinks serves nobody, but who is best served without one party depends.
    assert Market(Logistic(), Growth(F(-2)), 17).n == 17
    with pytest.raises(InputError, match=r"2\^17 sets"):
        Market(Logistic(), Growth(F(-2)), 17, "participants")
