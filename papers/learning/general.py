"""Theorems 2 and 3: which payments can be, and which are, truthful and rational.

Markets of two parties with linear externalities and Q(s) = (1 - e^-s)/(1 + e^-s), which is
differentiable. The first party's payment is the maximal exploitation payment plus a + b r + c r^2
for the report r. Lies and absences are tried in loops on a grid; the inequalities are the product's
checkers, and (2) is held against its integral in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import tanh
from typing import Any

import numpy as np

from aboveboard.learning import (
    Linear,
    Logistic,
    Market,
    assign_models,
    exploitation_payments,
)
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.learning.conditions import Condition, DifferentiablePayment, theorem_2, theorem_3

GRID = tuple(k / 8 for k in range(9))
"""Sizes at which the inequalities are compared."""

FINE = tuple(k / 32 for k in range(33))
"""Sizes and reports that are tried: steps finer than what the other party ever has."""

TOLERANCE = 1e-9
"""Of utilities, which are sums of a few terms of size 1."""

HALVES = (-1.0, -0.5, 0.0, 0.5, 1.0)
EXTRAS = tuple(product((-0.25, 0.0, 0.25), (-0.5, -0.25, 0.0, 0.25, 0.5), (-0.25, 0.0, 0.25)))
"""a, b, c of what is added to the payment."""


def quality(s: float) -> float:
    """Return Q(s)."""
    return tanh(s / 2)


@dataclass(frozen=True)
class ChargedMarket:
    """The first of two parties, what it is charged, and what the other has.

    Parameters
    ----------
    matrix
        Row i: what the parties' qualities are worth to party i.
    other
        The other's size.
    extra
        a, b, c.
    """

    matrix: tuple[tuple[float, float], tuple[float, float]]
    other: float
    extra: tuple[float, float, float]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "matrix": [list(row) for row in self.matrix],
            "the other has": self.other,
            "added to the payment": dict(zip(("1", "r", "r^2"), self.extra, strict=True)),
        }

    @property
    def served(self) -> tuple[bool, bool]:
        """Who is served: whose column sums to 0 or more."""
        (a, b), (c, d) = self.matrix
        return a + c >= 0, b + d >= 0

    def value(self, true: float, report: float | None) -> float:
        """Return v_1 when it has one size and reports another, or stays away."""
        best = quality((report or 0) + self.other)
        mine = best if self.served[0] and report is not None else 0.0
        theirs = best if self.served[1] else 0.0
        a, b = self.matrix[0]
        return a * max(mine, quality(true)) + b * max(theirs, quality(self.other))

    def payment(self, report: float) -> float:
        """Return what a report costs."""
        a, b, c = self.extra
        own = self.value(report, report) - self.value(report, None)
        return own + a + b * report + c * report**2

    def integrate_gain(self, low: float, high: float) -> float:
        """Return the integral of (2) in closed form: what better models bring, own data aside."""
        rise = quality(high + self.other) - quality(low + self.other)
        return rise * sum(x for x, s in zip(self.matrix[0], self.served, strict=True) if s)

    def pays_to_lie(self) -> dict[str, Any] | None:
        """Return a lie or an absence that pays, on the fine grid."""
        paid = {r: self.payment(r) for r in FINE}
        for t in FINE:
            truth = self.value(t, t) - paid[t]
            for r in [None, *(r for r in FINE if r < t)]:
                lie = self.value(t, r) - (0.0 if r is None else paid[r])
                if lie > truth + TOLERANCE:
                    kept = {"utility by truth": round(truth, 9), "otherwise": round(lie, 9)}
                    return {"has": t, "reports": r, **kept}
        return None

    def rule(self) -> DifferentiablePayment:
        """Return the same to the product: its own allocation and payments, and what is added."""
        exact = tuple(tuple(Fraction(x) for x in row) for row in self.matrix)
        market = Market(Logistic(), Linear(exact), 2)
        a, b, c = self.extra

        def present(sizes: Any) -> tuple[Any, Any]:
            flat = sizes.reshape(-1, 2)
            return flat, np.ones(flat.shape, dtype=np.bool_)

        def handed(sizes: Any) -> Any:
            return assign_models(market, *present(sizes)).reshape(sizes.shape)

        def without(sizes: Any) -> Any:
            flat, there = present(sizes)
            there[:, 0] = False
            return assign_models(market, flat, there).reshape(sizes.shape)

        def payment(sizes: Any) -> Any:
            own = exploitation_payments(market, *present(sizes))[:, 0].reshape(sizes.shape[:-1])
            return own + a + b * sizes[..., 0] + c * sizes[..., 0] ** 2

        def value(x: Any, true: Any) -> Any:
            return market.valuation.evaluate(np.maximum(x, market.quality.evaluate(true)))[..., 0]

        return DifferentiablePayment(0, 2, value, handed, without, payment)

    def conditions_2(self) -> tuple[Condition, Condition]:
        """Return (1) and (2) by the product."""
        return theorem_2(self.rule(), GRID, [[self.other]])

    def conditions_3(self) -> tuple[Condition, Condition, Condition]:
        """Return (1), (5) and (6) by the product."""
        return theorem_3(self.rule(), GRID, [[self.other]])


def draw_charged_markets(
    rng: np.random.Generator, count: int, *, others: tuple[float, ...] = (0.25, 1.0)
) -> Family:
    """Draw markets with coefficients in halves; the first one is charged one of `EXTRAS` more."""
    found = []
    for _ in range(count):
        a, b, c, d = rng.choice(HALVES, 4).tolist()
        extra = EXTRAS[int(rng.integers(len(EXTRAS)))]
        found.append(ChargedMarket(((abs(a), b), (c, abs(d))), float(rng.choice(others)), extra))
    shown = " or ".join(f"{x:g}" for x in others)
    kind = f"payments in linear markets of 2 parties, sizes 0 to 1, the other has {shown}"
    return Family(kind, found, sampled=True)


# -------------------------------------------------------------------------------- theorem 2


def _necessary(case: ChargedMarket) -> Trial:
    """Check that (1) and (2) hold if no lie and no absence pays."""
    if case.pays_to_lie() is not None:
        return Trial(0)
    first, second = case.conditions_2()
    slow = max(
        case.payment(t) - case.payment(r) - case.integrate_gain(r, t)
        for r, t in product(GRID, repeat=2)
        if t >= r
    )
    differs = abs(second.excess - slow) > second.tolerance
    if first.holds and second.holds and not differs:
        return Trial(first.checks + second.checks)
    shown = {"(1)": first.as_dict(), "(2)": second.as_dict(), "in closed form": slow}
    return Trial(first.checks + second.checks, {**case.as_dict(), **shown})


def _theorem_2(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_necessary, draw_charged_markets(rng, 250), unit="comparisons"),)


def _not_sufficient(case: ChargedMarket) -> Trial:
    """Look for payments that satisfy (1) and (2), and a lie or an absence that pays."""
    conditions = case.conditions_2()
    lie = case.pays_to_lie() if all(c.holds for c in conditions) else None
    checks = sum(c.checks for c in conditions)
    return Trial(checks, None if lie is None else {**case.as_dict(), **lie})


def _beyond_theorem_2(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_example(_not_sufficient, draw_charged_markets(rng, 250), unit="comparisons"),)


# -------------------------------------------------------------------------------- theorem 3


def _sufficient(*names: str) -> Any:
    """Return the test that no lie and no absence pays where the conditions of these names hold."""

    def test(case: ChargedMarket) -> Trial:
        met = {c.name: c for c in (*case.conditions_2(), *case.conditions_3())}
        if not all(met[name].holds for name in names):
            return Trial(0)
        lie = case.pays_to_lie()
        checks = len(FINE) * (len(FINE) + 1) // 2
        return Trial(checks, None if lie is None else {**case.as_dict(), **lie})

    return test


def _theorem_3(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            _sufficient("(1)", "(5)", "(6)"),
            draw_charged_markets(rng, 250),
            unit="lies and absences",
        ),
    )


def _check_cited_conditions(rng: np.random.Generator) -> tuple[Finding, ...]:
    cases = draw_charged_markets(rng, 250)
    return (
        search_counterexample(_sufficient("(2)", "(5)", "(6)"), cases, unit="lies and absences"),
        search_counterexample(
            _sufficient("(1)", "(5)", "(6)"),
            cases,
            unit="lies and absences",
            correction="From (1), (5) and (6): the last step needs what (1) says of size 0.",
        ),
    )


def _slope(case: ChargedMarket, report: float, true: float) -> float:
    """Return dw/dr in closed form: the own model rises with the report only if it is in use."""
    joint = report + case.other
    rate = (1 - quality(joint) ** 2) / 2
    (a, b), (mine, theirs) = case.matrix[0], case.served
    used = mine and joint > true
    return rate * (a * used + b * theirs)


def _argmin(*, above: bool) -> Any:
    """Return the test that the derivative is smallest at the truth, over t > r or over t >= r."""

    def test(case: ChargedMarket) -> Trial:
        checks = 0
        for r in GRID[:-1]:
            choices = [t for t in GRID if (t > r if above else t >= r)]
            slopes = {t: _slope(case, r, t) for t in choices}
            checks += len(choices)
            smallest = [t for t in choices if slopes[t] <= min(slopes.values()) + TOLERANCE]
            if r not in smallest:
                shown = {"reports": r, "smallest at": smallest[0]}
                return Trial(checks, {**case.as_dict(), **shown})
        fifth = case.conditions_3()[1]
        if not fifth.holds:
            return Trial(checks, {**case.as_dict(), "the product's (5)": fifth.as_dict()})
        return Trial(checks)

    return test


def _check_printed_argmin(rng: np.random.Generator) -> tuple[Finding, ...]:
    near = draw_charged_markets(rng, 60, others=(1.125,))
    return (
        search_counterexample(_argmin(above=True), near, unit="derivatives"),
        search_counterexample(
            _argmin(above=False),
            near,
            unit="derivatives",
            correction="Read it over t_i >= t'_i. It then holds in linear markets in which the "
            "others have more than any party can hide.",
        ),
    )


def _in_the_model(rng: np.random.Generator) -> tuple[Finding, ...]:
    near = draw_charged_markets(rng, 60, others=(1.125,))
    return (
        search_counterexample(
            _argmin(above=False), draw_charged_markets(rng, 60, others=(0.25,)), unit="derivatives"
        ),
        search_counterexample(
            _argmin(above=False),
            near,
            unit="derivatives",
            correction="It is where no t_i exceeds t'_i plus what the others have; beyond, the "
            "party uses its own model, and a little more reported changes nothing for it.",
        ),
    )


CLAIMS = (
    Claim(
        "learning/theorem-2",
        "learning",
        "Theorem 2, section 4",
        "Payments that are incentive compatible and individually rational satisfy (1) and (2).",
        _theorem_2,
    ),
    Claim(
        "learning/theorem-2-not-sufficient",
        "learning",
        "Section 4, after Theorem 2",
        "(1) and (2) do not suffice.",
        _beyond_theorem_2,
    ),
    Claim(
        "learning/theorem-3",
        "learning",
        "Theorem 3, section 4 (the minimum of (5) taken over t_i >= t'_i)",
        "Payments that satisfy (1), (5) and (6) are incentive compatible and individually "
        "rational.",
        _theorem_3,
    ),
    Claim(
        "learning/theorem-3-cites",
        "learning",
        "Theorem 3, the last step of the proof",
        "Individual rationality follows with (2): from (2), (5) and (6).",
        _check_cited_conditions,
    ),
    Claim(
        "learning/theorem-3-argmin",
        "learning",
        "Theorem 3, (5)",
        "t'_i is the minimiser over t_i > t'_i, in markets in which every better model is in use.",
        _check_printed_argmin,
    ),
    Claim(
        "learning/theorem-3-model",
        "learning",
        "Theorem 3, (5), in the model of section 2.2",
        "The derivative of (5) is smallest at the truth when the best model is handed out.",
        _in_the_model,
    ),
)
