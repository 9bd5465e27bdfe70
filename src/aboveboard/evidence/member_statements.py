"""The statements that a member makes in a round: each is signed, and sealed where it must be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.asking import Answer, encode_answer_context
from aboveboard.evidence.commitments import commit_elements
from aboveboard.evidence.folders import MOST_SEALED_BYTES, SEALED_FOLDER, require_file
from aboveboard.evidence.key_checks import encode_rotation
from aboveboard.evidence.keys import PrivateKeys
from aboveboard.evidence.members import PAYLOAD_FILE, SeenRound
from aboveboard.evidence.notes import read_checkpoint
from aboveboard.evidence.own_part import read_point
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.sealing import encode_context, seal_frames, seal_message
from aboveboard.evidence.seeds import commit_nonce
from aboveboard.evidence.statements import Statement, sign_statement
from aboveboard.evidence.sum_commitments import commit_point
from aboveboard.evidence.terms import CENTER
from aboveboard.storage.atomic import atomic_file


def make_commitment(
    round_: Round, name: str, keys: PrivateKeys, payload: Payload, elements: tuple[bytes, ...]
) -> Statement:
    """Return the member's commitment to its list and its nonce.

    Parameters
    ----------
    round_
        The round, in which all have agreed.
    name, keys
        Of the member.
    payload
        What will be submitted.
    elements
        The list's elements; for a mechanism without elements, the payload's content alone.
    """
    committed = commit_elements(elements, payload.key)
    body: dict[str, Any] = {
        "kind": "commit",
        "terms": round_.terms_digest,
        "root": committed.root.hex(),
        "size": committed.size,
        "nonce": commit_nonce(payload.nonce, name),
    }
    if round_.terms.sums == "committed":
        body["sum"] = commit_point(read_point(round_.terms, name, payload), payload.key)
    return sign_statement(body, name, keys)


def seal_submission(
    seen: SeenRound, name: str, keys: PrivateKeys, private: Path
) -> tuple[Statement, Path]:
    """Seal what the member has committed to into the public folder; return statement and file.

    Memory does not grow with it.

    Raises
    ------
    InputError
        If nothing was committed, or the file cannot be written.
    """
    round_ = seen.round
    source = private / PAYLOAD_FILE
    require_file(source, MOST_SEALED_BYTES, "commit first")
    context = encode_context(round_.terms_digest, name, CENTER, "submit")
    center = round_.find_keys(CENTER) or round_.terms.center.public
    place = seen.folder / SEALED_FOLDER
    place.mkdir(parents=True, exist_ok=True)
    with atomic_file(place / f"{name}-submit.new") as fresh:
        with source.open("rb") as content, fresh.open("wb") as target:
            seal_frames(content, target, center.sealing, context)
        with fresh.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    path = place / f"{name}-submit-{digest[:16]}.bin"
    (place / f"{name}-submit.new").replace(path)
    checkpoint = read_checkpoint(seen.checkpoint, str(seen.folder))
    body = {
        "kind": "submit",
        "terms": round_.terms_digest,
        "sealed": digest,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
    }
    return sign_statement(body, name, keys), path


def make_answer(
    round_: Round, name: str, keys: PrivateKeys, *, reason: str | None = None
) -> Statement:
    """Return the member's acceptance of the result; with a reason its dispute.

    Raises
    ------
    InputError
        If there is no result yet.
    """
    result = round_.find("result")
    if result is None:
        raise InputError("result", "there is none yet", "wait for the center")
    body = {"terms": round_.terms_digest, "result": result.digest}
    if reason is None:
        dispute = round_.find("dispute", name)
        withdrawn = {} if dispute is None else {"withdraws": dispute.digest}
        return sign_statement({"kind": "accept", **body, **withdrawn}, name, keys)
    return sign_statement({"kind": "dispute", "reason": reason, **body}, name, keys)


def make_rotation(round_: Round, name: str, keys: PrivateKeys, fresh: PrivateKeys) -> Statement:
    """Return the statement by which a member's new keys take the place of the old ones."""
    body = {"kind": "rotate", "terms": round_.terms_digest, **prove_keys(round_, name, fresh)}
    return sign_statement(body, name, keys)


def prove_keys(round_: Round, name: str, fresh: PrivateKeys) -> dict[str, str]:
    """Return new public keys, and the proof that their owner wants them to be a member's."""
    proof = fresh.sign(encode_rotation(round_.terms_digest, name, fresh.public))
    return {**fresh.public.as_dict(), "proof": proof.hex()}


def make_consent(round_: Round, name: str, keys: PrivateKeys, read: str) -> Statement:
    """Return the member's signature under the change of terms that waits for it.

    Parameters
    ----------
    round_
        The round.
    name, keys
        The member's.
    read
        The hash of the change that it has read: the center can propose another one meanwhile.

    Raises
    ------
    InputError
        If there is none, or another one.
    """
    if round_.pending is None or name not in round_.list_unsigned():
        raise InputError("change", "none waits for your signature", "look at the log")
    if round_.pending.digest != read:
        raise InputError("change", "another one waits than the one you have read", "read that one")
    body = {"kind": "change", "terms": round_.terms_digest, "change": round_.pending.digest}
    return sign_statement(body, name, keys)


def make_voucher(
    round_: Round, by: str, keys: PrivateKeys, name: str, proved: Mapping[str, str]
) -> Statement:
    """Return the statement by which somebody vouches for a member's new keys.

    Parameters
    ----------
    round_
        The round.
    by, keys
        Who vouches.
    name
        Who has lost its keys.
    proved
        What `prove_keys` returned to it.
    """
    body = {"kind": "vouch", "terms": round_.terms_digest, "member": name, **proved}
    return sign_statement(body, by, keys)


def make_sealed_answer(round_: Round, name: str, keys: PrivateKeys, answer: Answer) -> Statement:
    """Return the member's answer to the question that the round asks, sealed to the center."""
    step = round_.asked[-1].body["step"]
    center = round_.find_keys(CENTER) or round_.terms.center.public
    context = encode_context(round_.terms_digest, name, CENTER, encode_answer_context(step))
    body = {
        "kind": "answer",
        "terms": round_.terms_digest,
        "step": step,
        "commitment": answer.commit(round_.terms_digest, name, step),
        "sealed": seal_message(answer.encode(), center.sealing, context).hex(),
    }
    return sign_statement(body, name, keys)
