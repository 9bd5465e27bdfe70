"""A whole run of `exchange.union` beside polars alone; each contestant a process of its own.

    python -m benchmarks.union_run CONTESTANT FOLDER OUT     # what `measured` starts

The files have just been written, so they are read from memory, not from a disk.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.comparison import Timing, agree
from benchmarks.memory import find_peak

SEED = 7
AMOUNTS = "amounts.json"
OURS = "ours"
ENGINES = ("in-memory", "streaming")
KEY = "domain"


@dataclass(frozen=True)
class Found:
    """What came of the runs.

    Parameters
    ----------
    distinct
        Keys that the parties hold together.
    full
        Parties that are handed all that they lack.
    times
        By contestant: seconds from the first import to the last byte, and the largest resident set.
    """

    distinct: int
    full: int
    times: dict[str, Timing]


def make_parties(folder: Path, parties: int, rows: int) -> None:
    """Write the parties' files and the collaboration.

    Half of each party's domains are drawn from a core that many hold, half from a long tail.
    """
    generator = np.random.default_rng(SEED)
    words = pl.Series(
        ["mail", "temp", "box", "drop", "fast", "net", "zen", "spam", "yopo", "trash"]
    )
    endings = pl.Series(["com", "net", "org", "io", "xyz", "top", "info", "co.uk"])
    core, tail = 3 * rows // 2, 6 * rows
    for party in range(parties):
        numbers = np.concatenate(
            [
                generator.choice(core, rows // 2, replace=False),
                core + generator.choice(tail, rows - rows // 2, replace=False),
            ]
        )
        generator.shuffle(numbers)
        pl.DataFrame(
            {
                "word": words.gather(numbers * 7919 % len(words)),
                "number": pl.Series("number", numbers),
                "ending": endings.gather(numbers * 104729 % len(endings)),
                "first_seen": generator.integers(1_500_000_000, 1_750_000_000, rows),
                "source": words.gather(generator.integers(0, len(words), rows)),
            }
        ).select(
            pl.format("{}-{}.{}", "word", "number", "ending").alias(KEY),
            "first_seen",
            "source",
        ).write_parquet(folder / f"party{party}.parquet")
    tables = [
        f'[parties.party{k}]\ndata = "party{k}.parquet"\nkey = "{KEY}"\n' for k in range(parties)
    ]
    head = f'mechanism = "exchange.union"\nseed = {SEED}\n'
    (folder / "collaboration.toml").write_text(head + "".join(tables))


def ours(folder: Path, out: Path) -> None:
    # Imported here: importing is part of the time.
    from aboveboard.collaborations.collaboration import load
    from aboveboard.commands import settle

    settle(load(folder / "collaboration.toml"), out / "settlement", force=True)


def polars_alone(folder: Path, out: Path, engine: Any) -> None:
    amounts = json.loads((folder / AMOUNTS).read_text())
    paths = sorted(folder.glob("*.parquet"))
    scanned = [
        pl.scan_parquet(path).with_columns(pl.lit(1 << bit, dtype=pl.UInt64).alias("owners"))
        for bit, path in enumerate(paths)
    ]
    grouped = (
        pl.concat(scanned)
        .group_by(KEY)
        .agg(pl.col("owners").sum(), pl.col("first_seen", "source").first())
        .collect(engine=engine)
    )
    for bit, path in enumerate(paths):
        lacked = grouped.filter(pl.col("owners") & (1 << bit) == 0).drop("owners")
        lacked.head(amounts[path.stem]).write_parquet(out / path.name)


def run(contestant: str, folder: Path, out: Path) -> None:
    """Run one contestant in this process, and print its seconds and its memory."""
    wall, cpu = time.perf_counter(), time.process_time()
    if contestant == OURS:
        ours(folder, out)
    else:
        polars_alone(folder, out, contestant)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": find_peak()}))


def _started(contestant: str, folder: Path, out: Path) -> dict[str, float]:
    out.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.union_run", contestant, str(folder), str(out)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=root)
    if done.returncode:
        raise RuntimeError(f"{contestant} failed; what it said stands above")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


@cache
def measured(parties: int, rows: int, repeat: int) -> Found:
    """Make the data, let the contestants take turns, and compare what they wrote.

    The first run of ours does not count (it loads, or makes, compiled code); its amounts are what
    polars alone is to hand out.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "parties"
        folder.mkdir()
        make_parties(folder, parties, rows)
        _started(OURS, folder, Path(scratch) / OURS)
        manifest = json.loads((Path(scratch) / OURS / "settlement/settlement.json").read_text())
        amounts = {name: share["benefit"] for name, share in manifest["parties"].items()}
        (folder / AMOUNTS).write_text(json.dumps(amounts))
        runs: dict[str, list[dict[str, float]]] = {who: [] for who in (OURS, *ENGINES)}
        for _ in range(repeat):
            for who, each in runs.items():
                each.append(_started(who, folder, Path(scratch) / who))
        distinct, full = _compared(folder, Path(scratch), amounts)
    return Found(distinct, full, {who: _timing(each) for who, each in runs.items()})


def _timing(runs: list[dict[str, float]]) -> Timing:
    best = min(runs, key=lambda one: one["wall"])
    slowest = max(one["wall"] for one in runs)
    peak = max(int(one["peak"]) for one in runs)
    return Timing(best["wall"], best["cpu"], slowest, len(runs), peak)


def _compared(folder: Path, scratch: Path, amounts: dict[str, int]) -> tuple[int, int]:
    """Compare the replies; give how many keys there are, and who is handed all that it lacks."""
    paths = {path.stem: path for path in sorted(folder.glob("*.parquet"))}
    union = pl.concat([pl.scan_parquet(p).select(KEY) for p in paths.values()]).unique().collect()
    full = 0
    for party, path in paths.items():
        own = pl.read_parquet(path, columns=[KEY])
        lacked = union.join(own, on=KEY, how="anti")
        full += lacked.height == amounts[party]
        for who in (OURS, *ENGINES):
            reply = scratch / who
            reply /= f"settlement/parties/{party}/reply.parquet" if who == OURS else path.name
            handed = pl.read_parquet(reply, columns=[KEY])
            _agree_on(party, who, handed, lacked, amounts[party])
    return union.height, full


def _agree_on(
    party: str, who: str, handed: pl.DataFrame, lacked: pl.DataFrame, amount: int
) -> None:
    """Check a reply: as many keys as it should have, all different, all lacking."""
    if amount == lacked.height:
        # All that it lacks: the same keys in some order, so sums of 64-bit fingerprints agree.
        right = handed.height == amount and _fingerprint(handed) == _fingerprint(lacked)
    else:
        right = handed.height == amount == handed.join(lacked, on=KEY, how="semi")[KEY].n_unique()
    agree(right, what=f"the reply of {who} to {party}")


def _fingerprint(keys: pl.DataFrame) -> int:
    return int(keys[KEY].hash(SEED).to_numpy().sum(dtype=np.uint64))


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
