"""The remarks: budget, participation, expectations, fairness, overhead, approximation."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number
from aboveboard.games.lottery import Lottery
from aboveboard.market.audit.paths import anywhere
from aboveboard.market.audit.rules import rule_of_m
from aboveboard.market.model.descriptions import describe
from aboveboard.market.model.markets import Market, social_welfare, worths
from aboveboard.market.model.steps import Ending, Votes
from aboveboard.market.model.utilities import expected, utilities
from aboveboard.market.rules.announcements import allocations, announcements, best_proposal
from aboveboard.market.rules.communication import communication
from aboveboard.market.rules.parameters import Parameters, chosen
from aboveboard.market.rules.propose_and_agree import play
from aboveboard.market.rules.vcg import best_of_all
from papers.claims import Claim, Family, Finding, Trial, survey
from papers.market.failures import values_of
from papers.market.instances import drawn, every, everybody, obeys, parameters_of
from papers.market.roots import BALANCED, MOST, NO_DEFICIT, settled


def rational(market: Market, parameters: Parameters) -> Lottery[Ending]:
    """Give the play of the truthful outcome (or of (E, 0)) that is found first; all agree."""
    proposal = best_proposal(market, best_of_all(market))
    return play(market, parameters, proposal, Votes.all(market.n, True))


def _families(rng: np.random.Generator) -> tuple[Family, ...]:
    return (every(2, 1, 3), every(3, 1, 2), drawn(rng, 4, 2, 4, 20))


def _each(
    test: Callable[[Market, Parameters], tuple[int, Any]],
) -> Callable[[Market], Trial]:
    """Give the test with both parameters: from the number of checks and what went wrong."""

    def tried(market: Market) -> Trial:
        total = 0
        for parameters in parameters_of(market):
            checks, wrong = test(market, parameters)
            total += checks
            if wrong is not None:
                numbers = {
                    "epsilon": encode_number(parameters.epsilon),
                    "delta": encode_number(parameters.delta),
                }
                return Trial(total, {"market": values_of(market), **numbers, **wrong})
        return Trial(total)

    return tried


# ---------------------------------------------------------------------------------- budget


def _budget(rng: np.random.Generator) -> tuple[Finding, ...]:
    small = (every(2, 1, 2), every(3, 1, 2), drawn(rng, 2, 2, 3, 5))
    return (survey(obeys(everybody, [BALANCED], on_path=True), *small, unit="endings"),)


def _no_deficit(rng: np.random.Generator) -> tuple[Finding, ...]:
    def test(market: Market) -> Trial:
        rule = rule_of_m(market, chosen(market))
        announced = announcements(market, rule.scheme.limit, proposer_limited=False, most=MOST)
        verdict = next(v for v in anywhere(market, rule, announced) if v.property == NO_DEFICIT)
        shown = None if verdict.witness is None else verdict.witness.as_dict()
        return Trial(verdict.checked, shown)

    return (survey(test, every(2, 1, 2), drawn(rng, 3, 1, 2, 5), unit="endings"),)


# --------------------------------------------------------------------------- participation


def _never_negative(market: Market, parameters: Parameters) -> tuple[int, Any]:
    checks = 0
    for ending, _ in rational(market, parameters):
        for name, has in zip(market.players, utilities(market, ending.outcome), strict=True):
            checks += 1
            if has < 0:
                return checks, {"step": ending.step, "player": name, "utility": encode_number(has)}
    return checks, None


def _expects_nothing_less(market: Market, parameters: Parameters) -> tuple[int, Any]:
    each = expected(market, rational(market, parameters))
    wrong = [name for name, has in zip(market.players, each, strict=True) if has < 0]
    return market.n, {"player": wrong[0]} if wrong else None


def _participation(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        survey(_each(_never_negative), *_families(rng), unit="utilities"),
        survey(
            _each(_expects_nothing_less),
            *_families(rng),
            unit="utilities",
            correction="They are so in expectation: in M' a player can lose what it brought.",
        ),
    )


def _between(
    low: Callable[[int, Parameters], Fraction], high: Callable[[int, Parameters], Fraction]
) -> Callable[[Market, Parameters], tuple[int, Any]]:
    def test(market: Market, parameters: Parameters) -> tuple[int, Any]:
        if settled(market):
            return 0, None
        each = expected(market, rational(market, parameters))
        bounds = low(market.n, parameters), high(market.n, parameters)
        for name, has in list(zip(market.players, each, strict=True))[1:]:
            if not bounds[0] < has < bounds[1]:
                return market.n, {"player": name, "expects": encode_number(has)}
        return market.n - 1, None

    return test


def _above_iff_a_burden(market: Market, parameters: Parameters) -> tuple[int, Any]:
    if settled(market):
        return 0, None
    each = expected(market, rational(market, parameters))
    endowed = worths(market, market.endowment)
    for i in range(1, market.n):
        if (each[i] > 2 * parameters.epsilon) != (endowed[i] < 0):
            return i, {"player": market.players[i], "expects": encode_number(each[i])}
    return market.n - 1, None


def _others(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = _families(rng)
    printed = _between(lambda n, p: Fraction(0), lambda n, p: 2 * p.epsilon)
    found = _between(
        lambda n, p: (1 + Fraction(1, n) - 2 * p.delta) * p.epsilon,
        lambda n, p: (3 - Fraction(1, n)) * p.epsilon,
    )
    return (
        survey(_each(printed), *families, unit="expected utilities"),
        survey(
            _each(found),
            *families,
            unit="expected utilities",
            correction="They lie in ((1 + 1/n - 2 delta) epsilon, (3 - 1/n) epsilon).",
        ),
        survey(
            _each(_above_iff_a_burden),
            *families,
            unit="expected utilities",
            correction="They exceed 2 epsilon exactly where the endowment has negative value.",
        ),
    )


# -------------------------------------------------------------------------------- fairness


def led_by(market: Market, proposer: int) -> Market:
    """Give the same market with another proposer, who then comes first."""
    order = [proposer, *(i for i in range(market.n) if i != proposer)]
    return Market(
        tuple(market.players[i] for i in order),
        market.goods,
        tuple(order.index(owner) for owner in market.endowment),
        tuple(market.valuations[i] for i in order),
        market.bits,
    )


def ex_ante(market: Market, parameters: Parameters) -> dict[str, Fraction]:
    """Give what each player expects if the proposer is drawn uniformly."""
    total = dict.fromkeys(market.players, Fraction(0))
    for proposer in range(market.n):
        turned = led_by(market, proposer)
        each = expected(turned, rational(turned, parameters))
        for name, has in zip(turned.players, each, strict=True):
            total[name] += has / market.n
    return total


def _equal_but_for_endowments(market: Market, parameters: Parameters) -> tuple[int, Any]:
    if settled(market):
        return 0, None
    each = ex_ante(market, parameters)
    endowed = dict(zip(market.players, worths(market, market.endowment), strict=True))
    share = parameters.delta * Fraction(market.n - 1, market.n)
    levelled = {name: has + share * endowed[name] for name, has in each.items()}
    if len(set(levelled.values())) > 1:
        return market.n, {"ex ante": {name: encode_number(has) for name, has in each.items()}}
    return market.n, None


def _fairness(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (survey(_each(_equal_but_for_endowments), *_families(rng), unit="players"),)


# -------------------------------------------------------------------------------- overhead


def _overhead(exact: bool) -> Callable[[Market, Parameters], tuple[int, Any]]:
    def test(market: Market, parameters: Parameters) -> tuple[int, Any]:
        lottery = rational(market, parameters)
        checks = 0
        for ending, _ in lottery:
            checks += 1
            bits = communication(market, ending).overhead
            if bits > market.n - 1 or (exact and bits != market.n - 1):
                return checks, {"step": ending.step, "overhead": bits}
        likely, _ = max(lottery, key=lambda row: row[1])
        if not settled(market) and communication(market, likely).overhead != market.n - 1:
            return checks, {"step": likely.step}
        return checks, None

    return test


def _communication(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        survey(_each(_overhead(exact=True)), *_families(rng), unit="endings"),
        survey(
            _each(_overhead(exact=False)),
            *_families(rng),
            unit="endings",
            correction="It is at most n - 1, and n - 1 in the likely ending if there is something "
            "to gain.",
        ),
    )


# ---------------------------------------------------------------------------- approximation


def _more_welfare_more_utility(market: Market, parameters: Parameters) -> tuple[int, Any]:
    """Order what the proposer has of every allocation, priced truthfully, by welfare."""
    before = social_welfare(market, market.endowment)
    rows = []
    for allocation in allocations(market):
        if social_welfare(market, allocation) > before:
            proposal = best_proposal(market, allocation)
            lottery = play(market, parameters, proposal, Votes.all(market.n, True))
            welfare = social_welfare(market, allocation)
            rows.append((welfare, expected(market, lottery)[0], proposal))
    rows.sort(key=lambda row: row[:2])
    for (less, has, _), (more, would, proposal) in pairwise(rows):
        if (more > less) != (would > has):
            return len(rows), {"announced": describe(market, proposal)}
    return len(rows), None


def _approximation(rng: np.random.Generator) -> tuple[Finding, ...]:
    small = (every(2, 1, 3), every(3, 1, 2), drawn(rng, 3, 2, 4, 10))
    return (survey(_each(_more_welfare_more_utility), *small, unit="allocations"),)


CLAIMS = (
    Claim(
        "market/budget-balance",
        "market",
        "Section 5.2, Remarks",
        "When the players act rationally, the mechanism neither takes nor gives money.",
        _budget,
    ),
    Claim(
        "market/no-deficit",
        "market",
        "Section 5.2, Remarks, and READING.md",
        "Off the path it may gain money, but it never loses any.",
        _no_deficit,
    ),
    Claim(
        "market/participation",
        "market",
        "Section 5.3",
        "In a rational play the players' utilities are never negative.",
        _participation,
    ),
    Claim(
        "market/others-utility",
        "market",
        "Section 5.2, Remarks",
        "Whoever does not propose has a utility between 0 and 2 epsilon (if there is something to "
        "gain).",
        _others,
    ),
    Claim(
        "market/ex-ante-fairness",
        "market",
        "Section 5.2, Remarks",
        "With the proposer drawn uniformly, players expect the same but for delta (n - 1)/n times "
        "the difference of what their endowments are worth to them.",
        _fairness,
    ),
    Claim(
        "market/overhead",
        "market",
        "Section 1.4",
        "The communication overhead of a rational play is n - 1 bits.",
        _communication,
    ),
    Claim(
        "market/approximation",
        "market",
        "Section 5.3",
        "The more welfare the announced allocation has, priced truthfully, the more the proposer "
        "has of it.",
        _approximation,
    ),
)
