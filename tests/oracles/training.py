"""Data with known truth, and parties that cheat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.learning.training.data_files import DataFile, PartyData
from aboveboard.learning.training.engine import (
    Coincidences,
    Compare,
    Fingerprints,
    Fit,
    InProcessEngine,
    PartyAnswer,
    Request,
    RowCount,
    StartTraining,
    TrainingStep,
)
from aboveboard.learning.training.estimators import Parameters
from aboveboard.learning.training.party import PartyTrainer
from aboveboard.learning.training.tables import TrainingRows, TrainingTerms

FEATURES = ("f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7")
TERMS = TrainingTerms(FEATURES, "y", ("0", "1"))
SLOPES = np.array([1.0, -0.8, 0.6, -0.5, 0.4, 0.3, -0.6, 0.7])


def honest(rng: np.random.Generator, n: int, *, flipped: float = 0.0) -> TrainingRows:
    """Draw rows of one logistic population; a share of the labels is drawn at random."""
    x = rng.normal(size=(n, len(SLOPES)))
    y = (rng.random(n) < 1 / (1 + np.exp(0.4 - x @ SLOPES))).astype(int)
    odd = rng.random(n) < flipped
    return rows(x, np.where(odd, rng.integers(0, 2, n), y))


def rows(x: NDArray[np.float64], y: NDArray[Any]) -> TrainingRows:
    """Take features and labels as rows of a file."""
    return TrainingRows(x, y, np.arange(len(y)), lambda row: f"line {row + 2}")


def write(path: Path, data: TrainingRows, label: str = "y") -> Path:
    """Write rows as CSV."""
    lines = [",".join((*FEATURES, label))]
    lines += [
        ",".join([*(repr(float(v)) for v in x), str(y)])
        for x, y in zip(data.x, data.y, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def data_file(path: Path) -> DataFile:
    """Return a file as reports have it."""
    status = path.stat()
    return DataFile(path.resolve(), (status.st_mtime_ns, status.st_size))


def party_data(folder: Path, *names: str) -> dict[str, PartyData]:
    """Return reports of parties with NAME.csv in a folder."""
    test, validation = data_file(folder / "test.csv"), data_file(folder / "validation.csv")
    return {
        name: PartyData(data_file(folder / f"{name}.csv"), None, test, validation, "y")
        for name in names
    }


class FreeRider:
    """Returns whatever model it is sent, or zeros, and says it has a million rows."""

    def answer(self, request: Request) -> PartyAnswer:
        if isinstance(request, StartTraining):
            self._start = request
            return RowCount(10**6)
        if isinstance(request, Fit):
            return Parameters(np.zeros((1, len(FEATURES))), np.zeros(1))
        if isinstance(request, TrainingStep):
            return request.model
        if isinstance(request, Compare):
            return Coincidences(0, "")
        return Fingerprints(np.zeros(0, dtype=np.uint64))


def engine_of(**answerers: Any) -> InProcessEngine:
    """Return an engine of parties that have a method `answer`, or a file."""
    return InProcessEngine(
        {
            name: (PartyTrainer(party) if isinstance(party, Path) else party).answer
            for name, party in answerers.items()
        }
    )
