"""Open Problem 1: any number of parties that may hide any part of what they own.

Two answers of ours (docs/theory.md): the best-group rule at exclusivity 1, and plain equal gain at
every exclusivity from 0 to 1.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing import DSIC, CoalitionProof, EpsilonIC, ExPostIC, IndividualRationality
from aboveboard.auditing.deviation_property import DeviationProperty
from aboveboard.exchange import RULES, Regions
from aboveboard.exchange.proofs import PROVED, find_proof
from aboveboard.formatting import encode_number
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.exchange.audits import (
    ENDS,
    ONE,
    examine,
    make_efficiency_test,
    make_hiding_game,
    make_joining_game,
    make_property_test,
)
from papers.exchange.few import BETWEEN, TRIED, check_efficiency, check_readings
from papers.exchange.instances import draw_diagrams, list_diagrams, list_sets

GRID = (Fraction(0), Fraction(9, 10), Fraction(1), Fraction(11, 10))

RANGES: dict[tuple[str, str], tuple[int, int]] = {
    ("two-party", "hiding"): (0, 1),
    ("three-party", "hiding"): (1, 1),
    ("three-party-pareto", "hiding"): (1, 1),
    ("best-group", "hiding"): (1, 1),
    ("equal-gain", "hiding"): (0, 1),
    ("two-party", "joining"): (0, 1),
    ("three-party", "joining"): (0, 1),
    ("three-party-pareto", "joining"): (0, 1),
    ("best-group", "joining"): (0, 1),
    ("equal-gain", "joining"): (0, 1),
    ("all-or-nothing", "joining"): (0, 1),
}
"""The claim `exchange/exclusivity`: least and largest exclusivity at which a rule is truthful."""

MAKERS = {"hiding": make_hiding_game, "joining": make_joining_game}

PROPERTIES: tuple[DeviationProperty, ...] = (
    ExPostIC(),
    IndividualRationality(),
    CoalitionProof(1),
    EpsilonIC(0),
)


def _several(rng: np.random.Generator) -> tuple[Family, ...]:
    return (
        list_diagrams(3, 4),
        list_diagrams(4, 2),
        draw_diagrams(rng, 4, 8, 10),
        draw_diagrams(rng, 6, 8, 10),
    )


def _best_group(rng: np.random.Generator) -> tuple[Finding, ...]:
    return check_readings("best-group", list_diagrams(3, 3, nobody_empty=True), *_several(rng))


def _best_group_exclusivity(_: np.random.Generator) -> tuple[Finding, ...]:
    three = list_diagrams(3, 4, nobody_empty=True)
    return (
        search_counterexample(
            make_property_test("best-group", ExPostIC(), GRID[:2]), three, unit="deviations"
        ),
        search_counterexample(
            make_property_test("best-group", ExPostIC()),
            three,
            unit="deviations",
            correction="It is truthful at exclusivity 1.",
        ),
    )


def _equal_gain(rng: np.random.Generator) -> tuple[Finding, ...]:
    small = list_diagrams(3, 3, nobody_empty=True)
    return check_readings("equal-gain", small, *_several(rng), exclusivities=ENDS)


def _equal_gain_efficient(_: np.random.Generator) -> tuple[Finding, ...]:
    test = make_efficiency_test("equal-gain", (*BETWEEN, Fraction(1)), giving_no_less=False)
    families = [list_diagrams(n, most, nobody_empty=True) for n, most in ((2, 5), (3, 3), (4, 2))]
    return (search_counterexample(test, *families, unit="outcomes"),)


def _best_group_efficient(_: np.random.Generator) -> tuple[Finding, ...]:
    return check_efficiency("best-group", (3, 4))


def _three_parties(rng: np.random.Generator) -> tuple[Finding, ...]:
    def test(regions: Regions) -> Trial:
        ours = RULES["best-group"].compute_amounts(regions)
        return _equal(regions, ours, RULES["three-party-pareto"].compute_amounts(regions))

    families = (list_diagrams(3, 5, nobody_empty=True), draw_diagrams(rng, 3, 30, 300))
    return (search_counterexample(test, *families, unit="comparisons"),)


def _two_parties(rng: np.random.Generator) -> tuple[Finding, ...]:
    def test(regions: Regions) -> Trial:
        return _equal(
            regions,
            RULES["best-group"].compute_amounts(regions),
            RULES["two-party"].compute_amounts(regions),
        )

    families = (list_diagrams(2, 6), draw_diagrams(rng, 2, 30, 100))
    return (search_counterexample(test, *families, unit="comparisons"),)


def _equal(regions: Regions, ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> Trial:
    if (ours == theirs).all():
        return Trial(1)
    said = {"own": list_sets(regions), "best-group": ours.tolist(), "other": theirs.tolist()}
    return Trial(1, said)


def _sizes(rng: np.random.Generator) -> tuple[Family, ...]:
    return (list_diagrams(3, 4), list_diagrams(4, 3), draw_diagrams(rng, 8, 40, 200))


def _between(rng: np.random.Generator) -> tuple[Finding, ...]:
    def test(regions: Regions) -> Trial:
        given = [
            RULES[r].compute_amounts(regions)
            for r in ("equal-gain", "best-group", "all-or-nothing")
        ]
        if (given[0] <= given[1]).all() and (given[1] <= given[2]).all():
            return Trial(1)
        return Trial(1, {"own": list_sets(regions), "benefits": [g.tolist() for g in given]})

    return (search_counterexample(test, *_sizes(rng), unit="comparisons"),)


def find_best_of_all_groups(regions: Regions) -> tuple[int, int]:
    """Return the largest equal gain of any group, by its definition, and the number of groups."""
    sets = [set(x) for x in list_sets(regions)]
    present = [x for x in sets if x]
    gains = [
        len(set().union(*group)) - max(map(len, group))
        for size in range(2, len(present) + 1)
        for group in combinations(present, size)
    ]
    return max(gains, default=0), len(gains)


def _suffixes(rng: np.random.Generator) -> tuple[Finding, ...]:
    def test(regions: Regions) -> Trial:
        value, groups = find_best_of_all_groups(regions)
        expected = np.where(regions.sizes > 0, np.minimum(value, regions.lacks), 0)
        ours = RULES["best-group"].compute_amounts(regions)
        if (ours == expected).all():
            return Trial(groups)
        said = {"own": list_sets(regions), "rule": ours.tolist(), "groups": expected.tolist()}
        return Trial(groups, said)

    return (search_counterexample(test, *_sizes(rng), unit="groups"),)


def _ranges(_: np.random.Generator) -> tuple[Finding, ...]:
    """Compare, rule by rule, where on the grid a lie pays with what is claimed."""

    def test(case: tuple[str, str]) -> Trial:
        rule, kind = case
        checks, truthful = 0, []
        n = RULES[rule].least if RULES[rule].most < 4 else 3
        for e in GRID:
            claim, make = ExPostIC() if kind == "hiding" else DSIC(), MAKERS[kind]
            trial = _on_all(make_property_test(rule, claim, (e,), make), n)
            checks += trial.checks
            if trial.example is None:
                truthful.append(e)
        low, high = RANGES[case]
        if truthful == [e for e in GRID if low <= e <= high]:
            return Trial(checks)
        return Trial(
            checks, {"rule": rule, "game": kind, "truthful": [encode_number(e) for e in truthful]}
        )

    grid = ", ".join(str(e) for e in GRID)
    kind = f"rules under hiding or joining, at exclusivities {grid}"
    return (search_counterexample(test, Family(kind, RANGES), unit="deviations"),)


def _on_all(test: Any, n: int) -> Trial:
    checks = 0
    for regions in list_diagrams(n, 3, nobody_empty=True).instances:
        trial = test(regions)
        checks += trial.checks
        if trial.example is not None:
            return Trial(checks, trial.example)
    return Trial(checks)


def _closed_forms(rng: np.random.Generator) -> tuple[Finding, ...]:
    def test(regions: Regions) -> Trial:
        checks, n = 0, len(regions.names)
        cases = [("best-group", ONE[0]), *(("equal-gain", e) for e in (*ENDS, Fraction(1, 2)))]
        cases += [("two-party", e) for e in ENDS if n == 2]
        for rule, e in cases:
            weights = (e,) * n
            for prop in PROPERTIES:
                checks += 1
                proved = find_proof(prop.name, regions, RULES[rule], weights)
                found = examine(make_hiding_game(regions, rule, weights), prop)
                if proved is None or found.witness is not None:
                    case = {"rule": rule, "exclusivity": encode_number(e), "property": prop.name}
                    return Trial(checks, {"own": list_sets(regions), **case})
        return Trial(checks)

    if {prop.name for prop in PROPERTIES} != set(PROVED):
        raise RuntimeError("the closed forms speak of other properties than are compared here")
    families = (list_diagrams(2, 2), list_diagrams(3, 2), draw_diagrams(rng, 4, 6, 5))
    return (search_counterexample(test, *families, unit="comparisons"),)


OURS = "Open Problem 1 (our answer: docs/theory.md)"

CLAIMS = (
    Claim(
        "exchange/best-group",
        "exchange",
        OURS,
        "The best-group rule makes truth dominant for any number of parties that may hide any "
        "part.",
        _best_group,
    ),
    Claim(
        "exchange/best-group-efficient",
        "exchange",
        OURS,
        "The best-group rule is Pareto efficient.",
        _best_group_efficient,
    ),
    Claim(
        "exchange/best-group-exclusivity",
        "exchange",
        OURS,
        "The best-group rule stays truthful at exclusivities below 1.",
        _best_group_exclusivity,
    ),
    Claim(
        "exchange/best-group-two",
        "exchange",
        OURS,
        "For two parties the best-group rule gives the benefits of Proposition 1.",
        _two_parties,
    ),
    Claim(
        "exchange/best-group-three",
        "exchange",
        OURS,
        "For three non-empty parties the best-group rule gives the benefits of Theorem 2.2.",
        _three_parties,
    ),
    Claim(
        "exchange/best-group-between",
        "exchange",
        OURS,
        "Everybody gets by the best-group rule at least what equal gain gives and at most what "
        "Mechanism 2 gives.",
        _between,
    ),
    Claim(
        "exchange/best-group-polynomial",
        "exchange",
        OURS,
        "The best of all groups is a party with all parties that are no larger, so that n unions "
        "suffice.",
        _suffixes,
    ),
    Claim(
        "exchange/equal-gain",
        "exchange",
        OURS,
        "Plain equal gain, what the largest party lacks for everybody, makes truth dominant for "
        "any number of parties that may hide any part.",
        _equal_gain,
    ),
    Claim(
        "exchange/equal-gain-efficient",
        "exchange",
        OURS,
        f"Plain equal gain is Pareto efficient at exclusivity 1 and between 0 and 1 ({TRIED}).",
        _equal_gain_efficient,
    ),
    Claim(
        "exchange/exclusivity",
        "exchange",
        "Section 4 asks how exclusivity matters; not in the paper",
        "If parties may hide any part, the two-party and equal-gain rules are truthful for "
        "exclusivities from 0 to 1, the three-party and best-group rules at 1 alone; if they can "
        "only stay away, every rule from 0 to 1.",
        _ranges,
    ),
    Claim(
        "exchange/closed-forms",
        "exchange",
        "Not in the paper: what audits of the product rely on",
        "Wherever the product claims truthfulness by a closed form, going through all deviations "
        "finds none that pays.",
        _closed_forms,
    ),
)
