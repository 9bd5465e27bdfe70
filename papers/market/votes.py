"""The votes: Definition 1, Lemmas 1, 2, 7, 8 and 9, Corollary 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from aboveboard.games.numbers import Array, IntArray
from aboveboard.market.audit.expected_utilities import (
    UtilityScheme,
    build_scheme,
    tabulate_utilities,
)
from aboveboard.market.audit.strict_dominance import find_dominance, predict_votes
from aboveboard.market.model.descriptions import describe_outcome, member_names
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.utilities import Coalition
from aboveboard.market.rules.announcements import (
    Announcements,
    enumerate_announcements,
)
from papers.claims import Claim, Finding, Trial, search_counterexample
from papers.market import lemmas
from papers.market.failures import describe_market
from papers.market.instances import (
    check_dominance,
    draw_markets,
    enumerate_markets,
    list_independent,
    list_parameters,
    list_structures,
    make_test,
)

MOST = 10_000
UNIT = "comparisons of votes"


def _list_coalitions(n: int) -> list[Coalition]:
    return sorted({c for s in list_structures(n) for c in s}, key=sorted)


@dataclass(frozen=True)
class Subgame:
    """What follows an announcement, or part of it.

    Parameters
    ----------
    scheme
        Says how many strategies a voter has in `filled`.
    filled
        Expected utilities, as `tabulate_utilities` gives them.
    part
        From the codes of strategies in M to those in this part of it.
    """

    scheme: UtilityScheme
    filled: Array
    part: Callable[[IntArray], IntArray]


def _select_step_2(scheme: UtilityScheme, market: Market, announced: Announcements) -> Subgame:
    """Return M if c0 falls heads: votes are cast in step 2 only."""
    alone = replace(scheme, destruction=None)
    return Subgame(alone, tabulate_utilities(alone, market, announced), lambda codes: codes & 1)


def _select_step_3(scheme: UtilityScheme, market: Market, announced: Announcements) -> Subgame:
    """Return M if c0 falls tails: votes are cast in step 3 only, bit 1 of a strategy."""
    zero = (Fraction(0),) * market.n
    tails = replace(scheme, acceptance=zero, proposer=zero, others=zero)
    pick: tuple[Any, ...] = (slice(None),) * 2 + (slice(None, None, 2),) * (market.n - 1)
    filled = tabulate_utilities(tails, market, announced)[pick]
    return Subgame(replace(scheme, destruction=None), filled, lambda codes: codes >> 1)


def _select_all(scheme: UtilityScheme, market: Market, announced: Announcements) -> Subgame:
    """Return all of M after an announcement."""
    return Subgame(scheme, tabulate_utilities(scheme, market, announced), lambda codes: codes)


def _make_test(
    after: Callable[[UtilityScheme, Market, Announcements], Subgame],
    of: Callable[[int], list[Coalition]],
) -> Callable[[Market], Trial]:
    """Return the test that the lemmas' votes are strictly dominant in a subgame."""

    def test(market: Market) -> Trial:
        checks = 0
        for parameters in list_parameters(market):
            scheme = build_scheme(market, parameters)
            announced = enumerate_announcements(
                market, scheme.limit, proposer_limited=False, most=MOST
            )
            subgame = after(scheme, market, announced)
            for members in of(market.n):
                found = find_dominance(subgame.filled, subgame.scheme, members)
                said = subgame.part(predict_votes(announced, scheme, members))
                checks += found.checks
                wrong = (found.margin <= 0) | (found.codes != said).any(axis=1)
                if wrong.any():
                    first = announced[int(np.flatnonzero(wrong)[0])]
                    return Trial(checks, _describe_example(market, members, first))
        return Trial(checks)

    return test


def _describe_example(market: Market, members: Coalition, announced: Outcome) -> dict[str, Any]:
    return {
        "market": describe_market(market),
        "coalition": list(member_names(market, members)),
        "announced": describe_outcome(market, announced),
    }


def _list_single_voters(n: int) -> list[Coalition]:
    return [frozenset({i}) for i in range(1, n)]


def _list_without_proposer(n: int) -> list[Coalition]:
    return [c for c in _list_coalitions(n) if 0 not in c]


def _make_families(rng: np.random.Generator) -> tuple[Any, ...]:
    return (
        enumerate_markets(2, 1, 3),
        enumerate_markets(3, 1, 2),
        draw_markets(rng, 3, 2, 3, 4),
        draw_markets(rng, 4, 1, 2, 3),
    )


def _make_check(
    after: Callable[[UtilityScheme, Market, Announcements], Subgame],
    of: Callable[[int], list[Coalition]],
) -> Callable[[np.random.Generator], tuple[Finding, ...]]:
    def check(rng: np.random.Generator) -> tuple[Finding, ...]:
        return (search_counterexample(_make_test(after, of), *_make_families(rng), unit=UNIT),)

    return check


def _test_literal(market: Market) -> Trial:
    """Definition 1 to the letter: the strategy must beat every strategy, itself too."""
    scheme = build_scheme(market, list_parameters(market)[0])
    announced = enumerate_announcements(market, scheme.limit, proposer_limited=False, most=MOST)
    filled = tabulate_utilities(scheme, market, announced)
    checks = 0
    for members in _list_coalitions(market.n):
        found = find_dominance(filled, scheme, members)
        if not found.voters:
            continue
        checks += found.checks
        # A strategy ties with itself, so to the letter its margin is 0 at the most.
        refused = np.flatnonzero(np.minimum(found.margin, 0) <= 0)
        if len(refused):
            return Trial(checks, _describe_example(market, members, announced[int(refused[0])]))
    return Trial(checks)


def _check_definition_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(_test_literal, enumerate_markets(2, 1, 2), unit=UNIT),
        search_counterexample(
            make_test(list_structures, [check_dominance]),
            *_make_families(rng),
            unit=UNIT,
            correction="With s' other than s, every coalition has such a joint strategy in every "
            "subgame of M.",
        ),
    )


def _check_corollary_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            make_test(list_independent, [check_dominance, lemmas.check_votes]),
            *_make_families(rng),
            unit=UNIT,
        ),
    )


def _list_with_proposer(n: int) -> list[Coalition]:
    return [c for c in _list_coalitions(n) if 0 in c and len(c) > 1]


CLAIMS = (
    Claim(
        "market/definition-1",
        "market",
        "Section 4.1, Definition 1",
        "In a CDS mechanism every coalition has a joint strategy that is strictly better than "
        "every joint strategy, whatever the others do; every subgame of M is one.",
        _check_definition_1,
    ),
    Claim(
        "market/lemma-1",
        "market",
        "Appendix A, Lemma 1",
        "If c0 falls heads, an independent player other than the proposer strictly best says YES "
        "if it gains at least its price, and NO otherwise.",
        _make_check(_select_step_2, _list_single_voters),
    ),
    Claim(
        "market/lemma-2",
        "market",
        "Appendix A, Lemma 2",
        "If c0 falls tails, the same is strictly dominant for the player drawn.",
        _make_check(_select_step_3, _list_single_voters),
    ),
    Claim(
        "market/corollary-1",
        "market",
        "Appendix A, Corollary 1",
        "Without collusion every subgame of M is CDS, with the votes of Lemmas 1 and 2.",
        _check_corollary_1,
    ),
    Claim(
        "market/lemma-7",
        "market",
        "Appendix B, Lemma 7",
        "If c0 falls heads, a coalition without the proposer strictly best says YES throughout if "
        "together it gains at least its prices, and NO throughout otherwise.",
        _make_check(_select_step_2, _list_without_proposer),
    ),
    Claim(
        "market/lemma-8",
        "market",
        "Appendix B, Lemma 8",
        "If c0 falls tails, each member of such a coalition strictly best answers for itself "
        "alone when it is drawn.",
        _make_check(_select_step_3, _list_without_proposer),
    ),
    Claim(
        "market/lemma-9",
        "market",
        "Appendix B, Lemma 9",
        "It is strictly dominant for the proposer's partners to say YES in both steps.",
        _make_check(_select_all, _list_with_proposer),
    ),
)
