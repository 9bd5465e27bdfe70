"""The hub under load, beside the bare framework: python -m benchmarks.hub [--database URL].

Served by uvicorn in a process of its own, asked by 16 clients in this one. Measured are requests a
second and the slowest of a hundred; the peer is a FastAPI application that makes one query and
nothing else. Both sides share the machine's cores with the clients.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import multiprocessing
import os
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from aboveboard.evidence.keys import PrivateKeys, generate_keys
from aboveboard.evidence.statements import sign_statement
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.home import Hub, make_hub, open_hub
from aboveboard.hub.organizations import accept_invitation, invite
from aboveboard.hub.serving import bind, make_server
from aboveboard.hub.signatures import Target, sign_request

CLIENTS, REQUESTS, ROUNDS = 16, 100, 12
UPLOAD = 256 * 2**20


def serve_hub(folder: Path, bound: socket.socket, ready: Any) -> None:
    """Serve the hub in this process."""
    make_server(open_hub(folder), bound, lambda _: ready.set()).run(sockets=[bound])


def serve_bare(folder: Path, bound: socket.socket, ready: Any) -> None:
    """Serve the bare framework: one query a request, on the same database."""
    from fastapi import FastAPI
    from sqlalchemy import select

    from aboveboard.hub.database.engine import read
    from aboveboard.hub.database.tables import organization

    hub = open_hub(folder)
    app = FastAPI()

    @app.get("/page")
    def page() -> dict[str, str]:
        with read(hub.engine) as connection:
            return {"name": connection.execute(select(organization.c.name)).scalars().first() or ""}

    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    threading.Timer(3, ready.set).start()
    server.run(sockets=[bound])


class Served:
    """A server in a process of its own."""

    def __init__(self, target: Callable[..., None], folder: Path) -> None:
        context = multiprocessing.get_context("fork")
        self._bound, ready = bind("127.0.0.1", 0), context.Event()
        self.port = self._bound.getsockname()[1]
        self._process = context.Process(target=target, args=(folder, self._bound, ready))
        self._process.start()
        ready.wait(60)

    @property
    def peak_megabytes(self) -> float:
        """The most memory that the process had."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()
        self._bound.close()


class Client:
    """One connection that signs what it sends."""

    def __init__(self, port: int, keys: PrivateKeys) -> None:
        self._keys, self._authority = keys, f"127.0.0.1:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def send(
        self, method: str, path: str, content: Any = b"", digest: str = "", size: int | None = None
    ) -> bytes:
        """Send a request and return its answer."""
        digest = digest or hashlib.sha256(content).hexdigest()
        plain, _, query = path.partition("?")
        target = Target(method, self._authority, plain, query)
        headers = sign_request(target, digest, self._keys, int(time.time()))
        if size is not None:
            headers["Content-Length"] = str(size)
        self._connection.request(method, path, content or None, headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {body[:300]!r}")
        return body


def run_all(works: list[Callable[[], list[float]]]) -> tuple[float, float, float]:
    """Run each in a thread; return requests a second, median and 99th percentile in ms."""
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
    wall = time.perf_counter() - begun
    ordered = sorted(times)
    slow = ordered[int(len(ordered) * 0.99)]
    return len(times) / wall, statistics.median(ordered) * 1000, slow * 1000


def repeat(client: Client, path: str) -> Callable[[], list[float]]:
    """Return what reads one path many times."""

    def work() -> list[float]:
        times = []
        for _ in range(REQUESTS):
            begun = time.perf_counter()
            client.send("GET", path)
            times.append(time.perf_counter() - begun)
        return times

    return work


def prepare(
    folder: Path, database: str
) -> tuple[Hub, dict[str, PrivateKeys], list[tuple[str, str]]]:
    """Make a hub with 16 members and some collaborations of all of them."""
    limits = {"requests_per_minute": 10**9, "free_bytes": 0}
    configuration = Configuration.model_validate({"database": database, "limits": limits})
    hub = make_hub(folder / "hub", configuration)
    keys = {f"m{k:02}": generate_keys() for k in range(CLIENTS)}
    for name, each in keys.items():
        token = invite(hub, name).link.partition("#")[2].partition(".")[0]
        accept_invitation(hub, token, each.public)
    file = folder / "lists.toml"
    head = 'name = "lists"\nmechanism = "exchange.union"\n'
    file.write_text(head + "".join(f"[parties.{name}]\n" for name in keys))
    opened = [open_collaboration(hub, file) for _ in range(ROUNDS)]
    return hub, keys, [(identifier, round_.terms_digest) for identifier, round_ in opened]


def agree_everywhere(
    client: Client, name: str, keys: PrivateKeys, rounds: list[tuple[str, str]]
) -> Callable[[], list[float]]:
    """Return what says "agree" in every round."""

    def work() -> list[float]:
        times = []
        for identifier, terms in rounds:
            content = sign_statement({"kind": "agree", "terms": terms}, name, keys).content
            begun = time.perf_counter()
            client.send("POST", f"/api/v1/collaborations/{identifier}/statements", content)
            times.append(time.perf_counter() - begun)
        return times

    return work


def measure_upload(client: Client, identifier: str) -> float:
    """Return how many megabytes a second an upload has."""
    block = os.urandom(2**20)
    whole = hashlib.sha256()
    for _ in range(UPLOAD // len(block)):
        whole.update(block)
    digest = whole.hexdigest()
    parts = (block for _ in range(UPLOAD // len(block)))
    begun = time.perf_counter()
    path = f"/api/v1/collaborations/{identifier}/sealed/{digest}"
    client.send("PUT", path, parts, digest, UPLOAD)
    return UPLOAD / 2**20 / (time.perf_counter() - begun)


def commit_all(port: int, rounds: list[tuple[str, str]], keys: dict[str, PrivateKeys]) -> None:
    """Bring the first round to where it takes sealed data."""
    identifier, terms = rounds[0]
    for name, each in keys.items():
        body = {"kind": "commit", "terms": terms, "root": "ab" * 32, "size": 1, "nonce": "cd" * 32}
        content = sign_statement(body, name, each).content
        path = f"/api/v1/collaborations/{identifier}/statements"
        Client(port, each).send("POST", path, content)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="")
    database = parser.parse_args().database
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        hub, keys, rounds = prepare(folder, database)
        hub.close()
        rows: dict[str, Any] = {}
        with Served(serve_bare, folder / "hub") as bare:
            works = [repeat(Client(bare.port, each), "/page") for each in keys.values()]
            rows["bare framework, a query: requests/s, median ms, p99 ms"] = run_all(works)
        with Served(serve_hub, folder / "hub") as served:
            clients = {name: Client(served.port, each) for name, each in keys.items()}
            works = [repeat(client, "/api/v1/me") for client in clients.values()]
            rows["hub, who am I"] = run_all(works)
            works = [
                agree_everywhere(clients[name], name, each, rounds) for name, each in keys.items()
            ]
            rows[f"hub, {CLIENTS} members, a statement each"] = run_all(works)
            path = f"/api/v1/collaborations/{rounds[1][0]}"
            works = [repeat(client, path) for client in clients.values()]
            rows["hub, one collaboration"] = run_all(works)
            log = json.loads(clients["m00"].send("GET", f"{path}/log"))
            rows["statements kept of those sent"] = (log["size"] - 1, CLIENTS)
            rows["memory, MB"] = served.peak_megabytes
            commit_all(served.port, rounds, keys)
            rows[f"upload of {UPLOAD // 2**20} MB, MB/s"] = measure_upload(
                clients["m00"], rounds[0][0]
            )
            rows["memory afterwards, MB"] = served.peak_megabytes
        for name, value in rows.items():
            numbers = value if isinstance(value, tuple) else (value,)
            print(f"{name}: {', '.join(f'{x:,.1f}' for x in numbers)}", flush=True)


if __name__ == "__main__":
    main()
