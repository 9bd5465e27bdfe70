"""Makes rounds for tests: keys, terms and the statements of honest members."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aboveboard.evidence.keys import PrivateKeys, generate_keys
from aboveboard.evidence.members import SeenRound
from aboveboard.evidence.notes import read_checkpoint
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.rounds import Round, begin_round
from aboveboard.evidence.sealing import encode_context, seal_message
from aboveboard.evidence.statements import Statement, sign_statement
from aboveboard.evidence.terms import CENTER

KEYS: dict[str, PrivateKeys] = {
    name: generate_keys() for name in ("acme", "bolt", "core", "center", "log")
}


def make_terms(named: Sequence[str] = ("acme", "bolt"), /, **changes: Any) -> Statement:
    body = {
        "kind": "terms",
        "format": 1,
        "name": "a round",
        "serial": 1,
        "previous": None,
        "engine": "aboveboard 0",
        "mechanism": "exchange.union",
        "parameters": {},
        "members": {
            name: {"keys": KEYS[name].public.as_dict(), "parameters": {}} for name in named
        },
        "center": KEYS["center"].public.as_dict(),
        "log": {"origin": "aboveboard/test", "signing": KEYS["log"].public.signing},
        "auditor": None,
        "missing": "cancel",
        "sees": {},
        "currency": None,
        "rounding": "",
        "deadlines": {},
        **changes,
    }
    return sign_statement(body, CENTER, KEYS["center"])


@dataclass
class Play:
    """A round in progress, with everything that was accepted."""

    terms: Statement
    round: Round = field(init=False)
    entries: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.round = begin_round(self.terms.content, "test")
        self.entries = [self.terms.content]

    def make(self, kind: str, by: str, **body: Any) -> Statement:
        said: Mapping[str, Any] = {"kind": kind, "terms": self.round.terms_digest, **body}
        return sign_statement(said, by, KEYS[by])

    def say(self, kind: str, by: str, **body: Any) -> Statement:
        statement = self.make(kind, by, **body)
        self.accept(statement)
        return statement

    def accept(self, statement: Statement) -> None:
        self.round = self.round.accept(statement)
        self.entries.append(statement.content)

    def agree(self) -> None:
        for name in self.round.list_awaited("agree"):
            self.say("agree", name)

    def commit(self) -> None:
        for name in self.round.list_awaited("commit"):
            self.say("commit", name, **commitment(name))

    def checkpoint(self) -> dict[str, Any]:
        size = len(self.entries)
        return {"size": size, "root": self.round.root_at(size).hex()}

    def submit(self) -> None:
        for name in self.round.list_awaited("submit"):
            self.say("submit", name, sealed=digest(name), **self.checkpoint())

    def result(self) -> Statement:
        each = {name: {} for name in self.round.present}
        return self.say(
            "result", CENTER, nonces=each, seed=digest("seed"), facts={}, shares=each, replies=each
        )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def commitment(name: str) -> dict[str, Any]:
    return {"root": digest(name), "size": 3, "nonce": digest(f"nonce of {name}")}


def make_submission(
    seen: SeenRound, name: str, keys: PrivateKeys, payload: Payload
) -> tuple[Statement, bytes]:
    """Return the member's submission and its ciphertext, under the checkpoint that was seen."""
    round_ = seen.round
    context = encode_context(round_.terms_digest, name, CENTER, "submit")
    center = round_.find_keys(CENTER) or round_.terms.center.public
    sealed = seal_message(payload.encode(), center.sealing, context)
    checkpoint = read_checkpoint(seen.checkpoint, str(seen.folder))
    body = {
        "kind": "submit",
        "terms": round_.terms_digest,
        "sealed": hashlib.sha256(sealed).hexdigest(),
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
    }
    return sign_statement(body, name, keys), sealed
