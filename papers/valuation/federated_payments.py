"""Section 4: what federated data are worth, and where more data are worth less."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from aboveboard.formatting import encode_number
from aboveboard.valuation import FederatedMean, Population, divide
from aboveboard.valuation.utilities.utilities import restrict_levels
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.valuation.federation import compute_promised_errors
from papers.valuation.instances import Federation, federations, random_federations, round_values


def _steps(some: Federation, *, to_federated: bool) -> Trial:
    """Look for a step to a less private level that lowers U; with a = 1 for all users."""
    population = Population(some.s2, some.t2)
    ones = (Fraction(1),) * len(some.levels)
    utility = FederatedMean(population, tuple(map(Fraction, some.samples)), ones)
    before, checks = utility.worth(some.levels), 0
    for i, own in enumerate(some.levels):
        for higher in range(own + 1, 3):
            if (own, higher) == (0, 1) and not to_federated:
                continue
            checks += 1
            raised = (*some.levels[:i], higher, *some.levels[i + 1 :])
            after = utility.worth(raised)
            if after < before - 1e-12 * max(1.0, abs(before)):
                share = divide(utility, tuple(map(Fraction, raised))).users[i]
                said = {"user": i + 1, "raised to": higher, "U": before, "then": after}
                return Trial(
                    checks, round_values({**some.as_dict(), **said, "its fair share": float(share)})
                )
    return Trial(checks)


def _assumption_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = (federations(2), federations(3))
    unit = "steps to a less private level"
    return (
        search_counterexample(lambda x: _steps(x, to_federated=True), *families, unit=unit),
        search_counterexample(
            lambda x: _steps(x, to_federated=False),
            *families,
            random_federations(rng, 6, 20),
            unit=unit,
            correction="U does not fall in steps to level 2, from 0 or from 1; from 0 to 1 it can, "
            "as one more user blurs the aggregate.",
        ),
    )


def _pays(some: Federation) -> Trial:
    """Look for a user who would have to pay for sharing."""
    population = Population(some.s2, some.t2)
    ones = (Fraction(1),) * len(some.levels)
    utility = FederatedMean(population, tuple(map(Fraction, some.samples)), ones)
    found = divide(utility, tuple(map(Fraction, some.levels)))
    for i, share in enumerate(found.users):
        if share < -1e-12:
            shares = round_values([float(x) for x in found.users])
            return Trial(1, {**some.as_dict(), "user": i + 1, "shares": shares})
    return Trial(1)


def _only_levels(family: Family, allowed: frozenset[int]) -> Family:
    some = [x for x in family.instances if allowed.issuperset(x.levels)]
    return Family(f"{family.kind}, nobody federated", some)


def _rational(_: np.random.Generator) -> tuple[Finding, ...]:
    direct = frozenset({0, 2})
    return (
        search_counterexample(_pays, federations(2), federations(3), unit="divisions"),
        search_counterexample(
            _pays,
            *(_only_levels(federations(n), direct) for n in (1, 2, 3)),
            unit="divisions",
            correction="Where nobody federates, no fair payment is negative.",
        ),
    )


def _no_data(some: Federation) -> Trial:
    """Check U >= 0 in every coalition: no estimate is worse than t2 + 2 s2."""
    base = some.t2 + 2 * some.s2
    for mask in range(1 << len(some.levels)):
        chosen = tuple(int(x) for x in restrict_levels(tuple(map(Fraction, some.levels)), mask))
        part = Federation(some.s2, some.t2, chosen, some.samples)
        if max(compute_promised_errors(part)) > base:
            return Trial(
                mask + 1,
                {
                    **part.as_dict(),
                    "largest error": encode_number(max(compute_promised_errors(part))),
                },
            )
    return Trial(1 << len(some.levels))


def _at_nothing(_: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_no_data, federations(2), federations(3), unit="coalitions"),)


PAPER = "valuation"

CLAIMS = (
    Claim(
        "valuation/equation-17",
        PAPER,
        "Section 4, equation 17",
        "No coalition's data are worth less than none: no error exceeds t2 + 2 s2.",
        _at_nothing,
    ),
    Claim(
        "valuation/federated-monotone",
        PAPER,
        "Assumption 1, for the utility of section 4",
        "A step to a less private level never lowers the utility.",
        _assumption_1,
    ),
    Claim(
        "valuation/federated-payments",
        PAPER,
        "Section 2.2, individual rationality, for the payments of section 4",
        "No user is made worse off by a fair payment: none is negative.",
        _rational,
    ),
)
