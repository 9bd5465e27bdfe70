"""Section 5.1: Theorem 3 in Example 1 with levels 0 and infinity, as figure 6 shows it."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import inf

import numpy as np

from aboveboard.valuation import AlikeUsers
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.valuation.games import TOLERANCE, example
from papers.valuation.instances import round_values

SIXTIETHS = [Fraction(k, 60) for k in range(1, 61)]
THIRD, TWO_THIRDS = Fraction(1, 3), Fraction(2, 3)


def _compute_kept(cost: Fraction) -> tuple[float, float]:
    """Return what the platform and the users have in Example 1 with levels 0 and infinity."""
    curve = example(inf).curve([float(cost)])
    return float(curve.platform[0]), float(curve.users[0])


def _keeps_most(cost: Fraction) -> Trial:
    platform, users = _compute_kept(cost)
    if platform > users:
        return Trial(1)
    return Trial(1, round_values({"cost": str(cost), "platform": platform, "users": users}))


def _most(_: np.random.Generator) -> tuple[Finding, ...]:
    low = [c for c in SIXTIETHS if c <= THIRD]
    return (
        search_counterexample(
            _keeps_most, Family("costs in sixtieths up to 1/3", low), unit="offers"
        ),
        search_counterexample(
            _keeps_most,
            Family("costs in sixtieths below 1/4", [c for c in low if c < Fraction(1, 4)]),
            unit="offers",
            correction="The platform keeps 1 - 2c and pays 2c: more than half for costs below 1/4.",
        ),
    )


def _thresholds_5_1(_: np.random.Generator) -> tuple[Finding, ...]:
    def test(game: AlikeUsers) -> Trial:
        found = game.c_th, game.gamma_max
        off = max(abs(a - float(b)) for a, b in zip(found, (THIRD, TWO_THIRDS), strict=True))
        return Trial(2, {"c_th": found[0], "gamma_max": found[1]} if off > TOLERANCE else None)

    return (
        search_counterexample(test, Family("game of Example 1", [example(inf)]), unit="thresholds"),
    )


def _offer_5_1(cost: Fraction) -> Trial:
    """Check p and alpha* against their closed forms."""
    best = example(inf).best(float(cost))
    if cost <= THIRD:
        p, alpha = Fraction(0), 2 * cost
    elif cost < TWO_THIRDS:
        p, alpha = 3 * cost - 1, 6 * cost / (3 * cost + 2)
    else:
        p, alpha = Fraction(1), Fraction(0)
    found = 1 - best.q, best.alpha
    if max(abs(found[0] - p), abs(found[1] - alpha)) <= TOLERANCE:
        return Trial(2)
    said = {"cost": str(cost), "p and alpha": found, "closed form": [str(p), str(alpha)]}
    return Trial(2, round_values(said))


def _offers_5_1(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            _offer_5_1, Family("costs in sixtieths up to 1", SIXTIETHS), unit="numbers"
        ),
    )


def _falls_5_1(step: tuple[Fraction, Fraction]) -> Trial:
    """Check that total utility is 1 up to 1/3, falls up to 2/3, and is 0 from there."""
    totals = [sum(_compute_kept(cost)) for cost in step]
    if step[1] <= THIRD:
        right = all(abs(x - 1) <= TOLERANCE for x in totals)
    elif step[0] < TWO_THIRDS:
        right = totals[0] > totals[1]
    else:
        right = totals == [0.0, 0.0]
    said = {"costs": [str(c) for c in step], "total utility": totals}
    return Trial(1, None if right else round_values(said))


def _totals_5_1(_: np.random.Generator) -> tuple[Finding, ...]:
    family = Family("neighbouring costs in sixtieths up to 1", list(pairwise(SIXTIETHS)))
    return (search_counterexample(_falls_5_1, family, unit="steps"),)


PAPER = "valuation"

CLAIMS = (
    Claim(
        "valuation/section-5.1",
        PAPER,
        "Section 5.1",
        "In Example 1 with levels 0 and infinity, c_th = 1/3 and gamma_max = 2/3.",
        _thresholds_5_1,
    ),
    Claim(
        "valuation/section-5.1-offers",
        PAPER,
        "Figure 6 in closed form (not in the paper)",
        "alpha* is 2c up to 1/3, with p = 0; 6c/(3c + 2) up to 2/3, with p = 3c - 1; then 0.",
        _offers_5_1,
    ),
    Claim(
        "valuation/section-5.1-total",
        PAPER,
        "Section 5.1, figure 6",
        "Total utility is the largest up to a cost of 1/3, falls up to 2/3, and is 0 from there.",
        _totals_5_1,
    ),
    Claim(
        "valuation/section-5.1-most",
        PAPER,
        "Section 5.1, figure 6",
        "Up to a cost of 1/3 the platform captures most of the utility.",
        _most,
    ),
)
