"""From what a market's trainings measured to a settlement: shares, warnings, a table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aboveboard.formatting import encode_number, format_count, round_digits
from aboveboard.learning.flower.market_session import MeasuredClients
from aboveboard.learning.payments.exploitation_payment import PaymentOutcome
from aboveboard.learning.payments.measured_market import MeasuredMarket
from aboveboard.learning.payments.measured_warnings import (
    describe_few_rows,
    describe_uncertain_sign,
)
from aboveboard.learning.payments.settlement import SIGN_CONVENTION, make_headline
from aboveboard.mechanisms.settlement import Exhibit, Reply, Settlement, Share

MECHANISM = "learning.payments"

NOTHING_NEW = (
    "its own model is not better than the one that it was sent, as far as the center's rows tell: "
    "it takes no part and pays nothing"
)


@dataclass(frozen=True)
class MarketSettlement:
    """Makes the settlement of a market around a strategy.

    Parameters
    ----------
    clients
        What was measured.
    market
        The market on it.
    rows
        How many rows the center measures on.
    """

    clients: MeasuredClients
    market: MeasuredMarket
    rows: int

    @property
    def served(self) -> tuple[int, ...]:
        """The nodes of those who are handed the joint model."""
        nodes = zip(self.clients.names, self._outcome.served, strict=True)
        return tuple(node for node, yes in nodes if yes)

    def make(self) -> Settlement:
        """Return the settlement."""
        outcome, joint = self._outcome, self.clients.joint
        names = self.clients.names
        return Settlement(
            MECHANISM,
            {name: self._make_share(i, node, name) for i, (node, name) in enumerate(names.items())},
            {
                "counterfactual": self.market.market.counterfactual,
                "qualities": "measured",
                "joint_quality": 0.0 if joint is None else joint.skill.value,
                "served": [names[node] for node in self.served],
                "revenue": encode_number(outcome.revenue),
                "welfare": encode_number(outcome.welfare),
                **({"failed": dict(self.clients.failed)} if self.clients.failed else {}),
                "signs": SIGN_CONVENTION,
                "warnings": self._list_warnings(),
            },
            headline=make_headline(outcome),
            exhibits=(self._show(),),
        )

    @property
    def _outcome(self) -> PaymentOutcome:
        return self.market.outcome

    @cached_property
    def _intervals(self) -> dict[str, tuple[float, float]]:
        return self.market.payment_intervals

    def _make_share(self, i: int, node: int, name: str) -> Share:
        outcome, model = self._outcome, self.clients.own.get(node)
        note = self._describe(node, name)
        more: dict[str, Any] = {
            "claimed": 0.0 if model is None else model.claimed,
            "size": self.clients.valid.get(node, 0.0),
            "own_quality": 0.0 if model is None else model.skill.value,
            "quality": outcome.qualities[i],
            "valuation": outcome.valuations[i],
            "payment_interval": list(self._intervals.get(name, (0.0, 0.0))),
        }
        return Share(
            benefit=outcome.payments[i],  # all that it gains
            utility=outcome.utilities[i],
            payment=outcome.payments[i],
            reply=Reply("json", data={"served": node in self.served, "note": note}),
            more=more,
        )

    def _describe(self, node: int, name: str) -> str:
        if name in self.clients.failed:
            return f"it failed and is absent: {self.clients.failed[name]}"
        if node not in self.clients.valid:
            return NOTHING_NEW
        return "the joint model" if node in self.served else "no model is handed out: use your own"

    def _list_warnings(self) -> list[str]:
        warnings = [
            *describe_few_rows(self.rows),
            *(f"{name}: {problem}; it is absent" for name, problem in self.clients.failed.items()),
        ]
        for i, (node, name) in enumerate(self.clients.names.items()):
            interval = self._intervals.get(name, (0.0, 0.0))
            payment = float(self._outcome.payments[i])
            warnings += describe_uncertain_sign(name, payment, interval, self.rows)
            warnings += self._warn_of_claim(node, name)
        warnings += [
            f"{format_count(count)} updates of {name} were worse than its own model and the one "
            "that it was sent, and left out"
            for name, count in self.clients.left_out.items()
        ]
        return warnings

    def _warn_of_claim(self, node: int, name: str) -> list[str]:
        if node not in self.clients.own:
            return []
        claimed = self.clients.own[node].claimed
        said = f"{name} claims {format_count(round(claimed))} examples"
        if node not in self.clients.valid:
            return [f"{said}, and {NOTHING_NEW}"]
        size = self.clients.valid[node]
        if size < claimed:
            return [
                f"{said} and counts with {format_count(round(size))}: a client whose model is as "
                "good claims no more"
            ]
        return []

    def _show(self) -> Exhibit:
        rows = []
        for i, (node, name) in enumerate(self.clients.names.items()):
            own, without = self.clients.own.get(node), self.clients.without.get(node)
            rows.append(
                (
                    name,
                    0.0 if own is None else own.claimed,
                    self.clients.valid.get(node, 0.0),
                    round_digits(own.skill.value) if own else 0.0,
                    round_digits(without.skill.value) if without else 0.0,
                    round_digits(float(self._outcome.payments[i])),
                )
            )
        return Exhibit(
            "What was measured of each client",
            ("client", "claims", "counts with", "its own model", "joint without it", "pays"),
            tuple(rows),
        )
