"""What a member may see: its own collaborations, their logs, its own ciphertext and reply."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select, update

from aboveboard.evidence.rounds import Round, State
from aboveboard.hub.collaborations.logs import NoCollaborationError, read_round
from aboveboard.hub.collaborations.notices import STEPS
from aboveboard.hub.database.tables import collaboration, member, reply, submission
from aboveboard.hub.organizations.registry import Organization


@dataclass(frozen=True)
class Overview:
    """A collaboration as one member sees it.

    Parameters
    ----------
    id, name, terms, state, size
        Of the collaboration; `size` is of its log.
    member
        The name of the one who looks.
    next
        What it is to say next; None: nothing.
    awaited
        All members whose turn it is.
    deadline
        Of this step, as the terms state it; None: there is none.
    fault
        What is wrong with its submission; None: nothing is known.
    """

    id: str
    name: str
    terms: str
    state: str
    size: int
    member: str
    next: str | None
    awaited: tuple[str, ...]
    deadline: str | None
    fault: str | None


def require_member(connection: Connection, organization: Organization, identifier: str) -> str:
    """Return an organisation's name in a collaboration.

    Raises
    ------
    NoCollaborationError
        If it takes no part in it: the same as if there were none, so that nobody learns of others'.
    """
    name: str | None = connection.execute(
        select(member.c.name).where(
            member.c.collaboration == identifier, member.c.organization == organization.id
        )
    ).scalar()
    if name is None:
        raise NoCollaborationError(identifier)
    return name


def _select_own(organization: Organization) -> Select[Any]:
    return (
        select(collaboration, member.c.name.label("member"))
        .join(member, member.c.collaboration == collaboration.c.id)
        .where(member.c.organization == organization.id)
    )


def list_own(
    connection: Connection, organization: Organization, after: str, limit: int
) -> list[Overview]:
    """Return an organisation's collaborations, in the order of their ids, from behind `after`."""
    rows = connection.execute(
        _select_own(organization)
        .where(collaboration.c.id > after)
        .order_by(collaboration.c.id)
        .limit(limit)
    ).all()
    return [_look(row, read_round(connection, row)) for row in rows]


def find_own(connection: Connection, organization: Organization, identifier: str) -> Overview:
    """Return one of an organisation's collaborations.

    Raises
    ------
    NoCollaborationError
        If it takes part in no such one.
    """
    row = require_row(connection, organization, identifier)
    return _look(row, read_round(connection, row))


def require_row(connection: Connection, organization: Organization, identifier: str) -> Any:
    """Return the row of one of an organisation's collaborations.

    Raises
    ------
    NoCollaborationError
        If it takes part in no such one.
    """
    row = connection.execute(
        _select_own(organization).where(collaboration.c.id == identifier)
    ).first()
    if row is None:
        raise NoCollaborationError(identifier)
    return row


def _look(row: Any, round_: Round) -> Overview:
    step = STEPS.get(round_.state)
    awaited = () if step is None else round_.list_awaited(step)
    faults = json.loads(row.faults)
    mine = step if row.member in awaited else None
    if round_.state is State.SEALED and row.member in faults:
        mine = "submit"
    deadlines = round_.terms.deadlines.model_dump()
    return Overview(
        row.id,
        row.name,
        row.terms,
        round_.state.value,
        row.size,
        row.member,
        mine,
        awaited,
        deadlines.get(step) if step else None,
        faults.get(row.member) or faults.get(""),
    )


def find_own_submission(
    connection: Connection, organization: Organization, identifier: str, digest: str
) -> str:
    """Return the hash of a ciphertext that this organisation itself has sent.

    Raises
    ------
    NoCollaborationError
        If it has sent none such.
    """
    name = require_member(connection, organization, identifier)
    found: str | None = connection.execute(
        select(submission.c.digest).where(
            submission.c.collaboration == identifier,
            submission.c.name == name,
            submission.c.digest == digest,
        )
    ).scalar()
    if found is None:
        raise NoCollaborationError(identifier)
    return found


def find_own_reply(
    connection: Connection, organization: Organization, identifier: str
) -> str | None:
    """Return the hash of an organisation's own sealed result; None before there is one."""
    name = require_member(connection, organization, identifier)
    found: str | None = connection.execute(
        select(reply.c.digest).where(reply.c.collaboration == identifier, reply.c.name == name)
    ).scalar()
    return found


def note_fetched(connection: Connection, identifier: str, digest: str, now: int) -> None:
    """Record when a result was fetched first."""
    connection.execute(
        update(reply)
        .where(
            reply.c.collaboration == identifier, reply.c.digest == digest, reply.c.fetched.is_(None)
        )
        .values(fetched=now)
    )
