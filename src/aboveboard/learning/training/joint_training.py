"""From the parties' data to measured qualities, valid sizes and a joint model.

In this order: every party trains alone, on all its rows and on half of them, before it has seen any
other model; the center scores these models and reads the valid sizes off its learning curve; no
party may hold the center's test rows; then the joint model is trained, weighted by valid sizes, and
once more without each party. Cost: n + 1 joint trainings, and for each party a fit of all its rows
and one of half of them for each of `estimators.WEIGHTS`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from fractions import Fraction
from typing import Any, Protocol

from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.training import leaks
from aboveboard.learning.training.center import Center, read_center
from aboveboard.learning.training.data_files import PartyData, find_identical_files
from aboveboard.learning.training.estimators import (
    fit_model,
    list_row_weights,
    make_estimator,
    predicts_classes,
    require_sklearn,
)
from aboveboard.learning.training.federated import FederatedTrainer
from aboveboard.learning.training.federation import Federation, Traffic, command_of
from aboveboard.learning.training.handout import make_pipeline, require_skops, serialize_model
from aboveboard.learning.training.pooling import PooledTrainer
from aboveboard.learning.training.scores import Skill, measure_skill
from aboveboard.learning.training.tables import Rows, read_rows, shuffle_rows
from aboveboard.learning.training.training_result import MeasuredParty, TrainingResult
from aboveboard.learning.training.valid_size import CenterCurve, measure_center_curve
from aboveboard.mechanisms.mechanism import Work

MOST_WITHOUT = 12
"""Parties up to which the joint model is also trained without each; beyond, it is left out."""
KEPT = 4
"""Trainings kept in memory: a run and its audit ask for the same one again and again."""

_DONE: OrderedDict[tuple[Any, ...], TrainingResult] = OrderedDict()


class Trainer(Protocol):
    """Trains on the parties' rows, wherever these are."""

    def claimed(self) -> dict[str, int]:
        """Return how many distinct rows each party says it has."""
        ...

    def alone(self, parts: int, weight: float) -> dict[str, Any]:
        """Return each party's own model, of the first of so many parts of its rows, so weighted."""
        ...

    def found(self) -> dict[str, tuple[int, str]]:
        """Return how many test rows each party has, and where the first stands."""
        ...

    def joint(
        self,
        sizes: Mapping[str, float],
        best: Mapping[str, float],
        quality: Callable[[Any], float],
    ) -> Any:
        """Return the model of these parties together; `best` is each one's best weight of rows."""
        ...

    def notes(self) -> list[str]:
        """Say what a reader of the settlement should know."""
        ...

    def traffic(self) -> tuple[Traffic, ...]:
        """Return what passed between processes."""
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
        By party: what `data_reports` found.
    seed
        Of everything drawn.
    work
        Told how many trainings are done.

    Raises
    ------
    InputError
        If the data, the estimator or a party's process is not as it must be, or scikit-learn or
        skops is missing.
    """
    key = (table.model_dump_json(), tuple(reports.items()), seed)
    if key not in _DONE:
        _DONE[key] = _trained(table, reports, seed, work.progress if work else None)
        while len(_DONE) > KEPT:
            _DONE.popitem(last=False)
    return _DONE[key]


def _trained(
    table: TrainingTable,
    reports: Mapping[str, PartyData],
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> TrainingResult:
    with ExitStack() as stack:
        federation = None
        if table.method == "federated":
            # First of all: the parties' processes load while the center reads its own files.
            federation = stack.enter_context(Federation(_commands(reports), table.timeout))
        require_sklearn()
        require_skops()
        from threadpoolctl import threadpool_limits

        # One thread sums in one order: a replay gives the same bytes.
        stack.enter_context(threadpool_limits(1))
        estimator = make_estimator(table.estimator, table.parameters, seed)
        center = _center(table, reports, predicts_classes(estimator), seed)
        if federation is not None:
            federated = FederatedTrainer(federation, center, estimator, table, seed)
            return _measured(table, reports, center, estimator, federated, seed, progress)
        pooled = PooledTrainer(_rows(reports, center, seed), center, estimator)
        return _measured(table, reports, center, estimator, pooled, seed, progress)


def _commands(reports: Mapping[str, PartyData]) -> dict[str, Sequence[str]]:
    return {
        name: holding.command or ()
        if holding.data is None
        else command_of(str(holding.data.path), holding.label)
        for name, holding in reports.items()
    }


def _center(
    table: TrainingTable, reports: Mapping[str, PartyData], classification: bool, seed: int
) -> Center:
    shared = next(iter(reports.values()))
    return read_center(
        shared.test.path,
        None if shared.validation is None else shared.validation.path,
        label=shared.center_label,
        features=table.features,
        classification=classification,
        seed=seed,
        coincidences=table.coincidences,
    )


def _rows(reports: Mapping[str, PartyData], center: Center, seed: int) -> dict[str, Rows]:
    found = {}
    for name, holding in reports.items():
        assert holding.data is not None  # data_reports refuses a command where rows are pooled
        read = read_rows(
            holding.data.path,
            f"parties.{name}.data",
            center.terms,
            label=holding.label,
            whole=center.whole,
        )
        found[name] = shuffle_rows(read.drop_duplicates(), seed, center.classes)
    return found


def _measured(
    table: TrainingTable,
    reports: Mapping[str, PartyData],
    center: Center,
    estimator: Any,
    trainer: Trainer,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> TrainingResult:
    each = len(reports) if len(reports) <= MOST_WITHOUT else 0
    total, done = 4 + each, 0

    def told() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    weights = list_row_weights(estimator)

    def measured(model: Any) -> Skill:
        return measure_skill(model, center.test, center.terms)

    def quality(model: Any) -> float:
        return measured(model).value

    def score(x: Any, y: Any) -> float:
        targets = center.terms.decode_labels(y)
        return max(
            quality(fit_model(estimator, x, targets, "training.validation", weight))
            for weight in weights
        )

    def best_of(parts: int) -> dict[str, tuple[float, Skill]]:
        found = [(weight, trainer.alone(parts, weight)) for weight in weights]
        return {
            name: max(
                ((weight, measured(models[name])) for weight, models in found),
                key=lambda x: x[1].value,
            )
            for name in reports
        }

    curve = measure_center_curve(center.validation, center.classes, seed, score)
    claimed = trainer.claimed()
    told()
    alone = best_of(1)
    best = {name: weight for name, (weight, _) in alone.items()}
    own = {name: found for name, (_, found) in alone.items()}
    told()
    half = {name: found for name, (_, found) in best_of(2).items()}
    told()
    # Only now are parties shown what their rows must not be: it cannot have helped their models.
    for name, (count, line) in trainer.found().items():
        limit = center.limit(claimed[name], table.coincidences)
        data = reports[name].data
        where = f"parties.{name}.data: {data.path.name}" if data else f"parties.{name}"
        leaks.refuse_leak(where, count, line, limit, len(center.digests))
    whole = _sizes(curve, own, claimed)
    halves = _sizes(curve, half, {name: -(-n // 2) for name, n in claimed.items()})
    # Nobody has more by hiding: where chance says so, the half counts as the whole.
    halves = {name: min(size, whole[name]) for name, size in halves.items()}

    members = {name: float(size) for name, size in whole.items() if size}
    model = trainer.joint(members, best, quality) if members else None
    joint = Skill(0.0, 0.0) if model is None else measured(model)
    told()
    without: dict[str, float] = {}
    for name in reports if each else ():
        rest = {other: size for other, size in members.items() if other != name}
        if rest == members:
            without[name] = joint.value
        elif rest:
            without[name] = quality(trainer.joint(rest, best, quality))
        else:
            without[name] = 0.0
        told()
    content = None
    if model is not None:
        content = serialize_model(make_pipeline(model, center.mean, center.deviation, center.terms))
    return TrainingResult(
        method=table.method,
        estimator=table.estimator,
        features=center.terms.features,
        own=_all_measured(whole, own, claimed),
        half=_all_measured(halves, half, {name: -(-n // 2) for name, n in claimed.items()}),
        joint=joint,
        without=without,
        curve=curve,
        model=content,
        traffic=trainer.traffic(),
        notes=tuple(trainer.notes() + _center_notes(center) + _size_notes(whole)),
        same=find_identical_files(reports),
    )


def _sizes(
    curve: CenterCurve, found: Mapping[str, Skill], claimed: Mapping[str, int]
) -> dict[str, int]:
    return {name: curve.size(quality.value, claimed[name]) for name, quality in found.items()}


def _all_measured(
    sizes: Mapping[str, int], found: Mapping[str, Skill], claimed: Mapping[str, int]
) -> dict[str, MeasuredParty]:
    return {
        name: MeasuredParty(Fraction(size), found[name].value, found[name].error, claimed[name])
        for name, size in sizes.items()
    }


def _size_notes(sizes: Mapping[str, int]) -> list[str]:
    nothing = [name for name, size in sizes.items() if not size]
    if len(nothing) == len(sizes):
        return [
            "no party's own model predicts the test rows better than a constant: nothing was "
            "trained together; look at training.parameters and at the features"
        ]
    return (
        [
            f"valid size 0, so not part of the joint model: {', '.join(nothing)} (its own model "
            "predicts the test rows no better than a constant)"
        ]
        if nothing
        else []
    )


def _center_notes(center: Center) -> list[str]:
    scored = f"models are scored on {len(center.test.y):,} test rows of the center"
    held = "a half of the test file" if center.halved else "the validation file"
    return [f"{scored}; sizes are validated with {len(center.validation.y):,} more, {held}"]
