"""One training, step by step: from the parties' data to measured qualities and a joint model.

In this order: every party trains alone, on all its rows and on half of them, before it has seen any
other model; no party may hold the center's rows; the center measures its own learning curve and
reads the valid sizes off it; then the joint model is trained, weighted by valid sizes, once more
without each party, and once more with half of each party's rows. Cost: 2 n + 1 joint trainings, and
for each party a fit of all its rows and one of half of them for each of `estimators.ROW_WEIGHTS`;
with more than `MOST_WITHOUT` parties one joint training.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aboveboard.errors import InputError
from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.training.center import Center
from aboveboard.learning.training.data_files import PartyData
from aboveboard.learning.training.engine import PartyError
from aboveboard.learning.training.estimators import fit_model, list_row_weights
from aboveboard.learning.training.findings import (
    describe_center,
    describe_sizes,
    find_identical_data,
    find_odd_data,
)
from aboveboard.learning.training.handout import make_pipeline, serialize_model
from aboveboard.learning.training.measured_models import (
    JointModel,
    JointModels,
    OwnModels,
    PartsByParty,
)
from aboveboard.learning.training.predictions import Predictions
from aboveboard.learning.training.scores import Meter, Skill
from aboveboard.learning.training.trainer import JointFit, JointPlan, Trainer
from aboveboard.learning.training.training_result import Resamples, TrainingResult
from aboveboard.learning.training.training_store import TrainingStore
from aboveboard.learning.training.valid_size import CenterCurve, measure_center_curve

MOST_WITHOUT = 12
"""Parties up to which the joint model is also trained without each; beyond, the curve stands in."""

KEPT_CURVES = 8
"""Curves kept in memory: parties come and go, the center's rows stay."""

_CURVES: OrderedDict[str, CenterCurve] = OrderedDict()


@dataclass
class TrainingSession:
    """One training.

    Parameters
    ----------
    table
        The file's `[training]`.
    reports
        By party: its data.
    center
        What the center holds.
    estimator
        Unfitted.
    trainer
        Trains on the parties' rows.
    meter
        Measures models.
    seed
        Of everything drawn.
    progress
        Called with how many trainings are done, and of how many.
    open_store
        Takes SHA-256 of the parties' files; returns what keeps joint models as they were measured,
        or None.

    Attributes
    ----------
    store
        What `open_store` returned.
    done
        How many trainings are done.
    """

    table: TrainingTable
    reports: Mapping[str, PartyData]
    center: Center
    estimator: Any
    trainer: Trainer
    meter: Meter
    seed: int
    progress: Callable[[int, int], None] | None = None
    open_store: Callable[[Mapping[str, str]], TrainingStore | None] = lambda data: None
    store: TrainingStore | None = field(default=None, init=False)
    done: int = field(default=0, init=False)
    _ahead: dict[str, JointFit] = field(default_factory=dict, init=False)
    _finished: list[JointPlan] = field(default_factory=list, init=False)

    def run(self) -> TrainingResult:
        """Return what the training measured.

        Raises
        ------
        PartyError
            If a party's rows or answers do not do.
        InputError
            If the center's rows, the estimator or the metric do not do, or a party has the center's
            rows.
        """
        counts = self.trainer.start()
        claimed = {name: answer.count for name, answer in counts.items()}
        data = {name: answer.data for name, answer in counts.items()}
        self._refuse_other_data(data)
        self.store = self.open_store(data)
        self._advance()
        own = self._fit_alone(1)
        self._advance()
        half = self._fit_alone(2)
        # Only now are parties shown what their rows must not be: it cannot help their models.
        self._refuse_leaks(claimed)
        self._advance()
        curve = self._measure_curve()
        halved = {name: -(-n // 2) for name, n in claimed.items()}
        sizes = own.find_sizes(curve, claimed)
        # Nobody has more by hiding: where chance says so, the half counts as the whole.
        half_sizes = {
            name: min(size, sizes[name]) for name, size in half.find_sizes(curve, halved).items()
        }
        models = self._train_jointly(own, half, sizes, half_sizes)
        resamples = self._resample(own, half, models)
        joint = models.joint.skill
        if self.table.metric is not None:
            own = own.with_errors(resamples.own)
            half = half.with_errors(resamples.half)
            joint = Skill(joint.value, float(resamples.joint.std()))
        odd = find_odd_data(
            self.center, counts, self.trainer.fingerprint(), find_identical_data(data)
        )
        return TrainingResult(
            method=self.table.method,
            estimator=self.table.estimator,
            metric=self.table.metric,
            features=self.center.terms.features,
            own=own.as_parties(sizes, claimed),
            half=half.as_parties(half_sizes, halved),
            joint=joint,
            without={name: model.skill.value for name, model in models.without.items()},
            with_half={name: model.skill.value for name, model in models.with_half.items()},
            resamples=resamples,
            curve=curve,
            test_rows=len(self.center.raw_test.y),
            model=models.content,
            notes=self._list_notes(models),
            warnings=(*describe_sizes(sizes), *odd),
            data=data,
        )

    def _list_notes(self, models: JointModels) -> tuple[str, ...]:
        noted = self.trainer.list_notes(models.count_left_out(), models.count_clipped())
        return (*noted, describe_center(self.center))

    def _advance(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, 4 + (2 * len(self.reports) if self._trains_without else 0))

    @property
    def _trains_without(self) -> bool:
        return len(self.reports) <= MOST_WITHOUT

    def _quality(self, model: Any) -> float:
        return self.meter.measure(model).value

    def _fit_alone(self, parts: int) -> OwnModels:
        own = OwnModels()
        for weight in list_row_weights(self.estimator):
            for name, model in self.trainer.fit_alone(parts, weight).items():
                predictions = self._predict_of_party(name, model)
                skill = self.meter.score(predictions)
                if name not in own.skills or skill.value > own.skills[name].value:
                    own.weights[name], own.skills[name] = weight, skill
                    own.predictions[name] = predictions
        return own

    def _predict_of_party(self, name: str, model: Any) -> Predictions:
        try:
            return self.meter.predict(model)
        except InputError as error:
            raise PartyError(name, error) from None

    def _refuse_other_data(self, data: Mapping[str, str]) -> None:
        """Raise where a party's machine has other rows than the party committed to."""
        for name, digest in data.items():
            if self.reports[name].sha256 not in (None, digest):
                raise PartyError(
                    name,
                    InputError(
                        f"parties.{name}.sha256",
                        "its machine has other rows than the party named",
                        "start aboveboard party with the file that was named",
                    ),
                )

    def _refuse_leaks(self, claimed: Mapping[str, int]) -> None:
        for name, leak in self.trainer.count_leaks().items():
            where = self.reports[name].format_place(name)
            rows, limit = claimed[name], self.table.coincidences
            self.center.refuse_leak(where, leak.count, leak.line, rows, limit)

    def _measure_curve(self) -> CenterCurve:
        """Return the center's curve, measured now or for the same rows and estimator before."""
        key = self._digest_curve()
        if key not in _CURVES:
            _CURVES[key] = self._train_for_curve()
        while len(_CURVES) > KEPT_CURVES:
            _CURVES.popitem(last=False)
        return _CURVES[key]

    def _digest_curve(self) -> str:
        center, table = self.center, self.table
        digest = hashlib.sha256()
        for rows in (center.test, center.validation):
            digest.update(np.ascontiguousarray(rows.x).tobytes())
            digest.update(np.ascontiguousarray(rows.y).tobytes())
        rest = (center.terms, table.estimator, table.parameters, table.metric, self.seed)
        digest.update(repr(rest).encode())
        return digest.hexdigest()

    def _train_for_curve(self) -> CenterCurve:
        weights = list_row_weights(self.estimator)
        terms = self.center.terms

        def score(x: Any, y: Any) -> float:
            targets = terms.decode_labels(y)
            return max(
                self._quality(fit_model(self.estimator, x, targets, "training.validation", weight))
                for weight in weights
            )

        return measure_center_curve(self.center.validation, self.center.classes, self.seed, score)

    def _train_jointly(
        self,
        own: OwnModels,
        half: OwnModels,
        sizes: Mapping[str, int],
        half_sizes: Mapping[str, int],
    ) -> JointModels:
        everybody = {name: (1, float(size)) for name, size in sizes.items()}
        if self.trainer.together:
            self._fit_ahead(everybody, half_sizes, own, half)
        model, joint = self._fit_members(everybody, own, half)
        content = None if model is None else self._serialize(model)
        self._advance()
        trained: dict[str, dict[str, JointModel]] = {"without": {}, "with_half": {}}
        for name in self.reports if self._trains_without else ():
            rest = {other: part for other, part in everybody.items() if other != name}
            less = {**everybody, name: (2, float(half_sizes[name]))}
            for kind, members in (("without", rest), ("with_half", less)):
                # Who has no valid data changes nothing by leaving.
                same = _list_valid(members) == _list_valid(everybody)
                trained[kind][name] = joint if same else self._measure_members(members, own, half)
                self._advance()
        if self.store is not None:
            self.store.drop_rounds(self._finished)
            self.store.check_sample(lambda members: self._fit_members(members, own, half)[1])
        return JointModels(joint, content, **trained)

    def _fit_ahead(
        self,
        everybody: PartsByParty,
        half_sizes: Mapping[str, int],
        own: OwnModels,
        half: OwnModels,
    ) -> None:
        """Train all joint models that are not kept, together, round by round."""
        present = _list_valid(everybody)
        wanted = [present]
        for name in self.reports if self._trains_without else ():
            rest = {other: part for other, part in present.items() if other != name}
            less = {**everybody, name: (2, float(half_sizes[name]))}
            for members in (rest, _list_valid(less)):
                kept = self.store is not None and self.store.has(members)
                if not kept and members not in wanted:
                    wanted.append(members)
        plans = [_make_plan(members, own, half) for members in wanted if len(members) > 1]
        fits = self.trainer.fit_several(plans, self._quality, self.store)
        self._ahead = {_name_plan(plan): fit for plan, fit in zip(plans, fits, strict=True)}
        self._finished = plans

    def _measure_members(
        self, members: PartsByParty, own: OwnModels, half: OwnModels
    ) -> JointModel:
        """Return the joint model of some parties, as it was measured now or in an earlier run."""
        if self.store is None or len(_list_valid(members)) < 2:
            return self._fit_members(members, own, half)[1]
        kept = self.store.load(_list_valid(members), self.meter.score)
        if kept is None:
            kept = self._fit_members(members, own, half)[1]
            self.store.save(_list_valid(members), kept)
        return kept

    def _fit_members(
        self, members: PartsByParty, own: OwnModels, half: OwnModels
    ) -> tuple[Any, JointModel]:
        """Train on parts of some parties' rows; a party on its own has its own model."""
        present = _list_valid(members)
        if not present:
            return None, JointModel(Skill(0.0, 0.0), None)
        if len(present) == 1:
            ((name, (parts, _)),) = present.items()
            alone = own if parts == 1 else half
            model = None
            if len(members) == len(self.reports):
                model = self.trainer.fit_alone(parts, alone.weights[name])[name]
            return model, JointModel(alone.skills[name], alone.predictions[name])
        plan = _make_plan(present, own, half)
        fit = self._ahead.pop(_name_plan(plan), None)
        if fit is None:
            fit = self.trainer.fit_jointly(plan.sizes, plan.best, self._quality, plan.parts)
        predictions = self.meter.predict(fit.model)
        measured = JointModel(self.meter.score(predictions), predictions, fit.left_out, fit.clipped)
        return fit.model, measured

    def _resample(self, own: OwnModels, half: OwnModels, models: JointModels) -> Resamples:
        """Return all qualities on test rows that are drawn again, the same for every model."""
        names = list(self.reports)

        def predictions(of: Mapping[str, JointModel]) -> list[Predictions | None]:
            return [of[name].predictions if name in of else None for name in names]

        rows: list[Predictions | None] = [
            models.joint.predictions,
            *(own.predictions[name] for name in names),
            *(half.predictions[name] for name in names),
            *predictions(models.without),
            *predictions(models.with_half),
        ]
        there = [k for k, row in enumerate(rows) if row is not None]
        drawn = self.meter.resample([row for row in rows if row is not None], self.seed)
        drawn = drawn[~np.isnan(drawn).any(axis=1)]
        table = np.zeros((len(drawn), len(rows)))
        table[:, there] = drawn
        n = len(names)
        first, *parts = np.split(table, [1, 1 + n, 1 + 2 * n, 1 + 3 * n], axis=1)
        return Resamples(first[:, 0], *parts)

    def _serialize(self, model: Any) -> bytes:
        return serialize_model(make_pipeline(model, self.center.preparation, self.center.terms))


def _make_plan(present: PartsByParty, own: OwnModels, half: OwnModels) -> JointPlan:
    return JointPlan(
        {name: size for name, (_, size) in present.items()},
        {name: (own if parts == 1 else half).weights[name] for name, (parts, _) in present.items()},
        {name: parts for name, (parts, _) in present.items()},
    )


def _name_plan(plan: JointPlan) -> str:
    return repr(sorted((name, size, plan.parts[name]) for name, size in plan.sizes.items()))


def _list_valid(members: PartsByParty) -> dict[str, tuple[int, float]]:
    """Return those whose data are valid."""
    return {name: part for name, part in members.items() if part[1] > 0}
