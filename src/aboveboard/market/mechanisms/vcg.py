"""VCG as a collaboration runs it, to see why it fails: the center pays, and coalitions gain.

Cost: n + 1 searches for an optimum, each of which must be proved. Source: Clarke, "Multipart
pricing of public goods" (1971); Azar, Chen, Micali (2011), section 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Literal, Self

from aboveboard.auditing import (
    DSIC,
    CoalitionProof,
    IndividualRationality,
    Property,
    WeakBudgetBalance,
)
from aboveboard.errors import BudgetExceeded, InputError
from aboveboard.formatting import encode_number
from aboveboard.games.game import TabularGame
from aboveboard.games.lottery import Lottery
from aboveboard.market.audit.listed_values import ListedValuesGame
from aboveboard.market.mechanisms.base import MarketMechanism, read_market
from aboveboard.market.mechanisms.settlement import PlayedMarket
from aboveboard.market.model.market_file import MarketFile
from aboveboard.market.model.market_setup import Trader
from aboveboard.market.model.markets import Market, gains
from aboveboard.market.model.steps import Ending
from aboveboard.market.optimum.social_optimum import Optimum
from aboveboard.market.rules import vcg
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.settlement import Settlement


class VCGFile(MarketFile):
    """The collaboration file of `market.vcg`."""

    mechanism: Literal["market.vcg"]


@dataclass(frozen=True)
class VCG(MarketMechanism["VCGFile", TabularGame | ListedValuesGame]):
    """Vickrey, Clarke, Groves: the reported optimum, each pays what it costs the others.

    Examples
    --------
    >>> import aboveboard as ab
    >>> seller = {"endowment": ["book"], "values": [{"goods": ["book"], "value": 1}]}
    >>> high, low = ({"values": [{"goods": ["book"], "value": value}]} for value in (3, 2))
    >>> market = ab.collaborate("market.vcg", {"ann": seller, "bob": high, "cy": low}, bits=3)
    >>> {name: share.payment for name, share in ab.run(market).parties.items()}
    {'ann': -3, 'bob': 2, 'cy': 0}
    """

    NAME: ClassVar[str] = "market.vcg"
    SUMMARY: ClassVar[str] = "the optimum by reported values, Clarke payments"
    ASSUMES: ClassVar[str] = "each knows its own values; nobody colludes; the center can pay"
    GUARANTEES: ClassVar[str] = "DSIC; NOT collusion-proof, NOT private, and the center may lose"
    COST: ClassVar[str] = (
        "n + 1 searches for an optimum of n parties, each proved; NP-hard in general"
    )
    SOURCE: ClassVar[str] = "Clarke 1971; Azar, Chen, Micali 2011, section 2"
    FILE: ClassVar[type[CollaborationFile]] = VCGFile

    @classmethod
    def from_file(cls, file: VCGFile) -> VCG:
        """Return the rule with the parameters of a validated collaboration file."""
        setup, structure, search, _ = read_market(file)
        return cls(setup, structure, search)

    def settle(self, reports: Mapping[str, Trader]) -> Lottery[Settlement]:
        """Return the settlement of the optimum at Clarke prices.

        Raises
        ------
        InputError
            If the time limit ends the search for an optimum: from anything less the prices would
            not be truthful.
        """
        market = self.setup.build_market(reports)
        best = self.search(market)
        outcome = vcg.settle(market, lambda part: self._search_proved(part).allocation)
        lottery = Lottery.sure(Ending("clearing", outcome))
        before = sum(gains(market, outcome.allocation)) - sum(outcome.prices)
        play = PlayedMarket(self.NAME, self.setup, market, lottery, best)
        return play.with_details(
            {"parties_gain_together": encode_number(Fraction(market.to_money(before)))}
        ).settlements()

    def game(self, types: Mapping[str, Trader]) -> TabularGame | ListedValuesGame:
        """Return the game of reporting values: all of them, or if they are too many some lies."""
        try:
            return vcg.build_game(self.setup.build_market(types), types)
        except BudgetExceeded:
            return ListedValuesGame(self, types, self.setup)

    def recall(self, found: Mapping[str, Any], reports: Mapping[str, Trader]) -> Self:
        """Return the same rule; a run that proved no optimum did not settle: it is not believed."""
        again = super().recall(found, reports)
        recorded = again.search.recorded
        if recorded is None or recorded.bound == recorded.welfare:
            return again
        return replace(again, search=replace(again.search, recorded=None))

    def promises(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        """Return what holds whatever the values are."""
        return (DSIC(), IndividualRationality())

    def examines(self, types: Mapping[str, Trader]) -> Sequence[Property]:
        """Return what VCG does not promise: the center may pay, and coalitions may gain."""
        return (WeakBudgetBalance(), CoalitionProof(2, transfers=True))

    def _search_proved(self, market: Market) -> Optimum:
        best = self.search(market)
        if not best.proved:
            raise InputError(
                "seconds",
                "they were too few to prove an optimum, and VCG prices from less are not truthful",
                "allow more, or use market.propose_and_agree, which may propose what was found",
            )
        return best
