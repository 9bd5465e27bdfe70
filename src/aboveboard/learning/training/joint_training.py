"""From the parties' data to measured qualities, valid sizes and a joint model.

A party that fails on the way (its rows cannot be fitted, its file is gone, its answer is not what
was asked for) is absent from then on: the others train again without it, so that all models are
those of the same parties. Cost: that of a `session`, once more for each party that fails.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
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
from aboveboard.learning.training.engine import Engine, InProcessEngine, PartyError
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
from aboveboard.learning.training.tables import TrainingRows, digest_file
from aboveboard.learning.training.trainer import Trainer
from aboveboard.learning.training.training_result import TrainingResult
from aboveboard.learning.training.training_store import TrainingStore, open_store
from aboveboard.mechanisms.mechanism import Work

KEPT_TRAININGS = 4
"""Trainings kept in memory: a run and its audit need the same one again and again."""

_DONE: OrderedDict[tuple[Any, ...], TrainingResult] = OrderedDict()


Connect = Callable[[TrainingTable, Mapping[str, PartyData]], AbstractContextManager[Engine]]
"""Reaches the parties on their own machines, for as long as a training takes."""


def train(
    table: TrainingTable,
    reports: Mapping[str, PartyData],
    *,
    seed: int,
    work: Work | None = None,
    connect: Connect | None = None,
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
    connect
        Reaches the parties where they are not in this process; None: their files are here.

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
        with threadpool_limits(1), (connect or _answer_here)(table, reports) as engine:
            _DONE[key] = _train_without_failing(table, reports, engine, seed, work or Work())
        while len(_DONE) > KEPT_TRAININGS:
            _DONE.popitem(last=False)
    return _DONE[key]


@contextmanager
def _answer_here(
    table: TrainingTable, reports: Mapping[str, PartyData]
) -> Iterator[InProcessEngine]:
    """Answer for the parties whose files are here."""
    yield InProcessEngine(
        {
            name: PartyTrainer(data.data.path, data.label).answer
            for name, data in reports.items()
            if data.data is not None
        }
    )


def _train_without_failing(
    table: TrainingTable, reports: Mapping[str, PartyData], engine: Engine, seed: int, work: Work
) -> TrainingResult:
    """Train, and again without each party that fails."""
    present, failed = dict(reports), dict[str, str]()
    while True:
        try:
            result = _make_session(table, present, engine, seed, work).run()
        except PartyError as failure:
            if table.failing == "refuse" or len(present) == 1:
                raise failure.error from None
            del present[failure.party]
            failed[failure.party] = failure.error.problem
        else:
            return replace(result, failed=failed)


def _make_session(
    table: TrainingTable, reports: Mapping[str, PartyData], engine: Engine, seed: int, work: Work
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
            {
                name: digest_file(data.data.path)
                for name, data in reports.items()
                if data.data is not None
            },
        )
    else:
        trainer = FederatedTrainer(engine, tuple(reports), center, estimator, table, seed)

    def open_for(data: Mapping[str, str]) -> TrainingStore | None:
        parties = {f"parties.{name}.{reports[name].label}": data[name] for name in reports}
        return open_store(work.cache, table, _list_center_files(reports), parties, seed)

    meter = center.make_meter(table.metric)
    return TrainingSession(
        table, reports, center, estimator, trainer, meter, seed, work.progress, open_for
    )


def _read_rows(name: str, data: PartyData, center: Center) -> TrainingRows:
    try:
        return read_party_rows(name, data, center)
    except InputError as error:
        raise PartyError(name, error) from None


def _list_center_files(reports: Mapping[str, PartyData]) -> dict[str, Path]:
    """Return the center's files, by what they are."""
    shared = next(iter(reports.values()))
    files = {f"test.{shared.center_label}": shared.test.path}
    if shared.validation is not None:
        files["validation"] = shared.validation.path
    return files
