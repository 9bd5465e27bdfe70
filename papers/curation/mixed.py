"""Equilibria in which agents toss coins between truth and silence, beside Theorems 2 and 4."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np

from aboveboard.curation import (
    SILENCE,
    TRUTH,
    Commitment,
    examine_equilibria,
    find_mixed_equilibria,
)
from aboveboard.formatting import encode_number
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.curation.instances import Profile, Setting, answer_competitive, answer_fair, utility
from papers.curation.protocols import PROTOCOLS

F = Fraction
COMPETITIVE = PROTOCOLS["competitive"]
MAJORITY_OF_4 = tuple(m.bit_count() > 2 for m in range(16))
CHANCES = (F(1), F(16, 25), F(16, 25))


def _make_three_agents() -> Family:
    prices = [(F(1, 20), F(1, 5), F(1, 5)), (F(1, 10), F(1, 10), F(1, 10))]
    return Family("three agents who want the majority", [Setting(MAJORITY_OF_4, p) for p in prices])


TRIED = (
    SILENCE,
    Commitment(F(51, 100), F(49, 100)),
    Commitment(F(3, 4), F(1, 4)),
    Commitment(F(0), F(1)),
    TRUTH,
)


def compute_expected_utility(
    setting: Setting,
    rule: Callable[[Profile], list[bool]],
    chances: tuple[Fraction, ...],
    i: int,
    commitment: Commitment,
) -> Fraction:
    """Return agent i's expected utility, plainly, where the others toss coins for the truth."""
    total = F(0)
    for who in product((0, 1), repeat=len(chances)):
        if who[i]:
            continue
        weight = F(1)
        for j, joined in enumerate(who):
            if j != i:
                weight *= chances[j] if joined else 1 - chances[j]
        profile = tuple(
            commitment if j == i else (TRUTH if joined else SILENCE) for j, joined in enumerate(who)
        )
        if weight:
            total += weight * utility(setting, rule, profile, i)
    return total


def is_stable_mixture(
    setting: Setting, rule: Callable[[Profile], list[bool]], chances: tuple[Fraction, ...]
) -> bool:
    """Return whether nobody gains, plainly, by what is tried instead of its coin."""
    for i, chance in enumerate(chances):
        worth = {c: compute_expected_utility(setting, rule, chances, i, c) for c in TRIED}
        here = chance * worth[TRUTH] + (1 - chance) * worth[SILENCE]
        if max(worth.values()) > here:
            return False
    return True


def _compare_mixed(setting: Setting) -> Trial:
    """Compare the mixed equilibria of the two protocols, each checked plainly in both."""
    by_protocol = {
        name: find_mixed_equilibria(setting.make_game(PROTOCOLS[name])).equilibria
        for name in ("competitive", "fair")
    }
    for name, rule, other in (
        ("competitive", answer_competitive, answer_fair),
        ("fair", answer_fair, answer_competitive),
    ):
        for found in by_protocol[name]:
            chances = tuple(F(x) for x in found.chances)
            sure = found.regret == 0 and is_stable_mixture(setting, rule, chances)
            if sure and not is_stable_mixture(setting, other, chances):
                shown = {"truthful with chance": [encode_number(x) for x in chances]}
                return Trial(1, {**setting.as_dict(), "of": name, **shown})
    return Trial(1 + sum(len(x) for x in by_protocol.values()))


def _show_mixed(setting: Setting) -> Trial:
    """Show a mixed equilibrium beside the truth that is the only pure one."""
    if not examine_equilibria(setting.make_game(COMPETITIVE)).unique_truthful:
        return Trial(1)
    for found in find_mixed_equilibria(setting.make_game(COMPETITIVE)).equilibria:
        chances = tuple(F(x) for x in found.chances)
        if found.regret == 0 and is_stable_mixture(setting, answer_competitive, chances):
            shown = {"truthful with chance": [encode_number(x) for x in chances]}
            return Trial(1, {**setting.as_dict(), **shown})
    return Trial(1)


def _theorem_2_mixed(_: np.random.Generator) -> tuple[Finding, ...]:
    return (search_example(_show_mixed, _make_three_agents(), unit="societies"),)


def _theorem_4_mixed(_: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_compare_mixed, _make_three_agents(), unit="societies"),)


CLAIMS = tuple(
    Claim(f"curation/{name}", "curation", place, statement, check)
    for name, place, statement, check in (
        (
            "theorem-2-mixed",
            "Theorem 2 (not in the paper)",
            "Where the truth is the only pure equilibrium of the competitive protocol there can be "
            "others in which agents toss coins.",
            _theorem_2_mixed,
        ),
        (
            "theorem-4-mixed",
            "Theorem 4",
            "The two protocols have the same mixed equilibria too.",
            _theorem_4_mixed,
        ),
    )
)
