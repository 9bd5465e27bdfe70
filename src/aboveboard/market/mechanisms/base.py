"""What the mechanisms of the market share: the market in the file, the search, votes as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self, TypeVar

from aboveboard.currencies import MONEY
from aboveboard.errors import InputError
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number
from aboveboard.market.model.announcement import parse_announcement
from aboveboard.market.model.bids_table import read_tables
from aboveboard.market.model.isolated import isolate_bids
from aboveboard.market.model.market_file import MarketFile, ProposingFile, SolverName
from aboveboard.market.model.market_setup import MarketSetup, Trader, read_structure
from aboveboard.market.model.markets import (
    DESTROYED,
    Allocation,
    Announcement,
    Market,
    social_welfare,
)
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


@dataclass(frozen=True)
class RecordedSearch:
    """What a run's search found before its time limit ended it.

    Parameters
    ----------
    market
        Which market was searched.
    allocation
        By good: its owner.
    bound
        No allocation is said to have more; None if nothing was proved.
    """

    market: Market
    allocation: Allocation
    bound: int | None

    @property
    def welfare(self) -> int:
        """What the allocation is worth."""
        return social_welfare(self.market, self.allocation)

    @classmethod
    def parse(cls, found: Mapping[str, Any], market: Market) -> RecordedSearch | None:
        """Read a settlement's `found_by`; None if it holds no allocation of the market."""
        allocation, bound = found.get("allocation"), found.get("bound")
        if not isinstance(allocation, list) or len(allocation) != market.m:
            return None
        owners = (DESTROYED, *range(market.n))
        if not all(type(owner) is int and owner in owners for owner in allocation):
            return None
        if not (bound is None or type(bound) is int):
            return None
        return cls(market, tuple(allocation), bound)


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
    recorded
        What the run found that is replayed, if its time limit ended it.
    unconfirmed
        What that run said and this search did not prove.
    """

    solver: SolverName
    seconds: int | None
    work: Work = field(default_factory=Work, compare=False)
    results: dict[Market, Optimum] = field(default_factory=dict, compare=False, repr=False)
    recorded: RecordedSearch | None = None
    unconfirmed: list[str] = field(default_factory=list, compare=False, repr=False)

    def __call__(self, market: Market) -> Optimum:
        """Return the optimum; each market is searched once."""
        if market not in self.results:
            self.results[market] = self._take_recorded(market, self._search(market))
        return self.results[market]

    def _take_recorded(self, market: Market, best: Optimum) -> Optimum:
        """Return what the run found, unless this search refutes it, or finds better.

        That it is optimal counts only where this search proves it too; a bound counts as what it is
        said to be. Of other markets, as that without a party, the run says nothing.
        """
        recorded = self.recorded
        if recorded is None or self.seconds is None or recorded.market != market:
            return best
        welfare, bound = recorded.welfare, recorded.bound
        if welfare < best.welfare or (bound is not None and bound < welfare):
            return best
        if bound == welfare and not best.proved:
            return best
        if bound is not None and (best.bound is None or best.bound > bound):
            most = market.format_amount(bound)
            self.unconfirmed.append(f"that no allocation has a welfare above {most}")
        return Optimum(recorded.allocation, welfare, bound, False, best.solver)

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
    def isolate_party(
        cls, table: Mapping[str, Any], party: str
    ) -> tuple[Mapping[str, Any], Sequence[str]]:
        """Return the table with what all know of the others: a market has more parties than one."""
        return isolate_bids(table, party)

    @classmethod
    def infer_parties(cls, file: FileT, read: Read) -> FileT:
        """Return the file with the parties, bids and endowments of its tables."""
        return read_tables(file, read)

    def with_work(self, work: Work) -> Self:
        """Return the same rule, which reports the progress of its search to `work`."""
        return replace(self, search=replace(self.search, work=work))

    def recall(self, found: Mapping[str, Any], reports: Mapping[str, Trader]) -> Self:
        """Return the same rule, which takes what a run found in time if it finds nothing better."""
        recorded = RecordedSearch.parse(found, self.setup.build_market(reports))
        return replace(self, search=replace(self.search, recorded=recorded, results={}))

    def list_unconfirmed(self) -> Sequence[str]:
        """Return what the run says of its optimum that this rule's search did not prove."""
        return self.search.unconfirmed

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
