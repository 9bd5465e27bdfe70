"""A lie and the truth are compared under one order of handing out, over all orders."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aboveboard as ab
from aboveboard.auditing import Property
from aboveboard.exchange import RULES, HidingGame, Regions
from aboveboard.exchange.orders import Segment, SegmentArrays, list_benefits
from depth import up_to
from oracles import exchange as oracle

PLAIN = {
    "two-party": oracle.two_party,
    "three-party": oracle.three_party,
    "three-party-pareto": oracle.three_party_pareto,
    "all-or-nothing": oracle.all_or_nothing,
    "best-group": oracle.best_group,
    "equal-gain": oracle.equal_gain,
}


def make_game(rule: str, *sets: object, exclusivity: Fraction | int = 1) -> HidingGame:
    regions = Regions.from_sets({f"p{i}": s for i, s in enumerate(sets)})
    return HidingGame(regions, RULES[rule], (Fraction(exclusivity),) * len(sets))


def audit(game: HidingGame, prop: Property) -> ab.Verdict:
    return ab.audit(game, [prop])[prop.name]


def draw_lists(generator: np.random.Generator, n: int, elements: int) -> list[set[int]]:
    return [set(np.flatnonzero(generator.random(elements) < 0.6).tolist()) for _ in range(n)]


def test_a_gain_that_no_order_gives_is_not_reported() -> None:
    """The truth of p0 earns 0 or 1, and its lie 0, under every order: nothing is gained."""
    verdict = audit(make_game("equal-gain", "uw", "uw", "uvw"), ab.DSIC())
    assert (verdict.status, verdict.gain) == ("holds", 0)


def test_the_case_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "lists.toml"
    lists = {"p0": ["u", "w"], "p1": ["u", "w"], "p2": ["u", "v", "w"]}
    tables = "".join(f"[parties.{p}]\nelements = {e}\n".replace("'", '"') for p, e in lists.items())
    path.write_text(f'mechanism = "exchange.union"\nrule = "equal-gain"\nexclusivity = 1\n{tables}')
    assert ab.audit(ab.load(path), [ab.DSIC()])["DSIC"].status == "holds"


def test_a_gain_that_an_order_gives_is_reported() -> None:
    """The second party reports 2 of {0, 2}; then the first of {0, 4} gains by hiding 4."""
    verdict = audit(make_game("two-party", {0, 4}, {0, 2}), ab.DSIC())
    assert (verdict.status, verdict.gain) == ("fails", 1)


def dominance_gain(sets: list[set[int]], rule: str, exclusivity: Fraction) -> Fraction:
    return max(
        gain
        for i in range(len(sets))
        if (
            gain := oracle.largest_gain_in_one_order(
                sets, PLAIN[rule], exclusivity, [i], others_free=True
            )
        )
        is not None
    )


def check_dominance(seed: int, instances: int, elements: int) -> None:
    generator = np.random.default_rng(seed)
    for _ in range(instances):
        n = int(generator.integers(2, 4))
        sets = draw_lists(generator, n, elements)
        if not any(sets):
            continue
        rule = generator.choice(["best-group", "equal-gain", "all-or-nothing"])
        exclusivity = Fraction(int(generator.integers(0, 5)), 4)
        verdict = audit(make_game(rule, *sets, exclusivity=exclusivity), ab.DSIC())
        expected = dominance_gain(sets, rule, exclusivity)
        assert (verdict.gain > 0) == (expected > 0), (sets, rule, exclusivity)
        assert verdict.status == ("fails" if expected > 0 else "holds")
        if expected > 0:
            assert verdict.gain == expected, (sets, rule, exclusivity)


@pytest.mark.deep
def test_dominance_is_what_all_permutations_say() -> None:
    check_dominance(seed=5, instances=40, elements=3)


@pytest.mark.deep
def test_dominance_is_what_all_permutations_say_of_more_elements() -> None:
    check_dominance(seed=6, instances=60, elements=4)


def check_coalitions(seed: int, instances: int, elements: int) -> None:
    generator = np.random.default_rng(seed)
    for _ in range(instances):
        n = int(generator.integers(2, 4))
        sets = draw_lists(generator, n, elements)
        if not any(sets):
            continue
        rule = generator.choice(["best-group", "equal-gain"])
        transfers = bool(generator.random() < 0.5)
        game = make_game(rule, *sets)
        verdict = audit(game, ab.CoalitionProof(2, transfers=transfers))
        gains = [
            oracle.largest_gain_in_one_order(
                sets,
                PLAIN[rule],
                Fraction(1),
                list(members),
                others_free=False,
                transfers=transfers,
            )
            for size in (1, 2)
            for members in combinations(range(n), size)
        ]
        expected = max(gain for gain in gains if gain is not None)
        assert verdict.status == ("fails" if expected > 0 else "holds"), (sets, rule, transfers)
        if expected > 0:
            assert verdict.gain == expected


@pytest.mark.deep
def test_coalitions_are_judged_as_all_permutations_say() -> None:
    check_coalitions(seed=7, instances=25, elements=4)


@pytest.mark.slow
def test_coalitions_are_judged_as_all_permutations_say_of_more_elements() -> None:
    check_coalitions(seed=8, instances=60, elements=5)


def test_members_who_need_different_orders_gain_nothing_together() -> None:
    """x is new to b and hidden by a; y is new to a and hidden by b: only one comes first."""
    segments = [Segment(0b101, (0b100, 0b100), 1), Segment(0b110, (0b100, 0b100), 1)]
    found = list_benefits(SegmentArrays.from_segments(segments), ((1, 1, 0), (1, 1, 0)))
    assert {before for before, _ in found.pairs} == {(1, 0, 0), (0, 1, 0)}
    assert found.complete


@settings(max_examples=up_to(40))
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3), st.integers(1, 2)), max_size=3),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_benefits_possible_together_are_those_of_all_permutations(
    drawn: list[tuple[int, int, int]], wanted: tuple[int, int]
) -> None:
    segments = [Segment(o, (o & r, o), c) for o, r, c in drawn]
    elements = [(s, k) for s in range(len(segments)) for k in range(segments[s].count)]
    amounts, pools = [], []
    for profile in (0, 1):
        pool = [
            [e for e in elements if (m := segments[e[0]].reporters[profile]) and not m >> i & 1]
            for i in (0, 1)
        ]
        pools.append(pool)
        amounts.append(tuple(min(w, len(p)) for w, p in zip(wanted, pool, strict=True)))
    from itertools import permutations

    expected = set()
    for order in permutations(elements):
        pair = []
        for profile in (0, 1):
            row = []
            for i in (0, 1):
                handed = [e for e in order if e in pools[profile][i]][: amounts[profile][i]]
                row.append(sum(1 for e in handed if not segments[e[0]].owners >> i & 1))
            pair.append(tuple(row))
        expected.add(tuple(pair))
    found = list_benefits(SegmentArrays.from_segments(segments), (amounts[0], amounts[1]))
    assert set(found.pairs) == expected


@pytest.mark.deep
def test_where_orders_are_too_many_a_gain_is_still_found_or_left_open() -> None:
    """Two large lists: the gain of the small instance is there a thousand times."""
    big = {*range(1000), *range(5000, 6000)}, {*range(1000), *range(2000, 3000)}
    game, budget = make_game("two-party", *big), ab.Budget(samples=200)
    assert ab.audit(game, [ab.DSIC()], budget=budget)["DSIC"].status == "fails"


@pytest.mark.deep
def test_many_kinds_of_elements_are_tried_in_some_orders() -> None:
    """Each of 30 elements has other owners: 30! orders of kinds."""
    generator = np.random.default_rng(3)
    lists = [set(np.flatnonzero(generator.random(30) < 0.5).tolist()) for _ in range(5)]
    game, budget = make_game("best-group", *lists), ab.Budget(samples=50)
    for prop in (ab.DSIC(), ab.CoalitionProof(2)):
        assert ab.audit(game, [prop], budget=budget)[prop.name].status != "holds"
