"""Fair shares from a table of all coalitions."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.valuation import shapley_among_users, shapley_with_platform
from aboveboard.valuation.offers.pure_profiles import potential
from aboveboard.valuation.shares.kernels import add_up, sum_table
from aboveboard.valuation.shares.shapley import count_members, platform_weights, shapley_weights
from oracles import valuation as oracle

FRACTIONS = st.fractions(-10, 10, max_denominator=12)
TABLES = st.integers(1, 4).flatmap(lambda n: st.lists(FRACTIONS, min_size=1 << n, max_size=1 << n))


@given(TABLES)
def test_users_share_as_the_mean_over_orders_of_arrival_says(values: list[Fraction]) -> None:
    assert shapley_among_users(values).users.tolist() == oracle.shapley_by_permutations(values)
    assert shapley_among_users(values).users.tolist() == oracle.theorem_2(values)


@given(TABLES)
@pytest.mark.deep
def test_with_the_platform_shares_are_those_of_equations_5_and_6(values: list[Fraction]) -> None:
    platform, users = oracle.theorem_1(values)
    found = shapley_with_platform(values)
    assert found.users.tolist() == users
    assert found.platform == platform
    assert found.error == 0


@given(TABLES)
def test_with_the_platform_is_the_game_in_which_it_is_one_more_player(
    values: list[Fraction],
) -> None:
    augmented = [Fraction(0)] * len(values) + values  # the platform is the last player
    *users, platform = oracle.shapley_by_permutations(augmented)
    found = shapley_with_platform(values)
    assert (found.users.tolist(), found.platform) == (users, platform)


@given(TABLES, st.fractions(0, 1, max_denominator=9))
def test_users_share_alpha_of_what_their_data_add(values: list[Fraction], alpha: Fraction) -> None:
    found = shapley_among_users(values, alpha)
    assert sum(found.users.tolist()) == alpha * (values[-1] - values[0])
    assert found.platform == values[-1] - alpha * (values[-1] - values[0])


@given(TABLES)
def test_floats_and_fractions_agree(values: list[Fraction]) -> None:
    table = np.array([float(x) for x in values])
    for divide in (shapley_among_users, shapley_with_platform):
        exact, fast = divide(values), divide(table)
        assert fast.users == pytest.approx([float(x) for x in exact.users], abs=1e-11)
        assert fast.platform == pytest.approx(float(exact.platform), abs=1e-11)


@pytest.mark.parametrize("n", [8, 9, 10, 11, 13])
def test_blocks_of_rows_and_columns_meet(n: int) -> None:
    values = np.random.default_rng(n).integers(-50, 50, 1 << n)
    exact, fast = shapley_among_users(values), shapley_among_users(values.astype(np.float64))
    assert fast.users == pytest.approx([float(x) for x in exact.users], abs=1e-10)


def test_the_compiled_pass_is_its_plain_twin() -> None:
    generator = np.random.default_rng(3)
    table, weight = generator.random((8, 16)), generator.random((4, 16))
    members = count_members(3)
    by_size, of_row = np.zeros((4, 16)), np.empty(8)
    sum_table(table, weight, members, by_size, of_row)
    plain = oracle.one_pass(table, weight, members)
    assert by_size == pytest.approx(plain[0])
    assert of_row == pytest.approx(plain[1])
    sizes, users = np.zeros(8), np.empty(7)
    add_up(by_size, weight, of_row, count_members(4), sizes, users)
    plain = oracle.add_by_size_and_user(table.ravel(), weight)
    assert sizes == pytest.approx(plain[0])
    assert users == pytest.approx(plain[1])


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("start", range(8))
def test_a_table_may_begin_anywhere_in_memory(start: int, kind: Any) -> None:
    room = np.random.default_rng(start).normal(size=(1 << 11) + 8).astype(kind)
    table = room[start : start + (1 << 11)]
    exact = shapley_with_platform([Fraction(float(x)) for x in table])
    fast = shapley_with_platform(table)
    assert fast.users == pytest.approx([float(x) for x in exact.users], rel=1e-13, abs=1e-15)
    assert fast.platform == pytest.approx(float(exact.platform), rel=1e-13)


@pytest.mark.parametrize("n", [1, 2, 7, 26, 60])
def test_weights_are_a_distribution_over_coalitions_of_the_others(n: int) -> None:
    from math import comb

    users, platform = shapley_weights(n), platform_weights(n)
    assert sum(comb(n - 1, s) * users[s] for s in range(n)) == 1
    # A user meets the platform before it in half of all orders.
    assert sum(comb(n - 1, s) * platform[s] for s in range(n)) == Fraction(1, 2)


def test_one_user_has_everything() -> None:
    assert shapley_among_users([0, 5]).users.tolist() == [5]
    assert shapley_with_platform([0, 5]).users.tolist() == [Fraction(5, 2)]


@pytest.mark.parametrize("values", [[0.0], [], [0.0, 1.0, 2.0]])
def test_a_table_has_a_value_for_each_coalition(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"2\^N values"):
        shapley_among_users(values)


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_what_is_not_finite_is_named(bad: float) -> None:
    values = np.arange(8.0)
    values[5] = bad
    with pytest.raises(ValueError, match="coalition 5"):
        shapley_among_users(values)


def test_infinities_that_cancel_are_named_without_a_warning() -> None:
    values = np.arange(8.0)
    values[5], values[6] = inf, -inf
    with pytest.raises(ValueError, match="coalition 5"):
        shapley_among_users(values)


def test_potential_differences_are_shares() -> None:
    values = np.random.default_rng(1).random(32)
    values[0] = 0
    p = potential(values)
    users = shapley_among_users(values).users
    assert [p[31] - p[31 ^ 1 << i] for i in range(5)] == pytest.approx(users.tolist())


def test_the_pass_takes_little_memory_beyond_the_table() -> None:
    table = np.random.default_rng(0).random(1 << 22)
    shapley_among_users(table[:1024])
    tracemalloc.start()
    shapley_among_users(table)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < table.nbytes / 16


@pytest.mark.deep
@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("shared_from", [6, 8, 22])
@pytest.mark.parametrize("columns", [2, 5, 9])
@pytest.mark.parametrize("n", [6, 11])
def test_a_table_in_a_file_is_divided_where_it_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    n: int,
    columns: int,
    shared_from: int,
    kind: Any,
) -> None:
    monkeypatch.setattr("aboveboard.valuation.shares.shapley.COLUMNS", columns)
    monkeypatch.setattr("aboveboard.valuation.shares.shapley.SHARED_FROM", shared_from)
    monkeypatch.setattr("aboveboard.valuation.shares.shapley.PARTS", 2)
    written = np.memmap(tmp_path / "table", kind, "w+", shape=(1 << n,))
    written[:] = np.random.default_rng(n).integers(-50, 50, 1 << n)
    written.flush()
    table = np.memmap(tmp_path / "table", kind, "r")
    whole = [int(x) for x in table]
    exact, platform = shapley_among_users(whole), shapley_with_platform(whole)
    found, member = shapley_among_users(table), shapley_with_platform(table, threads=2)
    assert found.users == pytest.approx([float(x) for x in exact.users], abs=1e-10)
    assert member.users == pytest.approx([float(x) for x in platform.users], abs=1e-10)
    assert member.platform == pytest.approx(float(platform.platform), abs=1e-10)


def test_shares_have_the_same_bits_whatever_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aboveboard.valuation.shares.shapley.SHARED_FROM", 15)
    table = np.random.default_rng(2).random(1 << 15)
    one, two, cores = (shapley_among_users(table, threads=k).users.tolist() for k in (1, 2, None))
    assert one == two == cores


def test_a_table_of_float32_is_not_copied() -> None:
    table = np.random.default_rng(0).random(1 << 22, dtype=np.float32)
    shapley_among_users(table[:4096])
    tracemalloc.start()
    found = shapley_among_users(table)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < table.nbytes / 8
    assert found.users == pytest.approx(shapley_among_users(table.astype(np.float64)).users)


def test_a_value_that_is_not_finite_is_found_beyond_the_first_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aboveboard.valuation.shares.shapley.AT_ONCE", 4)
    values = np.arange(16.0)
    values[13] = nan
    with pytest.raises(ValueError, match="coalition 13"):
        shapley_among_users(values)
