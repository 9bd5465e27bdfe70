"""The remark that ends appendix B: losses other than the square."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from aboveboard.auditing import ExPostIC
from aboveboard.exchange import ParticipationGame
from aboveboard.exchange.average import compute_benefits
from aboveboard.formatting import encode_number
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.exchange.audits import examine
from papers.exchange.beyond import Points, describe_leaver, describe_points, list_points
from papers.exchange.instances import name_parties

WHOLE = (1, 2, 3)
"""Powers whose games are exact, so that the product's audit goes through them."""
BELOW_1 = (Fraction(1, 3), Fraction(1, 2))
FROM_1 = (Fraction(1), Fraction(3, 2), Fraction(2), Fraction(3))


def compute_power_benefits(some: Points, joined: Sequence[bool], p: int) -> list[Fraction]:
    """Return each party's benefit for points on a line with the loss |y - average|^p."""
    here = [x[0] for x, j in zip(some, joined, strict=True) if j]
    if not here:
        return [Fraction(0)] * len(some)
    center = sum((x[0] for x in some), Fraction(0)) / len(some)
    error = abs(sum(here, Fraction(0)) / len(here) - center) ** p
    return [
        abs(x[0] - center) ** p - error if j else Fraction(0)
        for x, j in zip(some, joined, strict=True)
    ]


def make_power_game(some: Points, e: Fraction, p: int) -> ParticipationGame:
    """Return the game of joining or staying away with the loss of power p.

    Raises
    ------
    RuntimeError
        If the product's benefits differ from the definition at p = 2.
    """
    n = len(some)
    table = np.empty((1 << n, n), dtype=object)
    for mask in range(1 << n):
        joined = [bool(mask >> i & 1) for i in range(n)]
        table[mask] = compute_power_benefits(some, joined, p)
        if p == 2 and table[mask].tolist() != compute_benefits(some, joined):
            raise RuntimeError("the product's benefits differ from the definition")
    return ParticipationGame.from_table(name_parties(n), table, (e,) * n)


def _nash(some: Points, e: Fraction, p: int) -> Trial:
    game = make_power_game(some, e, p)
    verdict = examine(game, ExPostIC())
    if verdict.witness is None:
        return Trial(verdict.checked)
    said = {**describe_points(some), "power": p, **describe_leaver(verdict.witness, game.players)}
    return Trial(verdict.checked, {**said, "exclusivity": encode_number(e)})


def _nash_by_distances(some: Points, p: Fraction) -> Trial:
    """Check at exclusivity 1, for any rational power, that nobody gains by leaving.

    Leaving costs party i its distance d to the average to the power p and every rival the power
    of the new average's distance: no gain if that is at most d; both sides are raised to the
    power's numerator, so that the comparison is exact.
    """
    for i, (own, moved) in enumerate(_distances(some)):
        if moved**p.numerator > own**p.numerator:
            return Trial(
                i + 1, {**describe_points(some), "power": encode_number(p), "party": i + 1}
            )
    return Trial(len(some))


def _distances(some: Points) -> list[tuple[Fraction, Fraction]]:
    """Return each party's distance to the average, and the average's without it."""
    n, total = len(some), sum((x[0] for x in some), Fraction(0))
    center = total / n
    return [(abs(x[0] - center), abs((total - x[0]) / (n - 1) - center)) for x in some]


def _remark(instance: tuple[Points, Fraction]) -> Trial:
    some, p = instance
    if p.denominator > 1:
        return _nash_by_distances(some, p)
    trials = [_nash(some, Fraction(e), int(p)) for e in (0, 1)]
    return Trial(
        sum(t.checks for t in trials), next((t.example for t in trials if t.example), None)
    )


def _cross_with_powers(powers: Sequence[Any], *families: Family) -> tuple[Family, ...]:
    shown = ", ".join(str(p) for p in powers)
    return tuple(
        Family(f"{f.kind}, powers {shown}", [(x, Fraction(p)) for p in powers for x in f.instances])
        for f in families
    )


def _power(_: np.random.Generator) -> tuple[Finding, ...]:
    powers = sorted({*BELOW_1, *FROM_1})
    families = _cross_with_powers(powers, list_points(2), list_points(3), list_points(4))
    return (search_counterexample(_remark, *families, unit="deviations"),)


def _exactly_to(instance: tuple[Points, Fraction]) -> Trial:
    """Check that joining is a best reply at exclusivity (n - 1)^p, and not above it."""
    some, p = instance
    if len(set(some)) == 1:
        return Trial(0)
    limit = Fraction(len(some) - 1) ** int(p)
    at = _nash(some, limit, int(p))
    above = _nash(some, limit + Fraction(1, 1000), int(p))
    checks = at.checks + above.checks
    if at.example is not None:
        return Trial(checks, at.example)
    if above.example is None:
        return Trial(
            checks,
            {
                **describe_points(some),
                "power": encode_number(p),
                "truthful above": encode_number(limit),
            },
        )
    return Trial(checks)


def _range(_: np.random.Generator) -> tuple[Finding, ...]:
    families = _cross_with_powers(WHOLE, list_points(2), list_points(3), list_points(4))
    return (search_counterexample(_exactly_to, *families, unit="deviations"),)


def _step(instance: tuple[Points, Fraction]) -> Trial:
    """Check |average' - average|^p <= |own - average|^p / (n - 1), raised to p's denominator."""
    some, p = instance
    for i, (own, moved) in enumerate(_distances(some)):
        weight = Fraction(len(some) - 1) ** p.denominator
        if moved**p.numerator * weight > own**p.numerator:
            return Trial(
                i + 1, {**describe_points(some), "power": encode_number(p), "party": i + 1}
            )
    return Trial(len(some))


def _step_as_printed(_: np.random.Generator) -> tuple[Finding, ...]:
    families = (list_points(2), list_points(3), list_points(4))
    return (
        search_counterexample(
            _step, *_cross_with_powers((*BELOW_1, *FROM_1), *families), unit="inequalities"
        ),
        search_counterexample(
            _step,
            *_cross_with_powers(FROM_1, *families),
            unit="inequalities",
            correction="The step holds for p of at least 1; for smaller p the remark needs only "
            "|average' - average| <= |own - average|, which holds.",
        ),
    )


CLAIMS = (
    Claim(
        "exchange/remark-b",
        "exchange",
        "Appendix B, last remark",
        "With the loss |y - average|^p, p > 0, joining is a best reply where all others join "
        "(whole p for every exclusivity from 0 to 1, other p at exclusivity 1).",
        _power,
    ),
    Claim(
        "exchange/remark-b-step",
        "exchange",
        "Appendix B, proof of Theorem B.1 with the last remark",
        "The step v(average without i) >= v(point of i) / (n - 1) of the proof carries over to "
        "every p > 0.",
        _step_as_printed,
    ),
    Claim(
        "exchange/remark-b-exclusivity",
        "exchange",
        "Appendix B (not in the paper)",
        "Joining is a best reply where all others join exactly for exclusivities up to (n - 1)^p, "
        "if not all points are the same.",
        _range,
    ),
)
