"""Folders of evidence that the fuzzer starts from: results, public rounds, small pieces.

All keys are fixed, so that an input is the same whenever it is made. A spoilt result is signed
anew at its door: else every input would end at the signature.
"""

from __future__ import annotations

import json
import tempfile
import tomllib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import tomli_w
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from aboveboard._version import __version__
from aboveboard.collaborations.collaboration import load, run
from aboveboard.collaborations.registry import load_mechanisms
from aboveboard.commands.rounds.outcomes import compute_outcome
from aboveboard.evidence.blinded_tokens import blind_elements, encode_tokens
from aboveboard.evidence.canonical import encode_canonical
from aboveboard.evidence.centers import CenterKeys
from aboveboard.evidence.commitments import commit_elements
from aboveboard.evidence.keys import PrivateKeys
from aboveboard.evidence.local_runs import ReplyFile, make_bundles
from aboveboard.evidence.log import Log, make_receipt
from aboveboard.evidence.notes import cosign_note
from aboveboard.evidence.own_part import list_elements
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.rounds import Round, begin_round
from aboveboard.evidence.seeds import commit_nonce
from aboveboard.evidence.statements import Statement, sign_statement
from aboveboard.evidence.sum_commitments import commit_point, open_sum
from aboveboard.evidence.terms import CENTER
from aboveboard.mechanisms.reply_files import write_reply
from aboveboard.settlements.writing import reply_path

ORIGIN = "aboveboard/fuzz"


def make_keys(number: int) -> PrivateKeys:
    """Return the same keys for a number, always."""
    secret = bytes([number]) * 32
    return PrivateKeys(
        Ed25519PrivateKey.from_private_bytes(secret), X25519PrivateKey.from_private_bytes(secret)
    )


KEYS = CenterKeys(make_keys(1), make_keys(2))

RUNS = (
    "exchange.union",
    "exchange.interval",
    "exchange.average",
    "exchange.contribution",
    "market.vcg",
    "valuation.payments",
    "learning.payments",
    "market.propose_and_agree",
    "curation.fair",
)

Folder = tuple[str, str, dict[str, bytes], tuple[str, ...]]
"""Name, door, files, and which of them are spoilt."""


def list_folders() -> Iterator[Folder]:
    """Yield all folders of evidence, always in the same order."""
    for mechanism in RUNS:
        yield _make_result_of_run(mechanism)
    play, parts = _hold_round()
    yield _make_opened_result(play, parts)
    yield _make_public_round(play)
    yield _make_pieces(play, parts)


def _make_result_of_run(mechanism: str) -> Folder:
    text = load_mechanisms()[mechanism].STARTING_FILE
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "c.toml"
        path.write_text(text, encoding="utf-8")
        collaboration = load(path, seed=5)
        settlement = run(collaboration)
        name = next(iter(settlement.parties))
        replies = {n: ReplyFile(f"reply.{s.reply.form}", "0" * 64)
                   for n, s in settlement.parties.items()}  # fmt: skip
        bundle = json.loads(make_bundles(collaboration, settlement, KEYS, replies)[name])
        reply = Path(scratch) / "reply"
        write_reply(settlement.parties[name].reply, reply)
        content = reply.read_bytes()
    own = tomllib.loads(text)["parties"][name]
    terms, result = (json.loads(entry)["body"] for entry in bundle["entries"])
    files = _write_result(name, terms, result, bundle["evidence"], bundle["secrets"])
    files |= {f"reply.{settlement.parties[name].reply.form}": content}
    files |= {"mine.toml": tomli_w.dumps(own).encode(), "entries.jsonl": b""}
    spoilt = tuple(sorted(set(files) - {"entries.jsonl", "name.txt"}))
    return f"result of {mechanism}", "result", files, spoilt


def _write_result(
    name: str, terms: Any, result: Any, evidence: Any, secrets: Any
) -> dict[str, bytes]:
    listed = {"terms": terms, "body": result, "evidence": evidence, "secrets": secrets}
    return {f"{key}.json": json.dumps(x).encode() for key, x in listed.items()} | {
        "name.txt": name.encode()
    }


MEMBERS = {
    "anna": {"endowment": ["orders"], "bidding": "additive",
             "values": [{"goods": ["orders"], "value": 1}]},
    "bert": {"values": [{"goods": ["orders"], "value": 3}]},
}  # fmt: skip


class _Play:
    """A round in which everybody speaks as it should."""

    def __init__(self) -> None:
        self.keys = {name: make_keys(3 + k) for k, name in enumerate(MEMBERS)}
        terms = sign_statement(_make_terms(self.keys), CENTER, KEYS.center)
        self.round: Round = begin_round(terms.content, "fuzz")
        self.entries = [terms.content]

    def say(self, kind: str, by: str, **body: Any) -> Statement:
        keys = KEYS.center if by == CENTER else self.keys[by]
        said = {"kind": kind, "terms": self.round.terms_digest, **body}
        statement = sign_statement(said, by, keys)
        self.round = self.round.accept(statement)
        self.entries.append(statement.content)
        return statement

    @property
    def log(self) -> Log:
        return Log(ORIGIN, tuple(self.entries))


def _make_terms(keys: dict[str, PrivateKeys]) -> dict[str, Any]:
    return {
        "kind": "terms",
        "format": 1,
        "name": "fuzz",
        "serial": 1,
        "engine": f"aboveboard {__version__}",
        "mechanism": "market.vcg",
        "parameters": {"bits": 3},
        "members": {name: {"keys": keys[name].public.as_dict()} for name in MEMBERS},
        "center": KEYS.center.public.as_dict(),
        "log": {"origin": ORIGIN, "signing": KEYS.log.public.signing},
        "opened": "all",
    }


def _hold_round() -> tuple[_Play, dict[str, Payload]]:
    play = _Play()
    parts = {
        name: Payload(table, {}, bytes([7]) * 32, bytes([8]) * 32)
        for name, table in MEMBERS.items()
    }
    for name in MEMBERS:
        play.say("agree", name)
    for name, part in parts.items():
        found = commit_elements(list_elements(play.round.terms, name, part), part.key)
        nonce = commit_nonce(part.nonce, name)
        play.say("commit", name, root=found.root.hex(), size=found.size, nonce=nonce)
    for name in MEMBERS:
        size = len(play.entries)
        root = play.round.root_at(size).hex()
        play.say("submit", name, sealed="0" * 64, size=size, root=root)
    with tempfile.TemporaryDirectory() as scratch:
        outcome = compute_outcome(play.round, parts, Path(scratch) / "out", bytes(32))
        play.say("result", CENTER, **outcome.body)
        for name, share in outcome.report.settlement.parties.items():
            path = Path(scratch) / "out" / reply_path(name, share.reply)
            REPLIES[name] = path.read_bytes()
    return play, parts


REPLIES: dict[str, bytes] = {}
"""The reply of each member of the round."""


def _make_opened_result(play: _Play, parts: dict[str, Payload]) -> Folder:
    terms, result = (json.loads(play.entries[k])["body"] for k in (0, -1))
    files = _write_result("anna", terms, result, {}, {})
    files["entries.jsonl"] = b"".join(entry + b"\n" for entry in play.entries[:-1])
    files["reply.json"] = REPLIES["anna"]
    files["mine.toml"] = tomli_w.dumps(MEMBERS["anna"]).encode()
    spoilt = ("body.json", "evidence.json", "secrets.json", "reply.json", "mine.toml")
    return "result of an opened round", "result", files, spoilt


def _make_public_round(play: _Play) -> Folder:
    note = play.log.sign_checkpoint(KEYS.log)
    files = {
        "terms.json": play.entries[0] + b"\n",
        "log.jsonl": b"".join(entry + b"\n" for entry in play.entries),
        "checkpoint.note": note.content,
        "cosignatures/anna.note": cosign_note(note, "anna", play.keys["anna"], 1).content,
        "statements/anna-agree.json": play.entries[1] + b"\n",
    }
    return "a public round", "round", files, tuple(files)


def _make_sum() -> Any:
    """Return commitments to two points, and the opening of their sum."""
    points = {"anna": (Fraction(1, 2), Fraction(3)), "bert": (Fraction(2), Fraction(-1, 4))}
    keys = {name: name.encode().ljust(32, b".") for name in points}
    committed = {name: commit_point(points[name], keys[name]) for name in points}
    return [committed, open_sum(points, keys)]


def _make_pieces(play: _Play, parts: dict[str, Payload]) -> Folder:
    opened = commit_elements([b"a", b"b", b"c"], bytes(32)).open([b"a", b"c"])
    receipt = make_receipt(play.log, 1, play.log.sign_checkpoint(KEYS.log))
    files = {
        "payload.bin": parts["anna"].encode(),
        "opening.json": json.dumps(opened.as_dict()).encode(),
        "receipt.json": json.dumps(receipt.as_dict()).encode(),
        "public.json": json.dumps(KEYS.center.public.as_dict()).encode(),
        "statement.json": encode_canonical(json.loads(play.entries[2])),
        "sum.json": json.dumps(_make_sum()).encode(),
        "tokens.bin": encode_tokens(blind_elements([b"a", b"b"], bytes([9]) + bytes(31), "00")),
    }
    return "pieces of evidence", "pieces", files, tuple(files)
