"""A collaboration of a hub as a folder of the member's own: fetched from there, and handed in.

Nothing that the hub says is believed before it is checked: entries are added to those that the
member has, and the signed checkpoint must be of exactly these.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.folders import (
    LOG_FILE,
    MOST_LOG_BYTES,
    SEALED_FOLDER,
    TERMS_FILE,
    read_log,
    read_statement_file,
    write_log,
    write_sealed,
)
from aboveboard.evidence.keys import PrivateKeys, make_private_folder
from aboveboard.evidence.log import Log, verify_checkpoint
from aboveboard.evidence.notes import Checkpoint, Note, read_note
from aboveboard.evidence.rounds import MOST_ENTRIES, Round, replay_log
from aboveboard.evidence.statements import read_statement
from aboveboard.evidence.terms import AUDITOR, CENTER, read_terms
from aboveboard.evidence.trees import InvalidProofError
from aboveboard.formatting import format_count
from aboveboard.hub.members.answers import TakenAnswer, ViewAnswer, read_answer
from aboveboard.hub.members.places import MIRROR_FILE, REFUSED_FILE, Mirror
from aboveboard.hub.members.sharing import (
    compare_cosignatures,
    fetch_cosignatures,
    fetch_shared,
    name_sealed,
    send_cosignature,
)
from aboveboard.hub.members.transport import HubConnection
from aboveboard.storage.atomic import atomic_file

MOST_LOOKS = 3
"""How often a result is fetched that is sealed anew each time."""

PAGE = 1000
"""Entries of a log that are asked for at once; the API gives no more."""


def find_mirror(folder: Path) -> Mirror | None:
    """Return what a folder mirrors; None for a folder that travels by other means.

    Raises
    ------
    InputError
        If the file that tells it is damaged.

    Examples
    --------
    >>> find_mirror(Path("a folder that travels by mail")) is None
    True
    """
    path = folder / MIRROR_FILE
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Mirror(folder, str(data["address"]), str(data["id"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(str(path), "it is damaged", "agree to the terms once more") from error


def make_mirror(folder: Path, address: str, identifier: str) -> Mirror:
    """Return a mirror in a new folder, or the one that is there; nothing is fetched yet."""
    make_private_folder(folder)
    with atomic_file(folder / MIRROR_FILE) as file:
        text = json.dumps({"address": address, "id": identifier})
        file.write_text(text, encoding="utf-8")
    return Mirror(folder, address, identifier)


def pull(mirror: Mirror, keys: PrivateKeys) -> dict[str, Any]:
    """Fetch what is new; return the collaboration as the hub shows it to the member.

    Checkpoints that other members have cosigned are fetched before the log, which must contain
    them all.

    Raises
    ------
    InputError
        If the hub cannot be reached, or shows another log than before, or than to others. Its
        checkpoint is then kept beside the other one: both together prove it.

    Examples
    --------
    >>> from aboveboard.evidence.keys import generate_keys
    >>> mirror = Mirror(Path("round"), "hub.example", "0123456789abcdef")
    >>> pull(mirror, generate_keys())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    aboveboard.errors.InputError: hub.example: it is not an address of a hub; write it...
    """
    connection = HubConnection(mirror.address, keys)
    for _ in range(MOST_LOOKS):
        view = _pull_once(mirror, connection)
        if view is not None:
            return view.model_dump()
    raise InputError(
        mirror.address,
        "it sends another result than it has named, each time that it is fetched",
        "try again; if it stays so, dispute the round",
    )


def _pull_once(mirror: Mirror, connection: HubConnection) -> ViewAnswer | None:
    """Fetch what is new; None where the member's result was sealed anew meanwhile."""
    view = _fetch_view(mirror, connection)
    notes = fetch_cosignatures(mirror, connection)
    entries, note = _fetch_log(mirror, connection)
    round_ = _write_checked(mirror, entries, note)
    member = view.member
    _refuse_stranger(mirror, round_, member, entries)
    compare_cosignatures(mirror, round_, member, notes)
    if round_.list_keys(member):  # who has left cosigns nothing more
        send_cosignature(mirror, connection, member, notes)
    fetch_shared(mirror, connection, round_, member)
    if view.reply is not None and not _fetch_reply(mirror, connection, member, view.reply):
        return None
    return view


def _fetch_view(mirror: Mirror, connection: HubConnection) -> ViewAnswer:
    view = read_answer(ViewAnswer, connection.get_json(mirror.path), mirror.address)
    if view.id != mirror.id:
        raise InputError(mirror.address, "it shows another collaboration", "tell its operator")
    return view


def _refuse_stranger(mirror: Mirror, round_: Round, member: str, entries: list[bytes]) -> None:
    """Raise `InputError` unless the hub calls the reader what somebody in the round is called.

    Whom a change of terms has left out still reads what it has signed, or was asked to.
    """
    terms = round_.pending_terms
    invited = set() if terms is None else set(terms.members)
    if member in {*round_.terms.members, *invited, AUDITOR}:
        return
    first, *rest = (read_statement(each, mirror.address) for each in entries)
    known = {*read_terms(first, mirror.address).members, *(each.by for each in rest)}
    if member not in known - {CENTER}:
        raise InputError(
            mirror.address,
            f"it calls you {member!r}, and nobody in the round is called that",
            "tell its operator",
        )


def _fetch_log(mirror: Mirror, connection: HubConnection) -> tuple[list[bytes], str]:
    """Return the log's entries, those that the member has first, and the last checkpoint's text.

    Raises
    ------
    InputError
        If the hub does not answer as one, or sends more than a log can have.
    """
    entries = _read_known(mirror.folder)
    length = sum(map(len, entries))
    while True:
        page = connection.get_json(f"{mirror.path}/log?start={len(entries)}&limit={PAGE}")
        try:
            fresh, size = [str(x).encode() for x in page["entries"]], int(page["size"])
            note = str(page["checkpoint"])
            note.encode()  # there are texts in JSON that no file can hold
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(
                mirror.address, "it does not answer as a hub", "check its address"
            ) from error
        length += sum(map(len, fresh))
        if (
            len(fresh) > PAGE
            or max(size, len(entries) + len(fresh)) > MOST_ENTRIES
            or length > MOST_LOG_BYTES
        ):
            raise InputError(
                mirror.address,
                f"its log is too long: a page has at most {format_count(PAGE)} entries, the whole "
                f"{format_count(MOST_ENTRIES)} and {format_count(MOST_LOG_BYTES)} bytes",
                "tell its operator: no round needs as many",
            )
        entries += fresh
        if len(entries) >= size or not fresh:
            return entries, note


def _read_known(folder: Path) -> list[bytes]:
    """Return the entries that the member has already."""
    if not (folder / LOG_FILE).is_file():
        return []
    return list(read_log(folder, "").entries)


def look_at_log(mirror: Mirror, keys: PrivateKeys) -> Round:
    """Return the round as its hub's log tells it now; nothing of it is kept or cosigned.

    Raises
    ------
    InputError
        If the hub cannot be reached, or shows another log than before: its checkpoint is then kept
        beside the other one.
    """
    entries, note = _fetch_log(mirror, HubConnection(mirror.address, keys))
    return _check_log(mirror, entries, note)[0]


def _write_checked(mirror: Mirror, entries: list[bytes], text: str) -> Round:
    """Write log and checkpoint, if one is of the other; return the round that they tell."""
    round_, log, note = _check_log(mirror, entries, text)
    write_log(mirror.folder, log, note)
    with atomic_file(mirror.folder / TERMS_FILE) as file:
        file.write_bytes(entries[0] + b"\n")
    return round_


def _check_log(mirror: Mirror, entries: list[bytes], text: str) -> tuple[Round, Log, Note]:
    """Return a round, its log and its checkpoint, if one is of the other; else keep the latter."""
    place = mirror.address
    if not entries:
        raise InputError(place, "the log is empty", "tell the operator")
    round_ = replay_log(entries, place)
    log = Log(round_.terms.log.origin, tuple(entries))
    note = read_note(text.encode("utf-8"), place)
    key = round_.find_log_key(len(entries))
    try:
        _refuse_other_log(log, verify_checkpoint(note, log.origin, key))
    except InvalidProofError as error:
        with atomic_file(mirror.folder / REFUSED_FILE) as file:
            file.write_bytes(note.content)
        raise InputError(
            place, str(error), f"keep {mirror.folder}: it proves what the hub did"
        ) from error
    return round_, log, note


def _refuse_other_log(log: Log, checkpoint: Checkpoint) -> None:
    """Raise `InvalidProofError` if a checkpoint is of another log."""
    if checkpoint != log.checkpoint:
        raise InvalidProofError(
            f"its log of {checkpoint.size} entries is not the one that it showed you before"
        )


def _fetch_reply(mirror: Mirror, connection: HubConnection, member: str, digest: str) -> bool:
    """Fetch the member's sealed result, unless it is here; one that it replaces goes.

    Return whether it is the one that was named; False where the hub names another one by now.
    """
    place = mirror.folder / SEALED_FOLDER
    if (place / f"{member}-result-{digest[:16]}.bin").is_file():
        return True
    content = connection.get(f"{mirror.path}/reply")
    if hashlib.sha256(content).hexdigest() != digest:
        if _fetch_view(mirror, connection).reply != digest:
            return False
        raise InputError(
            mirror.address,
            "it sends another result than it has named",
            "try again; if it stays so, dispute the round",
        )
    fresh = write_sealed(mirror.folder, member, "result", content)
    for old in place.glob(f"{member}-result-*.bin"):
        if old != fresh:
            old.unlink()
    return True


def push(mirror: Mirror, statement: Path, keys: PrivateKeys) -> dict[str, Any]:
    """Hand in a statement, for a submission its ciphertext first; return where it stands.

    Parameters
    ----------
    mirror
        The collaboration at the hub, and its folder.
    statement
        The file of the signed statement.
    keys
        The member's; they sign the requests.

    Raises
    ------
    InputError
        If the hub cannot be reached, or refuses it.

    Examples
    --------
    >>> from aboveboard.evidence.keys import generate_keys
    >>> mirror = Mirror(Path("round"), "hub.example", "0123456789abcdef")
    >>> push(mirror, Path("statement.json"), generate_keys())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    aboveboard.errors.InputError: hub.example: it is not an address of a hub; write it...
    """
    connection = HubConnection(mirror.address, keys)
    said = read_statement_file(statement)
    named = name_sealed(said)
    if named is not None:
        what, digest = named
        sealed = mirror.folder / SEALED_FOLDER / f"{what}-{digest[:16]}.bin"
        connection.put_file(f"{mirror.path}/sealed/{digest}", sealed, digest)
    sent = connection.post_json(f"{mirror.path}/statements", said.content)
    taken = read_answer(TakenAnswer, sent, mirror.address)
    if taken.digest != said.digest:
        raise InputError(
            mirror.address, "it has taken another statement than you sent", "look at the log"
        )
    return taken.model_dump()
