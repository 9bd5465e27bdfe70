"""The search for desirable mechanisms, against Bellman-Ford over every constraint."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.learning.desirable.algorithms import (
    BY_COLUMNS,
    GROWTH_OF_TWO,
    UP_TO_PERMUTATION,
    choose_algorithm,
)
from aboveboard.learning.desirable.certificate import verify_certificate
from aboveboard.learning.desirable.constraints import compute_constraints
from aboveboard.learning.desirable.payments import compute_largest_payments
from aboveboard.learning.desirable.search import (
    find_first_profile,
    search_desirable,
    sizes_array,
)
from aboveboard.learning.desirable.symmetric import list_multisets, number_multisets
from aboveboard.learning.market.allocation import Market
from aboveboard.learning.market.quality import Identity, Logistic
from aboveboard.learning.market.valuations import FunctionValuation, Growth, Linear
from oracles import desirable as oracle

COEFFICIENT = st.fractions(-2, 2, max_denominator=4)
OWN = st.fractions(0, 2, max_denominator=4)


def sizes_to(top: int, *, zero: bool = False, step: int = 1) -> list[Fraction]:
    return [Fraction(k, step) for k in range(0 if zero else 1, top + 1)]


def growth(alpha: str, n: int = 2) -> Market:
    return Market(Identity(), Growth(Fraction(alpha)), n)


def table(found: object, i: int) -> np.ndarray:
    return found.payments[i].astype(float) * found.scale


def expected(paid: dict, n: int, m: int, i: int) -> np.ndarray:
    out = np.empty((m,) * n)
    for profile, each in paid.items():
        out[profile] = float(each[i])
    return out


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("alpha", ["-0.95", "-0.7", "-0.61", "-0.2"])
def test_growth_of_two_charges_what_bellman_ford_finds(alpha: str, zero: bool) -> None:
    sizes = sizes_to(9, zero=zero, step=3)
    found = search_desirable(growth(alpha), sizes)
    assert found.method == GROWTH_OF_TWO.name
    paid = oracle.payments(oracle.Growth(2, float(alpha)), [float(x) for x in sizes])
    for i in range(2):
        assert table(found, i) == pytest.approx(expected(paid, 2, len(sizes), i), abs=1e-12)
    assert found.violated == oracle.first_violated(paid, 1e-9)


@pytest.mark.parametrize("zero", [False, True])
def test_a_market_that_neither_grows_nor_shrinks_is_searched_in_fractions(zero: bool) -> None:
    sizes = sizes_to(7, zero=zero)
    found = search_desirable(growth("-1"), sizes)
    paid = oracle.payments(oracle.Growth(2, -1), sizes)
    assert found.exact
    for profile, each in paid.items():
        assert list(found.payments_at(profile)) == each
    assert found.violated == oracle.first_violated(paid)
    assert found.answer == "none"


@pytest.mark.deep
@given(st.data(), st.sampled_from(["all", "participants", "none"]), st.integers(2, 3))
def test_linear_markets_charge_what_bellman_ford_finds(data, rule, n) -> None:
    matrix = tuple(
        tuple(data.draw(OWN if i == j else COEFFICIENT) for j in range(n)) for i in range(n)
    )
    sizes = sizes_to(3, zero=True, step=2)
    found = search_desirable(Market(Identity(), Linear(matrix), n, rule), sizes)
    paid = oracle.payments(oracle.Linear(matrix, rule), sizes)
    assert found.exact
    for profile, each in paid.items():
        assert list(found.payments_at(profile)) == each
    assert found.violated == oracle.first_violated(paid)


@given(st.data())
def test_a_certificate_proves_the_loss_and_its_checker_agrees_with_plain_loops(data) -> None:
    n = 3
    matrix = tuple(
        tuple(data.draw(OWN if i == j else COEFFICIENT) for j in range(n)) for i in range(n)
    )
    market = Market(Identity(), Linear(matrix), n)
    found = search_desirable(market, sizes_to(2, zero=True))
    proof = found.certificate
    assert (proof is None) == found.exists
    if proof is not None:
        chains = [chain.reports for chain in proof.chains]
        total = oracle.certified(oracle.Linear(matrix), proof.profile, chains)
        assert total == verify_certificate(market, proof) == proof.total < 0


def test_a_certificate_in_a_growth_market_uses_long_lies() -> None:
    market = growth("-0.7")
    found = search_desirable(market, sizes_to(50, zero=True))
    proof = found.certificate
    assert proof is not None
    assert proof.profile == (0, 39)
    assert [chain.reports for chain in proof.chains] == [(0,), (1, 2, 3, 5, 8, 14, 23, 39)]
    plain = oracle.certified(
        oracle.Growth(2, -0.7), proof.profile, [chain.reports for chain in proof.chains]
    )
    assert verify_certificate(market, proof) == pytest.approx(float(plain), abs=1e-12)
    assert verify_certificate(market, proof) < -1e-4


def test_a_chain_that_does_not_rise_to_the_profile_is_no_certificate() -> None:
    market = growth("-0.7")
    proof = search_desirable(market, sizes_to(50, zero=True)).certificate
    assert proof is not None
    left, right = proof.chains
    for broken in (
        replace(right, reports=(*right.reports[:-1], 38)),
        replace(right, reports=(2, 1, *right.reports[2:])),
        replace(right, reports=()),
    ):
        with pytest.raises(ValueError, match="a chain"):
            verify_certificate(market, replace(proof, chains=(left, broken)))
    with pytest.raises(ValueError, match="one chain for each party"):
        verify_certificate(market, replace(proof, chains=(left,)))


def test_adjacent_constraints_alone_would_miss_the_loss() -> None:
    sizes = [float(x) for x in sizes_to(39, zero=True)]
    market = oracle.Growth(2, -0.7)
    full, adjacent = (
        oracle.bellman_ford(40, oracle.edges(market, sizes, 0, [0.0], adjacent_only=only))[39]
        for only in (False, True)
    )
    (other,) = oracle.bellman_ford(1, oracle.edges(market, [0.0], 1, [39.0]))
    assert full + other < -1e-3
    assert adjacent + other > 1e-3


def rivalry(q: tuple[float, ...]) -> list[float]:
    """Neither quasi-monotone nor symmetric; everybody's total rises with every quality."""
    total = sum(q) or 1.0
    return [q[0] * (2 - 0.3 * q[1]), q[1] * (1 + total**-0.5) + 0.2 * q[0], *(2 * x for x in q[2:])]


@pytest.mark.parametrize("n", [2, 3])
def test_any_function_of_the_qualities_can_be_the_valuation(n: int) -> None:
    sizes = sizes_to(4, step=4)
    market = Market(Identity(), FunctionValuation("rivalry", rivalry, n), n)
    found = search_desirable(market, sizes)
    assert found.method == BY_COLUMNS.name
    paid = oracle.payments(oracle.Given(n, rivalry), [float(x) for x in sizes])
    for i in range(n):
        assert table(found, i) == pytest.approx(expected(paid, n, len(sizes), i), abs=1e-12)


@pytest.mark.parametrize(("n", "top"), [(3, 6), (4, 4)])
@pytest.mark.parametrize("alpha", ["-0.95", "-0.7"])
def test_profiles_up_to_permutation_give_what_the_full_search_gives(n, top, alpha) -> None:
    sizes, market = sizes_to(top, zero=True), growth(alpha, n)
    found = search_desirable(market, sizes)
    assert found.method == UP_TO_PERMUTATION.name
    full = BY_COLUMNS.payments(market, sizes_array(sizes, exact=False))
    for i in range(n):
        assert found.payments[i] == pytest.approx(full.payments[i], abs=1e-13)
    sums = sum(full.payments[1:], full.payments[0])
    assert found.violated == find_first_profile(np.argwhere(sums < -found.tolerance))


def test_three_alike_parties_are_charged_what_bellman_ford_finds() -> None:
    sizes = sizes_to(4)
    found = search_desirable(growth("-0.8", 3), sizes)
    paid = oracle.payments(oracle.Growth(3, -0.8), [float(x) for x in sizes])
    for i in range(3):
        assert table(found, i) == pytest.approx(expected(paid, 3, 4, i), abs=1e-12)


def test_three_parties_with_dozens_of_sizes_are_searched_up_to_permutation() -> None:
    found = search_desirable(growth("-0.7", 3), sizes_to(40, zero=True))
    small = search_desirable(growth("-0.7", 3), sizes_to(10, zero=True))
    assert found.method == UP_TO_PERMUTATION.name
    assert found.payments[1][:11, :11, :11] == pytest.approx(small.payments[1], abs=1e-13)


@given(st.integers(1, 6), st.integers(1, 4))
def test_multisets_are_numbered_without_gaps_and_by_their_largest(m: int, k: int) -> None:
    every = list_multisets(m, k)
    assert number_multisets(every).tolist() == list(range(len(every)))
    assert len({tuple(row) for row in every.tolist()}) == len(every)
    assert (np.diff(every[:, -1]) >= 0).all()


@pytest.mark.parametrize("alpha", ["-0.9", "-0.7"])
def test_a_larger_grid_leaves_the_payments_of_a_smaller_one_as_they_are(alpha: str) -> None:
    small, large = (search_desirable(growth(alpha), sizes_to(top)) for top in (20, 33))
    assert np.array_equal(large.payments[0][:20, :20], small.payments[0])


@pytest.mark.parametrize("alpha", ["-1.01", "-2", "-7/2"])
def test_in_a_shrinking_market_sharing_nothing_for_nothing_is_desirable(alpha: str) -> None:
    for n in (2, 3):
        found = search_desirable(growth(alpha, n), sizes_to(5, zero=True))
        assert found.answer == "exists"
        assert all(not table.any() for table in found.payments)


@pytest.mark.parametrize("alpha", ["0", "1/2", "1", "2"])
@pytest.mark.parametrize("zero", [False, True])
def test_a_market_without_competition_has_a_desirable_mechanism(alpha: str, zero: bool) -> None:
    sizes = sizes_to(8, zero=zero)
    found = search_desirable(growth(alpha), sizes)
    assert found.answer == "exists"
    paid = oracle.payments(oracle.Growth(2, float(Fraction(alpha))), [float(x) for x in sizes])
    assert table(found, 0) == pytest.approx(expected(paid, 2, len(sizes), 0), abs=1e-9)


def test_a_sum_of_payments_within_rounding_of_0_is_no_violation() -> None:
    # Whatever one gains the other loses: payments sum to 0, in float64 to 1e-17.
    def duel(q: tuple[float, ...]) -> list[float]:
        return [q[0] ** 0.5 - q[1] ** 0.5, q[1] ** 0.5 - q[0] ** 0.5]

    found = search_desirable(
        Market(Identity(), FunctionValuation("duel", duel, 2), 2), sizes_to(6, step=7)
    )
    assert abs(found.smallest) < found.tolerance
    assert found.exists
    assert found.answer == ("undecided" if found.undecided else "exists")
    certain = Market(Identity(), Linear(((Fraction(1), Fraction(-1)),) * 1 + ((-1, 1),)), 2)
    assert search_desirable(certain, sizes_to(6)).answer == "exists"


def test_the_first_profile_is_that_with_the_smallest_largest_size_then_in_order() -> None:
    losing = np.array([[0, 9], [3, 4], [4, 1], [1, 4]])
    for order in permutations(range(4)):
        assert find_first_profile(losing[list(order)]) == (1, 4)
    assert find_first_profile(np.empty((0, 2), dtype=np.int64)) is None


@given(st.integers(0, 2**32), st.integers(1, 6))
def test_truth_is_worth_no_less_than_any_lie_to_the_last_bit(seed: int, m: int) -> None:
    generator = np.random.default_rng(seed)
    weights = generator.random((2, 2)) * 10.0 ** generator.integers(-8, 8)

    def odd(q: tuple[float, ...]) -> list[float]:
        return [float(weights[i] @ np.sqrt(q) - q[1 - i] ** 1.5) for i in range(2)]

    market = Market(Identity(), FunctionValuation("odd", odd, 2), 2)
    sizes = sizes_array(sizes_to(m, step=3), exact=False)
    given_ = compute_constraints(market, sizes, 0, np.arange(m)[:, None])
    paid = compute_largest_payments(given_).payments
    for c, t in product(range(m), range(m)):
        kept = given_.values[c, t, t] - paid[c, t]
        assert kept >= given_.alone[c, t]
        assert all(kept >= given_.values[c, r, t] - paid[c, r] for r in range(t))


def test_sizes_need_not_be_even() -> None:
    sizes = [Fraction(1, 2), Fraction(2), Fraction(3), Fraction(8)]
    found = search_desirable(growth("-0.8"), sizes)
    assert found.method == BY_COLUMNS.name
    paid = oracle.payments(oracle.Growth(2, -0.8), [float(x) for x in sizes])
    assert table(found, 0) == pytest.approx(expected(paid, 2, 4, 0), abs=1e-12)


@pytest.mark.deep
def test_memory_is_a_number_for_each_profile_and_not_for_each_constraint() -> None:
    search_desirable(growth("-0.668"), sizes_to(10))
    tracemalloc.start()
    search_desirable(growth("-0.668"), sizes_to(600))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    profiles, constraints_ = 600**2, 600**3
    assert peak < 10 * 8 * profiles < constraints_


def test_quasi_monotone_values_need_no_search_of_lies() -> None:
    matrix = ((Fraction(1), Fraction(-3, 4)), (Fraction(-1, 2), Fraction(1)))
    for quality in (Identity(), Logistic()):
        market, sizes = Market(quality, Linear(matrix), 2), sizes_to(7, zero=True)
        full = BY_COLUMNS.payments(market, sizes_array(sizes, exact=False))
        for mine, theirs in zip(
            search_desirable(market, sizes).payments, full.payments, strict=True
        ):
            assert mine.astype(float) == pytest.approx(theirs, abs=1e-13)


def test_a_search_that_would_not_end_is_refused_with_what_it_would_cost() -> None:
    with pytest.raises(InputError, match=r"grid: 500 sizes of 4 parties .* larger step"):
        search_desirable(growth("-0.7", 4), sizes_to(500))
    assert choose_algorithm(growth("-0.7", 4), 500) is UP_TO_PERMUTATION
