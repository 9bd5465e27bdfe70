"""What the mechanisms of the market share: the market in the file, the search, votes as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self, TypeVar

from aboveboard.currencies import MONEY
from aboveboard.errors import InputError
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number
from aboveboard.market.model.announcement import parse_announcement
from aboveboard.market.model.bids_table import read_tables
from aboveboard.market.model.market_file import MarketFile, ProposingFile, SolverName
from aboveboard.market.model.market_setup import MarketSetup, Trader, read_structure
from aboveboard.market.model.markets import Announcement, Market
from aboveboard.market.model.reports import (
    combine_votes,
    raise_all_faults,
    read_bidding_setup,
    read_traders,
)
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import Structure
from aboveboard.market.optimum.social_optimum import (
    Optimum,
    SearchProgress,
    require_solver,
    search_optimum,
)
from aboveboard.mechanisms.mechanism import Mechanism, Work
from aboveboard.mechanisms.reading import Read
from aboveboard.mechanisms.settlement import Settlement

PAPER = "Azar, Chen, Micali 2011, sections 5.1 and 5.2"


@dataclass(frozen=True)
class OptimumSearch:
    """How a socially optimal allocation is searched.

    Parameters
    ----------
    solver
        As in `social_optimum.find_optimum`.
    seconds
        Its time limit.
    work
        Who hears how far the search is.
    results
        What was found before: a run and its report speak of the same allocation, even where a
        time limit lets a second search end elsewhere.
    """

    solver: SolverName
    seconds: int | None
    work: Work = field(default_factory=Work, compare=False)
    results: dict[Market, Optimum] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, market: Market) -> Optimum:
        """Return the optimum; each market is searched once."""
        if market not in self.results:
            self.results[market] = self._search(market)
        return self.results[market]

    def _search(self, market: Market) -> Optimum:
        listener, seconds = self.work.progress, self.seconds
        if listener is None or seconds is None:  # an audit searches thousands of times
            return search_optimum(market, solver=self.solver, seconds=seconds)

        def report(progress: SearchProgress) -> None:
            listener(min(int(progress.seconds), seconds), seconds)

        return search_optimum(market, solver=self.solver, seconds=seconds, progress=report)


FileT = TypeVar("FileT", bound=MarketFile)
GameT = TypeVar("GameT", bound=Game)


@dataclass(frozen=True)
class MarketMechanism(Mechanism[FileT, Trader, GameT]):
    """What the mechanisms share.

    Parameters
    ----------
    setup
        Who takes part, and with which goods.
    structure
        Who colludes with whom.
    search
        How the optimum is searched.
    """

    setup: MarketSetup
    structure: Structure
    search: OptimumSearch

    UNIT: ClassVar[str] = MONEY
    SPREADS: ClassVar[bool] = False
    KEEPS: ClassVar[bool] = False
    COST: ClassVar[str] = (
        "one search for an optimum (NP-hard in general), then O(n) a vote; the audit of votes "
        "grows with the coalitions"
    )
    SOURCE: ClassVar[str] = PAPER

    @staticmethod
    def read_reports(file: FileT, read: Read) -> dict[str, Trader]:
        """Return what each party brings, bids, votes and announces."""
        return read_traders(file, read_bidding_setup(file), read)

    @classmethod
    def infer_parties(cls, file: FileT, read: Read) -> FileT:
        """Return the file with the parties, bids and endowments of its tables."""
        return read_tables(file, read)

    def with_work(self, work: Work) -> Self:
        """Return the same rule, which reports the progress of its search to `work`."""
        return replace(self, search=replace(self.search, work=work))

    def can_stay_away(self, party: str, types: Mapping[str, Trader]) -> bool:
        """Return False: who takes part is known to all before the market begins."""
        return False

    def true_utility(
        self,
        party: str,
        types: Mapping[str, Trader],
        reports: Mapping[str, Trader],
        settlement: Settlement,
    ) -> Number | None:
        """Return the true value of the goods received, less that of those brought and the price."""
        share, own = settlement.parties[party], types[party]
        goods = self.setup.encode_goods(share.more["goods"])
        gain = own.valuation.value(goods) - own.valuation.value(own.endowment)
        return gain * self.setup.step - share.payment


def read_market(file: MarketFile) -> tuple[MarketSetup, Structure, OptimumSearch, Market]:
    """Return what the mechanisms share, with the market that the file's values make.

    Raises
    ------
    InputError
        If the file does not make a market, or no solver for it is installed.
    """
    try:
        setup = read_bidding_setup(file)
        market = setup.build_market(read_traders(file, setup))
        structure = read_structure(file, setup)
    except InputError:
        raise_all_faults(file)
        raise
    require_solver(market, file.solver)
    return setup, structure, OptimumSearch(file.solver, file.seconds), market


def read_announcement(file: ProposingFile, setup: MarketSetup) -> Announcement | None:
    """Return what the file says is announced, if anything."""
    return None if file.proposal is None else parse_announcement(file.proposal, setup)


def find_cast_votes(market: Market, reports: Mapping[str, Trader], usual: Votes) -> Votes | None:
    """Return the votes cast if the parties state any that differ from the usual ones."""
    votes = combine_votes(market, reports, usual)
    return None if votes == usual else votes


def votes_as_text(votes: Votes, setup: MarketSetup) -> dict[str, str]:
    """Return votes in words, by name."""
    each = zip(setup.players[1:], votes.step_2, votes.step_3, strict=True)
    return {
        name: ("yes" if two else "no")
        if two == three
        else f"{'yes' if two else 'no'}, if drawn {'yes' if three else 'no'}"
        for name, two, three in each
    }
