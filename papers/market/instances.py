"""Markets on which the claims are tried, and what is asked of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from aboveboard.auditing import Status, Verdict
from aboveboard.formatting import encode_number
from aboveboard.market.audit import (
    BalancedPlay,
    CollusiveDominance,
    LikelyEnding,
    RootSolvability,
    SociallyOptimal,
    TotalParticipation,
    audit_market,
)
from aboveboard.market.audit.root_audit import RootAudit
from aboveboard.market.audit.voting_rules import make_rule
from aboveboard.market.model.bidding import BundleTable
from aboveboard.market.model.markets import Market
from aboveboard.market.model.utilities import Structure, enumerate_structures
from aboveboard.market.rules.announcements import enumerate_announcements
from aboveboard.market.rules.parameters import RuleParameters, choose_parameters
from papers.claims import Family, Trial
from papers.market.failures import PLAYERS, describe_market, enumerate_small_markets

ALMOST = Fraction(99, 100)
"""Claims are tried in the middle of the parameters' ranges and this far up to their ends."""


def list_parameters(market: Market) -> tuple[RuleParameters, ...]:
    """Return the parameters with which a claim is tried: those chosen, and nearly the largest."""
    epsilon = ALMOST / (5 * market.n)
    return choose_parameters(market), RuleParameters(epsilon, ALMOST * epsilon / market.bound)


def enumerate_markets(n: int, m: int, bits: int) -> Family:
    """Return every market of this size."""
    return Family(
        f"markets of {_format_size(n, m, bits)}", list(enumerate_small_markets(n, m, bits))
    )


def draw_markets(rng: np.random.Generator, n: int, m: int, bits: int, count: int) -> Family:
    """Draw markets: every value and every owner uniform."""
    most = (1 << (bits - 1)) - 1
    bundles = range(1, 1 << m)
    found = []
    for _ in range(count):
        rows = rng.integers(-most, most + 1, (n, len(bundles))).tolist()
        valuations = tuple(BundleTable(tuple(zip(bundles, row, strict=True))) for row in rows)
        owners = tuple(rng.integers(0, n, m).tolist())
        goods = tuple(f"g{g + 1}" for g in range(m))
        found.append(Market(PLAYERS[:n], goods, owners, valuations, bits))
    return Family(f"markets of {_format_size(n, m, bits)}", found, sampled=True)


def _format_size(n: int, m: int, bits: int) -> str:
    return f"{n} players, {m} good{'s' if m > 1 else ''} and B = {1 << (bits - 1)}"


def list_independent(n: int) -> list[Structure]:
    """Return the structure in which nobody colludes, alone."""
    return [tuple(frozenset({i}) for i in range(n))]


def list_structures(n: int) -> list[Structure]:
    """Return every collusion structure."""
    return list(enumerate_structures(n))


Which = Callable[[int], list[Structure]]


def describe_failure(
    market: Market, parameters: RuleParameters, verdict: Verdict
) -> dict[str, Any]:
    """Return a description of a counterexample: the market, and what the audit found there."""
    found: dict[str, Any] = {
        "market": describe_market(market),
        "epsilon": encode_number(parameters.epsilon),
        "delta": encode_number(parameters.delta),
        "fails": verdict.property,
    }
    if verdict.witness is not None:
        witness: Mapping[str, Any] = verdict.witness.as_dict()
        kept = ("parties", "lie", "others", "gain", "note")
        found |= {key: witness[key] for key in kept if witness.get(key)}
    return found


def check_dominance(found: RootAudit) -> Verdict:
    """Return the verdict on Definition 1."""
    return CollusiveDominance().judge_root(found)


def check_independence(found: RootAudit) -> Verdict:
    """Return whether the best announcements depend on who else colludes (Definition 2 (3))."""
    return RootSolvability().judge_independence(found)


def check_optimum(found: RootAudit) -> Verdict:
    """Return whether the best announcements are socially optimal."""
    return SociallyOptimal().judge_root(found)


def check_participation(found: RootAudit) -> Verdict:
    """Return whether participation is total in expectation."""
    return TotalParticipation().judge_root(found)


def check_balance(found: RootAudit) -> Verdict:
    """Return whether rational plays balance."""
    return BalancedPlay().judge_root(found)


def check_likely_ending(found: RootAudit) -> Verdict:
    """Return whether one terminal node carries 1 - delta and is a social optimum."""
    return LikelyEnding().judge_root(found)


def list_plays(market: Market) -> RootAudit:
    """Return all announcements of a market, to be played out; votes are not looked at."""
    rule = make_rule(market, choose_parameters(market))
    announced = enumerate_announcements(market, rule.limit, proposer_limited=False, most=MOST)
    return RootAudit(market, rule, (), announced, None, 0, (), (), 0, 0)


MOST = 10_000
"""Announcements that are played out."""

Check = Callable[[RootAudit], Verdict]
"""What is asked of a market that was looked at."""


@lru_cache(maxsize=4096)  # several claims are about the same audit of the same markets
def examine(market: Market, parameters: RuleParameters, given: tuple[Structure, ...]) -> RootAudit:
    """Return what is found of a market for some collusion structures."""
    return audit_market(market, make_rule(market, parameters), given)


def make_test(
    which: Which,
    checks: Iterable[Check],
    *,
    only: Callable[[Market], bool] = lambda _: True,
) -> Callable[[Market], Trial]:
    """Return the test that these checks of the audit hold, with both parameters.

    Parameters
    ----------
    which
        Collusion structures to audit.
    checks
        What must hold. Where votes are not dominant only the first is asked.
    only
        Markets that the claim speaks of; on others nothing is checked.
    """
    listed = tuple(checks)

    def test(market: Market) -> Trial:
        checked = 0
        if not only(market):
            return Trial(0)
        for parameters in list_parameters(market):
            found = examine(market, parameters, tuple(which(market.n)))
            for check in listed if found.roots else listed[:1]:
                verdict = check(found)
                checked += verdict.checked
                if verdict.status is Status.FAILS:
                    return Trial(checked, describe_failure(market, parameters, verdict))
        return Trial(checked)

    return test
