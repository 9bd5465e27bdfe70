"""Evidence of a round in which every part is opened after the run: the round is run again.

Each member's part is checked against its commitment; the collaboration is made again from the
terms, the parts and the seed; its rule is applied, and all shares and the party's own reply are
compared. No code is called that a member or the center has sent: such a rule stays on the
center's word.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aboveboard._version import __version__
from aboveboard.errors import AboveboardError, InputError
from aboveboard.evidence.asking import read_answers
from aboveboard.evidence.canonical import decode_base64, decode_hex
from aboveboard.evidence.cases import Case, names_code
from aboveboard.evidence.commitments import commit_elements
from aboveboard.evidence.findings import MALFORMED, Findings
from aboveboard.evidence.hidden_shares import hide_reply
from aboveboard.evidence.numbers import is_same_data, is_same_number
from aboveboard.evidence.own_part import list_elements, write_collaboration
from aboveboard.evidence.payloads import Payload, as_bytes
from aboveboard.evidence.publication import list_shares, publish
from aboveboard.evidence.seeds import NONCE
from aboveboard.formatting import format_count
from aboveboard.mechanisms.reply_files import write_reply
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.mechanisms.settling import draw_settlement

MOST_OPENED = 16 * 2**20
"""Bytes of all opened parts together: they stand in the log."""

NOT_COMPARED = frozenset({"order", "parts", "files"})
"""Facts that nobody can make again, or that are checked alone.

The tree of the hand-out order has a secret key. What it would show, who is handed which elements,
is made again from the opened parts and the seed.
"""

CHECKED_ALONE = frozenset({"answers"})
"""Facts that the members' own commitments prove."""

_REMEDY = "dispute the round"


def open_parts(parts: Mapping[str, Payload]) -> dict[str, Any]:
    """Return all parts as plain data, for the result.

    Raises
    ------
    InputError
        If they are too large for a log.
    """
    size = sum(len(content) for part in parts.values() for content in part.files.values())
    if size > MOST_OPENED:
        raise InputError(
            "opened parts",
            f"they have {format_count(size)} bytes",
            f"open at most {format_count(MOST_OPENED)}, or agree on an auditor instead",
        )
    return {
        name: {
            "table": dict(part.table),
            "files": {
                file: base64.b64encode(as_bytes(content)).decode()
                for file, content in part.files.items()
            },
            "key": part.key.hex(),
        }
        for name, part in parts.items()
    }


def read_parts(data: Any) -> dict[str, Payload]:
    """Return the parts in plain data.

    Raises
    ------
    InputError
        If they are not valid.
    """
    try:
        return {
            str(name): Payload(
                dict(part["table"]),
                {str(file): decode_base64(text) for file, text in part["files"].items()},
                decode_hex(part["key"]),
                bytes(NONCE),
            )
            for name, part in data.items()
        }
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        raise InputError(
            "opened parts", f"they cannot be read ({error})", "dispute the round"
        ) from error


def open_files(files: Mapping[str, tuple[bytes, bytes]]) -> dict[str, Any]:
    """Return the center's own files with their keys as plain data, for the result."""
    return {
        name: {"key": key.hex(), "content": base64.b64encode(content).decode()}
        for name, (key, content) in files.items()
    }


def read_files(data: Any) -> dict[str, tuple[bytes, bytes]]:
    """Return the center's own files in plain data, each with its key.

    Raises
    ------
    InputError
        If they are not valid.
    """
    try:
        return {
            str(name): (decode_hex(x["key"]), decode_base64(x["content"]))
            for name, x in data.items()
        }
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        raise InputError(
            "opened files", f"they cannot be read ({error})", "dispute the round"
        ) from error


def verify_files(case: Case, findings: Findings) -> dict[str, bytes] | None:
    """Return the center's own files where they are those of the terms; else None."""
    try:
        opened = read_files(case.facts.get("files", {}))
    except InputError as error:
        findings.contradict(str(error), case.proof)
        return None
    stated = case.round.terms.files
    wrong = sorted(
        name for name in stated if name not in opened or digest_file(*opened[name]) != stated[name]
    )
    if not stated:
        inspection = case.round.terms.parameters.get("inspection")
        by_hand = inspection.get("answers") if isinstance(inspection, dict) else None
        return {name: content for name, (_, content) in opened.items() if name == by_hand}
    holds = findings.check(
        not wrong,
        f"the center's own files are those of the terms: {', '.join(sorted(stated))}",
        f"{', '.join(wrong)} of the center is not the file of the terms",
        case.proof,
    )
    return {name: content for name, (_, content) in opened.items()} if holds else None


def verify_opened(case: Case, findings: Findings) -> bool:
    """Run a round again from its opened parts; return whether that verified everything."""
    parts = _verify_parts(case, findings)
    files = verify_files(case, findings)
    if parts is None or files is None:
        return False
    if case.round.terms.engine != f"aboveboard {__version__}":
        findings.miss(
            f"{case.round.terms.engine}, by which the round was run: install that version"
        )
        return False
    if names_code([case.round.terms.mechanism, case.parameters]) or "training" in case.parameters:
        findings.trust("the rule: it calls code of the center's own; see audit-round")
        return False
    try:
        settlement, facts = settle_parts(case, parts, files)
    except (AboveboardError, *MALFORMED) as error:
        findings.contradict(f"the opened parts cannot be settled: {error}", case.proof)
        return False
    shares = _verify_shares(case, settlement, findings)
    published = _verify_facts(case, facts, findings)
    return _verify_reply(case, settlement, parts, findings) and shares and published


def _verify_parts(case: Case, findings: Findings) -> dict[str, Payload] | None:
    try:
        parts = read_parts(case.facts.get("parts"))
        wrong = [n for n in case.round.present if n not in parts or not _fits(case, n, parts[n])]
    except (AboveboardError, ValueError) as error:
        findings.contradict(f"the parts are not opened: {error}", case.proof)
        return None
    holds = findings.check(
        not wrong and len(parts) == len(case.round.present),
        "every member's opened part is what it committed to",
        f"the opened part of {', '.join(wrong) or 'a stranger'} is not what was committed",
        case.proof,
    )
    return parts if holds else None


def _fits(case: Case, name: str, part: Payload) -> bool:
    committed = commit_elements(list_elements(case.round.terms, name, part), part.key)
    return case.commitments.get(name) == (committed.root, committed.size)


def settle_parts(
    case: Case, parts: Mapping[str, Payload], files: Mapping[str, bytes]
) -> tuple[Settlement, Mapping[str, Any]]:
    """Return what the rule makes of everybody's parts, and what is published of it.

    Raises
    ------
    InputError
        If the rule is not installed here, or refuses them.
    """
    from aboveboard.collaborations.collaboration import load, settle_outcome

    terms = case.round.terms
    with TemporaryDirectory() as scratch:
        answers = read_answers(case.round, case.facts) if terms.asks else {}
        path = write_collaboration(terms, parts, files, Path(scratch), case.seed, answers=answers)
        collaboration = load(path).with_spending("none")
        settlement = draw_settlement(settle_outcome(collaboration), collaboration.file.seed)
        keys = {name: part.key for name, part in parts.items()}
        # A hand-out order has a secret key, and its root is not compared: any key will do.
        return settlement, publish(collaboration, settlement, keys, bytes(32), terms).facts


def _verify_facts(case: Case, due: Mapping[str, Any], findings: Findings) -> bool:
    """Compare what was published of the run with what the rule makes of the opened parts."""
    wrong = [
        key
        for key in sorted({*due, *case.facts} - NOT_COMPARED - CHECKED_ALONE)
        if not is_same_data(due.get(key), case.facts.get(key))
    ]
    return findings.check(
        not wrong,
        "all that was published is what the rule makes of the opened parts",
        f"{', '.join(wrong)} was published otherwise than the rule makes it of the opened parts",
        case.proof,
    )


def _verify_shares(case: Case, settlement: Settlement, findings: Findings) -> bool:
    wrong = [
        f"{name} ({what})"
        for name, share in list_shares(settlement).items()
        for what, due in share.items()
        if not is_same_number(due, case.find_share(name, what))
    ]
    return findings.check(
        not wrong,
        "every gain and payment is what the rule makes of the opened parts",
        f"by the rule another amount is due: {', '.join(wrong[:10])}",
        case.proof,
    )


def _verify_reply(
    case: Case, settlement: Settlement, parts: Mapping[str, Payload], findings: Findings
) -> bool:
    """Compare all replies, byte for byte, with those that the rule gives."""
    if case.reply is None:
        return False
    wrong = []
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "reply"
        for name in case.round.present:
            write_reply(settlement.parties[name].reply, path)
            due = hashlib.sha256(path.read_bytes()).hexdigest()
            if case.body["replies"][name] not in (due, hide_reply(name, due, parts[name].key)):
                wrong.append(name)
    others = findings.check(
        not set(wrong) - {case.name},
        "the replies of the others are those that the rule gives them",
        f"the reply of {', '.join(n for n in wrong if n != case.name)} is not what the rule gives",
        case.proof,
    )
    own = findings.check(
        case.name not in wrong,
        "your reply is the one that the rule gives you, byte for byte",
        "your reply is not the one that the rule gives you",
        case.proof,
    )
    return own and others


def digest_file(key: bytes, content: bytes) -> str:
    """Return the hash that the terms have of a file of the center's own; it hides the content."""
    return hashlib.sha256(key + content).hexdigest()
