"""From measured qualities to a settlement: models, payments with intervals, warnings, tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aboveboard.errors import InputError
from aboveboard.formatting import encode_number, format_count, format_number, join_names
from aboveboard.learning.market.quality import Quality
from aboveboard.learning.payments.exploitation_payment import Outcome
from aboveboard.learning.payments.measured_market import (
    MeasuredMarket,
    find_enough_rows,
    find_interval,
)
from aboveboard.learning.payments.settlement import SIGNS, describe_quality, make_headline
from aboveboard.learning.training.training_result import TrainingResult
from aboveboard.mechanisms.settlement import Exhibit, Reply, Settlement, Share

DIGITS = 6
"""Decimal places of qualities in tables: finer than any of their standard errors."""

DEVIATIONS = 2
"""Standard errors by which a measured quality must be off the curve before a warning is given."""

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
        shares = {name: self._make_share(name) for name in self._names}
        return Settlement(
            self.mechanism,
            shares,
            self._make_details(),
            headline=make_headline(self._outcome),
            exhibits=(
                self._show_parties(),
                self._show_certainty(),
                self._show_joining(),
                self._show_trainings(),
            ),
        )

    @property
    def _outcome(self) -> Outcome:
        return self.measured.outcome

    @property
    def _names(self) -> tuple[str, ...]:
        """Who takes part."""
        parties, present = self.measured.parties, self.measured.present
        return tuple(name for name, there in zip(parties, present, strict=True) if there)

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
        enough = rows * (widths[name] / self.widest) ** 2
        raise InputError(
            "training.widest_interval",
            f"the payment of {name} is certain to within {format_number(widths[name])} only "
            f"({format_number(self._intervals[name][0])} to "
            f"{format_number(self._intervals[name][1])}), with {format_count(rows)} test rows",
            f"hold out about {format_count(round(enough))} test rows, or allow a wider interval",
        )

    def _make_share(self, name: str) -> Share:
        i, outcome = self._position(name), self._outcome
        own, payment = self.trained.own[name], outcome.payments[i]
        served = outcome.served[i] and self.trained.model is not None
        reply = Reply(
            "json",
            data={
                "served": served,
                "note": "no model is handed out to this party: use your own",
                "valid_size": int(own.size),
                "quality_alone": own.quality,
            },
        )
        if served:
            reply = Reply("skops", content=self.trained.model)
        more: dict[str, Any] = {
            "size": own.size,
            "own_quality": own.quality,
            "quality": outcome.qualities[i],
            "valuation": outcome.valuations[i],
            "payment_interval": [float(f"{x:.6g}") for x in self._intervals[name]],
            "rows_claimed": own.claimed,
            "own_quality_error": own.error,
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
            "signs": SIGNS,
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
        said = list(self.trained.warnings)
        said += [
            f"the files of {join_names(group)} are the same: together they bring no more than one "
            "of them"
            for group in self.trained.same
        ]
        if self.measured.approximation:
            said.append(self.measured.approximation)
        said += self._warn_of_budget() + self._warn_of_signs() + self._warn_of_hiding()
        return said + self._warn_of_own_models()

    def _warn_of_budget(self) -> list[str]:
        revenue = float(self._outcome.revenue)
        if revenue >= -1e-9:
            return []
        return [
            f"weak budget balance fails here: payments sum to {format_number(revenue)}, which the "
            "center pays out"
        ]

    def _warn_of_signs(self) -> list[str]:
        """Return a warning for each payment that may as well have the other sign."""
        said = []
        for name, (low, high) in self._intervals.items():
            payment = float(self._outcome.payments[self._position(name)])
            if payment and low < 0 < high:
                rows = self.trained.test_rows
                enough = find_enough_rows(rows, payment, (low, high))
                said.append(
                    f"whether {name} pays or receives is not certain: {format_number(payment)}, "
                    f"with 95 percent confidence from {format_number(low)} to "
                    f"{format_number(high)}; about {format_count(enough)} test rows would be "
                    f"enough, there are {format_count(rows)}"
                )
        return said

    def _warn_of_hiding(self) -> list[str]:
        said = []
        for name, (gain, (low, high)) in self._gains.items():
            if gain > 1e-9:
                sure = "" if low > 0 else ", so that it may as well bring nothing"
                said.append(
                    f"on these data hiding half of its rows would bring {name} "
                    f"{format_number(gain)} more (with 95 percent confidence from "
                    f"{format_number(low)} to {format_number(high)}{sure})"
                )
        return said

    def _warn_of_own_models(self) -> list[str]:
        """Return a warning where the joint model is worse than the curve, or than a party's own."""
        joint = self.trained.joint
        if self.trained.model is None or not any(self._outcome.served):
            return []
        said = []
        if joint.value < self._joint_by_curve - DEVIATIONS * joint.error:
            said.append(
                f"the joint model measures {joint.value:.4g}, by its parties' sizes one would "
                f"expect {self._joint_by_curve:.4g}: their rows may be the same, or of other kinds"
            )
        said += [
            f"the joint model, which {name} is handed, measures {joint.value:.4g}, and its own "
            f"{own.quality:.4g}: it does better to use its own, and the joint one costs it nothing"
            for name, own in self.trained.own.items()
            if self._outcome.served[self._position(name)] and own.quality > joint.value
        ]
        return said

    def _show_parties(self) -> Exhibit:
        trained, outcome = self.trained, self._outcome
        rows = []
        for name in self._names:
            i, own, half = self._position(name), trained.own[name], trained.half[name]
            gain = self._gains.get(name)
            rows.append(
                (
                    name,
                    own.claimed,
                    int(own.size),
                    _round(own.quality),
                    _round(trained.joint.value) if outcome.served[i] else "not served",
                    _round(outcome.payments[i]),
                    _round(outcome.utilities[i]),
                    int(half.size),
                    _round(half.quality),
                    "-" if gain is None else _round(float(outcome.utilities[i]) + gain[0]),
                )
            )
        errors = ", ".join(f"{name} {m.error:.2g}" for name, m in trained.own.items())
        return Exhibit(
            "Each party alone, together, and had it hidden half of its data",
            (
                "party", "distinct rows it says it has", "valid size (rows)",
                "quality alone (measured)", "quality together (measured)", "pays", "utility",
                "valid size of half", "quality of half (measured)", "utility with half hidden",
            ),
            tuple(rows),
            "Quality is skill on the center's test rows: 0 for the best constant, 1 for what is "
            f"never wrong. Standard errors alone: {errors}; together {trained.joint.error:.2g}. "
            "Each half was really trained on, alone and with the others. A party that hides can "
            "still use the model of all its rows.",
        )  # fmt: skip

    def _show_certainty(self) -> Exhibit:
        draws, outcome = self.measured.draws, self._outcome
        rows = []
        for name in self._names:
            i = self._position(name)
            own = find_interval(draws.own[:, i], self.trained.own[name].quality)
            without = find_interval(
                draws.without[:, i], float(self.measured.measured.without[0, i])
            )
            low, high = self._intervals[name]
            gain = self._gains.get(name)
            rows.append(
                (
                    name,
                    _round(outcome.payments[i]),
                    _span(low, high),
                    _span(*own),
                    _span(*without),
                    "-" if gain is None else _span(*gain[1]),
                )
            )
        joint = find_interval(draws.joint, self.trained.joint.value)
        return Exhibit(
            "How certain qualities and payments are",
            (
                "party", "pays", "pays, 95 percent interval", "quality alone",
                "joint quality without it", "gain by hiding half",
            ),
            tuple(rows),
            f"The joint quality lies in {_span(*joint)}. Intervals are those of the "
            f"{format_count(self.trained.test_rows)} test rows, drawn again {len(draws.joint)} "
            "times, the same rows for every model; other rows of the parties would move the "
            "numbers too.",
        )  # fmt: skip

    def _show_joining(self) -> Exhibit:
        outcome = self._outcome
        rows = []
        for name in self._names:
            i = self._position(name)
            rows.append(
                (
                    name,
                    _round(outcome.without[i]),
                    _round(outcome.valuations[i]),
                    "yes" if outcome.valuations[i] >= outcome.without[i] else "no",
                    _round(outcome.payments[i]),
                    _round(outcome.utilities[i]),
                )
            )
        return Exhibit(
            "Who would join without payments, and with them",
            (
                "party", "worth of staying away", "worth of joining, before payments",
                "joins without payments", "pays to join (negative: receives)",
                "utility with payments",
            ),
            tuple(rows),
            "With maximal exploitation payments joining is worth as much as staying away: nobody "
            "loses by it.",
        )  # fmt: skip

    def _show_trainings(self) -> Exhibit:
        trained = self.trained
        total = sum(trained.sizes.values())
        found: list[tuple[str, float, float]] = [
            ("all together", float(total), trained.joint.value),
            *((f"without {name}", float(total - trained.sizes[name]), q)
              for name, q in trained.without.items()),
            *((f"with half of {name}",
               float(total - trained.sizes[name] + trained.half[name].size), q)
              for name, q in trained.with_half.items()),
            *((f"{name} alone", float(m.size), m.quality) for name, m in trained.own.items()),
            *((f"half of {name} alone", float(m.size), m.quality)
              for name, m in trained.half.items()),
            *(("rows of the center", size, q) for size, q in trained.curve.curve.points),
        ]  # fmt: skip
        by_curve = self._curve.evaluate([size for _, size, _ in found])
        rows = tuple(
            (what, round(size), _round(quality), _round(q), _round(quality - float(q)))
            for (what, size, quality), q in zip(found, by_curve, strict=True)
        )
        return Exhibit(
            "What was trained: measured quality, and what the learning curve says of such sizes",
            ("trained on", "valid size (rows)", "measured", "by the curve", "residual"),
            rows,
            "Valid sizes are read off the curve of the center's rows alone. Payments are computed "
            "from measured qualities, not from the curve.",
        )


def _round(x: Any) -> float:
    return round(float(x), DIGITS)


def _span(low: float, high: float) -> str:
    return f"{format_number(float(f'{low:.4g}'))} to {format_number(float(f'{high:.4g}'))}"
