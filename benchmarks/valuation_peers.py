"""Exact shares next to shapiq's exact computer and pyDVL's exact combinatorial value, in one run.

All are given the same tables of random values, and their Shapley values must agree with ours.
shapiq looks a batch of coalitions up in the table, which costs it next to nothing. pyDVL pins an
old NumPy, so it runs in an environment of its own and times itself there; it asks for one coalition
at a time, so the time of its look-ups alone is measured beside it, in the same process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from aboveboard.valuation import among_users

PEERS = (8, 10, 12, 14, 16)
SEED = 7
ENVIRONMENT = "ABOVEBOARD_PYDVL"
"""Names a Python that has pyDVL."""

SHAPIQ = """
import json, sys, time
import numpy as np
from shapiq import ExactComputer, Game

class Lookup(Game):
    def __init__(self, table):
        self.table, n = table, len(table).bit_length() - 1
        self.bits = 1 << np.arange(n)
        super().__init__(n_players=n, normalize=False, normalization_value=float(table[0]))
    def value_function(self, coalitions):
        return self.table[coalitions @ self.bits]

for n in json.loads(sys.argv[1]):
    table = np.random.default_rng(int(sys.argv[2])).random(1 << n)
    best = lookups = float("inf")
    masks = np.arange(1 << n)[:, None] >> np.arange(n) & 1
    for _ in range(3 if n < 14 else 1):
        start = time.perf_counter()
        values = ExactComputer(game=Lookup(table), n_players=n)("SV")
        best = min(best, time.perf_counter() - start)
        start = time.perf_counter()
        Lookup(table).value_function(masks)
        lookups = min(lookups, time.perf_counter() - start)
    print(json.dumps([n, best, lookups, [float(values[(i,)]) for i in range(n)]]), flush=True)
"""

PYDVL = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
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

for n in json.loads(sys.argv[1]):
    table = np.random.default_rng(int(sys.argv[2])).random(1 << n)
    game = Lookup(table)
    best = lookups = float("inf")
    sets = list(powerset(range(n - 1)))
    for _ in range(3 if n < 14 else 1):
        start = time.perf_counter()
        values = combinatorial_exact_shapley(game, progress=False).values
        best = min(best, time.perf_counter() - start)
        start = time.perf_counter()
        for _ in range(n):
            for members in sets:
                game({n - 1}.union(members))
                game(members)
        lookups = min(lookups, time.perf_counter() - start)
    print(json.dumps([n, best, lookups, values.tolist()]), flush=True)
"""


def compare(shapiq: str | None, pydvl: str | None, fastest: Callable[..., list[float]]) -> None:
    """Time both peers and ourselves on the same tables, and print ratios."""
    with _pydvl(pydvl) as found:
        for name, script, python in (
            ("shapiq", SHAPIQ, shapiq or sys.executable),
            ("pyDVL", PYDVL, found),
        ):
            if python is None:
                continue
            for n, theirs, lookups, values in _timed(name, script, python):
                table = np.random.default_rng(SEED).random(1 << n)
                (ours,) = fastest(lambda table=table: among_users(table))
                gap = float(np.abs(among_users(table).users - values).max())
                print(
                    f"N = {n}: {name} {theirs * 1e3:10.1f} ms (look-ups alone "
                    f"{lookups * 1e3:8.1f} ms), ours {ours * 1e3:7.3f} ms, {theirs / ours:,.0f} "
                    f"times, largest difference {gap:.1e}"
                )


def _timed(name: str, script: str, python: str) -> Iterator[Sequence[Any]]:
    command = [python, "-c", script, json.dumps(PEERS), str(SEED)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        print(f"{name}: not measured; {error}")
        return
    if run.returncode:
        print(f"{name}: not measured; {(run.stderr.strip().splitlines() or ['it failed'])[-1]}")
        return
    for line in run.stdout.splitlines():
        yield json.loads(line)


@contextmanager
def _pydvl(python: str | None) -> Iterator[str | None]:
    """Give a Python that has pyDVL: the named one, or that of a new environment."""
    named = python or os.environ.get(ENVIRONMENT)
    if named:
        yield named
        return
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder) / ("Scripts" if os.name == "nt" else "bin") / "python"
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
            install = [str(there), "-m", "pip", "install", "-q", "pydvl"]
            subprocess.run(install, check=True, capture_output=True, text=True, timeout=900)
        except (OSError, subprocess.SubprocessError) as error:
            said = str(getattr(error, "stderr", "") or error).strip().splitlines()
            print(f"pyDVL: not measured; it cannot be installed here ({said[-1] if said else ''})")
            yield None
            return
        yield str(there)
