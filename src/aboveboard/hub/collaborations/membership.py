"""What a member may see: its own collaborations, their logs, its own ciphertext and reply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, select, update

from aboveboard.evidence.round_states import State
from aboveboard.evidence.terms import CENTER
from aboveboard.hub.collaborations.deadlines import format_moment
from aboveboard.hub.collaborations.faults import find_own_fault
from aboveboard.hub.collaborations.logs import NoCollaborationError
from aboveboard.hub.database.tables import collaboration, member, reply, submission
from aboveboard.hub.organizations.registry import Organization

SEALED = State.SEALED.value


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
    serial, series, previous
        Which round it is, of which series, and the id of the one before; None: it is the first.
    reply
        The hash of the member's sealed result; None: there is none, or this is one of a list.
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
    serial: int = 1
    series: str = ""
    previous: str | None = None
    reply: str | None = None


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


_OWN = (
    select(collaboration, member.c.name.label("member"))
    .join(member, member.c.collaboration == collaboration.c.id)
    .where(member.c.organization == bindparam("owner"))
)
_LIST_OWN = (
    _OWN.with_only_columns(
        *(
            collaboration.c[name]
            for name in (
                "id",
                "name",
                "terms",
                "state",
                "size",
                "faults",
                "turns",
                "until",
                "series",
                "serial",
                "previous",
            )
        ),
        member.c.name.label("member"),
    )
    .where(member.c.collaboration > bindparam("after"))
    .order_by(member.c.collaboration)
    .limit(bindparam("most", type_=Integer))
)
_FIND_OWN = _OWN.where(collaboration.c.id == bindparam("identifier"))
"""Made once: a page asks them every time."""


def list_own(
    connection: Connection, organization: Organization, after: str, limit: int
) -> list[Overview]:
    """Return an organisation's collaborations, in the order of their ids, from behind `after`."""
    return [look(row) for row in list_own_rows(connection, organization, after, limit)]


def list_own_rows(
    connection: Connection, organization: Organization, after: str, limit: int
) -> list[Any]:
    """Return the rows of an organisation's collaborations, from behind `after`, as `look` reads."""
    asked = {"owner": organization.id, "after": after, "most": limit}
    return list(connection.execute(_LIST_OWN, asked))


def find_own(connection: Connection, organization: Organization, identifier: str) -> Overview:
    """Return one of an organisation's collaborations.

    Raises
    ------
    NoCollaborationError
        If it takes part in no such one.
    """
    row = require_row(connection, organization, identifier)
    return replace(look(row), reply=find_own_reply(connection, organization, identifier))


def require_row(connection: Connection, organization: Organization, identifier: str) -> Any:
    """Return the row of one of an organisation's collaborations.

    Raises
    ------
    NoCollaborationError
        If it takes part in no such one.
    """
    asked = {"owner": organization.id, "identifier": identifier}
    row = connection.execute(_FIND_OWN, asked).first()
    if row is None:
        raise NoCollaborationError(identifier)
    return row


@lru_cache(maxsize=256)
def _read_by_name(text: str) -> Mapping[str, str]:
    """Return what a column says by name; kept, since many rounds stand alike."""
    found: dict[str, str] = json.loads(text)
    return MappingProxyType(found)


@lru_cache(maxsize=256)
def _list_awaited(text: str) -> tuple[str, ...]:
    return tuple(sorted(name for name in _read_by_name(text) if name != CENTER))


def find_next(row: Any) -> str | None:
    """Return what the member of a row is to say next; None: nothing."""
    if row.state == SEALED and row.member in _read_by_name(row.faults):
        return "submit"
    return _read_by_name(row.turns).get(row.member)


def list_awaited(row: Any) -> tuple[str, ...]:
    """Return all whose turn it is in the round of a row, but the center."""
    return _list_awaited(row.turns)


def find_fault(row: Any) -> str | None:
    """Return what the member of a row may know of what is wrong; None: nothing is known."""
    return find_own_fault(_read_by_name(row.faults), row.member)


def look(row: Any) -> Overview:
    """Return a collaboration as the member of a row of `require_row` sees it.

    Its row repeats what the log says, so that the log need not be read.
    """
    return Overview(
        row.id,
        row.name,
        row.terms,
        row.state,
        row.size,
        row.member,
        find_next(row),
        list_awaited(row),
        format_moment(row.until),
        find_fault(row),
        row.serial,
        row.series,
        row.previous,
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
