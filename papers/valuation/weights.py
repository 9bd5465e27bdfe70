"""Section 4 with appendix A.3: the best weights, equations 58 to 63, and the errors they reach."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.valuation.federation import (
    Estimator,
    compute_error,
    compute_promised_errors,
    invert_as_corrected,
)
from papers.valuation.instances import Federation, federations, random_federations
from papers.valuation.systems import solve

DRAWS = 20_000
DEVIATIONS = 6
"""Standard errors that a simulated mean may be off; passed by chance once in 500 million."""


def best_estimator(some: Federation, i: int) -> Estimator:
    """Find the best weights by the conditions of optimality, solved as linear equations.

    The platform has the direct users' sample means and the mean of the federated ones; the error
    is a convex quadratic form, so its stationary point on sum = 1 is the minimum.

    Raises
    ------
    RuntimeError
        If the linear equations leave the weights free: they would not be the definition's.
    """
    direct, federated = some.at(2), some.at(1)
    groups = [[j] for j in direct] + ([federated] if federated else [])
    k = len(groups)
    rows, right = [], []
    for g, group in enumerate(groups):
        mean = sum(some.spread(j) for j in group) / Fraction(len(group) ** 2)
        rows.append([mean if h == g else Fraction(0) for h in range(k)] + [Fraction(-1)])
        right.append(some.s2 * Fraction(int(i in group), len(group)))
    rows.append([Fraction(1)] * k + [Fraction(0)])
    right.append(Fraction(1))
    w, free = solve(rows, right)
    if free:
        raise RuntimeError(f"the best weights are not unique in {some.as_dict()}")
    v = [Fraction(0)] * len(some.levels)
    for group, x in zip(groups, w, strict=False):
        for j in group:
            v[j] = x / len(group)
    return tuple(v)


def proposition_5(some: Federation, i: int) -> Estimator:
    """Return the weights of equations 58 to 63, to the letter (N1 and N2 at least 1)."""
    direct, federated = some.at(2), some.at(1)
    s2, n1, n2 = some.s2, len(federated), len(direct)
    v0 = s2 + some.t2 * invert_as_corrected(some, i)
    bar = n2 / sum(1 / some.spread(j) for j in direct)
    whole = n1 + n2 * v0 / bar
    w0 = n1 / whole
    w = {j: v0 / some.spread(j) / whole for j in direct}
    if i in federated:
        w0 += n2 / whole * s2 / bar
        w = {j: x - s2 / some.spread(j) / whole for j, x in w.items()}
    elif i in direct:
        part = s2 / some.spread(i)
        own = v0 / some.spread(i) / whole + (whole - v0 / some.spread(i)) / whole * part
        w0 -= n1 / whole * part
        w = {j: x - x * part for j, x in w.items()} | {i: own}
    v = [Fraction(0)] * len(some.levels)
    for j in direct:
        v[j] = Fraction(w[j])
    for j in federated:
        v[j] = Fraction(w0) / n1
    return tuple(v)


def _weights(some: Federation) -> Trial:
    """Check the printed weights and that the product's errors are what they reach."""
    if not (some.at(1) and some.at(2)):
        return Trial(0)
    found = compute_promised_errors(some)
    for i in range(len(some.levels)):
        printed, best = proposition_5(some, i), best_estimator(some, i)
        if printed != best or compute_error(some, printed, i) != found[i]:
            weights = {
                "printed": [encode_number(x) for x in printed],
                "best": [encode_number(x) for x in best],
            }
            return Trial(i + 1, {**some.as_dict(), "user": i + 1, **weights})
    return Trial(2 * len(found))


def _families(rng: np.random.Generator, largest: int = 3) -> tuple[Family, ...]:
    small = tuple(federations(n) for n in range(1, largest + 1))
    return (*small, random_federations(rng, 6, 30))


def _proposition_5(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_weights, *_families(rng)[1:], unit="weights and errors"),)


def _equation_71(some: Federation, *, printed: bool) -> Trial:
    """Check equation 71 at the best weights of the direct users."""
    direct, federated = some.at(2), some.at(1)
    if not (direct and federated):
        return Trial(0)
    v0 = some.s2 + some.t2 * invert_as_corrected(some, 0)
    for i in direct:
        v = best_estimator(some, i)
        w0 = v[federated[0]] * len(federated)
        rest = w0 * sum(v0 / some.spread(j) for j in direct) / len(federated)
        first = v[i] * some.spread(i) if printed else w0
        left = first + rest + some.s2 / some.spread(i)
        if left != 1:
            return Trial(1, {**some.as_dict(), "user": i + 1, "left side": encode_number(left)})
    return Trial(len(direct))


def _gradient(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = _families(rng)[1:]
    return (
        search_counterexample(lambda x: _equation_71(x, printed=True), *families, unit="equations"),
        search_counterexample(
            lambda x: _equation_71(x, printed=False),
            *families,
            unit="equations",
            correction="Its first term is w_i0, not w_ii V_i: the weights sum to 1.",
        ),
    )


def _closed_forms(some: Federation) -> Trial:
    """Check the product's errors against the conditions of optimality, at any levels."""
    found = compute_promised_errors(some)
    for i, x in enumerate(found):
        best = (
            compute_error(some, best_estimator(some, i), i)
            if any(some.levels)
            else some.t2 + 2 * some.s2
        )
        if x != best:
            return Trial(
                i + 1, {**some.as_dict(), "user": i + 1, "is": encode_number(x), "best": str(best)}
            )
    return Trial(len(found))


def _least(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_closed_forms, *_families(rng), unit="errors"),)


def simulate(some: Federation, draws: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Draw users and samples, estimate, and give mean errors with standard errors, one a user."""
    n = len(some.levels)
    theta = rng.normal(3.0, float(some.s2) ** 0.5, (draws, n))
    noise = np.array([float(some.within(i)) ** 0.5 for i in range(n)])
    seen = theta + rng.normal(0.0, 1.0, (draws, n)) * noise
    weights = np.array([[float(x) for x in best_estimator(some, i)] for i in range(n)])
    squared = (seen @ weights.T - theta) ** 2
    return squared.mean(axis=0), squared.std(axis=0) / draws**0.5


def _simulation(rng: np.random.Generator) -> tuple[Finding, ...]:
    def test(some: Federation) -> Trial:
        if not any(some.levels):
            return Trial(0)
        means, deviations = simulate(some, DRAWS, rng)
        for i, x in enumerate(compute_promised_errors(some)):
            if abs(means[i] - float(x)) > DEVIATIONS * deviations[i]:
                values = {"promised": float(x), "simulated": float(means[i])}
                return Trial(i + 1, {**some.as_dict(), "user": i + 1, **values})
        return Trial(len(means))

    return (search_counterexample(test, random_federations(rng, 6, 20), unit="simulated errors"),)


PAPER = "valuation"

CLAIMS = (
    Claim(
        "valuation/proposition-5",
        PAPER,
        "Proposition 5, equations 58 to 63",
        "The printed weights are the unique minimum of the error (conditions of optimality, solved "
        "exactly), and reach the product's errors.",
        _proposition_5,
    ),
    Claim(
        "valuation/equation-71",
        PAPER,
        "Appendix A.3, equation 71",
        "The gradient condition of a direct user, at its best weights.",
        _gradient,
    ),
    Claim(
        "valuation/federated-closed-form",
        PAPER,
        "Section 4 in closed form (not in the paper)",
        "The errors by A, r and r0 are the least, with any number of users at each level, none "
        "included.",
        _least,
    ),
    Claim(
        "valuation/federated-simulation",
        PAPER,
        "Section 4, equation 14",
        f"Simulated errors agree with the promised ones within {DEVIATIONS} standard errors "
        f"({DRAWS:,} draws, normal data).",
        _simulation,
    ),
)
