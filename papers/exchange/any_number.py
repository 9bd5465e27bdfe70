"""Any number of all-or-nothing parties: section 2.3."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing import DSIC, StrongDominance, Symmetric
from aboveboard.exchange import RULES, ParticipationGame, Regions
from papers.claims import Claim, Finding, Trial, search_counterexample
from papers.exchange.audits import (
    ENDS,
    ONE,
    describe_counterexample,
    examine,
    make_joining_game,
    make_property_test,
)
from papers.exchange.few import check_efficiency
from papers.exchange.instances import draw_diagrams, list_diagrams, list_sets, restrict_to_coalition
from papers.exchange.welfare import find_most_welfare

RULE = "all-or-nothing"


def compute_v(sets: Sequence[frozenset[int]]) -> int:
    """Mechanism 2, function ComputeV as printed: n! calls."""
    if len(sets) <= 1:
        return 0
    least, most = [], []
    for k, own in enumerate(sets):
        others = [*sets[:k], *sets[k + 1 :]]
        new = len(frozenset().union(*others) - own)
        least.append(new + compute_v(others))
        most.append(new)
    return min(*least, max(most))


def _freeze_sets(regions: Regions) -> list[frozenset[int]]:
    return [frozenset(x) for x in list_sets(regions)]


# ------------------------------------------------------------- Mechanism 2 and Theorem 2.3


def _line_5(regions: Regions) -> Trial:
    sets = _freeze_sets(regions)
    value = compute_v(sets)
    for i, lack in enumerate(regions.lacks.tolist()):
        if max(value, lack) > lack:
            said = {"own": list_sets(regions), "V": value, "party": i + 1, "lacks": lack}
            return Trial(i + 1, {**said, "is to get": max(value, lack)})
    return Trial(len(sets))


def _line_5_corrected(regions: Regions) -> Trial:
    sets = _freeze_sets(regions)
    expected = np.minimum(compute_v(sets), regions.lacks)
    return _compare(regions, expected)


def _compare(regions: Regions, expected: NDArray[np.int64]) -> Trial:
    ours = RULES[RULE].compute_amounts(regions)
    if (ours == expected).all() and (ours <= regions.lacks).all():
        return Trial(1)
    said = {"own": list_sets(regions), "rule": ours.tolist(), "recursion": expected.tolist()}
    return Trial(1, said)


def _mechanism_2_line_5(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(_line_5, list_diagrams(3, 3, nobody_empty=True), unit="amounts"),
        search_counterexample(
            _line_5_corrected,
            list_diagrams(3, 4, nobody_empty=True),
            list_diagrams(4, 3, nobody_empty=True),
            _non_empty(rng, 6, 12, 8),
            unit="runs",
            correction="v_i = min(V, |u minus x_i|); the product's O(n 2^n) pass over coalitions "
            "gives what the printed recursion of n! calls gives.",
        ),
    )


def _non_empty(rng: np.random.Generator, n: int, elements: int, count: int) -> Any:
    family = draw_diagrams(rng, n, elements, count)
    return type(family)(
        family.kind, [r for r in family.instances if (r.sizes > 0).all()], sampled=True
    )


def _absent_as_printed(regions: Regions) -> Trial:
    """Audit Mechanism 2 if line 4 also serves those who submit the empty set."""
    n = len(regions.names)
    table = np.zeros((1 << n, n), dtype=np.int64)
    for mask in range(1 << n):
        some = restrict_to_coalition(regions, mask)
        told = (some.owners != 0)[None, :]
        new = (told & ~regions.owned).sum(axis=1)
        table[mask] = np.minimum(compute_v(_freeze_sets(some)), new)
    verdict = examine(ParticipationGame.from_table(regions.names, table, ONE * n), DSIC())
    if verdict.witness is None:
        return Trial(verdict.checked)
    return Trial(
        verdict.checked,
        describe_counterexample(regions, "Mechanism 2, absent served", verdict.witness),
    )


def _mechanism_2_absent(_: np.random.Generator) -> tuple[Finding, ...]:
    three = list_diagrams(3, 3, nobody_empty=True)
    return (
        search_counterexample(_absent_as_printed, three, unit="deviations"),
        search_counterexample(
            make_property_test(RULE, DSIC(), ENDS, make_joining_game),
            three,
            unit="deviations",
            correction="One that submits nothing is absent and gets nothing.",
        ),
    )


def _theorem_2_3(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = (
        list_diagrams(2, 5),
        list_diagrams(3, 4),
        list_diagrams(4, 2),
        draw_diagrams(rng, 8, 40, 5),
    )
    return (
        search_counterexample(
            make_property_test(RULE, DSIC(), ENDS, make_joining_game), *families, unit="deviations"
        ),
    )


def _theorem_2_3_efficient(_: np.random.Generator) -> tuple[Finding, ...]:
    return check_efficiency(RULE, (2, 4), (3, 4))


def _theorem_2_3_welfare(_: np.random.Generator) -> tuple[Finding, ...]:
    def test(regions: Regions) -> Trial:
        most, tried = find_most_welfare(regions)
        ours = int(RULES[RULE].compute_amounts(regions).sum())
        if ours == most:
            return Trial(tried)
        return Trial(tried, {"own": list_sets(regions), "rule": ours, "best": most})

    families = [list_diagrams(n, most, nobody_empty=True) for n, most in ((2, 5), (3, 4), (4, 2))]
    return (search_counterexample(test, *families, unit="systems of benefits"),)


# --------------------------------------------------------------------------- Corollary 1


def _symmetry(_: np.random.Generator) -> tuple[Finding, ...]:
    test = make_property_test(RULE, Symmetric(), make=make_joining_game)
    return (search_counterexample(test, list_diagrams(3, 4), list_diagrams(4, 2), unit="profiles"),)


def _results_contained(regions: Regions) -> Trial:
    """Hand out by every order of elements; see whether a smaller input gets the larger result."""
    sets, given = _freeze_sets(regions), RULES[RULE].compute_amounts(regions).tolist()
    everything = range(regions.union)
    checks = 0
    for order in permutations(everything):
        results = [
            own | frozenset([e for e in order if e not in own][:amount])
            for own, amount in zip(sets, given, strict=True)
        ]
        for k, i in permutations(range(len(sets)), 2):
            checks += 1
            if sets[k] <= sets[i] and not results[k] <= results[i]:
                said = {"own": list_sets(regions), "order": list(order), "parties": [k + 1, i + 1]}
                return Trial(checks, said)
    return Trial(checks)


def _dominance(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            make_property_test(RULE, StrongDominance(), make=make_joining_game),
            list_diagrams(3, 4),
            list_diagrams(4, 2),
            unit="profiles",
        ),
        search_counterexample(
            _results_contained,
            list_diagrams(3, 3),
            unit="pairs of parties, for every order in which elements may be handed out,",
        ),
    )


def _more_for_more(regions: Regions) -> Trial:
    sets, given = _freeze_sets(regions), RULES[RULE].compute_amounts(regions).tolist()
    pairs = list(permutations(range(len(sets)), 2))
    for k, i in pairs:
        if sets[k] <= sets[i] and given[k] > given[i]:
            said = {"own": list_sets(regions), "benefits": given, "parties": [k + 1, i + 1]}
            return Trial(len(pairs), said)
    return Trial(len(pairs))


def _benefits(_: np.random.Generator) -> tuple[Finding, ...]:
    three = list_diagrams(3, 4, nobody_empty=True)
    return (
        search_counterexample(_more_for_more, three, unit="pairs of parties"),
        search_counterexample(
            make_property_test(RULE, StrongDominance(), make=make_joining_game),
            three,
            unit="profiles",
            correction="What one ends with, not what one gains, is larger for who contributes "
            "more.",
        ),
    )


CLAIMS = tuple(
    Claim(f"exchange/{name}", "exchange", place, statement, check)
    for name, place, statement, check in (
        (
            "mechanism-2-line-5",
            "Mechanism 2, line 5",
            "With v_i = max(V, |u minus x_i|) nobody is to get more than it lacks.",
            _mechanism_2_line_5,
        ),
        (
            "mechanism-2-absent",
            "Mechanism 2, line 4",
            "If every party is served, one that submits nothing too, joining is dominant.",
            _mechanism_2_absent,
        ),
        (
            "theorem-2.3",
            "Theorems 1.2 and 2.3",
            "Mechanism 2 makes joining dominant for all-or-nothing parties (checked for every "
            "exclusivity from 0 to 1).",
            _theorem_2_3,
        ),
        (
            "theorem-2.3-welfare",
            "Theorems 1.2 and 2.3",
            "No system of benefits that makes joining dominant has a larger total benefit than "
            "Mechanism 2.",
            _theorem_2_3_welfare,
        ),
        (
            "theorem-2.3-efficient",
            "Theorems 1.2 and 2.3",
            "Mechanism 2 is Pareto efficient.",
            _theorem_2_3_efficient,
        ),
        (
            "corollary-1-symmetric",
            "Corollary 1",
            "Mechanism 2 treats identical parties alike.",
            _symmetry,
        ),
        (
            "corollary-1-dominance",
            "Corollary 1",
            "Under Mechanism 2 what one party ends with is contained in what another ends with, "
            "if so are their inputs.",
            _dominance,
        ),
        (
            "corollary-1-benefits",
            "Sections 1.1 and 2.3, before Corollary 1",
            "Under Mechanism 2 parties that contribute more receive more, in benefits.",
            _benefits,
        ),
    )
)
