"""What the pages read: a collaboration as its reader may see it, and lists."""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, select

from aboveboard.evidence.round_states import State
from aboveboard.evidence.rounds import Round
from aboveboard.hub.collaborations import membership
from aboveboard.hub.collaborations.deadlines import STEPS as TIMED
from aboveboard.hub.collaborations.deadlines import find_deadline
from aboveboard.hub.collaborations.faults import name_fault
from aboveboard.hub.collaborations.logs import NoCollaborationError, read_round
from aboveboard.hub.collaborations.nodes import fold_frontier, split_frontier
from aboveboard.hub.collaborations.standing import StoredLog
from aboveboard.hub.database.tables import (
    collaboration,
    cosignature,
    key,
    log_entry,
    member,
    reply,
    transfer,
)
from aboveboard.hub.pages.sessions import Viewer

PER_PAGE = 25
"""Collaborations on a page."""

ENTRIES_PER_PAGE = 100
"""Entries of a log on a page."""

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
_TRANSFERS = (
    select(
        *(
            transfer.c[name]
            for name in (
                "id",
                "name",
                "cents",
                "currency",
                "state",
                "netted_into",
                "paid_on",
                "reference",
            )
        )
    )
    .where(transfer.c.series == bindparam("series"))
    .order_by(transfer.c.id)
)
_OWN_TRANSFERS = _TRANSFERS.where(transfer.c.name == bindparam("name"))
_ROW = select(collaboration).where(collaboration.c.id == bindparam("identifier"))
_KEYS = (
    select(key.c.signing, key.c.sealing, key.c.created, key.c.revoked)
    .where(key.c.organization == bindparam("owner"))
    .order_by(key.c.id)
)
_ALL = (
    select(*(collaboration.c[name] for name in ("id", "name", "state", "updated", "size")))
    .where(collaboration.c.id > bindparam("after"))
    .order_by(collaboration.c.id)
    .limit(PER_PAGE + 1)
)
"""Made once: pages ask them every time."""


@dataclass(frozen=True)
class Seen:
    """A collaboration as a reader of its pages sees it.

    Parameters
    ----------
    connection
        A transaction that reads.
    row
        Of the collaboration.
    member
        The reader's name in it; None: the operator.
    """

    connection: Connection
    row: Any
    member: str | None

    @cached_property
    def round(self) -> Round:
        """What its log tells; read where the row does not say it already."""
        return read_round(self.connection, self.row)

    @cached_property
    def root(self) -> bytes:
        """The root of its log."""
        return fold_frontier(split_frontier(self.row.frontier))

    @property
    def identity(self) -> Hashable:
        """What stands for all that its log tells, and for when the last of it came."""
        return self.row.id, self.root, self.row.updated

    @cached_property
    def turns(self) -> dict[str, str]:
        """What is awaited of whom."""
        found: dict[str, str] = json.loads(self.row.turns)
        return found

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
        usual = self.step == TIMED.get(State(self.row.state))
        return until if usual else find_deadline(self.round, self.step)

    @property
    def faults(self) -> dict[str, str]:
        """What is wrong, as far as the reader may know: all, or of its own part."""
        found: dict[str, str] = json.loads(self.row.faults)
        if self.member is None:
            return {key and name_fault(key): text for key, text in found.items()}
        own = membership.find_fault(self.row)
        return {} if own is None else {self.member if self.member in found else "": own}


def see(connection: Connection, viewer: Viewer, identifier: str) -> Seen:
    """Return a collaboration as its reader may see it.

    Raises
    ------
    NoCollaborationError
        If there is none, or the reader takes no part in it: both look the same.
    """
    if viewer.organization is None:
        row = connection.execute(_ROW, {"identifier": identifier}).first()
        if row is None:
            raise NoCollaborationError(identifier)
        return Seen(connection, row, None)
    row = membership.require_row(connection, viewer.organization, identifier)
    return Seen(connection, row, row.member)


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


def list_moments(seen: Seen) -> dict[tuple[str, str], int]:
    """Return when each statement that stands came, by its kind and signer."""
    find_place = StoredLog(seen.connection, seen.row.id).find_place
    return {key: find_place(said)[1] for key, said in seen.round.said.items()}


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


def list_transfers(connection: Connection, seen: Seen) -> list[Any]:
    """Return rows of transfers of all rounds of a series: the operator sees all, a member its own.

    They are in the order in which they came up.
    """
    asked = {"series": seen.row.series or seen.row.id}
    if seen.member is None:
        return list(connection.execute(_TRANSFERS, asked))
    return list(connection.execute(_OWN_TRANSFERS, asked | {"name": seen.member}))


def list_cosigned(connection: Connection, identifier: str) -> list[tuple[str, int, int]]:
    """Return by member the size of the log that it has cosigned last, and when."""
    rows = connection.execute(_COSIGNED, {"identifier": identifier})
    return [(name, size, created) for name, size, created in rows]


def list_keys(connection: Connection, viewer: Viewer) -> list[Any]:
    """Return the rows of the reader's own keys."""
    if viewer.organization is None:
        return []
    return list(connection.execute(_KEYS, {"owner": viewer.organization.id}))


def list_collaborations(connection: Connection, after: str) -> list[Any]:
    """Return rows of all collaborations in the order of their ids, from behind `after`."""
    return list(connection.execute(_ALL, {"after": after}))
