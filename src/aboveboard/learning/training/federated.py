"""Training on rows that each party keeps: parties fit, the center averages their parameters.

Cost: a fit of all rows and one of half of them for each party and each weight of rows, and rounds x
parties local fits for each joint model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aboveboard.errors import InputError
from aboveboard.formatting import format_quantity, format_rounded
from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.training.averaging import (
    Averaging,
    AveragingState,
    average,
    get_result,
    run_averaging,
)
from aboveboard.learning.training.center import Center
from aboveboard.learning.training.data_checks import measure_ranges
from aboveboard.learning.training.engine import (
    Batch,
    BatchAnswers,
    Coincidences,
    Compare,
    Engine,
    Fingerprint,
    Fingerprints,
    Fit,
    PartyAnswer,
    PartyError,
    Request,
    RowCount,
    Single,
    StartTraining,
    TrainingStep,
)
from aboveboard.learning.training.estimators import (
    Parameters,
    build_model,
    can_continue,
    extract_parameters,
    fit_model,
    list_row_weights,
    require_linear,
)
from aboveboard.learning.training.scores import ROUNDING, Meter, Skill
from aboveboard.learning.training.trainer import JointFit, JointPlan

if TYPE_CHECKING:
    from aboveboard.learning.training.training_store import TrainingStore

LARGEST_PARAMETER = 1e100
"""Largest parameter: larger ones overflow in a prediction, and no fit has them."""


@dataclass
class FederatedTrainer:
    """Trains by asking parties.

    Parameters
    ----------
    engine
        Carries requests to the parties.
    parties
        Their names, in order.
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
    parties: tuple[str, ...]
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

    @property
    def together(self) -> bool:
        """Whether joint models had better be trained together, round by round."""
        return self.engine.together

    def start(self) -> dict[str, RowCount]:
        """Send every party the terms; return how many distinct rows each says it has."""
        center = self.center
        anchors, classes = center.find_anchors()
        requests: dict[str, Request] = {
            name: StartTraining(
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
            for name in self.parties
        }
        return _as_type(self.engine.ask(requests), RowCount)

    def fit_alone(self, parts: int, weight: float) -> dict[str, Any]:
        """Return each party's own model of the first of so many parts of its rows.

        Every row has this weight.
        """
        # Between machines all weights go in one message, and are kept.
        weights = list_row_weights(self.estimator) if self.together else (weight,)
        if not self.together or (self.parties[0], weight, parts) not in self._alone:
            requests = [dict.fromkeys(self.parties, Fit(parts, each)) for each in weights]
            for each, answers in zip(weights, self._ask_several(requests), strict=True):
                models = self._check_models(answers)
                self._alone |= {(name, each, parts): model for name, model in models.items()}
        own = {name: self._alone[name, weight, parts] for name in self.parties}
        return {name: build_model(self._pattern, model) for name, model in own.items()}

    def count_leaks(self) -> dict[str, Coincidences]:
        """Return how many of the center's rows each party has, and where the first stands."""
        requests: Mapping[str, Request] = dict.fromkeys(self.parties, Compare(self.center.digests))
        return _as_type(self.engine.ask(requests), Coincidences)

    def fingerprint(self) -> dict[str, Fingerprints]:
        """Return digests of every party's rounded rows; none where these are not asked for."""
        if not self.engine.compares_rows:
            return {}
        requests: Mapping[str, Request] = dict.fromkeys(self.parties, Fingerprint())
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
        plan = JointPlan(sizes, best, parts)

        def ask(current: Parameters) -> dict[str, Parameters]:
            return self._check_models(self.engine.ask(self._make_steps(plan, current)))

        averaged = run_averaging(self._average_own(plan), ask, self._make_averaging(plan))
        model = build_model(self._pattern, averaged.parameters)
        return JointFit(model, averaged.left_out, averaged.clipped)

    def fit_several(
        self,
        plans: Sequence[JointPlan],
        quality: Callable[[Any], float],
        rounds: TrainingStore | None = None,
    ) -> list[JointFit]:
        """Return the models of several plans, each as `fit_jointly` makes it.

        In each round a party gets one message, with its steps of all models.

        Parameters
        ----------
        plans
            Who trains together, with what.
        quality
            Not used, as in `fit_jointly`.
        rounds
            Keeps where each model stands after a round; None: nothing is kept.
        """
        averagings = [self._make_averaging(plan) for plan in plans]
        states = [
            (rounds.load_round(plan) if rounds else None)
            or averaging.start(self._average_own(plan))
            for plan, averaging in zip(plans, averagings, strict=True)
        ]
        while True:
            going = [k for k, state in enumerate(states) if not averagings[k].is_done(state)]
            if not going:
                break
            answers = self._ask_several(
                [self._make_steps(plans[k], states[k].current) for k in going]
            )
            for k, answer in zip(going, answers, strict=True):
                states[k] = averagings[k].advance(states[k], self._check_models(answer))
                if rounds:
                    rounds.save_round(plans[k], states[k])
        return [self._finish(state) for state in states]

    def _finish(self, state: AveragingState) -> JointFit:
        averaged = get_result(state)
        model = build_model(self._pattern, averaged.parameters)
        return JointFit(model, averaged.left_out, averaged.clipped)

    def _list_own(self, plan: JointPlan) -> dict[str, Parameters]:
        return {
            name: self._alone[name, plan.best[name], plan.parts.get(name, 1)] for name in plan.sizes
        }

    def _average_own(self, plan: JointPlan) -> Parameters:
        return average(self._list_own(plan), plan.sizes, self.table.averaging)

    def _make_averaging(self, plan: JointPlan) -> Averaging:
        floors = {name: self._find_floor(own) for name, own in self._list_own(plan).items()}

        def accepts(name: str, update: Parameters) -> bool:
            return self._measure(update).value >= floors[name]

        return Averaging(
            plan.sizes,
            self.table.rounds if can_continue(self.estimator) else 0,
            accepts,
            lambda parameters: self._measure(parameters).value,
            self.table.averaging,
            self.table.clip,
        )

    def _make_steps(self, plan: JointPlan, current: Parameters) -> dict[str, Single]:
        return {
            name: TrainingStep(
                current, plan.parts.get(name, 1), plan.best[name], self.table.local_steps
            )
            for name in plan.sizes
        }

    def _ask_several(
        self, requests: Sequence[Mapping[str, Single]]
    ) -> list[dict[str, PartyAnswer]]:
        """Return the answers to several requests of each party, all in one exchange."""
        if len(requests) == 1:
            return [self.engine.ask(requests[0])]
        batches = {
            name: Batch(tuple(each[name] for each in requests if name in each))
            for name in self.parties
        }
        asked = {name: batch for name, batch in batches.items() if batch.requests}
        answers = _as_type(self.engine.ask(asked), BatchAnswers)
        for name, batch in asked.items():
            if len(answers[name].answers) != len(batch.requests):
                raise _make_failure(
                    name, "it left requests unanswered", "answer all that the center asks"
                )
        left = {name: iter(answer.answers) for name, answer in answers.items()}
        return [{name: next(left[name]) for name in each} for each in requests]

    def list_notes(self, left_out: Mapping[str, int], clipped: Mapping[str, int]) -> list[str]:
        """Return what a reader of the settlement should know; counts are those of all fits."""
        # The same for every engine: equal trainings give equal settlements.
        notes = [
            "federated averaging: the center used the parties' parameters, not their rows; rows of "
            "one party that are another's are looked for only where the files are here"
        ]
        if not can_continue(self.estimator):
            notes.append("the estimator has no warm start: the parties' models were averaged once")
        for counts, what in (
            (left_out, "were worse than its own first model and left out"),
            (
                clipped,
                f"were longer than {format_rounded(self.table.clip)} times the median and "
                "shortened",
            ),
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
        return max(measured.value - measured.error, ROUNDING)

    def _measure(self, parameters: Parameters) -> Skill:
        return self._meter.measure(build_model(self._pattern, parameters))

    def _check_models(self, answers: Mapping[str, PartyAnswer]) -> dict[str, Parameters]:
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
            if not (np.abs(array) <= LARGEST_PARAMETER).all():
                raise _make_failure(
                    name,
                    f"it sent {key} that is not a finite number or beyond "
                    f"{format_rounded(LARGEST_PARAMETER)}",
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
