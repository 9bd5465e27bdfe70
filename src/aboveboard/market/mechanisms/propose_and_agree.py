"""`market.propose_and_agree`, the paper's M as a collaboration runs it.

The proposer announces its best outcome unless the file says which, the others vote as is dominant
unless it says how. Cost: the search for that outcome (`social_optimum`); the rest is at most n + 3
endings. Source: Azar, Chen, Micali (2011), section 5.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal

from pydantic import Field

from aboveboard.auditing import (
    CoalitionProof,
    ExPostIC,
    IndividualRationality,
    Property,
    WeakBudgetBalance,
)
from aboveboard.formatting import encode_number
from aboveboard.games.lottery import Lottery
from aboveboard.market.audit.best_announcement import BestAnnouncement
from aboveboard.market.audit.best_votes import BestVotes
from aboveboard.market.audit.budget import BalancedPlay, NoDeficit
from aboveboard.market.audit.collusive_dominance import CollusiveDominance
from aboveboard.market.audit.exhibits import exhibit_play
from aboveboard.market.audit.likely_ending import LikelyEnding
from aboveboard.market.audit.participation import TotalParticipation
from aboveboard.market.audit.privacy import FullPrivacy
from aboveboard.market.audit.root_audit import is_tiny
from aboveboard.market.audit.root_solvability import RootSolvability
from aboveboard.market.audit.social_optimum import SociallyOptimal
from aboveboard.market.audit.voting_game import VotingGame
from aboveboard.market.audit.voting_rules import make_rule
from aboveboard.market.mechanisms.base import (
    MarketMechanism,
    find_cast_votes,
    read_announcement,
    read_market,
    votes_as_text,
)
from aboveboard.market.mechanisms.settlement import PlayedMarket
from aboveboard.market.model.market_file import VotedFile
from aboveboard.market.model.market_setup import Trader
from aboveboard.market.model.markets import Announcement, Market, Outcome
from aboveboard.market.model.steps import Votes
from aboveboard.market.optimum.social_optimum import Optimum
from aboveboard.market.rules import propose_and_agree
from aboveboard.market.rules.announcements import find_best_proposal
from aboveboard.market.rules.before_the_draw import expect_before_the_draw
from aboveboard.market.rules.communication import count_outcome_bits
from aboveboard.market.rules.dominant_votes import find_dominant_votes
from aboveboard.market.rules.parameters import choose_parameters
from aboveboard.mechanisms.file_model import CollaborationFile, Exact
from aboveboard.mechanisms.settlement import Settlement

VOTED: tuple[Property, ...] = (
    ExPostIC(),
    CoalitionProof(2, transfers=True),
    IndividualRationality(),
    WeakBudgetBalance(),
)
"""What is promised of the votes."""

PLAYED: tuple[Property, ...] = (BestVotes(), TotalParticipation(), BalancedPlay(), NoDeficit())
"""What is promised of the play at hand, whatever is known of the optimum."""

OPTIMAL: tuple[Property, ...] = (BestAnnouncement(), LikelyEnding())
"""What is promised of the play at hand where the optimum is proved."""

ROOT: tuple[Property, ...] = (
    CollusiveDominance(),
    RootSolvability(),
    SociallyOptimal(),
    FullPrivacy(),
)
"""What is promised of all announcements and collusion structures; an audit needs a tiny market."""


class ProposeAndAgreeFile(VotedFile):
    """The collaboration file of `market.propose_and_agree`."""

    mechanism: Literal["market.propose_and_agree"]
    delta: Exact | None = Field(
        default=None,
        description="probability that goods are destroyed; if left out, 1/1000 or less",
    )


@dataclass(frozen=True)
class ProposeAndAgree(MarketMechanism["ProposeAndAgreeFile", VotingGame]):
    """The mechanism M: one party proposes, the others agree or not.

    Parameters
    ----------
    setup, structure, search
        Who takes part, who colludes, how the optimum is searched.
    epsilon, delta
        The parameters; None: chosen from the market (`parameters.choose_parameters`).
    announcement
        What the proposer announces; None: its best.

    Examples
    --------
    >>> import aboveboard as ab
    >>> seller = {"endowment": ["book"], "values": [{"goods": ["book"], "value": 1}]}
    >>> buyer = {"values": [{"goods": ["book"], "value": 3}]}
    >>> market = ab.collaborate("market.propose_and_agree", {"ann": seller, "bob": buyer}, bits=3)
    >>> [name for name in ab.audit(market).promised][:2]
    ['ex-post IC', 'coalition-proof (size 2, with transfers)']
    """

    epsilon: Fraction | None
    delta: Fraction | None
    announcement: Announcement | None

    NAME: ClassVar[str] = "market.propose_and_agree"
    SUMMARY: ClassVar[str] = "one party proposes who gets which goods at what price, all vote"
    ASSUMES: ClassVar[str] = (
        "the parties know one another's values; the center and outsiders need not"
    )
    GUARANTEES: ClassVar[str] = (
        "voting truthfully is strictly dominant for every coalition, the best proposal is a "
        "welfare optimum, the budget balances; with probability delta goods are destroyed"
    )
    FILE: ClassVar[type[CollaborationFile]] = ProposeAndAgreeFile

    @classmethod
    def from_file(cls, file: ProposeAndAgreeFile) -> ProposeAndAgree:
        """Return the rule with the parameters of a validated collaboration file.

        Raises
        ------
        InputError
            If epsilon or delta is out of its range, or the file does not make a market.
        """
        setup, structure, search, market = read_market(file)
        choose_parameters(market, file.epsilon, file.delta)
        announcement = read_announcement(file, setup)
        return cls(setup, structure, search, file.epsilon, file.delta, announcement)

    def settle(self, reports: Mapping[str, Trader]) -> Lottery[Settlement]:
        """Return the exact lottery over settlements.

        Raises
        ------
        InputError
            If the solver that is named is not installed.
        """
        game = self.game(reports)
        market, proposal, best = game.market, game.proposal, self.search(game.market)
        parameters = choose_parameters(market, self.epsilon, self.delta)
        play = PlayedMarket(
            self.NAME,
            self.setup,
            market,
            game.play.lottery,
            best,
            warning=_warn_of_step_a(market, proposal),
        )
        votes = game.play.votes
        details: dict[str, Any] = {
            "epsilon": encode_number(parameters.epsilon),
            "delta": encode_number(parameters.delta),
            "announcement": play.describe(proposal),
            "votes": {} if votes is None else votes_as_text(votes, self.setup),
            "outcome_bits": count_outcome_bits(market),
        }
        if self.setup.draws:
            details["drawn_proposer"] = self._describe_draw(market, best)
        return play.with_details(details, (exhibit_play(game.play),)).settlements()

    def _describe_draw(self, market: Market, best: Optimum) -> dict[str, Any]:
        """Return who was drawn to propose, and what each party expected before, all honest."""
        parameters = choose_parameters(market, self.epsilon, self.delta)
        expected = expect_before_the_draw(market, parameters, best.allocation)
        amounts = dict(zip(market.players, map(market.encode_amount, expected), strict=True))
        return {
            "name": market.players[0],
            "expected_before": {name: amounts[name] for name in self.setup.order},
        }

    def game(self, types: Mapping[str, Trader]) -> VotingGame:
        """Return the game of voting on what is announced; the truth is what each votes here."""
        market = self.setup.build_market(types)
        parameters = choose_parameters(market, self.epsilon, self.delta)
        best = self.search(market)
        proposal = self._choose_proposal(market, best)
        cast = None
        if propose_and_agree.is_regular(market, proposal):
            usual = find_dominant_votes(market, proposal, self.structure)
            cast = find_cast_votes(market, types, usual)
        return VotingGame(
            market,
            make_rule(market, parameters),
            proposal,
            self.structure,
            cast,
            best,
            parameters,
            types,
        )

    def find_announcement(self, reports: Mapping[str, Trader]) -> tuple[Market, Outcome]:
        """Return the market that the reports make, and what is announced in it."""
        market = self.setup.build_market(reports)
        return market, self._choose_proposal(market, self.search(market))

    def find_votes(self, reports: Mapping[str, Trader]) -> Votes | None:
        """Return all votes; None where the play ends before anybody votes."""
        return self.game(reports).play.votes

    def promises(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        """Return what is promised of the play at hand, and in a tiny market of every other one.

        That nothing is better to announce is promised where the optimum is proved.
        """
        proved = self.search(self.setup.build_market(types)).proved
        return (*VOTED, *PLAYED, *(OPTIMAL if proved else ()), *self._list_root_claims(types))

    def examines(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        """Return what can only be examined where a time limit left the optimum unproved."""
        return () if self.search(self.setup.build_market(types)).proved else OPTIMAL

    def _list_root_claims(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        return ROOT if is_tiny(self.game(types)) else ()

    def _choose_proposal(self, market: Market, best: Optimum) -> Outcome:
        if self.announcement is not None:
            return self.announcement.to_outcome(market)
        return find_best_proposal(market, best.allocation)


def _warn_of_step_a(market: Market, proposal: Outcome) -> str:
    """Return what step a does: a slip of the pen in [proposal] would be fined unnoticed."""
    if propose_and_agree.is_lawful(market, proposal):
        return ""
    return (
        "Step a ends the announcement: the prices do not sum to 0, or one of the others' is not "
        f"whole or not between -{2 * market.bound} and {2 * market.bound}. Everybody keeps what it "
        "has, and the proposer pays 1. "
    )
