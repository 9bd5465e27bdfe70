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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aboveboard.evidence.keys import PrivateKeys, generate_keys
from aboveboard.evidence.rounds import Round, begin_round
from aboveboard.evidence.statements import Statement, sign_statement
from aboveboard.evidence.terms import CENTER
from aboveboard.evidence.trees import hash_leaf, verify_inclusion
from aboveboard.hub.collaborations.logs import describe_standing, sign_root
from aboveboard.hub.collaborations.nodes import extend_frontier, fold_frontier, prove_stored
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import checkpoint, collaboration, log_entry, tree_node
from aboveboard.hub.home import Hub, make_hub
from aboveboard.hub.organizations import accept_invitation, invite
from benchmarks.hub_pages import Reader, open_readers, start_hub

MEMBERS, FEW, ASKED, PROOFS = 10, 10, 200, 200
EMPTY = "00" * 32


def make_statements(
    round_: Round, keys: dict[str, PrivateKeys], hub: Hub, size: int
) -> Iterator[Statement]:
    """Yield the statements that follow the terms, until the log has `size` entries."""
    terms, names = round_.terms_digest, sorted(keys)

    def say(by: str, kind: str, **rest: Any) -> Statement:
        pair = hub.keys.center if by == CENTER else keys[by]
        return sign_statement({"kind": kind, "terms": terms, **rest}, by, pair)

    for name in names:
        yield say(name, "agree")
    for k, name in enumerate(names):
        yield say(name, "commit", root=f"{k:064x}", size=1, nonce=f"{k:064x}")
    committed = 1 + 2 * len(names)
    root = ROOTS.pop(round_.terms_digest)
    for k, name in enumerate(names):
        yield say(name, "submit", sealed=f"{k:064x}", size=committed, root=root)
    shares = dict.fromkeys(names, EMPTY)
    result = say(
        CENTER, "result", nonces=shares, seed=EMPTY, facts={}, shares=shares, replies=shares
    )
    yield result
    for k in range(size - 3 * len(names) - 2):
        name, again = names[k // 2 % len(names)], k // 2 // len(names)
        if k % 2 == 0:
            dispute = say(name, "dispute", result=result.digest, reason=f"time {again}")
            yield dispute
        else:
            yield say(name, "accept", result=result.digest, withdraws=dispute.digest)


ROOTS: dict[str, str] = {}
"""By terms: the root of the log once all have committed."""


def extend(hub: Hub, keys: dict[str, PrivateKeys], identifier: str, size: int) -> None:
    """Write a log of this size to a collaboration, as the hub would have written it."""
    with read(hub.engine) as connection:
        row = connection.execute(
            collaboration.select().where(collaboration.c.id == identifier)
        ).one()
        first = connection.execute(
            log_entry.select().where(log_entry.c.collaboration == identifier)
        ).one()
    round_ = begin_round(bytes(first.content), identifier)
    frontier, entries, nodes = [round_.leaves[0]], [], {}
    for index, said in enumerate(make_statements(round_, keys, hub, size), 1):
        # The first ones alone are checked here; pages check order and checkpoint of all.
        after = round_.accept(said) if index <= 3 * MEMBERS + 1 else round_
        round_ = after
        leaf = hash_leaf(said.content)
        frontier, fresh = extend_frontier(frontier, index, leaf)
        nodes |= fresh
        entries.append(
            {"collaboration": identifier, "index": index, "digest": said.digest,
             "kind": said.kind, "signer": said.by, "content": said.content, "created": 1}
        )  # fmt: skip
        if index == 2 * MEMBERS:
            ROOTS[row.terms] = fold_frontier(frontier).hex()
    note = sign_root(row.origin, size, fold_frontier(frontier), hub.keys.log)
    standing = describe_standing(None, round_, 1)
    with write(hub.engine) as connection:
        connection.execute(log_entry.insert(), entries)
        connection.execute(
            tree_node.insert(),
            [
                {"collaboration": identifier, "level": level, "index": at, "hash": node}
                for (level, at), node in nodes.items()
            ],
        )
        connection.execute(
            checkpoint.insert(), {"collaboration": identifier, "size": size, "note": note}
        )
        connection.execute(
            collaboration.update()
            .where(collaboration.c.id == identifier)
            .values(size=size, frontier=b"".join(frontier), state=round_.state.value, **standing)
        )


def build(folder: Path, many: int, size: int, database: str = "") -> tuple[Hub, list[str]]:
    """Make a hub with many collaborations of ten members, and logs of some length."""
    limits = {"requests_per_minute": 10**9, "strangers_per_minute": 10**9, "free_bytes": 0}
    configuration = Configuration.model_validate({"database": database, "limits": limits})
    hub = make_hub(folder / "hub", configuration)
    keys = {f"m{k:02}": generate_keys() for k in range(MEMBERS)}
    for name, each in keys.items():
        token = invite(hub, name).link.partition("#")[2].partition(".")[0]
        accept_invitation(hub, token, each.public)
    file = folder / "lists.toml"
    head = 'name = "lists"\nmechanism = "exchange.union"\n'
    file.write_text(head + "".join(f"[parties.{name}]\n" for name in keys))
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
        for name, paths in plan.items():
            busy = served.cpu_seconds
            times = sorted(asyncio.run(read_each(reader, paths)))
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
