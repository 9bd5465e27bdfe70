"""Fair shares: against reading the table once, and against shapiq's and pyDVL's exact values.

    python -m benchmarks.valuation [--peers | --sampled] [--shapiq PYTHON] [--pydvl PYTHON]

Ours divides a float64 table of all coalitions. The floor is `table.sum()` in the same process, the
contestants taking turns, the fastest round counting. Targets: within 4 times the floor for N = 22,
and under 1 GiB beyond the table for N = 26. The closed forms' tables (N = 20 in under 1 s) and the
division by types (N = 10 000 of 3 types in under 60 s, N = 1000 of 4) follow.

The peers are in `valuation_peers`: shapiq of this environment (extra `approximate`) or of PYTHON,
and pyDVL of PYTHON, of the environment variable ABOVEBOARD_PYDVL, or else of an environment that is
made for the run. With --sampled nothing but the errors of sampled shares at equal numbers of
evaluations is measured: `valuation_sampled`.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from math import inf
from typing import Any

import numpy as np

from aboveboard.valuation import FederatedMean, Population, among_users, dp_mean, federated_mean
from aboveboard.valuation.few_types import shares_by_type
from benchmarks.valuation_peers import compare
from benchmarks.valuation_sampled import sampled

ROUNDS = 7
SEED = 7
MIB = 2**20


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapiq", metavar="PYTHON", help="an interpreter that has shapiq")
    parser.add_argument("--pydvl", metavar="PYTHON", help="an interpreter that has pyDVL")
    parser.add_argument("--peers", action="store_true", help="only the peers")
    parser.add_argument("--sampled", action="store_true", help="only the sampled shares")
    arguments = parser.parse_args()
    if arguments.sampled:
        sampled()
        return
    if not arguments.peers:
        floor()
        tables()
        types()
    compare(arguments.shapiq, arguments.pydvl, fastest)


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


if __name__ == "__main__":
    main()
