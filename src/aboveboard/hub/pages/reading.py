"""What the pages read: a collaboration as its reader may see it, lists, the operator's board."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Integer, and_, bindparam, func, or_, select

from aboveboard.evidence.round_turns import list_turns
from aboveboard.evidence.rounds import Round
from aboveboard.hub.collaborations import membership
from aboveboard.hub.collaborations.deadlines import STEPS as TIMED
from aboveboard.hub.collaborations.deadlines import find_deadline
from aboveboard.hub.collaborations.logs import NoCollaborationError, read_round
from aboveboard.hub.database.tables import (
    collaboration,
    cosignature,
    invitation,
    job,
    key,
    log_entry,
    member,
    notice,
    organization,
    reply,
    submission,
)
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.queue import count_jobs
from aboveboard.hub.pages.sessions import Viewer

PER_PAGE = 25
"""Collaborations on a page."""

ENTRIES_PER_PAGE = 100
"""Entries of a log on a page."""

OVER = ("settled", "cancelled", "archived", "declined", "failed")
"""States in which nobody is awaited any more."""


_MOMENTS = (
    select(log_entry.c.kind, log_entry.c.signer, func.max(log_entry.c.created))
    .where(log_entry.c.collaboration == bindparam("identifier"))
    .group_by(log_entry.c.kind, log_entry.c.signer)
)
_ENTRIES = (
    select(log_entry)
    .where(
        log_entry.c.collaboration == bindparam("identifier"),
        log_entry.c.index >= bindparam("start", type_=Integer),
    )
    .order_by(log_entry.c.index)
    .limit(bindparam("most", type_=Integer))
)
_COSIGNED = (
    select(cosignature.c.name, cosignature.c.size, cosignature.c.created)
    .where(cosignature.c.collaboration == bindparam("identifier"))
    .order_by(cosignature.c.name)
)
_ENTRY = select(log_entry).where(
    log_entry.c.collaboration == bindparam("identifier"),
    log_entry.c.index == bindparam("number", type_=Integer),
)
_REPLY = select(reply).where(
    reply.c.collaboration == bindparam("identifier"), reply.c.name == bindparam("name")
)
_SERIES = (
    select(collaboration.c.serial, collaboration.c.id)
    .where(collaboration.c.series == bindparam("series"), collaboration.c.id != bindparam("id"))
    .order_by(collaboration.c.serial)
    .limit(PER_PAGE)
)
_OWN_SERIES = _SERIES.join(member, member.c.collaboration == collaboration.c.id).where(
    member.c.organization == bindparam("owner")
)
"""Made once: pages ask them every time."""


@dataclass(frozen=True)
class Seen:
    """A collaboration as a reader of its pages sees it.

    Parameters
    ----------
    row
        Of the collaboration.
    round
        What its log tells.
    member
        The reader's name in it; None: the operator.
    """

    row: Any
    round: Round
    member: str | None

    @cached_property
    def turns(self) -> dict[str, str]:
        """What is awaited of whom."""
        return list_turns(self.round)

    @property
    def step(self) -> str | None:
        """What is awaited of the reader, or of somebody; None: nothing."""
        if self.member is not None and self.member in self.turns:
            return self.turns[self.member]
        return next(iter(self.turns.values()), None)

    @property
    def deadline(self) -> int | None:
        """Until when, in seconds since 1970."""
        if self.step is None:
            return None
        until: int | None = self.row.until
        usual = self.step == TIMED.get(self.round.state)
        return until if usual else find_deadline(self.round, self.step)

    @property
    def faults(self) -> dict[str, str]:
        """What is wrong, as far as the reader may know: all, or of its own part."""
        found: dict[str, str] = json.loads(self.row.faults)
        if self.member is None:
            return found
        return {who: what for who, what in found.items() if who in (self.member, "")}


def see(connection: Connection, viewer: Viewer, identifier: str) -> Seen:
    """Return a collaboration as its reader may see it.

    Raises
    ------
    NoCollaborationError
        If there is none, or the reader takes no part in it: both look the same.
    """
    if viewer.organization is None:
        row = connection.execute(
            select(collaboration).where(collaboration.c.id == identifier)
        ).first()
        if row is None:
            raise NoCollaborationError(identifier)
        return Seen(row, read_round(connection, row), None)
    row = membership.require_row(connection, viewer.organization, identifier)
    return Seen(row, read_round(connection, row), row.member)


def list_series(connection: Connection, viewer: Viewer, row: Any) -> list[tuple[int, str]]:
    """Return number and id of the other rounds of a series that the reader takes part in."""
    if not row.series:
        return []
    asked = {"series": row.series, "id": row.id}
    if viewer.organization is None:
        rows = connection.execute(_SERIES, asked)
    else:
        rows = connection.execute(_OWN_SERIES, asked | {"owner": viewer.organization.id})
    return [(serial, identifier) for serial, identifier in rows]


def list_moments(connection: Connection, identifier: str) -> dict[tuple[str, str], int]:
    """Return when each statement came, by its kind and signer; of several the last."""
    rows = connection.execute(_MOMENTS, {"identifier": identifier})
    return {(kind, signer): created for kind, signer, created in rows}


def list_entries(connection: Connection, identifier: str, start: int) -> list[Any]:
    """Return rows of a page of a log, in order."""
    asked = {"identifier": identifier, "start": start, "most": ENTRIES_PER_PAGE}
    return list(connection.execute(_ENTRIES, asked))


def find_entry(connection: Connection, identifier: str, index: int) -> Any:
    """Return the row of an entry.

    Raises
    ------
    NoCollaborationError
        If the log has no such entry.
    """
    row = connection.execute(_ENTRY, {"identifier": identifier, "number": index}).first()
    if row is None:
        raise NoCollaborationError(identifier)
    return row


def find_reply(connection: Connection, identifier: str, name: str) -> Any:
    """Return the row of a member's own reply; None before there is one."""
    return connection.execute(_REPLY, {"identifier": identifier, "name": name}).first()


def list_cosigned(connection: Connection, identifier: str) -> list[tuple[str, int, int]]:
    """Return by member the size of the log that it has cosigned last, and when."""
    rows = connection.execute(_COSIGNED, {"identifier": identifier})
    return [(name, size, created) for name, size, created in rows]


def list_keys(connection: Connection, viewer: Viewer) -> list[Any]:
    """Return the rows of the reader's own keys."""
    if viewer.organization is None:
        return []
    return list(
        connection.execute(
            select(key).where(key.c.organization == viewer.organization.id).order_by(key.c.id)
        )
    )


@dataclass(frozen=True)
class Board:
    """What the operator's first page shows.

    Parameters
    ----------
    states, jobs
        Counts by state.
    late
        Of each collaboration that waits: its row, its step, the deadline in seconds since 1970 or
        None, and who is awaited; the most urgent first.
    failures
        Jobs that failed or were refused, the last first.
    unsent
        Notices that could not be sent so far, the last first.
    faults
        Rows of collaborations in which something is wrong.
    organizations
        Names, when they joined, and of how many collaborations each is a member.
    invitations
        Those that wait to be accepted.
    waiting_uploads
        Bytes of sealed data that the hub keeps.
    free, total
        Bytes of the disk.
    """

    states: Mapping[str, int]
    jobs: Mapping[str, int]
    late: list[tuple[Any, str, int | None, tuple[str, ...]]]
    failures: list[Any]
    unsent: list[Any]
    faults: list[Any]
    organizations: list[Any]
    invitations: list[Any]
    waiting_uploads: int
    free: int
    total: int


def read_board(connection: Connection, hub: Hub) -> Board:
    """Return what the operator's first page shows; it reads open collaborations alone."""
    states = connection.execute(
        select(collaboration.c.state, func.count())
        .group_by(collaboration.c.state)
        .order_by(collaboration.c.state)
    ).all()
    waiting = connection.execute(
        select(collaboration)
        .where(collaboration.c.turns != "{}", collaboration.c.state.not_in(OVER))
        .order_by(collaboration.c.until.is_(None), collaboration.c.until, collaboration.c.updated)
        .limit(PER_PAGE)
    ).all()
    usage = shutil.disk_usage(hub.folder)
    size = connection.execute(select(func.coalesce(func.sum(submission.c.size), 0))).scalar_one()
    return Board(
        states=dict(states),
        jobs=count_jobs(connection),
        late=[_tell_late(row) for row in waiting],
        failures=_list_failures(connection),
        unsent=_list_unsent(connection),
        faults=list(
            connection.execute(
                select(collaboration)
                .where(collaboration.c.faults != "{}", collaboration.c.state.not_in(OVER))
                .limit(PER_PAGE)
            )
        ),
        organizations=_list_organizations(connection),
        invitations=list(
            connection.execute(
                select(invitation)
                .where(invitation.c.used.is_(None), invitation.c.expires >= hub.now)
                .order_by(invitation.c.expires)
                .limit(PER_PAGE)
            )
        ),
        waiting_uploads=int(size),
        free=usage.free,
        total=usage.total,
    )


def _tell_late(row: Any) -> tuple[Any, str, int | None, tuple[str, ...]]:
    """Return who is awaited in a collaboration, with what and until when: its row repeats it."""
    turns: dict[str, str] = json.loads(row.turns)
    step = next(iter(turns.values()))
    awaited = tuple(sorted(name for name, kind in turns.items() if kind == step))
    return row, step, row.until, awaited


def _list_unsent(connection: Connection) -> list[Any]:
    """Return rows of notices that could not be sent so far."""
    return list(
        connection.execute(
            select(notice)
            .where(notice.c.sent.is_(None), notice.c.problem != "")
            .order_by(notice.c.id.desc())
            .limit(PER_PAGE)
        )
    )


def _list_failures(connection: Connection) -> list[Any]:
    return list(
        connection.execute(
            select(job)
            .where(or_(job.c.state == "failed", and_(job.c.state != "done", job.c.problem != "")))
            .order_by(job.c.id.desc())
            .limit(PER_PAGE)
        )
    )


def _list_organizations(connection: Connection) -> list[Any]:
    count = func.count(member.c.collaboration).label("rounds")
    return list(
        connection.execute(
            select(organization.c.name, organization.c.created, count)
            .outerjoin(member, member.c.organization == organization.c.id)
            .group_by(organization.c.id, organization.c.name, organization.c.created)
            .order_by(organization.c.name)
            .limit(4 * PER_PAGE)
        )
    )


def list_collaborations(connection: Connection, after: str) -> list[Any]:
    """Return rows of all collaborations in the order of their ids, from behind `after`."""
    return list(
        connection.execute(
            select(collaboration)
            .where(collaboration.c.id > after)
            .order_by(collaboration.c.id)
            .limit(PER_PAGE + 1)
        )
    )
