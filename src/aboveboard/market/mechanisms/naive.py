"""Naive-1 to Naive-4 as a collaboration runs them, to see why each fails.

They read the parties and goods of `market.propose_and_agree`. Announcements must lie within their
narrow domain, (-B, B) for every price; what breaks it is refused, for they have no step a. Where
the file does not say what is announced, it is the proposer's best among what everybody agrees to
(`naive_proposal`); that Naive-3's proposer does better by cheating is what its audit finds.
Source: Azar, Chen, Micali (2011), section 5.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal, Self

from pydantic import Field

from aboveboard.auditing import (
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
from aboveboard.games.game import TabularGame
from aboveboard.games.lottery import Lottery
from aboveboard.market.audit.announcing_game import build_announcing_game
from aboveboard.market.audit.asked_in_turn import AskedInTurn
from aboveboard.market.audit.budget import BalancedPlay, NoDeficit
from aboveboard.market.audit.collusive_dominance import CollusiveDominance
from aboveboard.market.audit.exhibits import exhibit_rule
from aboveboard.market.audit.participation import TotalParticipation
from aboveboard.market.audit.root_solvability import RootSolvability
from aboveboard.market.audit.social_optimum import SociallyOptimal
from aboveboard.market.audit.voting_game import VotingGame
from aboveboard.market.audit.voting_rules import make_naive_rule
from aboveboard.market.mechanisms.base import (
    MarketMechanism,
    find_cast_votes,
    read_announcement,
    read_market,
    votes_as_text,
)
from aboveboard.market.mechanisms.settlement import PlayedMarket
from aboveboard.market.model.market_file import Proposal, ProposingFile, VotedFile
from aboveboard.market.model.market_setup import Trader
from aboveboard.market.model.markets import Announcement, Market, Outcome
from aboveboard.market.model.reports import find_announcements
from aboveboard.market.model.steps import Votes
from aboveboard.market.optimum.social_optimum import Optimum
from aboveboard.market.rules import naive
from aboveboard.market.rules.dominant_votes import find_dominant_votes
from aboveboard.market.rules.naive_proposal import find_best_within_domain
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.settlement import Settlement

AIMS: tuple[Property, ...] = (
    CollusiveDominance(proposer_alone=True),
    RootSolvability(proposer_alone=True),
    SociallyOptimal(proposer_alone=True),
)
"""What the simple mechanisms are made for: their audit says that they fail to keep it."""


def _find_announcement(announcement: Announcement | None, market: Market, best: Optimum) -> Outcome:
    if announcement is None:
        return find_best_within_domain(market, best.allocation)
    return announcement.to_outcome(market)


def _check_announcement(
    announcement: Announcement | None, market: Market, place: str = "proposal"
) -> None:
    """Refuse an announcement outside the domain while the file is read."""
    if announcement is None or naive.is_announceable(market, announcement.to_outcome(market)):
        return
    raise InputError(
        f"{place}.prices",
        "a price is outside the domain, or they do not sum to 0",
        f"choose whole ones between -{market.bound} and {market.bound} that sum to 0; "
        "market.propose_and_agree takes any and fines 1 for these",
    )


class Naive1File(ProposingFile):
    """The collaboration file of `market.naive_1`."""

    mechanism: Literal["market.naive_1"]
    announcements: dict[str, Proposal] = Field(
        default_factory=dict,
        description="what a party announces where it differs from [proposal], by party",
    )


@dataclass(frozen=True)
class Naive1(MarketMechanism["Naive1File", TabularGame]):
    """Everybody announces an outcome; if all say the same it is done.

    Parameters
    ----------
    setup, structure, search
        As for M.
    announcement
        What is announced by whoever does not announce otherwise; None: the first party's best.
        Whose vote is "no" announces (E, 0).

    Examples
    --------
    >>> import aboveboard as ab
    >>> seller = {"endowment": ["book"], "values": [{"goods": ["book"], "value": 1}]}
    >>> buyer = {"values": [{"goods": ["book"], "value": 3}]}
    >>> market = ab.collaborate("market.naive_1", {"ann": seller, "bob": buyer}, bits=3)
    >>> ab.audit(market, [ab.UniqueEquilibrium()])["unique equilibrium"].status.value
    'fails'
    """

    announcement: Announcement | None

    NAME: ClassVar[str] = "market.naive_1"
    SUMMARY: ClassVar[str] = "all announce an outcome; it is done if they agree (naive)"
    ASSUMES: ClassVar[str] = "the parties know one another's values"
    GUARANTEES: ClassVar[str] = (
        "NOT resilient to beliefs: anything that harms nobody is an equilibrium"
    )
    FILE: ClassVar[type[CollaborationFile]] = Naive1File

    @classmethod
    def from_file(cls, file: Naive1File) -> Naive1:
        """Return the rule with the parameters of a validated collaboration file."""
        setup, structure, search, market = read_market(file)
        announcement = read_announcement(file, setup)
        _check_announcement(announcement, market)
        for name, each in find_announcements(file, setup).items():
            _check_announcement(each, market, f"announcements.{name}")
        return cls(setup, structure, search, announcement)

    def settle(self, reports: Mapping[str, Trader]) -> Lottery[Settlement]:
        """Return the outcome that all announce, or that everybody keeps what it has."""
        market = self.setup.build_market(reports)
        best = self.search(market)
        announced = self._list_announcements(market, reports, best)
        lottery = naive.play_naive_1(market, announced)
        play = PlayedMarket(self.NAME, self.setup, market, lottery, best)
        usual = _find_announcement(self.announcement, market, best)
        said = dict(zip(market.players, announced, strict=True))
        details = {
            "announcement": play.describe(usual),
            "announcements": {
                name: play.describe(said[name]) for name in self.setup.order if said[name] != usual
            },
        }
        return play.with_details(details).settlements()

    def game(self, types: Mapping[str, Trader]) -> TabularGame:
        """Return the game of announcing; the truth is what each announces here."""
        market = self.setup.build_market(types)
        announced = self._list_announcements(market, types, self.search(market))
        return build_announcing_game(market, announced, types)

    def find_announcement(self, reports: Mapping[str, Trader]) -> tuple[Market, Outcome]:
        """Return the market that the reports make, and what is announced by whoever votes yes."""
        market = self.setup.build_market(reports)
        return market, _find_announcement(self.announcement, market, self.search(market))

    def list_said(self, reports: Mapping[str, Trader]) -> list[Outcome]:
        """Return what each player announces, in the market's order."""
        market = self.setup.build_market(reports)
        return self._list_announcements(market, reports, self.search(market))

    def promises(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        """Return what the rule is made for; that the equilibrium is unique fails."""
        return (ExPostIC(), UniqueEquilibrium(), IndividualRationality(), StrongBudgetBalance())

    def _list_announcements(
        self, market: Market, reports: Mapping[str, Trader], best: Optimum
    ) -> list[Outcome]:
        """Return what each player announces, in the market's order."""
        usual = _find_announcement(self.announcement, market, best)
        announced = []
        for name in market.players:
            own, ballot = reports[name].announcement, reports[name].ballot
            if own is not None:
                announced.append(own.to_outcome(market))
            else:
                announced.append(usual if ballot is None or ballot[0] else market.nothing)
        return announced


@dataclass(frozen=True)
class _NaiveVote(MarketMechanism["VotedFile", VotingGame]):
    """One announces, the others vote once: what Naive-2, 3 and 4 share.

    Parameters
    ----------
    setup, structure, search
        As for M.
    epsilon
        The discount; None: the middle of its range.
    announcement
        What the proposer announces; None: its best among what everybody agrees to.
    """

    epsilon: Fraction | None
    announcement: Announcement | None

    VERSION: ClassVar[int]
    NAME: ClassVar[str]
    ASSUMES: ClassVar[str] = "the parties know one another's values"

    @classmethod
    def from_file(cls, file: VotedFile) -> Self:
        """Return the rule with the parameters of a validated collaboration file."""
        setup, structure, search, market = read_market(file)
        naive.choose_epsilon(cls.VERSION, market, file.epsilon)
        announcement = read_announcement(file, setup)
        _check_announcement(announcement, market)
        return cls(setup, structure, search, file.epsilon, announcement)

    def settle(self, reports: Mapping[str, Trader]) -> Lottery[Settlement]:
        """Return the exact lottery over settlements."""
        game = self.game(reports)
        market, epsilon = game.market, self._choose_epsilon(game.market)
        votes = self._choose_votes(game)
        lottery = naive.play(self.VERSION, market, epsilon, game.proposal, votes)
        play = PlayedMarket(self.NAME, self.setup, market, lottery, self.search(market))
        details = {
            "epsilon": encode_number(epsilon),
            "announcement": play.describe(game.proposal),
            "votes": votes_as_text(votes, self.setup),
        }
        return play.with_details(details, exhibit_rule(game)).settlements()

    def game(self, types: Mapping[str, Trader]) -> VotingGame:
        """Return the game of voting on what is announced; the truth is what each votes here."""
        market = self.setup.build_market(types)
        best = self.search(market)
        proposal = _find_announcement(self.announcement, market, best)
        cast = find_cast_votes(market, types, find_dominant_votes(market, proposal, self.structure))
        rule = make_naive_rule(self.VERSION, market, self._choose_epsilon(market))
        return VotingGame(market, rule, proposal, self.structure, cast, best, reports=types)

    def find_announcement(self, reports: Mapping[str, Trader]) -> tuple[Market, Outcome]:
        """Return the market that the reports make, and what is announced in it."""
        game = self.game(reports)
        return game.market, game.proposal

    def find_votes(self, reports: Mapping[str, Trader]) -> Votes:
        """Return all votes: those cast, or the dominant ones."""
        return self._choose_votes(self.game(reports))

    def _choose_votes(self, game: VotingGame) -> Votes:
        usual = find_dominant_votes(game.market, game.proposal, self.structure)
        return usual if game.cast is None else game.cast

    def promises(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        """Return what the rule is made for; the audit finds what of it fails."""
        votes = (ExPostIC(), IndividualRationality(), WeakBudgetBalance())
        return (*votes, NoDeficit(), *AIMS)

    def examines(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        """Return what is examined besides."""
        return (CoalitionProof(2, transfers=True), TotalParticipation(), BalancedPlay())

    def _choose_epsilon(self, market: Market) -> Fraction:
        return naive.choose_epsilon(self.VERSION, market, self.epsilon)


class Naive2File(VotedFile):
    """The collaboration file of `market.naive_2`."""

    mechanism: Literal["market.naive_2"]


class Naive3File(VotedFile):
    """The collaboration file of `market.naive_3`."""

    mechanism: Literal["market.naive_3"]


class Naive4File(VotedFile):
    """The collaboration file of `market.naive_4`."""

    mechanism: Literal["market.naive_4"]


@dataclass(frozen=True)
class Naive2(_NaiveVote):
    """One NO undoes the announcement.

    Examples
    --------
    >>> import aboveboard as ab
    >>> seller = {"endowment": ["book"], "values": [{"goods": ["book"], "value": 1}]}
    >>> buyer = {"values": [{"goods": ["book"], "value": 3}]}
    >>> market = ab.collaborate("market.naive_2", {"ann": seller, "bob": buyer}, bits=3)
    >>> ab.audit(market, [ab.ExPostIC()])["ex-post IC"].status.value
    'holds'
    """

    VERSION: ClassVar[int] = 2
    NAME: ClassVar[str] = "market.naive_2"
    SUMMARY: ClassVar[str] = "one announces, a single NO undoes it (naive)"
    GUARANTEES: ClassVar[str] = (
        "NOT resilient to beliefs: expecting another NO, a voter need not vote NO"
    )
    FILE: ClassVar[type[CollaborationFile]] = Naive2File

    def examines(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        """Return what is examined besides: also whether asking in turn repairs the rule."""
        return (*super().examines(types), AskedInTurn())


@dataclass(frozen=True)
class Naive3(_NaiveVote):
    """Every NO makes the announcement less likely, and the proposer pays nothing for it.

    Examples
    --------
    >>> import aboveboard as ab
    >>> seller = {"endowment": ["book"], "values": [{"goods": ["book"], "value": 1}]}
    >>> buyer = {"values": [{"goods": ["book"], "value": 3}]}
    >>> market = ab.collaborate("market.naive_3", {"ann": seller, "bob": buyer}, bits=3)
    >>> settlement = ab.run(market)
    >>> settlement.details["welfare_before"], settlement.details["welfare_reached"]
    (1, 3)
    """

    VERSION: ClassVar[int] = 3
    NAME: ClassVar[str] = "market.naive_3"
    SUMMARY: ClassVar[str] = "one announces, every NO makes it less likely (naive)"
    GUARANTEES: ClassVar[str] = "NOT efficient: the proposer gains by announcing a robbery"
    FILE: ClassVar[type[CollaborationFile]] = Naive3File


@dataclass(frozen=True)
class Naive4(_NaiveVote):
    """As Naive-3 with a fine for the proposer: right for independent players only.

    Examples
    --------
    >>> import aboveboard as ab
    >>> seller = {"endowment": ["book"], "values": [{"goods": ["book"], "value": 1}]}
    >>> buyer = {"values": [{"goods": ["book"], "value": 3}]}
    >>> market = ab.collaborate("market.naive_4", {"ann": seller, "bob": buyer}, bits=3)
    >>> {name: share.payment for name, share in ab.run(market).parties.items()}
    {'ann': Fraction(-35, 12), 'bob': Fraction(35, 12)}
    """

    VERSION: ClassVar[int] = 4
    NAME: ClassVar[str] = "market.naive_4"
    SUMMARY: ClassVar[str] = "one announces, a NO costs the proposer 1 (naive)"
    GUARANTEES: ClassVar[str] = "NOT resilient to collusion that the proposer is mistaken about"
    FILE: ClassVar[type[CollaborationFile]] = Naive4File
