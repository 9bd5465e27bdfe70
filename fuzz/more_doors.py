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
def _open_hub() -> tuple[Any, str]:
    """Return a client of a hub in this process, and the id of a round of its two members."""
    from starlette.testclient import TestClient

    from aboveboard.hub.api import create_application
    from aboveboard.hub.collaborations.opening import open_collaboration
    from aboveboard.hub.configuration import Configuration
    from aboveboard.hub.home import make_hub
    from aboveboard.hub.organizations import accept_invitation, invite

    place = Path(tempfile.mkdtemp(prefix="aboveboard-fuzz-hub-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    limits = {"statements_per_round": 10**9, "uploads_per_round": 10**9, "free_bytes": 0}
    configuration = Configuration.model_validate({"name": "fuzz", "limits": limits})
    hub = make_hub(place / "hub", configuration)
    application = create_application(hub, (HOST,))
    rates = application.state.rates
    rates.count_member = rates.count_stranger = lambda _: None  # we are quick
    client = TestClient(application, raise_server_exceptions=False)
    for name, keys in (("acme", KEYS), ("bolt", generate_keys())):
        token = invite(hub, name).link.partition("#")[2].partition(".")[0]
        accept_invitation(hub, token, keys.public)
    file = place / "lists.toml"
    file.write_text(
        'name = "lists"\nmechanism = "exchange.union"\n[parties.acme]\n[parties.bolt]\n'
    )
    return client, open_collaboration(hub, file)[0]


def _send(client: Any, method: str, path: str, content: bytes) -> Any:
    from aboveboard.hub.signatures import Target, sign_request

    plain, _, query = path.partition("?")
    digest = hashlib.sha256(content).hexdigest()
    signed = sign_request(Target(method, HOST, plain, query), digest, KEYS, int(time.time()))
    return client.request(method, f"http://{HOST}{path}", content=content, headers=signed)


ROUTES = (
    ("POST", "/api/v1/invitations/accept"),
    ("POST", "/api/v1/collaborations/{id}/statements"),
    ("PUT", "/api/v1/collaborations/{id}/sealed/{sha256}"),
    ("PUT", "/api/v1/collaborations/{id}/cosignatures"),
    ("PUT", "/api/v1/collaborations/{id}/recovery"),
    ("GET", "/api/v1/collaborations"),
)
"""Method and path; each is one that the hub has."""


class HubFailed(Exception):  # noqa: N818 - that it failed is the finding
    """A request was answered with a status of the server's own fault."""


def bring_request(folder: Path, rng: random.Random) -> str:
    """Send signed bytes to a hub: each is answered, none ends in a fault of the hub."""
    client, identifier = _open_hub()
    method, route = rng.choice(ROUTES)
    content = (folder / REQUEST).read_bytes()
    path = route.format(id=identifier, sha256=hashlib.sha256(content).hexdigest())
    answer = _send(client, method, path, content)
    if answer.status_code >= 500:
        raise HubFailed(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
    return "done" if answer.status_code < 400 else "refused"
