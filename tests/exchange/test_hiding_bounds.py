"""The quick bounds of benefits against the rule applied to segments."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from aboveboard.exchange.hiding import HidingGame
from aboveboard.exchange.hiding_bounds import bound_benefits, bound_by_segments
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import RULES
from aboveboard.games.actions import draw, encode


def draw_game(generator: np.random.Generator, rule: str, invented: int) -> HidingGame:
    n = 2 if rule == "two-party" else int(generator.integers(1, 6))
    names = tuple(f"p{i}" for i in range(n))
    masks = np.unique(generator.integers(1, 1 << n, size=int(generator.integers(1, 12))))
    counts = generator.integers(1, 5, size=len(masks))
    regions = Regions(names, masks.astype(np.uint64), counts.astype(np.int64))
    return HidingGame(regions, RULES[rule], (Fraction(1),) * n, invented=invented)


@pytest.mark.deep
@pytest.mark.parametrize(
    "rule", ["equal-gain", "two-party", "everything", "best-group", "best-group-inside"]
)
@pytest.mark.parametrize("invented", [0, 3])
def test_quick_bounds_are_those_of_the_rule_on_segments(rule: str, invented: int) -> None:
    generator = np.random.default_rng(len(rule) + invented)
    for _ in range(60):
        game = draw_game(generator, rule, invented)
        columns = []
        for i in range(len(game.players)):
            space, lies = game.actions(i), generator.integers(3)
            # Nobody, or everybody, or some lie; some always tell the same lie.
            truth = encode(space, game.truth(i))
            drawn = draw(space, 7, generator)
            columns.append([truth, drawn[:1], drawn][lies])
        ours, plain = bound_benefits(game, columns), bound_by_segments(game, columns)
        for mine, theirs in zip(ours, plain, strict=True):
            assert mine.tolist() == theirs.tolist()
