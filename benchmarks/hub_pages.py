"""The hub's pages beside a page of the bare framework: python -m benchmarks.hub_pages.

Both are served by uvicorn in processes of their own, on the same database, and asked in turns by 16
clients of a third process. The peer is a FastAPI application with one page: a query, and a template
that lists what it finds, without log-in, limits or headers. Best of several turns; also the time
from the start of `aboveboard hub serve` to its first page, and the memory of the server.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from aboveboard.evidence.keys import PrivateKeys, generate_keys
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.database.engine import read
from aboveboard.hub.home import Hub, make_hub, open_hub
from aboveboard.hub.organizations import accept_invitation, find_keys, invite
from aboveboard.hub.pages.sessions import make_link
from aboveboard.hub.serving import HubServer, bind

CLIENTS, REQUESTS, TURNS, ROUNDS = 16, 60, 3, 12

BARE_PAGE = """<!doctype html><html><head><title>names</title></head><body><h1>Names</h1>
<ul>{% for name in names %}<li>{{ name }}</li>{% endfor %}</ul></body></html>"""


def serve_bare(folder: Path) -> None:
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

    bound = bind("127.0.0.1", 0)
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    HubServer(config, lambda: print(json.dumps({"address": address}), flush=True)).run([bound])


class Served:
    """A server in a process of its own, which prints its address as its first line of JSON."""

    def __init__(self, *command: str) -> None:
        self._begun = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        address = json.loads(self._process.stdout.readline())["address"]
        self.port = int(address.rpartition(":")[2])

    @property
    def seconds(self) -> float:
        """Since the process was started."""
        return time.perf_counter() - self._begun

    @property
    def peak_megabytes(self) -> float:
        """The most memory that the process had."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    @property
    def cpu_seconds(self) -> float:
        """Processor time of the process so far, all threads together."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def start_hub(folder: Path) -> Served:
    """Return the hub, served as its operator serves it."""
    return Served("aboveboard", "hub", "serve", str(folder), "--port", "0")


@dataclass(frozen=True)
class Reader:
    """A browser: where it connects, and the cookie of its session."""

    port: int
    cookie: str = ""

    def log_in(self, token: str) -> Reader:
        """Spend a log-in link; return the browser with its cookie."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {
            "Origin": f"http://127.0.0.1:{self.port}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection.request("POST", "/login", f"token={token}", headers)
        cookie = connection.getresponse().headers["set-cookie"]
        return Reader(self.port, str(cookie).partition(";")[0])

    async def read(self, path: str, count: int) -> list[float]:
        """Read a page many times over one connection; return the seconds of each."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{cookie}\r\n".encode()
        times = []
        for _ in range(count):
            begun = time.perf_counter()
            writer.write(asked)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            if not head.startswith(b"HTTP/1.1 200") or length is None:
                raise RuntimeError(f"{path}: {head[:300]!r}")
            await reader.readexactly(int(length[1]))
            times.append(time.perf_counter() - begun)
        writer.close()
        return times


Numbers = tuple[float, float, float, float]
"""Pages a second, median and 99th percentile of their times in ms, processor time a page in ms."""


def measure(server: Served, readers: list[Reader], path: str) -> Numbers:
    """Return what the clients measured of a page, all of them at once."""

    async def read_all(count: int) -> list[float]:
        found = await asyncio.gather(*(reader.read(path, count) for reader in readers))
        return [seconds for times in found for seconds in times]

    asyncio.run(read_all(2))
    begun, busy = time.perf_counter(), server.cpu_seconds
    ordered = sorted(asyncio.run(read_all(REQUESTS)))
    wall, busy = time.perf_counter() - begun, server.cpu_seconds - busy
    count = len(ordered)
    slow = ordered[int(count * 0.99)]
    return count / wall, statistics.median(ordered) * 1000, slow * 1000, busy / count * 1000


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
        readers.append(Reader(port).log_in(make_link(hub, owner, public.signing)))
    return readers


def measure_start(folder: Path) -> tuple[float, float]:
    """Return the wall and processor seconds from the start of `hub serve` to its first page."""
    with start_hub(folder) as server:
        asyncio.run(Reader(server.port).read("/", 1))
        return server.seconds, server.cpu_seconds


def choose(old: Numbers, new: Numbers) -> Numbers:
    """Return the best of two measurements, each number for itself: others use the machine."""
    return max(old[0], new[0]), min(old[1], new[1]), min(old[2], new[2]), min(old[3], new[3])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="")
    parser.add_argument("--serve-bare", type=Path)
    given = parser.parse_args()
    if given.serve_bare is not None:
        serve_bare(given.serve_bare)
        return
    database = given.database
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        hub, keys, identifier = prepare(folder, database)
        pages = {
            "my collaborations": "/",
            "one collaboration": f"/collaborations/{identifier}",
            "its log": f"/collaborations/{identifier}/log",
            "my keys": "/keys",
        }
        best: dict[str, Numbers] = {}
        bare_command = ("benchmarks.hub_pages", "--serve-bare", str(folder / "hub"))
        with Served(*bare_command) as bare, start_hub(folder / "hub") as served:
            readers = open_readers(hub, served.port, list(keys))
            for _ in range(TURNS):
                strangers = [Reader(bare.port) for _ in keys]
                found = {"the bare page": measure(bare, strangers, "/page")}
                found |= {name: measure(served, readers, path) for name, path in pages.items()}
                for name, numbers in found.items():
                    best[name] = choose(best.get(name, numbers), numbers)
            memory = served.peak_megabytes
        hub.close()
        starts = [measure_start(folder / "hub") for _ in range(TURNS)]
    bare_rate, _, _, bare_cpu = best["the bare page"]
    for name, (rate, median, slow, cpu) in best.items():
        print(
            f"{name}: {rate:,.0f} pages/s ({rate / bare_rate:.0%} of the bare page), median "
            f"{median:.1f} ms, p99 {slow:.1f} ms; processor {cpu:.2f} ms a page "
            f"({bare_cpu / cpu:.0%} of the bare page's rate)",
            flush=True,
        )
    print(f"memory of the server: {memory:.0f} MB")
    wall, busy = min(each[0] for each in starts), min(each[1] for each in starts)
    print(f"first page after the start: {wall:.2f} s, of which the processor {busy:.2f} s")


if __name__ == "__main__":
    main()
