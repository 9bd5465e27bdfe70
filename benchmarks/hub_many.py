"""A hub with many long collaborations beside one with ten: python -m benchmarks.hub_many.

Logs are real: terms, agreements, commitments, submissions, a result, and then members that dispute
and accept in turns until the log has its length; every statement is signed, and the hub accepts it.
Rows are inserted in bulk. Pages are asked of `aboveboard hub serve`, one after the other: of
collaborations that no process has read since the server was started, of any, and of those that were
just read. The peers have ten collaborations of the same length, and 25: as many as a list shows.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from aboveboard.evidence.rounds import Round
from aboveboard.evidence.statements import Statement, sign_statement
from aboveboard.evidence.trees import hash_leaf, verify_inclusion
from aboveboard.hub.collaborations.nodes import prove_stored
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.database.engine import read
from aboveboard.hub.database.tables import checkpoint, log_entry
from aboveboard.hub.home import Hub
from aboveboard.hub.pages.reading import PER_PAGE
from aboveboard.hub.pages.sessions import make_operator_link
from benchmarks.hub import make_database
from benchmarks.hub_pages import Reader, open_readers, start_hub
from benchmarks.hub_rounds import (
    Keys,
    make_open_hub,
    make_settlement,
    read_opened,
    write_log,
)

MEMBERS, FEW, ASKED, PROOFS, STARTS = 10, 10, 200, 200, 5


def extend(hub: Hub, keys: Keys, identifier: str, size: int) -> None:
    """Settle a collaboration, and let its members dispute and accept until its log is long."""
    settlement = list(make_settlement(read_opened(hub, identifier), keys, hub))
    said, (_, round_) = [each for each, _ in settlement], settlement[-1]
    disputes = make_disputes(round_, keys, said[-1].digest, size - len(said) - 1)
    pairs = len(disputes) // 2
    for each in disputes[2 * max(0, pairs - len(keys)) :]:  # what stands is the last of each member
        round_ = round_.accept(each)
    write_log(hub, identifier, [*said, *disputes], round_)


def make_disputes(round_: Round, keys: Keys, result: str, count: int) -> list[Statement]:
    """Return statements of members that dispute a result and accept it again, in turns."""
    names, found = sorted(keys), list[Statement]()
    for k in range(count):
        name, again = names[k // 2 % len(names)], k // 2 // len(names)
        body: dict[str, Any] = {"terms": round_.terms_digest, "result": result}
        if k % 2 == 0:
            body |= {"kind": "dispute", "reason": f"time {again}"}
        else:
            body |= {"kind": "accept", "withdraws": found[-1].digest}
        found.append(sign_statement(body, name, keys[name]))
    return found


def build(folder: Path, many: int, size: int, database: str = "") -> tuple[Hub, list[str]]:
    """Make a hub with many collaborations of ten members, and logs of some length."""
    hub, keys, file = make_open_hub(folder, MEMBERS, database)
    identifiers = [open_collaboration(hub, file)[0] for _ in range(many)]
    for identifier in identifiers:
        extend(hub, keys, identifier, size)
    return hub, identifiers


def time_proofs(hub: Hub, identifiers: list[str], size: int) -> float:
    """Return the median seconds of a proof from the database; each is verified."""
    draw, times = random.Random(1), []
    for _ in range(PROOFS):
        identifier, index = draw.choice(identifiers), draw.randrange(size)
        begun = time.perf_counter()
        with read(hub.engine) as connection:
            path = prove_stored(connection, identifier, index, size)
        times.append(time.perf_counter() - begun)
        with read(hub.engine) as connection:
            where = (log_entry.c.collaboration == identifier, log_entry.c.index == index)
            content = connection.execute(log_entry.select().where(*where)).one().content
            where = (checkpoint.c.collaboration == identifier, checkpoint.c.size == size)
            note = connection.execute(checkpoint.select().where(*where)).one().note
        root = base64.b64decode(note.split("\n")[2])
        verify_inclusion(hash_leaf(bytes(content)), index, size, path, root)
    return statistics.median(times)


Pages = dict[str, tuple[float, float, float]]
"""By page: median and 99th percentile in ms, and processor time of the server a page in ms."""


def time_pages(hub: Hub, identifiers: list[str]) -> tuple[Pages, float]:
    """Return what pages take, and the most memory of the server in MB."""
    draw, found = random.Random(2), {}
    warm = draw.sample(identifiers, FEW)
    name = "a collaboration, the first time since the start"
    found[name] = time_first(hub, identifiers, draw)
    with start_hub(hub.folder) as served:
        (reader,) = open_readers(hub, served.port, ["m00"])
        operator = Reader(served.port).log_in(make_operator_link(hub).rpartition("=")[2])
        plan = {
            "my collaborations": ["/"] * ASKED,
            "a collaboration, any of them": [
                f"/collaborations/{draw.choice(identifiers)}" for _ in range(ASKED)
            ],
            "a collaboration, read before": [f"/collaborations/{x}" for x in warm] * (ASKED // FEW),
            "its log": [f"/collaborations/{x}/log" for x in warm] * (ASKED // FEW),
            "an entry with its proof": [
                f"/collaborations/{draw.choice(identifiers)}/log/{draw.randrange(200)}"
                for _ in range(ASKED)
            ],
        }
        asked = [(name, reader, paths) for name, paths in plan.items()]
        asked.append(("the operator's board", operator, ["/"] * ASKED))
        asked.append(("all collaborations", operator, ["/collaborations"] * ASKED))
        for name, who, paths in asked:
            asyncio.run(read_each(who, paths[:FEW]))  # a template is compiled at its first page
            busy = served.cpu_seconds
            times = asyncio.run(read_each(who, paths))
            found[name] = summarize(times, served.cpu_seconds - busy)
        return found, served.peak / 2**20


def time_first(hub: Hub, identifiers: list[str], draw: random.Random) -> tuple[float, float, float]:
    """Return what pages of collaborations take that nobody has read since the server's start."""
    times, busy = list[float](), 0.0
    for _ in range(STARTS):
        with start_hub(hub.folder) as served:
            (reader,) = open_readers(hub, served.port, ["m00"])
            first, *others = draw.sample(identifiers, min(len(identifiers), ASKED // STARTS + 1))
            asyncio.run(reader.read(f"/collaborations/{first}", 1))  # compiles the template
            begun = served.cpu_seconds
            times += asyncio.run(read_each(reader, [f"/collaborations/{x}" for x in others]))
            busy += served.cpu_seconds - begun
    return summarize(times, busy)


def summarize(times: list[float], busy: float) -> tuple[float, float, float]:
    """Return median and 99th percentile in ms, and processor time a page in ms."""
    ordered = sorted(times)
    slow = ordered[int(len(ordered) * 0.99)]
    return statistics.median(ordered) * 1000, slow * 1000, busy / len(ordered) * 1000


async def read_each(reader: Reader, paths: list[str]) -> list[float]:
    """Read pages one after the other; return the seconds of each."""
    return [seconds for path in paths for seconds in await reader.read(path, 1)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=1000)
    parser.add_argument("--size", type=int, default=1000, help="entries of each log")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    given = parser.parse_args()
    peers: dict[int, Pages] = {}
    for count in (FEW, PER_PAGE, given.many):
        with tempfile.TemporaryDirectory() as scratch, make_database(given.database) as url:
            begun = time.process_time()
            hub, identifiers = build(Path(scratch), count, given.size, url)
            built = time.process_time() - begun
            proof = time_proofs(hub, identifiers, given.size)
            pages, memory = time_pages(hub, identifiers)
            hub.close()
        print(
            f"{count:,} collaborations of {MEMBERS} members, {count * given.size:,} entries, "
            f"{given.database} (built in {built:.0f} s of processor): a proof "
            f"{proof * 1000:.2f} ms; the server took {memory:.0f} MB",
            flush=True,
        )
        for name, numbers in pages.items():
            print(f"  {name}: {describe(name, numbers, peers)}", flush=True)
        peers[count] = pages


def describe(name: str, numbers: tuple[float, float, float], peers: dict[int, Pages]) -> str:
    """Return what a page takes, and how many times that of each peer."""
    median, slow, cpu = numbers
    times = [
        f"{median / pages[name][0]:.2f} times that of {count} (p99 {slow / pages[name][1]:.2f})"
        for count, pages in peers.items()
    ]
    line = f"median {median:.2f} ms, p99 {slow:.1f} ms, processor {cpu:.2f} ms"
    return "; ".join([line, *times])


if __name__ == "__main__":
    main()
