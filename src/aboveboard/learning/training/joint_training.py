"""From the parties' data to measured qualities, valid sizes and a joint model.

A party that fails on the way (its rows cannot be fitted, its file is gone, its answer is not what
was asked for) is absent from then on: the others train again without it, so that all models are
those of the same parties. Cost: that of a `session`, once more for each party that fails.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.training.center import Center
from aboveboard.learning.training.data_files import (
    PartyData,
    read_center_files,
    read_party_rows,
)
from aboveboard.learning.training.engine import InProcessEngine, PartyError
from aboveboard.learning.training.estimators import (
    make_estimator,
    predicts_classes,
    require_sklearn,
)
from aboveboard.learning.training.federated import FederatedTrainer
from aboveboard.learning.training.handout import require_skops
from aboveboard.learning.training.party import PartyTrainer
from aboveboard.learning.training.pooling import PooledTrainer
from aboveboard.learning.training.session import TrainingSession
from aboveboard.learning.training.tables import Rows
from aboveboard.learning.training.trainer import Trainer
from aboveboard.learning.training.training_result import TrainingResult
from aboveboard.learning.training.training_store import open_store
from aboveboard.mechanisms.mechanism import Work

KEPT = 4
"""Trainings kept in memory: a run and its audit need the same one again and again."""

_DONE: OrderedDict[tuple[Any, ...], TrainingResult] = OrderedDict()


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
        Its `progress` is called with how many trainings are done, and of how many; its `cache`
        keeps them.

    Raises
    ------
    InputError
        If the center's data or the estimator is not as it must be, every party fails (or one does
        and the table refuses that), or scikit-learn or skops is missing.
    """
    key = (table.model_dump_json(), tuple(reports.items()), seed)
    if key not in _DONE:
        require_sklearn()
        require_skops()
        from threadpoolctl import threadpool_limits

        # One thread sums in one order: a replay gives the same bytes.
        with threadpool_limits(1):
            _DONE[key] = _train_without_failing(table, reports, seed, work or Work())
        while len(_DONE) > KEPT:
            _DONE.popitem(last=False)
    return _DONE[key]


def _train_without_failing(
    table: TrainingTable, reports: Mapping[str, PartyData], seed: int, work: Work
) -> TrainingResult:
    """Train, and again without each party that fails."""
    present, failed = dict(reports), dict[str, str]()
    while True:
        try:
            result = _make_session(table, present, seed, work).run()
        except PartyError as failure:
            if table.failing == "refuse" or len(present) == 1:
                raise failure.error from None
            del present[failure.party]
            failed[failure.party] = failure.error.problem
        else:
            return replace(result, failed=failed)


def _make_session(
    table: TrainingTable, reports: Mapping[str, PartyData], seed: int, work: Work
) -> TrainingSession:
    estimator = make_estimator(table.estimator, table.parameters, seed)
    center = read_center_files(
        table, reports, classification=predicts_classes(estimator), seed=seed
    )
    trainer: Trainer
    if table.method == "pooled":
        trainer = PooledTrainer(
            {name: _read_rows(name, data, center) for name, data in reports.items()},
            center,
            estimator,
            seed,
        )
    else:
        parties = {
            name: PartyTrainer(data.data.path, data.label).answer for name, data in reports.items()
        }
        trainer = FederatedTrainer(InProcessEngine(parties), center, estimator, table, seed)
    meter = center.make_meter(table.metric)
    store = open_store(work.cache, table, _list_files(reports), seed)
    return TrainingSession(
        table, reports, center, estimator, trainer, meter, seed, work.progress, store
    )


def _read_rows(name: str, data: PartyData, center: Center) -> Rows:
    try:
        return read_party_rows(name, data, center)
    except InputError as error:
        raise PartyError(name, error) from None


def _list_files(reports: Mapping[str, PartyData]) -> dict[str, Path]:
    """Return all files of a training that are there, by what they are."""
    shared = next(iter(reports.values()))
    files = {f"parties.{name}.{data.label}": data.data.path for name, data in reports.items()}
    files[f"test.{shared.center_label}"] = shared.test.path
    if shared.validation is not None:
        files["validation"] = shared.validation.path
    return {what: path for what, path in files.items() if path.is_file()}
