"""Evidence of a market of trained models: a party scores its own model on the opened test rows.

The hash of the test rows stands in the terms; the center opens them after the run. The party's
reply is its model: it is loaded without pickle, only if it holds nothing but classes of the
libraries that skops trusts, and its quality is measured as the center measures it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import BadZipFile, ZipFile

from aboveboard.errors import InputError
from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import parse_number
from aboveboard.evidence.verifiers.opened import read_files
from aboveboard.formatting import format_rounded

UNSCORED = "the quality of your model"
"""What stays on the center's word where the test rows are not opened, or the model not loaded."""

TOLERANCE = 1e-6
"""How far a quality may differ: other libraries give other last digits of a model's scores."""


def verify_own_model(case: Case, findings: Findings) -> None:
    """Measure the quality of the party's own model, and compare it with the published one."""
    if case.reply is None:
        return
    if case.reply.suffix != ".skops":
        _verify_no_model(case, findings)
        return
    if not _is_archive_of_model(case.reply):
        findings.contradict("your reply is called a model, and is none", case.proof)
        return
    if case.round.terms.opened == "nothing":
        findings.trust(f"{UNSCORED}: by the terms no test rows are opened")
        return
    try:
        import skops.io  # noqa: F401 - apart: a stranger's model may raise ImportError as it loads
    except ImportError:
        findings.miss("skops and scikit-learn, to measure your model: install them")
        return
    try:
        files = {name: x for name, (_, x) in read_files(case.facts.get("files", {})).items()}
        quality = measure_model(case.reply, case.parameters["training"], files, case.seed)
    except Exception as error:  # a stranger's model: whatever its libraries raise on it
        problem = error.problem if isinstance(error, InputError) else str(error)[:200]
        findings.trust(f"{UNSCORED}: it cannot be measured here ({problem})")
        return
    qualities = case.facts.get("qualities")
    stated = parse_number(qualities.get(case.name)) if isinstance(qualities, dict) else None
    difference = None if stated is None else float(stated) - quality
    shown = format_rounded(quality)
    if difference is not None and difference > TOLERANCE:
        findings.trust(
            f"that a model of your own is better than the one handed out to you: this has the "
            f"quality {shown} on the opened test rows, and {stated} is stated as yours"
        )
        return
    findings.check(
        difference is not None and difference >= -TOLERANCE,
        f"your model has the quality {shown} on the opened test rows, as stated",
        f"your model has the quality {shown} on the opened test rows, and {stated} is stated",
        case.proof,
    )


def _is_archive_of_model(path: Path) -> bool:
    """Return whether a file is an archive with the schema that every model of skops has."""
    try:
        with ZipFile(path) as archive:
            return "schema.json" in archive.namelist()
    except (BadZipFile, OSError, ValueError, NotImplementedError):  # as its bytes make it
        return False


def _verify_no_model(case: Case, findings: Findings) -> None:
    """Note what a party is told that gets no model."""
    findings.trust("the quality of the model of your own that the center measured")
    reply = case.read_reply()
    findings.check(
        reply is not None and reply.get("served") is False,
        "you were handed no model, and your reply says so",
        "your reply is neither a model nor says that there is none",
        case.proof,
    )


def measure_model(
    model: Path, training: Mapping[str, Any], files: Mapping[str, bytes], seed: int
) -> float:
    """Return a model's quality on the center's test rows, as a run measures it.

    Parameters
    ----------
    model
        The .skops file.
    training
        The table of the terms.
    files
        The center's opened files, by name.
    seed
        Of the run: it halves the test rows where there are no rows to validate with.

    Raises
    ------
    InputError
        If the model holds other classes than skops trusts, or the rows do not fit it.
    KeyError
        If the test rows are not among the opened files.
    ValueError
        If the terms do not name the label.
    ImportError
        If skops is not installed.
    """
    from aboveboard.learning.market.training_file import TrainingTable
    from aboveboard.learning.training.center import read_center
    from aboveboard.learning.training.estimators import predicts_classes
    from aboveboard.learning.training.scores import Meter

    pipeline = _load_model(model)
    with TemporaryDirectory() as scratch:
        paths = {
            key: _write_file(training[key], files, Path(scratch))
            for key in ("test", "validation")
            if training.get(key) is not None
        }
        table = TrainingTable.model_validate({**training, **paths})
        if table.label is None:
            raise ValueError("the terms do not name the label")
        rows = read_center(
            table.test,
            table.validation,
            label=table.label,
            features=table.features,
            classification=predicts_classes(pipeline),
            seed=seed,
            coincidences=table.coincidences,
            steps=table.steps,
        )
        test = rows.raw_test
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names that the rows need not have
            return float(Meter(test.x, test, rows.terms, table.metric).measure(pipeline).value)


def _write_file(name: Any, files: Mapping[str, bytes], folder: Path) -> Path:
    """Write an opened file; return its path."""
    path = folder / Path(str(name)).name
    path.write_bytes(files[name])
    return path


def _load_model(path: Path) -> Any:
    import skops.io

    strange = skops.io.get_untrusted_types(file=path)
    if strange:
        raise InputError(
            str(path), f"it holds {', '.join(strange)[:200]}", "load it only if you trust them"
        )
    return skops.io.load(path, trusted=[])
