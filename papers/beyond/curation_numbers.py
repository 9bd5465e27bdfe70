"""Curation of numbers: what honesty in each round of a threshold says of the number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np

from aboveboard.curation import Agent, Scale, Society, compute_stake, make_number_society
from aboveboard.curation.social_functions import Threshold
from aboveboard.formatting import encode_number
from papers.claims import Claim, Family, Finding, Trial, search_counterexample

F = Fraction
SCALE = Scale(F(0), F(3), (F(1), F(2)))
World = tuple[int, ...]


def _draw_distributions(rng: np.random.Generator, count: int) -> Family:
    drawn = []
    for _ in range(count):
        parts = [int(x) for x in rng.integers(1, 7, 3)]
        drawn.append((int(rng.integers(1, 4)), tuple(F(x, sum(parts)) for x in parts)))
    return Family("numbers of one to three agents on three steps", drawn, sampled=True)


def _find_loss(worlds: Mapping[World, Fraction], tell: Callable[[World, int], Any]) -> Fraction:
    """Return the share of wrong answers about the median, by what is told in each round."""
    heard: dict[Any, list[Fraction]] = {}
    for world, chance in worlds.items():
        for k in (0, 1):
            pair = heard.setdefault((k, tell(world, k)), [F(0), F(0)])
            pair[sum(x > k for x in world) > len(world) // 2] += chance
    return sum((min(pair) for pair in heard.values()), F(0)) / 2


def _compare_with_rounds(instance: tuple[int, tuple[Fraction, ...]]) -> Trial:
    """Compare the number's stakes with those of its rounds, and with all numbers one by one."""
    n, chances = instance
    agents = (Agent(F(1), F(1, 10)),) * n
    society = make_number_society("median", agents, SCALE, chances)
    rounds = [
        compute_stake(Society(Threshold((n + 1) // 2 + 1), agents, sum(chances[k + 1 :])), 0)
        for k in (0, 1)
    ]
    whole = compute_stake(society, 0)
    worlds = {
        world: prod((chances[x] for x in world), start=F(1))
        for world in product(range(3), repeat=n + 1)
    }
    sums = sum(each.bearable_price for each in rounds) / 2
    plain = _find_loss(worlds, lambda world, _: world[1])
    center = plain - _find_loss(worlds, lambda world, _: world[:2])
    if whole.bearable_price == sums == plain and whole.center_value == center:
        return Trial(2)
    return Trial(2, {"D": encode_number(whole.bearable_price), "rounds": encode_number(sums)})


def _compare_dependent(worlds: Mapping[World, Fraction]) -> Trial:
    whole = _find_loss(worlds, lambda world, _: world[1])
    rounds = _find_loss(worlds, lambda world, k: world[1] > k)
    if whole == rounds:
        return Trial(1)
    chances = {" ".join(map(str, world)): encode_number(x) for world, x in worlds.items()}
    return Trial(1, {"steps": chances, "D": encode_number(whole), "rounds": encode_number(rounds)})


def _never_more(worlds: Mapping[World, Fraction]) -> Trial:
    whole = _find_loss(worlds, lambda world, _: world[1])
    return Trial(1, None if whole <= _find_loss(worlds, lambda w, k: w[1] > k) else {"D": "more"})


def _draw_worlds(rng: np.random.Generator, count: int) -> Family:
    drawn = []
    for _ in range(count):
        parts = rng.integers(0, 4, 27)
        parts[0] += 1
        total = int(parts.sum())
        listed = product(range(3), repeat=3)
        drawn.append({w: F(int(x), total) for w, x in zip(listed, parts, strict=True) if x})
    return Family("dependent numbers of two agents and the center", drawn, sampled=True)


def _sums(rng: np.random.Generator) -> tuple[Finding, ...]:
    known = {(0, 0, 0): F(1, 4), (2, 1, 2): F(1, 4), (1, 2, 1): F(1, 2)}
    return (
        search_counterexample(
            _compare_dependent, Family("numbers that tell each other", [known]), unit="cases"
        ),
        search_counterexample(
            _compare_with_rounds,
            _draw_distributions(rng, 60),
            unit="stakes",
            correction="It can if the numbers of different agents are independent: then it is the "
            "sum, each round with its weight.",
        ),
        search_counterexample(
            _never_more,
            _draw_worlds(rng, 150),
            unit="cases",
            correction="Of dependent numbers it is never more than the sum.",
        ),
    )


CLAIMS = (
    Claim(
        "beyond/curation-numbers",
        "beyond",
        "Introduction: averages and medians",
        "A number can bear the price that its rounds of thresholds can bear together.",
        _sums,
    ),
)
