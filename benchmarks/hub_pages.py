"""The hub's pages beside a page of the bare framework: python -m benchmarks.hub_pages.

Both are served by uvicorn in processes of their own, on the same database, and asked in turns by 16
clients of a third process. The peer is a FastAPI application with one page: a query, and a template
that lists what it finds, without log-in, limits or headers. Best of several turns; also the time
from the start of `aboveboard hub serve` to its first page, and the memory of the server.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import uvicorn

from aboveboard.evidence.keys import PrivateKeys, generate_keys
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.database.engine import read
from aboveboard.hub.home import Hub, make_hub, open_hub
from aboveboard.hub.organizations import accept_invitation, find_keys, invite
from aboveboard.hub.pages.sessions import make_link
from aboveboard.hub.serving import bind, make_server

CLIENTS, REQUESTS, TURNS, ROUNDS = 16, 60, 3, 12

BARE_PAGE = """<!doctype html><html><head><title>names</title></head><body><h1>Names</h1>
<ul>{% for name in names %}<li>{{ name }}</li>{% endfor %}</ul></body></html>"""


def serve_hub(folder: Path, bound: socket.socket, ready: Any) -> None:
    """Serve the hub in this process."""
    make_server(open_hub(folder), bound, lambda _: ready.set()).run(sockets=[bound])


def serve_bare(folder: Path, bound: socket.socket, ready: Any) -> None:
    """Serve a page of the bare framework: one query, one template."""
    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse
    from jinja2 import Environment
    from sqlalchemy import select

    from aboveboard.hub.database.tables import organization

    hub, app = open_hub(folder), FastAPI()
    template = Environment(autoescape=True).from_string(BARE_PAGE)

    @app.get("/page", response_class=HTMLResponse)
    def page() -> str:
        with read(hub.engine) as connection:
            names = connection.execute(select(organization.c.name)).scalars().all()
        return template.render(names=names)

    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    threading.Timer(2, ready.set).start()
    server.run(sockets=[bound])


class Served:
    """A server in a process of its own."""

    def __init__(self, target: Callable[..., None], folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._bound, ready = bind("127.0.0.1", 0), context.Event()
        self._bound.listen(100)
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


class Reader:
    """One connection of a browser."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = {"Cookie": cookie} if cookie else {}
        self._port = port

    def log_in(self, token: str) -> None:
        """Spend a log-in link, and keep its cookie."""
        headers = {
            "Origin": f"http://127.0.0.1:{self._port}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._connection.request("POST", "/login", f"token={token}", headers)
        answer = self._connection.getresponse()
        answer.read()
        self._headers = {"Cookie": str(answer.headers["set-cookie"]).partition(";")[0]}

    def get(self, path: str) -> bytes:
        """Return a page."""
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
        return body


def measure(readers: list[Reader], path: str) -> tuple[float, float, float]:
    """Return pages a second, and the median and the 99th percentile of their times in ms."""
    times: list[float] = []
    barrier = threading.Barrier(len(readers) + 1)

    def work(reader: Reader) -> None:
        reader.get(path)
        barrier.wait()
        for _ in range(REQUESTS):
            begun = time.perf_counter()
            reader.get(path)
            times.append(time.perf_counter() - begun)

    threads = [threading.Thread(target=work, args=(reader,)) for reader in readers]
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


def prepare(folder: Path, database: str) -> tuple[Hub, Mapping[str, PrivateKeys], str]:
    """Make a hub with 16 members and some collaborations of all of them."""
    limits = {"requests_per_minute": 10**9, "strangers_per_minute": 10**9, "free_bytes": 0}
    configuration = Configuration.model_validate({"database": database, "limits": limits})
    hub = make_hub(folder / "hub", configuration)
    keys = {f"m{k:02}": generate_keys() for k in range(CLIENTS)}
    for name, each in keys.items():
        token = invite(hub, name).link.partition("#")[2].partition(".")[0]
        accept_invitation(hub, token, each.public)
    file = folder / "lists.toml"
    head = 'name = "lists"\nmechanism = "exchange.union"\n'
    file.write_text(head + "".join(f"[parties.{name}]\n" for name in keys))
    identifiers = [open_collaboration(hub, file)[0] for _ in range(ROUNDS)]
    return hub, keys, identifiers[0]


def open_readers(hub: Hub, port: int, names: list[str]) -> list[Reader]:
    """Return a browser for each member, logged in."""
    readers = []
    for name in names:
        with read(hub.engine) as connection:
            owner, public = find_keys(connection, name)
        reader = Reader(port)
        reader.log_in(make_link(hub, owner, public.signing))
        readers.append(reader)
    return readers


def measure_start(folder: Path) -> float:
    """Return the seconds from the start of `hub serve` to its first page."""
    command = [sys.executable, "-m", "aboveboard", "hub", "serve", str(folder), "--port", "0"]
    begun = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(os.environ)
    ) as server:
        assert server.stdout is not None
        address = json.loads(server.stdout.readline())["address"]
        Reader(int(address.rpartition(":")[2])).get("/")
        seconds = time.perf_counter() - begun
        server.terminate()
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="")
    database = parser.parse_args().database
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        hub, keys, identifier = prepare(folder, database)
        pages = {
            "my collaborations": "/",
            "one collaboration": f"/collaborations/{identifier}",
            "its log": f"/collaborations/{identifier}/log",
            "my keys": "/keys",
        }
        best: dict[str, tuple[float, float, float]] = {}
        with (
            Served(serve_bare, folder / "hub") as bare,
            Served(serve_hub, folder / "hub") as served,
        ):
            readers = open_readers(hub, served.port, list(keys))
            for _ in range(TURNS):
                found = {"the bare page": measure([Reader(bare.port) for _ in keys], "/page")}
                found |= {name: measure(readers, path) for name, path in pages.items()}
                for name, numbers in found.items():
                    best[name] = max(best.get(name, numbers), numbers)
            memory = served.peak_megabytes
        hub.close()
        starts = min(measure_start(folder / "hub") for _ in range(TURNS))
    rate = best["the bare page"][0]
    for name, (pages_a_second, median, slow) in best.items():
        print(
            f"{name}: {pages_a_second:,.0f} pages/s ({pages_a_second / rate:.0%} of the bare page),"
            f" median {median:.1f} ms, p99 {slow:.1f} ms",
            flush=True,
        )
    print(f"memory of the server: {memory:.0f} MB")
    print(f"first page after the start: {starts:.2f} s")


if __name__ == "__main__":
    main()
