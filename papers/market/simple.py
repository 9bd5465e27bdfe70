"""The mechanisms that fail: Naive-1 to Naive-4 (section 5.1) and VCG (section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from aboveboard.auditing import DSIC, IndividualRationality
from aboveboard.auditing import audit as common_audit
from aboveboard.market.audit.expectations import table
from aboveboard.market.audit.market_game import announcing_game
from aboveboard.market.audit.root_solvability import audit
from aboveboard.market.audit.rules import rule_of_naive
from aboveboard.market.audit.subgames import closed_form, dominance
from aboveboard.market.model.descriptions import describe
from aboveboard.market.model.markets import Market, Outcome, social_welfare, truthful_prices
from aboveboard.market.model.utilities import utilities
from aboveboard.market.rules import naive, vcg
from aboveboard.market.rules.announcements import allocations, announcements
from aboveboard.market.rules.propose_and_agree import in_domain
from papers.claims import Claim, Family, Finding, Trial, exhibit, survey
from papers.market import failures
from papers.market.failures import small_markets, values_of
from papers.market.instances import drawn, every, independent

MOST = 10_000


def _shown(
    shows: Callable[[Market], Mapping[str, Any] | None], n: int, m: int, bits: int
) -> Callable[[np.random.Generator], tuple[Finding, ...]]:
    """Give the check that some market of this size shows the failure."""

    def test(market: Market) -> Trial:
        shown = shows(market)
        return Trial(1, None if shown is None else {**values_of(market), **shown})

    def check(_: np.random.Generator) -> tuple[Finding, ...]:
        family = Family(every(n, m, bits).kind, small_markets(n, m, bits))
        return (exhibit(test, family, unit="markets"),)

    return check


# ---------------------------------------------------------------------------------- Naive-1


def _harmless_is_stable(market: Market) -> Trial:
    game = announcing_game(market, market.nothing)
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
                    return Trial(checks, {**values_of(market), "agreed": game.describe(0, k)})
    return Trial(checks)


def _harmless(_: np.random.Generator) -> tuple[Finding, ...]:
    return (survey(_harmless_is_stable, every(2, 1, 2), every(2, 1, 3), unit="deviations"),)


def _truthful(market: Market) -> list[Outcome]:
    best = max(social_welfare(market, a) for a in allocations(market))
    return [
        Outcome(a, truthful_prices(market, a))
        for a in allocations(market)
        if social_welfare(market, a) == best
    ]


def _announces_the_optimum(market: Market) -> Trial:
    """Look for a truthful outcome with prices in (-B, B), as Naive-1 has them."""
    outcomes = _truthful(market)
    if any(naive.announceable(market, outcome) for outcome in outcomes):
        return Trial(len(outcomes))
    return Trial(len(outcomes), {**values_of(market), "truthful": describe(market, outcomes[0])})


def _fits_the_domain_of_m(market: Market) -> Trial:
    outcomes = _truthful(market)
    for outcome in outcomes:
        fits = all(in_domain(market, price) for price in outcome.prices[1:])
        if not fits or min(utilities(market, outcome)) < 0:
            return Trial(
                len(outcomes), {**values_of(market), "truthful": describe(market, outcome)}
            )
    return Trial(len(outcomes))


def _optimum(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = every(2, 1, 3), every(3, 1, 2), drawn(rng, 3, 2, 3, 50)
    return (
        survey(_announces_the_optimum, *families, unit="outcomes"),
        survey(
            _fits_the_domain_of_m,
            *families,
            unit="outcomes",
            correction="With M's wider domain, (-2^k, 2^k) for all but the proposer, every "
            "truthful outcome may be announced, and hurts nobody.",
        ),
    )


# ----------------------------------------------------------------------------- Naive-3 and 4


def _votes_in(version: int) -> Callable[[Market], Trial]:
    def test(market: Market) -> Trial:
        scheme = rule_of_naive(version, market, naive.chosen_epsilon(version, market)).scheme
        announced = announcements(market, market.bound, proposer_limited=True, most=MOST)
        filled = table(scheme, market, announced)
        checks = 0
        for i in range(1, market.n):
            found = dominance(filled, scheme, frozenset({i}))
            checks += found.checks
            said = closed_form(announced, scheme, frozenset({i}))
            wrong = np.flatnonzero((found.margin <= 0) | (found.codes != said).any(axis=1))
            if len(wrong):
                outcome = describe(market, announced[int(wrong[0])])
                return Trial(checks, {**values_of(market), "announced": outcome})
        return Trial(checks)

    return test


def _naive_3_votes(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = every(2, 1, 3), every(3, 1, 2), drawn(rng, 4, 1, 2, 3)
    return (survey(_votes_in(3), *families, unit="comparisons of votes"),)


def _truthful_is_best(*, wide: bool) -> Callable[[Market], Trial]:
    """Ask whether exactly the truthful outcomes are best in Naive-4 without collusion."""

    def test(market: Market) -> Trial:
        rule = rule_of_naive(4, market, naive.chosen_epsilon(4, market))
        if wide:
            scheme = replace(rule.scheme, limit=2 * market.bound, proposer_limited=False)
            rule = replace(rule, scheme=scheme)
        found = audit(market, rule, independent(market.n), played_out=False)
        root = found.roots[0]
        if found.welfare_before == found.welfare_best:
            said = {market.nothing}
        else:
            said = set(_truthful(market))
        odd = sorted(set(root.best) ^ said, key=repr)
        if odd:
            return Trial(1, {**values_of(market), "announced": describe(market, odd[0])})
        return Trial(1)

    return test


def _naive_4_alone(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = every(2, 1, 3), every(3, 1, 2), drawn(rng, 3, 2, 3, 3)
    return (
        survey(_truthful_is_best(wide=False), *families, unit="markets"),
        survey(
            _truthful_is_best(wide=True),
            *families,
            unit="markets",
            correction="With M's wider domain for the prices; within (-B, B) the truthful prices "
            "may not be announceable, and the optimum is lost.",
        ),
    )


# -------------------------------------------------------------------------------------- VCG


def _vcg_is_truthful(market: Market) -> Trial:
    verdicts = common_audit(vcg.game(market), [DSIC(), IndividualRationality("every report")])
    checks = sum(v.checked for v in verdicts.values())
    if verdicts.any_fails():
        return Trial(checks, values_of(market))
    return Trial(checks)


def _vcg_truthful(_: np.random.Generator) -> tuple[Finding, ...]:
    return (survey(_vcg_is_truthful, every(2, 1, 2), every(3, 1, 2), unit="deviations"),)


CLAIMS = (
    Claim(
        "market/naive-1-optimum",
        "market",
        "Section 5.1, Naive-1",
        "Naive-1 has an equilibrium with a socially optimal outcome: all announce a truthful one.",
        _optimum,
    ),
    Claim(
        "market/naive-1-equilibria",
        "market",
        "Section 5.1, Naive-1",
        "Any outcome that gives everybody non-negative utility is an equilibrium outcome.",
        _harmless,
    ),
    Claim(
        "market/naive-1-belief",
        "market",
        "Section 5.1, Naive-1",
        "It is vulnerable to belief mismatch: players who expect different equilibria trade "
        "nothing.",
        _shown(failures.two_equilibria, 2, 1, 2),
    ),
    Claim(
        "market/naive-2-belief",
        "market",
        "Section 5.1, Naive-2",
        "Voters who are hurt may leave the NO to each other, and the proposer gains by it.",
        _shown(failures.no_left_to_others, 3, 1, 2),
    ),
    Claim(
        "market/naive-3-votes",
        "market",
        "Section 5.1, Naive-3",
        "A player's unique best vote is the truthful one, whatever the others vote.",
        _naive_3_votes,
    ),
    Claim(
        "market/naive-3-gain",
        "market",
        "Section 5.1, Naive-3",
        "The proposer may gain by announcing an allocation that is not optimal.",
        _shown(failures.gamble, 3, 1, 3),
    ),
    Claim(
        "market/naive-4-independent",
        "market",
        "Section 5.1, Naive-4",
        "Without collusion it is irrational for the proposer to announce any outcome that is not "
        "truthful.",
        _naive_4_alone,
    ),
    Claim(
        "market/naive-4-collusion",
        "market",
        "Section 5.1, Naive-4",
        "With collusion, what is best to announce depends on who colludes, and a wrong belief "
        "costs welfare.",
        _shown(failures.wrong_belief, 3, 1, 2),
    ),
    Claim(
        "market/vcg-truthful",
        "market",
        "Section 2",
        "VCG with Clarke payments is truthful, and nobody loses by coming.",
        _vcg_truthful,
    ),
    Claim(
        "market/vcg-deficit",
        "market",
        "Section 2",
        "VCG is not budget-balanced.",
        _shown(failures.runs_a_deficit, 2, 1, 2),
    ),
    Claim(
        "market/vcg-collusion",
        "market",
        "Section 2",
        "VCG is vulnerable to two colluding players.",
        _shown(failures.lies_together, 2, 1, 2),
    ),
)
