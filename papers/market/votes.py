"""The votes: Definition 1, Lemmas 1, 2, 7, 8 and 9, Corollary 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from aboveboard.games.numbers import Array
from aboveboard.market.audit.expectations import Scheme, scheme_of_m, table
from aboveboard.market.audit.subgames import closed_form, dominance
from aboveboard.market.model.descriptions import describe, names
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.utilities import Coalition
from aboveboard.market.rules.announcements import Announcements, IntArray, announcements
from papers.claims import Claim, Finding, Trial, survey
from papers.market.failures import values_of
from papers.market.instances import drawn, every, everybody, independent, obeys, parameters_of

MOST = 10_000
DOMINANT = "votes are collusively dominant"
LEMMAS = "votes are those of the lemmas"
UNIT = "comparisons of votes"


def _coalitions(n: int) -> list[Coalition]:
    return sorted({c for s in everybody(n) for c in s}, key=sorted)


@dataclass(frozen=True)
class Subgame:
    """What follows an announcement, or part of it.

    Parameters
    ----------
    scheme
        Says how many strategies a voter has in `filled`.
    filled
        Expected utilities, as `expectations.table` gives them.
    part
        From the codes of strategies in M to those in this part of it.
    """

    scheme: Scheme
    filled: Array
    part: Callable[[IntArray], IntArray]


def _step_2(scheme: Scheme, market: Market, announced: Announcements) -> Subgame:
    """Give M if c0 falls heads: votes are cast in step 2 only."""
    alone = replace(scheme, drawn=None)
    return Subgame(alone, table(alone, market, announced), lambda codes: codes & 1)


def _step_3(scheme: Scheme, market: Market, announced: Announcements) -> Subgame:
    """Give M if c0 falls tails: votes are cast in step 3 only, bit 1 of a strategy."""
    zero = (Fraction(0),) * market.n
    tails = replace(scheme, implemented=zero, proposer=zero, others=zero)
    pick: tuple[Any, ...] = (slice(None),) * 2 + (slice(None, None, 2),) * (market.n - 1)
    filled = table(tails, market, announced)[pick]
    return Subgame(replace(scheme, drawn=None), filled, lambda codes: codes >> 1)


def _whole(scheme: Scheme, market: Market, announced: Announcements) -> Subgame:
    """Give all of M after an announcement."""
    return Subgame(scheme, table(scheme, market, announced), lambda codes: codes)


def _strict(
    after: Callable[[Scheme, Market, Announcements], Subgame],
    of: Callable[[int], list[Coalition]],
) -> Callable[[Market], Trial]:
    """Give the test: the lemmas' votes are strictly dominant in a subgame, for some coalitions."""

    def test(market: Market) -> Trial:
        checks = 0
        for parameters in parameters_of(market):
            scheme = scheme_of_m(market, parameters)
            announced = announcements(market, scheme.limit, proposer_limited=False, most=MOST)
            subgame = after(scheme, market, announced)
            for members in of(market.n):
                found = dominance(subgame.filled, subgame.scheme, members)
                said = subgame.part(closed_form(announced, scheme, members))
                checks += found.checks
                wrong = (found.margin <= 0) | (found.codes != said).any(axis=1)
                if wrong.any():
                    first = announced[int(np.flatnonzero(wrong)[0])]
                    return Trial(checks, _example(market, members, first))
        return Trial(checks)

    return test


def _example(market: Market, members: Coalition, announced: Outcome) -> dict[str, Any]:
    return {
        "market": values_of(market),
        "coalition": list(names(market, members)),
        "announced": describe(market, announced),
    }


def _others_alone(n: int) -> list[Coalition]:
    return [frozenset({i}) for i in range(1, n)]


def _without_proposer(n: int) -> list[Coalition]:
    return [c for c in _coalitions(n) if 0 not in c]


def _families(rng: np.random.Generator) -> tuple[Any, ...]:
    return (
        every(2, 1, 3),
        every(3, 1, 2),
        drawn(rng, 3, 2, 3, 4),
        drawn(rng, 4, 1, 2, 3),
    )


def _lemma(
    after: Callable[[Scheme, Market, Announcements], Subgame],
    of: Callable[[int], list[Coalition]],
) -> Callable[[np.random.Generator], tuple[Finding, ...]]:
    def check(rng: np.random.Generator) -> tuple[Finding, ...]:
        return (survey(_strict(after, of), *_families(rng), unit=UNIT),)

    return check


def _beats_itself(market: Market) -> Trial:
    """Definition 1 to the letter: the strategy must beat every strategy, itself too."""
    scheme = scheme_of_m(market, parameters_of(market)[0])
    announced = announcements(market, scheme.limit, proposer_limited=False, most=MOST)
    filled = table(scheme, market, announced)
    checks = 0
    for members in _coalitions(market.n):
        found = dominance(filled, scheme, members)
        if not found.voters:
            continue
        checks += found.checks
        # A strategy ties with itself, so to the letter its margin is 0 at the most.
        refused = np.flatnonzero(np.minimum(found.margin, 0) <= 0)
        if len(refused):
            return Trial(checks, _example(market, members, announced[int(refused[0])]))
    return Trial(checks)


def _definition_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        survey(_beats_itself, every(2, 1, 2), unit=UNIT),
        survey(
            obeys(everybody, [DOMINANT]),
            *_families(rng),
            unit=UNIT,
            correction="With s' other than s, every coalition has such a joint strategy in every "
            "subgame of M.",
        ),
    )


def _corollary_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (survey(obeys(independent, [DOMINANT, LEMMAS]), *_families(rng), unit=UNIT),)


def _only_the_proposers(n: int) -> list[Coalition]:
    return [c for c in _coalitions(n) if 0 in c and len(c) > 1]


CLAIMS = (
    Claim(
        "market/definition-1",
        "market",
        "Section 4.1, Definition 1",
        "In a CDS mechanism every coalition has a joint strategy that is strictly better than "
        "every joint strategy, whatever the others do; every subgame of M is one.",
        _definition_1,
    ),
    Claim(
        "market/lemma-1",
        "market",
        "Appendix A, Lemma 1",
        "If c0 falls heads, an independent player other than the proposer strictly best says YES "
        "if it gains at least its price, and NO otherwise.",
        _lemma(_step_2, _others_alone),
    ),
    Claim(
        "market/lemma-2",
        "market",
        "Appendix A, Lemma 2",
        "If c0 falls tails, the same is strictly dominant for the player drawn.",
        _lemma(_step_3, _others_alone),
    ),
    Claim(
        "market/corollary-1",
        "market",
        "Appendix A, Corollary 1",
        "Without collusion every subgame of M is CDS, with the votes of Lemmas 1 and 2.",
        _corollary_1,
    ),
    Claim(
        "market/lemma-7",
        "market",
        "Appendix B, Lemma 7",
        "If c0 falls heads, a coalition without the proposer strictly best says YES throughout if "
        "together it gains at least its prices, and NO throughout otherwise.",
        _lemma(_step_2, _without_proposer),
    ),
    Claim(
        "market/lemma-8",
        "market",
        "Appendix B, Lemma 8",
        "If c0 falls tails, each member of such a coalition strictly best answers for itself "
        "alone when it is drawn.",
        _lemma(_step_3, _without_proposer),
    ),
    Claim(
        "market/lemma-9",
        "market",
        "Appendix B, Lemma 9",
        "It is strictly dominant for the proposer's partners to say YES in both steps.",
        _lemma(_whole, _only_the_proposers),
    ),
)
