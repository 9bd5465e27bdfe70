"""Sections 5 and 6.2: growing markets, and what is desirable in them; boundaries in `boundary`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number
from aboveboard.games.numbers import as_objects
from aboveboard.learning import Growth
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.learning.algorithm import growing
from papers.learning.columns import SearchedMarket, profiles
from papers.learning.definitions import (
    Rule,
    by_search,
    replace_report,
    share_with_all,
    share_with_none,
    worth,
)
from papers.learning.instances import linear, matrices

TOLERANCE = 1e-11
"""Of sums of float64 values of size 1."""

# ---------------------------------------------------------------------------- the market

RATES = tuple(Fraction(k, 2) for k in range(-6, 5))


def _is_growing(alpha: Fraction) -> Trial:
    """Compare whole markets of two parties at all pairs of ordered qualities up to 3."""
    qualities = list(product(range(4), repeat=2))
    values = Growth(alpha).evaluate(
        as_objects([Fraction(x) for q in qualities for x in q]).reshape(-1, 2)
    )
    whole = dict(zip(qualities, values.sum(axis=-1).tolist(), strict=True))
    checks, falls, share_falls = 0, None, None
    by_own = dict(zip(qualities, values[:, 0].tolist(), strict=True))
    for less, more in product(qualities, repeat=2):
        if less == more or any(a > b for a, b in zip(less, more, strict=True)):
            continue
        checks += 1
        if whole[more] < whole[less] - TOLERANCE:
            falls = (less, more)
        if less[1] == more[1] and by_own[more] < by_own[less] - TOLERANCE:
            share_falls = (less, more)
    slow = {q: _power(sum(q), alpha) * sum(q) if sum(q) else 0 for q in qualities}
    same = all(abs(float(slow[q]) - float(whole[q])) <= TOLERANCE for q in qualities)
    if same and (falls is None) == (share_falls is None) == (alpha >= -1):
        return Trial(checks)
    return Trial(
        checks, {"alpha": encode_number(alpha), "market falls": falls, "share falls": share_falls}
    )


def _power(base: int, alpha: Fraction) -> float:
    power: float = float(base) ** float(alpha)
    return power


def _growing_market(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            _is_growing, Family("growth rates from -3 to 2", RATES), unit="comparisons"
        ),
    )


# -------------------------------------------------------------------------- theorem 4


def find_fault_of_free_sharing(rule: Rule, true: Sequence[Any]) -> tuple[str, int] | None:
    """Return what is wrong with sharing for nothing at a profile, and for whom; None if nothing."""
    n = rule.n
    for i in range(n):
        honest = worth(rule, i, true, true)
        for lie in [None, *range(int(true[i]))]:
            if worth(rule, i, true, replace_report(true, i, lie)) > honest:
                return ("absence" if lie is None else f"report {lie}"), i + 1
    best = by_search(n, rule.value, "all")
    if sum(worth(best, i, true, true) for i in range(n)) > sum(
        worth(rule, i, true, true) for i in range(n)
    ):
        return "welfare", 0
    return None


def _is_desirable(rule: Callable[[SearchedMarket], Rule]) -> Callable[[SearchedMarket], Trial]:
    """Return the test that such an allocation for nothing is desirable, and that one is found."""

    def test(instance: SearchedMarket) -> Trial:
        found, given, checks = instance.find_mechanism(), rule(instance), 0
        for positions, true in profiles(instance):
            checks += 1
            wrong = find_fault_of_free_sharing(given, true)
            paid = found.payments_at(positions)
            if wrong is not None or not found.exists or min(paid) < 0:
                shown = {"sizes": list(true), "largest payments": list(map(encode_number, paid))}
                return Trial(checks, {**instance.as_dict(), **shown, "wrong": wrong})
        return Trial(checks)

    return test


def _everything(instance: SearchedMarket) -> Rule:
    return share_with_all(instance.rule.n, instance.rule.value)


def _nothing(instance: SearchedMarket) -> Rule:
    return share_with_none(instance.rule.n, instance.rule.value)


def _no_rivals() -> Family:
    found = []
    for matrix in matrices(2, (0, 1, 2), (0, 1, 2)):
        market, rule = linear(matrix, "all")
        shown = {"matrix": [list(row) for row in matrix]}
        found.append(SearchedMarket(market, rule, (0, 1, 2), shown))
    return Family("linear markets of 2 parties without negative coefficients", found)


def _theorem_4(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = (_no_rivals(), growing((3, 4), 0), growing((3, 4), 1), growing((3,), 2))
    return (search_counterexample(_is_desirable(_everything), *families, unit="profiles"),)


# ------------------------------------------------------------------------------ not growing


def _none_exists(instance: SearchedMarket) -> Trial:
    found = instance.find_mechanism()
    if not found.exists:
        return Trial(1)
    wrong = [find_fault_of_free_sharing(_nothing(instance), true) for _, true in profiles(instance)]
    if any(w is not None for w in wrong):
        return Trial(1)
    return Trial(1, {**instance.as_dict(), "desirable": "share nothing, charge nothing"})


def _not_growing(rng: np.random.Generator) -> tuple[Finding, ...]:
    shrinking = (growing((2, 3, 4), -2), growing((2, 3, 4), -3))
    return (
        search_counterexample(_none_exists, *shrinking, unit="markets"),
        search_counterexample(
            _is_desirable(_nothing),
            *shrinking,
            unit="profiles",
            correction="Below alpha = -1 there always is one: models take value away, so that "
            "sharing nothing is efficient, and free.",
        ),
    )


CLAIMS = (
    Claim(
        "learning/growing-market",
        "learning",
        "Section 6.2 and Assumptions 3 and 4",
        "Section 6.2's market grows with every quality iff alpha >= -1, and then no party loses by "
        "a better model of its own.",
        _growing_market,
    ),
    Claim(
        "learning/theorem-4",
        "learning",
        "Theorem 4, section 5",
        "In a non-competitive market it is desirable to give everybody the best model for nothing.",
        _theorem_4,
    ),
    Claim(
        "learning/not-growing",
        "learning",
        "Section 6.2, the last paragraph",
        "When the market is not growing, there is no desirable mechanism at all.",
        _not_growing,
    ),
)
