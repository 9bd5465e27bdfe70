"""`market.propose_and_agree`, the paper's M as a collaboration runs it.

The proposer announces its best outcome unless the file says which, the others vote as is dominant
unless it says how. Cost: the search for that outcome (`social_optimum`); the rest is at most n + 3
endings. Source: Azar, Chen, Micali (2011), section 5.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, ClassVar, Literal, Self

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
from aboveboard.market.audit.market_game import VotingGame
from aboveboard.market.audit.rules import rule_of_m
from aboveboard.market.model.announced import Announcement, announcement_of
from aboveboard.market.model.frame import Frame, Trader, frame_of, structure_of
from aboveboard.market.model.market_file import MarketFile, ProposingFile, SolverName, VotedFile
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.traders import traders, votes_of
from aboveboard.market.model.utilities import Structure
from aboveboard.market.optimum.social_optimum import Optimum, Progress, optimum, require_solver
from aboveboard.market.rules import propose_and_agree
from aboveboard.market.rules.announcements import best_proposal
from aboveboard.market.rules.communication import outcome_bits
from aboveboard.market.rules.parameters import chosen
from aboveboard.market.rules.votes import dominant
from aboveboard.market.settling import Play
from aboveboard.mechanisms.file_model import CollaborationFile, Exact
from aboveboard.mechanisms.mechanism import Read, Work
from aboveboard.mechanisms.settlement import Settlement

SOURCE = "Azar, Chen, Micali 2011, sections 5.1 and 5.2"

PARTIES = """\
# Which goods each party brings, and what bundles are worth to it: integers, also negative ones,
# strictly between -2^(bits-1) and 2^(bits-1). bidding: table, additive, xor or or.
[parties.anna]
endowment = ["orders"]
bidding = "xor"
values = [
  {goods = ["orders"], value = 1},
  {goods = ["orders", "returns"], value = 3},
]

[parties.bert]
endowment = ["returns"]
bidding = "additive"
values = [{goods = ["returns"], value = 1}]

[parties.cleo]
endowment = []
values = [{goods = ["orders"], value = 1}]
"""


@dataclass(frozen=True)
class Search:
    """How a socially optimal allocation is looked for.

    Parameters
    ----------
    solver
        As in `social_optimum.optimum`.
    seconds
        Its time limit.
    work
        Who is told how far it is.
    known
        What was found before: a run and its report speak of the same allocation, even where a
        time limit lets a second search end elsewhere.
    """

    solver: SolverName
    seconds: int | None
    work: Work = field(default_factory=Work, compare=False)
    known: dict[Market, Optimum] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, market: Market) -> Optimum:
        """Search, once for each market."""
        if market not in self.known:
            self.known[market] = self._search(market)
        return self.known[market]

    def _search(self, market: Market) -> Optimum:
        told = self.work.progress

        def tell(progress: Progress) -> None:
            if told is not None and self.seconds is not None:
                told(min(int(progress.seconds), self.seconds), self.seconds)

        return optimum(market, solver=self.solver, seconds=self.seconds, progress=tell)


@dataclass(frozen=True)
class OnMarkets:
    """What the mechanisms share.

    Parameters
    ----------
    frame
        Who takes part, and with which goods.
    structure
        Who colludes with whom.
    search
        How the optimum is searched.
    """

    frame: Frame
    structure: Structure
    search: Search

    UNIT: ClassVar[str] = "units of money"
    SPREADS: ClassVar[bool] = False
    COST: ClassVar[str] = (
        "one search for an optimum (NP-hard in general), then O(n) a vote; the audit of votes "
        "grows with the coalitions"
    )
    SOURCE: ClassVar[str] = SOURCE

    @staticmethod
    def read_reports(file: MarketFile, read: Read) -> dict[str, Trader]:
        """Read what each party brings, bids and votes."""
        return traders(file, frame_of(file), read)

    def with_work(self, work: Work) -> Self:
        """Give the same rule, progress of its search told as `work` says."""
        return replace(self, search=replace(self.search, work=work))


def parts(file: MarketFile) -> tuple[Frame, Structure, Search, Market]:
    """Take from a file what the mechanisms share, with the market that its values make.

    Raises
    ------
    InputError
        If the file does not make a market, or no solver for it is installed.
    """
    frame = frame_of(file)
    market = frame.market(traders(file, frame))
    require_solver(market, file.solver)
    return frame, structure_of(file, frame), Search(file.solver, file.seconds), market


def announcement_in(file: ProposingFile, frame: Frame) -> Announcement | None:
    """Read what the file says is announced, if anything."""
    return None if file.proposal is None else announcement_of(file.proposal, frame)


def spoken(votes: Votes, frame: Frame) -> dict[str, str]:
    """Put votes into words, by name."""
    each = zip(frame.players[1:], votes.step_2, votes.step_3, strict=True)
    return {
        name: ("yes" if two else "no")
        if two == three
        else f"{'yes' if two else 'no'}, if drawn {'yes' if three else 'no'}"
        for name, two, three in each
    }


class ProposeAndAgreeFile(VotedFile):
    """The collaboration file of `market.propose_and_agree`."""

    mechanism: Literal["market.propose_and_agree"]
    delta: Exact | None = Field(
        default=None,
        description="probability that goods are destroyed; if left out, 1/1000 or less",
    )


@dataclass(frozen=True)
class ProposeAndAgree(OnMarkets):
    """The mechanism M: one party proposes, the others agree or not.

    Parameters
    ----------
    frame, structure, search
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
    STARTING_FILE: ClassVar[str] = (
        """\
name = "licences"
mechanism = "market.propose_and_agree"
proposer = "anna"
bits = 3  # values lie strictly between -4 and 4

"""
        + PARTIES
        + """
# The proposer's best outcome is searched for and everybody votes as is best; to try another:
# [proposal]
# allocation = {anna = [], bert = ["returns"], cleo = ["orders"], destroyed = []}
# prices = {anna = -1, bert = 0, cleo = 1}
# [votes]
# cleo = "no"
"""
    )

    @classmethod
    def from_file(cls, file: ProposeAndAgreeFile) -> ProposeAndAgree:
        """Take the parameters from a validated collaboration file.

        Raises
        ------
        InputError
            If epsilon or delta is out of its range, or the file does not make a market.
        """
        frame, structure, search, market = parts(file)
        chosen(market, file.epsilon, file.delta)
        announced = announcement_in(file, frame)
        return cls(frame, structure, search, file.epsilon, file.delta, announced)

    def settle(self, reports: Mapping[str, Trader]) -> Lottery[Settlement]:
        """Play the market: the exact lottery over settlements.

        Raises
        ------
        InputError
            If the solver that is asked for is not installed.
        """
        market = self.frame.market(reports)
        parameters = chosen(market, self.epsilon, self.delta)
        best = self.search(market)
        proposal = self._proposal(market, best)
        regular = propose_and_agree.is_regular(market, proposal)
        usual = (
            dominant(market, proposal, self.structure) if regular else Votes.all(market.n, yes=True)
        )
        votes = votes_of(market, reports, usual)
        play = Play(
            self.NAME,
            self.frame,
            market,
            propose_and_agree.play(market, parameters, proposal, votes),
            best,
            warning=_warning(market, proposal),
        )
        details = {
            "epsilon": encode_number(parameters.epsilon),
            "delta": encode_number(parameters.delta),
            "announcement": play.outcome(proposal),
            "votes": spoken(votes, self.frame) if regular else {},
            "outcome_bits": outcome_bits(market),
        }
        found = remarks.of_one_announcement(
            market, parameters, proposal, best, self.structure, votes
        )
        return play.told(details, (remarks.exhibit(found),)).settlements()

    def game(self, types: Mapping[str, Trader]) -> Game:
        """Give the game of voting, the proposer's announcement being as in a run."""
        market = self.frame.market(types)
        parameters = chosen(market, self.epsilon, self.delta)
        proposal = self._proposal(market, self.search(market))
        return VotingGame(market, rule_of_m(market, parameters), proposal, self.structure)

    def properties(self) -> Sequence[Property]:
        """Give what an audit looks at unless told otherwise."""
        return (
            ExPostIC(),
            CoalitionProof(2, transfers=True),
            IndividualRationality(),
            WeakBudgetBalance(),
        )

    def _proposal(self, market: Market, best: Optimum) -> Outcome:
        if self.announced is not None:
            return self.announced.outcome(market)
        return best_proposal(market, best.allocation)

    def remarks(self, game: VotingGame, budget: Budget, seed: int) -> Mapping[str, Any]:
        """Say what the audit of the root finds, by the claim: `root_solvability`, section 4.

        Exhaustively for every collusion structure where the market is tiny; otherwise for this
        announcement and coalitions of up to three, by the lemmas' closed forms.
        """
        if remarks.is_tiny(game):
            return remarks.of_the_root(game)
        market = game.market
        parameters = chosen(market, self.epsilon, self.delta)
        found = remarks.of_one_announcement(
            market, parameters, game.proposal, self.search(market), self.structure
        )
        return remarks.told(found)


def _warning(market: Market, proposal: Outcome) -> str:
    """Say what step a does: a slip of the pen in [proposal] would be fined unnoticed."""
    if propose_and_agree.is_lawful(market, proposal):
        return ""
    return (
        "Step a ends the announcement: the prices do not sum to 0, or one of the others' is not "
        f"whole or not between -{2 * market.bound} and {2 * market.bound}. Everybody keeps what it "
        "has, and the proposer pays 1. "
    )
