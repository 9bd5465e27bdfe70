"""What data at given privacy levels are worth: closed forms against slow restatements."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import inf, nan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.valuation import (
    DpMean,
    FederatedMean,
    FunctionUtility,
    Population,
    TableUtility,
    compute_expected_errors,
    private_mean,
)
from aboveboard.valuation.levels import parse_level
from aboveboard.valuation.utilities.user_utilities import load_function
from aboveboard.valuation.utilities.utilities import dp_mean, federated_mean, restrict_levels
from depth import up_to
from oracles import valuation as oracle

F = Fraction

EPSILON = st.one_of(st.just(inf), st.just(F(0)), st.fractions(F(1, 50), 20, max_denominator=50))
EPSILONS = st.lists(EPSILON, min_size=1, max_size=5)


class TestDpMean:
    @settings(max_examples=up_to(40))
    @given(EPSILONS)
    def test_the_risk_is_the_smallest_found_by_search(self, epsilons: list) -> None:
        found = private_mean(epsilons)
        floats = [float(e) for e in epsilons]
        assert float(found.risk) == pytest.approx(oracle.dp_minimal_risk(floats), abs=1e-9)
        weights = [float(w) for w in found.weights]
        assert oracle.dp_risk(weights, floats) == pytest.approx(float(found.risk), abs=1e-12)

    @given(EPSILONS)
    def test_levels_are_kept_and_the_utility_is_the_risk_rescaled(self, epsilons: list) -> None:
        found = private_mean(epsilons)
        n = len(epsilons)
        for w, e in zip(found.weights, epsilons, strict=True):
            # An estimate with noise of scale 1/eta gives user i the level w_i eta.
            assert e == inf or w <= e * found.noise
        best = F(1, 6 * (n + 2))
        assert found.utility == (F(1, 12) - found.risk) / (F(1, 12) - best)

    @given(EPSILONS)
    def test_tau_solves_its_equation(self, epsilons: list) -> None:
        tau = private_mean(epsilons).tau
        finite = [e for e in epsilons if 0 < e < inf]
        if not finite:
            assert tau == inf
            assert private_mean(epsilons).noise == 0
        else:
            assert sum(e * max(tau - e, 0) for e in finite) == 12

    @given(EPSILONS)
    def test_the_table_is_the_closed_form_of_every_coalition(self, epsilons: list) -> None:
        exact = [dp_mean.utility(restrict_levels(epsilons, m)) for m in range(1 << len(epsilons))]
        floats = np.array([float(e) for e in epsilons])
        assert dp_mean.tabulate(floats) == pytest.approx([float(x) for x in exact], abs=1e-13)
        assert DpMean().table(epsilons).tolist() == exact

    @given(EPSILONS)
    def test_types_and_users_agree(self, epsilons: list) -> None:
        grouped = DpMean().group_users(epsilons)
        for counts in product(*(range(size + 1) for size in grouped.sizes)):
            left = list(counts)
            present = []
            for e, t in zip(epsilons, grouped.type_of, strict=True):
                joins = t is not None and left[t] > 0
                if joins:
                    left[t] -= 1
                present.append(e if joins else F(0))
            exact = dp_mean.utility(present)
            assert grouped.exact(counts) == exact
            assert grouped.worth(np.array([counts], dtype=np.int64))[0] == pytest.approx(
                float(exact), abs=1e-13
            )

    @pytest.mark.parametrize("e", [F(1, 2), F(1), F(3), F(10)])
    def test_two_users_have_equation_36(self, e: F) -> None:
        assert dp_mean.utility([e, F(0)]) == 2 / (3 + 24 / e**2)
        assert dp_mean.utility([F(0), e]) == 2 / (3 + 24 / e**2)
        assert dp_mean.utility([e, e]) == 1 / (1 + 3 / e**2)

    def test_without_limits_two_users_have_equation_10(self) -> None:
        assert DpMean().table([inf, inf]).tolist() == [0, F(2, 3), F(2, 3), 1]

    def test_a_user_above_tau_is_saturated(self) -> None:
        tau = private_mean([F(1), inf]).tau
        assert tau == 13
        assert dp_mean.utility([F(1), tau]) == dp_mean.utility([F(1), inf])
        assert dp_mean.utility([F(1), tau / 2]) < dp_mean.utility([F(1), inf])

    @pytest.mark.parametrize("e", [1e-200, 1e-9, 1e8, 1e9, 1e150, 1e308])
    def test_extreme_levels_stay_finite(self, e: float) -> None:
        table = dp_mean.tabulate(np.array([1.0, e, 2.0]))
        exact = [dp_mean.utility(restrict_levels([F(1), F(e), F(2)], m)) for m in range(8)]
        assert table == pytest.approx([float(x) for x in exact], abs=1e-12)

    @pytest.mark.parametrize("bad", [[], [F(-1)], [nan]])
    def test_levels_that_are_none_are_refused(self, bad: list) -> None:
        with pytest.raises(ValueError, match="privacy levels"):
            private_mean(bad)


LEVELS = st.lists(st.integers(0, 2), min_size=1, max_size=5)


@st.composite
def populations(draw: st.DrawFn) -> tuple:
    levels = draw(LEVELS)
    n = len(levels)
    samples = draw(st.lists(st.integers(1, 200), min_size=n, max_size=n))
    weights = draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
    s2 = draw(st.fractions(F(1, 10), 100, max_denominator=10))
    t2 = draw(st.fractions(F(1, 10), 100, max_denominator=10))
    return Population(s2, t2), levels, samples, weights


class TestFederatedMean:
    @given(populations())
    @pytest.mark.deep
    def test_errors_are_the_smallest_of_equation_54(self, drawn: tuple) -> None:
        population, levels, samples, _ = drawn
        found = compute_expected_errors(population, levels, samples)
        s2, t2 = float(population.s2), float(population.t2)
        for i, error in enumerate(found):
            slow = oracle.emse_by_minimisation(s2, t2, levels, samples, i)
            assert float(error) == pytest.approx(slow, rel=1e-6)

    @pytest.mark.parametrize("levels", [(0, 1, 1, 2), (2, 2, 0, 0), (1, 1, 1, 1), (1, 2, 2, 2)])
    def test_errors_are_found_by_simulation(self, levels: tuple[int, ...]) -> None:
        samples, generator = [5, 20, 3, 50], np.random.default_rng(11)
        found = compute_expected_errors(Population(F(2), F(30)), levels, samples)
        for i in range(4):
            mean, deviation = oracle.emse_by_simulation(
                2.0, 30.0, levels, samples, i, 40_000, generator
            )
            assert abs(mean - float(found[i])) < 5 * deviation

    @given(populations())
    def test_the_table_is_equation_17_of_every_coalition(self, drawn: tuple) -> None:
        population, levels, samples, weights = drawn
        utility = FederatedMean(population, tuple(map(F, samples)), tuple(map(F, weights)))
        exact = tuple(map(F, levels))
        table = utility.table(exact)
        scale = 1e-9 * (1 + sum(weights))
        s2, t2 = float(population.s2), float(population.t2)
        for mask in range(1 << len(levels)):
            present = restrict_levels(exact, mask)
            assert utility.worth(present) == pytest.approx(table[mask], abs=scale)
        slow = oracle.federated_utility(s2, t2, levels, samples, weights)
        assert table[-1] == pytest.approx(slow, abs=1e-5 * (1 + sum(weights)))

    @given(populations())
    def test_types_and_users_agree(self, drawn: tuple) -> None:
        population, levels, samples, weights = drawn
        utility = FederatedMean(population, tuple(map(F, samples)), tuple(map(F, weights)))
        exact = tuple(map(F, levels))
        grouped, table = utility.group_users(exact), utility.table(exact)
        for mask in range(1 << len(levels)):
            counts = [0] * len(grouped.sizes)
            for i, t in enumerate(grouped.type_of):
                if t is not None and mask >> i & 1:
                    counts[t] += 1
            row = np.array([counts], dtype=np.int64).reshape(1, len(counts))
            assert grouped.worth(row)[0] == pytest.approx(table[mask], abs=1e-9)

    @pytest.mark.deep
    def test_one_who_federates_alone_gives_as_much_as_directly(self) -> None:
        population = Population(F(1), F(10))
        assert compute_expected_errors(population, [1, 0], [7, 9]) == compute_expected_errors(
            population, [2, 0], [7, 9]
        )

    def test_without_data_the_error_is_t2_and_twice_s2(self) -> None:
        assert compute_expected_errors(Population(F(3), F(5)), [0, 0], [1, 1]) == (11, 11)

    def test_the_utility_can_fall_when_one_more_federates(self) -> None:
        population = Population(F(1), F(10))
        utility = FederatedMean(population, (F(100), F(1)), (F(1), F(0)))
        assert utility.worth([F(1), F(0)]) > utility.worth([F(1), F(1)])

    def test_equal_users_need_no_within_variance_to_be_positive(self) -> None:
        assert compute_expected_errors(Population(F(0), F(10)), [2, 2], [10, 10]) == (
            F(1, 2),
            F(1, 2),
        )
        with pytest.raises(ValueError, match="t2 more than 0"):
            Population(F(1), F(0))


def recorded(levels: tuple) -> float:
    """Sum of square roots; infinity counts as 9."""
    return sum(sqrt(min(x, 9)) for x in levels)


class TestGivenUtilities:
    def test_a_table_holds_for_those_who_take_part(self) -> None:
        utility = TableUtility(tuple(map(F, [0, 1, 2, 5])))
        assert utility.table([F(1), F(0)]).tolist() == [0, 1, 0, 1]
        assert utility.worth([F(1), F(1)]) == 5

    def test_a_function_is_called_once_for_each_tuple_of_levels(self) -> None:
        calls = []

        def function(levels: tuple) -> int:
            calls.append(levels)
            return len([x for x in levels if x])

        utility = FunctionUtility("here:function", function)
        assert utility.table([F(1, 2), inf, F(0)]).tolist() == [0, 1, 1, 2, 0, 1, 1, 2]
        utility.table([F(1, 2), inf, F(0)])
        assert sorted(calls) == [(0, 0, 0), (0, inf, 0), (0.5, 0, 0), (0.5, inf, 0)]

    def test_a_function_is_found_by_name(self) -> None:
        utility = load_function(f"{__name__}:recorded")
        assert utility.worth([F(4), inf]) == 5

    @pytest.mark.parametrize("name", ["no_such_module:f", "math:no_such", "math:pi"])
    def test_what_cannot_be_called_is_refused(self, name: str) -> None:
        with pytest.raises(InputError, match="function"):
            load_function(name)

    @pytest.mark.parametrize("value", [nan, inf, "much"])
    def test_what_is_no_finite_number_is_refused_with_the_levels(self, value: object) -> None:
        with pytest.raises(InputError, match=r"\(1, 0\)"):
            FunctionUtility("here:f", lambda levels: value).worth([F(1), F(0)])

    def test_a_failing_function_is_named(self) -> None:
        with pytest.raises(InputError, match=r"'here:f'.*ZeroDivisionError"):
            FunctionUtility("here:f", lambda levels: 1 / 0).worth([F(1)])


class TestLevels:
    @pytest.mark.parametrize(
        ("given_", "read"),
        [("inf", inf), (inf, inf), (0.3, F(3, 10)), ("3/2", F(3, 2)), (2, F(2))],
    )
    def test_levels_mean_what_they_say(self, given_: object, read: object) -> None:
        assert parse_level(given_) == read

    @pytest.mark.parametrize("bad", [-1, nan, "much", True, None, "-inf", "1/0"])
    def test_what_is_no_level_is_refused(self, bad: object) -> None:
        with pytest.raises(ValueError, match="from 0 up"):
            parse_level(bad)

    @pytest.mark.parametrize("bad", ["1e9999999999", "1e400", "9" * 200 + "e200", "1e-301"])
    def test_a_level_that_no_float_holds_is_refused_at_once(self, bad: str) -> None:
        with pytest.raises(ValueError, match="a privacy level is"):
            parse_level(bad)


@pytest.mark.deep
def test_tables_of_twenty_users_are_the_closed_forms_of_some_coalitions() -> None:
    generator = np.random.default_rng(5)
    epsilons = generator.random(20) * 8
    table = dp_mean.tabulate(epsilons)
    for mask in generator.integers(0, 1 << 20, 20).tolist():
        present = restrict_levels([F(e) for e in epsilons.tolist()], mask)
        assert table[mask] == pytest.approx(float(dp_mean.utility(present)), abs=1e-12)
    assert (
        federated_mean.tabulate(
            Population(1.0, 10.0), np.zeros(3, np.int64), np.ones(3), np.ones(3)
        ).tolist()
        == [0.0] * 8
    )
