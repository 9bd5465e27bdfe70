"""Fair shares: against reading the table once, and against shapiq's exact computer.

    python -m benchmarks.valuation [--shapiq PYTHON]

Ours divides a float64 table of all coalitions. The floor is `table.sum()` in the same process, the
contestants taking turns, the fastest round counting. Targets: within 4 times the floor for N = 22,
and under 1 GiB beyond the table for N = 26. The closed forms' tables (N = 20 in under 1 s) and the
division by types (N = 10 000 of 3 types in under 60 s, N = 1000 of 4) follow.

shapiq is never a dependency: PYTHON is an interpreter that has it (`pip install shapiq==1.4.1` in
an environment of its own). It is given the same tables as a look-up that takes a batch of
coalitions, which costs it next to nothing, and its Shapley values must agree with ours.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from math import inf
from typing import Any

import numpy as np

from aboveboard.valuation import FederatedMean, Population, among_users, dp_mean, federated_mean
from aboveboard.valuation.few_types import shares_by_type

ROUNDS = 7
SEED = 7
PEERS = (8, 10, 12, 14, 16)
MIB = 2**20

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
    best = float("inf")
    for _ in range(3 if n < 14 else 1):
        start = time.perf_counter()
        values = ExactComputer(game=Lookup(table), n_players=n)("SV")
        best = min(best, time.perf_counter() - start)
    print(json.dumps([n, best, [float(values[(i,)]) for i in range(n)]]), flush=True)
"""


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapiq", metavar="PYTHON", help="an interpreter that has shapiq")
    arguments = parser.parse_args()
    floor()
    tables()
    types()
    if arguments.shapiq:
        peers(arguments.shapiq)
    else:
        print("shapiq: not measured; give --shapiq PYTHON")


def fastest(*contestants: Callable[[], Any]) -> list[float]:
    """Time each in turns, and give the fastest round of each, in seconds."""
    best = [inf] * len(contestants)
    for _ in range(ROUNDS):
        for k, run in enumerate(contestants):
            start = time.perf_counter()
            run()
            best[k] = min(best[k], time.perf_counter() - start)
    return best


def floor() -> None:
    """Compare a division with reading the table once."""
    among_users(np.zeros(4))  # compiled
    for n in (20, 22, 24, 26):
        table = np.random.default_rng(SEED).random(1 << n)
        read, divided = fastest(table.sum, lambda table=table: among_users(table))
        tracemalloc.start()
        found = among_users(table)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(
            f"N = {n}: reading {read * 1e3:8.2f} ms, division {divided * 1e3:8.2f} ms, ratio "
            f"{divided / read:.2f}, {peak / MIB:.1f} MiB beyond the table of "
            f"{table.nbytes / MIB:.0f} MiB, efficiency error {found.error:.1e}"
        )


def tables() -> None:
    """Time the closed forms' tables."""
    generator = np.random.default_rng(SEED)
    epsilons, n = generator.random(20) * 8, 20
    levels, samples = generator.integers(0, 3, n), generator.integers(1, 100, n).astype(float)
    population = Population(1.0, 10.0)
    dp_mean.table(epsilons[:2])
    federated_mean.table(population, levels[:2], samples[:2], np.ones(2))
    private, federated = fastest(
        lambda: dp_mean.table(epsilons),
        lambda: federated_mean.table(population, levels, samples, np.ones(n)),
    )
    print(f"tables of 2^20: dp-mean {private:.3f} s, federated-mean {federated:.3f} s")


def types() -> None:
    """Time the division by types."""
    for kinds in (((3333, 1), (3333, 2), (3334, 2)), ((250, 1), (250, 1), (250, 2), (250, 2))):
        levels, samples = [], []
        for t, (size, level) in enumerate(kinds):
            levels += [Fraction(level)] * size
            samples += [Fraction(10 * (t + 1))] * size
        utility = FederatedMean(
            Population(Fraction(1), Fraction(10)), tuple(samples), (Fraction(1),) * len(samples)
        )
        grouped = utility.grouped(levels)
        start = time.perf_counter()
        found = shares_by_type(grouped.sizes, grouped.worth)
        print(
            f"{len(levels)} users of {len(kinds)} types: {time.perf_counter() - start:.1f} s, "
            f"{found.states:.2e} states, left out {found.lost:.1e}, efficiency error "
            f"{found.error:.1e} of {found.total:.0f}"
        )


def peers(python: str) -> None:
    """Compare with shapiq on the same tables."""
    command = [python, "-c", SHAPIQ, json.dumps(PEERS), str(SEED)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(f"shapiq failed: {run.stderr.strip().splitlines()[-1]}")
    for line in run.stdout.splitlines():
        n, theirs, values = json.loads(line)
        table = np.random.default_rng(SEED).random(1 << n)
        (ours,) = fastest(lambda table=table: among_users(table))
        gap = float(np.abs(among_users(table).users - values).max())
        print(
            f"N = {n}: shapiq {theirs * 1e3:10.1f} ms, ours {ours * 1e3:7.3f} ms, "
            f"{theirs / ours:,.0f} times, largest difference {gap:.1e}"
        )


if __name__ == "__main__":
    main()
