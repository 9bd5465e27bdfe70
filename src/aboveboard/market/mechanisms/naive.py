"""Naive-1 to Naive-4 as a collaboration runs them, to see why each fails.

They read the parties and goods of `market.propose_and_agree`. Announcements must lie within their
narrow domain, (-B, B) for every price; what breaks it is refused, for they have no step a. Where
the file does not say what is announced, it is the proposer's best among what everybody agrees to
(`within_domain`); that Naive-3's proposer does better by cheating is what its audit finds.
Source: Azar, Chen, Micali (2011), section 5.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal

from aboveboard.auditing import (
    Budget,
    CoalitionProof,
    ExPostIC,
    IndividualRationality,
    Property,
    StrongBudgetBalance,
    UniqueEquilibrium,
    WeakBudgetBalance,
)
from aboveboard.errors import InputError
from aboveboard.formatting import encode_number
from aboveboard.games.game import Game
from aboveboard.games.lottery import Lottery
from aboveboard.market.audit import remarks
from aboveboard.market.audit.voting_game import VotingGame, build_announcing_game
from aboveboard.market.audit.voting_rules import make_naive_rule
from aboveboard.market.mechanisms.base import (
    MarketMechanism,
    read_announcement,
    read_market,
    votes_as_text,
)
from aboveboard.market.mechanisms.settlement import Play
from aboveboard.market.model.announcement import Announcement
from aboveboard.market.model.market_file import ProposingFile, VotedFile
from aboveboard.market.model.market_setup import Trader
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.reports import combine_votes
from aboveboard.market.optimum.social_optimum import Optimum
from aboveboard.market.rules import naive
from aboveboard.market.rules.dominant_votes import find_dominant_votes
from aboveboard.market.rules.naive_proposal import find_best_within_domain
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.settlement import Settlement

VOTED = (
    ExPostIC(),
    CoalitionProof(2, transfers=True),
    IndividualRationality(),
    WeakBudgetBalance(),
)


def _find_announcement(announcement: Announcement | None, market: Market, best: Optimum) -> Outcome:
    if announcement is None:
        return find_best_within_domain(market, best.allocation)
    return announcement.to_outcome(market)


def _check_announcement(announcement: Announcement | None, market: Market) -> None:
    """Refuse an announcement outside the domain while the file is read."""
    if announcement is not None and not naive.is_announceable(
        market, announcement.to_outcome(market)
    ):
        raise InputError(
            "proposal.prices",
            "a price is outside the domain, or they do not sum to 0",
            f"choose whole ones between -{market.bound} and {market.bound} that sum to 0; "
            "market.propose_and_agree takes any and fines 1 for these",
        )


class Naive1File(ProposingFile):
    """The collaboration file of `market.naive_1`."""

    mechanism: Literal["market.naive_1"]


@dataclass(frozen=True)
class Naive1(MarketMechanism):
    """Everybody announces an outcome; if all say the same it is done.

    Parameters
    ----------
    setup, structure, search
        As for M.
    announced
        What all announce; None: the first party's best. Whose vote is "no" announces (E, 0).
    """

    announced: Announcement | None

    NAME: ClassVar[str] = "market.naive_1"
    SUMMARY: ClassVar[str] = "all announce an outcome; it is done if they agree (naive)"
    ASSUMES: ClassVar[str] = "the parties know one another's values"
    GUARANTEES: ClassVar[str] = (
        "NOT resilient to beliefs: anything that harms nobody is an equilibrium"
    )
    FILE: ClassVar[type[CollaborationFile]] = Naive1File

    @classmethod
    def from_file(cls, file: Naive1File) -> Naive1:
        """Take the parameters from a validated collaboration file."""
        setup, structure, search, market = read_market(file)
        announced = read_announcement(file, setup)
        _check_announcement(announced, market)
        return cls(setup, structure, search, announced)

    def settle(self, reports: Mapping[str, Trader]) -> Lottery[Settlement]:
        """Compare the announcements."""
        market = self.setup.build_market(reports)
        best = self.search(market)
        outcome = _find_announcement(self.announced, market, best)
        ballots = [reports[name].ballot or (True, True) for name in market.players]
        announced = [outcome if agrees else market.nothing for agrees, _ in ballots]
        lottery = naive.play_naive_1(market, announced)
        play = Play(self.NAME, self.setup, market, lottery, best)
        others = zip(market.players[1:], ballots[1:], strict=True)
        votes = {name: "yes" if agrees else "no" for name, (agrees, _) in others}
        details = {"announcement": play.describe(outcome), "votes": votes}
        return play.with_details(details).settlements()

    def game(self, types: Mapping[str, Trader]) -> Game:
        """Give the game of announcing."""
        market = self.setup.build_market(types)
        outcome = _find_announcement(self.announced, market, self.search(market))
        return build_announcing_game(market, outcome)

    def promises(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        """Return what the rule promises for its parameters."""
        return (ExPostIC(), UniqueEquilibrium(), IndividualRationality(), StrongBudgetBalance())

    def examines(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        """Return what an audit looks at besides."""
        return ()


@dataclass(frozen=True)
class _NaiveVote(MarketMechanism):
    """One announces, the others vote once: what Naive-2, 3 and 4 share.

    Parameters
    ----------
    setup, structure, search
        As for M.
    epsilon
        The discount; None: the middle of its range.
    announced
        What the proposer announces; None: its best among what everybody agrees to.
    """

    epsilon: Fraction | None
    announced: Announcement | None

    VERSION: ClassVar[int]
    NAME: ClassVar[str]
    ASSUMES: ClassVar[str] = "the parties know one another's values"

    def settle(self, reports: Mapping[str, Trader]) -> Lottery[Settlement]:
        """Play the market: the exact lottery over settlements."""
        market = self.setup.build_market(reports)
        epsilon = naive.choose_epsilon(self.VERSION, market, self.epsilon)
        best = self.search(market)
        proposal = _find_announcement(self.announced, market, best)
        votes = combine_votes(
            market, reports, find_dominant_votes(market, proposal, self.structure)
        )
        lottery = naive.play(self.VERSION, market, epsilon, proposal, votes)
        play = Play(self.NAME, self.setup, market, lottery, best)
        details = {
            "epsilon": encode_number(epsilon),
            "announcement": play.describe(proposal),
            "votes": votes_as_text(votes, self.setup),
        }
        rule = make_naive_rule(self.VERSION, market, epsilon)
        game = VotingGame(market, rule, proposal, self.structure)
        return play.with_details(details, remarks.exhibits_of_naive(game)).settlements()

    def game(self, types: Mapping[str, Trader]) -> Game:
        """Give the game of voting, the proposer's announcement being as in a run."""
        market = self.setup.build_market(types)
        epsilon = naive.choose_epsilon(self.VERSION, market, self.epsilon)
        proposal = _find_announcement(self.announced, market, self.search(market))
        rule = make_naive_rule(self.VERSION, market, epsilon)
        return VotingGame(market, rule, proposal, self.structure)

    def promises(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        """Return what the rule promises for its parameters."""
        return VOTED

    def examines(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        """Return what an audit looks at besides."""
        return ()

    def remarks(self, game: VotingGame, budget: Budget, seed: int) -> Mapping[str, Any]:
        """Say which claims of M fail here, where the market is tiny."""
        return remarks.of_naive(game)


class Naive2File(VotedFile):
    """The collaboration file of `market.naive_2`."""

    mechanism: Literal["market.naive_2"]


class Naive3File(VotedFile):
    """The collaboration file of `market.naive_3`."""

    mechanism: Literal["market.naive_3"]


class Naive4File(VotedFile):
    """The collaboration file of `market.naive_4`."""

    mechanism: Literal["market.naive_4"]


def _from_file(cls: type[_NaiveVote], file: VotedFile) -> _NaiveVote:
    """Take the parameters of Naive-2, 3 or 4 from a validated file."""
    setup, structure, search, market = read_market(file)
    naive.choose_epsilon(cls.VERSION, market, file.epsilon)
    announced = read_announcement(file, setup)
    _check_announcement(announced, market)
    return cls(setup, structure, search, file.epsilon, announced)


@dataclass(frozen=True)
class Naive2(_NaiveVote):
    """One NO undoes the announcement."""

    VERSION: ClassVar[int] = 2
    NAME: ClassVar[str] = "market.naive_2"
    SUMMARY: ClassVar[str] = "one announces, a single NO undoes it (naive)"
    GUARANTEES: ClassVar[str] = "NOT resilient to beliefs: a NO that others will say seems needless"
    FILE: ClassVar[type[CollaborationFile]] = Naive2File

    @classmethod
    def from_file(cls, file: Naive2File) -> _NaiveVote:
        """Take the parameters from a validated collaboration file."""
        return _from_file(cls, file)


@dataclass(frozen=True)
class Naive3(_NaiveVote):
    """Every NO makes the announcement less likely, and the proposer pays nothing for it."""

    VERSION: ClassVar[int] = 3
    NAME: ClassVar[str] = "market.naive_3"
    SUMMARY: ClassVar[str] = "one announces, every NO makes it less likely (naive)"
    GUARANTEES: ClassVar[str] = "NOT efficient: the proposer gains by announcing a robbery"
    FILE: ClassVar[type[CollaborationFile]] = Naive3File

    @classmethod
    def from_file(cls, file: Naive3File) -> _NaiveVote:
        """Take the parameters from a validated collaboration file."""
        return _from_file(cls, file)


@dataclass(frozen=True)
class Naive4(_NaiveVote):
    """As Naive-3 with a fine for the proposer: right for independent players only."""

    VERSION: ClassVar[int] = 4
    NAME: ClassVar[str] = "market.naive_4"
    SUMMARY: ClassVar[str] = "one announces, a NO costs the proposer 1 (naive)"
    GUARANTEES: ClassVar[str] = "NOT resilient to collusion that the proposer is mistaken about"
    FILE: ClassVar[type[CollaborationFile]] = Naive4File

    @classmethod
    def from_file(cls, file: Naive4File) -> _NaiveVote:
        """Take the parameters from a validated collaboration file."""
        return _from_file(cls, file)
