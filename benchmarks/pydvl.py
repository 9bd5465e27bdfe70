"""pyDVL, timed in an environment of its own.

pyDVL asks for a NumPy below 2 and so cannot share an environment with us. The Python that has it
is the one that ABOVEBOARD_PYDVL names, or else one that is made for the run.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import rmtree

import numpy as np
from numpy.typing import NDArray

from benchmarks.comparison import NotMeasuredError, Timing
from benchmarks.timing import LONG, ROUND

WHY = "it asks for a NumPy below 2"
NAMED_BY = "ABOVEBOARD_PYDVL"
"""The environment variable that names a Python which has pyDVL."""

PATIENCE = 900
"""Seconds that making the environment may take."""

SCRIPT = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
from importlib.metadata import version
from math import ceil
import numpy as np
from pydvl.utils import powerset
from pydvl.value.shapley import combinatorial_exact_shapley

class Data:
    def __init__(self, n):
        self.indices = self.data_names = np.arange(n)
    def __len__(self):
        return len(self.indices)

class Lookup:
    def __init__(self, table):
        self.values, self.data = table.tolist(), Data(len(table).bit_length() - 1)
        self.bits = [1 << i for i in range(len(self.data))]
    def __call__(self, indices):
        return self.values[sum(self.bits[i] for i in indices)]

path, repeat, long, least = sys.argv[1], *map(float, sys.argv[2:])
game = Lookup(np.load(path))
n = len(game.data)

def timed(times):
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(times):
        values = combinatorial_exact_shapley(game, progress=False).values
    return (time.perf_counter() - wall) / times, (time.process_time() - cpu) / times, values

calls = [timed(1)]
if calls[0][0] <= long:
    times = max(1, ceil(least / calls[0][0]))
    calls = [timed(times) for _ in range(int(repeat))]
best = min(calls, key=lambda call: call[0])
sets = list(powerset(range(n - 1)))
start = time.perf_counter()
for _ in range(n):
    for members in sets:
        game({n - 1}.union(members))
        game(members)
lookups = time.perf_counter() - start
print(json.dumps({
    "wall": best[0], "cpu": best[1], "slowest": max(call[0] for call in calls),
    "rounds": len(calls), "lookups": lookups, "shares": best[2].tolist(),
    "versions": f"pyDVL {version('pydvl')} with NumPy {np.__version__}",
}))
"""


@dataclass(frozen=True)
class Told:
    """What pyDVL gave: its time, its shares, seconds of its look-ups alone, versions."""

    timing: Timing
    shares: tuple[float, ...]
    lookups: float
    versions: str


def shapley(table: NDArray[np.float64], repeat: int, *, install: bool) -> Told:
    """Let pyDVL divide a table.

    Parameters
    ----------
    table
        By bit mask.
    repeat
        Rounds, as in `timing.timed`.
    install
        Make an environment if no Python with pyDVL is named.

    Raises
    ------
    NotMeasuredError
        If there is no such Python.
    """
    python = interpreter(install)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.npy"
        np.save(path, table)
        command = [python, "-c", SCRIPT, str(path), str(repeat), str(LONG), str(ROUND)]
        try:
            run = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise NotMeasuredError(_last(error)) from None
    told = json.loads(run.stdout.splitlines()[-1])
    timing = Timing(told["wall"], told["cpu"], told["slowest"], told["rounds"])
    return Told(timing, tuple(told["shares"]), told["lookups"], told["versions"])


@cache
def interpreter(install: bool) -> str:
    """Return a Python that has pyDVL; one that is made for the run goes when the run ends."""
    named = os.environ.get(NAMED_BY)
    if named:
        return named
    if not install:
        raise NotMeasuredError(f"{NAMED_BY} names no Python that has it")
    folder = tempfile.mkdtemp(prefix="pydvl-")
    atexit.register(rmtree, folder, ignore_errors=True)
    there = str(Path(folder) / "bin" / "python")
    try:
        for command in (
            [sys.executable, "-m", "venv", folder],
            [there, "-m", "pip", "install", "-q", "pydvl"],
        ):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotMeasuredError(f"it cannot be installed here ({_last(error)})") from None
    return there


def _last(error: Exception) -> str:
    said = str(getattr(error, "stderr", None) or error).strip().splitlines()
    return said[-1] if said else "it failed"
