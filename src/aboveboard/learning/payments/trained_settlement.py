"""From measured qualities to a settlement: models, payments with intervals, warnings, tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aboveboard.errors import InputError
from aboveboard.formatting import (
    encode_number,
    format_count,
    format_number,
    format_rounded,
    round_digits,
)
from aboveboard.learning.market.quality import Quality
from aboveboard.learning.payments.exploitation_payment import PaymentOutcome
from aboveboard.learning.payments.measured_market import MeasuredMarket, find_interval
from aboveboard.learning.payments.measured_warnings import (
    describe_few_rows,
    describe_uncertain_sign,
    round_rows_up,
)
from aboveboard.learning.payments.settlement import SIGN_CONVENTION, describe_quality, make_headline
from aboveboard.learning.payments.trained_exhibits import TrainedExhibits
from aboveboard.learning.training.scores import ROUNDING
from aboveboard.learning.training.training_result import TrainingResult
from aboveboard.mechanisms.settlement import Reply, Settlement, Share

WARNED_ERRORS = 2
"""Standard errors by which a measured quality must be off the curve before a warning is given."""

WARNING_DECIMALS = 4
"""Of qualities in warnings; what differs less is not said to differ."""

MOST_HALVES = 12
"""Parties up to which what hiding half would bring is shown; it takes a valuation for each draw."""


@dataclass(frozen=True)
class TrainedSettlement:
    """Makes the settlement of a market whose models were trained.

    Parameters
    ----------
    mechanism
        The rule's name.
    measured
        The market on measured qualities.
    trained
        What the training measured.
    widest
        How wide a payment's interval may be; None: as wide as it is.
    """

    mechanism: str
    measured: MeasuredMarket
    trained: TrainingResult
    widest: float | None = None

    def make(self) -> Settlement:
        """Return the settlement.

        Raises
        ------
        InputError
            If a payment's interval is wider than it may be.
        """
        self._refuse_wide_intervals()
        shares = {
            name: self._make_share(name) if name in self._names else self._make_empty_share(name)
            for name in self.measured.parties
            if name in self._names or name in self.trained.failed
        }
        return Settlement(
            self.mechanism,
            shares,
            self._make_details(),
            headline=make_headline(self._outcome),
            exhibits=TrainedExhibits(self.measured, self.trained, self._gains).make(),
        )

    @property
    def _outcome(self) -> PaymentOutcome:
        return self.measured.outcome

    @property
    def _names(self) -> tuple[str, ...]:
        return self.measured.names

    def _position(self, name: str) -> int:
        return self.measured.parties.index(name)

    @property
    def _intervals(self) -> dict[str, tuple[float, float]]:
        return self.measured.payment_intervals

    @cached_property
    def _gains(self) -> dict[str, tuple[float, tuple[float, float]]]:
        """What hiding half of its rows would bring each party."""
        if len(self._names) > MOST_HALVES:
            return {}
        return {
            name: self.measured.find_gain_of_hiding(self._position(name)) for name in self._names
        }

    def _refuse_wide_intervals(self) -> None:
        if self.widest is None:
            return
        widths = {name: high - low for name, (low, high) in self._intervals.items()}
        name = max(widths, key=lambda each: widths[each])
        if widths[name] <= self.widest:
            return
        rows = self.trained.test_rows
        enough = round_rows_up(rows * (widths[name] / self.widest) ** 2)
        raise InputError(
            "training.widest_interval",
            f"the payment of {name} is certain to within {format_number(widths[name])} only "
            f"({format_number(self._intervals[name][0])} to "
            f"{format_number(self._intervals[name][1])}), with {format_count(rows)} test rows",
            f"hold out about {format_count(enough)} test rows, or allow a wider interval",
        )

    def _make_share(self, name: str) -> Share:
        i, outcome = self._position(name), self._outcome
        own, payment = self.trained.own[name], outcome.payments[i]
        reply = Reply(
            "json",
            data={
                "served": False,
                "note": "no model is handed out to this party: use your own",
                "valid_size": int(own.size),
                "quality_alone": own.quality,
            },
        )
        if outcome.served[i]:
            reply = Reply("skops", content=self.trained.model)
        own_interval = find_interval(self.measured.draws.own[:, i], own.quality)
        more: dict[str, Any] = {
            "size": own.size,
            "own_quality": own.quality,
            "quality": outcome.qualities[i],
            "valuation": outcome.valuations[i],
            "payment_interval": [round_digits(x) for x in self._intervals[name]],
            "rows_claimed": own.claimed,
            "rows_sha256": self.trained.data.get(name, ""),
            "own_quality_error": own.error,
            "own_quality_interval": [round_digits(x) for x in own_interval],
            "size_if_half_hidden": self.trained.half[name].size,
        }
        if name in self._gains:
            more["utility_if_half_hidden"] = outcome.utilities[i] + self._gains[name][0]
        return Share(
            benefit=payment,  # all that it gains
            utility=outcome.utilities[i],
            payment=payment,
            reply=reply,
            more=more,
        )

    def _make_empty_share(self, name: str) -> Share:
        """Return what a party gets that failed in training: nothing, and it pays nothing."""
        i, outcome = self._position(name), self._outcome
        problem = self.trained.failed[name]
        reply = Reply(
            "json",
            data={"served": False, "note": f"it failed in training and is absent: {problem}"},
        )
        return Share(
            benefit=outcome.payments[i],
            utility=outcome.utilities[i],
            payment=outcome.payments[i],
            reply=reply,
            more={
                "size": 0,
                "own_quality": outcome.alone[i],
                "quality": outcome.qualities[i],
                "valuation": outcome.valuations[i],
                "payment_interval": [0.0, 0.0],
                "failed": problem,
            },
        )

    def _make_details(self) -> dict[str, Any]:
        outcome, trained = self._outcome, self.trained
        parties = self.measured.parties
        absent = [name for name in parties if name not in self._names]
        served = [name for name, yes in zip(parties, outcome.served, strict=True) if yes]
        return {
            "counterfactual": self.measured.market.counterfactual,
            "qualities": "curve" if self.measured.approximation else "measured",
            "quality": describe_quality(self._curve),
            "valuation": self.measured.market.valuation.KIND,
            "best quality": encode_number(outcome.best),
            "served": served,
            "revenue": encode_number(outcome.revenue),
            "welfare": encode_number(outcome.welfare),
            **({"absent": absent} if absent else {}),
            **({"failed": dict(trained.failed)} if trained.failed else {}),
            "signs": SIGN_CONVENTION,
            "warnings": self._list_warnings(),
            "training": {
                "method": trained.method,
                "estimator": trained.estimator,
                "metric": trained.metric or "skill",
                "features": list(trained.features),
                "test_rows": trained.test_rows,
                "joint_quality": trained.joint.value,
                "joint_quality_error": trained.joint.error,
                "joint_quality_by_curve": self._joint_by_curve,
                "notes": list(trained.notes),
            },
        }

    @property
    def _curve(self) -> Quality:
        return self.measured.market.quality

    @property
    def _joint_by_curve(self) -> float:
        return float(self._curve.evaluate([float(sum(self.trained.sizes.values()))])[0])

    def _list_warnings(self) -> list[str]:
        warnings = [*self.trained.warnings, *describe_few_rows(self.trained.test_rows)]
        if self.measured.approximation:
            warnings.append(self.measured.approximation)
        warnings += self._warn_of_failures() + self._warn_of_budget() + self._warn_of_signs()
        warnings += self._warn_of_hiding()
        return warnings + self._warn_of_own_models()

    def _warn_of_failures(self) -> list[str]:
        rule = self.measured.market.counterfactual
        return [
            f"{name} failed in training and is absent from all of it: {problem}; it is treated as "
            f'a party that stays away (counterfactual "{rule}"), gets no model and pays nothing'
            for name, problem in self.trained.failed.items()
        ]

    def _warn_of_budget(self) -> list[str]:
        revenue = float(self._outcome.revenue)
        if revenue >= -ROUNDING:
            return []
        return [
            f"weak budget balance fails here: payments sum to {format_number(revenue)}, which the "
            "center pays out"
        ]

    def _warn_of_signs(self) -> list[str]:
        """Return a warning for each payment that may as well have the other sign."""
        rows = self.trained.test_rows
        return [
            text
            for name, interval in self._intervals.items()
            for text in describe_uncertain_sign(
                name, float(self._outcome.payments[self._position(name)]), interval, rows
            )
        ]

    def _warn_of_hiding(self) -> list[str]:
        warnings = []
        for name, (gain, (low, high)) in self._gains.items():
            if gain > ROUNDING:
                sure = "" if low > 0 else ", so that it may as well bring nothing"
                warnings.append(
                    f"on these data hiding half of its rows would bring {name} "
                    f"{format_number(gain)} more (with 95 percent confidence from "
                    f"{format_number(low)} to {format_number(high)}{sure})"
                )
        return warnings

    def _warn_of_own_models(self) -> list[str]:
        """Return a warning where the joint model is worse than the curve, or than a party's own."""
        joint = self.trained.joint
        if not any(self._outcome.served):
            return []
        warnings = []
        if joint.value < self._joint_by_curve - WARNED_ERRORS * joint.error:
            warnings.append(
                f"the joint model measures {format_rounded(joint.value, WARNING_DECIMALS)}, by its "
                "parties' sizes one would expect "
                f"{format_rounded(self._joint_by_curve, WARNING_DECIMALS)}: their rows may be the "
                "same, or of other kinds"
            )
        warnings += [
            f"the joint model, which {name} is handed, measures "
            f"{format_rounded(joint.value, WARNING_DECIMALS)}, and its own "
            f"{format_rounded(own.quality, WARNING_DECIMALS)}: it does better to use its own, and "
            "the joint one costs it nothing"
            for name, own in self.trained.own.items()
            if self._outcome.served[self._position(name)]
            and round_digits(own.quality, WARNING_DECIMALS)
            > round_digits(joint.value, WARNING_DECIMALS)
        ]
        return warnings
