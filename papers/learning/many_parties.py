"""Section 6.1, figure 1: what more parties do to revenue, welfare and the best model.

The paper does not say what happens when a party stays away: all three rules are tried. Cost: n + 1
allocations a sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

import numpy as np

from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.learning.averages import SURE, Average, FloatArray, average, coefficients, play_market
from papers.learning.instances import RULES


@dataclass(frozen=True)
class Samples:
    """Sampled markets of n parties; arrays have the shape (samples,).

    Parameters
    ----------
    n
        How many parties each has.
    revenue
        By rule for the absent: what the parties pay together.
    welfare, best
        What the parties have together, and the quality of the best model; under rule "all".
    """

    n: int
    revenue: dict[str, FloatArray]
    welfare: FloatArray
    best: FloatArray


def samples(rng: np.random.Generator, n: int, count: int) -> Samples:
    """Draw markets of n parties with sizes from U[0, 1]."""
    revenue: dict[str, list[float]] = {rule: [] for rule in RULES}
    welfare, best = [], []
    for _ in range(count):
        valuation, sizes = coefficients(rng, n), rng.uniform(0, 1, n).tolist()
        found = {rule: play_market(valuation, sizes, rule) for rule in RULES}
        for rule, of_rule in found.items():
            revenue[rule].append(float(of_rule.revenue))
        welfare.append(float(found["all"].welfare))
        best.append(float(found["all"].best))
    by_rule = {rule: np.array(values) for rule, values in revenue.items()}
    return Samples(n, by_rule, np.array(welfare), np.array(best))


NUMBERS = (2, 4, 8)
COUNT = 300
MORE = 800
"""Of the claim about revenue and welfare, which differ little under two of the rules."""


def _draw_samples(rng: np.random.Generator, count: int = COUNT) -> list[Samples]:
    return [samples(rng, n, count) for n in NUMBERS]


def _rules(drawn: list[Samples]) -> Family:
    numbers = ", ".join(map(str, NUMBERS))
    count = len(drawn[0].welfare)
    kind = f"rules for the absent, {count} markets each of {numbers} parties"
    return Family(kind, [(rule, drawn) for rule in RULES], sampled=True)


def _surpasses(instance: tuple[str, list[Samples]]) -> Trial:
    """Look for a number of parties at which revenue is above welfare on average."""
    rule, drawn = instance
    ahead = {s.n: average(s.welfare - s.revenue[rule]) for s in drawn}
    if any(a.mean < 0 for a in ahead.values()):
        return Trial(len(drawn))
    by_number = {str(n): a.as_dict() for n, a in ahead.items()}
    return Trial(len(drawn), {"absent": rule, "welfare minus revenue by parties": by_number})


def _stays_below(instance: tuple[str, list[Samples]]) -> Trial:
    rule, drawn = instance
    for s in drawn:
        ahead = average(s.welfare - s.revenue[rule])
        if not ahead.is_above:
            shown = {"absent": rule, "parties": s.n}
            return Trial(len(drawn), {**shown, "welfare minus revenue": ahead.as_dict()})
    return Trial(len(drawn))


def _sometimes(instance: tuple[str, list[Samples]]) -> Trial:
    rule, drawn = instance
    for s in drawn:
        if not (s.revenue[rule] > s.welfare).any():
            return Trial(len(drawn), {"absent": rule, "parties": s.n})
    return Trial(len(drawn))


def _revenue_above_welfare(rng: np.random.Generator) -> tuple[Finding, ...]:
    family = _rules(_draw_samples(rng, MORE))
    return (
        search_counterexample(_surpasses, family, unit="averages"),
        search_counterexample(
            _stays_below,
            family,
            unit="averages",
            correction="On average welfare is larger: who is served while a party stays away does "
            "not harm that party on average, so that it keeps something.",
        ),
        search_counterexample(
            _sometimes,
            family,
            unit="averages",
            correction="In single markets revenue can be larger.",
        ),
    )


def _rises(instance: tuple[str, list[Samples]]) -> Trial:
    """Check that revenue and the best quality rise from each number of parties to the next."""
    rule, drawn = instance
    checks = 0
    for less, more in pairwise(drawn):
        for name, low, high in (
            ("revenue", less.revenue[rule], more.revenue[rule]),
            ("best quality", less.best, more.best),
        ):
            checks += 1
            a, b = average(low), average(high)
            if not Average(b.mean - a.mean, sqrt(a.error**2 + b.error**2)).is_above:
                shown = {"absent": rule, "parties": [less.n, more.n], "of": name}
                return Trial(checks, {**shown, "averages": [a.as_dict(), b.as_dict()]})
    return Trial(checks)


def _more_parties(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_rises, _rules(_draw_samples(rng)), unit="rises"),)


NEARLY = 0.99
"""What is called close to the optimum, 1."""


def _is_close(n: int, rng: np.random.Generator) -> Trial:
    sizes = rng.uniform(0, 1, (500, n))
    exact = average(np.tanh(sizes.sum(axis=1) / 2))
    best = average(
        [float(play_market(coefficients(rng, n), row, "all").best) for row in sizes[:40]]
    )
    off = abs(best.mean - exact.mean) > SURE * best.error
    if exact.mean >= NEARLY and not off:
        return Trial(1)
    return Trial(1, {"parties": n, "best quality": best.as_dict()})


def _close(rng: np.random.Generator) -> tuple[Finding, ...]:
    family = Family("numbers of parties from 12 to 16", range(12, 17), sampled=True)
    return (search_counterexample(lambda n: _is_close(n, rng), family, unit="averages"),)


CLAIMS = (
    Claim(
        "learning/figure-1-more-parties",
        "learning",
        "Section 6.1, figure 1",
        "The more parties, the more revenue and the better the best model.",
        _more_parties,
    ),
    Claim(
        "learning/figure-1-close-to-optimal",
        "learning",
        "Section 6.1, figure 1",
        "The model quality is close to optimal (0.99 or more on average) with 12 parties or more.",
        _close,
    ),
    Claim(
        "learning/figure-1-revenue-above-welfare",
        "learning",
        "Section 6.1, figure 1",
        "Revenue may surpass welfare (on average): the others' effect on a party that stays away "
        "is negative on average.",
        _revenue_above_welfare,
    ),
)
