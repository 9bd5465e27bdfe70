"""From a lottery over endings to settlements: who is handed what, and what all may know of it.

Each ending of a play becomes a settlement with the same details (the whole lottery, the welfare
before and at best, the announcement and the votes) and its own goods and payments. A party's
utility is expected over the lottery: it is what the rules promise it before coins are tossed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from aboveboard.formatting import encode_number, state_probability
from aboveboard.games.lottery import Lottery
from aboveboard.market.model.market_setup import MarketSetup
from aboveboard.market.model.markets import (
    Market,
    Outcome,
    Price,
    bundles_by_player,
    gains,
    social_welfare,
)
from aboveboard.market.model.steps import Ending
from aboveboard.market.model.utilities import expect_utilities, surplus, utilities
from aboveboard.market.optimum.social_optimum import Optimum
from aboveboard.mechanisms.settlement import Exhibit, Reply, Settlement, Share

FOR_COMPARISON = "This rule is here to compare with: the audit shows what fails."


@dataclass(frozen=True, eq=False, repr=False)
class EndingSettlement(Settlement):
    """The settlement of one ending; no two are equal, so that a lottery can draw one."""

    __hash__ = object.__hash__


@dataclass(frozen=True)
class PlayedMarket:
    """A market that was played: everything that a settlement tells.

    Parameters
    ----------
    mechanism
        The rule's name.
    setup, market
        Who and what takes part.
    lottery
        Over the endings.
    best
        The socially optimal allocation, or the best that was found in time.
    details
        What the rule adds, after what all rules state.
    exhibits
        Tables that the rule adds.
    warning
        What everybody must read before all else: a sentence and a space, or nothing.
    """

    mechanism: str
    setup: MarketSetup
    market: Market
    lottery: Lottery[Ending]
    best: Optimum
    details: Mapping[str, Any] = field(default_factory=dict)
    exhibits: tuple[Exhibit, ...] = ()
    warning: str = ""

    def with_details(
        self, details: Mapping[str, Any], exhibits: tuple[Exhibit, ...] = ()
    ) -> PlayedMarket:
        """Return the same play with what the rule adds."""
        return replace(self, details=details, exhibits=exhibits)

    def settlements(self) -> Lottery[Settlement]:
        """Return one settlement for each ending, with its probability."""
        shared = self._list_shared_details()
        hoped = expect_utilities(self.market, self.lottery)
        return Lottery(
            {self._settlement(ending, hoped, shared): weight for ending, weight in self.lottery}
        )

    def _list_shared_details(self) -> dict[str, Any]:
        """Return the details that are the same however the coins fall."""
        best = self.best
        found: dict[str, Any] = {
            "welfare_before": self._encode(social_welfare(self.market, self.market.endowment)),
            "welfare_best": self._encode(best.welfare),
        }
        if not best.proved:
            found |= {
                "welfare_best_is": "the best that was found in time",
                "welfare_bound": "none proved" if best.bound is None else self._encode(best.bound),
                "welfare_gap": "unknown" if best.gap is None else self._encode(best.gap),
            }
        elif not best.canonical:
            found["welfare_best_is"] = "proved; which of several optima is first was not, in time"
        lottery = [
            {
                "step": ending.step,
                "probability": encode_number(weight),
                **self.describe(ending.outcome),
                "welfare": self._encode(social_welfare(self.market, ending.outcome.allocation)),
                "surplus": self._encode(surplus(ending.outcome)),
                "coins": dict(ending.tosses),
            }
            for ending, weight in self.lottery
        ]
        return {**found, **self.details, "lottery": lottery}

    def _settlement(
        self, ending: Ending, hoped: tuple[Fraction, ...], shared: Mapping[str, Any]
    ) -> Settlement:
        market, setup, outcome = self.market, self.setup, ending.outcome
        money = market.to_money
        held = bundles_by_player(market, outcome.allocation)
        gained = gains(market, outcome.allocation)
        reached = utilities(market, outcome)
        by_name = {}
        for i, name in enumerate(setup.players):
            goods = setup.list_goods(held[i])
            more: dict[str, Any] = {"goods": goods, "utility_reached": money(reached[i])}
            reply = {
                "goods": goods,
                "payment": self._encode(outcome.prices[i]),
                "step": ending.step,
            }
            by_name[name] = Share(
                money(gained[i]),
                money(hoped[i]),
                money(outcome.prices[i]),
                Reply("json", data=reply),
                more,
            )
        welfare = social_welfare(market, outcome.allocation)
        likely = self.lottery.probability(lambda other: other.outcome == outcome)
        details = {
            **shared,
            "step": ending.step,
            "welfare_reached": self._encode(welfare),
            "outcome_probability": encode_number(likely),
            "surplus": self._encode(surplus(outcome)),
            "overhead_bits": len(ending.votes),
        }
        return EndingSettlement(
            self.mechanism,
            {name: by_name[name] for name in setup.order},
            details,
            self._headline(welfare, likely),
            FOR_COMPARISON if self.mechanism != "market.propose_and_agree" else "",
            (self._who_gets_what(outcome), *self.exhibits),
            found_by=self.best.found_by,
        )

    def _encode(self, amount: Price) -> Any:
        """Return an amount in money as plain data."""
        return self.market.encode_amount(amount)

    def _format(self, amount: Price) -> str:
        """Return an amount in money in words."""
        return self.market.format_amount(amount)

    def _headline(self, welfare: int, likely: Fraction) -> str:
        before = social_welfare(self.market, self.market.endowment)
        best = f"the best is {self._format(self.best.welfare)}"
        if not self.best.proved:
            best = f"the best found in time is {self._format(self.best.welfare)}" + (
                f", and none is above {self._format(self.best.bound)}"
                if self.best.bound is not None
                else ""
            )
        return (
            f"{self.warning}Welfare was {self._format(before)} and is {self._format(welfare)}; "
            f"{best}. "
            f"This outcome {state_probability(likely, past=True)}."
        )

    def _who_gets_what(self, outcome: Outcome) -> Exhibit:
        held = bundles_by_player(self.market, outcome.allocation)
        brought = bundles_by_player(self.market, self.market.endowment)
        rows = []
        for name in self.setup.order:
            i = self.setup.players.index(name)
            value = self.market.valuations[i].value
            kept = self.setup.list_goods(held[i])
            rows.append(
                (
                    name,
                    ", ".join(self.setup.list_goods(brought[i])),
                    self.market.to_money(value(brought[i])),
                    ", ".join(kept),
                    self.market.to_money(value(held[i])),
                )
            )
        return Exhibit(
            "Who ends with what",
            ("party", "brought", "worth to it", "ends with", "worth to it then"),
            tuple(rows),
        )

    def describe(self, outcome: Outcome) -> dict[str, Any]:
        """Return an outcome as plain data: by name, goods and prices."""
        prices = dict(zip(self.setup.players, map(self._encode, outcome.prices), strict=True))
        return {
            "allocation": self.setup.list_holdings(outcome.allocation),
            "prices": {name: prices[name] for name in self.setup.order},
        }
