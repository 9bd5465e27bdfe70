"""The remarks: budget, participation, expectations, fairness, overhead, approximation."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number
from aboveboard.games.lottery import Lottery
from aboveboard.market.audit import NoDeficit
from aboveboard.market.model.descriptions import describe_outcome
from aboveboard.market.model.markets import Market, social_welfare, values_by_player
from aboveboard.market.model.steps import Ending, Votes
from aboveboard.market.model.utilities import expect_utilities, utilities
from aboveboard.market.rules.announcements import (
    enumerate_allocations,
    find_best_proposal,
)
from aboveboard.market.rules.communication import count_bits
from aboveboard.market.rules.parameters import RuleParameters
from aboveboard.market.rules.propose_and_agree import play
from aboveboard.market.rules.vcg import find_best_allocation
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.market.failures import describe_market
from papers.market.instances import (
    check_balance,
    draw_markets,
    enumerate_markets,
    list_parameters,
    list_plays,
    list_structures,
    make_test,
)
from papers.market.roots import is_settled


def play_rationally(market: Market, parameters: RuleParameters) -> Lottery[Ending]:
    """Return the play of the truthful outcome (or of (E, 0)) that is found first; all agree."""
    proposal = find_best_proposal(market, find_best_allocation(market))
    return play(market, parameters, proposal, Votes.from_answer(market.n, True))


def _make_families(rng: np.random.Generator) -> tuple[Family, ...]:
    return (enumerate_markets(2, 1, 3), enumerate_markets(3, 1, 2), draw_markets(rng, 4, 2, 4, 20))


def _make_test(
    test: Callable[[Market, RuleParameters], tuple[int, Any]],
) -> Callable[[Market], Trial]:
    """Return the test with both parameters: from the number of checks and what went wrong."""

    def tried(market: Market) -> Trial:
        total = 0
        for parameters in list_parameters(market):
            checks, wrong = test(market, parameters)
            total += checks
            if wrong is not None:
                numbers = {
                    "epsilon": encode_number(parameters.epsilon),
                    "delta": encode_number(parameters.delta),
                }
                return Trial(total, {"market": describe_market(market), **numbers, **wrong})
        return Trial(total)

    return tried


# ---------------------------------------------------------------------------------- budget


def _check_budget(rng: np.random.Generator) -> tuple[Finding, ...]:
    small = (enumerate_markets(2, 1, 2), enumerate_markets(3, 1, 2), draw_markets(rng, 2, 2, 3, 5))
    return (
        search_counterexample(make_test(list_structures, [check_balance]), *small, unit="endings"),
    )


def _check_no_deficit(rng: np.random.Generator) -> tuple[Finding, ...]:
    def test(market: Market) -> Trial:
        verdict = NoDeficit().judge_root(list_plays(market))
        shown = None if verdict.witness is None else verdict.witness.as_dict()
        return Trial(verdict.checked, shown)

    return (
        search_counterexample(
            test, enumerate_markets(2, 1, 2), draw_markets(rng, 3, 1, 2, 5), unit="endings"
        ),
    )


# --------------------------------------------------------------------------- participation


def _test_never_negative(market: Market, parameters: RuleParameters) -> tuple[int, Any]:
    checks = 0
    for ending, _ in play_rationally(market, parameters):
        for name, has in zip(market.players, utilities(market, ending.outcome), strict=True):
            checks += 1
            if has < 0:
                return checks, {"step": ending.step, "player": name, "utility": encode_number(has)}
    return checks, None


def _test_expectations(market: Market, parameters: RuleParameters) -> tuple[int, Any]:
    each = expect_utilities(market, play_rationally(market, parameters))
    wrong = [name for name, has in zip(market.players, each, strict=True) if has < 0]
    return market.n, {"player": wrong[0]} if wrong else None


def _check_participation(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            _make_test(_test_never_negative), *_make_families(rng), unit="utilities"
        ),
        search_counterexample(
            _make_test(_test_expectations),
            *_make_families(rng),
            unit="utilities",
            correction="They are so in expectation: in M' a player can lose what it brought.",
        ),
    )


def _make_range_test(
    low: Callable[[int, RuleParameters], Fraction], high: Callable[[int, RuleParameters], Fraction]
) -> Callable[[Market, RuleParameters], tuple[int, Any]]:
    def test(market: Market, parameters: RuleParameters) -> tuple[int, Any]:
        if is_settled(market):
            return 0, None
        each = expect_utilities(market, play_rationally(market, parameters))
        bounds = low(market.n, parameters), high(market.n, parameters)
        for name, has in list(zip(market.players, each, strict=True))[1:]:
            if not bounds[0] < has < bounds[1]:
                return market.n, {"player": name, "expects": encode_number(has)}
        return market.n - 1, None

    return test


def _test_burden(market: Market, parameters: RuleParameters) -> tuple[int, Any]:
    if is_settled(market):
        return 0, None
    each = expect_utilities(market, play_rationally(market, parameters))
    endowed = values_by_player(market, market.endowment)
    for i in range(1, market.n):
        if (each[i] > 2 * parameters.epsilon) != (endowed[i] < 0):
            return i, {"player": market.players[i], "expects": encode_number(each[i])}
    return market.n - 1, None


def _check_others(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = _make_families(rng)
    printed = _make_range_test(lambda n, p: Fraction(0), lambda n, p: 2 * p.epsilon)
    found = _make_range_test(
        lambda n, p: (1 + Fraction(1, n) - 2 * p.delta) * p.epsilon,
        lambda n, p: (3 - Fraction(1, n)) * p.epsilon,
    )
    return (
        search_counterexample(_make_test(printed), *families, unit="expected utilities"),
        search_counterexample(
            _make_test(found),
            *families,
            unit="expected utilities",
            correction="They lie in ((1 + 1/n - 2 delta) epsilon, (3 - 1/n) epsilon).",
        ),
        search_counterexample(
            _make_test(_test_burden),
            *families,
            unit="expected utilities",
            correction="They exceed 2 epsilon exactly where the endowment has negative value.",
        ),
    )


# -------------------------------------------------------------------------------- fairness


def change_proposer(market: Market, proposer: int) -> Market:
    """Return the same market with another proposer, who then comes first."""
    order = [proposer, *(i for i in range(market.n) if i != proposer)]
    return Market(
        tuple(market.players[i] for i in order),
        market.goods,
        tuple(order.index(owner) for owner in market.endowment),
        tuple(market.valuations[i] for i in order),
        market.bits,
    )


def compute_ex_ante(market: Market, parameters: RuleParameters) -> dict[str, Fraction]:
    """Return what each player expects if the proposer is drawn uniformly."""
    total = dict.fromkeys(market.players, Fraction(0))
    for proposer in range(market.n):
        turned = change_proposer(market, proposer)
        each = expect_utilities(turned, play_rationally(turned, parameters))
        for name, has in zip(turned.players, each, strict=True):
            total[name] += has / market.n
    return total


def _test_fairness(market: Market, parameters: RuleParameters) -> tuple[int, Any]:
    if is_settled(market):
        return 0, None
    each = compute_ex_ante(market, parameters)
    endowed = dict(zip(market.players, values_by_player(market, market.endowment), strict=True))
    share = parameters.delta * Fraction(market.n - 1, market.n)
    levelled = {name: has + share * endowed[name] for name, has in each.items()}
    if len(set(levelled.values())) > 1:
        return market.n, {"ex ante": {name: encode_number(has) for name, has in each.items()}}
    return market.n, None


def _check_fairness(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(_make_test(_test_fairness), *_make_families(rng), unit="players"),
    )


# -------------------------------------------------------------------------------- overhead


def _make_overhead_test(exact: bool) -> Callable[[Market, RuleParameters], tuple[int, Any]]:
    def test(market: Market, parameters: RuleParameters) -> tuple[int, Any]:
        lottery = play_rationally(market, parameters)
        checks = 0
        for ending, _ in lottery:
            checks += 1
            bits = count_bits(market, ending).overhead
            if bits > market.n - 1 or (exact and bits != market.n - 1):
                return checks, {"step": ending.step, "overhead": bits}
        likely, _ = max(lottery, key=lambda row: row[1])
        if not is_settled(market) and count_bits(market, likely).overhead != market.n - 1:
            return checks, {"step": likely.step}
        return checks, None

    return test


def _check_communication(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            _make_test(_make_overhead_test(exact=True)), *_make_families(rng), unit="endings"
        ),
        search_counterexample(
            _make_test(_make_overhead_test(exact=False)),
            *_make_families(rng),
            unit="endings",
            correction="It is at most n - 1, and n - 1 in the likely ending if there is something "
            "to gain.",
        ),
    )


# ---------------------------------------------------------------------------- approximation


def _test_approximation(market: Market, parameters: RuleParameters) -> tuple[int, Any]:
    """Order what the proposer has of every allocation, priced truthfully, by welfare."""
    before = social_welfare(market, market.endowment)
    rows = []
    for allocation in enumerate_allocations(market):
        if social_welfare(market, allocation) > before:
            proposal = find_best_proposal(market, allocation)
            lottery = play(market, parameters, proposal, Votes.from_answer(market.n, True))
            welfare = social_welfare(market, allocation)
            rows.append((welfare, expect_utilities(market, lottery)[0], proposal))
    rows.sort(key=lambda row: row[:2])
    for (less, has, _), (more, would, proposal) in pairwise(rows):
        if (more > less) != (would > has):
            return len(rows), {"announced": describe_outcome(market, proposal)}
    return len(rows), None


def _check_approximation(rng: np.random.Generator) -> tuple[Finding, ...]:
    small = (enumerate_markets(2, 1, 3), enumerate_markets(3, 1, 2), draw_markets(rng, 3, 2, 4, 10))
    return (search_counterexample(_make_test(_test_approximation), *small, unit="allocations"),)


CLAIMS = (
    Claim(
        "market/budget-balance",
        "market",
        "Section 5.2, Remarks",
        "When the players act rationally, the mechanism neither takes nor gives money.",
        _check_budget,
    ),
    Claim(
        "market/no-deficit",
        "market",
        "Section 5.2, Remarks (docs/theory.md)",
        "Off the path it may gain money, but it never loses any.",
        _check_no_deficit,
    ),
    Claim(
        "market/participation",
        "market",
        "Section 5.3",
        "In a rational play the players' utilities are never negative.",
        _check_participation,
    ),
    Claim(
        "market/others-utility",
        "market",
        "Section 5.2, Remarks",
        "Whoever does not propose has a utility between 0 and 2 epsilon (if there is something to "
        "gain).",
        _check_others,
    ),
    Claim(
        "market/ex-ante-fairness",
        "market",
        "Section 5.2, Remarks",
        "With the proposer drawn uniformly, players expect the same but for delta (n - 1)/n times "
        "the difference of what their endowments are worth to them.",
        _check_fairness,
    ),
    Claim(
        "market/overhead",
        "market",
        "Section 1.4",
        "The communication overhead of a rational play is n - 1 bits.",
        _check_communication,
    ),
    Claim(
        "market/approximation",
        "market",
        "Section 5.3",
        "The more welfare the announced allocation has, priced truthfully, the more the proposer "
        "has of it.",
        _check_approximation,
    ),
)
