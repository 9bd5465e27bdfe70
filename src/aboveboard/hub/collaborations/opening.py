"""The operator opens a collaboration: terms from a file, or from the round before."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from aboveboard.commands.rounds.drafting import Draft, collect_files, draft_table, draft_terms
from aboveboard.errors import InputError
from aboveboard.evidence.keys import PRIVATE_FOLDER, write_private
from aboveboard.evidence.rounds import Round, begin_round
from aboveboard.evidence.statements import Statement, sign_statement
from aboveboard.evidence.terms import AUDITOR, CENTER, parse_terms
from aboveboard.evidence.verifiers.opened import digest_file
from aboveboard.hub.collaborations.logs import describe_standing, sign_checkpoint, write_nodes
from aboveboard.hub.collaborations.notices import notify_awaited
from aboveboard.hub.collaborations.standing import describe_round, encode_standing
from aboveboard.hub.database.engine import write
from aboveboard.hub.database.tables import checkpoint, collaboration, log_entry, member
from aboveboard.hub.home import CENTER_FILES, Hub
from aboveboard.hub.organizations.registry import Organization, find_keys


@dataclass(frozen=True)
class Opening:
    """A collaboration that is about to begin.

    Parameters
    ----------
    id
        Of the collaboration.
    terms
        The body of its terms.
    owners
        The organisation of each member, and of the auditor.
    place
        Where the terms come from, for errors.
    series, previous
        Ids of the first round and of the last one; empty and None: this is the first.
    """

    id: str
    terms: Mapping[str, Any]
    owners: Mapping[str, Organization]
    place: str
    series: str = ""
    previous: str | None = None


def open_collaboration(
    hub: Hub,
    file: Path | Draft,
    *,
    missing: str = "cancel",
    deadlines: Mapping[str, str] | None = None,
    opened: str = "nothing",
    auditor: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> tuple[str, Round]:
    """Begin a round: sign the terms that a collaboration file makes; return its id and the round.

    Parameters
    ----------
    hub
        The hub.
    file
        The collaboration file, or what was drafted of it. Its parties are names of organisations
        that have joined; what they report, such as their data, is left out.
    missing
        What happens if a member is late or leaves: "cancel" or "continue".
    deadlines
        By step, such as {"commit": "2026-12-01T12:00:00Z"}.
    opened
        What all see afterwards besides the result: "nothing", the "center"'s own files, or "all"
        members' parts too.
    auditor
        The organisation that rules after a dispute; None: there is none.
    more
        Further fields of the terms: "counts", "lost_key", "keep_days", "asks", "answer_hours",
        "repeats", "sums", "sees".

    Raises
    ------
    InputError
        If the file is none, a party has not joined, or the terms are not valid.
    """
    draft = file if isinstance(file, Draft) else draft_table(file)
    names = list(draft.table["parties"])
    table, files = collect_files(draft.table, draft.file.parent)
    identifier = secrets.token_hex(8)
    with (
        keep_center_files(hub, identifier, files) as digests,
        write(hub.engine) as connection,
    ):
        found = {name: find_keys(connection, name) for name in names}
        body = draft_terms(
            table,
            {name: public for name, (_, public) in found.items()},
            hub.keys,
            f"{hub.configuration.authority}/{identifier}",
            missing=missing,
            deadlines=deadlines,
            opened=opened,
            files=digests,
        )
        owners = {name: owner for name, (owner, _) in found.items()}
        body |= more or {}
        if auditor is not None:
            owners[AUDITOR], keys = find_keys(connection, auditor)
            body["auditor"] = keys.as_dict()
            _refuse_own_auditor(owners, auditor)
        return identifier, begin(
            connection, hub, Opening(identifier, body, owners, str(draft.file))
        )


def _refuse_own_auditor(owners: Mapping[str, Organization], auditor: str) -> None:
    ids = [owner.id for owner in owners.values()]
    if len(set(ids)) < len(ids):
        raise InputError(
            f"auditor {auditor!r}", "it is a member of the round", "agree on somebody else"
        )


def begin(connection: Connection, hub: Hub, opening: Opening) -> Round:
    """Sign the terms, and write all rows of a new collaboration.

    Raises
    ------
    InputError
        If the terms are not valid.
    """
    place = opening.place
    try:
        parse_terms(opening.terms, place)
        statement = sign_statement(opening.terms, CENTER, hub.keys.center)
        round_ = begin_round(statement.content, place)
    except ValueError as error:
        raise InputError(place, str(error), "write dates and large numbers as text") from error
    _write_rows(connection, hub, opening, round_, statement)
    notify_awaited(connection, opening.id, None, round_, hub.now)
    return round_


def _write_rows(
    connection: Connection, hub: Hub, opening: Opening, round_: Round, statement: Statement
) -> None:
    now, identifier, leaf = hub.now, opening.id, round_.root_at(1)
    row = {
        "id": identifier,
        "name": round_.terms.name,
        "origin": round_.terms.log.origin,
        "terms": round_.terms_digest,
        "state": round_.state.value,
        "size": 1,
        "created": now,
        "updated": now,
        "series": opening.series or identifier,
        "serial": round_.terms.serial,
        "previous": opening.previous,
        "frontier": leaf,
        "standing": encode_standing(describe_round(round_, leaf, lambda _: (0, now))),
    }
    connection.execute(collaboration.insert().values(**row, **describe_standing(None, round_, now)))
    connection.execute(
        member.insert(),
        [
            {"collaboration": identifier, "organization": owner.id, "name": name}
            for name, owner in opening.owners.items()
        ],
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
    write_nodes(connection, identifier, {(0, 0): leaf})
    note = sign_checkpoint(round_, hub.keys.log)
    connection.execute(checkpoint.insert().values(collaboration=identifier, size=1, note=note))


def locate_center_files(hub: Hub, identifier: str) -> Path:
    """Return the folder of the center's own files of a round; there may be none."""
    return hub.folder / CENTER_FILES / identifier


def derive_file_key(hub: Hub, identifier: str, name: str) -> bytes:
    """Return the key that hides the hash of one of the center's files until it is opened."""
    return hub.first_keys.derive_key(f"{identifier}/{name}")


@contextmanager
def keep_center_files(
    hub: Hub, identifier: str, files: Mapping[str, bytes]
) -> Iterator[dict[str, str]]:
    """Keep the center's own files of a new round; yield the hashes that the terms have of them.

    They are deleted if the round does not begin.
    """
    folder = locate_center_files(hub, identifier)
    try:
        for name, content in files.items():
            folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            write_private(folder / name, content)
        yield {
            name: digest_file(derive_file_key(hub, identifier, name), content)
            for name, content in files.items()
        }
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
