"""Reading parties' data, against polars reading the same files: python -m benchmarks.storage.

Measured is how long it takes to read and normalize a million hosts lines, beside polars reading
them as a column, and to check six tables of 400,000 rows, beside polars reading them. Each time is
the best of several, and both sides must find as many rows.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from aboveboard.collaborations.inputs import Reader
from aboveboard.storage.inspection import summarize_data
from aboveboard.storage.options import DataOptions
from aboveboard.storage.party_data import read_records

HOSTS, PARTIES, ROWS, REPEATS = 1_000_000, 6, 400_000, 7
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def make_names(amount: int, rng: random.Random) -> list[str]:
    """Return distinct domain names as long as those of public lists."""
    names: set[str] = set()
    while len(names) < amount:
        labels = ("".join(rng.choices(LETTERS, k=rng.randint(3, 12))) for _ in range(2))
        names.add(".".join([*labels, rng.choice(["com", "net", "org", "example"])]))
    return sorted(names)


def measure(work: Callable[[], object]) -> tuple[float, float]:
    """Return the best wall and processor times of several repetitions, in seconds."""
    wall = cpu = float("inf")
    for _ in range(REPEATS):
        started, used = time.perf_counter(), time.process_time()
        work()
        wall = min(wall, time.perf_counter() - started)
        cpu = min(cpu, time.process_time() - used)
    return wall, cpu


def compare(title: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    """Print both times and their ratio."""
    peer, mine = measure(theirs), measure(ours)
    print(
        f"{title}: polars {peer[0] * 1e3:.0f} ms ({peer[1] * 1e3:.0f} ms of processor), "
        f"aboveboard {mine[0] * 1e3:.0f} ms ({mine[1] * 1e3:.0f}), "
        f"{mine[0] / peer[0]:.1f} times ({mine[1] / peer[1]:.1f})"
    )


def compare_hosts(folder: Path, names: list[str]) -> None:
    """Compare the reading of a hosts file: against its names as a column, and its lines as one."""
    path = folder / "hosts"
    path.write_text("# hosts\n127.0.0.1 localhost\n" + "".join(f"0.0.0.0 {x}\n" for x in names))
    options = DataOptions(kind="domain")

    def ours() -> pl.DataFrame:
        return read_records(path, place="hosts", options=options).frame

    def read_column() -> pl.DataFrame:
        return pl.read_csv(
            path, has_header=False, separator=" ", quote_char=None, infer_schema=False,
            comment_prefix="#",
        )  # fmt: skip

    def read_whole_lines() -> pl.DataFrame:
        return pl.read_csv(
            path, has_header=False, separator="\x01", quote_char=None, infer_schema=False
        )

    assert ours().height == len(names) == read_column().height - 1
    compare("a million hosts lines, against the names as a column", ours, read_column)
    compare("a million hosts lines, against whole lines unsplit", ours, read_whole_lines)


def compare_tables(folder: Path, names: list[str], rng: random.Random) -> None:
    """Compare the check of six tables: read, normalized, fingerprinted, looked at together."""
    paths = [folder / f"party{k}.csv" for k in range(PARTIES)]
    for path in paths:
        rows = (f"{x},2026-01-0{rng.randint(1, 9)},{rng.randint(0, 99)}" for x in
                rng.sample(names, ROWS))  # fmt: skip
        path.write_text("domain,seen,score\n" + "\n".join(rows) + "\n")
    options = DataOptions(kind="domain", key="domain")

    def ours() -> int:
        reader = Reader(folder / "collaboration.toml")
        records = {
            path.stem: reader(path.stem, data=Path(path.name), elements=None, options=options)
            for path in paths
        }
        return len(summarize_data(records, reader.inputs).parties)

    assert ours() == PARTIES
    compare("six tables of 400,000 rows", ours, lambda: [pl.read_csv(path) for path in paths])


def main() -> None:
    """Make the files, and measure."""
    rng = random.Random(14)
    names = make_names(HOSTS, rng)
    with tempfile.TemporaryDirectory() as folder:
        compare_hosts(Path(folder), names)
        compare_tables(Path(folder), names, rng)


if __name__ == "__main__":
    main()
