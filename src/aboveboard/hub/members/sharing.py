"""What members see of each other by the hub: cosigned checkpoints, tokens, opened parts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from aboveboard.errors import InputError
from aboveboard.evidence.cosigning import COSIGNATURES, refuse_other_log
from aboveboard.evidence.folders import SEALED_FOLDER, read_limited, write_sealed
from aboveboard.evidence.notes import MOST_NOTE_BYTES, read_checkpoint, read_note
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.statements import Statement
from aboveboard.evidence.terms import AUDITOR
from aboveboard.hub.members.answers import CosignaturesAnswer, read_answer
from aboveboard.hub.members.places import Mirror
from aboveboard.hub.members.transport import HubConnection
from aboveboard.storage.atomic import atomic_file


def fetch_cosignatures(mirror: Mirror, connection: HubConnection) -> dict[str, str]:
    """Return the checkpoints that members have cosigned, as the hub has them.

    Raises
    ------
    InputError
        If the hub does not answer as one.
    """
    sent = connection.get_json(f"{mirror.path}/cosignatures")
    return read_answer(CosignaturesAnswer, sent, mirror.address).notes


def compare_cosignatures(
    mirror: Mirror, round_: Round, member: str, notes: Mapping[str, str]
) -> None:
    """Keep what the others have cosigned, beside the log; all of it must be of this log.

    Raises
    ------
    InputError
        If another member has seen a longer log, or another one: the hub has shown two.
    """
    place = mirror.folder / COSIGNATURES
    for name in round_.terms.names:
        text = notes.get(name)
        if name == member or text is None or len(text) > MOST_NOTE_BYTES:
            continue
        place.mkdir(exist_ok=True)
        path = place / f"{name}.note"
        with atomic_file(path) as file:
            file.write_text(text, encoding="utf-8")
        note = read_note(text.encode("utf-8"), str(path))
        size = read_checkpoint(note, str(path)).size
        if size > len(round_.leaves):
            raise InputError(
                mirror.address,
                f"{name} has seen a log of {size} entries, and you are shown {len(round_.leaves)}",
                f"keep {mirror.folder}, and compare with {name}: this hub shows two logs, or was "
                "restored from an old backup",
            )
    refuse_other_log(mirror.folder, round_)


def send_cosignature(
    mirror: Mirror, connection: HubConnection, member: str, notes: Mapping[str, str]
) -> None:
    """Pass on the last checkpoint that the member has cosigned, unless the hub has it."""
    path = mirror.folder / COSIGNATURES / f"{member}.note"
    if not path.is_file():
        return
    content = read_limited(path, MOST_NOTE_BYTES, "agree to the terms once more")
    if notes.get(member) != content.decode("utf-8"):
        connection.put_bytes(f"{mirror.path}/cosignatures", content)


def fetch_shared(mirror: Mirror, connection: HubConnection, round_: Round, member: str) -> None:
    """Fetch files of others that this one may read: tokens, or what was opened to the auditor.

    Raises
    ------
    InputError
        If the hub sends another file than was named.
    """
    wanted: dict[tuple[str, str], str] = {}
    if member == AUDITOR:
        wanted = {
            (by, "open"): each.body["sealed"]
            for (kind, by), each in round_.said.items()
            if kind == "open"
        }
    elif round_.terms.counts == "members" and member in round_.present:
        wanted = {
            (owner, f"tokens-{step}"): digest
            for owner, passed in round_.tokens.items()
            for step, digest in enumerate(passed)
        }
    for (owner, what), digest in wanted.items():
        if not (mirror.folder / SEALED_FOLDER / f"{owner}-{what}-{digest[:16]}.bin").is_file():
            content = connection.get(f"{mirror.path}/shared/{digest}")
            if hashlib.sha256(content).hexdigest() != digest:
                raise InputError(
                    mirror.address,
                    f"it sends another file than {owner} has named ({what})",
                    f"try again; if it stays so, ask {owner} for the file",
                )
            write_sealed(mirror.folder, owner, what, content)


def name_sealed(statement: Statement) -> tuple[str, str] | None:
    """Return the beginning of a file's name in `sealed/`, and its hash; None: it names no file."""
    if statement.kind in ("submit", "open"):
        return f"{statement.by}-{statement.kind}", str(statement.body["sealed"])
    if statement.kind == "tokens":
        owner, step = statement.body["owner"], statement.body["step"]
        return f"{owner}-tokens-{step}", str(statement.body["sha256"])
    return None
