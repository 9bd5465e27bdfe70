"""The mechanisms that fail: Naive-1 to Naive-4 (section 5.1) and VCG (section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from aboveboard.auditing import DSIC, IndividualRationality
from aboveboard.auditing import audit as common_audit
from aboveboard.market.audit.announcing_game import build_announcing_game
from aboveboard.market.audit.root_audit import audit_market
from aboveboard.market.audit.strict_dominance import find_dominance, predict_votes
from aboveboard.market.audit.voting_rules import make_naive_rule
from aboveboard.market.model.descriptions import describe_outcome
from aboveboard.market.model.markets import Market, Outcome, social_welfare, truthful_prices
from aboveboard.market.model.utilities import utilities
from aboveboard.market.rules import naive, vcg
from aboveboard.market.rules.announcements import enumerate_allocations, enumerate_announcements
from aboveboard.market.rules.propose_and_agree import is_in_domain
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.market import failures
from papers.market.failures import describe_market, enumerate_small_markets
from papers.market.instances import draw_markets, enumerate_markets, list_independent

MOST = 10_000


def _make_exhibit(
    shows: Callable[[Market], Mapping[str, Any] | None], n: int, m: int, bits: int
) -> Callable[[np.random.Generator], tuple[Finding, ...]]:
    """Return the check that some market of this size shows the failure."""

    def test(market: Market) -> Trial:
        shown = shows(market)
        return Trial(1, None if shown is None else {**describe_market(market), **shown})

    def check(_: np.random.Generator) -> tuple[Finding, ...]:
        family = Family(enumerate_markets(n, m, bits).kind, enumerate_small_markets(n, m, bits))
        return (search_example(test, family, unit="markets"),)

    return check


# ---------------------------------------------------------------------------------- Naive-1


def _test_harmless(market: Market) -> Trial:
    game = build_announcing_game(market, market.nothing)
    checks = 0
    for k in game.actions(0):
        agreed = [k] * market.n
        each = game.payoffs(agreed)
        if min(each) < 0:
            continue
        for i in range(market.n):
            for other in game.actions(i):
                checks += 1
                profile = [*agreed[:i], other, *agreed[i + 1 :]]
                if game.payoffs(profile)[i] > each[i]:
                    return Trial(checks, {**describe_market(market), "agreed": game.describe(0, k)})
    return Trial(checks)


def _check_harmless(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            _test_harmless,
            enumerate_markets(2, 1, 2),
            enumerate_markets(2, 1, 3),
            unit="deviations",
        ),
    )


def _list_truthful(market: Market) -> list[Outcome]:
    best = max(social_welfare(market, a) for a in enumerate_allocations(market))
    return [
        Outcome(a, truthful_prices(market, a))
        for a in enumerate_allocations(market)
        if social_welfare(market, a) == best
    ]


def _test_optimum(market: Market) -> Trial:
    """Look for a truthful outcome with prices in (-B, B), as Naive-1 has them."""
    outcomes = _list_truthful(market)
    if any(naive.is_announceable(market, outcome) for outcome in outcomes):
        return Trial(len(outcomes))
    return Trial(
        len(outcomes),
        {**describe_market(market), "truthful": describe_outcome(market, outcomes[0])},
    )


def _test_domain(market: Market) -> Trial:
    outcomes = _list_truthful(market)
    for outcome in outcomes:
        fits = all(is_in_domain(market, price) for price in outcome.prices[1:])
        if not fits or min(utilities(market, outcome)) < 0:
            return Trial(
                len(outcomes),
                {**describe_market(market), "truthful": describe_outcome(market, outcome)},
            )
    return Trial(len(outcomes))


def _check_optimum(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = (
        enumerate_markets(2, 1, 3),
        enumerate_markets(3, 1, 2),
        draw_markets(rng, 3, 2, 3, 50),
    )
    return (
        search_counterexample(_test_optimum, *families, unit="outcomes"),
        search_counterexample(
            _test_domain,
            *families,
            unit="outcomes",
            correction="With M's wider domain, (-2^k, 2^k) for all but the proposer, every "
            "truthful outcome may be announced, and hurts nobody.",
        ),
    )


# ----------------------------------------------------------------------------- Naive-3 and 4


def _make_votes_test(version: int) -> Callable[[Market], Trial]:
    def test(market: Market) -> Trial:
        rule = make_naive_rule(version, market, naive.choose_epsilon(version, market))
        announced = enumerate_announcements(market, market.bound, proposer_limited=True, most=MOST)
        filled = rule.tabulate(market, announced)
        checks = 0
        for i in range(1, market.n):
            found = find_dominance(filled, rule, frozenset({i}))
            checks += found.checks
            said = predict_votes(announced, rule, frozenset({i}))
            wrong = np.flatnonzero((found.margin <= 0) | (found.codes != said).any(axis=1))
            if len(wrong):
                outcome = describe_outcome(market, announced[int(wrong[0])])
                return Trial(checks, {**describe_market(market), "announced": outcome})
        return Trial(checks)

    return test


def _check_naive_3_votes(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = enumerate_markets(2, 1, 3), enumerate_markets(3, 1, 2), draw_markets(rng, 4, 1, 2, 3)
    return (search_counterexample(_make_votes_test(3), *families, unit="comparisons of votes"),)


def _make_truthful_test(*, wide: bool) -> Callable[[Market], Trial]:
    """Return the test that the truthful outcomes alone are best in Naive-4, without collusion."""

    def test(market: Market) -> Trial:
        rule = make_naive_rule(4, market, naive.choose_epsilon(4, market))
        if wide:
            rule = replace(rule, limit=2 * market.bound, proposer_limited=False)
        found = audit_market(market, rule, list_independent(market.n))
        root = found.roots[0]
        if found.welfare_before == found.welfare_best:
            said = {market.nothing}
        else:
            said = set(_list_truthful(market))
        odd = sorted(set(root.best) ^ said, key=repr)
        if odd:
            return Trial(
                1, {**describe_market(market), "announced": describe_outcome(market, odd[0])}
            )
        return Trial(1)

    return test


def _check_naive_4_alone(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = enumerate_markets(2, 1, 3), enumerate_markets(3, 1, 2), draw_markets(rng, 3, 2, 3, 3)
    return (
        search_counterexample(_make_truthful_test(wide=False), *families, unit="markets"),
        search_counterexample(
            _make_truthful_test(wide=True),
            *families,
            unit="markets",
            correction="With M's wider domain for the prices; within (-B, B) the truthful prices "
            "may not be announceable, and the optimum is lost.",
        ),
    )


# -------------------------------------------------------------------------------------- VCG


def _test_vcg(market: Market) -> Trial:
    verdicts = common_audit(vcg.build_game(market), [DSIC(), IndividualRationality("every report")])
    checks = sum(v.checked for v in verdicts.values())
    if verdicts.any_fails():
        return Trial(checks, describe_market(market))
    return Trial(checks)


def _check_vcg(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            _test_vcg, enumerate_markets(2, 1, 2), enumerate_markets(3, 1, 2), unit="deviations"
        ),
    )


CLAIMS = (
    Claim(
        "market/naive-1-optimum",
        "market",
        "Section 5.1, Naive-1",
        "Naive-1 has an equilibrium with a socially optimal outcome: all announce a truthful one.",
        _check_optimum,
    ),
    Claim(
        "market/naive-1-equilibria",
        "market",
        "Section 5.1, Naive-1",
        "Any outcome that gives everybody non-negative utility is an equilibrium outcome.",
        _check_harmless,
    ),
    Claim(
        "market/naive-1-belief",
        "market",
        "Section 5.1, Naive-1",
        "It is vulnerable to belief mismatch: players who expect different equilibria trade "
        "nothing.",
        _make_exhibit(failures.show_two_equilibria, 2, 1, 2),
    ),
    Claim(
        "market/naive-2-belief",
        "market",
        "Section 5.1, Naive-2",
        "Voters who are hurt may leave the NO to each other, and the proposer gains by it.",
        _make_exhibit(failures.show_no_left_to_others, 3, 1, 2),
    ),
    Claim(
        "market/naive-3-votes",
        "market",
        "Section 5.1, Naive-3",
        "A player's unique best vote is the truthful one, whatever the others vote.",
        _check_naive_3_votes,
    ),
    Claim(
        "market/naive-3-gain",
        "market",
        "Section 5.1, Naive-3",
        "The proposer may gain by announcing an allocation that is not optimal.",
        _make_exhibit(failures.show_gamble, 3, 1, 3),
    ),
    Claim(
        "market/naive-4-independent",
        "market",
        "Section 5.1, Naive-4",
        "Without collusion it is irrational for the proposer to announce any outcome that is not "
        "truthful.",
        _check_naive_4_alone,
    ),
    Claim(
        "market/naive-4-collusion",
        "market",
        "Section 5.1, Naive-4",
        "With collusion, what is best to announce depends on who colludes, and a wrong belief "
        "costs welfare.",
        _make_exhibit(failures.show_wrong_belief, 3, 1, 2),
    ),
    Claim(
        "market/vcg-truthful",
        "market",
        "Section 2",
        "VCG with Clarke payments is truthful, and nobody loses by coming.",
        _check_vcg,
    ),
    Claim(
        "market/vcg-deficit",
        "market",
        "Section 2",
        "VCG is not budget-balanced.",
        _make_exhibit(failures.show_deficit, 2, 1, 2),
    ),
    Claim(
        "market/vcg-collusion",
        "market",
        "Section 2",
        "VCG is vulnerable to two colluding players.",
        _make_exhibit(failures.show_joint_lie, 2, 1, 2),
    ),
)
