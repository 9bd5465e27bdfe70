"""The row in which a search for dominance looks first, by all orders of few lists."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.auditing.search import search
from aboveboard.exchange import RULES, HidingGame, Regions
from aboveboard.exchange.likely_hiding import find_likely_gain
from aboveboard.games.numbers import Number
from oracles import exchange as oracle


def draw_game(generator: np.random.Generator, parties: int, elements: int) -> HidingGame:
    lists = {
        f"p{i}": {f"e{e}" for e in np.flatnonzero(generator.random(elements) < 0.6)}
        for i in range(parties)
    }
    weights = tuple(Fraction(int(w), 2) for w in generator.integers(0, 4, size=parties))
    return HidingGame(Regions.from_sets(lists), RULES["equal-gain"], weights)


def name_lists(game: HidingGame) -> list[frozenset[tuple[int, int]]]:
    """Return what each party owns: elements named by region and place in it."""
    counts = game.regions.counts.tolist()
    return [
        frozenset((r, k) for r in np.flatnonzero(own).tolist() for k in range(counts[r]))
        for own in game.regions.owned
    ]


def leave_out(game: HidingGame, i: int, action: tuple[int, ...]) -> frozenset[tuple[int, int]]:
    """Return what is left of a list: the first elements of each region are hidden."""
    hidden = dict(zip(np.flatnonzero(game.regions.owned[i]).tolist(), action, strict=True))
    return frozenset((r, k) for r, k in name_lists(game)[i] if k >= hidden[r])


def find_gain(game: HidingGame) -> Number:
    """Return what a search gains that sees nothing but the named row."""
    scan = search(game, ab.DSIC().parts(game), budget=ab.Budget(rows=0, samples=1), seed=0)
    assert scan.checked == 1
    assert scan.best is not None
    return scan.best.gain


def test_the_named_row_gains_what_it_is_named_for_under_the_best_order() -> None:
    generator = np.random.default_rng(3)
    named = 0
    for _ in range(30):
        game = draw_game(generator, int(generator.integers(2, 4)), 5)
        found = find_likely_gain(game)
        if found is None:
            continue
        named += 1
        i, actions = found
        owned = name_lists(game)
        lying = [leave_out(game, k, action) for k, action in enumerate(actions)]
        honest = [owned[k] if k == i else reported for k, reported in enumerate(lying)]
        gains = []
        for order in permutations(sorted(frozenset().union(*owned))):
            truth, lie = (
                oracle.utilities_in_order(
                    owned, reported, oracle.equal_gain, order, game.exclusivity[i]
                )[i]
                for reported in (honest, lying)
            )
            gains.append(lie - truth)
        assert find_gain(game) == max(gains) > 0
    assert named > 10


def test_the_named_row_is_the_largest_of_all_pairs_and_orders_of_them() -> None:
    generator = np.random.default_rng(9)
    for _ in range(20):
        game = draw_game(generator, 4, 9)
        owned = name_lists(game)
        most = max(
            game.exclusivity[i] * min(len(a & b), len(a - b), len(b - a))
            for i, a in enumerate(owned)
            for j, b in enumerate(owned)
            if i != j
        )
        found = find_likely_gain(game)
        if found is None:
            assert most == 0
            continue
        assert find_gain(game) == most


@pytest.mark.parametrize(
    ("lists", "weights"),
    [
        ({"a": "xy", "b": "zw"}, (1, 1)),  # nothing in common
        ({"a": "xyz", "b": "yz"}, (1, 1)),  # b has nothing that a lacks
        ({"a": "xyz", "b": "yzw"}, (0, 0)),  # nobody minds
        ({"a": "xyz"}, (1,)),
    ],
)
def test_no_row_is_named_where_none_of_its_kind_gains(
    lists: dict[str, str], weights: tuple[int, ...]
) -> None:
    game = HidingGame(Regions.from_sets(lists), RULES["equal-gain"], tuple(map(Fraction, weights)))
    assert find_likely_gain(game) is None


@pytest.mark.parametrize("rule", ["equal-gain", "best-group", "best-group-inside"])
def test_long_lists_fail_dominance_by_the_named_row(rule: str) -> None:
    generator = np.random.default_rng(1)
    lists = {f"p{i}": set(generator.choice(360, 120, replace=False).tolist()) for i in range(4)}
    game = HidingGame(Regions.from_sets(lists), RULES[rule], (Fraction(1),) * 4)
    verdict = ab.audit(game, [ab.DSIC()])["DSIC"]
    assert verdict.status is ab.Status.FAILS
    assert verdict.checked == 1
    assert verdict.witness is not None
    assert verdict.witness.gain > 0
    assert verdict.smallest is not None


def test_a_game_in_which_lies_can_be_invented_names_the_same_row() -> None:
    regions = Regions.from_sets({"a": "xyz", "b": "yzw"})
    game = HidingGame(regions, RULES["equal-gain"], (Fraction(1),) * 2).with_inventing(4)
    assert find_likely_gain(game) == (0, ((1, 0, 4), (0, 2, 4)))
    assert find_gain(game) == 1
