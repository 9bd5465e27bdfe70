"""The market on measured qualities: who is served, and what each pays, without any curve.

With J the quality of the joint model, J_-i that of the one trained without party i, and o_i that of
party i's own, the parties use q_j = max(x_j, o_j), where x_j is J for who is served and 0 for who
is not. Had i stayed away they would use the same with J_-i. Party i pays v_i(q) - v_i(q without i),
so nobody pays for a model worse than its own. Hiding half of its rows is measured too: its own
model of that half, and the joint model trained with it.

Cost: n + 1 valuations a profile, and as many for each draw of the test rows. Source: "Mechanism
Design for Multi-Party Machine Learning", Definition 9, applied to measured qualities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.formatting import (
    format_rounded,
)
from aboveboard.games.numbers import Array, BoolArray, FloatArray, to_number
from aboveboard.learning.market.allocation import (
    Market,
    choose_best_sets,
    find_objective,
    list_subsets,
)
from aboveboard.learning.payments.exploitation_payment import JoiningGain, PaymentOutcome
from aboveboard.learning.training.training_result import TrainingResult

ABSENT, HALF, ALL = 0, 1, 2
"""What a party does: it stays away, reports half of its rows, reports all."""

PERCENTILES = (2.5, 97.5)
"""Percentiles of an interval of 95 percent."""


@dataclass(frozen=True)
class DrawnQualities:
    """Qualities of all models, once for each of m draws of the test rows.

    Parameters
    ----------
    joint
        Of the joint model, shape (m,).
    own, half
        Of each party's own model of all its rows, and of half of them, shape (m, n); 0 for a party
        that is absent.
    without, with_half
        Of the joint model trained without each party, and with half of its rows, shape (m, n).
    """

    joint: FloatArray
    own: FloatArray
    half: FloatArray
    without: FloatArray
    with_half: FloatArray


@dataclass(frozen=True)
class MeasuredMarket:
    """A market among parties whose models were measured.

    Parameters
    ----------
    parties
        All parties of the collaboration, in order.
    market
        The rule; its quality is the learning curve, which prices nothing here.
    present
        Who takes part, shape (n,).
    measured
        The qualities, m = 1.
    draws
        The same on test rows drawn again.
    approximation
        By what "without each" is replaced where it was not trained; empty where it was.
    trained
        Whether there is a joint model to hand out.
    """

    parties: tuple[str, ...]
    market: Market
    present: BoolArray
    measured: DrawnQualities
    draws: DrawnQualities
    approximation: str = ""
    trained: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """Who takes part."""
        return tuple(name for name, there in zip(self.parties, self.present, strict=True) if there)

    @cached_property
    def served(self) -> BoolArray:
        """Who is handed the joint model, shape (n,)."""
        chosen = self._choose(self.present, self.measured.joint, self.measured.own)
        return chosen if self.trained else np.zeros_like(chosen)

    @cached_property
    def outcome(self) -> PaymentOutcome:
        """What comes out where all report all that they have."""
        joint, gains, q = self._value(self.measured, self._everything)
        values = self.market.valuation.evaluate(q)
        without = [float(gain.without.sum(axis=-1)[0]) for gain in gains]
        paid = [
            float(gain.payment[0]) if there else 0.0
            for gain, there in zip(gains, self.present, strict=True)
        ]
        return PaymentOutcome(
            tuple(self.present.tolist()),
            tuple(self.served.tolist()),
            to_number(joint[0]),
            tuple(self.measured.own[0].tolist()),
            tuple(q[0].tolist()),
            tuple(values[0].tolist()),
            tuple(without),
            tuple(paid),
        )

    @cached_property
    def payment_intervals(self) -> dict[str, tuple[float, float]]:
        """By party that takes part: the lowest and the highest payment of 95 percent of draws."""
        _, gains, _ = self._value(self.draws, self._everything)
        return {
            name: find_interval(gains[i].payment, float(self.outcome.payments[i]))
            for i, name in enumerate(self.parties)
            if self.present[i]
        }

    def play(self, profile: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """Return payoffs and payments, shape (n,), where each party does what the profile says.

        A deviation of one party is measured. Where several deviate at once, the joint quality is
        taken to fall by the sum of what each deviation alone costs.

        Parameters
        ----------
        profile
            `ABSENT`, `HALF` or `ALL` for each party.
        """
        payoffs, paid = self._play(self.measured, np.asarray(profile))
        return payoffs[0], paid[0]

    def find_gain_of_hiding(self, i: int) -> tuple[float, tuple[float, float]]:
        """Return what hiding half of its rows would bring a party, and the interval of that."""
        profile = self._everything.copy()
        profile[i] = HALF

        def gain(qualities: DrawnQualities) -> FloatArray:
            hidden, _ = self._play(qualities, profile)
            truth, _ = self._play(qualities, self._everything)
            return np.asarray(hidden[:, i] - truth[:, i])

        measured = float(gain(self.measured)[0])
        return measured, find_interval(gain(self.draws), measured)

    def find_outcomes(self) -> tuple[FloatArray, NDArray[np.int64], float]:
        """Return payoffs of each set that could be served at the truth, its size, and what is paid.

        Shapes (sets, n), (sets,) and (); payments are the rule's, whoever is served.
        """
        sets = np.stack(list_subsets(self.present))
        joint, own = self.measured.joint, self.measured.own
        q = np.maximum(np.where(sets, joint[0], 0.0), own)
        paid = np.array([float(x) for x in self.outcome.payments])
        _, gains, _ = self._value(self.measured, self._everything)
        payoffs = np.stack(
            [
                gains[i].subtract_payment(self.market.valuation.compute_addends(q, i))
                if self.present[i]
                else self.market.valuation.compute_addends(q, i).sum(axis=-1)
                for i in range(len(self.parties))
            ],
            axis=-1,
        )
        return payoffs, sets.sum(axis=-1), float(paid.sum())

    @property
    def _everything(self) -> NDArray[np.int64]:
        return np.where(self.present, ALL, ABSENT)

    def _play(
        self, qualities: DrawnQualities, profile: NDArray[np.int64]
    ) -> tuple[FloatArray, FloatArray]:
        _, gains, _ = self._value(qualities, profile)
        q = self._find_qualities_in_use(qualities, profile)
        payoffs, paid = [], []
        for i, gain in enumerate(gains):
            addends = self.market.valuation.compute_addends(q, i)
            there = profile[i] != ABSENT
            payoffs.append(gain.subtract_payment(addends) if there else addends.sum(axis=-1))
            paid.append(gain.payment if there else gain.payment * 0)
        return np.stack(payoffs, axis=-1), np.stack(paid, axis=-1)

    def _value(
        self, qualities: DrawnQualities, profile: NDArray[np.int64]
    ) -> tuple[FloatArray, list[JoiningGain], FloatArray]:
        """Return the joint quality, what each gains by taking part, and the qualities in use.

        All as the center believes them: what is reported counts as all that there is.
        """
        believed = _find_reported(qualities, profile)
        q = self._assign(qualities, profile, believed)
        gains = []
        for i in range(len(self.parties)):
            rest = profile.copy()
            rest[i] = ABSENT
            alone = self._assign(qualities, rest, believed)
            valuation = self.market.valuation
            gains.append(
                JoiningGain(valuation.compute_addends(q, i), valuation.compute_addends(alone, i))
            )
        return self._find_joint(qualities, profile), gains, q

    def _find_qualities_in_use(
        self, qualities: DrawnQualities, profile: NDArray[np.int64]
    ) -> FloatArray:
        """Return what the parties truly use: the model handed out, or a better one of their own."""
        q = self._assign(qualities, profile, _find_reported(qualities, profile), floor=False)
        return np.maximum(q, qualities.own)

    def _assign(
        self,
        qualities: DrawnQualities,
        profile: NDArray[np.int64],
        believed: FloatArray,
        *,
        floor: bool = True,
    ) -> FloatArray:
        """Return the qualities handed out (not below the parties' own, with `floor`)."""
        there = profile != ABSENT
        joint = self._find_joint(qualities, profile)
        # Who is served is decided on the measurement, not on each draw of it.
        known = _find_reported(self.measured, profile)
        served = self._choose(there, self._find_joint(self.measured, profile), known)
        x = np.where(served, joint[:, None], 0.0)
        return np.maximum(x, believed) if floor else x

    def _choose(self, there: BoolArray, joint: FloatArray, own: FloatArray) -> BoolArray:
        objective = find_objective(self.market, there)
        if objective is None or not there.any():
            return np.zeros_like(there)
        if objective.served is not None:
            return np.asarray(objective.served & there)
        known = np.where(there, own, 0.0)
        best: BoolArray = choose_best_sets(self.market.valuation, objective, joint, known, there)[0]
        return best

    def _find_joint(self, qualities: DrawnQualities, profile: NDArray[np.int64]) -> FloatArray:
        """Return the quality of the model that is trained on what the profile reports."""
        there = np.flatnonzero(profile != ABSENT)
        if not len(there):
            return qualities.joint * 0
        if len(there) == 1:
            i = there[0]
            return (qualities.own if profile[i] == ALL else qualities.half)[:, i]
        joint = qualities.joint
        changed = [i for i in np.flatnonzero(self.present) if profile[i] != ALL]
        if len(changed) == 1:
            i = changed[0]
            table = qualities.without if profile[i] == ABSENT else qualities.with_half
            return table[:, i]
        for i in changed:
            table = qualities.without if profile[i] == ABSENT else qualities.with_half
            joint = joint - (qualities.joint - table[:, i])
        return np.clip(joint, 0.0, 1.0)


def _find_reported(qualities: DrawnQualities, profile: NDArray[np.int64]) -> FloatArray:
    """Return the own qualities that the center measures; 0 for a party that stays away."""
    reported = np.where(profile == HALF, qualities.half, qualities.own)
    return np.where(profile == ABSENT, 0.0, reported)


def find_interval(values: Array, point: float) -> tuple[float, float]:
    """Return the interval that holds 95 percent of the values, and the measurement."""
    if not len(values):
        return point, point
    low, high = np.percentile(values, PERCENTILES)
    return min(float(low), point), max(float(high), point)


def make_measured_market(
    parties: Sequence[str], market: Market, trained: TrainingResult
) -> MeasuredMarket:
    """Return the market on what a training has measured.

    Where the joint model was not trained without each party, and with half of its rows, it is taken
    to lose what the learning curve loses; `approximation` says by how much that may err.
    """
    names, resamples = list(trained.own), trained.resamples
    joint = np.array([trained.joint.value])
    own = _make_row({name: m.quality for name, m in trained.own.items()}, names)
    half = _make_row({name: m.quality for name, m in trained.half.items()}, names)
    if trained.without:
        without, with_half = _make_row(trained.without, names), _make_row(trained.with_half, names)
        drawn_without, drawn_half = resamples.without, resamples.with_half
        approximation = ""
    else:
        less = [float(trained.own[name].size) for name in names]
        hidden = [float(trained.own[name].size - trained.half[name].size) for name in names]
        total = float(sum(trained.sizes.values()))
        lost = _find_losses(market.quality, total, less)
        lost_half = _find_losses(market.quality, total, hidden)
        without, with_half = _subtract(joint, lost), _subtract(joint, lost_half)
        drawn_without = _subtract(resamples.joint, lost)
        drawn_half = _subtract(resamples.joint, lost_half)
        approximation = _describe_approximation(getattr(market.quality, "error", 0.0))
    where = [names.index(name) if name in trained.own else -1 for name in parties]
    measured = _spread((own, half, without, with_half), where)
    draws = _spread((resamples.own, resamples.half, drawn_without, drawn_half), where)
    return MeasuredMarket(
        tuple(parties),
        market,
        np.array([name in trained.own for name in parties]),
        DrawnQualities(joint, *measured),
        DrawnQualities(resamples.joint, *draws),
        approximation,
        trained.model is not None,
    )


def _make_row(table: Mapping[str, float], names: Sequence[str]) -> FloatArray:
    """Return numbers of parties as an array of one row."""
    return np.array([[table[name] for name in names]])


def _spread(tables: Sequence[FloatArray], where: Sequence[int]) -> list[FloatArray]:
    """Return columns of the parties of a training as columns of all parties, 0 for the others."""
    return [np.pad(table, ((0, 0), (0, 1)))[:, where] for table in tables]


def _subtract(joint: FloatArray, lost: FloatArray) -> FloatArray:
    """Return the quality of the joint model less what each party's rows add."""
    return np.clip(joint[:, None] - lost, 0, 1)


def _describe_approximation(error: float) -> str:
    """Return how the joint model without a party is known, and how exactly."""
    return (
        "the joint model was not trained without each party, because there are so many: it is "
        "taken to lose what the learning curve loses, whose points lie "
        f"{format_rounded(error, 2)} of quality off it (root of the mean square)"
    )


def _find_losses(curve: Any, total: float, sizes: Sequence[float]) -> FloatArray:
    rest = np.maximum(total - np.array(sizes), 0.0)
    both = curve.evaluate(np.concatenate([[total], rest]))
    return np.asarray(both[0] - both[1:], dtype=np.float64)
