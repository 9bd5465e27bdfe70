"""What an audit and a report say of a market beyond payoffs, in words.

Exhaustively, for every collusion structure, where the market is tiny; otherwise of one announcement
and of coalitions of up to three, by the lemmas' closed forms. Cost: some seconds at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aboveboard.auditing import Status, Verdict, Verdicts
from aboveboard.market.audit import root_solvability
from aboveboard.market.audit.closed_form import audit_announcement
from aboveboard.market.audit.voting_game import VotingGame
from aboveboard.market.model.descriptions import format_outcome
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import Structure, enumerate_structures
from aboveboard.market.optimum.social_optimum import Optimum
from aboveboard.market.rules.announcements import count_announcements
from aboveboard.market.rules.parameters import Parameters
from aboveboard.mechanisms.settlement import Exhibit

PLAYERS_IN_TRIPLES = 20
"""With more players not every pair and triple is looked at, only everybody alone."""

ANNOUNCEMENTS_IN_REMARKS = 5_000
"""Up to so many announcements an audit plays out all of them: some seconds."""

PLAYERS_IN_REMARKS = 5
"""Collusion structures and votes multiply with the players: five have 52 and, in M, 256."""


PLAIN_WORDS = {
    "votes are collusively dominant": "every party and coalition has one vote that is strictly "
    "best for it, whatever the others vote (Definition 1)",
    "votes are those of the lemmas": "that vote is the truthful one (Lemmas 1, 2, 7, 8 and 9)",
    "root-solvable: the best announcements do not depend on who else colludes": "what is best to "
    "announce does not depend on who else colludes (Definition 2)",
    "best announcements are socially optimal": "what is best to announce is worth most to all "
    "together (a social optimum)",
    "best announcements, as printed": "the best announcements are those that the paper's lemmas "
    "name (Lemmas 3, 4, 10 and 11)",
    "best announcements, as corrected": "the same with Lemma 10 corrected for parties who all "
    "collude (docs/claims.md)",
    "participation is total in expectation": "no party or coalition expects to lose by taking "
    "part (Definition 2)",
    "the budget balances on the path of play": "as it is played, the center neither earns nor "
    "pays (section 5.2)",
    "never a deficit": "the center never has to pay, whatever is announced (section 5.2)",
    "the outcome tells as much as the node": "whoever sees the whole play learns no more than its "
    "outcome tells (Lemma 6)",
}
"""What a verdict on a market says to who has not read the paper, by the verdict's name."""

LIKELY = "one node carries "
"""How the verdict on the likely ending begins; its probability follows."""


def in_plain_words(claim: str) -> str:
    """Say what a verdict on a market claims, and where the paper has it.

    Parameters
    ----------
    claim
        The verdict's name. One that is plain already is given back.
    """
    if not claim.startswith(LIKELY):
        return PLAIN_WORDS.get(claim, claim)
    probability, _, optimal = claim.removeprefix(LIKELY).partition(" and ")
    ending = "in one and the same way" + (", a social optimum" if optimal else "")
    return f"with probability {probability} or more the play ends {ending} (Lemma 5)"


def is_tiny(game: VotingGame) -> bool:
    """Say whether all announcements and collusion structures of a market can be looked at."""
    return (
        game.market.n <= PLAYERS_IN_REMARKS
        and count_announcements(game.market, game.rule.scheme.limit) <= ANNOUNCEMENTS_IN_REMARKS
    )


def of_the_root(game: VotingGame) -> dict[str, Any]:
    """Say of a tiny market whether its play in M is decided at the root, for every structure."""
    return told(root_solvability.audit_market(game.market, game.rule).verdicts)


def of_naive(game: VotingGame) -> dict[str, Any]:
    """Say of a tiny market what fails in Naive-2 to 4 though the proposer colludes with nobody.

    Where the proposer's own partners vote there is more that fails, but what the paper has
    against these mechanisms is there without: belief mismatch, private gain, wrong beliefs.
    """
    if not is_tiny(game):
        return {
            "what is best to announce": {
                "holds": False,
                "text": "not checked: the market is not tiny",
            }
        }
    return told(_if_the_proposer_is_alone(game))


def exhibits_of_naive(game: VotingGame) -> tuple[Exhibit, ...]:
    """Show what `of_naive` finds; nothing where the market is not tiny."""
    if not is_tiny(game):
        return ()
    found = _if_the_proposer_is_alone(game)
    rows = tuple((in_plain_words(claim), _said(verdict)) for claim, verdict in found.items())
    return (
        Exhibit(
            "Whether this rule can be relied on",
            ("claim", "found"),
            rows,
            "For every announcement, and whoever colludes without the proposer. "
            "market.propose_and_agree mends what fails.",
        ),
    )


def _if_the_proposer_is_alone(game: VotingGame) -> Verdicts:
    alone = [s for s in enumerate_structures(game.market.n) if frozenset({0}) in s]
    return root_solvability.audit_market(game.market, game.rule, alone, played_out=False).verdicts


def of_one_announcement(
    market: Market,
    parameters: Parameters,
    proposal: Outcome,
    best: Optimum,
    structure: Structure,
    cast: Votes | None = None,
) -> Verdicts:
    """Audit an announcement, and the votes on it, in M; parameters as for `audit_at_any_size`."""
    return audit_announcement(
        market,
        parameters,
        proposal,
        best.welfare,
        structure=structure,
        cast=cast,
        proven=best.proved,
        size=3 if market.n <= PLAYERS_IN_TRIPLES else 1,
    )


def told(verdicts: Verdicts) -> dict[str, Any]:
    """Put verdicts into plain data, by claim in plain words."""
    return {
        in_plain_words(claim): {"holds": verdict.status is Status.HOLDS, "text": _said(verdict)}
        for claim, verdict in verdicts.items()
    }


def exhibit(verdicts: Verdicts) -> Exhibit:
    """Show whether a small coalition gains by voting or announcing otherwise, and which."""
    return Exhibit(
        "Whether a coalition would have gained",
        ("claim", "checked", "found"),
        tuple(
            (in_plain_words(claim), verdict.checked, _said(verdict))
            for claim, verdict in verdicts.items()
        ),
        "Coalitions share what they gain; one that the file names counts as one. Votes are compared"
        " with all others, whatever the rest votes. At truthful prices voters gain by epsilon, so "
        "what they would lose is little too.",
    )


def _said(verdict: Verdict) -> str:
    """Say what was found; of a counterexample, after which announcement, and who gains."""
    said = verdict.status.value
    witness = verdict.witness
    if witness is None:
        return said + (f": {verdict.statement}" if verdict.statement else "")
    if witness.parties:
        said += f": {'+'.join(witness.parties)}"
    for each in (*witness.lie.values(), *witness.others.values(), witness.others):
        if isinstance(each, Mapping) and "allocation" in each:
            said += f": {format_outcome(each)}"
            break
    note = witness.note or verdict.statement
    return said + (f": {note}" if note else "")
