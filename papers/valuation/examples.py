"""Examples 1 and 2 with appendix A.1: the mean of bounded data under differential privacy."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import factorial, inf
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number
from aboveboard.games.numbers import Number
from aboveboard.valuation import (
    DpMean,
    PrivateMean,
    private_mean,
    shapley_among_users,
    shapley_with_platform,
)
from aboveboard.valuation.levels import NOTHING, Level, encode_level
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.valuation.instances import EPSILONS, levels, random_levels

CHOICES = ((NOTHING, NOTHING), (NOTHING, inf), (inf, NOTHING), (inf, inf))
"""The cells of the 2x2 tables, user 1's level by row, as equation 36 has them."""

Cells = tuple[Fraction, Fraction, Fraction, Fraction]


def _cells(*written: str) -> Cells:
    a, b, c, d = map(Fraction, written)
    return a, b, c, d


EQUATION_10 = _cells("0", "2/3", "2/3", "1")
EQUATION_11 = {
    "platform": _cells("0", "1/3", "1/3", "5/9"),
    "user 1": _cells("0", "1/3", "0", "2/9"),
    "user 2": _cells("0", "0", "1/3", "2/9"),
}
EQUATION_13 = {
    "user 1": _cells("0", "2/3", "0", "1/2"),
    "user 2": _cells("0", "0", "2/3", "1/2"),
}


def describe_levels(chosen: Sequence[Level]) -> list[Any]:
    """Return privacy levels as plain data."""
    return [encode_level(x) for x in chosen]


def transpose(cells: Cells) -> Cells:
    """Exchange the users' levels."""
    a, b, c, d = cells
    return a, c, b, d


# --------------------------------------------------------------------------- the small tables


def _cell_is(k: int) -> Trial:
    found = DpMean().worth(CHOICES[k])
    if found == EQUATION_10[k]:
        return Trial(1)
    return Trial(
        1,
        {
            "levels": describe_levels(CHOICES[k]),
            "printed": encode_number(EQUATION_10[k]),
            "is": found,
        },
    )


def _equation_10(_: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_cell_is, Family("cells of the table", range(4)), unit="cells"),)


def _shares(who: str, chosen: Sequence[Level], *, platform: bool) -> Number:
    found = (shapley_with_platform if platform else shapley_among_users)(DpMean().table(chosen))
    return found.platform if who == "platform" else found.users[int(who[-1]) - 1]


def _tables_are(tables: dict[str, Cells], *, platform: bool) -> tuple[Finding, Finding]:
    def test(cell: tuple[str, int, Fraction]) -> Trial:
        who, k, printed = cell
        found = _shares(who, CHOICES[k], platform=platform)
        if found == printed:
            return Trial(1)
        shares = {"printed": encode_number(printed), "fair share": encode_number(found)}
        return Trial(1, {"of": who, "levels": describe_levels(CHOICES[k]), **shares})

    def family(read: dict[str, Cells], kind: str) -> Family:
        return Family(kind, [(w, k, x) for w, cells in read.items() for k, x in enumerate(cells)])

    turned = {who: transpose(cells) for who, cells in tables.items()}
    return (
        search_counterexample(test, family(tables, "printed cells"), unit="cells"),
        search_counterexample(
            test,
            family(turned, "cells, transposed"),
            unit="cells",
            correction="The users' tables are printed transposed (against equation 36, whose rows "
            "are user 1's levels): who shares nothing is paid nothing.",
        ),
    )


def _equation_11(_: np.random.Generator) -> tuple[Finding, ...]:
    return _tables_are(EQUATION_11, platform=True)


def _equation_13(_: np.random.Generator) -> tuple[Finding, ...]:
    return _tables_are(EQUATION_13, platform=False)


# ----------------------------------------------------------------------------- two users


def _reciprocal(epsilon: Level, over: int) -> Fraction:
    """Return over/epsilon^2."""
    return Fraction(0) if epsilon == inf else over / Fraction(epsilon) ** 2


def _two_users(epsilon: Level) -> Trial:
    """Check equations 30, 31 and 34 to 36: weights, noise, risk and utility."""
    one, both = (private_mean(x) for x in ((epsilon, NOTHING), (epsilon, epsilon)))
    printed = (
        (one.weights, (1 / (3 + _reciprocal(epsilon, 24)), Fraction(0))),
        (one.noise, _noise(epsilon, 3, 24)),
        (one.risk, (1 - 1 / (3 + _reciprocal(epsilon, 24))) / 12),
        (one.utility, 2 / (3 + _reciprocal(epsilon, 24))),
        (both.weights, (1 / (4 + _reciprocal(epsilon, 12)),) * 2),
        (both.noise, _noise(epsilon, 4, 12)),
        (both.risk, (1 - 1 / (2 + _reciprocal(epsilon, 6))) / 12),
        (both.utility, 1 / (1 + _reciprocal(epsilon, 3))),
        (private_mean((NOTHING, NOTHING)).risk, Fraction(1, 12)),
    )
    for k, (found, formula) in enumerate(printed):
        if found != formula:
            values = {"printed": str(formula), "is": str(found)}
            return Trial(k + 1, {"epsilon": encode_level(epsilon), "formula": k, **values})
    return Trial(len(printed))


def _noise(epsilon: Level, square: int, constant: int) -> Fraction:
    """Return the printed scale epsilon/(square epsilon^2 + constant) of the Laplace noise."""
    if epsilon == inf:
        return Fraction(0)
    return Fraction(epsilon) / (square * Fraction(epsilon) ** 2 + constant)


def _equation_36(_: np.random.Generator) -> tuple[Finding, ...]:
    some = [Fraction(k, 4) for k in range(1, 41)]
    family = Family("levels epsilon' in quarters up to 10, and infinity", [*some, inf])
    return (search_counterexample(_two_users, family, unit="formulas"),)


# -------------------------------------------------------------------------- any number of users


def compute_risk(weights: Sequence[Number], noise: Number) -> Fraction:
    """Return the Bayes risk of an estimator by its definition: all data, p over [0, 1].

    E[p^a (1-p)^b] = a! b!/(a+b+1)!; Laplace noise of scale z has variance 2 z^2.
    """
    n, total = len(weights), Fraction(0)
    for data in product((0, 1), repeat=n):
        k = sum(data)
        x = sum(
            (Fraction(w) * (2 * one - 1) for w, one in zip(weights, data, strict=True)), Fraction(1)
        )
        # The estimate is (x - 1)/2 and mu = p - 1/2, so the error is x/2 - p.
        moments = [
            Fraction(factorial(k + d) * factorial(n - k), factorial(n + d + 1)) for d in range(3)
        ]
        total += x * x / 4 * moments[0] - x * moments[1] + moments[2]
    return total + 2 * Fraction(noise) ** 2


def compute_kept(found: PrivateMean, chosen: Sequence[Level]) -> bool:
    """Return whether every user's privacy level is kept: w_i/noise is at most epsilon_i."""
    return all(
        e == inf or (w == 0 if e == 0 else 0 <= w <= Fraction(e) * found.noise)
        for w, e in zip(found.weights, chosen, strict=True)
    )


def optimal(found: PrivateMean, chosen: Sequence[Level]) -> bool:
    """Check the Karush-Kuhn-Tucker conditions, exactly; they suffice as the risk is convex.

    Minimise (sum w - 1)^2/12 + sum w^2/6 + 2 z^2 subject to w_i <= z epsilon_i: the price of user
    i's level is minus the slope in w_i, 0 where the level does not bind, and 4 z is the sum of
    price times epsilon. Users of level 0 have no say.
    """
    slope, paid = Fraction(sum(found.weights) - 1) / 6, Fraction(0)
    for w, e in zip(found.weights, chosen, strict=True):
        price = -(slope + Fraction(w) / 3)
        if e == 0:
            continue
        if price < 0 or (price > 0 and (e == inf or w != Fraction(e) * found.noise)):
            return False
        paid += 0 if e == inf else price * Fraction(e)
    return paid == 4 * Fraction(found.noise)


def _closed_form(chosen: Sequence[Level]) -> Trial:
    found, n = private_mean(chosen), len(chosen)
    risk = compute_risk(found.weights, found.noise)
    best = Fraction(1, 6 * (n + 2))
    rescaled = (Fraction(1, 12) - risk) / (Fraction(1, 12) - best)
    answers = {
        "levels kept": compute_kept(found, chosen),
        "risk": risk == found.risk,
        "least risk": optimal(found, chosen),
        "utility": rescaled == found.utility,
    }
    wrong = [name for name, right in answers.items() if not right]
    return Trial(4, {"levels": describe_levels(chosen), "wrong": wrong} if wrong else None)


def _any_number(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = (levels(1), levels(2), levels(3), random_levels(rng, 5, 30))
    return (search_counterexample(_closed_form, *families, unit="conditions"),)


# ---------------------------------------------------------------------------- monotonicity


def _rises(chosen: Sequence[Level], *, strictly: bool) -> Trial:
    """Raise each user's level to each higher one."""
    before, checks = private_mean(chosen), 0
    for i, own in enumerate(chosen):
        for higher in (e for e in EPSILONS if e > own):
            checks += 1
            raised = (*chosen[:i], higher, *chosen[i + 1 :])
            after = private_mean(raised)
            if after.risk > before.risk or (strictly and after.utility == before.utility):
                utilities = {
                    "utility": encode_number(before.utility),
                    "then": encode_number(after.utility),
                }
                return Trial(
                    checks,
                    {
                        "levels": describe_levels(chosen),
                        "raised": describe_levels(raised),
                        **utilities,
                    },
                )
    return Trial(checks)


def _monotone(rng: np.random.Generator) -> tuple[Finding, ...]:
    few = (levels(2), levels(3))
    return (
        search_counterexample(lambda x: _rises(x, strictly=True), *few, unit="rises of a level"),
        search_counterexample(
            lambda x: _rises(x, strictly=False),
            *few,
            random_levels(rng, 5, 20),
            unit="rises of a level",
            correction="U never falls as a level rises; it stays where the user is saturated, at "
            "or above tau.",
        ),
    )


def _is_saturated(chosen: Sequence[Level]) -> Trial:
    """Look for a user who gets more privacy than it asked for, with finite levels."""
    found = private_mean(chosen)
    for i, (w, e) in enumerate(zip(found.weights, chosen, strict=True)):
        if 0 < e < inf and w < Fraction(e) * found.noise:
            given = {"asked": encode_level(e), "given": encode_number(Fraction(w) / found.noise)}
            return Trial(1, {"levels": describe_levels(chosen), "user": i + 1, **given})
    return Trial(1)


def _saturation(_: np.random.Generator) -> tuple[Finding, ...]:
    return (search_example(_is_saturated, levels(1), levels(2), unit="levels"),)


PAPER = "valuation"

CLAIMS = (
    Claim(
        "valuation/example-1",
        PAPER,
        "Example 1, equations 30, 31 and 34 to 36",
        "Weights, noise, Bayes risks and utilities of two users who share at epsilon' or not.",
        _equation_36,
    ),
    Claim(
        "valuation/equation-10",
        PAPER,
        "Example 1, equation 10",
        "The utility at levels 0 and infinity.",
        _equation_10,
    ),
    Claim(
        "valuation/equation-11",
        PAPER,
        "Example 1, equation 11",
        "The fair shares of the platform and of each user under Theorem 1.",
        _equation_11,
    ),
    Claim(
        "valuation/equation-13",
        PAPER,
        "Example 2, equation 13",
        "The fair shares of each user under Theorem 2, for alpha = 1.",
        _equation_13,
    ),
    Claim(
        "valuation/example-1-closed-form",
        PAPER,
        "Example 1 for any number of users and any levels (not in the paper)",
        "The closed form by tau and n_eff keeps every level and has the least Bayes risk among "
        "linear-Laplace estimators (exact conditions of optimality; risk from the definition).",
        _any_number,
    ),
    Claim(
        "valuation/example-1-monotone",
        PAPER,
        "Example 1, and Assumption 1 as printed, with a strict inequality",
        "U is larger whenever a privacy level is.",
        _monotone,
    ),
    Claim(
        "valuation/saturation",
        PAPER,
        "Section 5, a note on monotonicity of utility",
        "The optimal algorithm sometimes gives a user more privacy than it asked for.",
        _saturation,
    ),
)
