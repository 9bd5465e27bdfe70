"""Users of few types."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.errors import BudgetExceeded
from aboveboard.valuation import (
    DpMean,
    FederatedMean,
    Population,
    shapley_by_type,
    shapley_by_type_exactly,
)
from aboveboard.valuation.shares.few_types import _Sweep, estimate_states
from oracles import valuation as oracle

SIZES = st.lists(st.integers(1, 3), min_size=1, max_size=3).filter(lambda s: sum(s) <= 6)


def table_of(sizes: list[int], worth: dict[tuple[int, ...], Fraction]) -> list[Fraction]:
    """Every coalition's value, users in the order of their types."""
    type_of = [t for t, size in enumerate(sizes) for _ in range(size)]
    found = []
    for mask in range(1 << sum(sizes)):
        counts = [0] * len(sizes)
        for i, t in enumerate(type_of):
            counts[t] += mask >> i & 1
        found.append(worth[tuple(counts)])
    return found


@given(SIZES, st.integers(0, 2**32), st.booleans())
def test_types_give_what_the_table_of_all_coalitions_gives(
    sizes: list[int], seed: int, platform: bool
) -> None:
    generator = np.random.default_rng(seed)
    states = np.ndindex(*(size + 1 for size in sizes))
    worth = {k: Fraction(int(generator.integers(-99, 99)), 7) for k in states}
    each, kept = shapley_by_type_exactly(sizes, worth.__getitem__, platform=platform)
    values = table_of(sizes, worth)
    head = oracle.theorem_1(values) if platform else (values[0], oracle.theorem_2(values))
    first = np.cumsum([0, *sizes[:-1]])
    assert list(each) == [head[1][i] for i in first]
    assert kept == head[0]

    def batch(counts: np.ndarray) -> np.ndarray:
        return np.array([float(worth[tuple(row)]) for row in counts.tolist()])

    fast = shapley_by_type(sizes, batch, platform=platform, threads=1)
    assert fast.users == pytest.approx([float(x) for x in each], abs=1e-9)
    assert fast.platform == pytest.approx(float(kept), abs=1e-9)
    assert fast.error < 1e-9


@given(SIZES)
def test_states_have_hypergeometric_probabilities(sizes: list[int]) -> None:
    sweep = _Sweep(tuple(sizes), lambda counts: np.zeros(len(counts)))
    for s in range(sum(sizes) + 1):
        found = {}
        for counts, weight, _ in sweep._states(s, [0.0]):
            found.update(zip(map(tuple, counts.tolist()), weight.tolist(), strict=True))
        expected = {k: float(p) for k, p in oracle.hypergeometric(sizes, s).items() if p}
        assert found == pytest.approx(expected)


def test_many_users_share_a_linear_utility_by_what_each_brings() -> None:
    each = np.array([1.0, 2.5, -3.0])
    found = shapley_by_type([300, 500, 200], lambda counts: counts @ each)
    assert found.users == pytest.approx(each, abs=1e-11)
    assert found.error < 1e-9
    assert found.lost < 1e-6


def test_many_users_of_one_type_share_alike() -> None:
    found = shapley_by_type([5000], lambda counts: np.sqrt(counts[:, 0]))
    assert found.users == pytest.approx([np.sqrt(5000) / 5000])


@pytest.mark.parametrize("sizes", [[40, 60], [30, 20, 25]])
def test_leaving_out_improbable_states_changes_nothing(
    sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def worth(counts: np.ndarray) -> np.ndarray:
        return np.log1p(counts @ np.arange(1.0, len(sizes) + 1))

    short = shapley_by_type(sizes, worth)
    monkeypatch.setattr("aboveboard.valuation.shares.few_types.FLOOR", 1e-300)
    whole = shapley_by_type(sizes, worth)
    assert whole.states == np.prod([size + 1 for size in sizes])
    assert short.states < whole.states
    assert short.users == pytest.approx(whole.users, abs=1e-14)


@pytest.mark.parametrize("sizes", [[50, 50], [60, 30, 30], [20, 20, 20, 20]])
def test_states_are_estimated_before_the_work(sizes: list[int]) -> None:
    found = shapley_by_type(sizes, lambda counts: counts.sum(axis=1).astype(float))
    assert 0.4 < found.states / estimate_states(sizes) < 2.5


def test_far_too_many_states_are_refused() -> None:
    with pytest.raises(BudgetExceeded, match="fewer types"):
        shapley_by_type([1000] * 8, lambda counts: counts[:, 0].astype(float))


def test_empty_types_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one user"):
        shapley_by_type([3, 0], lambda counts: counts[:, 0].astype(float))


def test_a_utility_that_is_not_finite_is_named() -> None:
    with pytest.raises(ValueError, match=r"\[2, 1\]"):
        shapley_by_type([2, 1], lambda c: np.where(c.sum(axis=1) == 3, np.nan, 1.0), threads=1)


def test_closed_forms_by_types_and_by_table_agree() -> None:
    samples = tuple(map(Fraction, [100, 100, 10, 10, 10, 50]))
    weights = tuple(map(Fraction, [1, 1, 2, 2, 2, 1]))
    utility = FederatedMean(Population(Fraction(1), Fraction(10)), samples, weights)
    levels = tuple(map(Fraction, [2, 2, 1, 1, 1, 0]))
    grouped = utility.group_users(levels)
    by_types = shapley_by_type(grouped.sizes, grouped.worth)
    users = [0 if t is None else by_types.users[t] for t in grouped.type_of]
    from aboveboard.valuation import shapley_among_users

    assert users == pytest.approx(
        shapley_among_users(utility.table(levels)).users.tolist(), abs=1e-12
    )
    dp = DpMean().group_users([Fraction(1), Fraction(2), Fraction(1)])
    assert dp.sizes == (2, 1)


@pytest.mark.slow
def test_ten_thousand_users_of_three_types() -> None:
    sizes = (3333, 3333, 3334)
    levels = [Fraction(x) for x, size in zip((1, 2, 2), sizes, strict=True) for _ in range(size)]
    samples = [
        Fraction(x) for x, size in zip((10, 20, 30), sizes, strict=True) for _ in range(size)
    ]
    ones = (Fraction(1),) * 10_000
    utility = FederatedMean(Population(Fraction(1), Fraction(10)), tuple(samples), ones)
    grouped = utility.group_users(levels)
    found = shapley_by_type(grouped.sizes, grouped.worth, smooth=True)
    assert found.error < 1e-9
