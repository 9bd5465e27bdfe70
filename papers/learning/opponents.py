"""Section 6.1, figure 2: a party of type 1 against opponents of other types.

Cost: 3 allocations a market and type. Source: section 6.1, and docs/theory.md for the closed forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import tanh
from typing import Any

import numpy as np

from aboveboard.learning import Linear
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.learning.averages import SURE, FloatArray, average, coefficients, play_market


def quality(s: float) -> float:
    """Return Q(s)."""
    return tanh(s / 2)


def compute_closed_forms(t: float) -> dict[str, float]:
    """Return the expectations of figure 2 for an opponent of type t (docs/theory.md)."""
    joint, static, own = quality(1 + t), quality(1), quality(t)
    return {
        "revenue": 7 / 12 * (2 * joint - static - own),
        "welfare": 7 / 6 * joint - (static + own) / 12,
        "uti_1": static / 2,
        "uti_2": own / 2,
    }


def against(valuations: Sequence[Linear], t: float) -> dict[str, FloatArray]:
    """Return revenue, welfare and utilities in these markets of a party of type 1 and one of t."""
    found = [play_market(valuation, [1.0, t], "all") for valuation in valuations]
    return {
        "revenue": np.array([float(x.revenue) for x in found]),
        "welfare": np.array([float(x.welfare) for x in found]),
        "uti_1": np.array([float(x.utilities[0]) for x in found]),
        "uti_2": np.array([float(x.utilities[1]) for x in found]),
    }


OPPONENTS = (0.0, 0.5, 1.0, 1.5, 2.0)
MARKETS = 400
MORE_MARKETS = 1200
"""Of the claim about revenue, whose change is small against a market's own."""


@dataclass(frozen=True)
class Opponents:
    """The same markets against each opponent.

    Parameters
    ----------
    by_type
        By the opponent's type: revenue, welfare and utilities, each of shape (markets,).
    """

    by_type: dict[float, dict[str, FloatArray]]


def _opponents(rng: np.random.Generator, count: int = MARKETS) -> Family:
    valuations = [coefficients(rng, 2) for _ in range(count)]
    drawn = Opponents({t: against(valuations, t) for t in OPPONENTS})
    shown = ", ".join(f"{t:g}" for t in OPPONENTS)
    kind = f"set of {count} markets against opponents of types {shown}"
    return Family(kind, [drawn], sampled=True)


def _as_in_closed_form(drawn: Opponents) -> Trial:
    checks = 0
    for t, found in drawn.by_type.items():
        for name, expected in compute_closed_forms(t).items():
            checks += 1
            off = average(found[name] - expected)
            if abs(off.mean) > SURE * off.error + 1e-12:
                shown = {"type": t, "of": name, "expected": expected}
                return Trial(checks, {**shown, "off by": off.as_dict()})
    return Trial(checks)


def _check_closed_forms(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_as_in_closed_form, _opponents(rng), unit="averages"),)


def _increases(drawn: Opponents) -> Trial:
    """Check that welfare and the opponent's utility rise from each type to the next."""
    checks = 0
    for low, high in pairwise(OPPONENTS):
        for name in ("welfare", "uti_2"):
            checks += 1
            rise = average(drawn.by_type[high][name] - drawn.by_type[low][name])
            if not rise.is_above:
                shown = {"types": [low, high], "of": name, "rise": rise.as_dict()}
                return Trial(checks, shown)
    return Trial(checks)


def _rising(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_increases, _opponents(rng), unit="rises"),)


def _static(drawn: Opponents) -> Trial:
    """Check that the static party's average utility does not move beyond chance."""
    checks = 0
    start = drawn.by_type[OPPONENTS[0]]["uti_1"]
    for t in OPPONENTS[1:]:
        checks += 1
        change = average(drawn.by_type[t]["uti_1"] - start)
        if abs(change.mean) > SURE * change.error:
            return Trial(checks, {"type": t, "change": change.as_dict()})
    return Trial(checks)


def _static_utility(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_static, _opponents(rng), unit="averages"),)


ALMOST = 0.1
"""What is called almost not affected: less than this part of the largest average."""


def _flat(lowest: float) -> Any:
    """Return the test that average revenue moves by less than a tenth from this type on."""

    def test(drawn: Opponents) -> Trial:
        from_here = [t for t in OPPONENTS if t >= lowest]
        means = {t: average(drawn.by_type[t]["revenue"]).mean for t in from_here}
        low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
        change = average(drawn.by_type[high]["revenue"] - drawn.by_type[low]["revenue"])
        if change.mean - SURE * change.error < ALMOST * means[high]:
            return Trial(len(means))
        by_type = {f"{t:g}": round(mean, 9) for t, mean in means.items()}
        rise = {"types": [low, high], "rise": change.as_dict()}
        return Trial(len(means), {"average revenue by type": by_type, **rise})

    return test


def _static_revenue(rng: np.random.Generator) -> tuple[Finding, ...]:
    family = _opponents(rng, MORE_MARKETS)
    return (
        search_counterexample(_flat(0.0), family, unit="averages"),
        search_counterexample(
            _flat(0.5),
            family,
            unit="averages",
            correction="From a type of 0.5 on it moves by less than a tenth; from 0 to 0.5 it "
            "rises by a fifth.",
        ),
    )


CLAIMS = (
    Claim(
        "learning/figure-2-closed-forms",
        "learning",
        "Figure 2; closed forms of docs/theory.md",
        "Revenue, welfare and both utilities have these expectations: "
        "7/12 (2Q(1+t) - Q(1) - Q(t)), 7/6 Q(1+t) - (Q(1) + Q(t))/12, Q(1)/2, Q(t)/2.",
        _check_closed_forms,
    ),
    Claim(
        "learning/figure-2-welfare",
        "learning",
        "Section 6.1, figure 2",
        "Welfare and the opponent's utility rise with the opponent's type.",
        _rising,
    ),
    Claim(
        "learning/figure-2-static-utility",
        "learning",
        "Section 6.1, figure 2",
        "The utility of the static party is almost not affected by the opponent's type.",
        _static_utility,
    ),
    Claim(
        "learning/figure-2-revenue",
        "learning",
        "Section 6.1, figure 2",
        "The revenue is almost not affected by the opponent's type (by less than a tenth).",
        _static_revenue,
    ),
)
