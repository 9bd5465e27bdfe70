"""From the parties' data to measured qualities, valid sizes and a joint model.

In this order: every party trains alone, on all its rows and on half of them, before it has seen any
other model; no party may hold the center's rows; the center measures its own learning curve and
reads the valid sizes off it; then the joint model is trained, weighted by valid sizes, once more
without each party, and once more with half of each party's rows. Cost: 2 n + 1 joint trainings, and
for each party a fit of all its rows and one of half of them for each of `estimators.ROW_WEIGHTS`;
with more than `MOST_WITHOUT` parties one joint training.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from aboveboard.formatting import format_count, join_names
from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.training import leaks
from aboveboard.learning.training.center import Center
from aboveboard.learning.training.data_checks import (
    find_near_copies,
    measure_ranges,
    round_rows,
)
from aboveboard.learning.training.data_files import (
    PartyData,
    find_identical_files,
    read_center_files,
    read_party_rows,
)
from aboveboard.learning.training.engine import (
    Coincidences,
    Fingerprints,
    InProcessEngine,
    RowCount,
)
from aboveboard.learning.training.estimators import (
    fit_model,
    list_row_weights,
    make_estimator,
    predicts_classes,
    require_sklearn,
)
from aboveboard.learning.training.federated import FederatedTrainer
from aboveboard.learning.training.handout import make_pipeline, require_skops, serialize_model
from aboveboard.learning.training.party import PartyTrainer
from aboveboard.learning.training.pooling import PooledTrainer
from aboveboard.learning.training.scores import Meter, Predictions, Skill
from aboveboard.learning.training.training_result import (
    MeasuredParty,
    Resamples,
    TrainingResult,
)
from aboveboard.learning.training.valid_size import CenterCurve, measure_center_curve
from aboveboard.mechanisms.mechanism import Work

MOST_WITHOUT = 12
"""Parties up to which the joint model is also trained without each; beyond, the curve stands in."""
KEPT = 4
"""Trainings kept in memory: a run and its audit need the same one again and again."""

_DONE: OrderedDict[tuple[Any, ...], TrainingResult] = OrderedDict()


class Trainer(Protocol):
    """Trains on the parties' rows, wherever these are."""

    def start(self) -> dict[str, RowCount]:
        """Return how many distinct rows each party says it has."""
        ...

    def fit_alone(self, parts: int, weight: float) -> dict[str, Any]:
        """Return each party's own model of the first of so many parts of its rows, so weighted."""
        ...

    def count_leaks(self) -> dict[str, Coincidences]:
        """Return how many of the center's rows each party has, and where the first stands."""
        ...

    def fingerprint(self) -> dict[str, Fingerprints]:
        """Return digests of every party's rounded rows."""
        ...

    def fit_jointly(
        self,
        sizes: Mapping[str, float],
        best: Mapping[str, float],
        quality: Callable[[Any], float],
        parts: Mapping[str, int],
    ) -> Any:
        """Return the model of these parties together.

        `best` is each one's best weight of rows; of those in `parts` only a part is used.
        """
        ...

    def list_notes(self) -> list[str]:
        """Return what a reader of the settlement should know."""
        ...


def train(
    table: TrainingTable, reports: Mapping[str, PartyData], *, seed: int, work: Work | None = None
) -> TrainingResult:
    """Train on the parties' data; what was trained before on the same files is remembered.

    Parameters
    ----------
    table
        The file's `[training]`.
    reports
        By party: what `find_data` found.
    seed
        Of everything drawn.
    work
        Called with how many trainings are done, and of how many.

    Raises
    ------
    InputError
        If the data, the estimator or a party's answer is not as it must be, or scikit-learn or
        skops is missing.
    """
    key = (table.model_dump_json(), tuple(reports.items()), seed)
    if key not in _DONE:
        require_sklearn()
        require_skops()
        from threadpoolctl import threadpool_limits

        # One thread sums in one order: a replay gives the same bytes.
        with threadpool_limits(1):
            _DONE[key] = _make_session(table, reports, seed, work).run()
        while len(_DONE) > KEPT:
            _DONE.popitem(last=False)
    return _DONE[key]


def _make_session(
    table: TrainingTable, reports: Mapping[str, PartyData], seed: int, work: Work | None
) -> _Session:
    estimator = make_estimator(table.estimator, table.parameters, seed)
    center = read_center_files(
        table, reports, classification=predicts_classes(estimator), seed=seed
    )
    trainer: Trainer
    if table.method == "pooled":
        rows = {name: read_party_rows(name, data, center) for name, data in reports.items()}
        trainer = PooledTrainer(rows, center, estimator, seed)
    else:
        engine = InProcessEngine(
            {
                name: PartyTrainer(data.data.path, data.label).answer
                for name, data in reports.items()
            }
        )
        trainer = FederatedTrainer(engine, center, estimator, table, seed)
    meter = center.make_meter(table.metric)
    progress = None if work is None else work.progress
    return _Session(table, reports, center, estimator, trainer, meter, seed, progress)


@dataclass(frozen=True)
class _OwnModels:
    """Each party's own model of a part of its rows: the best over the weights of rows."""

    weights: dict[str, float]
    skills: dict[str, Skill]
    predictions: dict[str, Predictions]

    def with_errors(self, drawn: NDArray[np.float64]) -> _OwnModels:
        """Return the same with standard errors from resamples, shape (draws, parties)."""
        errors = drawn.std(axis=0) if len(drawn) else np.zeros(drawn.shape[1])
        skills = {
            name: Skill(skill.value, float(error))
            for (name, skill), error in zip(self.skills.items(), errors, strict=True)
        }
        return replace(self, skills=skills)


@dataclass
class _Session:
    """One training, step by step."""

    table: TrainingTable
    reports: Mapping[str, PartyData]
    center: Center
    estimator: Any
    trainer: Trainer
    meter: Meter
    seed: int
    progress: Callable[[int, int], None] | None
    done: int = field(default=0, init=False)

    def run(self) -> TrainingResult:
        """Return what the training measured."""
        counts = self.trainer.start()
        claimed = {name: answer.count for name, answer in counts.items()}
        self._advance()
        own = self._fit_alone(1)
        self._advance()
        half = self._fit_alone(2)
        # Only now are parties shown what their rows must not be: it cannot help their models.
        self._refuse_leaks(claimed)
        self._advance()
        curve = self._measure_curve()
        halved = {name: -(-n // 2) for name, n in claimed.items()}
        sizes = _find_sizes(curve, own, claimed)
        # Nobody has more by hiding: where chance says so, the half counts as the whole.
        half_sizes = {
            name: min(size, sizes[name]) for name, size in _find_sizes(curve, half, halved).items()
        }
        joint = self._train_jointly(own, half, sizes, half_sizes)
        resamples = self._resample(own, half, joint)
        if self.table.metric is not None:
            own = own.with_errors(resamples.own)
            half = half.with_errors(resamples.half)
            joint.joint = Skill(joint.joint.value, float(resamples.joint.std()))
        return TrainingResult(
            method=self.table.method,
            estimator=self.table.estimator,
            metric=self.table.metric,
            features=self.center.terms.features,
            own=_measure_parties(sizes, own, claimed),
            half=_measure_parties(half_sizes, half, halved),
            joint=joint.joint,
            without=joint.without,
            with_half=joint.with_half,
            resamples=resamples,
            curve=curve,
            test_rows=len(self.center.raw_test.y),
            model=self._serialize(joint.model),
            notes=tuple(
                self.trainer.list_notes() + self._describe_center() + _describe_sizes(sizes)
            ),
            warnings=tuple(self._list_findings(counts)),
            same=find_identical_files(self.reports),
        )

    def _advance(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, 4 + (2 * len(self.reports) if self._trains_without else 0))

    @property
    def _trains_without(self) -> bool:
        return len(self.reports) <= MOST_WITHOUT

    def _quality(self, model: Any) -> float:
        return self.meter.measure(model).value

    def _fit_alone(self, parts: int) -> _OwnModels:
        weights = list_row_weights(self.estimator)
        found = _OwnModels({}, {}, {})
        for weight in weights:
            for name, model in self.trainer.fit_alone(parts, weight).items():
                predictions = self.meter.predict(model)
                skill = self.meter.score(predictions)
                if name not in found.skills or skill.value > found.skills[name].value:
                    found.weights[name], found.skills[name] = weight, skill
                    found.predictions[name] = predictions
        return found

    def _refuse_leaks(self, claimed: Mapping[str, int]) -> None:
        for name, leak in self.trainer.count_leaks().items():
            limit = self.center.leak_limit(claimed[name], self.table.coincidences)
            where = f"parties.{name}.data: {self.reports[name].data.path.name}"
            leaks.refuse_leak(where, leak.count, leak.line, limit, len(self.center.digests))

    def _measure_curve(self) -> CenterCurve:
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
        own: _OwnModels,
        half: _OwnModels,
        sizes: Mapping[str, int],
        half_sizes: Mapping[str, int],
    ) -> _JointModels:
        everybody = {name: (1, float(size)) for name, size in sizes.items()}
        found = _JointModels(*self._fit_members(everybody, own, half))
        self._advance()
        for name in self.reports if self._trains_without else ():
            rest = {other: part for other, part in everybody.items() if other != name}
            less = {**everybody, name: (2, float(half_sizes[name]))}
            for members, into, said in (
                (rest, found.without, found.predictions_without),
                (less, found.with_half, found.predictions_with_half),
            ):
                if _list_members(members) == _list_members(everybody):
                    into[name], said[name] = found.joint.value, found.predictions
                else:
                    _, skill, predictions = self._fit_members(members, own, half)
                    into[name], said[name] = skill.value, predictions
                self._advance()
        return found

    def _fit_members(
        self, members: Mapping[str, tuple[int, float]], own: _OwnModels, half: _OwnModels
    ) -> tuple[Any, Skill, Predictions | None]:
        """Train on parts of some parties' rows; a party on its own has its own model."""
        present = _list_members(members)
        if not present:
            return None, Skill(0.0, 0.0), None
        if len(present) == 1:
            ((name, (parts, _)),) = present.items()
            alone = own if parts == 1 else half
            model = None
            if len(members) == len(self.reports):
                model = self.trainer.fit_alone(parts, alone.weights[name])[name]
            return model, alone.skills[name], alone.predictions[name]
        best = {
            name: (own if parts == 1 else half).weights[name]
            for name, (parts, _) in present.items()
        }
        model = self.trainer.fit_jointly(
            {name: size for name, (_, size) in present.items()},
            best,
            self._quality,
            {name: parts for name, (parts, _) in present.items()},
        )
        predictions = self.meter.predict(model)
        return model, self.meter.score(predictions), predictions

    def _resample(self, own: _OwnModels, half: _OwnModels, joint: _JointModels) -> Resamples:
        """Return all qualities on test rows that are drawn again, the same for every model."""
        names = list(self.reports)
        models: list[Predictions | None] = [
            joint.predictions,
            *(own.predictions[name] for name in names),
            *(half.predictions[name] for name in names),
            *(joint.predictions_without.get(name) for name in names),
            *(joint.predictions_with_half.get(name) for name in names),
        ]
        there = [k for k, model in enumerate(models) if model is not None]
        drawn = self.meter.resample([p for p in models if p is not None], self.seed)
        drawn = drawn[~np.isnan(drawn).any(axis=1)]
        table = np.zeros((len(drawn), len(models)))
        table[:, there] = drawn
        n = len(names)
        first, *parts = np.split(table, [1, 1 + n, 1 + 2 * n, 1 + 3 * n], axis=1)
        return Resamples(first[:, 0], *parts)

    def _serialize(self, model: Any) -> bytes | None:
        if model is None:
            return None
        return serialize_model(make_pipeline(model, self.center.preparation, self.center.terms))

    def _list_findings(self, counts: Mapping[str, RowCount]) -> list[str]:
        """Return what is odd about the data, for a warning each."""
        center = self.center
        said = [
            f"feature {name!r} is the same in all of the center's rows, so no model may use it: "
            "what it does to a party's rows could not be measured"
            for name in center.constant
        ]
        said += [f"{name}: {clause}" for name, answer in counts.items() for clause in answer.odd]
        rounded = round_rows(
            center.raw_validation,
            center.terms,
            measure_ranges(center.raw_validation, center.terms),
        )
        fingerprints = {name: answer.digests for name, answer in self.trainer.fingerprint().items()}
        same = find_identical_files(self.reports)
        return said + find_near_copies(fingerprints, leaks.estimate_chance(rounded), same)

    def _describe_center(self) -> list[str]:
        center = self.center
        scored = (
            f"models are scored on {format_count(len(center.raw_test.y))} test rows of the center"
        )
        source = "a half of the test file" if center.halved else "the validation file"
        rows = format_count(len(center.raw_validation.y))
        return [f"{scored}; sizes are validated with {rows} more, {source}"]


@dataclass
class _JointModels:
    """The joint model, its quality, and the qualities of those without a party or half of it."""

    model: Any
    joint: Skill
    predictions: Predictions | None
    without: dict[str, float] = field(default_factory=dict)
    with_half: dict[str, float] = field(default_factory=dict)
    predictions_without: dict[str, Predictions | None] = field(default_factory=dict)
    predictions_with_half: dict[str, Predictions | None] = field(default_factory=dict)


def _list_members(members: Mapping[str, tuple[int, float]]) -> dict[str, tuple[int, float]]:
    """Return those whose data are valid."""
    return {name: part for name, part in members.items() if part[1] > 0}


def _find_sizes(curve: CenterCurve, own: _OwnModels, claimed: Mapping[str, int]) -> dict[str, int]:
    return {
        name: curve.find_valid_size(skill.value, claimed[name])
        for name, skill in own.skills.items()
    }


def _measure_parties(
    sizes: Mapping[str, int], own: _OwnModels, claimed: Mapping[str, int]
) -> dict[str, MeasuredParty]:
    return {
        name: MeasuredParty(
            Fraction(size), own.skills[name].value, own.skills[name].error, claimed[name]
        )
        for name, size in sizes.items()
    }


def _describe_sizes(sizes: Mapping[str, int]) -> list[str]:
    nothing = [name for name, size in sizes.items() if not size]
    if len(nothing) == len(sizes):
        return [
            "no party's own model predicts the test rows better than a constant: nothing was "
            "trained together; look at training.parameters and at the features"
        ]
    if not nothing:
        return []
    return [
        f"valid size 0, so not part of the joint model: {join_names(nothing)} (its own model "
        "predicts the test rows no better than a constant)"
    ]
