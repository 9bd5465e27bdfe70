"""Closed forms of the exchange against exhaustive audits that use none."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.exchange.hiding import HidingGame
from aboveboard.exchange.proofs import find_proof
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import RULES
from aboveboard.games.capabilities import Proof

ELEMENTS = 4


class Scanned(HidingGame):
    """The game without closed forms and without smaller instances."""

    def proof(self, name: str) -> Proof | None:
        return None

    def smaller(self):
        return iter(())


def draw_game(seed: int, rule: str, parties: int, elements: int) -> Scanned:
    generator = np.random.default_rng(seed)
    names = tuple(f"p{i}" for i in range(parties))
    owners = np.sort(generator.integers(1, 1 << parties, size=elements)).astype(np.uint64)
    regions = Regions(names, owners, np.ones(elements, dtype=np.int64))
    weights = tuple(Fraction(int(w), 2) for w in generator.integers(0, 3, size=parties))
    return Scanned(regions, RULES[rule], weights)


@pytest.mark.parametrize("size", [2, 3])
def test_no_coalition_that_leaves_somebody_truthful_gains_under_equal_gain(size: int) -> None:
    proved = 0
    prop = ab.CoalitionProof(size)
    for seed in range(12):
        game = draw_game(seed, "equal-gain", size + 1 + seed % 2, ELEMENTS)
        if find_proof(prop.name, game.regions, game.rule, game.exclusivity) is None:
            continue
        proved += 1
        verdict = ab.audit(game, [prop])[prop.name]
        assert verdict.how == "exhaustive"
        assert verdict.status.value in ("holds", "vacuous")
    assert proved > 3


def test_a_coalition_of_everybody_is_not_proved() -> None:
    game = HidingGame(
        Regions.from_sets({"a": "xy", "b": "yz"}), RULES["equal-gain"], (Fraction(1),) * 2
    )
    assert game.proof("coalition-proof (size 2)") is None
    assert game.proof("coalition-proof (size 2, with transfers)") is None


@pytest.mark.parametrize("rule", ["equal-gain", "best-group", "best-group-inside", "everything"])
@pytest.mark.parametrize("prop", [ab.Symmetric(), ab.StrongDominance()])
def test_equal_and_smaller_reports_bring_no_more_in_any_profile(
    rule: str, prop: ab.Property
) -> None:
    for seed in range(6):
        game = draw_game(seed, rule, 2 + seed % 2, ELEMENTS)
        assert find_proof(prop.name, game.regions, game.rule, game.exclusivity) is not None
        verdict = ab.audit(game, [prop])[prop.name]
        assert verdict.status.value in ("holds", "vacuous")


def test_large_lists_are_graded_by_the_closed_form() -> None:
    names = tuple("abcdef")
    masks = np.arange(1, 64, dtype=np.uint64)
    regions = Regions(names, masks, np.full(63, 50, dtype=np.int64))
    game = HidingGame(regions, RULES["equal-gain"], (Fraction(1),) * 6)
    found = ab.audit(game, [ab.Symmetric(), ab.StrongDominance(), ab.CoalitionProof(2)])
    assert {verdict.how for verdict in found.values()} == {"closed form"}
