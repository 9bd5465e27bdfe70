"""The doors of the evidence: a spoilt result, public folder or piece goes in."""

from __future__ import annotations

import hashlib
import json
import random
from contextlib import suppress
from pathlib import Path

from aboveboard.errors import InputError
from aboveboard.evidence.blinded_tokens import blind_tokens, decode_tokens
from aboveboard.evidence.bundles import Bundle, decode_bundle
from aboveboard.evidence.canonical import decode_json
from aboveboard.evidence.cases import Delivery
from aboveboard.evidence.folders import list_statements, read_statement_file
from aboveboard.evidence.keys import PublicKeys
from aboveboard.evidence.log import Log, Receipt, verify_receipt
from aboveboard.evidence.members import read_round
from aboveboard.evidence.openings import Opening, verify_opening
from aboveboard.evidence.payloads import decode_payload
from aboveboard.evidence.statements import read_statement, sign_statement
from aboveboard.evidence.sum_commitments import verify_sum
from aboveboard.evidence.terms import CENTER
from aboveboard.evidence.trees import InvalidProofError
from aboveboard.evidence.verification import verify_bundle
from fuzz.evidence_seeds import KEYS, ORIGIN


def bring_result(folder: Path, _: random.Random) -> str:
    """Let a center with its keys state a spoilt result, and a party verify it."""
    data = {
        key: decode_json((folder / f"{key}.json").read_bytes(), key)
        for key in ("terms", "body", "evidence", "secrets")
    }
    name = (folder / "name.txt").read_text()
    entries = tuple((folder / "entries.jsonl").read_bytes().split(b"\n")[:-1])
    try:
        if not entries:
            terms = sign_statement(data["terms"], CENTER, KEYS.center)
            entries = (terms.content,)
            data["body"]["terms"] = terms.digest
        result = sign_statement(data["body"], CENTER, KEYS.center)
        log = Log(_find_origin(entries[0]), (*entries, result.content))
        log.sign_checkpoint(KEYS.log)
    except (ValueError, TypeError, AttributeError, KeyError):
        return "refused"  # no center can sign that
    (reply,) = folder.glob("reply.*")
    given = {"file": reply.name, "sha256": hashlib.sha256(reply.read_bytes()).hexdigest()}
    replies = data["body"].get("replies")
    if isinstance(replies, dict) and name in replies:  # so that the reply is read
        data["body"]["replies"] = {**replies, name: given["sha256"]}
        result = sign_statement(data["body"], CENTER, KEYS.center)
        log = Log(log.origin, (*entries, result.content))
    note = log.sign_checkpoint(KEYS.log).content.decode("utf-8", "replace")
    bundle = Bundle(name, log.entries, note, given, data["evidence"], data["secrets"])
    read = decode_bundle(_encode(bundle), "bundle")
    key = bytes([7]) * 32 if len(entries) > 1 else None
    findings = verify_bundle(Delivery(read, folder / "mine.toml", reply, key))
    json.dumps(findings.as_dict())
    str(findings).encode()
    return "done" if findings.exit_status == 0 else "loaded"


def _encode(bundle: Bundle) -> bytes:
    try:
        return bundle.encode()
    except (ValueError, TypeError) as error:
        raise InputError("bundle", "nobody can write it", "none") from error


def _find_origin(entry: bytes) -> str:
    return str(json.loads(entry)["body"]["log"]["origin"]).replace("\n", "")


def bring_round(folder: Path, _: random.Random) -> str:
    """Read a public folder as a member does."""
    for path in list_statements(folder):
        read_statement_file(path)
    read_round(folder)
    return "done"


def bring_pieces(folder: Path, _: random.Random) -> str:
    """Read each small piece by its own parser."""
    decode_payload((folder / "payload.bin").read_bytes(), "payload")
    read_statement((folder / "statement.json").read_bytes(), "statement")
    PublicKeys.from_dict(decode_json((folder / "public.json").read_bytes(), "keys"), "keys")
    data = decode_json((folder / "receipt.json").read_bytes(), "receipt")
    receipt = Receipt.from_dict(data, "receipt")
    with suppress(InvalidProofError):
        verify_receipt(b"{}", receipt, ORIGIN, KEYS.log.public.signing)
    blind_tokens(decode_tokens((folder / "tokens.bin").read_bytes(), "tokens", 2), bytes(31) + b"1")
    summed = decode_json((folder / "sum.json").read_bytes(), "sum")
    if isinstance(summed, list) and len(summed) == 2 and isinstance(summed[0], dict):
        with suppress(InvalidProofError):
            verify_sum(summed[0], summed[1])
    try:
        opening = Opening.from_dict(decode_json((folder / "opening.json").read_bytes(), "opening"))
        verify_opening(opening, bytes(32), 3)
    except InvalidProofError:
        return "loaded"
    return "done"
