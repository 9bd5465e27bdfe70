"""The doors of the product: a spoilt folder goes in, a result or one line comes out."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from aboveboard.auditing import Budget
from aboveboard.collaborations.collaboration import Collaboration, load, run
from aboveboard.commands import audit_collaboration, settle
from aboveboard.errors import AboveboardError, InputError
from aboveboard.learning.training.tables import read_rows, read_training_terms
from aboveboard.mechanisms.settlement import MANIFEST
from aboveboard.settlements.replaying import replay
from aboveboard.settlements.writing import write
from fuzz import code_doors, evidence_doors, more_doors, page_doors
from fuzz.list_seeds import bring_list
from fuzz.seeds import FILE

LINE = 2_000
"""Characters of a message that somebody still reads."""

FEW = Budget(rows=200, samples=5)
"""An audit goes through all of its code within this."""

PART = 0.08
"""Of the files that load: how many are run, written or audited too, which costs a hundredfold."""

OUT = "out-of-fuzz"


class Unsound(Exception):  # noqa: N818 - "unsound" is the finding
    """What came out is neither a result nor one plain line."""


def brought(door: str, folder: Path, rng: random.Random) -> str:
    """Bring a folder to a door.

    Returns
    -------
    What came of it: "done", "loaded", or "refused".

    Raises
    ------
    Exception
        Anything but an `AboveboardError` in one plain line is a finding.
    """
    try:
        return DOORS[door](folder, rng)
    except AboveboardError as error:
        checked_line(error)
        return "refused"
    finally:
        _check_whole(folder / OUT)


def _collaboration(folder: Path, rng: random.Random) -> str:
    collaboration = load(folder / FILE, trust_code=True)
    chance = rng.random()
    if chance > PART or _trains(collaboration):
        return "loaded"
    if chance < PART / 4:
        settle(collaboration, folder / OUT)
    elif chance < PART / 2:
        audit_collaboration(collaboration, budget=FEW).as_dict()
    else:
        _without_page(collaboration, folder / OUT)
    return "done"


def _without_page(collaboration: Collaboration, out: Path, date: str = "") -> None:
    """Run a collaboration and write its folder, without the page, which takes a second."""
    write(collaboration, run(collaboration), out, report=lambda: "", date=date)


def _settled(folder: Path, _: random.Random) -> str:
    _without_page(load(folder / FILE, trust_code=True), folder / OUT)
    return "done"


def _rows(folder: Path, rng: random.Random) -> str:
    """Read the center's rows and a party's, as training does."""
    suffix = rng.choice((".csv", ".parquet"))
    classes = rng.random() < 0.5
    path = folder / f"rows{suffix}"
    other = folder / ("rows.csv" if suffix == ".parquet" else "rows.parquet")
    label = rng.choice(("y", "b"))
    features = None if classes else ("a",)
    terms, rows = read_training_terms(
        path, "test", label=label, features=features, classification=classes
    )
    rows.compute_digests()
    read_rows(other, "data", terms).drop_duplicates()
    return "done"


def _replay(folder: Path, _: random.Random) -> str:
    replay(folder / "out", _without_page, folder / FILE, trust_code=True)
    replay(folder / "out", _without_page, trust_code=True)
    return "done"


def _trains(collaboration: Collaboration) -> bool:
    return getattr(collaboration.file, "training", None) is not None


def checked_line(error: AboveboardError) -> None:
    """Raise `Unsound` unless an error, or each of its faults, is one plain line with all parts."""
    faults = getattr(error, "faults", ())
    if len(faults) > 1:
        for fault in faults:
            checked_line(fault)
        return
    line = str(error)
    if not line or "\n" in line or not all(c.isprintable() for c in line):
        raise Unsound(f"no plain line: {line[:200]!r}") from error
    if len(line) > LINE:
        raise Unsound(f"a line of {len(line)} characters: {line[:200]!r}") from error
    if isinstance(error, InputError) and not all((error.place, error.problem, error.remedy)):
        raise Unsound(f"a part is empty: {line!r}") from error


def _check_whole(out: Path) -> None:
    """Raise if a folder was written by half; take a whole one away."""
    left = [path.name for path in out.parent.glob(f".{out.name}*")]
    if left:
        raise Unsound(f"left behind: {left}")
    if out.exists():
        if not (out / MANIFEST).is_file():
            raise Unsound("a settlement folder without a manifest")
        shutil.rmtree(out)


DOORS: dict[str, Callable[[Path, random.Random], str]] = {
    "collaboration": _collaboration,
    "settled": _settled,
    "rows": _rows,
    "replay": _replay,
    "result": evidence_doors.bring_result,
    "round": evidence_doors.bring_round,
    "pieces": evidence_doors.bring_pieces,
    "list": bring_list,
    "code": code_doors.bring_code,
    "message": code_doors.bring_message,
    "game": more_doors.bring_game,
    "note": more_doors.bring_note,
    "sealed": more_doors.bring_sealed,
    "request": more_doors.bring_request,
    **page_doors.DOORS,
}
