"""Section 6.2: the growth market of two parties, its fast columns and its boundary."""

from __future__ import annotations

import sys
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.learning.desirable.growth_boundary import (
    find_boundary,
    sum_chain,
    trace_figure_3,
)
from aboveboard.learning.desirable.growth_market import MarketColumn, compute_all_payments
from aboveboard.learning.desirable.growth_rate import alpha_star, excess
from depth import up_to
from oracles import desirable as oracle


@settings(max_examples=up_to(25))
@given(
    st.floats(-1, 1.5).filter(lambda alpha: alpha != 0),
    st.integers(0, 400),
    st.integers(0, 1),
    st.integers(1, 300),
)
@example(-0.7, 0, 0, 600)
@example(-0.95, 1, 1, 600)
@example(-0.3, 100, 1, 600)
@example(-1.0, 17, 1, 600)
@pytest.mark.deep
def test_halving_finds_what_a_look_at_every_lie_finds(
    alpha: float, other: int, smallest: int, count: int
) -> None:
    column = MarketColumn(alpha, other, smallest)
    column.extend(count)
    plain = oracle.growth_column(alpha, other, range(smallest, smallest + count))
    assert column.payments == pytest.approx(plain, rel=1e-11, abs=1e-12 * (2 + count) ** 2.5)


@pytest.mark.parametrize("alpha", [-0.9, -0.67])
def test_a_column_that_doubles_is_the_column_made_at_once(alpha: float) -> None:
    once, doubled = MarketColumn(alpha, 1, 1), MarketColumn(alpha, 1, 1)
    once.extend(2048)
    for count in (256, 512, 1024, 2048):
        doubled.extend(count)
    assert np.array_equal(once.payments, doubled.payments)
    assert np.array_equal(once.parents, doubled.parents)


def test_a_column_goes_on_only_by_doubling() -> None:
    column = MarketColumn(-0.7, 1, 1)
    column.extend(100)
    with pytest.raises(ValueError, match="it doubles"):
        column.extend(200)


def test_threads_change_nothing() -> None:
    one, two = (compute_all_payments(-0.7, 70, 0, threads=k) for k in (1, 2))
    assert np.array_equal(one, two)


@pytest.mark.parametrize(
    ("alpha", "zero", "boundary"),
    [
        ("-0.7", True, 38),
        ("-0.67", True, 1512),
        ("-0.668", True, 2974),
        ("-0.7", False, 1223),
        ("-0.67", False, 56208),
        ("-0.668", False, 111523),
        pytest.param("-0.662", True, 606512, marks=pytest.mark.deep),
    ],
)
def test_the_boundary_of_max_to_step(alpha: str, zero: bool, boundary: int) -> None:
    found = find_boundary(Fraction(alpha), zero=zero)
    assert found.boundary == boundary
    assert found.loss is not None
    assert found.loss.profile == (0 if zero else 1, boundary + 1)
    assert found.loss.total < 0


@pytest.mark.slow
def test_the_boundary_that_the_paper_could_not_reach() -> None:
    assert find_boundary(Fraction("-0.662"), zero=False).boundary == 23309100


@pytest.mark.deep
@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("alpha", [-1.0, -0.95, -0.9, -0.85, -0.8, -0.76, -0.72, -0.7])
def test_one_column_decides_as_all_columns_do(alpha: float, zero: bool) -> None:
    found = find_boundary(Fraction(str(alpha)), zero=zero)
    assert found.boundary is not None
    smallest, count = (0, found.boundary + 20) if zero else (1, found.boundary + 19)
    own = compute_all_payments(alpha, count, smallest)
    losing = np.argwhere(own + own.T < -1e-12 * count) + smallest
    first = losing[losing.max(axis=1) == losing.max(axis=1).min()]
    assert {tuple(sorted(row)) for row in first.tolist()} == {(smallest, found.boundary + 1)}


@pytest.mark.parametrize("zero", [False, True])
def test_the_chain_beyond_the_boundary_is_a_loss_by_plain_arithmetic(zero: bool) -> None:
    found = find_boundary(Fraction("-0.75"), zero=zero).loss
    assert found is not None
    small, large = found.profile
    market = oracle.Growth(2, -0.75)
    plain = oracle.certified(market, (float(small), float(large)), [(small,), found.chain])
    joint = oracle.worth(market, 0, [large, small], [large, small])
    assert float(found.total) == pytest.approx(float(plain) / joint, rel=1e-9)
    assert sum_chain(Fraction("-0.75"), small, found.chain) == found.total


def test_the_boundary_grows_with_the_market() -> None:
    rows = list(trace_figure_3([Fraction(k, 100) for k in range(-100, -67)]))
    for zero in (False, True):
        boundaries = [row.boundary for row in rows if row.zero == zero]
        assert boundaries == sorted(boundaries)
        assert boundaries[0] < boundaries[-1]


@pytest.mark.parametrize("alpha", ["-1.001", "-3", "-0.6609", "-0.5", "0", "2"])
def test_there_is_no_boundary_in_shrinking_or_fast_growing_markets(alpha: str) -> None:
    for zero in (False, True):
        found = find_boundary(Fraction(alpha), zero=zero)
        assert found.boundary is None
        assert found.loss is None
        assert found.reason


def test_where_there_is_no_boundary_no_column_of_a_grid_loses() -> None:
    for alpha in (-0.6609, -0.5, -0.1):
        own = compute_all_payments(alpha, 300, 0)
        assert (own + own.T >= -1e-12).all()


def test_alpha_star_to_thirty_digits() -> None:
    assert alpha_star() == Decimal("-0.660911032319405610659303993258")


@pytest.mark.deep
def test_at_alpha_star_the_worst_lie_costs_the_center_nothing_and_below_it_something() -> None:
    ratios = [Decimal(k) / 1000 for k in range(1, 1000)]
    with localcontext() as context:
        context.prec = 50
        star = alpha_star(30)
        worst = max(excess(star, r) for r in ratios)
        assert Decimal("-1e-6") < worst < Decimal("1e-25")
        assert max(excess(star - Decimal("1e-4"), r) for r in ratios) > Decimal("1e-5")
        # The same condition as a bound on the limit of payments, as docs/theory.md states it.
        a, r = float(star), np.linspace(0.01, 0.9, 100_001)
        steepest = ((1 + r) ** a - 2**a * r ** (a + 1)) / (1 - r ** (a + 1))
        assert steepest.max() == pytest.approx(2 ** (a + 1), abs=1e-9)


def test_a_boundary_out_of_reach_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # The package's face has the function under the module's name.
    module = sys.modules["aboveboard.learning.desirable.growth_boundary"]
    monkeypatch.setattr(module, "MOST_SIZES", 2**11)
    with pytest.raises(InputError, match="so near to alpha"):
        find_boundary(Fraction("-0.668"), zero=True)


@pytest.mark.parametrize(
    ("parties", "digits"), [(3, "-0.7183450"), (4, "-0.7481153"), (5, "-0.7672154")]
)
def test_alpha_star_of_more_parties(parties: int, digits: str) -> None:
    assert str(alpha_star(7, parties)) == digits


@pytest.mark.parametrize("parties", [2, 3, pytest.param(4, marks=pytest.mark.deep)])
def test_below_alpha_star_profiles_of_one_large_party_lose_and_above_they_do_not(
    parties: int,
) -> None:
    def first_loss(alpha: float, top: int) -> int | None:
        """Charge size after size of (a, 0, .., 0) against all lies; return the first loss."""
        sizes = np.arange(1.0, top + 1)
        paid: list[float] = []
        for k, size in enumerate(sizes):
            honest = (parties * size) ** alpha * size
            # A report r leaves the others the model of r, and the party its own.
            lies = (size + (parties - 1) * sizes[:k]) ** alpha * size - np.array(paid)
            kept = max([size ** (alpha + 1), *lies])
            paid.append(honest - kept)
            if paid[-1] + (parties - 1) * honest < -1e-12 * honest:
                return int(size)
        return None

    edge = float(alpha_star(12, parties))
    assert first_loss(edge - 0.02, 2500) is not None
    assert first_loss(edge + 0.002, 2500) is None


def test_alpha_star_of_many_parties_is_refused() -> None:
    with pytest.raises(InputError, match="not known for 6"):
        alpha_star(7, 6)
