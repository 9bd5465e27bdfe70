"""All claims about a market at once, as verdicts by name."""

from __future__ import annotations

from typing import Any

from aboveboard.auditing import Verdict
from aboveboard.market.audit import (
    BalancedPlay,
    CollusiveDominance,
    FullPrivacy,
    LikelyEnding,
    NoDeficit,
    PlayAudit,
    RootAudit,
    RootSolvability,
    SociallyOptimal,
    TotalParticipation,
)
from aboveboard.market.audit.best_announcement import judge_announcement
from aboveboard.market.audit.best_votes import judge_votes
from aboveboard.market.audit.voting_rules import make_rule
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.utilities import Structure
from aboveboard.market.optimum.social_optimum import Optimum
from aboveboard.market.rules.parameters import choose_parameters

ROOT = (
    CollusiveDominance(),
    RootSolvability(),
    SociallyOptimal(),
    TotalParticipation(),
    BalancedPlay(),
    NoDeficit(),
    LikelyEnding(),
    FullPrivacy(),
)


def judge_root(found: RootAudit) -> dict[str, Verdict]:
    """Every claim about the root; those about best announcements where votes are dominant."""
    claims = ROOT if found.roots else ROOT[:1]
    return {claim.name: claim.judge_root(found) for claim in claims}


def play_of(
    market: Market,
    proposal: Outcome,
    best: int,
    *,
    proven: bool = True,
    structure: Structure | None = None,
    **more: Any,
) -> PlayAudit:
    """One play of M, `best` being the welfare of an optimum or the best that was found."""
    parameters = choose_parameters(market)
    optimum = Optimum(proposal.allocation, best, best if proven else None, True, "by hand")
    alone = tuple(frozenset({i}) for i in range(market.n))
    rule = make_rule(market, parameters)
    return PlayAudit(market, rule, proposal, structure or alone, optimum, parameters, **more)


def judge_play(play: PlayAudit) -> dict[str, Verdict]:
    """Every claim about one play."""
    found = [judge_votes(play), judge_announcement(play)]
    claims = (TotalParticipation(), BalancedPlay(), LikelyEnding())
    found += [v for claim in claims if (v := claim.judge_play(play)) is not None]
    return {verdict.property: verdict for verdict in found}
