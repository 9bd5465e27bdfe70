"""What the fuzzer starts from: small folders that load, each with the files that it may spoil.

The collaboration files are every mechanism's starting file and the repository's examples; the data
files are small ones of every form that the product reads.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from aboveboard.collaborations.collaboration import load
from aboveboard.collaborations.registry import load_mechanisms
from aboveboard.commands import settle
from fuzz import code_doors, more_doors, page_doors
from fuzz.evidence_seeds import list_folders
from fuzz.list_seeds import OTHER, list_files

EXAMPLES = Path(__file__).parent.parent / "examples"
FILE = "c.toml"


@dataclass(frozen=True)
class Seed:
    """A folder that loads.

    Parameters
    ----------
    name
        What it is.
    door
        Which door its files are brought to; see `doors`.
    files
        By path in the folder: the content.
    spoilt
        The files that are mutated, one at a time.
    """

    name: str
    door: str
    files: dict[str, bytes]
    spoilt: tuple[str, ...]


def seeds() -> list[Seed]:
    """Return all folders, always in the same order."""
    evidence = (Seed(*folder) for folder in list_folders())
    first = [*_files(), *_data(), *_kept(), *_settled(), *evidence, *_lists(), *_code(), *_more()]
    return [*first, *_pages()]


def _files() -> Iterator[Seed]:
    texts = {name: rule.STARTING_FILE.encode() for name, rule in load_mechanisms().items()}
    for path in sorted(EXAMPLES.rglob("*.toml")):
        texts[path.relative_to(EXAMPLES).as_posix()] = path.read_bytes()
    for name, text in texts.items():
        yield Seed(name, "collaboration", {FILE: text, **FUNCTIONS}, (FILE,))
    for name, text in MORE_FILES.items():
        files = {FILE: text.encode(), **FUNCTIONS, **DATA}
        yield Seed(name, "collaboration", files, (FILE,))


def _lists() -> Iterator[Seed]:
    """Yield a folder for each format of data files."""
    for name, content in list_files().items():
        yield Seed(name, "list", {name: content, "other.txt": OTHER}, (name,))


def _code() -> Iterator[Seed]:
    """Yield a module that imports another, and each message of a secure sum."""
    yield Seed("code", "code", dict(code_doors.CODE), (code_doors.MODULE, code_doors.HELPER))
    for name, content in code_doors.MESSAGES.items():
        yield Seed(name, "message", {code_doors.MESSAGE: content}, (code_doors.MESSAGE,))


def _more() -> Iterator[Seed]:
    """Yield games of others, tables of a market, notes, sealed messages, requests to a hub."""
    for name, content in more_doors.GAMES.items():
        yield Seed(name, "game", {name: content}, (name,))
    for name, (text, tables) in more_doors.MARKETS.items():
        yield Seed(name, "collaboration", {FILE: text.encode(), **tables}, tuple(tables))
    doors = {more_doors.NOTE: "note", more_doors.SEALED: "sealed", more_doors.REQUEST: "request"}
    for name, (place, content) in more_doors.list_pieces().items():
        yield Seed(name, doors[place], {place: content}, (place,))


def _data() -> Iterator[Seed]:
    for name, (text, spoilt) in WITH_DATA.items():
        yield Seed(name, "collaboration", {FILE: text.encode(), **DATA}, spoilt)
    yield Seed("rows of training", "rows", dict(DATA), ("rows.csv", "rows.parquet"))


def _kept() -> Iterator[Seed]:
    """Yield a folder whose cache of evaluations holds lines of a run."""
    with tempfile.TemporaryDirectory() as scratch:
        files = {FILE: CALLED.encode(), **FUNCTIONS}
        kept = _run(Path(scratch), files, lambda folder: folder / "cache")
    yield Seed("values kept", "settled", {**files, **kept}, tuple(kept))


def _settled() -> Iterator[Seed]:
    """Yield a settlement folder beside its inputs, whose manifest is spoilt."""
    with tempfile.TemporaryDirectory() as scratch:
        files = {FILE: UNION.encode(), **DATA}
        out = _run(Path(scratch), files, lambda folder: folder / "out")
    out["out/source.json"] = json.dumps({"collaboration": FILE}).encode()
    manifests = ("out/settlement.json", "out/source.json", "out/collaboration.toml")
    yield Seed("a settlement", "replay", {**files, **out}, manifests)


def _run(folder: Path, files: dict[str, bytes], part: Callable[[Path], Path]) -> dict[str, bytes]:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    settle(load(folder / FILE, trust_code=True), folder / "out")
    found = sorted(path for path in part(folder).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def _parquet(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


def _csv(frame: pl.DataFrame, separator: str = ",") -> bytes:
    return frame.write_csv(separator=separator).encode()


LIST = pl.DataFrame({"domain": ["b", "c", "e", "e"], "seen": [1, 2, 3, 4], "said": list('x,"y')})
ROWS = pl.DataFrame(
    {
        "a": [0.5, -1.0, 2.5, 1e-3] * 3,
        "b": list(range(12)),
        "y": ["no", "yes", "yes", "no"] * 3,
    }
)
TEST_ROWS = pl.DataFrame(
    {
        "a": [0.25, -1.5, 2.0, 1e-2] * 12,  # half of the rows validate: 20 are the fewest
        "b": list(range(100, 148)),
        "y": ["no", "yes", "yes", "no"] * 12,
    }
)
SAMPLES = pl.DataFrame(
    {
        "user": ["u", "v", "u", "v", "w"],
        "value": [1.0, 2.5, -3.0, 4.0, 0.25],
        "level": ["1", "inf", "1", "inf", "0"],
    }
)

DATA = {
    "list.txt": b"a\nb\nc\nd\n\n",
    "list.csv": _csv(LIST),
    "list.tsv": _csv(LIST, "\t"),
    "list.parquet": _parquet(LIST),
    "bits.csv": b"bit\n0\n1\n1\n0\n",
    "bits.txt": b"1\n0\n1\n0\n",
    "samples.csv": _csv(SAMPLES),
    "samples.parquet": _parquet(SAMPLES),
    "rows.csv": _csv(ROWS),
    "test.csv": _csv(TEST_ROWS),
    "rows.parquet": _parquet(ROWS),
    "votes/bert.txt": b"yes\nno\n",
    "votes/cleo.txt": b"yes\n",
}
"""Small files of every form that is read."""

FUNCTIONS = {
    "fuzzed_functions.py": b"""
def number(*told):
    return 1


def gap(p, q):
    return abs(p - q)


def itself(x, *others):
    return x


def text(*told):
    return "x"


def fails(*told):
    raise RuntimeError


def huge(*told):
    return 10 ** 400


def nan(*told):
    return float("nan")


value = 3
"""
}
"""What a file may name as a function."""

UNION = """
mechanism = "exchange.union"
[parties.a]
data = "list.txt"
[parties.b]
data = "list.csv"
key = "domain"
[parties.c]
data = "list.parquet"
key = "domain"
[parties.d]
data = "list.tsv"
key = "domain"
"""
CURATION = """
mechanism = "curation.fair"
[function]
kind = "majority"
[center]
data = "bits.txt"
[parties.a]
price = 0.1
data = "bits.csv"
[parties.b]
price = 0.1
bits = [1, 1, 0, 1]
"""
MEANS = """
mechanism = "valuation.payments"
[utility]
kind = "federated-mean"
s2 = 0.5
t2 = 2
[data]
file = "samples.csv"
user = "user"
value = "value"
level = "level"
"""
PRIVATE = """
mechanism = "valuation.payments"
[utility]
kind = "dp-mean"
[data]
file = "samples.parquet"
user = "user"
value = "value"
bounds = [-4, 4]
[parties.u]
level = 1
[parties.v]
level = 2
"""
VOTES = """
mechanism = "market.propose_and_agree"
bits = 3
votes = "votes"
[parties.anna]
endowment = ["orders"]
values = [{goods = ["orders"], value = 1}]
[parties.bert]
values = [{goods = ["orders"], value = 2}]
[parties.cleo]
values = []
"""
CALLED = """
mechanism = "valuation.payments"
[utility]
kind = "callable"
function = "fuzzed_functions:number"
cache = "cache"
[parties.a]
level = 1
[parties.b]
level = 2
"""
TABLE = """
mechanism = "valuation.payments"
[utility]
kind = "table"
values = [0, 1, 2, 4]
[parties.a]
[parties.b]
[design]
levels = [0, 1]
cost = {a = 0.5, b = 1}
[sampling]
method = "auto"
budget = 100
"""
VALUED = """
mechanism = "exchange.contribution"
function = "fuzzed_functions:number"
[parties.a]
[parties.b]
"""
SHAPED = """
mechanism = "curation.competitive"
[function]
kind = "callable"
function = "fuzzed_functions:number"
[parties.a]
price = 0.1
shape = "fuzzed_functions:gap"
commitment = [0.75, 0.25]
[parties.b]
price = "1/10"
[design]
commitments = [[0.5, 0.25]]
"""
QUASI = """
mechanism = "learning.payments"
counterfactual = "participants"
[valuation]
kind = "quasi-monotone"
own = "fuzzed_functions:itself"
others = ["fuzzed_functions:number", "fuzzed_functions:number"]
[parties.a]
size = 1
[parties.b]
size = 2
"""
TRAINED = """
mechanism = "learning.payments"
[quality]
kind = "fitted"
[valuation]
kind = "linear"
matrix = [[1, 0], [0, 1]]
[training]
estimator = "sklearn.linear_model.LogisticRegression"
parameters = {C = 0.5}
test = "test.csv"
label = "y"
features = ["a", "b"]
rounds = 2
[parties.a]
data = "rows.csv"
[parties.b]
data = "rows.parquet"
"""

MORE_FILES = {
    "table": TABLE,
    "valued": VALUED,
    "shaped": SHAPED,
    "called": CALLED,
    "quasi-monotone": QUASI,
    "trained": TRAINED,
    "union of files": UNION,
    "curation of files": CURATION,
    "means of files": MEANS,
    "private means": PRIVATE,
    "votes of files": VOTES,
}
WITH_DATA = {
    "lists": (UNION, ("list.txt", "list.csv", "list.tsv", "list.parquet")),
    "bits": (CURATION, ("bits.csv", "bits.txt")),
    "samples": (MEANS, ("samples.csv",)),
    "private samples": (PRIVATE, ("samples.parquet",)),
    "votes": (VOTES, ("votes/bert.txt", "votes/cleo.txt")),
}


def _pages() -> Iterator[Seed]:
    """Bodies of forms for the pages; half of the requests have one that is as it should be."""
    for door in page_doors.DOORS:
        for name, content in page_doors.BODIES.items():
            files = {page_doors.BODY: content, "unread.txt": b"x"}
            yield Seed(f"{door} {name}", door, files, tuple(files))
