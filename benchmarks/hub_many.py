"""A hub with many long collaborations beside one with ten: python -m benchmarks.hub_many.

Logs are real: terms, agreements, commitments, submissions, a result, and then members that dispute
and accept in turns until the log has its length; every statement is signed, and the hub accepts it.
Rows are inserted in bulk. Pages are asked of `aboveboard hub serve`, one after the other: each page
of another collaboration ("cold"), and again those that were just read ("warm"). The peer has ten
collaborations of the same length.
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
from aboveboard.hub.pages.sessions import make_operator_link
from benchmarks.hub_pages import Reader, open_readers, start_hub
from benchmarks.hub_rounds import (
    Keys,
    make_open_hub,
    make_settlement,
    read_opened,
    write_log,
)

MEMBERS, FEW, ASKED, PROOFS = 10, 10, 200, 200


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
    with start_hub(hub.folder) as served:
        (reader,) = open_readers(hub, served.port, ["m00"])
        operator = Reader(served.port).log_in(make_operator_link(hub).rpartition("=")[2])
        asyncio.run(reader.read("/", 3))
        chosen = [draw.choice(identifiers) for _ in range(ASKED)]
        fresh = draw.sample(identifiers, min(len(identifiers), ASKED))
        warm = fresh[-FEW:] * (ASKED // FEW)
        plan = {
            "my collaborations": ["/"] * ASKED,
            "a collaboration, the first time": [f"/collaborations/{x}" for x in fresh],
            "a collaboration, any of them": [f"/collaborations/{x}" for x in chosen],
            "a collaboration, read before": [f"/collaborations/{x}" for x in warm],
            "its log": [f"/collaborations/{x}/log" for x in warm],
            "an entry with its proof": [
                f"/collaborations/{x}/log/{draw.randrange(200)}" for x in warm
            ],
        }
        asked = [(name, reader, paths) for name, paths in plan.items()]
        asked.append(("the operator's board", operator, ["/"] * ASKED))
        asked.append(("all collaborations", operator, ["/collaborations"] * ASKED))
        for name, who, paths in asked:
            if paths == plan["a collaboration, read before"]:
                asyncio.run(read_each(reader, paths[:FEW]))
            busy = served.cpu_seconds
            times = sorted(asyncio.run(read_each(who, paths)))
            cpu = (served.cpu_seconds - busy) / len(times) * 1000
            slow = times[int(len(times) * 0.99)] * 1000
            found[name] = (statistics.median(times) * 1000, slow, cpu)
        return found, served.peak_megabytes


async def read_each(reader: Reader, paths: list[str]) -> list[float]:
    """Read pages one after the other; return the seconds of each."""
    return [seconds for path in paths for seconds in await reader.read(path, 1)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=1000)
    parser.add_argument("--size", type=int, default=1000, help="entries of each log")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        results = {}
        for count in (FEW, given.many):
            folder = Path(scratch) / str(count)
            folder.mkdir()
            begun = time.process_time()
            hub, identifiers = build(folder, count, given.size)
            built = time.process_time() - begun
            proof = time_proofs(hub, identifiers, given.size)
            pages, memory = time_pages(hub, identifiers)
            hub.close()
            results[count] = pages
            print(
                f"{count:,} collaborations of {MEMBERS} members, {count * given.size:,} entries "
                f"(built in {built:.0f} s of processor): a proof {proof * 1000:.2f} ms; "
                f"the server took {memory:.0f} MB",
                flush=True,
            )
            for name, (median, slow, cpu) in pages.items():
                few = results[FEW][name]
                print(
                    f"  {name}: median {median:.1f} ms, p99 {slow:.1f} ms, processor {cpu:.2f} ms "
                    f"({cpu / few[2]:.2f} times that of ten)"
                    if few[2]
                    else name,
                    flush=True,
                )


if __name__ == "__main__":
    main()
