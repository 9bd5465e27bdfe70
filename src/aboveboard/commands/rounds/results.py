"""A member's commands with the result of a round: fetch, verify, answer."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from aboveboard.commands.rounds.member import Membership, find_membership, note_seen
from aboveboard.commands.rounds.outcomes import digest_file
from aboveboard.errors import InputError
from aboveboard.evidence.bundles import MOST_BUNDLE_BYTES, REPLY_FILES, Bundle, decode_bundle
from aboveboard.evidence.cases import Delivery
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.folders import (
    MOST_SEALED_BYTES,
    SEALED_FOLDER,
    read_limited,
    write_statement,
)
from aboveboard.evidence.keys import PRIVATE
from aboveboard.evidence.local_runs import BUNDLE
from aboveboard.evidence.member_statements import make_answer
from aboveboard.evidence.members import (
    PAYLOAD_FILE,
    SeenRound,
    list_own_answers,
    read_payload,
    read_round,
    refuse_unverified,
    remember_verified,
)
from aboveboard.evidence.sealing import encode_context, open_message
from aboveboard.evidence.statements import read_statement
from aboveboard.evidence.terms import CENTER
from aboveboard.evidence.verification import verify_bundle
from aboveboard.storage.atomic import atomic_file


def fetch(member: Membership, out: Path) -> Path:
    """Open the member's sealed result into a new folder; return the bundle's file.

    Raises
    ------
    InputError
        If there is no result yet, it does not open with the member's keys, or is none of this
        round.
    """
    seen = read_round(member.folder, member.private)
    path, content = _open_result(member, seen)
    file, bundle, reply = _divide_result(content, str(path))
    entries = decode_bundle(bundle, str(path)).entries
    if not entries or hashlib.sha256(entries[0]).hexdigest() != seen.round.first_terms:
        raise InputError(str(path), "its bundle is of another round", "dispute the round")
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, part in ((BUNDLE, bundle), (file, reply)):
        with atomic_file(out / name) as target:
            target.write_bytes(part)
            target.chmod(PRIVATE)
    note_seen(member, seen)
    return out / BUNDLE


def _open_result(member: Membership, seen: SeenRound) -> tuple[Path, bytes]:
    """Return the file of the member's sealed result, and what it holds.

    There are several where it was sealed anew, to other keys.
    """
    place = member.folder / SEALED_FOLDER
    named = re.compile(re.escape(f"{member.name}-result-") + r"[0-9a-f]{16}\.bin")
    found = sorted(place.iterdir()) if place.is_dir() else []
    found = [path for path in found if named.fullmatch(path.name)]
    if not found:
        raise InputError(str(place), "there is no result for you yet", "wait for the center")
    context = encode_context(seen.round.terms_digest, CENTER, member.name, "result")
    for path in found[:-1]:
        with suppress(InputError):
            return path, _open_sealed(path, member, context)
    return found[-1], _open_sealed(found[-1], member, context)


def _divide_result(content: bytes, place: str) -> tuple[str, bytes, bytes]:
    """Return the name of a result's reply, its bundle and its reply."""
    line, _, rest = content.partition(b"\n")
    length, file = parse_header(line, place)
    return file, rest[:length], rest[length:]


def _digest_reply(member: Membership, seen: SeenRound) -> str | None:
    """Return the hash of the reply that is sealed to the member now; None where none opens."""
    try:
        path, content = _open_result(member, seen)
        return hashlib.sha256(_divide_result(content, str(path))[2]).hexdigest()
    except InputError:
        return None


def _open_sealed(path: Path, member: Membership, context: bytes) -> bytes:
    sealed = read_limited(path, MOST_SEALED_BYTES, "copy it once more")
    return open_message(sealed, member.keys, context, str(path))


def parse_header(line: bytes, place: str) -> tuple[int, str]:
    """Return the length of the bundle in a result, and the name of the file of its reply.

    Raises
    ------
    InputError
        If the line tells neither, or a name that is not one.
    """
    try:
        header = json.loads(line)
        length, file = int(header["bundle"]), header["file"]
    except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise InputError(place, "it is not a result", "dispute the round") from error
    if length < 0 or not isinstance(file, str):
        raise InputError(place, "it is not a result", "dispute the round")
    if file not in REPLY_FILES:
        raise InputError(place, "its reply has a name that no reply has", "dispute the round")
    return length, file


def accept_or_dispute(
    member: Membership, reason: str | None = None, *, unverified: bool = False
) -> Path:
    """Accept the result, or with a reason dispute it; return the statement's file.

    Parameters
    ----------
    member
        Who answers.
    reason
        What is wrong; None: the result is accepted.
    unverified
        Whether the member accepts a result that it has not verified, or not all of it.

    Raises
    ------
    InputError
        If there is no result yet, or the member accepts one that it has not verified, or that has
        come with another reply since.
    """
    seen = read_round(member.folder, member.private)
    result = seen.round.find("result")
    if reason is None and result is not None and not unverified:
        refuse_unverified(member.private, result.digest, _digest_reply(member, seen))
    statement = make_answer(seen.round, member.name, member.keys, reason=reason)
    note_seen(member, seen)
    return write_statement(member.folder, statement)


def verify(bundle: Path, mine: Path | None = None, member: Membership | None = None) -> Findings:
    """Verify a bundle; see `aboveboard.evidence.verification`.

    That a member has verified the result of its round is kept, for `accept_or_dispute`.

    Parameters
    ----------
    bundle
        The bundle's file, or the folder in which it lies; the reply lies beside it.
    mine
        The party's own file.
    member
        The member's private state, for the tree key and the terms that it agreed to; None in a
        run of one operator.

    Raises
    ------
    InputError
        If the bundle or the file cannot be read.
    """
    path = bundle / BUNDLE if bundle.is_dir() else bundle
    content = read_limited(path, MOST_BUNDLE_BYTES, "name the bundle.json that the center sent you")
    read = decode_bundle(content, str(path))
    reply = path.parent / Path(read.reply["file"]).name
    key = expected = None
    answers: dict[str, Any] = {}
    if member is not None:
        kept = (member.private / PAYLOAD_FILE).is_file()  # else it has committed elsewhere
        key = read_payload(member.private).key if kept else None
        round_ = read_round(member.folder, member.private).round
        expected, answers = round_.terms_digest, list_own_answers(member.private, round_)
    beside = reply if reply.is_file() else None
    sent = digest_file(beside) if beside else ""
    findings = verify_bundle(Delivery(read, mine, beside, key, expected, answers))
    if member is not None and (result := round_.find("result")) is not None:
        digest = result.digest if result.content in read.entries else ""
        with suppress(OSError):  # a folder that cannot be written to: it is verified once more
            remember_verified(member.private, digest, sent, findings.exit_status)
    return findings


def find_bundle_member(
    bundle: Path, terms: str | None = None, passphrase: bytes | None = None
) -> Membership | None:
    """Return the member's private state for a bundle; None where it is of one operator's run.

    Its terms say which of the two it is, and nothing else of it.

    Parameters
    ----------
    bundle
        The bundle, or the folder that holds it.
    terms
        The beginning of the terms' hash; None: the bundle's own.
    passphrase
        Of the member's keys.

    Raises
    ------
    InputError
        If the bundle cannot be read, or the member has agreed to no such terms.
    """
    path = bundle / BUNDLE if bundle.is_dir() else bundle
    read = decode_bundle(read_limited(path, MOST_BUNDLE_BYTES, "name your bundle.json"), str(path))
    if terms is None and not _is_of_round(read):
        return None
    digest = hashlib.sha256(b"".join(read.entries[:1])).hexdigest()
    return find_membership(terms or digest[:32], passphrase=passphrase)


def _is_of_round(bundle: Bundle) -> bool:
    """Return whether a bundle's terms are those of a round between organisations."""
    try:
        terms = read_statement(bundle.entries[0], "terms")
    except (IndexError, InputError):
        return False  # `verify` says what is wrong with its log
    return bool(terms.body.get("protocol", "round") == "round")
