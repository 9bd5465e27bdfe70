"""Reading parties' data, held against polars reading the same files.

Measured is how long it takes to read and normalize a hosts file, beside polars reading its names as
a column, and to check six tables, beside polars reading all their columns. Ours also fingerprints
the files that may be the same, brings each element into its normal form, keeps each once and looks
at all tables together; of other columns it counts the fields. Both sides are called in one process
that has imported them and has read the files before: the goal of twice polars' time is of that.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import polars as pl

from aboveboard.collaborations.inputs import Reader
from aboveboard.mechanisms.reading import ListSource
from aboveboard.storage.inspection import summarize_data
from aboveboard.storage.options import DataOptions
from aboveboard.storage.party_data import read_records
from benchmarks.comparison import Case, Measured, Scale, Section, agree
from benchmarks.timing import timed

SEED, PARTIES, HASTE = 14, 6, 3
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
T = TypeVar("T")


def section(scale: Scale) -> Section:
    """Return the section."""
    full = scale == "full"
    hosts, rows = (1_000_000, 400_000) if full else (3_000, 1_000)
    return Section(
        "storage",
        "Reading data",
        'From files to elements of `kind = "domain"`; polars on all cores.',
        (
            Case(
                "read and normalize a hosts file",
                f"{hosts:,} lines",
                "polars: the names as a column",
                "Theirs is `read_csv` with a blank as separator. As many names.",
                partial(measure_hosts, hosts, read_names),
            ),
            Case(
                "read and normalize a hosts file",
                f"{hosts:,} lines",
                "polars: lines, unsplit",
                "Theirs is `read_csv` with a separator that occurs nowhere. As many names.",
                partial(measure_hosts, hosts, read_whole_lines),
            ),
            Case(
                "check tables: read, normalize, compare",
                f"{PARTIES} of {rows:,} rows",
                "polars: `read_csv` of each",
                "A call in a running process, as `aboveboard check` makes one; the command also "
                "imports the product. Theirs parses every field, numbers as such. Ours reads the "
                "key, counts each row's fields, and looks at all names. As many rows.",
                partial(measure_tables, rows),
            ),
        ),
    )


def make_names(amount: int, rng: random.Random) -> list[str]:
    """Return distinct domain names as long as those of public lists."""
    names: set[str] = set()
    while len(names) < amount:
        labels = ("".join(rng.choices(LETTERS, k=rng.randint(3, 12))) for _ in range(2))
        names.add(".".join([*labels, rng.choice(["com", "net", "org", "example"])]))
    return sorted(names)


def read_names(path: Path) -> int:
    """Return how many names polars finds in a hosts file."""
    frame = pl.read_csv(
        path, has_header=False, separator=" ", quote_char=None, infer_schema=False,
        comment_prefix="#",
    )  # fmt: skip
    return frame.height - 1


def read_whole_lines(path: Path) -> int:
    """Return how many names are on the lines that polars finds."""
    frame = pl.read_csv(
        path, has_header=False, separator="\x01", quote_char=None, infer_schema=False
    )
    return frame.height - 2


def measure_hosts(amount: int, theirs: Callable[[Path], int], repeat: int) -> Measured:
    """Read a hosts file of which two lines block nothing."""
    names = make_names(amount, random.Random(SEED))
    lines = "".join(f"0.0.0.0 {name}\n" for name in names)
    options = DataOptions(kind="domain")

    def measure(folder: Path) -> Measured:
        path = folder / "hosts"
        path.write_text(f"# hosts\n127.0.0.1 localhost\n{lines}")
        (ours, records), (peer, found) = timed(
            HASTE * repeat,
            lambda: read_records(path, place="hosts", options=options),
            partial(theirs, path),
        )
        agree(len(records) == found == amount, what="hosts")
        return Measured(ours, peer)

    return _in_folder(measure)


def measure_tables(rows: int, repeat: int) -> Measured:
    """Check the tables of all parties, as `aboveboard check` reads and looks at them."""
    rng = random.Random(SEED)
    names = make_names(2 * rows, rng)
    options = DataOptions(kind="domain", key="domain")

    def measure(folder: Path) -> Measured:
        paths = [folder / f"party{k}.csv" for k in range(PARTIES)]
        for path in paths:
            lines = (
                f"{name},2026-01-0{rng.randint(1, 9)},{rng.randint(0, 99)}"
                for name in rng.sample(names, rows)
            )
            path.write_text("domain,seen,score\n" + "\n".join(lines) + "\n")

        def check() -> int:
            reader = Reader(folder / "collaboration.toml", whole=False)
            sources = {path.stem: ListSource(Path(path.name), None, options) for path in paths}
            records = dict(reader.read_lists(sources))
            summary = summarize_data(records, reader.inputs)
            return sum(party.elements for party in summary.parties.values())

        (ours, found), (peer, frames) = timed(
            HASTE * repeat, check, lambda: [pl.read_csv(path) for path in paths]
        )
        agree(found == sum(frame.height for frame in frames) == PARTIES * rows, what="tables")
        return Measured(ours, peer)

    return _in_folder(measure)


def _in_folder(measure: Callable[[Path], T]) -> T:
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder))
