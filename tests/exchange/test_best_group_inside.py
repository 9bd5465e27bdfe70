"""The rule that is truthful for all tastes from 0 to 1 and hands out as much as best-group."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.exchange import RULES, ExclusivityRange, HidingGame, Regions, choose_rule
from oracles import exchange as oracle

INSIDE = RULES["best-group-inside"]
TASTES = (Fraction(0), Fraction(3, 5), Fraction(1))


def make_regions(sets: list[frozenset[int]]) -> Regions:
    return Regions.from_sets({f"p{i}": s for i, s in enumerate(sets)})


def draw_sets(generator: np.random.Generator, most: int) -> list[frozenset[int]]:
    while True:
        sets = [
            frozenset(np.flatnonzero(generator.random(most) < generator.random()).tolist())
            for _ in range(int(generator.integers(2, 5)))
        ]
        if any(sets):
            return sets


def find_gains(sets: list[frozenset[int]], order: list[int]) -> dict[Fraction, Fraction]:
    """Return by taste the largest gain of one liar under one order, from the definition."""
    truth = measure(sets, oracle.replies_inside(sets, order))
    best = dict.fromkeys(TASTES, Fraction(-(10**9)))
    for i, own in enumerate(sets):
        for part in oracle.every_subset(own):
            lie = [*sets[:i], frozenset(part), *sets[i + 1 :]]
            after = measure(sets, oracle.replies_inside(lie, order))
            for e in TASTES:
                gain = oracle.utility(after, i, e) - oracle.utility(truth, i, e)
                best[e] = max(best[e], gain)
    return best


def measure(sets: list[frozenset[int]], replies: list[set[int]]) -> list[int]:
    return [len(set(reply) - own) for reply, own in zip(replies, sets, strict=True)]


def check_drawn(seed: int, count: int, most: int) -> None:
    generator = np.random.default_rng(seed)
    for _ in range(count):
        sets = draw_sets(generator, most)
        for _ in range(3):
            order = generator.permutation(sorted(oracle.union_of(sets))).tolist()
            assert max(find_gains(sets, order).values()) <= 0, (sets, order)


def test_no_lie_pays_for_any_taste_in_any_order() -> None:
    check_drawn(1, 25, 4)


@pytest.mark.deep
def test_no_lie_pays_on_many_lists() -> None:
    check_drawn(2, 300, 5)


@pytest.mark.deep
def test_the_lists_on_which_best_group_fails_below_one() -> None:
    """Lists {0, 1, 2}, {1, 2}, {2}: the second gains by hiding 2 under best-group, not inside."""
    sets = [frozenset({0, 1, 2}), frozenset({1, 2}), frozenset({2})]
    half = (Fraction(1, 2),) * 3
    plain = HidingGame(make_regions(sets), RULES["best-group"], half)
    inside = HidingGame(make_regions(sets), INSIDE, half)
    assert ab.audit(plain, [ab.ExPostIC()])["ex-post IC"].gain == Fraction(1, 2)
    assert ab.audit(inside, [ab.EpsilonIC(0)])["epsilon-IC (epsilon 0)"].status == "holds"
    for order in permutations(range(3)):
        assert max(find_gains(sets, list(order)).values()) <= 0


def test_the_game_bounds_what_every_order_hands_out() -> None:
    generator = np.random.default_rng(4)
    for _ in range(40):
        sets = draw_sets(generator, 4)
        game = HidingGame(make_regions(sets), INSIDE, (Fraction(1),) * len(sets))
        single = HidingGame(game.regions.split_into_elements(), INSIDE, (Fraction(1),) * len(sets))
        i = int(generator.integers(len(sets)))
        action = single.actions(i)[int(generator.integers(single.actions(i).size))]
        names = sorted(oracle.union_of(sets))
        masks = single.regions.owners.tolist()
        # Elements of a game are in the order of their owners' masks.
        by_mask = sorted(names, key=lambda x: sum(1 << j for j, s in enumerate(sets) if x in s))
        assert [sum(1 << j for j, s in enumerate(sets) if x in s) for x in by_mask] == masks
        held = [x for x in by_mask if x in sets[i]]
        hidden = {x for x, h in zip(held, action, strict=True) if h}
        lie = [*sets[:i], sets[i] - hidden, *sets[i + 1 :]]
        columns = [np.array([single.truth(j)], dtype=np.int64) for j in range(len(sets))]
        columns[i] = np.array([action], dtype=np.int64)
        low, high = single.benefit_bounds(columns)
        found = [measure(sets, oracle.replies_inside(lie, order)) for order in permutations(names)]
        assert low[0].tolist() == [min(column) for column in zip(*found, strict=True)]
        assert high[0].tolist() == [max(column) for column in zip(*found, strict=True)]


def test_everybody_is_handed_as_much_as_by_best_group() -> None:
    generator = np.random.default_rng(5)
    for _ in range(50):
        regions = make_regions(draw_sets(generator, 8))
        amounts = [RULES[n].compute_amounts(regions).tolist() for n in ("best-group", INSIDE.name)]
        assert amounts[0] == amounts[1]


def test_members_of_the_best_group_are_handed_its_elements_only(tmp_path: Path) -> None:
    path = tmp_path / "lists.toml"
    path.write_text(
        'mechanism = "exchange.union"\nseed = 3\nexclusivity = [0.6, 1]\n'
        '[parties.a]\nelements = ["1", "2", "3", "4", "5", "6"]\n'
        '[parties.b]\nelements = ["1", "2"]\n[parties.c]\nelements = ["3", "4"]\n'
    )
    settlement = ab.run(ab.load(path))
    assert settlement.details["rule"] == "best-group-inside"
    rows = {name: share.reply.rows for name, share in settlement.parties.items()}
    handed = {name: sorted(make()["element"]) for name, make in rows.items() if make is not None}
    assert handed == {"a": [], "b": ["3", "4"], "c": ["1", "2"]}


def test_an_audit_finds_the_promises_standing(tmp_path: Path) -> None:
    path = tmp_path / "lists.toml"
    path.write_text(
        'mechanism = "exchange.union"\nseed = 3\nexclusivity = [0.6, 1]\n'
        '[parties.a]\nelements = ["1", "2", "3", "4"]\n[parties.b]\nelements = ["1", "5"]\n'
        '[parties.c]\nelements = ["2", "6"]\n'
    )
    verdicts = ab.audit(path)
    assert verdicts.promises_stand is True
    assert verdicts["strong dominance"].promised


def test_a_stated_range_takes_it_and_no_statement_takes_equal_gain() -> None:
    chosen = [
        choose_rule([ExclusivityRange.from_value(value)] * 3, "partial").name
        for value in ([0.6, 1], [0.2, 0.4], [0, 1], "1/2", 1)
    ]
    inside, equal = "best-group-inside", "equal-gain"
    assert chosen == [inside, inside, inside, equal, "best-group"]
    unstated = [ExclusivityRange.from_value([0.6, 1]), ExclusivityRange.from_value([0, 1])]
    assert choose_rule(unstated, "partial", stated=False).name == equal


def test_everything_to_everybody_is_truthful_at_exclusivity_zero_alone() -> None:
    sets = [frozenset({0, 1}), frozenset({1})]
    for e, status in ((0, "holds"), (Fraction(1, 10), "fails")):
        game = HidingGame(make_regions(sets), RULES["everything"], (Fraction(e),) * 2)
        assert ab.audit(game, [ab.ExPostIC()])["ex-post IC"].status == status
