"""Members' statements: each is taken once, in one transaction, under the collaboration's lock."""

from __future__ import annotations

import json
import logging
from typing import Any

from sqlalchemy import Connection, func, select, update

from aboveboard.evidence.round_states import RefusedStatementError, State
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.statements import Statement, read_statement
from aboveboard.hub.collaborations.deadlines import find_deadline
from aboveboard.hub.collaborations.faults import OF_RULE
from aboveboard.hub.collaborations.logs import (
    Position,
    find_statements,
    lock,
    read_round,
)
from aboveboard.hub.collaborations.membership import require_member
from aboveboard.hub.collaborations.steps import take
from aboveboard.hub.database.batching import write_together
from aboveboard.hub.database.engine import write
from aboveboard.hub.database.tables import collaboration, log_entry, reply, submission
from aboveboard.hub.home import Hub
from aboveboard.hub.organizations.registry import Organization

logger = logging.getLogger(__name__)

SEALED_KINDS = {"submit": "sealed", "open": "sealed", "tokens": "sha256"}
"""Statements that name a file, and by which field."""

MOST_TIMES = 3
"""How often a member may send the largest file in one round."""


def take_statement(
    hub: Hub, organization: Organization, identifier: str, content: bytes
) -> Position:
    """Append a member's statement; the same one sent twice is one.

    Parameters
    ----------
    hub
        The hub.
    organization
        Who sent it: members speak for themselves only.
    identifier
        Of the collaboration.
    content
        The canonical bytes.

    Raises
    ------
    InputError
        If it is not a statement.
    RefusedStatementError
        If it cannot follow, is late, or its ciphertext has not arrived.
    NoCollaborationError
        If the organisation takes part in no such collaboration.
    """
    statement = read_statement(content, "statement", most=hub.configuration.limits.statement_bytes)
    position: Position = write_together(
        hub.engine, lambda connection: _take(connection, hub, organization, identifier, statement)
    )
    return position


def _take(
    connection: Connection,
    hub: Hub,
    organization: Organization,
    identifier: str,
    statement: Statement,
) -> Position:
    row = lock(connection, identifier)
    name = require_member(connection, organization, identifier)
    if statement.by != name:
        raise RefusedStatementError(f"you are {name!r}, and speak for yourself only")
    digest = statement.digest
    known = find_statements(connection, identifier, digest, row.terms)
    before = read_round(connection, row, {key: content for key, (_, content) in known.items()})
    if digest in known:
        _refuse_overtaken(before, statement)
        return Position(known[digest][0], digest, False, row.state)
    try:
        refuse_late(before, statement.kind, hub.now)
    except RefusedStatementError:
        logger.info(json.dumps({"collaboration": identifier, "by": name, "late": statement.kind}))
        raise
    _refuse_flood(connection, hub, identifier, before, name)
    if statement.kind in SEALED_KINDS:
        _refuse_unsent(connection, identifier, statement)
    after = before.accept(statement)
    position = take(connection, hub, row, before, after, statement)
    if statement.kind == "submit":
        _forget_fault(connection, row, name)
    return position


def _refuse_overtaken(round_: Round, statement: Statement) -> None:
    """Raise `RefusedStatementError` if a later statement takes back one that stands in the log."""
    other = {"accept": "dispute", "dispute": "accept"}.get(statement.kind)
    if other is not None and round_.find(other, statement.by) is not None:
        raise RefusedStatementError(
            "you have said this before, and something else since: say it in other words"
        )


def refuse_late(round_: Round, kind: str, now: int) -> None:
    """Raise `RefusedStatementError` if a step's deadline has passed."""
    deadline = find_deadline(round_, kind)
    if deadline is not None and now > deadline:
        raise RefusedStatementError(f"the deadline of {kind!r} has passed")


def _refuse_flood(
    connection: Connection, hub: Hub, identifier: str, round_: Round, name: str
) -> None:
    """Refuse a member that has said too much: what may be said again would fill the others' logs.

    Nothing is counted in a log as short as those of honest members are.
    """
    most = hub.configuration.limits.statements_per_round + 2 * len(round_.terms.names)
    if len(round_.leaves) <= most:
        return
    said = connection.execute(
        select(func.count()).where(
            log_entry.c.collaboration == identifier, log_entry.c.signer == name
        )
    ).scalar_one()
    if said >= most:
        raise RefusedStatementError(f"you have said {said} things in this round, which is the most")


def _refuse_unsent(connection: Connection, identifier: str, statement: Statement) -> None:
    """Raise `RefusedStatementError` unless the ciphertext that a submission names is here."""
    found = connection.execute(
        select(submission.c.digest).where(
            submission.c.collaboration == identifier,
            submission.c.name == statement.by,
            submission.c.digest == str(statement.body.get(SEALED_KINDS[statement.kind])),
        )
    ).first()
    if found is None:
        raise RefusedStatementError("its sealed data have not arrived: send them first")


def _forget_fault(connection: Connection, row: Any, name: str) -> None:
    """Take back what was found wrong with a member's earlier submission."""
    faults = json.loads(row.faults)
    if faults:
        left = {
            who: what
            for who, what in faults.items()
            if who not in (name, "") and not who.startswith(OF_RULE)
        }
        connection.execute(
            update(collaboration)
            .where(collaboration.c.id == row.id)
            .values(faults=json.dumps(left, sort_keys=True))
        )


def note_submission(
    hub: Hub, organization: Organization, identifier: str, digest: str, size: int
) -> bool:
    """Record that a ciphertext has arrived; return whether it is new.

    Raises
    ------
    NoCollaborationError
        If the organisation takes part in no such collaboration.
    RefusedStatementError
        If the round takes no submissions now.
    """
    with write(hub.engine) as connection:
        row = lock(connection, identifier)
        name = require_member(connection, organization, identifier)
        where = (
            submission.c.collaboration == identifier,
            submission.c.name == name,
            submission.c.digest == digest,
        )
        if connection.execute(select(submission.c.digest).where(*where)).first() is not None:
            return False
        round_ = read_round(connection, row)
        _refuse_unexpected(round_, name)
        _refuse_many(connection, hub, identifier, round_, name)
        connection.execute(
            submission.insert().values(
                collaboration=identifier, name=name, digest=digest, size=size, created=hub.now
            )
        )
    return True


def drop_unnamed_file(hub: Hub, digest: str) -> None:
    """Delete a file that no row names: what many send at once is counted only as it arrives."""
    with write(hub.engine) as connection:
        named = (
            select(submission.c.digest).where(
                submission.c.digest == digest, submission.c.deleted.is_(None)
            ),
            select(reply.c.digest).where(reply.c.digest == digest),
        )
        if all(connection.execute(each).first() is None for each in named):
            hub.files.locate(digest).unlink(missing_ok=True)


def refuse_upload(
    connection: Connection, hub: Hub, organization: Organization, identifier: str
) -> None:
    """Raise before a ciphertext is read, if the round takes none of this member now."""
    name = require_member(connection, organization, identifier)
    row = connection.execute(select(collaboration).where(collaboration.c.id == identifier)).one()
    round_ = read_round(connection, row)
    _refuse_unexpected(round_, name)
    _refuse_many(connection, hub, identifier, round_, name)


def _refuse_many(
    connection: Connection, hub: Hub, identifier: str, round_: Round, name: str
) -> None:
    """Refuse a member that has sent many files in this round: they are all kept to its end."""
    limits = hub.configuration.limits
    count, size = connection.execute(
        select(func.count(), func.coalesce(func.sum(submission.c.size), 0)).where(
            submission.c.collaboration == identifier, submission.c.name == name
        )
    ).one()
    if count >= limits.uploads_per_round + len(round_.terms.names):
        raise RefusedStatementError(f"you have sent {count} files in this round, which is the most")
    if size > MOST_TIMES * limits.upload_bytes:
        raise RefusedStatementError("you have sent as much as this hub takes of you in this round")


def _refuse_unexpected(round_: Round, name: str) -> None:
    takes = round_.state in (State.SUBMITTING, State.SEALED, State.ASKING) or (
        round_.state is State.DISPUTED and round_.terms.auditor is not None
    )
    if not takes or name not in round_.present:
        raise RefusedStatementError(f"the round is {round_.state}; it takes no sealed data of you")
