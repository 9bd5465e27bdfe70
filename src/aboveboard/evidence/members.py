"""A member's side of a round: what it keeps to itself, and the statements that it makes.

Everything private of a round lies in one folder (0700), found by the hash of the terms: the tree
key, the nonce, the payload, and the last checkpoint that the member has seen. A later log that does
not contain that checkpoint is refused: the center has shown two logs, or rolled one back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.asking import Answer
from aboveboard.evidence.canonical import MOST_BYTES, decode_canonical, encode_canonical
from aboveboard.evidence.commitments import generate_tree_key
from aboveboard.evidence.cosigning import refuse_other_log
from aboveboard.evidence.folders import (
    MOST_SEALED_BYTES,
    read_checkpoint_file,
    read_limited,
    read_log,
    read_terms_file,
    require_file,
)
from aboveboard.evidence.keys import PRIVATE, PrivateKeys, make_private_folder, write_private
from aboveboard.evidence.log import Log, verify_checkpoint, verify_growth
from aboveboard.evidence.notes import MOST_NOTE_BYTES, Note, read_checkpoint, read_note
from aboveboard.evidence.payloads import Payload, PayloadContent, digest_content, open_payload
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.evidence.seeds import generate_nonce
from aboveboard.evidence.statements import Statement, sign_statement
from aboveboard.evidence.terms import read_terms
from aboveboard.evidence.trees import InvalidProofError

HOME = "ABOVEBOARD_HOME"
"""Environment variable that names the folder of a member's keys and rounds."""

PAYLOAD_FILE = "payload.bin"
COMMITTED_FILE = "payload.terms"
"""Names the terms under which the payload was committed, where they were changed."""

SEEN_FILE = "seen.note"
PUBLISHED_ANSWERS = "answers.json"
VERIFIED_FILE = "verified.json"
"""Which result the member has verified last, and with which exit status."""

NOTES_FILE = "member.json"


def find_home() -> Path:
    """Return the folder of a member's keys and rounds."""
    named = os.environ.get(HOME)
    if named:
        return Path(named)
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "aboveboard"


@dataclass(frozen=True)
class SeenRound:
    """A round as its public folder tells it, checked.

    Parameters
    ----------
    folder
        The public folder.
    round
        What the log tells.
    checkpoint
        The signed checkpoint of the whole log.
    """

    folder: Path
    round: Round
    checkpoint: Note


def read_round(folder: Path, private: Path | None = None) -> SeenRound:
    """Read a round's public folder and check all of it.

    Parameters
    ----------
    folder
        The public folder.
    private
        The member's private folder of this round: its last checkpoint must be in this log. None:
        the member has seen none.

    Raises
    ------
    InputError
        If a statement cannot follow, the checkpoint is not signed or of another log, or the log
        is not the one that was seen before.
    """
    statement = read_terms_file(folder)
    terms = read_terms(statement, str(folder))
    log = read_log(folder, terms.log.origin)
    round_ = replay_log(log.entries, str(folder))
    if round_.first_terms != statement.digest:
        raise InputError(str(folder), "the log is of other terms", "copy the folder once more")
    note = read_checkpoint_file(folder)
    seen = None if private is None else read_seen(private)
    try:
        _check_checkpoint(log, note, round_.find_log_key(len(log.entries)), seen)
    except (InvalidProofError, ValueError) as error:
        raise InputError(
            str(folder), str(error), "keep both logs: they prove what the center did"
        ) from error
    refuse_other_log(folder, round_)
    return SeenRound(folder, round_, note)


def _check_checkpoint(log: Log, note: Note, signing: str, seen: Note | None) -> None:
    """Raise `InvalidProofError` if the note is not of this log, or the log not the one seen."""
    checkpoint = verify_checkpoint(note, log.origin, signing)
    if checkpoint != log.checkpoint:
        raise InvalidProofError("the checkpoint is of another log than log.jsonl")
    if seen is not None:
        old = read_checkpoint(seen, "the last checkpoint that was seen")
        if old.size > checkpoint.size:
            raise InvalidProofError(f"the log shrank from {old.size} to {checkpoint.size} entries")
        verify_growth(old, checkpoint, log.prove_growth(old.size))


def locate_private(home: Path, terms_digest: str, name: str) -> Path:
    """Return a member's private folder of a round, by its first terms; it need not exist."""
    return home / "rounds" / f"{terms_digest[:32]}-{name}"


def read_seen(private: Path) -> Note | None:
    """Return the last checkpoint that the member has seen; None before the first."""
    path = private / SEEN_FILE
    if not path.exists():
        return None
    return read_note(read_limited(path, MOST_NOTE_BYTES, "restore it from a backup"), str(path))


def remember_seen(private: Path, checkpoint: Note) -> None:
    """Keep the checkpoint that was seen, so that another log comes to light."""
    replace_private(private / SEEN_FILE, checkpoint.content)


def begin_membership(private: Path, name: str, folder: Path) -> None:
    """Make the private folder of a round that the member agrees to.

    Raises
    ------
    InputError
        If the folder cannot be made.
    """
    try:
        make_private_folder(private)
    except OSError as error:
        raise InputError(
            str(private), f"it cannot be made ({error.strerror})", f"name a folder in {HOME}"
        ) from error
    notes = {"folder": str(folder.resolve()), "name": name}
    replace_private(private / NOTES_FILE, encode_canonical(notes))


def read_membership(private: Path) -> dict[str, Any]:
    """Return what `begin_membership` wrote: the member's name and the public folder."""
    path = private / NOTES_FILE
    content = read_limited(path, MOST_BYTES, "agree to the terms first")
    notes: dict[str, Any] = decode_canonical(content, str(path))
    return notes


def list_memberships(home: Path) -> list[Path]:
    """Return the private folders of all rounds, in the order of their names."""
    rounds = home / "rounds"
    return sorted(p for p in rounds.iterdir() if p.is_dir()) if rounds.is_dir() else []


def make_agreement(round_: Round, name: str, keys: PrivateKeys) -> Statement:
    """Return the member's agreement to the terms."""
    return sign_statement({"kind": "agree", "terms": round_.terms_digest}, name, keys)


def drop_void_payload(private: Path, round_: Round) -> None:
    """Put aside what was committed under terms that have been changed since."""
    path, mark = private / PAYLOAD_FILE, private / COMMITTED_FILE
    last = mark.read_text(encoding="utf-8") if mark.exists() else round_.first_terms
    if last != round_.terms_digest:
        if path.exists():
            path.replace(path.with_name(f"payload-{last[:16]}.bin"))
        replace_private(mark, round_.terms_digest.encode())


def make_payload(
    private: Path, table: dict[str, Any], files: Mapping[str, PayloadContent]
) -> Payload:
    """Return the payload that the member commits to; made once and kept.

    Raises
    ------
    InputError
        If another one was made before: a commitment stands.
    """
    path = private / PAYLOAD_FILE
    if path.exists():
        kept = read_payload(private)
        if kept.table == table and _is_same(kept.files, files):
            return kept
        raise InputError(
            str(path), "another list was committed in this round", "keep to it: a commitment stands"
        )
    payload = Payload(table, files, generate_tree_key(), generate_nonce())
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        for block in payload.encode_blocks():
            file.write(block)
    fresh.replace(path)
    return read_payload(private)


def _is_same(kept: Mapping[str, PayloadContent], given: Mapping[str, PayloadContent]) -> bool:
    """Return whether files are the same, byte for byte."""
    return set(kept) == set(given) and all(
        len(kept[name]) == len(given[name])
        and digest_content(kept[name]) == digest_content(given[name])
        for name in kept
    )


def read_payload(private: Path) -> Payload:
    """Return the payload that the member has committed to; large files of it stay on the disk."""
    path = private / PAYLOAD_FILE
    require_file(path, MOST_SEALED_BYTES, "commit first")
    return open_payload(path, str(path))


def keep_answer(private: Path, round_: Round, answer: Answer) -> None:
    """Keep what the member answers to the question that the round asks, with its salt."""
    kept = _read_kept_answers(private)
    kept[f"{round_.terms_digest} {round_.asked[-1].body['step']}"] = answer.as_dict()
    replace_private(private / PUBLISHED_ANSWERS, encode_canonical(kept))


def list_own_answers(private: Path, round_: Round) -> dict[str, Any]:
    """Return what the member has answered in a round, by step, as it opens it to the auditor."""
    found = _read_kept_answers(private).items()
    return {k.rpartition(" ")[2]: x for k, x in found if k.startswith(round_.terms_digest)}


def _read_kept_answers(private: Path) -> dict[str, Any]:
    path = private / PUBLISHED_ANSWERS
    if not path.exists():
        return {}
    kept: dict[str, Any] = decode_canonical(
        read_limited(path, MOST_BYTES, "restore it from a backup"), str(path)
    )
    return kept


def remember_verified(private: Path, result: str, reply: str, status: int) -> None:
    """Keep that the member has verified a result and its reply, and how that ended.

    Where something was missing, as without the member's own file, it takes the place of no fuller
    look at the same.
    """
    try:
        known = _read_verified(private)
    except InputError:  # what is damaged is written anew
        known = {}
    is_fuller = known.get("result") == result and known.get("status") in (0, 1)
    if status not in (0, 1) and is_fuller and reply in ("", known.get("reply")):
        return
    found = {"result": result, "reply": reply, "status": status}
    replace_private(private / VERIFIED_FILE, encode_canonical(found))


def refuse_unverified(private: Path, result: str, reply: str | None) -> None:
    """Raise `InputError` unless the member has verified this result, all that can be verified.

    Parameters
    ----------
    private
        The member's private folder of the round.
    result
        The hash of the signed result.
    reply
        The hash of the reply that is sealed to the member now; None: none of it opens.

    Raises
    ------
    InputError
        If it has verified none or another one, or something was contradicted or missing.
    """
    known = _read_verified(private)
    status = known.get("status") if known.get("result") == result else None
    if status == 0 and reply in (None, known.get("reply")):
        return
    problem, remedy = "you have not verified it", "fetch it and verify it first"
    if status == 0:
        problem = "the reply that is sealed to you now is not the one that you verified"
        remedy = "fetch it and verify it again"
    if status == 1:
        problem, remedy = "your verification contradicts it", "dispute it"
    elif status not in (None, 0):
        problem = "something was missing when you verified it"
        remedy = "verify it with your file and your reply"
    raise InputError("the result", problem, f"{remedy}, or accept it unverified")


def _read_verified(private: Path) -> dict[str, Any]:
    path = private / VERIFIED_FILE
    if not path.exists():
        return {}
    content = read_limited(path, MOST_BYTES, "verify the result again")
    known: dict[str, Any] = decode_canonical(content, str(path))
    return known


def replace_private(path: Path, content: bytes) -> None:
    """Write a private file, whole or not at all."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    write_private(fresh, content)
    fresh.replace(path)
