"""Cosignatures: members sign the checkpoints that they see, so that two logs come to light.

Each member leaves its last cosigned checkpoint in `cosignatures/` of the public folder, where
everybody reads it. A checkpoint that a member has cosigned and that is not a beginning of a log
proves that the center has shown two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aboveboard.errors import InputError
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.folders import read_limited
from aboveboard.evidence.keys import PrivateKeys
from aboveboard.evidence.notes import (
    MOST_NOTE_BYTES,
    Note,
    cosign_note,
    name_key,
    read_checkpoint,
    read_note,
)
from aboveboard.evidence.rounds import Round
from aboveboard.storage.atomic import atomic_file

COSIGNATURES = "cosignatures"
"""The folder of members' cosigned checkpoints, beside the log."""


@dataclass(frozen=True)
class CosignedCheckpoint:
    """A checkpoint that a member has seen and signed.

    Parameters
    ----------
    name
        The member.
    size
        How many entries the log had.
    agrees
        Whether that log is the beginning of the one at hand.
    note
        The signed note.
    """

    name: str
    size: int
    agrees: bool
    note: Note


def write_cosigned(folder: Path, name: str, keys: PrivateKeys, seen: Note, seconds: int) -> Path:
    """Cosign a checkpoint that was seen, and leave it where everybody reads it.

    Parameters
    ----------
    folder
        The round's public folder.
    name, keys
        Of the member.
    seen
        The checkpoint, found consistent with what was seen before.
    seconds
        The member's time, in seconds since 1970.

    Raises
    ------
    InputError
        If the folder of cosignatures cannot be made.
    """
    place = folder / COSIGNATURES
    try:
        place.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(
            str(place), f"it cannot be made ({error.strerror})", "make the folder writable"
        ) from error
    path = place / f"{name}.note"
    alone = Note(seen.text, tuple(s for s in seen.signatures if s.name == seen.text.split("\n")[0]))
    with atomic_file(path) as file:
        file.write_bytes(cosign_note(alone, name_key(name), keys, seconds).content)
    return path


def list_cosigned(folder: Path, round_: Round) -> list[CosignedCheckpoint]:
    """Return what members of a round have cosigned; what is no such note is passed over."""
    place = folder / COSIGNATURES
    notes = []
    for name in round_.terms.names:
        path = place / f"{name}.note"
        if path.is_file():
            content = read_limited(path, MOST_NOTE_BYTES, "copy it once more")
            notes.append(content.decode("utf-8", errors="replace"))
    return check_cosigned(notes, round_)


def check_cosigned(notes: Iterable[str], round_: Round) -> list[CosignedCheckpoint]:
    """Return which members have cosigned, and whether it is this log that they have seen.

    Checkpoints of a longer log than the one at hand say nothing of it, and are passed over.
    """
    found = []
    for text in notes:
        try:
            note = read_note(text.encode("utf-8"), "cosigned checkpoint")
            checkpoint = read_checkpoint(note, "cosigned checkpoint")
        except InputError:
            continue
        if checkpoint.size > len(round_.leaves) or not checkpoint.size:
            continue
        origin = round_.terms.log.origin
        agrees = checkpoint.origin == origin and checkpoint.root == round_.root_at(checkpoint.size)
        found += [
            CosignedCheckpoint(name, checkpoint.size, agrees, note)
            for name in round_.terms.names
            if any(note.is_cosigned_with(name_key(name), key) for key in round_.list_keys(name))
            and (agrees or any(note.is_signed_with(origin, key) for key in round_.list_log_keys()))
        ]
    return found


def verify_cosigned(notes: Iterable[str], round_: Round, findings: Findings, who: str = "") -> None:
    """Note who has cosigned the log; a cosigned checkpoint of another log is a contradiction.

    Parameters
    ----------
    notes
        Cosigned checkpoints, as text.
    round_
        What the log tells.
    findings
        Where it goes.
    who
        Whom a contradiction names; empty where a member asks.
    """
    cosigned = check_cosigned(dict.fromkeys(notes), round_)
    for each in cosigned:
        if not each.agrees:
            findings.contradict(
                f"{each.name} has cosigned another log of {each.size} entries: "
                "the center has shown two",
                each.note.content.decode("utf-8"),
                who,
            )
    sizes: dict[str, int] = {}  # a note may be sent twice, or with an older one of its member
    for each in cosigned:
        if each.agrees:
            sizes[each.name] = max(each.size, sizes.get(each.name, 0))
    if sizes:
        seen = [f"{name} (at {size} entries)" for name, size in sizes.items()]
        findings.verify(f"this log was cosigned by {', '.join(seen)}")


def refuse_other_log(folder: Path, round_: Round) -> None:
    """Raise `InputError` if a member has cosigned another log than the one in the folder."""
    for each in list_cosigned(folder, round_):
        if not each.agrees:
            raise InputError(
                str(folder / COSIGNATURES / f"{each.name}.note"),
                f"{each.name} has seen another log of {each.size} entries",
                "keep this note and the log: they prove that the center has shown two",
            )
