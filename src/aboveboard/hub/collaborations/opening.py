"""The operator opens a collaboration, or ends it: terms and cancellation."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from aboveboard.commands.rounds.center import (
    collect_files,
    draft_terms,
    list_parties,
    read_table,
)
from aboveboard.errors import InputError
from aboveboard.evidence.keys import PRIVATE_FOLDER, write_private
from aboveboard.evidence.rounds import RefusedStatementError, Round, begin_round
from aboveboard.evidence.statements import Statement, sign_statement
from aboveboard.evidence.terms import CENTER, parse_terms
from aboveboard.evidence.verifiers.opened import digest_file
from aboveboard.hub.collaborations.logs import (
    Position,
    append,
    lock,
    read_round,
    sign_checkpoint,
)
from aboveboard.hub.collaborations.notices import notify_awaited
from aboveboard.hub.database.engine import write
from aboveboard.hub.database.tables import checkpoint, collaboration, log_entry, member
from aboveboard.hub.home import CENTER_FILES, Hub
from aboveboard.hub.jobs.queue import enqueue_settlement
from aboveboard.hub.organizations.registry import find_keys


def open_collaboration(
    hub: Hub,
    file: Path,
    *,
    missing: str = "cancel",
    deadlines: Mapping[str, str] | None = None,
    opened: str = "nothing",
) -> tuple[str, Round]:
    """Begin a round: sign the terms that a collaboration file makes; return its id and the round.

    Parameters
    ----------
    hub
        The hub.
    file
        The collaboration file. Its parties are names of organisations that have joined.
    missing
        What happens if a member is late or leaves: "cancel" or "continue".
    deadlines
        By step, such as {"commit": "2026-12-01T12:00:00Z"}.
    opened
        What all see afterwards besides the result: "nothing", the "center"'s own files, or "all"
        members' parts too.

    Raises
    ------
    InputError
        If the file is none, a party has not joined, or the terms are not valid.
    """
    table = read_table(file)
    names = list_parties(table, file)
    table, files = collect_files(table, file.parent)
    identifier = secrets.token_hex(8)
    now = hub.now
    digests = {
        name: digest_file(derive_file_key(hub, identifier, name), content)
        for name, content in files.items()
    }
    _write_center_files(hub, identifier, files)
    with write(hub.engine) as connection:
        found = {name: find_keys(connection, name) for name in names}
        keys = {name: public for name, (_, public) in found.items()}
        body = draft_terms(
            table,
            keys,
            hub.keys,
            f"{hub.configuration.authority}/{identifier}",
            missing=missing,
            deadlines=deadlines,
            opened=opened,
            files=digests,
        )
        try:
            parse_terms(body, str(file))
            statement = sign_statement(body, CENTER, hub.keys.center)
            round_ = begin_round(statement.content, str(file))
        except ValueError as error:
            raise InputError(
                str(file), str(error), "write dates and large numbers as text"
            ) from error
        connection.execute(
            collaboration.insert().values(
                id=identifier,
                name=round_.terms.name,
                origin=round_.terms.log.origin,
                terms=round_.terms_digest,
                state=round_.state.value,
                size=1,
                created=now,
                updated=now,
            )
        )
        for name, (organization, _) in found.items():
            connection.execute(
                member.insert().values(
                    collaboration=identifier, organization=organization.id, name=name
                )
            )
        connection.execute(
            log_entry.insert().values(
                collaboration=identifier,
                index=0,
                digest=statement.digest,
                kind="terms",
                signer=CENTER,
                content=statement.content,
                created=now,
            )
        )
        note = sign_checkpoint(round_, hub.keys.log)
        connection.execute(checkpoint.insert().values(collaboration=identifier, size=1, note=note))
        notify_awaited(connection, identifier, None, round_, now)
    return identifier, round_


def locate_center_files(hub: Hub, identifier: str) -> Path:
    """Return the folder of the center's own files of a round; there may be none."""
    return hub.folder / CENTER_FILES / identifier


def derive_file_key(hub: Hub, identifier: str, name: str) -> bytes:
    """Return the key that hides the hash of one of the center's files until it is opened."""
    return hub.keys.derive_key(f"{identifier}/{name}")


def _write_center_files(hub: Hub, identifier: str, files: Mapping[str, bytes]) -> None:
    """Keep the center's own files, which only their hashes in the terms tell of."""
    folder = locate_center_files(hub, identifier)
    for name, content in files.items():
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        write_private(folder / name, content)


def state_own(hub: Hub, identifier: str, kind: str, body: Mapping[str, object]) -> Position:
    """Append a statement of the center's own, such as "missing" or "cancel".

    Raises
    ------
    InputError
        If it cannot follow.
    NoCollaborationError
        If there is no such collaboration.
    """
    with write(hub.engine) as connection:
        row = lock(connection, identifier)
        before = read_round(connection, row)
        statement = make_own(hub, before, kind, body)
        try:
            after = before.accept(statement)
        except RefusedStatementError as error:
            raise InputError(
                f"collaboration {identifier}", str(error), "look at 'aboveboard hub status'"
            ) from error
        position = append(connection, row, after, statement, hub.keys.log, hub.now)
        notify_awaited(connection, identifier, before, after, hub.now)
        enqueue_settlement(connection, identifier, after, hub.now)
    return position


def make_own(hub: Hub, round_: Round, kind: str, body: Mapping[str, object]) -> Statement:
    """Return a statement of the center in a round."""
    whole = {"kind": kind, "terms": round_.terms_digest, **body}
    return sign_statement(whole, CENTER, hub.keys.center)
