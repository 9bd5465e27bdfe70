"""What the mechanisms of the market share: the market in the file, the search, the votes as text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from aboveboard.games.game import Game
from aboveboard.market.model.announcement import Announcement, parse_announcement
from aboveboard.market.model.market_file import MarketFile, ProposingFile, SolverName
from aboveboard.market.model.market_setup import MarketSetup, Trader, read_setup, read_structure
from aboveboard.market.model.markets import Market
from aboveboard.market.model.reports import read_traders
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import Structure
from aboveboard.market.optimum.social_optimum import Optimum, Progress, find_optimum, require_solver
from aboveboard.mechanisms.mechanism import Mechanism, Read, Work

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
class OptimumSearch:
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

        return find_optimum(market, solver=self.solver, seconds=self.seconds, progress=tell)


@dataclass(frozen=True)
class MarketMechanism(Mechanism[Any, Trader, Game]):
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
        return read_traders(file, read_setup(file), read)

    def with_work(self, work: Work) -> Self:
        """Give the same rule, progress of its search told as `work` says."""
        return replace(self, search=replace(self.search, work=work))


def read_market(file: MarketFile) -> tuple[MarketSetup, Structure, OptimumSearch, Market]:
    """Take from a file what the mechanisms share, with the market that its values make.

    Raises
    ------
    InputError
        If the file does not make a market, or no solver for it is installed.
    """
    setup = read_setup(file)
    market = setup.build_market(read_traders(file, setup))
    require_solver(market, file.solver)
    return setup, read_structure(file, setup), OptimumSearch(file.solver, file.seconds), market


def read_announcement(file: ProposingFile, setup: MarketSetup) -> Announcement | None:
    """Read what the file says is announced, if anything."""
    return None if file.proposal is None else parse_announcement(file.proposal, setup)


def votes_as_text(votes: Votes, setup: MarketSetup) -> dict[str, str]:
    """Put votes into words, by name."""
    each = zip(setup.players[1:], votes.step_2, votes.step_3, strict=True)
    return {
        name: ("yes" if two else "no")
        if two == three
        else f"{'yes' if two else 'no'}, if drawn {'yes' if three else 'no'}"
        for name, two, three in each
    }
