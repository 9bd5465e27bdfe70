"""Training on rows that each party keeps: parties fit, the center averages their parameters.

Cost: a fit of all rows and one of half of them for each party and each weight of rows, and rounds x
parties local fits for each joint model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aboveboard.errors import InputError
from aboveboard.formatting import format_quantity
from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.training.averaging import average, run_averaging
from aboveboard.learning.training.center import Center
from aboveboard.learning.training.data_checks import measure_ranges
from aboveboard.learning.training.engine import (
    Answer,
    Coincidences,
    Compare,
    Engine,
    Fingerprint,
    Fingerprints,
    Fit,
    PartyError,
    Request,
    RowCount,
    Start,
    Step,
)
from aboveboard.learning.training.estimators import (
    Parameters,
    build_model,
    can_continue,
    extract_parameters,
    fit_model,
    require_linear,
)
from aboveboard.learning.training.scores import NOTHING, Meter, Skill
from aboveboard.learning.training.trainer import JointFit

LARGEST = 1e100
"""Of a parameter: larger ones overflow in a prediction, and no fit gives them."""


@dataclass
class FederatedTrainer:
    """Trains by asking parties.

    Parameters
    ----------
    engine
        Carries requests to the parties.
    center
        What the center holds.
    estimator
        Unfitted; linear.
    table
        The file's `[training]`.
    seed
        Of everything drawn.
    """

    engine: Engine
    center: Center
    estimator: Any
    table: TrainingTable
    seed: int

    def __post_init__(self) -> None:
        rows, terms = self.center.validation, self.center.terms
        self._meter = Meter(rows.x, rows, terms)
        targets = terms.decode_labels(rows.y)
        self._pattern = fit_model(self.estimator, rows.x, targets, "training.validation")
        self._shape = extract_parameters(self._pattern)
        require_linear(self._pattern, rows.x)
        self._alone: dict[tuple[str, float, int], Parameters] = {}

    def start(self) -> dict[str, RowCount]:
        """Send every party the terms; return how many distinct rows each says it has."""
        center = self.center
        anchors, classes = center.find_anchors()
        requests: dict[str, Request] = {
            name: Start(
                name,
                center.terms,
                center.whole,
                center.preparation,
                measure_ranges(center.raw_validation, center.terms),
                anchors,
                classes,
                self.table.estimator,
                self.table.parameters,
                self.seed,
            )
            for name in self.engine.parties
        }
        return _as_type(self.engine.ask(requests), RowCount)

    def fit_alone(self, parts: int, weight: float) -> dict[str, Any]:
        """Return each party's own model of the first of so many parts of its rows.

        Every row has this weight.
        """
        answers = self.engine.ask(dict.fromkeys(self.engine.parties, Fit(parts, weight)))
        models = self._check_models(answers)
        self._alone |= {(name, weight, parts): model for name, model in models.items()}
        return {name: build_model(self._pattern, model) for name, model in models.items()}

    def count_leaks(self) -> dict[str, Coincidences]:
        """Return how many of the center's rows each party has, and where the first stands."""
        requests: Mapping[str, Request] = dict.fromkeys(
            self.engine.parties, Compare(self.center.digests)
        )
        return _as_type(self.engine.ask(requests), Coincidences)

    def fingerprint(self) -> dict[str, Fingerprints]:
        """Return digests of every party's rounded rows."""
        requests: Mapping[str, Request] = dict.fromkeys(self.engine.parties, Fingerprint())
        return _as_type(self.engine.ask(requests), Fingerprints)

    def fit_jointly(
        self,
        sizes: Mapping[str, float],
        best: Mapping[str, float],
        quality: Callable[[Any], float],
        parts: Mapping[str, int],
    ) -> JointFit:
        """Return the model averaged over these parties.

        Parameters
        ----------
        sizes
            Valid sizes of those who take part, above 0.
        best
            The weight of rows with which each party's own model was best; it keeps it.
        quality
            Not used: rounds are judged on the validation rows.
        parts
            By party: the first of how many parts of its rows it trains on; 1 by default.
        """
        own = {name: self._alone[name, best[name], parts.get(name, 1)] for name in sizes}
        start = average(own, sizes, self.table.averaging)
        floors = {name: self._find_floor(parameters) for name, parameters in own.items()}

        def ask(current: Parameters) -> dict[str, Parameters]:
            requests: dict[str, Request] = {
                name: Step(current, parts.get(name, 1), best[name], self.table.local_steps)
                for name in sizes
            }
            return self._check_models(self.engine.ask(requests))

        def accepts(name: str, update: Parameters) -> bool:
            return self._measure(update).value >= floors[name]

        rounds = self.table.rounds if can_continue(self.estimator) else 0
        averaged = run_averaging(
            start,
            ask,
            sizes,
            rounds,
            accepts,
            quality=lambda parameters: self._measure(parameters).value,
            averaging=self.table.averaging,
            clip=self.table.clip,
        )
        model = build_model(self._pattern, averaged.parameters)
        return JointFit(model, averaged.left_out, averaged.clipped)

    def list_notes(self, left_out: Mapping[str, int], clipped: Mapping[str, int]) -> list[str]:
        """Return what a reader of the settlement should know; counts are those of all fits."""
        notes = ["federated averaging: the center used the parties' parameters, not their rows"]
        if not can_continue(self.estimator):
            notes.append("the estimator has no warm start: the parties' models were averaged once")
        for counts, what in (
            (left_out, "were worse than its own first model and left out"),
            (clipped, f"were longer than {self.table.clip:g} times the median and shortened"),
        ):
            notes += [
                f"{format_quantity(rounds, 'update')} of {name} {what}"
                for name, rounds in counts.items()
                if rounds
            ]
        return notes

    def _find_floor(self, own: Parameters) -> float:
        measured = self._measure(own)
        # A model that predicts nothing is never good enough, however uncertain the party's own is.
        return max(measured.value - measured.error, NOTHING)

    def _measure(self, parameters: Parameters) -> Skill:
        return self._meter.measure(build_model(self._pattern, parameters))

    def _check_models(self, answers: Mapping[str, Answer]) -> dict[str, Parameters]:
        models = _as_type(answers, Parameters)
        return {name: self._check_model(name, model) for name, model in models.items()}

    def _check_model(self, name: str, model: Parameters) -> Parameters:
        for key, array, pattern in (
            ("coef", model.coef, self._shape.coef),
            ("intercept", model.intercept, self._shape.intercept),
        ):
            if array.shape != pattern.shape or array.dtype != np.float64:
                raise _make_failure(
                    name,
                    f"it sent {key} of shape {array.shape} instead of {pattern.shape}",
                    "send the model that the center asked for",
                )
            if not (np.abs(array) <= LARGEST).all():
                raise _make_failure(
                    name,
                    f"it sent {key} that is not a finite number or beyond {LARGEST:g}",
                    "look at its data and at training.parameters",
                )
        constant = self.center.preparation.constant
        if not constant.any():
            return model
        # A weight on a column that is the same in all of the center's rows cannot be judged.
        return Parameters(np.where(constant, 0.0, model.coef), model.intercept)


def _as_type(answers: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    """Return the answers, all of one type.

    Raises
    ------
    PartyError
        If a party answered with something else.
    """
    for name, answer in answers.items():
        if not isinstance(answer, kind):
            raise _make_failure(
                name,
                f"it answered with {type(answer).__name__} instead of {kind.__name__}",
                "answer what the center asks",
            )
    return dict(answers)


def _make_failure(name: str, problem: str, remedy: str) -> PartyError:
    return PartyError(name, InputError(f"parties.{name}", problem, remedy))
