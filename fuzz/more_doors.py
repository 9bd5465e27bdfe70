"""The doors for games of others, markets in tables, notes, sealed messages, requests to a hub."""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.keys import generate_keys
from aboveboard.evidence.notes import read_note
from aboveboard.evidence.sealing import encode_context, open_message, seal_message
from aboveboard.evidence.statements import sign_statement
from aboveboard.games.gambit_files import read_game

GAMES = {
    "game.nfg": b'NFG 1 R "pd" { "a" "b" }\n\n{ { "c" "d" } { "c" "d" } }\n"x"\n\n'
    b'{ { "cc" 3, 3 } { "dc" 5, 0 } { "cd" 0, 5 } { "dd" 1/2, 0.25 } }\n1 2 3 4\n',
    "plain.nfg": b'NFG 1 D "m" { "a" "b" } { 2 2 }\n\n3 3 5 0 0 5 1 1\n',
    "game.efg": b'EFG 2 R "t" { "a" "b" }\n""\np "" 1 1 "i" { "L" "R" } 0\n'
    b'c "" 1 "n" { "u" 1/2 "d" 1/2 } 0\nt "" 1 "o" { 1, 2 }\nt "" 2 "p" { 0, 1 }\n'
    b'p "" 2 1 "j" { "l" "r" } 0\nt "" 3 "q" { 2, 0 }\nt "" 4 "s" { 1, 1 }\n',
}
"""Game files by name."""

VCG = 'mechanism = "market.vcg"\nbits = 6\n'
MARKETS = {
    "bids": (
        VCG + 'bids = "bids.csv"\nendowments = "endowments.csv"\n',
        {
            "bids.csv": b"party,goods,value,group,quantity\nann,x,3,,\nbob,x+y,5,g,\nbob,y,2,g,\n",
            "endowments.csv": b"party,good,quantity\ncyd,x,1\ncyd,y,1\n",
        },
    ),
    "cats": (
        VCG + 'bids = "a.cats"\n',
        {
            "a.cats": b"%% c\ngoods 2\nbids 3\ndummy 1\n\n"
            + b"0\t3\t0\t#\n1\t5\t0\t1\t2\t#\n2\t2\t1\t2\t#\n"
        },
    ),
}
"""By name: a collaboration file, and the tables that it names."""

NOTE, SEALED, REQUEST = "note.txt", "sealed.bin", "request.json"
KEYS = generate_keys()
CONTEXT = encode_context("00" * 32, "acme", "center", "submit")
HOST = "hub.example"


def list_pieces() -> dict[str, tuple[str, bytes]]:
    """Return by name of a seed its file and content."""
    note = "aboveboard/0123456789abcdef\n2\n" + "A" * 43 + "=\n\n"
    note += "\u2014 aboveboard/0123456789abcdef " + "A" * 90 + "==\n"
    bundle = {
        "format": 1, "name": "a", "entries": ["{}"], "checkpoint": note, "reply":
        {"file": "reply.txt", "sha256": "00" * 32}, "evidence": {}, "secrets": {}, "cosigned": [],
    }  # fmt: skip
    statement = {"kind": "agree", "terms": "00" * 32}
    return {
        "note": (NOTE, note.encode()),
        "bundle": (NOTE, json.dumps(bundle).encode()),
        "sealed": (SEALED, seal_message(b"reply", KEYS.public.sealing, CONTEXT)),
        "hub statement": (REQUEST, sign_statement(statement, "acme", KEYS).content),
        "hub invitation": (
            REQUEST, json.dumps({"token": "t" * 43, **KEYS.public.as_dict()}).encode()
        ),
    }  # fmt: skip


def bring_game(folder: Path, _: random.Random) -> str:
    """Read a game of Gambit."""
    (path,) = (*folder.glob("*.nfg"), *folder.glob("*.efg"))
    read_game(path)
    return "done"


def bring_note(folder: Path, _: random.Random) -> str:
    """Read bytes as a signed note and as a bundle."""
    content = (folder / NOTE).read_bytes()
    if content.lstrip()[:1] == b"{":
        decode_bundle(content, "bundle")
    else:
        read_note(content, "note")
    return "done"


def bring_sealed(folder: Path, _: random.Random) -> str:
    """Open a sealed message."""
    open_message((folder / SEALED).read_bytes(), KEYS, CONTEXT, "message")
    return "done"


@functools.cache
def _open_hub() -> Any:
    """Return a client of a hub in this process, with one member."""
    from starlette.testclient import TestClient

    from aboveboard.hub.api import create_application
    from aboveboard.hub.configuration import Configuration
    from aboveboard.hub.home import make_hub
    from aboveboard.hub.organizations import invite

    place = Path(tempfile.mkdtemp(prefix="aboveboard-fuzz-hub-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    hub = make_hub(place / "hub", Configuration(name="fuzz"))
    application = create_application(hub, (HOST,))
    rates = application.state.rates
    rates.count_member = rates.count_stranger = lambda _: None  # we are quick
    client = TestClient(application, raise_server_exceptions=False)
    token = invite(hub, "acme").link.partition("#")[2].partition(".")[0]
    body = json.dumps({"token": token, **KEYS.public.as_dict()}).encode()
    _send(client, "POST", "/api/v1/invitations/accept", body)
    return client


def _send(client: Any, method: str, path: str, content: bytes) -> Any:
    from aboveboard.hub.signatures import Target, sign_request

    plain, _, query = path.partition("?")
    digest = hashlib.sha256(content).hexdigest()
    signed = sign_request(Target(method, HOST, plain, query), digest, KEYS, int(time.time()))
    return client.request(method, f"http://{HOST}{path}", content=content, headers=signed)


ROUTES = (
    ("POST", "/api/v1/invitations/accept"),
    ("POST", "/api/v1/collaborations/0123456789abcdef/statements"),
    ("PUT", "/api/v1/collaborations/0123456789abcdef/submission"),
    ("PUT", "/api/v1/collaborations/0123456789abcdef/cosignature"),
    ("GET", "/api/v1/collaborations"),
)


class HubFailed(Exception):  # noqa: N818 - that it failed is the finding
    """A request was answered with a status of the server's own fault."""


def bring_request(folder: Path, rng: random.Random) -> str:
    """Send signed bytes to a hub: each is answered, none ends in a fault of the hub."""
    client = _open_hub()
    method, path = rng.choice(ROUTES)
    answer = _send(client, method, path, (folder / REQUEST).read_bytes())
    if answer.status_code >= 500:
        raise HubFailed(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
    return "done" if answer.status_code < 400 else "refused"
