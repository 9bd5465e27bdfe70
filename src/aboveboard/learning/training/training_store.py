"""Joint models as they were measured, kept on disk: a run that was killed goes on with them.

One file for each training, named by a digest of all that it depends on: the contents of all files,
the table `[training]`, the seed, the versions of the libraries, and who trained with what. Files
hold what a model predicts for the test rows, no model and no pickle. Each bears a checksum keyed by
the user, so that nobody else can send some along. What is kept is also checked by sample: in each
run one of the trainings that were read, drawn at random, is done again.
Cost: for m test rows some 10 m to 50 m bytes a training, and one training more a run.
"""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from aboveboard.errors import InputError
from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.training.averaging import AveragingState
from aboveboard.learning.training.measured_models import JointModel, PartsByParty
from aboveboard.learning.training.predictions import Predictions
from aboveboard.learning.training.scores import Skill
from aboveboard.learning.training.tables import digest_file
from aboveboard.learning.training.trainer import JointPlan
from aboveboard.learning.training.wire import pack, unpack
from aboveboard.storage.atomic import atomic_file
from aboveboard.storage.cache_key import open_content, seal_content

TRAINING_LIBRARIES = ("aboveboard", "numpy", "scipy", "scikit-learn")
"""A training by another version is done again."""

TOLERANCE = 1e-6
"""How far predictions may differ: two machines may round differently."""


@dataclass
class TrainingStore:
    """A folder of measured joint models.

    Parameters
    ----------
    folder
        It is made when something is kept.
    run
        Digest of what all trainings of a run depend on.
    """

    folder: Path
    run: str
    _read: list[tuple[PartsByParty, JointModel]] = field(default_factory=list, init=False)

    def load(
        self, members: PartsByParty, score: Callable[[Predictions], Skill]
    ) -> JointModel | None:
        """Return a training that was kept; None where there is none, or its file is damaged.

        Parameters
        ----------
        members
            Who trained together, with what.
        score
            Measures what a model predicts.
        """
        try:
            content = open_content(self._find_path(members).read_bytes())
            if content is None:
                return None  # not of this user: it is done anew
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                counts = json.loads(str(file["counts"]))
                decision = file.get("decision", None)
                predictions = Predictions(
                    file["values"], file["labels"], bool(file["certain"]), decision
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        kept = JointModel(score(predictions), predictions, counts["left_out"], counts["clipped"])
        self._read.append((members, kept))
        return kept

    def save(self, members: PartsByParty, model: JointModel) -> None:
        """Keep a training; a folder that cannot be written is done without."""
        predictions = model.predictions
        if predictions is None:
            return
        arrays: dict[str, Any] = {
            "values": predictions.values,
            "labels": predictions.labels,
            "certain": predictions.certain,
            "counts": json.dumps(
                {"left_out": dict(model.left_out), "clipped": dict(model.clipped)}
            ),
        }
        if predictions.decision is not None:
            arrays["decision"] = predictions.decision
        with suppress(OSError, InputError):
            self.folder.mkdir(parents=True, exist_ok=True)
            stream = io.BytesIO()
            np.savez_compressed(stream, **arrays)
            with atomic_file(self._find_path(members)) as path:
                path.write_bytes(seal_content(stream.getvalue()))

    def has(self, members: PartsByParty) -> bool:
        """Return whether a training is kept."""
        return self._find_path(members).is_file()

    def load_round(self, plan: JointPlan) -> AveragingState | None:
        """Return where the averaging of a plan stands; None where nothing readable is kept."""
        try:
            content = open_content(self._find_round(plan).read_bytes())
            if content is None:
                return None
            kept = unpack(content)
            state = AveragingState(*kept)
        except (OSError, InputError, TypeError):
            return None
        return state

    def save_round(self, plan: JointPlan, state: AveragingState) -> None:
        """Keep where the averaging of a plan stands; a folder that cannot be written is left."""
        content = pack(tuple(getattr(state, each.name) for each in fields(state)))
        with suppress(OSError, InputError):
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_file(self._find_round(plan)) as path:
                path.write_bytes(seal_content(content))

    def drop_rounds(self, plans: Iterable[JointPlan]) -> None:
        """Delete where averagings stood: their models are kept."""
        for plan in plans:
            with suppress(OSError):
                self._find_round(plan).unlink(missing_ok=True)

    def _find_round(self, plan: JointPlan) -> Path:
        text = json.dumps([self.run, dict(plan.sizes), dict(plan.best), dict(plan.parts)])
        return self.folder / f"learning-{hashlib.sha256(text.encode()).hexdigest()}.round"

    def check_sample(self, train: Callable[[PartsByParty], JointModel]) -> None:
        """Do one of the trainings again that were read in this run.

        Raises
        ------
        InputError
            If it gives something else than was kept.
        """
        if not self._read:
            return
        members, kept = secrets.choice(self._read)
        again = train(members)
        assert again.predictions is not None
        assert kept.predictions is not None
        before, now = kept.predictions.values, again.predictions.values
        if before.shape != now.shape or not np.allclose(before, now, rtol=0, atol=TOLERANCE):
            raise InputError(
                "cache",
                f"{self._find_path(members).name} in {self.folder} is not what training gives",
                "delete the folder: somebody has changed it, or it comes from another machine",
            )

    def _find_path(self, members: PartsByParty) -> Path:
        text = json.dumps([self.run, sorted(members.items())])
        return self.folder / f"learning-{hashlib.sha256(text.encode()).hexdigest()}.npz"


def open_store(
    folder: Path | None,
    table: TrainingTable,
    files: Mapping[str, Path],
    data: Mapping[str, str],
    seed: int,
) -> TrainingStore | None:
    """Return the store of a run; None without a folder.

    Parameters
    ----------
    folder
        Where trainings are kept.
    table
        The file's `[training]`.
    files
        The center's files, by what they are.
    data
        SHA-256 of the parties' files, by what they are.
    seed
        Of everything drawn.
    """
    if folder is None:
        return None
    left_out = {"test", "validation", "widest_interval", "engine", "flower"}
    parts = {
        "table": table.model_dump_json(exclude=left_out),
        "files": {what: digest_file(path) for what, path in files.items()} | dict(data),
        "seed": str(seed),
        "versions": {library: version(library) for library in TRAINING_LIBRARIES},
    }
    text = json.dumps(parts, sort_keys=True)
    return TrainingStore(folder, hashlib.sha256(text.encode()).hexdigest())
