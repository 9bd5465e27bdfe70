"""Verdicts on a market as a table for people who have not read the paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aboveboard.auditing import Verdict
from aboveboard.market.audit.best_announcement import BestAnnouncement, judge_announcement
from aboveboard.market.audit.best_votes import BestVotes, judge_votes
from aboveboard.market.audit.budget import BalancedPlay, NoDeficit
from aboveboard.market.audit.collusive_dominance import CollusiveDominance
from aboveboard.market.audit.likely_ending import LikelyEnding
from aboveboard.market.audit.participation import TotalParticipation
from aboveboard.market.audit.play_audit import PlayAudit
from aboveboard.market.audit.privacy import FullPrivacy
from aboveboard.market.audit.root_audit import examine_root, is_tiny
from aboveboard.market.audit.root_solvability import RootSolvability
from aboveboard.market.audit.social_optimum import SociallyOptimal
from aboveboard.market.audit.voting_game import VotingGame
from aboveboard.market.model.descriptions import format_outcome
from aboveboard.mechanisms.settlement import Exhibit

MEANINGS = {
    BestVotes.name: "nobody, no pair and no three gain by voting otherwise",
    BestAnnouncement.name: "the proposer, also with one or two others, gains by no other proposal",
    CollusiveDominance.LABEL: "every party and coalition has one vote that is strictly best for "
    "it, whatever the others vote (Definition 1)",
    RootSolvability.LABEL: "nobody needs beliefs about others: votes are dominant, and what is "
    "best to announce does not depend on who else colludes (Definition 2)",
    SociallyOptimal.LABEL: "what is best to announce is worth most to all together (Definition 3)",
    TotalParticipation.LABEL: "no party or coalition expects to lose by taking part (Definition 2)",
    BalancedPlay.LABEL: "as it is played, the center neither earns nor pays (section 5.2)",
    NoDeficit.LABEL: "the center never has to pay (section 5.2)",
    LikelyEnding.LABEL: "with probability 1 - delta or more the play ends in one way, a social "
    "optimum (Definition 6)",
    FullPrivacy.LABEL: "in that ending, whoever sees the whole play learns no more than its "
    "outcome tells (Definitions 5 and 6)",
}
"""What each claim says, by the name of its property."""


def explain(name: str) -> str:
    """Return what a verdict on a market claims, in plain words; other names stay as they are."""
    return MEANINGS.get(name.removesuffix(" (the proposer alone)"), name)


def exhibit_play(play: PlayAudit) -> Exhibit:
    """Return the table that says whether a coalition would have gained in the play at hand."""
    verdicts = [judge_votes(play), judge_announcement(play)]
    claims = (TotalParticipation(), BalancedPlay(), LikelyEnding())
    verdicts += [v for v in (claim.judge_play(play) for claim in claims) if v is not None]
    return Exhibit(
        "Whether a coalition would have gained",
        ("claim", "checked", "found"),
        tuple((explain(v.property), v.checked, _format_finding(v)) for v in verdicts),
        "Coalitions share what they gain; one that the file names counts as one. Votes are compared"
        " with all others, whatever the rest votes. At truthful prices voters gain by epsilon, so "
        "what they would lose is little too.",
    )


def exhibit_rule(game: VotingGame) -> tuple[Exhibit, ...]:
    """Return the table that says whether a simple rule can be relied on; none if not tiny."""
    if not is_tiny(game):
        return ()
    found = examine_root(game, proposer_alone=True)
    assert found is not None  # the market is tiny
    claims: Sequence[CollusiveDominance | RootSolvability | SociallyOptimal] = (
        CollusiveDominance(proposer_alone=True),
        RootSolvability(proposer_alone=True),
        SociallyOptimal(proposer_alone=True),
    )
    rows = [(explain(c.name), _format_finding(c.judge_root(found))) for c in claims]
    return (
        Exhibit(
            "Whether this rule can be relied on",
            ("claim", "found"),
            tuple(rows),
            "For every announcement, and whoever colludes without the proposer. "
            "market.propose_and_agree corrects what fails.",
        ),
    )


def _format_finding(verdict: Verdict) -> str:
    """Return what was found; of a counterexample, after which announcement, and who gains."""
    text = verdict.status.value
    witness = verdict.witness
    if witness is None:
        return text + (f": {verdict.statement}" if verdict.statement else "")
    if witness.parties:
        text += f": {'+'.join(witness.parties)}"
    for each in (*witness.lie.values(), *witness.others.values(), witness.others):
        if isinstance(each, Mapping) and "allocation" in each:
            text += f": {format_outcome(each)}"
            break
    note = witness.note or verdict.statement
    return text + (f": {note}" if note else "")
