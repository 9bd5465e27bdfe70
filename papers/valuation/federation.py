"""Section 4 with appendix A.3: the error of an estimator, equation 54."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number
from aboveboard.valuation import Population, compute_expected_errors
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.valuation.instances import VARIANCES, Federation, federations

Estimator = tuple[Fraction, ...]
"""v: the weight of each user's own sample mean."""


def compute_promised_errors(some: Federation) -> Sequence[Any]:
    """Return the product's expected squared errors, one for each user."""
    return compute_expected_errors(Population(some.s2, some.t2), some.levels, some.samples)


def compute_error(some: Federation, v: Estimator, i: int) -> Fraction:
    """Return E(sum v_j thetahat_j - theta_i)^2 from the covariances; the weights sum to 1.

    User means have variance s2 and are independent, sample means add t2/n; the common mean of all
    users cancels.
    """
    each = sum(x * x * some.spread(j) for j, x in enumerate(v))
    return Fraction(each - 2 * some.s2 * v[i] + some.s2)


def equation_54(
    some: Federation, v: Estimator, i: int, inverse: Fraction, w0: Fraction
) -> Fraction:
    """Return equation 54, to the letter but for 1/nbar, which is `inverse`; w0 is w_i0."""
    direct, federated = some.at(2), some.at(1)
    n1 = max(1, len(federated))
    own = sum(v[j] ** 2 / some.samples[j] for j in direct) + w0**2 * inverse / n1
    others = [v[j] for j in direct if j != i] + [w0 / n1 for j in federated if j != i]
    return Fraction(some.t2 * own + some.s2 * (sum(x * x for x in others) + sum(others) ** 2))


def _mean_inverse(some: Federation, users: Sequence[int]) -> Fraction:
    """Return the sum of 1/n over some users, over N1."""
    return sum((Fraction(1, some.samples[j]) for j in users), Fraction(0)) / max(1, len(some.at(1)))


def invert_as_printed(some: Federation, i: int) -> Fraction:
    """Return 1/nbar with the printed range j = N1+1 .. N1+N2, j != i."""
    n1, n2 = len(some.at(1)), len(some.at(2))
    return _mean_inverse(some, [j for j in range(n1, n1 + n2) if j != i])


def invert_as_corrected(some: Federation, _: int) -> Fraction:
    """Return 1/nbar over all federated users, i among them."""
    return _mean_inverse(some, some.at(1))


def _estimators(some: Federation) -> list[tuple[Estimator, Fraction]]:
    """Return the estimators (v, w_i0) with weights of 1 and 2 on what the platform has."""
    direct, federated = some.at(2), some.at(1)
    parts = len(direct) + bool(federated)
    found = []
    for raw in product((1, 2), repeat=parts):
        w = [Fraction(x, sum(raw)) for x in raw]
        w0 = w[-1] if federated else Fraction(0)
        v = [Fraction(0)] * len(some.levels)
        for j, x in zip(direct, w, strict=False):
            v[j] = x
        for j in federated:
            v[j] = w0 / len(federated)
        found.append((tuple(v), w0))
    return found


def _proposition_4(inverse: Callable[[Federation, int], Fraction]) -> Callable[[Federation], Trial]:
    def test(some: Federation) -> Trial:
        checks = 0
        for i in range(len(some.levels)):
            for v, w0 in _estimators(some) if any(some.levels) else []:
                checks += 1
                formula = equation_54(some, v, i, inverse(some, i), w0)
                if formula != compute_error(some, v, i):
                    values = {
                        "by equation 54": encode_number(formula),
                        "is": encode_number(compute_error(some, v, i)),
                    }
                    weights = [encode_number(x) for x in v]
                    return Trial(
                        checks, {**some.as_dict(), "user": i + 1, "weights": weights, **values}
                    )
        return Trial(checks)

    return test


def _equation_54(_: np.random.Generator) -> tuple[Finding, ...]:
    families = (federations(1), federations(2), federations(3))
    return (
        search_counterexample(_proposition_4(invert_as_printed), *families, unit="errors"),
        search_counterexample(
            _proposition_4(invert_as_corrected),
            *families,
            unit="errors",
            correction="nbar is the harmonic mean of the samples of all federated users, "
            "j = N2+1 .. N2+N1, the user itself included.",
        ),
    )


def _caption_4(some: Federation) -> Trial:
    """Check equation 54 with t2 = Var(theta) and s2 = E[sigma^2], as figure 4 has them."""
    exchanged = Federation(some.t2, some.s2, some.levels, some.samples)
    for v, w0 in _estimators(some):
        formula = equation_54(exchanged, v, 0, invert_as_corrected(some, 0), w0)
        if formula != compute_error(some, v, 0):
            values = {
                "by the caption": encode_number(formula),
                "is": encode_number(compute_error(some, v, 0)),
            }
            return Trial(1, {**some.as_dict(), "user": 1, **values})
    return Trial(1)


def _figure_4(_: np.random.Generator) -> tuple[Finding, ...]:
    shared = Family("federations of 1 user", [x for x in federations(1).instances if any(x.levels)])
    return (
        search_counterexample(_caption_4, shared, unit="errors"),
        search_counterexample(
            _proposition_4(invert_as_corrected),
            shared,
            unit="errors",
            correction="As the text has it: s2 = Var(theta) between users, t2 = E[sigma^2] within.",
        ),
    )


PAPER = "valuation"

SHOWN = ", ".join(f"({a}, {b})" for a, b in VARIANCES)

CLAIMS = (
    Claim(
        "valuation/proposition-4",
        PAPER,
        "Proposition 4, equation 54",
        "The expected squared error of an estimator with weights that sum to 1, against the "
        f"covariances, exactly; (s2, t2) = {SHOWN}.",
        _equation_54,
    ),
    Claim(
        "valuation/figure-4",
        PAPER,
        "Figure 4, caption",
        "t2 is the variance of the users' means, and s2 the expected variance within a user.",
        _figure_4,
    ),
)
