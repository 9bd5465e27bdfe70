"""Time and memory over size: one workload for each system, each size in a process of its own.

    python -m benchmarks.scaling SYSTEM SIZE     # what `measured` starts

The process imports, makes the instance, runs the smallest size once (which loads compiled code),
and then the size that is asked for, timed. Memory is the largest resident set of the process.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aboveboard.kernels import compile_always
from benchmarks.comparison import Scale
from benchmarks.memory import find_peak

GIB = 2**30
MOST = 24 * GIB
"""Bytes of the machine of which the page says where a system ends on it."""

FLAT = 1.5
"""How many times as much memory a size may take as one a tenth of it, and still be called flat."""

SMALLEST = 0.05
"""Seconds below which a time says more of the first call than of the size."""


@dataclass(frozen=True)
class Workload:
    """What is measured of one system.

    Parameters
    ----------
    system
        Its name.
    what
        What is computed.
    unit
        What a size counts.
    sizes
        By scale, ascending.
    prepare
        Makes the instance of a size in an empty folder, and returns what is timed.
    beyond
        What to do where it ends, and which parts run on several cores or machines.
    """

    system: str
    what: str
    unit: str
    sizes: dict[Scale, tuple[int, ...]]
    prepare: Callable[[int, Path], Callable[[], object]]
    beyond: str


@dataclass(frozen=True)
class Point:
    """One size: seconds by the clock, of all threads, and the largest resident set in bytes."""

    size: int
    wall: float
    cpu: float
    peak: int


@dataclass(frozen=True)
class Curve:
    """A workload with all that was measured of it."""

    workload: Workload
    points: tuple[Point, ...]

    @property
    def exponent(self) -> float | None:
        """By which power of the size the time grows, between the two largest; None if unknown."""
        if len(self.points) < 2 or self.points[-2].cpu < SMALLEST:
            return None
        one, other = self.points[-2:]
        return math.log(other.cpu / one.cpu) / math.log(other.size / one.size)

    @property
    def bytes_each(self) -> float:
        """How many bytes one unit of size takes, between the two largest."""
        one, other = self.points[-2:]
        return (other.peak - one.peak) / (other.size - one.size)

    @property
    def end(self) -> float | None:
        """The size at which memory ends, if it grows on as it did; None if it does not grow."""
        last = self.points[-1]
        if len(self.points) < 2 or self.bytes_each * last.size < (FLAT - 1) * 0.1 * last.peak:
            return None
        return last.size + (MOST - last.peak) / self.bytes_each


def prepare_exchange(rows: int, folder: Path) -> Callable[[], object]:
    from benchmarks.union_run import make_parties, ours

    make_parties(folder, 10, rows)
    return lambda: ours(folder, folder)


def prepare_valuation(coalitions: int, folder: Path) -> Callable[[], object]:
    from aboveboard.valuation import shapley_among_users
    from benchmarks.valuation import random_table

    table = random_table(coalitions.bit_length() - 1)
    return lambda: shapley_among_users(table)


def prepare_learning(profiles: int, folder: Path) -> Callable[[], object]:
    from aboveboard.learning.desirable.search import search_desirable
    from aboveboard.learning.market.allocation import Market
    from aboveboard.learning.market.quality import Identity
    from aboveboard.learning.market.valuations import Growth
    from benchmarks.learning import ALPHA

    market = Market(Identity(), Growth(ALPHA), 2)
    return lambda: search_desirable(market, range(1, math.isqrt(profiles) + 1))


def prepare_market(goods: int, folder: Path) -> Callable[[], object]:
    from aboveboard.market.optimum.social_optimum import find_optimum
    from benchmarks.market import made

    market = made("regions", goods // 2, goods)
    return lambda: find_optimum(market)


def prepare_curation(entries: int, folder: Path) -> Callable[[], object]:
    from aboveboard.curation.inference import compute_accuracy
    from benchmarks.curation import random_table, rivals_of

    agents = entries.bit_length() - 2
    table, heard = random_table(agents), rivals_of(agents)
    return lambda: compute_accuracy(table, 1, heard, 0.5)


def prepare_audit(profiles: int, folder: Path) -> Callable[[], object]:
    import numpy as np

    from aboveboard.auditing import DSIC, audit
    from aboveboard.games.game import TabularGame
    from benchmarks.audit import truthful_game

    players = 5
    game = TabularGame(truthful_game(players, round(profiles ** (1 / players)), np.int64))
    return lambda: audit(game, [DSIC()])


def _powers(least: int, most: int, step: int) -> tuple[int, ...]:
    return tuple(1 << k for k in range(least, most + 1, step))


SMALL_RUN = """mechanism = "exchange.union"
seed = 3
[parties.acme]
elements = ["a.example", "b.example", "c.example"]
[parties.bolt]
elements = ["b.example", "d.example"]
[parties.coil]
elements = ["a.example", "e.example"]
"""
COMMANDS = {
    "check": ("check", "lists.toml"),
    "run": ("run", "lists.toml", "--out", "settlement", "--force"),
    "audit": ("audit", "lists.toml"),
}
"""What people do first, as they type it."""


@dataclass(frozen=True)
class Command:
    """A command on three small lists: the best of several, from its start to its end."""

    name: str
    wall: float
    cpu: float


def measure_commands(repeat: int) -> list[Command]:
    """Measure commands on three lists; the first call of each may compile, and does not count."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "lists.toml").write_text(SMALL_RUN)
        for name, words in COMMANDS.items():
            calls = [_call(words, folder) for _ in range(repeat + 1)][1:]
            best = min(calls, key=lambda call: call.cpu)
            found.append(Command(name, best.wall, best.cpu))
            print(f"{name} of three lists: {best.cpu:.2f} s CPU, {best.wall:.2f} s", flush=True)
    return found


def _call(words: tuple[str, ...], folder: str) -> Point:
    start = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "aboveboard", *words], stdout=subprocess.DEVNULL, cwd=folder
    )
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{words[0]} ended with {child.returncode}; see above")
    wall = time.perf_counter() - start
    return Point(3, wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


WORKLOADS = (
    Workload(
        "exchange",
        "a whole run of exchange.union among 10 parties: Parquet files to replies and report",
        "rows of each party",
        {"full": (10_000, 100_000, 1_000_000, 3_000_000), "small": (400, 1_000)},
        prepare_exchange,
        "Files from 16 MiB on are read some rows at a time (Parquet by groups of rows, lines and "
        "CSV by whole lines, packed or not), and rows go to disk in parts: memory holds a few "
        "batches and a few parts, and does not grow with the rows. The disk (`TMPDIR`) needs some "
        "100 bytes for each row. What must be looked at as a whole (JSON, workbooks, UTF-16, a "
        "decimal comma that nobody states, a Parquet file of one group of rows) is read into "
        "memory, one list at a time, and refused before that where three times its text, and more "
        "for many short values, exceed 0.8 of the free memory: on 24 GiB above some 6 GB of text. "
        "Parts are worked on by all cores, and by a Dask cluster with "
        "`--executor dask://HOST:PORT`, whose workers must see the same `TMPDIR`; replies are "
        "written side by side. Reading and the report are not spread. Bundles (evidence) and "
        "inspection hold all lists in memory: leave bundles out with `--no-bundles`.",
    ),
    Workload(
        "valuation",
        "exact Shapley values from a table of all coalitions of users",
        "coalitions (2^N for N users)",
        {"full": _powers(16, 24, 2), "small": _powers(8, 10, 2)},
        prepare_valuation,
        "The table has a value for each coalition. Beyond: users of few types are grouped (10,000 "
        "users of 3 types take seconds), or shares are sampled with a stated error. Evaluations of "
        "a utility that trains models run on any executor, Dask too (`--executor`), and are kept; "
        "the fold over the table is not spread over machines.",
    ),
    Workload(
        "learning",
        "search for a desirable mechanism between two parties of up to m units of data",
        "profiles (m^2)",
        {"full": (250_000, 1_000_000, 4_000_000), "small": (900, 2_500)},
        prepare_learning,
        "Payments are computed column by column, on all threads of one machine. Beyond: a coarser "
        "grid of sizes, or the closed forms of the linear market. Trainings of measured payments "
        "are kept with `--cache`.",
    ),
    Workload(
        "market",
        "an optimal allocation, ties decided: half as many traders as goods, bids by regions",
        "goods",
        {"full": (20, 60, 100, 200), "small": (4, 8)},
        prepare_market,
        "Time, not memory, is the limit, and it depends on the instance. Where a time limit ends "
        "the search, the allocation has a stated gap and VCG has no prices. Solvers use the cores "
        "of one machine; nothing is spread over machines.",
    ),
    Workload(
        "curation",
        "what the center can guess of one agent: all bits of the others summed out of a table",
        "entries of the table (2^(n+1) for n agents)",
        {"full": _powers(17, 25, 2), "small": _powers(9, 11, 2)},
        prepare_curation,
        "Social functions that depend on how many ones there are, as a majority does, are counted "
        "instead, and from 21 agents on always: thousands of agents take seconds. Nothing is "
        "spread over machines.",
    ),
    Workload(
        "audit",
        "DSIC of a game of 5 players, exhaustive, int64 payoffs in memory",
        "profiles",
        {"full": (10**5, 16**5, 25**5, 30**5), "small": (32, 243)},
        prepare_audit,
        "The scan reads each payoff once, and the table is in memory. Beyond: samples with a "
        "stated confidence, which is what `audit` does past its limit of checks, or a game that "
        "computes payoffs row by row. Nothing is spread over machines.",
    ),
)
SYSTEMS = {workload.system: workload for workload in WORKLOADS}


def measure_here(system: str, size: int) -> Point:
    """Measure one size in this process."""
    workload = SYSTEMS[system]
    compile_always()
    smallest = min(workload.sizes["small"])
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        workload.prepare(smallest, Path(first))()
        run = workload.prepare(size, Path(second))
        cpu, wall = time.process_time(), time.perf_counter()
        run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Point(size, wall, cpu, find_peak())


def measure(workload: Workload, scale: Scale) -> Curve:
    """Measure all sizes, each in a process of its own."""
    points = []
    for size in workload.sizes[scale]:
        command = [sys.executable, "-m", "benchmarks.scaling", workload.system, str(size)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
        )
        if done.returncode:
            raise RuntimeError(f"{workload.system} of size {size} failed; see above")
        points.append(Point(**json.loads(done.stdout.splitlines()[-1])))
        point = points[-1]
        print(
            f"{workload.system}, {size:,} {workload.unit}: {point.wall:.2f} s, "
            f"{point.cpu:.2f} s CPU, {point.peak / GIB:.2f} GiB",
            flush=True,
        )
    return Curve(workload, tuple(points))


if __name__ == "__main__":
    print(json.dumps(vars(measure_here(sys.argv[1], int(sys.argv[2])))))
