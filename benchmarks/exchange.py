"""The exchange, measured next to what it can be held against, in one run.

    python -m benchmarks.exchange

**Data.** Ten parties of a million rows each, from Parquet to reply files. Ours is the whole of
`aboveboard run`: read, find each element's owners, the best-group rule, hand out in the
pseudo-random order, gather the rows, write a Parquet file a party, fingerprint every input and
output, search each party's best lie for the report, write the folder. polars alone reads the same
files, groups by key (owners as a mask, the first row of each key), and writes for each party the
same number of rows as they come: neither in an order that the parties cannot foresee, nor sorted,
nor from a row that is chosen canonically. It is tried eagerly and in the streaming engine; the
faster counts. Every run is a process of its own, the contestants take turns, and the fastest of the
rounds counts. Targets: within 3 times polars alone, and under 4 GiB.

**Mechanism 2.** The DP over coalitions against the recursion as printed (n! calls) at n = 8, and
alone at n = 20. Target: n = 20 in under 2 s, compiling included.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

PARTIES = 10
ROWS = 1_000_000
ROUNDS = 3
AMOUNTS = "amounts.json"
SEED = 7
GIB = 2**30


def make_parties(folder: Path, parties: int = PARTIES, rows: int = ROWS) -> int:
    """Write the parties' files, and return how many distinct keys they hold together.

    Half of each party's domains are drawn from a core that many hold, half from a long tail.
    """
    generator = np.random.default_rng(SEED)
    words = pl.Series(
        ["mail", "temp", "box", "drop", "fast", "net", "zen", "spam", "yopo", "trash"]
    )
    endings = pl.Series(["com", "net", "org", "io", "xyz", "top", "info", "co.uk"])
    core, tail = 3 * rows // 2, 6 * rows
    seen = np.zeros(core + tail, np.bool_)
    for party in range(parties):
        numbers = np.concatenate(
            [
                generator.choice(core, rows // 2, replace=False),
                core + generator.choice(tail, rows - rows // 2, replace=False),
            ]
        )
        generator.shuffle(numbers)
        seen[numbers] = True
        number = pl.Series("number", numbers)
        pl.DataFrame(
            {
                "word": words.gather(numbers * 7919 % len(words)),
                "number": number,
                "ending": endings.gather(numbers * 104729 % len(endings)),
                "first_seen": generator.integers(1_500_000_000, 1_750_000_000, rows),
                "source": words.gather(generator.integers(0, len(words), rows)),
            }
        ).select(
            pl.format("{}-{}.{}", "word", "number", "ending").alias("domain"),
            "first_seen",
            "source",
        ).write_parquet(folder / f"party{party}.parquet")
    tables = [
        f'[parties.party{k}]\ndata = "party{k}.parquet"\nkey = "domain"\n' for k in range(parties)
    ]
    head = f'mechanism = "exchange.union"\nseed = {SEED}\n'
    (folder / "collaboration.toml").write_text(head + "".join(tables))
    return int(np.count_nonzero(seen))


def ours(folder: Path, out: Path) -> None:
    # Imported here: importing is part of the time.
    from aboveboard.collaboration import load
    from aboveboard.commands import settle

    settle(load(folder / "collaboration.toml"), out / "settlement", force=True)


def polars_alone(folder: Path, out: Path, engine: str) -> None:
    amounts = json.loads((folder / AMOUNTS).read_text())
    paths = sorted(folder.glob("*.parquet"))
    scanned = [
        pl.scan_parquet(path).with_columns(pl.lit(1 << bit, dtype=pl.UInt64).alias("owners"))
        for bit, path in enumerate(paths)
    ]
    grouped: pl.DataFrame = (
        pl.concat(scanned)
        .group_by("domain")
        .agg(pl.col("owners").sum(), pl.col("first_seen", "source").first())
        .collect(engine=engine)  # type: ignore[call-overload]
    )
    for bit, path in enumerate(paths):
        lacked = grouped.filter(pl.col("owners") & (1 << bit) == 0).drop("owners")
        lacked.head(amounts[path.stem]).write_parquet(out / path.name)


TASKS: dict[str, Callable[[Path, Path], None]] = {
    "ours": ours,
    "polars in memory": lambda folder, out: polars_alone(folder, out, "in-memory"),
    "polars streaming": lambda folder, out: polars_alone(folder, out, "streaming"),
}


def timed(task: str, folder: Path, out: Path) -> dict[str, float]:
    """Run one task in a process of its own: seconds and peak memory in GiB."""
    out.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.exchange", task, str(folder), str(out)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(run.stdout)
    return result


def measure(parties: int = PARTIES, rows: int = ROWS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Run the benchmark and return its numbers.

    Returns
    -------
    `distinct_keys`; for each task of `TASKS` its `seconds` (the fastest round) and `peak_gib` (the
    largest); `ratio` of ours to the faster polars; `peak_gib` of ours.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "parties"
        folder.mkdir()
        distinct = make_parties(folder, parties, rows)
        # Compiling happens once in the life of an installation: not in the time.
        timed("ours", folder, Path(scratch) / "ours")
        manifest = json.loads((Path(scratch) / "ours/settlement/settlement.json").read_text())
        amounts = {name: share["benefit"] for name, share in manifest["parties"].items()}
        (folder / AMOUNTS).write_text(json.dumps(amounts))
        runs: dict[str, list[dict[str, float]]] = {task: [] for task in TASKS}
        for _ in range(rounds):
            for task in TASKS:
                runs[task].append(timed(task, folder, Path(scratch) / task))
        sizes = {task: _rows_written(Path(scratch) / task) for task in TASKS}
    if len(set(sizes.values())) != 1:
        raise AssertionError(f"the replies differ in size: {sizes}")
    results: dict[str, Any] = {
        task: {
            "seconds": min(run["seconds"] for run in of_task),
            "peak_gib": max(run["peak_gib"] for run in of_task),
        }
        for task, of_task in runs.items()
    }
    alone = min(results[task]["seconds"] for task in TASKS if task != "ours")
    return {
        "distinct_keys": distinct,
        **results,
        "ratio": results["ours"]["seconds"] / alone,
        "peak_gib": results["ours"]["peak_gib"],
    }


def _rows_written(out: Path) -> tuple[int, ...]:
    paths = sorted(out.rglob("*.parquet"))
    return tuple(pl.scan_parquet(path).select(pl.len()).collect().item() for path in paths)


def printed_recursion(unions: NDArray[np.int64], sizes: NDArray[np.int64], coalition: int) -> int:
    """ComputeV of the paper, call by call."""
    members = [k for k in range(len(sizes)) if coalition >> k & 1]
    if len(members) <= 1:
        return 0
    lacks = [int(unions[coalition] - sizes[k]) for k in members]
    without = [printed_recursion(unions, sizes, coalition ^ (1 << k)) for k in members]
    return min(min(x + v for x, v in zip(lacks, without, strict=True)), max(lacks))


def mechanism_2() -> dict[str, float]:
    """Time Mechanism 2: the recursion and the DP at n = 8, the DP at n = 20 from the counts."""
    generator = np.random.default_rng(SEED)
    start = time.perf_counter()
    from aboveboard.exchange import RULES, Regions
    from aboveboard.exchange.kernels import ceilings, coalition_unions

    def instance(n: int) -> Regions:
        owners = np.arange(1, 1 << n, dtype=np.uint64)
        counts = generator.integers(0, 50, size=len(owners))
        return Regions(tuple(f"p{k}" for k in range(n)), owners, counts)

    twenty = instance(20)
    seconds = {"imports and instance": time.perf_counter() - start}
    start = time.perf_counter()
    RULES["all-or-nothing"].of(twenty)
    seconds["n = 20, first call"] = time.perf_counter() - start
    start = time.perf_counter()
    RULES["all-or-nothing"].of(twenty)
    seconds["n = 20, compiled"] = time.perf_counter() - start
    eight = instance(8)
    unions = coalition_unions(eight.owners, eight.counts, 8)
    start = time.perf_counter()
    table = ceilings(unions, eight.sizes)
    seconds["n = 8, DP"] = time.perf_counter() - start
    start = time.perf_counter()
    value = printed_recursion(unions, eight.sizes, 255)
    seconds["n = 8, printed recursion"] = time.perf_counter() - start
    if value != table[255]:
        raise AssertionError(f"the recursion gives {value}, the DP {table[255]}")
    return seconds


def main() -> None:
    if len(sys.argv) > 1:
        task, folder, out = sys.argv[1:]
        start = time.perf_counter()
        TASKS[task](Path(folder), Path(out))
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB
        print(json.dumps({"seconds": seconds, "peak_gib": peak}))
        return
    for what, seconds in mechanism_2().items():
        print(f"Mechanism 2, {what:24s} {seconds:10.6f} s")
    results = measure()
    print(f"{PARTIES} parties of {ROWS:,} rows, {results['distinct_keys']:,} distinct keys")
    for task in TASKS:
        print(f"{task:18s} {results[task]['seconds']:6.2f} s {results[task]['peak_gib']:6.2f} GiB")
    print(
        f"ratio {results['ratio']:.2f} (target: at most 3), "
        f"peak {results['peak_gib']:.2f} GiB (target: under 4)"
    )


if __name__ == "__main__":
    main()
