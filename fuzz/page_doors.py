"""The doors of pages: every route, form, header and cookie of a hub and of a desk, spoilt.

A hub is served with rounds at several steps, and two of its members have desks. An answer is sound
if it is no fault of the server's own, shows no traceback, and holds nothing that a browser runs.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import io
import random
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlencode

BODY = "body.txt"
BOUNDARY = "aboveboardfuzz"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
URLENCODED = "application/x-www-form-urlencoded"
NAMES = ("acme", "bolt")
PORT = 8901

BODIES = {
    "form": b"digest=0&read=yes&seen=yes&reason=wrong-payment&link=http%3A%2F%2Fx%2Fjoin&token=t"
    b"&form=f&text=none&answer=yes&hub=0&public=0&member=bolt",
    "file": f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="list.txt"\r\n'
    f"Content-Type: text/plain\r\n\r\na.example\nb.example\n\r\n--{BOUNDARY}\r\n"
    f'Content-Disposition: form-data; name="seen"\r\n\r\nyes\r\n--{BOUNDARY}--\r\n'.encode(),
}
"""Bodies by name of a seed."""

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "\x00",
    "\r\nSet-Cookie: a=b", "../../etc/passwd", "%2e%2e%2f", "http://[", "http://[::1", "//x@y:9",
    "http://127.0.0.1:99999999", "é", "\u2028", "\ud800", "9" * 25, "9" * 5000, "-1", "0", "1e9",
    "", " ", "{{7*7}}", "' OR 1=1 --", "a" * 9000, "=?utf-8?b?PHNjcmlwdD4=?=", "null",
    "\x7f\x1b[2J", "bytes=0-99999999999999999999", "0x10", "+5", "1_0", "none",
    "same-origin", "*",
)  # fmt: skip

HEADERS = (
    "host", "origin", "referer", "cookie", "content-type", "content-length", "sec-fetch-site",
    "sec-fetch-mode", "range", "if-none-match", "accept-encoding", "content-encoding", "expect",
    "authorization", "signature", "signature-input", "content-digest", "x-forwarded-for",
    "x-forwarded-host", "transfer-encoding", "accept-language", "last-event-id",
)  # fmt: skip

LOOKED_AT = ("origin", "cookie", "content-type", "content-length", "sec-fetch-site")
"""Those that our own code reads."""

METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "X" * 30)


class UnsoundPage(Exception):  # noqa: N818 - that it is unsound is the finding
    """An answer is a fault of the server, or could act in a browser."""


@dataclass
class Request:
    """What is sent: `path` as it stands in the first line, headers by small name."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Response:
    """What came back."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def read_header(self, name: str) -> str:
        """Return the value of a header, its name in small letters; empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class _Elements(HTMLParser):
    """Finds what a browser would run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "base", "foreignobject", "link"):
            target = str(dict(attrs).get("href"))
            if tag != "link" or not target.startswith(("/", "data:")):
                self.found.append(tag)
        for name, value in attrs:
            text = re.sub(r"[\s\x00-\x1f]", "", value or "").lower()
            if name.startswith("on") or text.startswith(("javascript:", "vbscript:")):
                self.found.append(f"{tag} {name}")


def check_answer(request: Request, answer: Response) -> str:
    """Return what came of a request.

    Raises
    ------
    UnsoundPage
        If the answer is a finding.
    """
    where = f"{request.method[:8]} {re.sub('[0-9a-f]{16}', 'ID', request.path)[:120]!r}"
    text = answer.body.decode("utf-8", "replace")
    if answer.status >= 500 and not (answer.status == 503 and "database" in text):
        raise UnsoundPage(f"{answer.status} for {where}")
    if "Traceback (most recent call last)" in text or 'File "/' in text:
        raise UnsoundPage(f"a traceback for {where}")
    for name, value in answer.headers:
        if re.search(r"[\r\n\x00]", name + value) or name.lower() == "a":
            raise UnsoundPage(f"a header was split for {where}")
    if "text/html" in answer.read_header("content-type"):
        elements = _Elements()
        elements.feed(text)
        if elements.found:
            raise UnsoundPage(f"{elements.found[0]} in the page for {where}")
        if "script-src" in answer.read_header("content-security-policy") or (
            "default-src 'none'" not in answer.read_header("content-security-policy")
        ):
            raise UnsoundPage(f"no policy for {where}")
    return "done" if answer.status < 400 else "refused"


@dataclass
class Town:
    """A hub and two desks, all in this process."""

    application: Any
    host: str
    cookies: list[str]
    desks: list[Any]
    identifiers: list[str]
    routes: list[tuple[str, str]]


@functools.cache
def open_town() -> Town:
    """Return a hub with rounds at several steps, who reads its pages, and desks of members."""
    from aboveboard.desk import Desk, DeskApplication
    from aboveboard.hub.api import create_application
    from aboveboard.hub.configuration import Configuration
    from aboveboard.hub.home import make_hub
    from aboveboard.hub.jobs import settling
    from aboveboard.hub.jobs.child import settle_folder, write_outcome
    from aboveboard.hub.jobs.worker import Worker
    from aboveboard.hub.organizations import invite
    from aboveboard.hub.serving import BackgroundServer

    place = Path(tempfile.mkdtemp(prefix="aboveboard-fuzz-pages-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    hub = make_hub(place / "hub", Configuration.model_validate({"limits": {"free_bytes": 0}}))
    settling.spawn_child = lambda _hub, _lease, folder: write_outcome(folder, settle_folder(folder))
    server = BackgroundServer(hub)
    server.__enter__()
    atexit.register(server.__exit__, None, None, None)
    desks = [DeskApplication(Desk(place / name), (f"127.0.0.1:{PORT}",)) for name in NAMES]
    for name, desk in zip(NAMES, desks, strict=True):
        link = invite(hub, name, address=server.address).link
        press(desk, "/join", {"link": link})
    identifiers = [_open_round(hub, place, desks, step) for step in range(5)]
    Worker(hub).work()
    send(desks[0], Request("GET", f"/round/{identifiers[-1]}/result", {}))  # which verifies it
    press(desks[0], f"/round/{identifiers[-1]}/accept", {})
    host = server.address.partition("//")[2]
    application = create_application(hub, {host})
    rates = application.state.rates
    rates.count_member = rates.count_stranger = lambda _: None  # we are quick
    routes = [
        (str(getattr(route, "path", "/")), method)
        for route in application.routes
        for method in (getattr(route, "methods", None) or ())
    ]
    return Town(application, host, _open_sessions(hub, host), desks, identifiers, routes)


def _open_round(hub: Any, place: Path, desks: list[Any], steps: int) -> str:
    """Return a round that has come as far as this."""
    from aboveboard.hub.collaborations.opening import open_collaboration

    file = place / "lists.toml"
    head = 'name = "<script>alert(1)</script>"\nmechanism = "exchange.union"\nkind = "domain"\n'
    file.write_text(head + "".join(f"[parties.{name}]\n" for name in NAMES))
    identifier: str = open_collaboration(hub, file)[0]
    path = f"/round/{identifier}"
    for step in range(steps):
        for desk in desks:
            if step == 0:
                page = send(desk, Request("GET", f"{path}/terms", {})).body.decode()
                found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
                assert found is not None, page[:2000]
                press(desk, f"{path}/agree", {"digest": found[1], "read": "yes"})
            elif step == 1:
                headers = {"content-type": MULTIPART, "origin": f"http://127.0.0.1:{PORT}"}
                send(desk, Request("POST", f"{path}/file", headers, BODIES["file"]))
            elif step == 2:
                press(desk, f"{path}/commit", {})
            else:
                press(desk, f"{path}/submit", {"seen": "yes"})
    return identifier


def _open_sessions(hub: Any, host: str) -> list[str]:
    """Return the cookies of the operator and of a member."""
    from sqlalchemy import select

    from aboveboard.hub.database.engine import read
    from aboveboard.hub.database.tables import key
    from aboveboard.hub.organizations.registry import find_by_key
    from aboveboard.hub.pages.security import name_cookie
    from aboveboard.hub.pages.sessions import make_link, open_session

    with read(hub.engine) as connection:
        signing = str(connection.execute(select(key.c.signing)).scalars().first())
        member = find_by_key(connection, signing)
    cookies = []
    for owner, its in ((None, hub.keys.center.public.signing), (member, signing)):
        opened = open_session(hub, make_link(hub, owner, its, secrets.token_hex(32)))
        assert opened is not None
        cookies.append(f"{name_cookie(hub, host)}={opened[0]}")
    return cookies


def press(desk: Any, path: str, fields: Mapping[str, str]) -> Response:
    """Send a form of the desk's own page."""
    headers = {"content-type": URLENCODED, "origin": f"http://127.0.0.1:{PORT}"}
    answer = send(desk, Request("POST", path, headers, urlencode(fields).encode()))
    assert answer.status == 303, answer.body.decode()[-1500:]
    return answer


def send(desk: Any, request: Request, root: str | None = None) -> Response:
    """Send a request to a desk, as the server of the standard library hands it on."""
    plain, _, query = request.path.partition("?")
    prefix = desk.guard.root if root is None else root
    headers = {"host": f"127.0.0.1:{PORT}", **request.headers}
    environ = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote_to_bytes(f"{prefix}{plain}").decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_TYPE": headers.get("content-type", "text/plain"),
        "CONTENT_LENGTH": headers.get("content-length", str(len(request.body))),
        "wsgi.input": io.BytesIO(request.body),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    answer = Response()

    def start(status: str, found: list[tuple[str, str]]) -> None:
        answer.status, answer.headers = int(status[:3]), found

    answer.body = b"".join(desk(environ, start))
    return answer


def call(application: Any, host: str, request: Request) -> Response:
    """Send a request to a hub, as its server hands it on."""
    plain, _, query = request.path.partition("?")
    headers = {"host": host, **request.headers}
    answer, waiting = Response(), [request.body]

    async def receive() -> dict[str, Any]:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return {"type": "http.disconnect"}

    async def take(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [
                (a.decode("latin-1"), b.decode("latin-1")) for a, b in message["headers"]
            ]
        else:
            answer.body += message.get("body", b"")

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
        "method": request.method, "path": unquote_to_bytes(plain).decode("utf-8", "replace"),
        "raw_path": plain.encode("utf-8", "replace"), "root_path": "",
        "query_string": query.encode("utf-8", "replace"), "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "headers": [
            (name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()
        ],
    }  # fmt: skip
    asyncio.run(asyncio.wait_for(application(scope, receive, take), 60))
    return answer


def bring_hub_page(folder: Path, rng: random.Random) -> str:
    """Ask a hub for one of its routes, with something odd about the request."""
    town = open_town()
    path, method = rng.choice(town.routes)
    headers = {"origin": f"http://{town.host}", "content-type": rng.choice((URLENCODED, MULTIPART))}
    who = rng.randrange(3)
    if who < 2:
        headers["cookie"] = town.cookies[who]
    request = Request(method, _fill(path, town, rng), headers, (folder / BODY).read_bytes())
    _spoil(request, rng)
    return check_answer(request, call(town.application, town.host, request))


def bring_desk_page(folder: Path, rng: random.Random) -> str:
    """Ask a desk for one of its pages, or send one of its forms, with something odd about it."""
    from aboveboard.desk.application import PAGES, STEPS

    town = open_town()
    method, table = rng.choice((("GET", PAGES), ("POST", STEPS)))
    pattern = rng.choice(table)[0]
    identifier = rng.choice(town.identifiers)
    path = re.sub(r"\(\?P<identifier>[^)]*\)", identifier, pattern).replace("\\", "")
    headers = {"origin": f"http://127.0.0.1:{PORT}", "content-type": MULTIPART}
    body = (folder / BODY).read_bytes()
    if not body.lstrip(b"\r\n").startswith(b"--"):
        headers["content-type"] = URLENCODED
    request = Request(method, path, headers, body)
    _spoil(request, rng)
    root = None if rng.random() < 0.97 else rng.choice(("", "/" + rng.choice(HOSTILE)))
    root = root if root is None else quote(root, errors="replace")
    answer = send(rng.choice(town.desks), request, root)
    return check_answer(request, answer)


def _fill(path: str, town: Town, rng: random.Random) -> str:
    """Return a path with something for each of its parameters."""

    def choose(found: re.Match[str]) -> str:
        if rng.random() < 0.6 and "identifier" in found[0]:
            return rng.choice(town.identifiers)
        if rng.random() < 0.5:
            return rng.choice(("0", "1", "acme", "bolt", "0" * 64))
        return quote(rng.choice(HOSTILE), safe="", errors="replace")

    return re.sub(r"\{[^}]*\}", choose, path)


def _spoil(request: Request, rng: random.Random) -> None:
    """Make something odd of a request; of some nothing, which reach what lies behind."""
    for _ in range(rng.choice((0, 1, 1, 2))):
        odd = rng.choice(HOSTILE)
        kind = rng.randrange(5)
        if kind == 0:
            names = ("token", "after", "page", "size", "from", "q", "limit", "name", odd)
            request.path += f"?{quote(rng.choice(names), errors='replace')}=" + quote(
                odd, errors="replace"
            )
        elif kind == 1:
            name = rng.choice((*HEADERS, *LOOKED_AT * 3))
            request.headers[name] = re.sub(r"[\r\n\x00]|[^\x00-\xff]", "", odd)
        elif kind == 2:
            request.method = rng.choice(METHODS)
        elif kind == 3:
            at = rng.randrange(len(request.path) + 1)
            request.path = request.path[:at] + quote(odd, errors="replace") + request.path[at:]
        else:
            cut = rng.randrange(len(request.body) + 1)
            request.body = request.body[:cut] + odd.encode("utf-8", "replace") * rng.choice((1, 50))


DOORS: dict[str, Callable[[Path, random.Random], str]] = {
    "hub page": bring_hub_page,
    "desk page": bring_desk_page,
}
