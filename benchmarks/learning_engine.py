"""The airlines' training: in process, against a process for each party, out of the git history.

The last commit with processes and pipes is taken from this repository's history into a temporary
folder. Both train on the same files, each in an interpreter of its own; processor time and memory
include those of child processes. They must measure the same joint quality, to the last bit.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

from benchmarks.comparison import Measured, NotMeasuredError, Timing, agree

BEFORE = "e6f5005~1"
"""The last commit at which a federated party was a process."""

PARTIES = 6

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "learning" / "airlines"

SCRIPT = """
import json, resource, sys, time
import aboveboard as ab
from benchmarks.memory import find_peak
collaboration = ab.load(sys.argv[1])
wall, cpu = time.perf_counter(), time.process_time()
settlement = collaboration.mechanism.settle(collaboration.reports)
children = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([
    time.perf_counter() - wall,
    time.process_time() - cpu + children.ru_utime + children.ru_stime,
    find_peak(), children.ru_maxrss * 1024,
    settlement.details["training"]["joint_quality"],
]))
"""


def measure_airlines(repeat: int) -> Measured:
    """Return the time and memory of the airlines' training by both engines.

    Raises
    ------
    NotMeasuredError
        If the history or the flights are not there.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_flights(folder)
        old = folder / "old"
        _extract(old)
        here, there = [], []
        for _ in range(repeat):
            here.append(_run(ROOT / "src", folder))
            there.append(_run(old / "src", folder))
    agree(all(a[4] == b[4] for a, b in zip(here, there, strict=True)), what="airlines")
    floor = _measure_libraries()
    remark = (
        "an interpreter that has imported scikit-learn, skops and polars, and done nothing, takes "
        f"{floor / 2**20:.0f} MiB."
    )
    return Measured(_as_timing(here, children=0), _as_timing(there, children=PARTIES), remark)


def _measure_libraries() -> int:
    """Return the memory, in bytes, below which no engine in one process can be."""
    script = (
        "import sklearn.linear_model, skops.io, polars\n"
        "from benchmarks.memory import find_peak\n"
        "print(find_peak())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, cwd=ROOT)
    return int(done.stdout)


def _write_flights(folder: Path) -> None:
    for file in ("flights.py", "collaboration.toml"):
        shutil.copy(EXAMPLE / file, folder)
    done = subprocess.run(
        [sys.executable, "flights.py"], cwd=folder, capture_output=True, check=False
    )
    if done.returncode:
        raise NotMeasuredError("the flights need the extra 'demo'")


def _extract(folder: Path) -> None:
    done = subprocess.run(
        ["git", "archive", BEFORE, "src"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise NotMeasuredError(f"the commit {BEFORE} is not in the history that is here")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _run(source: Path, folder: Path) -> tuple[float, float, int, int, float]:
    environment = {**os.environ, "PYTHONPATH": str(source)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder / "collaboration.toml")],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    wall, cpu, own, child, quality = json.loads(done.stdout.splitlines()[-1])
    return wall, cpu, own, child, quality


def _as_timing(runs: list[tuple[float, float, int, int, float]], *, children: int) -> Timing:
    """Return the fastest run; memory counts each child as the largest of them."""
    walls = [run[0] for run in runs]
    fastest = min(runs)
    peak = max(own + children * child for _, _, own, child, _ in runs)
    return Timing(fastest[0], fastest[1], max(walls), len(runs), peak)
