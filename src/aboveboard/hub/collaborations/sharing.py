"""What members pass to each other by the hub: tokens, opened parts, cosignatures, new keys."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from aboveboard.errors import InputError
from aboveboard.evidence.key_checks import encode_rotation
from aboveboard.evidence.keys import PublicKeys, verify_signature
from aboveboard.evidence.notes import MOST_NOTE_BYTES, name_key, read_checkpoint, read_note
from aboveboard.evidence.round_states import RefusedStatementError
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.terms import AUDITOR, CENTER
from aboveboard.hub.collaborations.logs import (
    NoCollaborationError,
    lock,
    read_round,
)
from aboveboard.hub.collaborations.logs import (
    read_checkpoint as read_signed_checkpoint,
)
from aboveboard.hub.collaborations.membership import require_member, require_row
from aboveboard.hub.collaborations.notices import write_notice
from aboveboard.hub.database.engine import write
from aboveboard.hub.database.tables import cosignature, recovery
from aboveboard.hub.home import Hub
from aboveboard.hub.organizations.registry import Organization


def find_shared(
    connection: Connection, organization: Organization, identifier: str, digest: str
) -> str:
    """Return the hash of a file that others have sent for this organisation to read.

    Every member that takes part reads the tokens that the log names; the auditor reads what was
    opened to it. Whom a change is to let in reads neither.

    Raises
    ------
    NoCollaborationError
        If there is no such file for it.
    """
    row = require_row(connection, organization, identifier)
    round_ = read_round(connection, row)
    if row.member == AUDITOR:
        shared = _list_opened(round_)
    elif row.member not in round_.present:
        shared = set()
    else:
        shared = {each for passed in round_.tokens.values() for each in passed}
    if digest not in shared:
        raise NoCollaborationError(identifier)
    return digest


def _list_opened(round_: Round) -> set[str]:
    return {str(x.body["sealed"]) for (kind, _), x in round_.said.items() if kind == "open"}


def take_cosignature(hub: Hub, organization: Organization, identifier: str, content: bytes) -> int:
    """Keep a checkpoint that a member has cosigned; return its size. A smaller one is passed over.

    Raises
    ------
    InputError
        If it is not a note, or not cosigned by this member.
    RefusedStatementError
        If it is of another log: this hub would have shown two.
    NoCollaborationError
        If the organisation takes part in no such collaboration.
    """
    place = "cosignature"
    if len(content) > MOST_NOTE_BYTES:
        raise InputError(place, "it is too large", "send the checkpoint that you have cosigned")
    note = read_note(content, place)
    found = read_checkpoint(note, place)
    with write(hub.engine) as connection:
        row = lock(connection, identifier)
        name = require_member(connection, organization, identifier)
        round_ = read_round(connection, row)
        if not any(note.is_cosigned_with(name_key(name), x) for x in round_.list_keys(name)):
            raise InputError(place, f"{name} has not cosigned it", "cosign it with your own key")
        if not 0 < found.size <= row.size:
            raise RefusedStatementError("it is of a longer log than this hub has")
        own = read_signed_checkpoint(connection, identifier, found.size)
        if own.split("\n")[:3] != note.text.split("\n")[:3]:
            raise RefusedStatementError("it is of another log than this hub has")
        where = (cosignature.c.collaboration == identifier, cosignature.c.name == name)
        known = connection.execute(select(cosignature.c.size).where(*where)).scalar()
        if known is None or known <= found.size:
            connection.execute(delete(cosignature).where(*where))
            connection.execute(
                cosignature.insert().values(
                    collaboration=identifier,
                    name=name,
                    size=found.size,
                    note=content.decode("utf-8"),
                    created=hub.now,
                )
            )
    return found.size


def list_cosignatures(
    connection: Connection, organization: Organization, identifier: str
) -> dict[str, str]:
    """Return each member's last cosigned checkpoint.

    Raises
    ------
    NoCollaborationError
        If the organisation takes part in no such collaboration.
    """
    require_member(connection, organization, identifier)
    rows = connection.execute(
        select(cosignature.c.name, cosignature.c.note)
        .where(cosignature.c.collaboration == identifier)
        .order_by(cosignature.c.name)
    )
    return {row.name: row.note for row in rows}


@dataclass(frozen=True)
class Recovery:
    """New keys of a member that has lost its own, for the others to vouch for.

    Parameters
    ----------
    name
        The member.
    signing, sealing
        The new public keys.
    proof
        The new key's signature that it wants to be this member's.
    fingerprint
        By which people compare the keys.
    """

    name: str
    signing: str
    sealing: str
    proof: str
    fingerprint: str


def take_recovery(
    hub: Hub, organization: Organization, identifier: str, keys: PublicKeys, proof: str
) -> None:
    """Keep a member's new keys until the others have vouched for them, and tell all.

    The member itself hears of it, too: somebody else may have named them. The same keys once more
    change nothing, and nobody is told of them again.

    Raises
    ------
    RefusedStatementError
        If by the terms nobody vouches, or the new key has not signed, or is in use.
    NoCollaborationError
        If the organisation takes part in no such collaboration.
    """
    with write(hub.engine) as connection:
        row = lock(connection, identifier)
        name = require_member(connection, organization, identifier)
        round_ = read_round(connection, row)
        if round_.terms.lost_key == "nobody" or name not in round_.present:
            raise RefusedStatementError("by the terms nobody vouches for your keys")
        try:
            signature = bytes.fromhex(proof)
        except ValueError:
            signature = b""
        content = encode_rotation(round_.terms_digest, name, keys)
        if not verify_signature(keys.signing, signature, content):
            raise RefusedStatementError("the new key has not signed the rotation")
        known = (x for each in (*round_.terms.names, CENTER) for x in round_.list_keys(each))
        if keys.signing in known:
            raise RefusedStatementError("the new key is in use already")
        where = (recovery.c.collaboration == identifier, recovery.c.name == name)
        named = (recovery.c.signing == keys.signing, recovery.c.sealing == keys.sealing)
        if connection.execute(select(recovery.c.name).where(*where, *named)).first() is not None:
            return
        connection.execute(delete(recovery).where(*where))
        connection.execute(
            recovery.insert().values(
                collaboration=identifier, name=name, proof=proof, created=hub.now, **keys.as_dict()
            )
        )
        for each in round_.present:
            kind = "new-keys" if each == name else "vouch"
            write_notice(connection, identifier, each, kind, hub.now, about=name)


def list_recoveries(connection: Connection, identifier: str) -> list[Recovery]:
    """Return the new keys that wait for others to vouch; the caller has checked who asks."""
    rows = connection.execute(
        select(recovery).where(recovery.c.collaboration == identifier).order_by(recovery.c.name)
    )
    return [
        Recovery(
            row.name,
            row.signing,
            row.sealing,
            row.proof,
            PublicKeys(row.signing, row.sealing).fingerprint,
        )
        for row in rows
    ]
