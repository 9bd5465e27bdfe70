"""Bidding languages: what a bundle is worth, against their definitions spelled out."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.market.model.bidding import Additive, BundleTable, Or, Xor, restrict

GOODS = 4
bundles = st.integers(0, 2**GOODS - 1)
bids = st.lists(st.tuples(st.integers(1, 2**GOODS - 1), st.integers(-9, 9)), max_size=6).map(tuple)


def inside(bid: int, bundle: int) -> bool:
    return bid & bundle == bid


@given(bids.map(dict), bundles)
def test_a_table_values_the_listed_bundles_exactly_and_no_others(
    listed: dict[int, int], bundle: int
) -> None:
    assert BundleTable(tuple(listed.items())).value(bundle) == listed.get(bundle, 0)


@given(st.lists(st.integers(-9, 9), min_size=GOODS, max_size=GOODS), bundles)
def test_an_additive_value_is_the_sum_of_its_goods(values: list[int], bundle: int) -> None:
    parts = [Additive(tuple(values)).value(bundle & 1 << g) for g in range(GOODS)]
    assert Additive(tuple(values)).value(bundle) == sum(parts)


@given(bids, bundles)
def test_xor_takes_the_best_bid_inside(listed: tuple[tuple[int, int], ...], bundle: int) -> None:
    found = [value for bid, value in listed if inside(bid, bundle)]
    assert Xor(listed).value(bundle) == (max(found) if found else 0)


@given(bids, bundles)
def test_or_takes_the_best_disjoint_bids_inside_at_least_one(
    listed: tuple[tuple[int, int], ...], bundle: int
) -> None:
    fitting = [bid for bid in listed if inside(bid[0], bundle)]
    sums = [
        sum(value for _, value in some)
        for size in range(1, len(fitting) + 1)
        for some in combinations(fitting, size)
        if all(not a & b for (a, _), (b, _) in combinations(some, 2))
    ]
    assert Or(listed).value(bundle) == (max(sums) if sums else 0)


def test_a_negative_bid_is_a_burden_that_comes_with_the_goods() -> None:
    assert [language(((1, -2),)).value(1) for language in (BundleTable, Xor, Or)] == [-2, -2, -2]


def test_a_burden_is_lifted_by_a_better_bid_inside() -> None:
    assert Xor(((1, -2), (2, 1))).value(3) == 1


@given(bids, bundles)
def test_no_bundle_is_beyond_the_extremes(listed: tuple[tuple[int, int], ...], bundle: int) -> None:
    for valuation in (BundleTable(listed), Xor(listed), Or(listed)):
        lowest, highest = valuation.find_extremes()
        assert lowest <= valuation.value(bundle) <= highest


def test_an_or_of_many_bids_in_a_chain_is_searched_part_by_part() -> None:
    # Fifty bids of two neighbouring goods each; every other one is the best packing.
    chain = tuple((3 << g, 1) for g in range(50))
    assert Or(chain).value((1 << 51) - 1) == 25


@pytest.mark.parametrize("language", [BundleTable, Xor, Or])
def test_the_empty_bundle_is_worth_nothing(language: type[BundleTable | Xor | Or]) -> None:
    assert language(((1, 5), (2, -5))).value(0) == 0


@given(bids, st.sets(st.integers(0, GOODS - 1)).map(sorted).map(tuple), bundles)
def test_a_valuation_of_some_goods_only_values_their_bundles_alike(
    listed: tuple[tuple[int, int], ...], kept: tuple[int, ...], bundle: int
) -> None:
    small = bundle & ((1 << len(kept)) - 1)
    full = sum(1 << good for k, good in enumerate(kept) if small >> k & 1)
    additive = Additive(tuple(range(-2, GOODS - 2)))
    for valuation in (BundleTable(listed), Xor(listed), Or(listed), additive):
        assert restrict(valuation, kept).value(small) == valuation.value(full)
