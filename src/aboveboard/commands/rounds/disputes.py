"""A dispute: parts are opened to the agreed auditor, who computes the round again and rules."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from aboveboard.commands.rounds.auditor import OPENED_FILES, audit_round
from aboveboard.commands.rounds.member import Membership, note_seen
from aboveboard.errors import InputError
from aboveboard.evidence.canonical import encode_canonical
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.folders import (
    read_sealed,
    write_sealed,
    write_statement,
)
from aboveboard.evidence.keys import PrivateKeys, write_private
from aboveboard.evidence.members import list_own_answers, read_payload, read_round
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.sealing import encode_context, open_message, seal_message
from aboveboard.evidence.statements import Statement, sign_statement
from aboveboard.evidence.terms import AUDITOR, CENTER

MOST_REASON = 2000
"""Characters of a ruling's reason."""


def open_to_auditor(member: Membership) -> Path:
    """Seal the member's committed part and its answers to the auditor; return the statement's file.

    Raises
    ------
    InputError
        If the terms name no auditor, or there is no result to dispute.
    """
    seen = read_round(member.folder, member.private)
    content = pack_opened(
        read_payload(member.private).encode(), list_own_answers(member.private, seen.round)
    )
    statement, sealed = make_opening(seen.round, member.name, member.keys, content)
    note_seen(member, seen)
    write_sealed(member.folder, member.name, "open", sealed)
    return write_statement(member.folder, statement)


def pack_opened(part: bytes, answers: object) -> bytes:
    """Return what is sealed to the auditor: a line of JSON with the answers, then the part."""
    return encode_canonical({"answers": answers}) + b"\n" + part


def make_opening(
    round_: Round, name: str, keys: PrivateKeys, content: bytes
) -> tuple[Statement, bytes]:
    """Return the statement that a part was opened to the auditor, and the ciphertext.

    Raises
    ------
    InputError
        If the terms name no auditor, or there is no result.
    """
    auditor, result = round_.terms.auditor, round_.find("result")
    if auditor is None or result is None:
        raise InputError(
            "auditor",
            "the terms name none" if auditor is None else "there is no result yet",
            "agree on an auditor in the next terms",
        )
    context = encode_context(round_.terms_digest, name, AUDITOR, "open")
    sealed = seal_message(content, auditor.sealing, context)
    body = {
        "kind": "open",
        "terms": round_.terms_digest,
        "result": result.digest,
        "sealed": hashlib.sha256(sealed).hexdigest(),
    }
    return sign_statement(body, name, keys), sealed


def collect_opened(folder: Path, round_: Round, keys: PrivateKeys, out: Path) -> None:
    """Write all parts that were opened to the auditor into a folder, as `audit_round` reads them.

    What does not open with the auditor's keys is written as an empty part: the audit then names its
    member, and the auditor can decide. Nobody holds up a ruling by what it opens.

    Raises
    ------
    InputError
        If a ciphertext that the log names is not in the public folder.
    """
    for name in (*round_.present, CENTER):
        statement = round_.find("open", name)
        if statement is None:
            continue
        place = f"what {name} has opened"
        sealed = read_sealed(folder, name, "open", statement.body["sealed"])
        context = encode_context(round_.terms_digest, name, AUDITOR, "open")
        try:
            head, _, part = open_message(sealed, keys, context, place).partition(b"\n")
        except InputError:
            head = part = b""
        if name == CENTER:
            write_private(out / OPENED_FILES, part)
            continue
        write_private(out / f"{name}.bin", part)
        write_private(out / f"{name}.answers.json", _extract_answers(head))


def _extract_answers(head: bytes) -> bytes:
    """Return the answers in the first line of what was opened; "null" where there are none."""
    try:
        return encode_canonical(json.loads(head)["answers"])
    except (ValueError, TypeError, LookupError, RecursionError, InputError):
        return b"null"


def rule(
    folder: Path, round_: Round, keys: PrivateKeys, *, stands: bool | None = None
) -> tuple[Findings, Statement | None]:
    """Compute a disputed round again, and return what was found and the auditor's ruling.

    There is no ruling while a part is missing or false, which the findings name; unless the
    auditor decides.

    Parameters
    ----------
    folder
        The round's public folder, with what was opened.
    round_
        The round.
    keys
        The auditor's.
    stands
        What the auditor decides; None: what comes out.
    """
    with TemporaryDirectory() as scratch:
        collect_opened(folder, round_, keys, Path(scratch))
        findings = audit_round(folder, Path(scratch))
    result = round_.find("result")
    false = {each.who for each in findings.contradicted} & set(round_.present)
    if result is None or (stands is None and (findings.missing or false)):
        return findings, None
    wrong = [f"{each.who or CENTER}: {each.what}" for each in findings.contradicted]
    body = {
        "kind": "ruling",
        "terms": round_.terms_digest,
        "result": result.digest,
        "stands": not findings.contradicted if stands is None else stands,
        "reason": "; ".join(wrong)[:MOST_REASON] or "the round computed again gives the same",
    }
    return findings, sign_statement(body, AUDITOR, keys)
