"""Helpers of the hub's tests: a hub, members that sign their requests, rounds taken to a step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from aboveboard.evidence.commitments import commit_elements
from aboveboard.evidence.keys import PrivateKeys, generate_keys
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.sealing import encode_context, open_message, seal_message
from aboveboard.evidence.seeds import commit_nonce
from aboveboard.evidence.statements import sign_statement
from aboveboard.hub.api import create_application
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.home import Hub
from aboveboard.hub.organizations import invite
from aboveboard.hub.signatures import Target, sign_request

HOST = "hub.example"
LISTS: dict[str, list[str]] = {
    "acme": [f"{k}.example" for k in range(12)],
    "bolt": [f"{k}.example" for k in range(8, 20)],
    "core": ["0.example", "9.example", *(f"{k}.example" for k in range(30, 34))],
}


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Person:
    """A member, or a stranger with keys, who sends signed requests."""

    name: str
    client: TestClient
    clock: Clock
    keys: PrivateKeys = field(default_factory=generate_keys)

    def send(
        self,
        method: str,
        path: str,
        content: bytes = b"",
        *,
        digest: str | None = None,
        headers: Mapping[str, str] | None = None,
        keys: PrivateKeys | None = None,
    ) -> Any:
        plain, _, query = path.partition("?")
        signed = sign_request(
            Target(method, HOST, plain, query),
            digest or hashlib.sha256(content).hexdigest(),
            keys or self.keys,
            int(self.clock()),
        )
        return self.client.request(
            method, f"http://{HOST}{path}", content=content, headers={**signed, **(headers or {})}
        )

    def join(self, hub: Hub) -> Any:
        token = invite(hub, self.name).link.partition("#")[2].partition(".")[0]
        content = json.dumps({"token": token, **self.keys.public.as_dict()}).encode()
        return self.send("POST", "/api/v1/invitations/accept", content)


@dataclass
class House:
    """A hub with members, in this process."""

    hub: Hub
    clock: Clock
    app: FastAPI
    people: dict[str, Person]

    @classmethod
    def build(cls, hub: Hub, clock: Clock, names: Sequence[str] = tuple(LISTS)) -> House:
        app = create_application(hub, (HOST,))
        client = TestClient(app, raise_server_exceptions=False)
        people = {name: Person(name, client, clock) for name in names}
        for person in people.values():
            assert person.join(hub).status_code == 200
        return cls(hub, clock, app, people)

    def open(self, folder: Path, names: Sequence[str] | None = None, **options: Any) -> Table:
        names = list(names or self.people)
        file = folder / "lists.toml"
        head = 'name = "lists"\nmechanism = "exchange.union"\nkind = "domain"\n'
        file.write_text(head + "".join(f"[parties.{name}]\n" for name in names))
        identifier, round_ = open_collaboration(self.hub, file, **options)
        return Table(self, identifier, round_.terms_digest, names)


@dataclass
class Table:
    """One collaboration in a house, and what its members keep to themselves."""

    house: House
    id: str
    terms: str
    names: list[str]
    payloads: dict[str, Payload] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/api/v1/collaborations/{self.id}"

    def say(self, name: str, kind: str, **rest: Any) -> Any:
        return self.post(name, self.sign(name, kind, **rest))

    def sign(self, name: str, kind: str, **rest: Any) -> bytes:
        keys = self.house.people[name].keys
        return sign_statement({"kind": kind, "terms": self.terms, **rest}, name, keys).content

    def post(self, name: str, content: bytes) -> Any:
        return self.house.people[name].send("POST", f"{self.path}/statements", content)

    def view(self, name: str) -> Any:
        return self.house.people[name].send("GET", self.path).json()

    def commitment(self, name: str) -> bytes:
        key, nonce = (hashlib.sha256(f"{name} {what}".encode()).digest() for what in ("k", "n"))
        content = "".join(f"{x}\n" for x in LISTS[name]).encode()
        self.payloads[name] = Payload({"data": "list.txt"}, {"list.txt": content}, key, nonce)
        found = commit_elements([x.encode() for x in sorted(LISTS[name])], key)
        return self.sign(
            name,
            "commit",
            root=found.root.hex(),
            size=found.size,
            nonce=commit_nonce(nonce, name),
        )

    def seal(self, name: str, payload: Payload | None = None) -> bytes:
        context = encode_context(self.terms, name, "center", "submit")
        sealing = self.house.hub.keys.center.public.sealing
        return seal_message((payload or self.payloads[name]).encode(), sealing, context)

    def upload(self, name: str, sealed: bytes) -> Any:
        digest = hashlib.sha256(sealed).hexdigest()
        return self.house.people[name].send("PUT", f"{self.path}/sealed/{digest}", sealed)

    def submission(self, name: str, sealed: bytes) -> bytes:
        import base64

        log = self.house.people[name].send("GET", f"{self.path}/log").json()
        root = base64.b64decode(log["checkpoint"].split("\n")[2]).hex()
        digest = hashlib.sha256(sealed).hexdigest()
        return self.sign(name, "submit", sealed=digest, size=log["size"], root=root)

    def agree(self) -> None:
        for name in self.names:
            assert self.say(name, "agree").status_code == 201

    def commit(self) -> None:
        for name in self.names:
            answer = self.post(name, self.commitment(name))
            assert answer.status_code == 201, answer.text

    def submit(self, *names: str) -> None:
        for name in names or self.names:
            sealed = self.seal(name)
            assert self.upload(name, sealed).status_code == 201
            answer = self.post(name, self.submission(name, sealed))
            assert answer.status_code == 201, answer.text

    def until_sealed(self) -> None:
        self.agree()
        self.commit()
        self.submit()

    def fetch(self, name: str) -> bytes:
        answer = self.house.people[name].send("GET", f"{self.path}/reply")
        assert answer.status_code == 200, answer.text
        context = encode_context(self.terms, "center", name, "result")
        return open_message(answer.content, self.house.people[name].keys, context, name)
