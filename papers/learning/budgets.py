"""Whom an efficient linear market serves, and whether the center keeps its budget there."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number
from aboveboard.learning import compute_outcome
from aboveboard.learning.market.allocation import assign_models
from aboveboard.learning.payments.budget import prove_balance
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.learning.definitions import exploitation
from papers.learning.exploitation import deviates, lower, staying_away
from papers.learning.instances import Instance, of_matrix, random_linear, rows, two_rivals

# ------------------------------------------------------------------------------ efficiency


def best_welfare(instance: Instance, true: tuple[int, ...]) -> Any:
    """Return the highest welfare when each party gets nothing, half the best quality, or all."""
    best, rule = sum(true), instance.rule
    found = []
    for x in product((0, best / 2, best), repeat=rule.n):
        q = [max(a, t) for a, t in zip(x, true, strict=True)]
        found.append(sum(rule.value(i, q) for i in range(rule.n)))
    return max(found)


def _efficient(instance: Instance) -> Trial:
    checks = 0
    for true in instance.profiles:
        checks += 1
        x = assign_models(instance.market, *rows([true]))[0].tolist()
        if x != instance.rule.handed(true) or (
            compute_outcome(instance.market, true).welfare != best_welfare(instance, true)
        ):
            return Trial(
                checks,
                {**instance.as_dict(), "sizes": list(true), "x": list(map(encode_number, x))},
            )
    return Trial(checks)


def _allocation(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = (two_rivals((0, 1, 2), (-2, -1, 0, 1)), random_linear(rng, 3, 15))
    return (
        search_counterexample(_efficient, *families, random_linear(rng, 4, 5), unit="profiles"),
    )


# ------------------------------------------------------------------------------ corollary 1


def _harmless(rng: np.random.Generator) -> tuple[Family, ...]:
    return (
        two_rivals((0, 1, 2), (0, 1, 2)),
        random_linear(rng, 3, 10, lowest=0),
        random_linear(rng, 4, 4, lowest=0),
    )


def _all_four(instance: Instance) -> Trial:
    """Check truth, participation, efficiency, and that nobody is paid."""
    checks = 0
    for test in (deviates(lower), deviates(staying_away), _efficient, _payments(lambda p: p >= 0)):
        trial = test(instance)
        checks += trial.checks
        if trial.example is not None:
            return Trial(checks, trial.example)
    return Trial(checks)


def _payments(right: Callable[[Any], bool]) -> Callable[[Instance], Trial]:
    """Return the test that every payment is right."""

    def test(instance: Instance) -> Trial:
        checks = 0
        for true in instance.profiles:
            paid = compute_outcome(instance.market, true).payments
            checks += len(paid)
            if not all(right(p) for p in paid):
                shown = {"sizes": list(true), "payments": list(map(encode_number, paid))}
                return Trial(checks, {**instance.as_dict(), **shown})
        return Trial(checks)

    return test


def _corollary_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_all_four, *_harmless(rng), unit="checks"),)


def _positive(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = _harmless(rng)
    return (
        search_counterexample(_payments(lambda p: p > 0), *families, unit="payments"),
        search_counterexample(
            _payments(lambda p: p >= 0),
            *families,
            unit="payments",
            correction="They are never negative, and 0 where nobody gains anything.",
        ),
    )


# ----------------------------------------------------------------------------------- budget


def _keeps_budget(instance: Instance) -> Trial:
    """Check that payments do not sum to a loss, and that they are those of the definition.

    Where the product says that the budget is always kept, a loss is one more contradiction.
    """
    checks = 0
    for true in instance.profiles:
        checks += 1
        paid = compute_outcome(instance.market, true).payments
        slow = [exploitation(instance.rule, i, true) for i in range(instance.rule.n)]
        if list(paid) != slow or sum(paid) < 0:
            shown = {"sizes": list(true), "payments": list(map(encode_number, paid))}
            claimed = prove_balance(instance.market)
            more = {} if claimed is None else {"the product says": claimed}
            return Trial(checks, {**instance.as_dict(), **shown, **more})
    return Trial(checks)


def _budget(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            _keeps_budget, random_linear(rng, 3, 200, absent=("all",)), unit="profiles"
        ),
        search_counterexample(
            _keeps_budget,
            random_linear(rng, 3, 60, absent=("none",)),
            random_linear(rng, 5, 40, absent=("none",)),
            unit="profiles",
            correction="They do if nobody is served unless all take part.",
        ),
        search_counterexample(
            _keeps_budget,
            two_rivals((0, 1, 2), (-3, -2, -1, 0, 1)),
            unit="profiles",
            correction="With two parties they do under every rule.",
        ),
    )


FOUR = 4
"""Parties from whom on the budget can fail under "participants"."""


def _draw_contested_markets(rng: np.random.Generator) -> Family:
    """Draw markets in which several parties ask for one to be served, which harms another."""
    found = []
    for _ in range(400):
        entries = rng.integers(-3, 4, (FOUR, FOUR))
        entries[np.diag_indices(FOUR)] = rng.integers(0, 2, FOUR)
        matrix = tuple(tuple(row) for row in entries.tolist())
        drawn = tuple(tuple(x) for x in rng.integers(0, 2, (3, FOUR)).tolist())
        found.append(of_matrix(matrix, "participants", drawn, (0, 1)))
    return Family("linear markets of 4 parties, rule participants", found, sampled=True)


def _budget_of_three(rng: np.random.Generator) -> tuple[Finding, ...]:
    three = random_linear(rng, 3, 200, absent=("participants",), profiles=4)
    return (
        search_counterexample(
            _keeps_budget, two_rivals((0, 1, 2), (-2, -1, 0, 1)), three, unit="profiles"
        ),
    )


def _budget_of_four(rng: np.random.Generator) -> tuple[Finding, ...]:
    def loses(instance: Instance) -> Trial:
        trial = _keeps_budget(instance)
        if trial.example is not None and sum(_exact(trial.example["payments"])) >= 0:
            raise ArithmeticError(f"payments differ from the definition: {trial.example}")
        return trial

    return (search_example(loses, _draw_contested_markets(rng), unit="profiles"),)


def _exact(payments: list[Any]) -> list[Any]:
    return [Fraction(p) for p in payments]


CLAIMS = (
    Claim(
        "learning/efficient-allocation",
        "learning",
        "Example 1, section 3",
        "In a linear market it is efficient to give the best model to the parties whose columns "
        "sum to 0 or more, and none to the others.",
        _allocation,
    ),
    Claim(
        "learning/corollary-1",
        "learning",
        "Corollary 1, section 3",
        "Without negative coefficients the efficient allocation with maximal exploitation payments "
        "is incentive compatible, individually rational, weakly budget-balanced and efficient.",
        _corollary_1,
    ),
    Claim(
        "learning/corollary-1-positive",
        "learning",
        "Proof of Corollary 1",
        "There every payment is positive.",
        _positive,
    ),
    Claim(
        "learning/exploitation-budget",
        "learning",
        "Section 3; what Corollary 1 leaves open",
        "In a linear market the payments sum to 0 or more when an absent party's values are still "
        'counted (rule "all").',
        _budget,
    ),
    Claim(
        "learning/exploitation-budget-three",
        "learning",
        "Not in the paper: what Corollary 1 leaves open",
        "In a linear market of up to three parties they do when only the values of participants "
        'are counted (rule "participants").',
        _budget_of_three,
    ),
    Claim(
        "learning/exploitation-budget-four",
        "learning",
        "Not in the paper: what Corollary 1 leaves open",
        'With four parties they can sum to a loss under "participants" too.',
        _budget_of_four,
    ),
)
