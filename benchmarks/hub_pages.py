"""The hub's pages beside a page of the bare framework: python -m benchmarks.hub_pages.

Both are served by uvicorn in processes of their own, on the same database, and asked in turns by 16
clients of a third process. The peer is a FastAPI application with one page: a query through the
same SQLAlchemy, and a template of the same Jinja2, compiled once, that lists the 16 names that it
finds. It has no log-in, no rules of who may see what, no headers, limits or lines in a log; each of
our pages asks the database who reads and what that reader may see, besides what it shows. Best of
several turns, the bare page just before each of ours; also the time from the start of `aboveboard
hub serve` to its first page, and the memory of the server.
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
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from aboveboard.evidence.statements import sign_statement
from aboveboard.hub.collaborations.logs import lock
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.home import Hub, open_hub
from aboveboard.hub.money.ledger import enter_payments
from aboveboard.hub.organizations import find_keys
from aboveboard.hub.pages.rule_book import WAITING
from aboveboard.hub.pages.sessions import make_link, make_operator_link
from aboveboard.hub.serving import HubServer, bind
from benchmarks.hub_rounds import (
    Keys,
    make_open_hub,
    make_settlement,
    read_opened,
    write_log,
)
from benchmarks.machine import ROOT

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
            [sys.executable, "-m", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        address = json.loads(self._process.stdout.readline())["address"]
        self.port = int(address.rpartition(":")[2])

    @property
    def seconds(self) -> float:
        """Since the process was started."""
        return time.perf_counter() - self._begun

    @property
    def peak(self) -> int:
        """The most memory that the process had, in bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

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

    def show(self, path: str) -> str:
        """Return a page's text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("GET", path, headers={"Cookie": self.cookie})
        return connection.getresponse().read().decode()

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


def prepare(folder: Path, database: str) -> tuple[Hub, Keys, str, str]:
    """Make a hub with 16 members and collaborations of all of them.

    Returned are the hub, its members' keys, and the ids of one that was just opened and of one that
    is settled: all have signed, committed, sent and accepted, and there is money to be paid.
    """
    hub, keys, file = make_open_hub(folder, CLIENTS, database)
    identifiers = [open_collaboration(hub, file)[0] for _ in range(ROUNDS)]
    settled = identifiers[-1]
    found = list(make_settlement(read_opened(hub, settled), keys, hub))
    said, (result, round_) = [each for each, _ in found], found[-1]
    for name, pair in keys.items():
        body = {"kind": "accept", "terms": round_.terms_digest, "result": result.digest}
        said.append(sign_statement(body, name, pair))
        round_ = round_.accept(said[-1])
    write_log(hub, settled, said, round_)
    with write(hub.engine) as connection:
        row = lock(connection, settled)
        cents = {name: 100 * k - 700 for k, name in enumerate(keys)}
        enter_payments(connection, row, round_, cents, hub.now)
    return hub, keys, identifiers[0], settled


def open_readers(hub: Hub, port: int, names: list[str]) -> list[Reader]:
    """Return a browser for each member, logged in."""
    readers = []
    for name in names:
        with read(hub.engine) as connection:
            owner, public = find_keys(connection, name)
        readers.append(Reader(port).log_in(make_link(hub, owner, public.signing)))
    return readers


def open_operators(hub: Hub, port: int, count: int) -> list[Reader]:
    """Return browsers in which the operator is logged in."""
    tokens = [make_operator_link(hub).rpartition("=")[2] for _ in range(count)]
    return [Reader(port).log_in(token) for token in tokens]


OPERATORS = ("the operator's board", "all collaborations")


def list_pages(fresh: str, settled: str) -> dict[str, str]:
    """Return the address of each kind of page."""
    path = f"/collaborations/{settled}"
    return {
        "my collaborations": "/",
        "one collaboration": f"/collaborations/{fresh}",
        "its members once it is settled": path,
        "its terms": f"{path}/terms",
        "audit of its rule": f"{path}/audit",
        "its settlement": f"{path}/result",
        "its log": f"{path}/log",
        "an entry with its proof": f"{path}/log/20",
        "my keys": "/keys",
        **dict(zip(OPERATORS, ("/", "/collaborations"), strict=True)),
    }


def await_audit(reader: Reader, identifier: str) -> None:
    """Wait until the audit of the rule is there: a child computes it, and takes a core for that."""
    for _ in range(300):
        if WAITING["note"] not in reader.show(f"/collaborations/{identifier}/audit"):
            return
        time.sleep(1)
    raise RuntimeError("the audit of the rule is not there after five minutes")


def measure_start(folder: Path) -> tuple[float, float]:
    """Return the wall and processor seconds from the start of `hub serve` to its first page."""
    with start_hub(folder) as server:
        asyncio.run(Reader(server.port).read("/", 1))
        return server.seconds, server.cpu_seconds


def choose(old: tuple[Numbers, Numbers], new: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
    """Return the best of two measurements, each number for itself: others use the machine."""
    first, second = (
        (max(a[0], b[0]), min(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))
        for a, b in zip(old, new, strict=True)
    )
    return first, second


def describe(name: str, bare: Numbers, ours: Numbers) -> str:
    """Return a line that tells a page beside the bare page, which was asked just before it."""
    (bare_rate, _, _, bare_cpu), (rate, median, slow, cpu) = bare, ours
    return (
        f"{name}: {rate:,.0f} pages/s ({rate / bare_rate:.0%} of {bare_rate:,.0f}), median "
        f"{median:.1f} ms, p99 {slow:.1f} ms; processor {cpu:.2f} ms a page "
        f"({bare_cpu / cpu:.0%} of the rate of the bare page's {bare_cpu:.2f} ms)"
    )


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
        hub, keys, fresh, settled = prepare(folder, database)
        best: dict[str, tuple[Numbers, Numbers]] = {}
        bare_command = ("benchmarks.hub_pages", "--serve-bare", str(folder / "hub"))
        with Served(*bare_command) as bare, start_hub(folder / "hub") as served:
            members = open_readers(hub, served.port, list(keys))
            operators = open_operators(hub, served.port, len(keys))
            strangers = [Reader(bare.port) for _ in keys]
            await_audit(members[0], settled)
            for _ in range(TURNS):
                for name, path in list_pages(fresh, settled).items():
                    readers = operators if name in OPERATORS else members
                    found = measure(bare, strangers, "/page"), measure(served, readers, path)
                    best[name] = choose(best.get(name, found), found)
            memory = served.peak / 2**20
        hub.close()
        starts = [measure_start(folder / "hub") for _ in range(TURNS)]
    for name, (theirs, ours) in best.items():
        print(describe(name, theirs, ours), flush=True)
    print(f"memory of the server: {memory:.0f} MB")
    wall, busy = min(each[0] for each in starts), min(each[1] for each in starts)
    print(f"first page after the start: {wall:.2f} s, of which the processor {busy:.2f} s")


if __name__ == "__main__":
    main()
