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
    Budget,
    CoalitionProof,
    ExPostIC,
    IndividualRationality,
    Property,
    WeakBudgetBalance,
)
from aboveboard.formatting import encode_number
from aboveboard.games.game import Game
from aboveboard.games.lottery import Lottery
from aboveboard.market.audit import remarks
from aboveboard.market.audit.voting_game import VotingGame
from aboveboard.market.audit.voting_rules import make_rule
from aboveboard.market.mechanisms.base import (
    MarketMechanism,
    read_announcement,
    read_market,
    votes_as_text,
)
from aboveboard.market.mechanisms.settlement import Play
from aboveboard.market.model.announcement import Announcement
from aboveboard.market.model.market_file import VotedFile
from aboveboard.market.model.market_setup import Trader
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.reports import combine_votes
from aboveboard.market.model.steps import Votes
from aboveboard.market.optimum.social_optimum import Optimum
from aboveboard.market.rules import propose_and_agree
from aboveboard.market.rules.announcements import find_best_proposal
from aboveboard.market.rules.communication import count_outcome_bits
from aboveboard.market.rules.dominant_votes import find_dominant_votes
from aboveboard.market.rules.parameters import choose_parameters
from aboveboard.mechanisms.file_model import CollaborationFile, Exact
from aboveboard.mechanisms.settlement import Settlement


class ProposeAndAgreeFile(VotedFile):
    """The collaboration file of `market.propose_and_agree`."""

    mechanism: Literal["market.propose_and_agree"]
    delta: Exact | None = Field(
        default=None,
        description="probability that goods are destroyed; if left out, 1/1000 or less",
    )


@dataclass(frozen=True)
class ProposeAndAgree(MarketMechanism):
    """The mechanism M: one party proposes, the others agree or not.

    Parameters
    ----------
    setup, structure, search
        Who takes part, who colludes, how the optimum is searched.
    epsilon, delta
        The parameters; None: chosen from the market (`parameters.chosen`).
    announced
        What the proposer announces; None: its best.
    """

    epsilon: Fraction | None
    delta: Fraction | None
    announced: Announcement | None

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
        """Take the parameters from a validated collaboration file.

        Raises
        ------
        InputError
            If epsilon or delta is out of its range, or the file does not make a market.
        """
        setup, structure, search, market = read_market(file)
        choose_parameters(market, file.epsilon, file.delta)
        announced = read_announcement(file, setup)
        return cls(setup, structure, search, file.epsilon, file.delta, announced)

    def settle(self, reports: Mapping[str, Trader]) -> Lottery[Settlement]:
        """Play the market: the exact lottery over settlements.

        Raises
        ------
        InputError
            If the solver that is asked for is not installed.
        """
        market = self.setup.build_market(reports)
        parameters = choose_parameters(market, self.epsilon, self.delta)
        best = self.search(market)
        proposal = self._proposal(market, best)
        regular = propose_and_agree.is_regular(market, proposal)
        usual = (
            find_dominant_votes(market, proposal, self.structure)
            if regular
            else Votes.from_answer(market.n, yes=True)
        )
        votes = combine_votes(market, reports, usual)
        play = Play(
            self.NAME,
            self.setup,
            market,
            propose_and_agree.play(market, parameters, proposal, votes),
            best,
            warning=_warn_of_step_a(market, proposal),
        )
        details = {
            "epsilon": encode_number(parameters.epsilon),
            "delta": encode_number(parameters.delta),
            "announcement": play.describe(proposal),
            "votes": votes_as_text(votes, self.setup) if regular else {},
            "outcome_bits": count_outcome_bits(market),
        }
        found = remarks.of_one_announcement(
            market, parameters, proposal, best, self.structure, votes
        )
        return play.with_details(details, (remarks.exhibit(found),)).settlements()

    def game(self, types: Mapping[str, Trader]) -> Game:
        """Give the game of voting, the proposer's announcement being as in a run."""
        market = self.setup.build_market(types)
        parameters = choose_parameters(market, self.epsilon, self.delta)
        proposal = self._proposal(market, self.search(market))
        return VotingGame(market, make_rule(market, parameters), proposal, self.structure)

    def promises(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        """Return what the rule promises for its parameters."""
        return (
            ExPostIC(),
            CoalitionProof(2, transfers=True),
            IndividualRationality(),
            WeakBudgetBalance(),
        )

    def examines(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        """Return what an audit looks at besides."""
        return ()

    def _proposal(self, market: Market, best: Optimum) -> Outcome:
        if self.announced is not None:
            return self.announced.to_outcome(market)
        return find_best_proposal(market, best.allocation)

    def remarks(self, game: VotingGame, budget: Budget, seed: int) -> Mapping[str, Any]:
        """Say what the audit of the root finds, by the claim: `root_solvability`, section 4.

        Exhaustively for every collusion structure where the market is tiny; otherwise for this
        announcement and coalitions of up to three, by the lemmas' closed forms.
        """
        if remarks.is_tiny(game):
            return remarks.of_the_root(game)
        market = game.market
        parameters = choose_parameters(market, self.epsilon, self.delta)
        found = remarks.of_one_announcement(
            market, parameters, game.proposal, self.search(market), self.structure
        )
        return remarks.told(found)


def _warn_of_step_a(market: Market, proposal: Outcome) -> str:
    """Say what step a does: a slip of the pen in [proposal] would be fined unnoticed."""
    if propose_and_agree.is_lawful(market, proposal):
        return ""
    return (
        "Step a ends the announcement: the prices do not sum to 0, or one of the others' is not "
        f"whole or not between -{2 * market.bound} and {2 * market.bound}. Everybody keeps what it "
        "has, and the proposer pays 1. "
    )
