"""A rule for every taste from 0 to 1 that hands out as much as best-group."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from aboveboard.auditing import EpsilonIC, ExPostIC, Property, StrongDominance, Symmetric
from aboveboard.exchange import RULES, HidingGame, Regions
from aboveboard.formatting import encode_number
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.exchange.audits import examine
from papers.exchange.instances import draw_diagrams, list_diagrams, list_sets

TASTES = (Fraction(0), Fraction(3, 5), Fraction(1))


class _ScannedGame(HidingGame):
    """The game without its closed form, so that every lie is tried."""

    def proof(self, name: str) -> None:
        """Return no proof."""


def _make_game(regions: Regions, rule: str, e: Fraction) -> HidingGame:
    return _ScannedGame(regions, RULES[rule], (e,) * len(regions.names))


def _try_lies(regions: Regions) -> Trial:
    checks = 0
    for e in TASTES:
        verdict = examine(_make_game(regions, "best-group-inside", e), EpsilonIC(0))
        checks += verdict.checked
        if verdict.witness is not None:
            said = {"exclusivity": encode_number(e), "lie": verdict.witness.as_dict()["lie"]}
            return Trial(checks, {"lists": list_sets(regions), **said})
    return Trial(checks)


def _list_families(rng: np.random.Generator) -> tuple[Family, ...]:
    return list_diagrams(2, 4), list_diagrams(3, 4), draw_diagrams(rng, 5, 9, 20)


def _truthful(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_try_lies, *_list_families(rng), unit="deviations"),)


def _same_amounts(regions: Regions) -> Trial:
    amounts = [
        RULES[n].compute_amounts(regions).tolist() for n in ("best-group-inside", "best-group")
    ]
    equal = RULES["equal-gain"].compute_amounts(regions).tolist()
    wrong = amounts[0] != amounts[1] or sum(amounts[0]) < sum(equal)
    return Trial(1, {"lists": list_sets(regions), "amounts": amounts} if wrong else None)


def _generous(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_same_amounts, *_list_families(rng), unit="amounts"),)


def _pays_under_best_group(regions: Regions) -> Trial:
    verdict = examine(_make_game(regions, "best-group", Fraction(99, 100)), ExPostIC())
    found: dict[str, Any] | None = None
    if verdict.witness is not None:
        found = {"lists": list_sets(regions), "exclusivity": "99/100"}
        found["lie"] = verdict.witness.as_dict()["lie"]
    return Trial(verdict.checked, found)


def _find_lies_without_order(_: np.random.Generator) -> tuple[Finding, ...]:
    return (search_example(_pays_under_best_group, list_diagrams(3, 3), unit="deviations"),)


def _try_fairness(prop: Property) -> Any:
    def test(regions: Regions) -> Trial:
        verdict = examine(_make_game(regions, "best-group-inside", Fraction(1)), prop)
        wrong = verdict.witness is not None
        return Trial(verdict.checked, {"lists": list_sets(regions)} if wrong else None)

    return test


def _fair(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = (list_diagrams(2, 3), list_diagrams(3, 3))
    return tuple(
        search_counterexample(_try_fairness(prop), *families, unit="profiles", correction=said)
        for prop, said in ((Symmetric(), None), (StrongDominance(), "So is strong dominance."))
    )


PAPER = "beyond"

CLAIMS = (
    Claim(
        "beyond/best-group-inside",
        PAPER,
        "Open Problem 1 and section 4, for every taste",
        "If the elements of the best group are handed out first, no hiding pays under the "
        "best-group rule, for any exclusivity from 0 to 1 (tried at 0, 3/5 and 1).",
        _truthful,
    ),
    Claim(
        "beyond/best-group-inside-generous",
        PAPER,
        "Open Problem 1 and section 4, for every taste",
        "It hands out as much to everybody as best-group, and no less in total than equal-gain.",
        _generous,
    ),
    Claim(
        "beyond/best-group-inside-needed",
        PAPER,
        "Open Problem 1 and section 4, for every taste",
        "Without that order hiding can pay at every exclusivity below 1, such as 99/100.",
        _find_lies_without_order,
    ),
    Claim(
        "beyond/best-group-inside-fair",
        PAPER,
        "Open Problem 1 and section 4, for every taste",
        "Equal lists gain the same.",
        _fair,
    ),
)
