"""Section 6.1: the averages that figures 1 and 2 show, and what the paper says of them.

Coefficients are drawn uniformly from -1 to 1, in thousandths, so that who is served is exact. On
the diagonal they are drawn from 0 to 1: Example 1 has alpha_ii positive, and with less the payment
is not truthful (Theorem 1). The paper does not say what happens when a party stays away: all three
rules are tried. Cost: n + 1 allocations a sample. Source: section 6.1, and READING.md for the
closed forms of two parties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import sqrt, tanh
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.learning import Counterfactual, Linear, Logistic, Market, Outcome, outcome
from aboveboard.papers.claims import Claim, Family, Finding, Trial, survey
from aboveboard.papers.learning.instances import RULES

Floats = NDArray[np.float64]

THOUSANDTHS = 1000

SURE = 4.0
"""Standard errors: a difference that chance shows once in 16,000 draws."""


def coefficients(rng: np.random.Generator, n: int) -> Linear:
    """Draw a linear market: U[-1, 1], on the diagonal U[0, 1]."""
    entries = rng.integers(-THOUSANDTHS, THOUSANDTHS + 1, (n, n))
    entries[np.diag_indices(n)] = rng.integers(0, THOUSANDTHS + 1, n)
    return Linear(tuple(tuple(Fraction(x, THOUSANDTHS) for x in row) for row in entries.tolist()))


def played(valuation: Linear, sizes: Sequence[float], absent: Counterfactual) -> Outcome:
    """Give what comes out of one market with Q(t) = (1 - e^-t)/(1 + e^-t)."""
    return outcome(Market(Logistic(), valuation, len(sizes), absent), list(sizes))


@dataclass(frozen=True)
class Average:
    """A mean and its standard error."""

    mean: float
    error: float

    @property
    def is_above(self) -> bool:
        """Whether it is above 0, beyond chance."""
        return self.mean > SURE * self.error

    def as_dict(self) -> dict[str, float]:
        """Give plain data."""
        return {"mean": round(self.mean, 9), "standard error": round(self.error, 9)}


def average(values: Any) -> Average:
    """Give the mean of samples."""
    array = np.asarray(values, dtype=np.float64)
    return Average(float(array.mean()), float(array.std(ddof=1)) / sqrt(len(array)))


# --------------------------------------------------------------------------------- figure 1


@dataclass(frozen=True)
class Samples:
    """Sampled markets of n parties; arrays by sample, revenue by rule for the absent."""

    n: int
    revenue: dict[str, Floats]
    welfare: Floats
    best: Floats


def samples(rng: np.random.Generator, n: int, count: int) -> Samples:
    """Draw markets of n parties with sizes from U[0, 1]."""
    revenue: dict[str, list[float]] = {rule: [] for rule in RULES}
    welfare, best = [], []
    for _ in range(count):
        valuation, sizes = coefficients(rng, n), rng.uniform(0, 1, n).tolist()
        found = {rule: played(valuation, sizes, rule) for rule in RULES}
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


def _drawn(rng: np.random.Generator, count: int = COUNT) -> list[Samples]:
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
    family = _rules(_drawn(rng, MORE))
    return (
        survey(_surpasses, family, unit="averages"),
        survey(
            _stays_below,
            family,
            unit="averages",
            correction="On average welfare is larger: who is served while a party stays away does "
            "not harm that party on average, so that it keeps something.",
        ),
        survey(
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
    return (survey(_rises, _rules(_drawn(rng)), unit="rises"),)


NEARLY = 0.99
"""What is called close to the optimum, 1."""


def _is_close(n: int, rng: np.random.Generator) -> Trial:
    sizes = rng.uniform(0, 1, (500, n))
    exact = average(np.tanh(sizes.sum(axis=1) / 2))
    best = average([float(played(coefficients(rng, n), row, "all").best) for row in sizes[:40]])
    off = abs(best.mean - exact.mean) > SURE * best.error
    if exact.mean >= NEARLY and not off:
        return Trial(1)
    return Trial(1, {"parties": n, "best quality": best.as_dict()})


def _close(rng: np.random.Generator) -> tuple[Finding, ...]:
    family = Family("numbers of parties from 12 to 16", range(12, 17), sampled=True)
    return (survey(lambda n: _is_close(n, rng), family, unit="averages"),)


# --------------------------------------------------------------------------------- figure 2


def quality(s: float) -> float:
    """Give Q(s)."""
    return tanh(s / 2)


def closed_forms(t: float) -> dict[str, float]:
    """Give the expectations of figure 2 for an opponent of type t (READING.md)."""
    joint, static, own = quality(1 + t), quality(1), quality(t)
    return {
        "revenue": 7 / 12 * (2 * joint - static - own),
        "welfare": 7 / 6 * joint - (static + own) / 12,
        "uti_1": static / 2,
        "uti_2": own / 2,
    }


def against(valuations: Sequence[Linear], t: float) -> dict[str, Floats]:
    """Give revenue, welfare and utilities in these markets of a party of type 1 and one of t."""
    found = [played(valuation, [1.0, t], "all") for valuation in valuations]
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
    """The same markets against each opponent."""

    by_type: dict[float, dict[str, Floats]]


def _opponents(rng: np.random.Generator, count: int = MARKETS) -> Family:
    valuations = [coefficients(rng, 2) for _ in range(count)]
    drawn = Opponents({t: against(valuations, t) for t in OPPONENTS})
    shown = ", ".join(f"{t:g}" for t in OPPONENTS)
    kind = f"set of {count} markets against opponents of types {shown}"
    return Family(kind, [drawn], sampled=True)


def _as_in_closed_form(drawn: Opponents) -> Trial:
    checks = 0
    for t, found in drawn.by_type.items():
        for name, expected in closed_forms(t).items():
            checks += 1
            off = average(found[name] - expected)
            if abs(off.mean) > SURE * off.error + 1e-12:
                shown = {"type": t, "of": name, "expected": expected}
                return Trial(checks, {**shown, "off by": off.as_dict()})
    return Trial(checks)


def _closed(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (survey(_as_in_closed_form, _opponents(rng), unit="averages"),)


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
    return (survey(_increases, _opponents(rng), unit="rises"),)


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
    return (survey(_static, _opponents(rng), unit="averages"),)


ALMOST = 0.1
"""What is called almost not affected: less than this part of the largest average."""


def _flat(lowest: float) -> Any:
    """Give the test that average revenue moves by less than a tenth from this type on."""

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
        survey(_flat(0.0), family, unit="averages"),
        survey(
            _flat(0.5),
            family,
            unit="averages",
            correction="From a type of 0.5 on it moves by less than a tenth; from 0 to 0.5 it "
            "rises by a fifth.",
        ),
    )


# ------------------------------------------------------------------- many small companies

SMALL = 0.5


def _newcomer_pays_more(instance: tuple[str, int, int], rng: np.random.Generator) -> Trial:
    """Compare revenue with one more party of size 1/2, and with 1/2 more for one who is there."""
    rule, n, count = instance
    ahead = []
    for _ in range(count):
        entries = coefficients(rng, n + 1).matrix
        sizes = rng.uniform(0, 1, n).tolist()
        before = Linear(tuple(row[:n] for row in entries[:n]))
        grown = played(before, [sizes[0] + SMALL, *sizes[1:]], rule)  # type: ignore[arg-type]
        joined = played(Linear(entries), [*sizes, SMALL], rule)  # type: ignore[arg-type]
        ahead.append(float(joined.revenue) - float(grown.revenue))
    found = average(ahead)
    if found.is_above:
        return Trial(1)
    return Trial(1, {"absent": rule, "parties": n, "more revenue by a newcomer": found.as_dict()})


def _attract(rng: np.random.Generator) -> tuple[Finding, ...]:
    found = [(rule, n, 150) for rule in RULES for n in (2, 4, 8)]
    family = Family("rules and numbers of parties, 150 markets each", found, sampled=True)
    return (survey(lambda x: _newcomer_pays_more(x, rng), family, unit="averages"),)


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
    Claim(
        "learning/figure-2-closed-forms",
        "learning",
        "Figure 2; closed forms of READING.md",
        "Revenue, welfare and both utilities have these expectations: "
        "7/12 (2Q(1+t) - Q(1) - Q(t)), 7/6 Q(1+t) - (Q(1) + Q(t))/12, Q(1)/2, Q(t)/2.",
        _closed,
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
    Claim(
        "learning/more-small-companies",
        "learning",
        "Section 6.1, after figure 2",
        "The platform earns more by one more small company than by as much more data of one who "
        "takes part.",
        _attract,
    ),
)
