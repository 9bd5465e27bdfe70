"""What a training has measured, and what it adds to a settlement: models, columns and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from aboveboard.games.numbers import Number
from aboveboard.learning.market.quality import Quality
from aboveboard.learning.payments.exploitation_payment import Outcome
from aboveboard.learning.training.federation import Traffic
from aboveboard.learning.training.scores import Skill
from aboveboard.learning.training.valid_size import CenterCurve
from aboveboard.mechanisms.settlement import Exhibit, Reply, Settlement, Share

UtilityIf = Callable[[str, Fraction], Number]
"""From a party and the size it reports instead to its utility; the others report what they have."""

DEVIATIONS = 2
"""Standard errors by which a measured quality must be off before a warning is given. On the same
test rows the difference of two is known better than that."""

DIGITS = 6
"""Decimal places of qualities in tables: finer than any of their standard errors."""


@dataclass(frozen=True)
class MeasuredParty:
    """What a party's own model showed.

    Parameters
    ----------
    size
        Its valid size, whole rows.
    quality
        Skill of the model on the center's test rows, from 0 to 1.
    error
        Its standard error.
    claimed
        How many distinct rows the party says the model was trained on.
    """

    size: Fraction
    quality: float
    error: float
    claimed: int


@dataclass(frozen=True)
class TrainingResult:
    """What was trained and measured.

    Parameters
    ----------
    method
        "federated" or "pooled".
    estimator
        Its import path.
    features
        Columns, in the order in which models take them.
    own, half
        By party: its own model's, trained on all its rows and on half of them.
    joint
        Quality of the joint model.
    without
        By party: quality of the joint model trained without it; empty where there are too many.
    curve
        The center's learning curve.
    model
        The joint model as the bytes of a .skops file; None where no party's data are valid.
    traffic
        What passed between the center and the parties' processes.
    notes
        What a reader should know.
    same
        Groups of parties whose files are the same.
    """

    method: str
    estimator: str
    features: tuple[str, ...]
    own: Mapping[str, MeasuredParty]
    half: Mapping[str, MeasuredParty]
    joint: Skill
    without: Mapping[str, float]
    curve: CenterCurve
    model: bytes | None
    traffic: tuple[Traffic, ...]
    notes: tuple[str, ...]
    same: tuple[tuple[str, ...], ...] = ()

    @property
    def sizes(self) -> dict[str, Fraction]:
        """Return the measured valid sizes, by party."""
        return {name: measured.size for name, measured in self.own.items()}

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Return (valid size, quality) of every real training, for a learning curve.

        The center's own trainings, each party's on all and half of its rows, and those together.
        """
        alone = [(float(m.size), m.quality) for m in (*self.own.values(), *self.half.values())]
        total = float(sum(self.sizes.values()))
        together = [(total, self.joint.value)]
        together += [(total - float(self.sizes[name]), q) for name, q in self.without.items()]
        found = [*self.curve.curve.points, *alone, *together]
        return tuple((size, quality) for size, quality in dict.fromkeys(found) if size > 0)

    def infer_parties(
        self,
        settlement: Settlement,
        outcome: Outcome,
        quality: Quality,
        utility_if: UtilityIf,
    ) -> Settlement:
        """Add to a settlement what training brings.

        Parameters
        ----------
        settlement
            Of the market with these sizes.
        outcome
            From which it was made; its parties are those of this training, in the same order.
        quality
            The market's Q.
        utility_if
            What a party would have if it reported another size.

        Returns
        -------
        Settlement
            With the joint model as reply to who is served; columns for each party; what training
            measured under `details["training"]`; and tables for the report.
        """
        names = tuple(self.own)
        served = dict(zip(names, outcome.served, strict=True))
        hidden = {name: utility_if(name, self.half[name].size) for name in names}
        shares = {
            name: self._share(name, share, served[name], hidden[name])
            for name, share in settlement.parties.items()
        }
        by_curve = float(quality.evaluate([float(sum(self.sizes.values()))])[0])
        more = {
            "method": self.method,
            "estimator": self.estimator,
            "features": list(self.features),
            "joint_quality": self.joint.value,
            "joint_quality_error": self.joint.error,
            "joint_quality_by_curve": by_curve,
            "notes": list(self.notes),
        }
        warnings = [*settlement.details.get("warnings", ()), *self._warnings(by_curve, served)]
        exhibits = [
            self._parties(shares, outcome, hidden),
            self._joining(names, outcome),
            self._trainings(quality),
            *([self._messages()] if self.traffic else []),
        ]
        return replace(
            settlement,
            parties=shares,
            details={**settlement.details, "warnings": warnings, "training": more},
            exhibits=(*exhibits, *settlement.exhibits),
        )

    def _warnings(self, by_curve: float, served: Mapping[str, bool]) -> list[str]:
        """Say where what was measured is not what payments are computed from.

        Sizes add up, and payments are made, as if all data were of one kind and no row were in two
        parties' files; what is really trained on them shows it.
        """
        joint = self.joint
        said = [
            f"the files of {' and '.join(group)} are the same: sizes add up as if each party "
            "brought rows of its own, so these rows count, and are paid for, more than once"
            for group in self.same
        ]
        if self.model is None or not any(served.values()):
            return said
        if joint.value < by_curve - DEVIATIONS * joint.error:
            said.append(
                f"the joint model measures {joint.value:.4g} where payments count {by_curve:.4g}: "
                "parties' rows may be the same, or of other kinds"
            )
        said += [
            f"the joint model, which {name} is served, measures {joint.value:.4g}, and {name}'s "
            f"own {own.quality:.4g}: its payment counts a gain that it has not"
            for name, own in self.own.items()
            if served[name] and own.quality > joint.value + DEVIATIONS * own.error
        ]
        return said

    def _share(self, name: str, share: Share, served: bool, hidden: Number) -> Share:
        own = self.own[name]
        reply = Reply(
            "json",
            data={
                "served": served,
                "note": "no model is handed out to this party: use your own",
                "valid_size": int(own.size),
                "quality_alone": own.quality,
            },
        )
        if served and self.model is not None:
            reply = Reply("skops", content=self.model)
        more = {
            **share.more,
            "rows_claimed": own.claimed,
            "measured_alone": own.quality,
            "measured_alone_error": own.error,
            "size_if_half_hidden": self.half[name].size,
            "utility_if_half_hidden": hidden,
        }
        return replace(share, reply=reply, more=more)

    def _parties(
        self, shares: Mapping[str, Share], outcome: Outcome, hidden: Mapping[str, Number]
    ) -> Exhibit:
        rows = tuple(
            (
                name,
                self.own[name].claimed,
                int(self.own[name].size),
                _shown(self.own[name].quality),
                _shown(self.joint.value) if outcome.served[i] else "not served",
                _shown(shares[name].payment),
                _shown(shares[name].utility),
                int(self.half[name].size),
                _shown(self.half[name].quality),
                _shown(hidden[name]),
            )
            for i, name in enumerate(self.own)
            if name in shares
        )
        errors = ", ".join(f"{name} {m.error:.2g}" for name, m in self.own.items())
        return Exhibit(
            "Each party alone, together, and had it hidden half of its data",
            (
                "party", "distinct rows it says it has", "valid size (rows)",
                "quality alone (measured)", "quality together (measured)", "pays", "utility",
                "valid size of half", "quality of half (measured)", "utility with half hidden",
            ),
            rows,
            "Quality is skill on the center's test rows: 1 - loss / loss of the best constant. "
            f"Standard errors alone: {errors}; together {self.joint.error:.2g}. Each half was "
            "really trained on and its size measured; what it would have brought is computed from "
            "that size with the market's curve. A party can still use the model of all its rows.",
        )  # fmt: skip

    def _joining(self, names: tuple[str, ...], outcome: Outcome) -> Exhibit:
        rows = tuple(
            (
                name,
                _shown(outcome.without[i]),
                _shown(outcome.valuations[i]),
                _yes(outcome.valuations[i] >= outcome.without[i]),
                _shown(outcome.payments[i]),
                _shown(outcome.valuations[i] - outcome.payments[i]),
            )
            for i, name in enumerate(names)
        )
        return Exhibit(
            "Who would join without payments, and with them",
            (
                "party", "worth of staying away", "worth of joining, before payments",
                "joins without payments", "pays to join (negative: receives)",
                "utility with payments",
            ),
            rows,
            "With maximal exploitation payments joining is worth as much as staying away: nobody "
            "loses by it.",
        )  # fmt: skip

    def _trainings(self, quality: Quality) -> Exhibit:
        total = sum(self.sizes.values())
        found = [("all together", total, self.joint.value)]
        found += [(f"without {name}", total - self.sizes[name], q)
                  for name, q in self.without.items()]  # fmt: skip
        found += [(f"{name} alone", m.size, m.quality) for name, m in self.own.items()]
        found += [(f"half of {name} alone", m.size, m.quality) for name, m in self.half.items()]
        found += [("rows of the center", Fraction(round(s)), q) for s, q in self.curve.curve.points]
        curve = [float(q) for q in quality.evaluate([float(size) for _, size, _ in found])]
        rows = tuple(
            (what, int(size), _shown(measured), _shown(q), _shown(measured - q))
            for (what, size, measured), q in zip(found, curve, strict=True)
        )
        return Exhibit(
            "What was trained: measured quality against the market's learning curve",
            ("trained on", "valid size (rows)", "measured", "by the curve", "residual"),
            rows,
            "Valid sizes are read off the curve of the center's rows alone; the market's curve is "
            "what payments are computed from.",
        )

    def _messages(self) -> Exhibit:
        rows = tuple(
            (t.party, t.direction, t.kind, t.count, t.numbers, t.size) for t in self.traffic
        )
        return Exhibit(
            "What passed between the center and the parties' processes",
            ("party", "by the center", "message", "how many", "numbers in them", "bytes"),
            rows,
            "Counters, digests of test rows and parameters; rows do not pass.",
        )


def _shown(x: Any) -> float:
    return round(float(x), DIGITS)


def _yes(holds: Any) -> str:
    return "yes" if bool(holds) else "no"
