"""Why the simple mechanisms fail: the plays that break Naive-1 to Naive-4 and VCG, in one market.

Section 5.1 and the remarks on VCG in section 2. Each function shows the failure in a market, or
gives None where that market does not have it; markets are gone through in the order of how much is
at stake, so that the first that fails is the smallest. Each failure is found within ten markets, in
about a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from aboveboard.auditing import CoalitionProof
from aboveboard.auditing import audit as common_audit
from aboveboard.auditing.equilibrium import pure_equilibria
from aboveboard.formatting import encode_number
from aboveboard.market.audit import SociallyOptimal, audit_market
from aboveboard.market.audit.announcing_game import build_announcing_game
from aboveboard.market.audit.voting_rules import make_naive_rule
from aboveboard.market.model.bidding import BundleTable
from aboveboard.market.model.descriptions import describe_outcome
from aboveboard.market.model.markets import Market, Outcome, social_welfare
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import (
    Structure,
    expect_utilities,
    surplus,
    utilities,
)
from aboveboard.market.rules import naive, vcg
from aboveboard.market.rules.announcements import enumerate_announcements, find_best_proposal
from aboveboard.market.rules.dominant_votes import find_dominant_votes

PLAYERS = ("a", "b", "c", "d")


def enumerate_small_markets(n: int, m: int, bits: int) -> Iterator[Market]:
    """Yield every market of this size, the least sum of absolute values first."""
    span = range(-(1 << (bits - 1)) + 1, 1 << (bits - 1))
    bundles = range(1, 1 << m)
    tables = sorted(
        product(span, repeat=n * len(bundles)), key=lambda row: (sum(map(abs, row)), row[::-1])
    )
    goods = tuple(f"g{g + 1}" for g in range(m))
    for row in tables:
        parts = [row[i * len(bundles) : (i + 1) * len(bundles)] for i in range(n)]
        valuations = tuple(BundleTable(tuple(zip(bundles, part, strict=True))) for part in parts)
        for owners in product(range(n), repeat=m):
            yield Market(PLAYERS[:n], goods, owners, valuations, bits)


def describe_market(market: Market) -> dict[str, Any]:
    """Return a small market in plain data: who brings what, and every bundle's value."""
    bundles = {
        "+".join(g for k, g in enumerate(market.goods) if mask >> k & 1): mask
        for mask in range(1, 1 << market.m)
    }
    return {
        "brought": {
            good: market.players[owner]
            for good, owner in zip(market.goods, market.endowment, strict=True)
        },
        "values": {
            name: {said: valuation.value(mask) for said, mask in bundles.items()}
            for name, valuation in zip(market.players, market.valuations, strict=True)
        },
        "bits": market.bits,
    }


# ---------------------------------------------------------------------------------- Naive-1


def show_two_equilibria(market: Market) -> Mapping[str, Any] | None:
    """Return two optimal equilibria of Naive-1, and what mixed expectations lead to."""
    listed = enumerate_announcements(market, market.bound, proposer_limited=True, most=10_000)
    outcomes = [market.nothing, *(listed[k] for k in range(len(listed)))]
    stable = [
        outcomes[row[0]]
        for row in pure_equilibria(build_announcing_game(market, market.nothing)).tolist()
        if len(set(row)) == 1
    ]
    best = max(social_welfare(market, o.allocation) for o in outcomes)
    if social_welfare(market, market.endowment) == best:
        return None
    good = [o for o in stable if social_welfare(market, o.allocation) == best]
    if len(good) < 2:
        return None
    believed = [good[0], *(good[1],) * (market.n - 1)]
    ((ending, _),) = naive.play_naive_1(market, believed)
    return {
        "equilibria": len(stable),
        "one": describe_outcome(market, good[0]),
        "another": describe_outcome(market, good[1]),
        "welfare if both are expected": social_welfare(market, ending.outcome.allocation),
        "best welfare": best,
    }


# ---------------------------------------------------------------------------------- Naive-2


def _find_truthful_utility(version: int, market: Market, epsilon: Fraction) -> Fraction:
    """Return what the proposer has of an optimal allocation, priced truthfully; all agree."""
    proposal = find_best_proposal(market, vcg.find_best_allocation(market))
    if not naive.is_announceable(market, proposal):
        return Fraction(0)
    cast = Votes.from_answer(market.n, True)
    return expect_utilities(market, naive.play(version, market, epsilon, proposal, cast))[0]


def show_no_left_to_others(market: Market) -> Mapping[str, Any] | None:
    """Return an announcement in Naive-2 that hurts two voters if each counts on the other."""
    epsilon = naive.choose_epsilon(2, market)
    truthful = _find_truthful_utility(2, market, epsilon)
    listed = enumerate_announcements(market, market.bound, proposer_limited=True, most=10_000)
    voters = range(1, market.n)

    def has(proposal: Outcome, yes: Sequence[bool]) -> tuple[Fraction, ...]:
        votes = Votes(tuple(yes), tuple(yes))
        return expect_utilities(market, naive.play(2, market, epsilon, proposal, votes))

    for k in range(len(listed)):
        proposal = listed[k]
        agreed = has(proposal, [True] * len(voters))
        hurt = [i for i in voters if agreed[i] < 0]
        if len(hurt) < 2 or agreed[0] <= truthful:
            continue
        # Whoever expects another NO does as well by YES as by NO.
        relies = all(
            has(proposal, [j != other for j in voters])[i]
            == has(proposal, [j not in (other, i) for j in voters])[i]
            for i in hurt
            for other in hurt
            if other != i
        )
        if relies:
            return {
                "announcement": describe_outcome(market, proposal),
                "epsilon": encode_number(epsilon),
                "hurt, each leaving the NO to another": [market.players[i] for i in hurt],
                "utilities if all say YES": [encode_number(u) for u in agreed],
                "proposer's utility if truthful": encode_number(truthful),
            }
    return None


# ----------------------------------------------------------------------------- Naive-3 and 4


def show_gamble(market: Market) -> Mapping[str, Any] | None:
    """Return a best announcement of Naive-3's proposer that is not of maximum welfare."""
    epsilon = naive.choose_epsilon(3, market)
    alone = tuple(frozenset({i}) for i in range(market.n))
    found = audit_market(market, make_naive_rule(3, market, epsilon), [alone])
    if not found.roots or SociallyOptimal().judge_root(found).witness is None:
        return None
    root = found.roots[0]
    worst = min(root.best, key=lambda o: social_welfare(market, o.allocation))
    votes = root.votes[root.best.index(worst)]
    return {
        "announcement": describe_outcome(market, worst),
        "epsilon": encode_number(epsilon),
        "votes": ["YES" if v else "NO" for v in votes.step_2] if votes is not None else [],
        "proposer's utility": encode_number(root.utility),
        "proposer's utility if truthful": encode_number(_find_truthful_utility(3, market, epsilon)),
        "welfare announced": social_welfare(market, worst.allocation),
        "best welfare": found.welfare_best,
    }


def show_wrong_belief(market: Market) -> Mapping[str, Any] | None:
    """Return an announcement that is best in Naive-4 only if b and c collude."""
    epsilon = naive.choose_epsilon(4, market)
    alone: Structure = tuple(frozenset({i}) for i in range(market.n))
    pair: Structure = (alone[0], frozenset({1, 2}), *alone[3:])
    found = audit_market(market, make_naive_rule(4, market, epsilon), [alone, pair])
    if not found.roots or found.welfare_before == found.welfare_best:
        return None
    honest, colluding = found.roots
    tempting = [o for o in colluding.best if o not in honest.best]
    if not tempting:
        return None
    proposal = tempting[0]
    rule = make_naive_rule(4, market, epsilon)
    cast = find_dominant_votes(market, proposal, alone)
    has = expect_utilities(market, rule.play(proposal, cast))
    return {
        "announcement": describe_outcome(market, proposal),
        "epsilon": encode_number(epsilon),
        "proposer's utility if b and c collude": encode_number(colluding.utility),
        "proposer's utility if they do not": encode_number(has[0]),
        "proposer's utility if truthful": encode_number(honest.utility),
        "votes if they do not": ["YES" if v else "NO" for v in cast.step_2],
    }


# -------------------------------------------------------------------------------------- VCG


def show_deficit(market: Market) -> Mapping[str, Any] | None:
    """Return what VCG costs the center."""
    outcome = vcg.settle(market)
    if surplus(outcome) >= 0:
        return None
    return {
        "outcome": describe_outcome(market, outcome),
        "the center pays": encode_number(-surplus(outcome)),
        "utilities": [encode_number(u) for u in utilities(market, outcome)],
    }


def show_joint_lie(market: Market) -> Mapping[str, Any] | None:
    """Return what two players gain together by misreporting to VCG."""
    prop = CoalitionProof(2, transfers=True)
    game = vcg.build_game(market)
    witness = common_audit(game, [prop])[prop.name].witness
    if witness is None or len(witness.parties) < 2:
        return None
    bundles = range(1, 1 << market.m)
    values: dict[object, str] = {  # by how the game writes a report: what each bundle is worth
        game.describe(0, k): str(tuple(report.value(bundle) for bundle in bundles))
        for k, report in enumerate(vcg.list_reports(market))
    }
    return {
        "truth": {name: values[said] for name, said in witness.truth.items()},
        "lie": {name: values[said] for name, said in witness.lie.items()},
        "gained together": encode_number(witness.gain),
    }
