"""Which equilibria there are: Example 1, Lemmas 5 to 7, Theorem 2, their corollaries."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import product

import numpy as np

from aboveboard.curation import (
    TRUTH,
    compute_stake,
    examine_equilibria,
    is_equilibrium,
    is_helpless,
)
from aboveboard.curation.channels import CLEAR, NOISE
from aboveboard.formatting import encode_number
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.curation.assumptions import check_assumptions
from papers.curation.instances import (
    COMMITMENTS,
    Profile,
    Rule,
    Setting,
    Values,
    accuracy_by_definition,
    answer_any_word,
    answer_competitive,
    answer_fair,
    are_all_silent,
    are_all_truthful,
    check_settings,
    find_stable,
    format_bits,
    format_pairs,
    is_stable,
    make_society,
)
from papers.curation.protocols import PROTOCOLS

F = Fraction
COMPETITIVE, FAIR, INDICATOR = (PROTOCOLS[name] for name in ("competitive", "fair", "indicator"))
SILENT = [p for p in product(COMMITMENTS, repeat=2) if are_all_silent(p)]


def has_helpless_center(setting: Setting) -> bool:
    """Return whether, by the product, the center is helpless."""
    game = setting.make_game(COMPETITIVE).society
    return is_helpless([compute_stake(game, i) for i in range(len(setting.prices))])


# ------------------------------------------------------------------------ Example 1


def _example_1(values: Values) -> Trial:
    society = make_society(values, (F(1, 10), F(1, 10)))
    idle = is_helpless([compute_stake(society, i) for i in (0, 1)])
    without = accuracy_by_definition(values, 1, {0: NOISE, 2: CLEAR})
    told = accuracy_by_definition(values, 1, {0: CLEAR, 2: CLEAR})
    broken = not idle or without == told
    said_of = {
        "helpless": idle,
        "right without her bit": encode_number(without),
        "with it": encode_number(told),
    }
    return Trial(2, {"g by bit mask": format_bits(values), **said_of} if broken else None)


def _check_example_1(_: np.random.Generator) -> tuple[Finding, ...]:
    parity = tuple(bool(m.bit_count() % 2) for m in range(8))
    return (
        search_counterexample(_example_1, Family("function of Example 1", [parity]), unit="facts"),
    )


# ------------------------------------------------------------- Lemmas 5 and 6, Corollaries


def _check_silence(setting: Setting, rules: Iterable[Rule]) -> Trial:
    """Compare helplessness with a search for a better commitment than silence."""
    idle, checks = has_helpless_center(setting), 0
    for rule in rules:
        for profile in SILENT:
            checks += 1
            if is_stable(setting, rule, profile) != idle:
                return Trial(
                    checks,
                    {**setting.as_dict(), "helpless": idle, "profile": format_pairs(profile)},
                )
    return Trial(checks)


def _answer_truthful(profile: Profile) -> list[bool]:
    return [c == TRUTH for c in profile]


def _answer_nobody(profile: Profile) -> list[bool]:
    return [False] * len(profile)


def _lemma_5_if(setting: Setting) -> Trial:
    """Check that silence is stable under every rule where the center is helpless."""
    if not has_helpless_center(setting):
        return Trial(0)
    return _check_silence(
        setting,
        (answer_any_word, answer_competitive, answer_fair, _answer_truthful, _answer_nobody),
    )


def _lemma_5_only_if(setting: Setting) -> Trial:
    """Check that there is a rule under which silence is not stable where she is not."""
    return _check_silence(setting, (answer_any_word,))


def _lemma_6(setting: Setting) -> Trial:
    trial = _check_silence(setting, (answer_competitive,))
    game, checks = setting.make_game(COMPETITIVE), trial.checks
    for profile in SILENT:
        checks += 1
        if is_equilibrium(game, profile) != has_helpless_center(setting):
            return Trial(checks, {**setting.as_dict(), "profile": format_pairs(profile)})
    return Trial(checks, trial.example)


def _corollary_1(setting: Setting) -> Trial:
    if not has_helpless_center(setting):
        return Trial(0)
    for name, protocol in PROTOCOLS.items():
        if examine_equilibria(setting.make_game(protocol)).unique_truthful:
            return Trial(1, {**setting.as_dict(), "protocol": name})
    return Trial(len(PROTOCOLS))


def _corollary_2(setting: Setting) -> Trial:
    """Compare the competitive protocol with all the others, the most generous among them."""
    everywhere = all(
        is_stable(setting, rule, profile)
        for rule in (
            answer_any_word,
            answer_competitive,
            answer_fair,
            _answer_truthful,
            _answer_nobody,
        )
        for profile in SILENT
    )
    here = all(is_equilibrium(setting.make_game(COMPETITIVE), profile) for profile in SILENT)
    return Trial(1, None if here == everywhere else setting.as_dict())


# --------------------------------------------------------------- Lemma 7 and Theorem 2


def _lemma_7(setting: Setting) -> Trial:
    game, checks = setting.make_game(COMPETITIVE), 0
    found = find_stable(setting, answer_competitive)
    for profile in product(COMMITMENTS, repeat=2):
        checks += 1
        there = is_equilibrium(game, profile)
        other = there and not are_all_truthful(profile) and not are_all_silent(profile)
        if other or there != (profile in found):
            return Trial(checks, {**setting.as_dict(), "profile": format_pairs(profile)})
    return Trial(checks)


def _theorem_2(setting: Setting) -> Trial:
    """Check that the truth is alone where the search finds it and the center is not helpless."""
    found = find_stable(setting, answer_competitive)
    if has_helpless_center(setting) or (TRUTH, TRUTH) not in found:
        return Trial(0)
    alone = found == {(TRUTH, TRUTH)}
    if alone and examine_equilibria(setting.make_game(COMPETITIVE)).unique_truthful:
        return Trial(len(COMMITMENTS) ** 2)
    return Trial(1, {**setting.as_dict(), "equilibria": [format_pairs(p) for p in sorted(found)]})


CLAIMS = tuple(
    Claim(f"curation/{name}", "curation", place, statement, check)
    for name, place, statement, check in (
        (
            "example-1",
            "Example 1",
            "With the parity of two agents' bits and the center's she is helpless, though her bit "
            "is needed to know it.",
            _check_example_1,
        ),
        (
            "lemma-5-if",
            "Lemma 5",
            "If the center is helpless every silent profile is an equilibrium of every protocol.",
            check_settings(_lemma_5_if, "profiles"),
        ),
        (
            "lemma-5-only-if",
            "Lemma 5",
            "If she is not, there is a protocol in which silence is not an equilibrium.",
            check_settings(_lemma_5_only_if, "profiles"),
        ),
        (
            "corollary-1",
            "Corollary 1",
            "If the center is helpless no protocol has the truth as its only equilibrium.",
            check_settings(_corollary_1, "protocols"),
        ),
        (
            "lemma-6",
            "Lemma 6",
            "The center is helpless iff every silent profile is an equilibrium of the competitive "
            "protocol (two agents).",
            check_settings(_lemma_6, "profiles"),
        ),
        (
            "corollary-2",
            "Corollary 2",
            "Silent profiles are equilibria of the competitive protocol iff of every protocol.",
            check_settings(_corollary_2, "functions"),
        ),
        (
            "lemma-7",
            "Lemma 7",
            "The competitive protocol has no equilibria but the truth and silent profiles.",
            check_settings(_lemma_7, "profiles"),
        ),
        (
            "theorem-2",
            "Theorem 2 (uniqueness)",
            "If the center is not helpless and the truth is an equilibrium of the competitive "
            "protocol, it is the only pure one.",
            check_settings(_theorem_2, "profiles"),
        ),
        (
            "natural-assumptions",
            "Section 4",
            "Under minor natural assumptions the center is not helpless (tried on and, or, parity "
            "and majority).",
            check_assumptions,
        ),
    )
)
