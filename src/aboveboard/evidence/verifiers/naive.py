"""Evidence of market.naive_1 to naive_4: the whole play follows from what is public.

As in market.propose_and_agree, who brings what, the announcement and the votes are published; in
Naive-1 every party announces, by its vote the usual outcome or that all keep what they have.
"""

from __future__ import annotations

from typing import Any

from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.verifiers.market import (
    ON_THE_CENTERS_WORD,
    Followed,
    follow_market,
    parse_fraction,
    read_outcome,
    read_votes,
    verify_by_steps,
)
from aboveboard.evidence.verifiers.votes import is_announced, is_same_outcome
from aboveboard.games.keyed_stream import KeyedStream
from aboveboard.market.model.markets import Market
from aboveboard.market.model.steps import Ending
from aboveboard.market.rules import naive
from aboveboard.mechanisms.settling import LOTTERY

EVERYBODY = "market.naive_1"
"""The one in which all announce."""

__all__ = ["ON_THE_CENTERS_WORD", "verify"]


def verify(case: Case, findings: Findings) -> None:
    """Verify how a market ended."""
    voted = case.round.terms.mechanism != EVERYBODY
    verify_by_steps(case, findings, _follow, ("epsilon",) if voted else ())
    if voted or findings.contradicted:
        return
    stated = case.parameters.get("announcements", {})
    _verify_usual(case, stated, findings)
    if stated:
        _verify_stated(case, stated, findings)


def _verify_usual(case: Case, stated: dict[str, Any], findings: Findings) -> None:
    """Verify that each announces the usual outcome, or, but for the proposer, (E, 0)."""
    facts = case.facts
    nothing = {"allocation": facts["endowment"], "prices": [0] * len(facts["players"])}
    wrong = []
    for name, said in zip(facts["players"], facts["announcements"], strict=True):
        due = [facts["announced"], *([nothing] if name != facts["players"][0] else [])]
        if name not in stated and not any(is_same_outcome(said, each) for each in due):
            wrong.append(name)
    findings.check(
        not wrong,
        "each announces the usual outcome, or that all keep what they have",
        f"{', '.join(wrong)} announces neither the usual outcome nor that all keep what they have",
        case.proof,
    )


def _verify_stated(case: Case, stated: dict[str, Any], findings: Findings) -> None:
    """Compare what the terms say that parties announce with what was counted."""
    said = dict(zip(case.facts["players"], case.facts["announcements"], strict=True))
    wrong = sorted(name for name in stated if not is_announced(case, stated[name], said[name]))
    findings.check(
        not wrong,
        f"what the terms say that {', '.join(sorted(stated))} announces was counted",
        f"the announcement of {', '.join(wrong)} is not the one of the terms",
        case.proof,
    )


def _follow(case: Case) -> Followed:
    """Return the market, with no values, and how the play ends by the seed."""
    facts, mechanism = case.facts, case.round.terms.mechanism
    market = follow_market(case)
    if mechanism == EVERYBODY:
        return market, _follow_announcements(market, facts)
    version = int(mechanism[-1])
    epsilon = naive.choose_epsilon(version, market, parse_fraction(facts["epsilon"]))
    proposal = read_outcome(facts["announced"])
    lottery = naive.play(version, market, epsilon, proposal, read_votes(facts["votes"], market.n))
    return market, lottery.draw(KeyedStream(case.seed, LOTTERY))


def _follow_announcements(market: Market, facts: Any) -> Ending:
    stated = facts["announcements"]
    if not isinstance(stated, list):
        raise TypeError("it does not state what each announces")
    lottery = naive.play_naive_1(market, [read_outcome(each) for each in stated])
    return lottery.draw(KeyedStream(0, LOTTERY))  # one ending: nothing is drawn
