"""A mechanism's training by the engine that its file names: here, or on the parties' machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.mechanisms.mechanism import Work

if TYPE_CHECKING:
    from aboveboard.learning.training.joint_training import Connect
    from aboveboard.learning.training.training_result import TrainingResult


def train_on_reports(
    table: TrainingTable, reports: Mapping[str, Any], *, seed: int, work: Work | None
) -> TrainingResult:
    """Train on what the parties report, by the engine that the table names.

    Parameters
    ----------
    table
        The file's `[training]`.
    reports
        By party: where its data are.
    seed
        Of everything drawn.
    work
        Where and how training is done.

    Raises
    ------
    InputError
        As `train`; or if the parties' machines cannot be reached.
    """
    from aboveboard.learning.training.joint_training import train

    connect: Connect | None = None
    if table.engine == "flower":
        from aboveboard.learning.flower.superlink import connect_parties

        connect = connect_parties
    return train(table, reports, seed=seed, work=work, connect=connect)
