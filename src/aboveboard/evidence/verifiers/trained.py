"""Evidence of a market of trained models: a party scores its own model on the opened test rows.

The hash of the test rows stands in the terms; the center opens them after the run. The party's
reply is its model: it is loaded without pickle, only if it holds nothing but classes of the
libraries that skops trusts, and its quality is measured as the center measures it. That the classes
are harmless limits neither their size nor what they take: a child does it, within limits.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import BadZipFile, ZipFile

from aboveboard.errors import InputError
from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import MALFORMED, Findings
from aboveboard.evidence.numbers import parse_number
from aboveboard.evidence.verifiers.opened import read_files
from aboveboard.formatting import format_bytes, format_rounded
from aboveboard.mechanisms.child_processes import MEMORY, ask_child

UNSCORED = "the quality of your model"
"""What stays on the center's word where the test rows are not opened, or the model not loaded."""

MEASUREMENT = "aboveboard.evidence.verifiers.model_measurement"
"""What the child runs."""

PATIENCE = 120.0
"""Seconds after which the child is ended, whatever it does."""

WITHOUT = "verify the rest without it"

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
        findings.contradict("your reply is called a model, and is not one", case.proof)
        return
    if case.round.terms.opened == "nothing":
        findings.trust(f"{UNSCORED}: by the terms no test rows are opened")
        return
    if find_spec("skops") is None or find_spec("sklearn") is None:
        findings.miss("skops and scikit-learn, to measure your model: install them")
        return
    try:
        files = {name: x for name, (_, x) in read_files(case.facts.get("files", {})).items()}
        quality = measure_apart(case.reply, case.parameters["training"], files, case.seed)
    except (*MALFORMED, InputError, OSError) as error:
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


def measure_apart(
    model: Path,
    training: Mapping[str, Any],
    files: Mapping[str, bytes],
    seed: int,
    *,
    patience: float = PATIENCE,
) -> float:
    """Return a model's quality on the center's test rows, measured by a child within limits.

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
    patience
        Seconds after which the child is ended.

    Raises
    ------
    InputError
        If the model or the rows cannot be read, or it takes more than is allowed.
    """
    with TemporaryDirectory() as scratch:
        for name, content in files.items():
            (Path(scratch) / Path(name).name).write_bytes(content)
        given = {
            "model": str(model.absolute()),
            "training": dict(training),
            "folder": scratch,
            "seed": seed,
        }
        try:
            found = ask_child(MEASUREMENT, given, patience=patience)
        except subprocess.TimeoutExpired:
            problem = f"it took more than {format_rounded(patience, 3)} seconds"
            raise InputError(str(model), problem, WITHOUT) from None
        except ValueError:
            problem = f"it took more than {format_bytes(MEMORY)} of memory, or ended the process"
            raise InputError(str(model), problem, WITHOUT) from None
    if "quality" not in found:
        raise InputError(str(model), str(found["problem"]), WITHOUT)
    return float(found["quality"])
