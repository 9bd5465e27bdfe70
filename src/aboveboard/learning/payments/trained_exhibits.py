"""The tables of a settlement whose models were trained: what was measured, and how surely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aboveboard.formatting import format_count, format_number, format_rounded, round_digits
from aboveboard.learning.payments.measured_market import MeasuredMarket, find_interval
from aboveboard.learning.training.training_result import TrainingResult
from aboveboard.mechanisms.settlement import Exhibit

TABLE_DECIMALS = 6
"""Decimal places of qualities in tables: finer than any of their standard errors."""

MeasuredGain = tuple[float, tuple[float, float]]
"""What a deviation brings, and the interval of that."""


@dataclass(frozen=True)
class TrainedExhibits:
    """Makes the tables.

    Parameters
    ----------
    measured
        The market on measured qualities.
    trained
        What the training measured.
    gains
        By party: what hiding half of its rows would bring; empty where there are too many.
    """

    measured: MeasuredMarket
    trained: TrainingResult
    gains: Mapping[str, MeasuredGain]

    def make(self) -> tuple[Exhibit, ...]:
        """Return all tables."""
        return (
            self._show_parties(),
            self._show_certainty(),
            self._show_joining(),
            self._show_trainings(),
        )

    def _show_parties(self) -> Exhibit:
        trained, outcome = self.trained, self.measured.outcome
        rows = []
        for name in self.measured.names:
            i, own, half = self.measured.parties.index(name), trained.own[name], trained.half[name]
            gain = self.gains.get(name)
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
        errors = ", ".join(
            f"{name} {format_rounded(m.error, 2)}" for name, m in trained.own.items()
        )
        return Exhibit(
            "Each party alone, together, and had it hidden half of its data",
            (
                "party",
                "distinct rows it says it has",
                "valid size (rows)",
                "quality alone (measured)",
                "quality together (measured)",
                "pays",
                "utility",
                "valid size of half",
                "quality of half (measured)",
                "utility with half hidden",
            ),
            tuple(rows),
            "Quality is skill on the center's test rows: 0 for the best constant, 1 for what is "
            f"never wrong. Standard errors alone: {errors}; together "
            f"{format_rounded(trained.joint.error, 2)}. "
            "Each half was really trained on, alone and with the others. A party that hides can "
            "still use the model of all its rows.",
        )

    def _show_certainty(self) -> Exhibit:
        draws, outcome = self.measured.draws, self.measured.outcome
        rows = []
        for name in self.measured.names:
            i = self.measured.parties.index(name)
            own = find_interval(draws.own[:, i], self.trained.own[name].quality)
            without = find_interval(
                draws.without[:, i], float(self.measured.measured.without[0, i])
            )
            low, high = self.measured.payment_intervals[name]
            gain = self.gains.get(name)
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
                "party",
                "pays",
                "pays, 95 percent interval",
                "quality alone",
                "joint quality without it",
                "gain by hiding half",
            ),
            tuple(rows),
            f"The joint quality lies in {_span(*joint)}. Intervals are those of the "
            f"{format_count(self.trained.test_rows)} test rows, drawn again {len(draws.joint)} "
            "times, the same rows for every model; other rows of the parties would move the "
            "numbers too.",
        )

    def _show_joining(self) -> Exhibit:
        outcome = self.measured.outcome
        rows = []
        for name in self.measured.names:
            i = self.measured.parties.index(name)
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
                "party",
                "worth of staying away",
                "worth of joining, before payments",
                "joins without payments",
                "pays to join (negative: receives)",
                "utility with payments",
            ),
            tuple(rows),
            "With maximal exploitation payments joining is worth as much as staying away: nobody "
            "loses by it.",
        )

    def _show_trainings(self) -> Exhibit:
        trained = self.trained
        total = sum(trained.sizes.values())
        trainings: list[tuple[str, float, float]] = [
            ("all together", float(total), trained.joint.value),
            *(
                (f"without {name}", float(total - trained.sizes[name]), q)
                for name, q in trained.without.items()
            ),
            *(
                (
                    f"with half of {name}",
                    float(total - trained.sizes[name] + trained.half[name].size),
                    q,
                )
                for name, q in trained.with_half.items()
            ),
            *((f"{name} alone", float(m.size), m.quality) for name, m in trained.own.items()),
            *(
                (f"half of {name} alone", float(m.size), m.quality)
                for name, m in trained.half.items()
            ),
            *(("rows of the center", size, q) for size, q in trained.curve.curve.points),
        ]
        by_curve = self.measured.market.quality.evaluate([size for _, size, _ in trainings])
        rows = tuple(
            (what, round(size), _round(quality), _round(q), _round(quality - float(q)))
            for (what, size, quality), q in zip(trainings, by_curve, strict=True)
        )
        return Exhibit(
            "What was trained: measured quality, and what the learning curve says of such sizes",
            ("trained on", "valid size (rows)", "measured", "by the curve", "residual"),
            rows,
            "Valid sizes are read off the curve of the center's rows alone. Payments are computed "
            "from measured qualities, not from the curve.",
        )


def _round(x: Any) -> float:
    return round(float(x), TABLE_DECIMALS)


def _span(low: float, high: float) -> str:
    return f"{format_number(round_digits(low, 4))} to {format_number(round_digits(high, 4))}"
