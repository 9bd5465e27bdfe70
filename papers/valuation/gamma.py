"""Appendix A.4: gamma(p), and the symmetric equilibria that it decides."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import comb, inf
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number
from aboveboard.valuation import DpMean, make_alike_users
from aboveboard.valuation.levels import NOTHING, Level, encode_level
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.valuation.games import TOLERANCE, example, expectation, find_offer, rises
from papers.valuation.instances import Values, concave, round_values

EIGHTHS = tuple(Fraction(k, 8) for k in range(9))


def _gamma(worth: Values) -> Trial:
    """Check that gamma and U(p) do what the proof says, and that the product's are the same."""
    gain, game = rises(worth), find_offer(worth)
    gammas = [expectation(gain, q) for q in EIGHTHS]
    totals = [expectation(worth, q) for q in EIGHTHS]
    at = np.array([float(q) for q in EIGHTHS])
    same = np.allclose(game.gamma(at), [float(x) for x in gammas], rtol=0, atol=TOLERANCE)
    same &= np.allclose(
        game.compute_expected_utility(at), [float(x) for x in totals], rtol=0, atol=TOLERANCE
    )
    falling = all(a >= b for a, b in pairwise(gammas))
    rising = all(a < b for a, b in pairwise(totals))
    identity = all(
        total == (len(worth) - 1) * q * gamma
        for q, gamma, total in zip(EIGHTHS, gammas, totals, strict=True)
    )
    if min(gammas) >= 0 and falling and rising and same and identity:
        return Trial(5 * len(EIGHTHS))
    shown = {"gamma": [encode_number(x) for x in gammas], "U": [encode_number(x) for x in totals]}
    return Trial(1, {"U by sharers": list(worth), **shown})


def _gamma_between(instance: tuple[int, Fraction, Level]) -> Trial:
    """Check that gamma does not fall in p where the more private level is not 0."""
    n, low, high = instance

    def worth(present: int, switched: int) -> Any:
        chosen = [high] * switched + [low] * (present - switched) + [NOTHING] * (n - present)
        return DpMean().worth(chosen)

    for present in range(1, n + 1):
        steps = np.diff([worth(present, k) for k in range(present + 1)])
        if any(a < b for a, b in pairwise(steps)):
            return Trial(0)  # Assumption 2 fails for a coalition
    gain = make_alike_users(DpMean(), n, low, high).gain
    if gain.min() >= -TOLERANCE and np.diff(gain).max(initial=-inf) <= TOLERANCE:
        return Trial(n)
    return Trial(
        n, {"users": n, "levels": [encode_level(low), encode_level(high)], "rises": gain.tolist()}
    )


def _monotone_gamma(_: np.random.Generator) -> tuple[Finding, ...]:
    strict = (concave(2, 6), concave(3, 6), concave(4, 6))
    pairs = [
        (n, Fraction(a, 2), b)
        for n in (2, 3)
        for a in range(1, 9)
        for b in (*(Fraction(k, 2) for k in range(a + 1, 17)), inf)
    ]
    between = Family("games of Example 1 with two levels above 0, 2 and 3 users", pairs)
    return (
        search_counterexample(_gamma, *strict, unit="values"),
        search_counterexample(
            _gamma_between,
            between,
            unit="rises of a share",
            correction="The same where the more private level is not 0, wherever Assumption 2 "
            "holds for every coalition.",
        ),
    )


def _differences(instance: tuple[int, Fraction, Fraction]) -> list[Fraction]:
    n, p1, p2 = instance
    return [
        comb(n, k) * (p2 ** (n - k) * (1 - p2) ** k - p1 ** (n - k) * (1 - p1) ** k)
        for k in range(n + 1)
    ]


def _falls(instance: tuple[int, Fraction, Fraction]) -> Trial:
    found = _differences(instance)
    if all(a >= b for a, b in pairwise(found)):
        return Trial(1)
    n, p1, p2 = instance
    said = {
        "N": n,
        "p1": encode_number(p1),
        "p2": encode_number(p2),
        "differences": [encode_number(x) for x in found],
    }
    return Trial(1, said)


def _crosses_once(instance: tuple[int, Fraction, Fraction]) -> Trial:
    found = _differences(instance)
    signs = [x > 0 for x in found if x]
    if sum(found) == 0 and signs == sorted(signs, reverse=True):
        return Trial(1)
    return Trial(1, {"N": instance[0], "p": [encode_number(x) for x in instance[1:]]})


def _binomials(_: np.random.Generator) -> tuple[Finding, ...]:
    tenths = [Fraction(k, 10) for k in range(11)]
    some = [(n, a, b) for n in range(1, 6) for a in tenths for b in tenths if a < b]
    family = Family("numbers of users up to 5 and two probabilities in tenths", some)
    return (
        search_counterexample(_falls, family, unit="differences"),
        search_counterexample(
            _crosses_once,
            family,
            unit="differences",
            correction="It changes its sign once, from plus to minus, which is all that the proof "
            "needs.",
        ),
    )


# ------------------------------------------------------------------------------- equilibria


def _by_definition(gain: Sequence[Fraction], alpha: Fraction, cost: Fraction, q: Fraction) -> bool:
    """Return whether sharing with probability q is a best reply to itself."""
    net = alpha * expectation(gain, q) - cost
    return (q == 0 or net >= 0) and (q == 1 or net <= 0)


def _equation_87(worth: Values) -> Trial:
    """Check that there is one symmetric equilibrium, where equation 87 has it."""
    gain, game, checks = rises(worth), find_offer(worth), 0
    most, least = gain[0], gain[-1]
    for cost in (Fraction(1, 2), Fraction(1), Fraction(2)):
        for alpha in EIGHTHS[1:]:
            checks += 1
            found = game.equilibria(float(alpha), float(cost))
            net = alpha * expectation(gain, Fraction(found[0])) - cost if found else inf
            if alpha < cost / most:
                right = found == [0.0]
            elif alpha > cost / least:
                right = found == [1.0]
            else:
                right = len(found) == 1 and abs(net) <= TOLERANCE * float(max(Fraction(1), most))
            ends = [float(q) in found for q in (0, 1)]
            right &= ends == [_by_definition(gain, alpha, cost, Fraction(q)) for q in (0, 1)]
            if not right:
                said = {
                    "alpha": encode_number(alpha),
                    "cost": encode_number(cost),
                    "share with": found,
                }
                return Trial(checks, {"U by sharers": list(worth), **said})
    return Trial(checks)


def _one_equilibrium(_: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_equation_87, concave(2, 6), concave(3, 6), unit="games"),)


def _several(epsilon: Level) -> Trial:
    game = example(epsilon)
    low, high = sorted(game.gain.tolist())
    cost, alpha = 0.5 * low, 0.5 * low / ((low + high) / 2)
    found = game.equilibria(alpha, cost)
    net = [alpha * float(game.gamma(np.array([q]))[0]) - cost for q in found]
    right = all(
        (q == 0 or x >= -TOLERANCE) and (q == 1 or x <= TOLERANCE)
        for q, x in zip(found, net, strict=True)
    )
    if len(found) < 2 or not right:
        return Trial(1)
    said = {"epsilon": encode_level(epsilon), "cost": cost, "alpha": alpha}
    return Trial(1, round_values({**said, "share with": found}))


def _without_2(_: np.random.Generator) -> tuple[Finding, ...]:
    levels = Family("levels epsilon', infinity and 4 to 1", [inf, *map(Fraction, (4, 3, 2, 1))])
    return (search_example(_several, levels, unit="games of Example 1"),)


PAPER = "valuation"

CLAIMS = (
    Claim(
        "valuation/gamma",
        PAPER,
        "Appendix A.4, equations 76 to 83",
        "Under Assumptions 1 and 2 gamma(p) is not negative and does not fall in p, and U(p) "
        "falls; also U(p) = N (1 - p) gamma(p) where the private level is 0.",
        _monotone_gamma,
    ),
    Claim(
        "valuation/binomials",
        PAPER,
        "Appendix A.4, before equation 81",
        "b(n, p2) - b(n, p1) decreases in the number n of users who share, p2 > p1.",
        _binomials,
    ),
    Claim(
        "valuation/equation-87",
        PAPER,
        "Appendix A.4, equation 87",
        "Under Assumptions 1 and 2 there is one symmetric equilibrium for each alpha: nobody "
        "shares, everybody does, or gamma(p) = c/alpha.",
        _one_equilibrium,
    ),
    Claim(
        "valuation/equation-87-assumption-2",
        PAPER,
        "Appendix A.4 (not in the paper)",
        "Without Assumption 2 one alpha can have several symmetric equilibria.",
        _without_2,
    ),
)
