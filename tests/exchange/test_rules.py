"""Every rule of set union against the independent oracle, and the invariants of amounts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import RULES
from oracles import exchange as oracle

PLAIN = {
    "two-party": oracle.two_party,
    "three-party": oracle.three_party,
    "three-party-pareto": oracle.three_party_pareto,
    "all-or-nothing": oracle.all_or_nothing,
    "best-group": oracle.best_group,
    "best-group-inside": oracle.best_group_inside,
    "equal-gain": oracle.equal_gain,
    "everything": oracle.everything,
}


def sets(least: int, most: int) -> st.SearchStrategy[list[frozenset[int]]]:
    """Lists of sets over up to nine elements."""
    return st.lists(st.frozensets(st.integers(0, 8)), min_size=least, max_size=most)


def regions_of(listed: list[frozenset[int]]) -> Regions:
    return Regions.from_sets({f"p{i}": s for i, s in enumerate(listed)})


@pytest.mark.parametrize("name", RULES)
def test_amounts_equal_those_of_the_plain_implementation(name: str) -> None:
    rule = RULES[name]

    @given(sets(rule.least, min(rule.most, 5)))
    def check(listed: list[frozenset[int]]) -> None:
        assert rule.compute_amounts(regions_of(listed)).tolist() == PLAIN[name](listed)

    check()


@pytest.mark.deep
@pytest.mark.parametrize("name", RULES)
def test_amounts_for_every_coalition_equal_those_of_the_plain_implementation(name: str) -> None:
    rule = RULES[name]

    @given(sets(rule.least, min(rule.most, 4)))
    def check(listed: list[frozenset[int]]) -> None:
        table = rule.compute_coalition_amounts(regions_of(listed))
        for mask, amounts in enumerate(table.tolist()):
            present = [s if mask >> i & 1 else frozenset() for i, s in enumerate(listed)]
            assert amounts == PLAIN[name](present)

    check()


@given(sets(3, 3).filter(lambda listed: all(listed)))
def test_best_group_gives_three_parties_what_theorem_2_2_gives(
    listed: list[frozenset[int]],
) -> None:
    regions = regions_of(listed)
    best = RULES["best-group"].compute_amounts(regions).tolist()
    assert best == RULES["three-party-pareto"].compute_amounts(regions).tolist()


@given(sets(2, 2).filter(lambda listed: all(listed)))
def test_best_group_gives_two_parties_what_proposition_1_gives(
    listed: list[frozenset[int]],
) -> None:
    regions = regions_of(listed)
    best = RULES["best-group"].compute_amounts(regions).tolist()
    assert best == RULES["two-party"].compute_amounts(regions).tolist()


@given(sets(2, 5))
def test_best_group_lies_between_equal_gain_and_mechanism_2(listed: list[frozenset[int]]) -> None:
    regions = regions_of(listed)
    least, middle, most = (
        RULES[name].compute_amounts(regions)
        for name in ("equal-gain", "best-group", "all-or-nothing")
    )
    assert (least <= middle).all()
    assert (middle <= most).all()


@pytest.mark.parametrize("name", RULES)
def test_nobody_is_handed_more_than_it_lacks(name: str) -> None:
    rule = RULES[name]

    @given(sets(rule.least, min(rule.most, 5)))
    def check(listed: list[frozenset[int]]) -> None:
        regions = regions_of(listed)
        amounts = rule.compute_amounts(regions)
        assert (amounts >= 0).all()
        assert (amounts <= regions.lacks).all()

    check()


@pytest.mark.parametrize("name", RULES)
def test_amounts_do_not_depend_on_the_order_of_parties(name: str) -> None:
    rule = RULES[name]

    @given(sets(rule.least, min(rule.most, 4)), st.randoms(use_true_random=False))
    def check(listed: list[frozenset[int]], random: object) -> None:
        order = list(range(len(listed)))
        random.shuffle(order)
        straight = rule.compute_amounts(regions_of(listed))
        shuffled = rule.compute_amounts(regions_of([listed[k] for k in order]))
        assert shuffled.tolist() == straight[order].tolist()

    check()


@pytest.mark.parametrize("name", RULES)
def test_amounts_depend_on_region_sizes_alone(name: str) -> None:
    """Many single elements, or one region that holds them all: the same amounts."""
    rule = RULES[name]

    @given(sets(rule.least, min(rule.most, 4)))
    def check(listed: list[frozenset[int]]) -> None:
        regions = regions_of(listed)
        assert (
            rule.compute_amounts(regions.split_into_elements()).tolist()
            == rule.compute_amounts(regions).tolist()
        )

    check()


def test_mechanism_2_of_twenty_parties_agrees_with_the_recursion_on_subsets_of_them() -> None:
    """Sixteen parties that hold nothing are as good as absent."""
    listed = [frozenset({0, 1, 2}), frozenset({2, 3}), frozenset({4}), frozenset({0, 4, 5})]
    padded = regions_of(listed + [frozenset()] * 16)
    expected = oracle.all_or_nothing(listed)
    assert RULES["all-or-nothing"].compute_amounts(padded).tolist() == expected + [0] * 16


def test_sixty_three_parties_fit_into_a_mask() -> None:
    listed = [frozenset({i, i + 1}) for i in range(63)]
    amounts = RULES["best-group"].compute_amounts(regions_of(listed))
    assert amounts.tolist() == oracle.equal_up_to(listed, int(amounts.max()))


def test_a_batch_of_instances_is_valued_like_each_alone() -> None:
    generator = np.random.default_rng(5)
    owners = np.arange(1, 8, dtype=np.uint64)
    counts = generator.integers(0, 6, size=(50, 7))
    masks = np.broadcast_to(owners, counts.shape)
    for name in ("three-party", "three-party-pareto", "all-or-nothing", "best-group", "equal-gain"):
        together = RULES[name].apply(np.ascontiguousarray(masks), counts, 3)
        alone = [RULES[name].apply(owners[None, :], row[None, :], 3)[0] for row in counts]
        assert together.tolist() == [row.tolist() for row in alone]
