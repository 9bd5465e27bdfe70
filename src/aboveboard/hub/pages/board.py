"""What the operator's board reads: who is late, what failed, jobs, disk, who has joined.

The page is asked again and again, and of a hub with many collaborations: what is only counted is
counted by one statement, and lists of what seldom happens are read where that finds something.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)

from aboveboard.hub.database.tables import (
    OVER,
    collaboration,
    invitation,
    job,
    member,
    notice,
    organization,
    submission,
)
from aboveboard.hub.home import Hub
from aboveboard.hub.pages.reading import PER_PAGE


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
        Names, when they joined, and of how many collaborations each is a member, up to
        `MOST_COUNTED`.
    invitations
        Those that wait to be accepted.
    kept
        Bytes of sealed data that the hub keeps.
    free
        Bytes of the disk.
    """

    states: Mapping[str, int]
    jobs: Mapping[str, int]
    late: list[tuple[Any, str, int | None, tuple[str, ...]]]
    failures: Sequence[Any]
    unsent: Sequence[Any]
    faults: Sequence[Any]
    organizations: tuple[tuple[str, int, int], ...]
    invitations: Sequence[Any]
    kept: int
    free: int


MOST_COUNTED = 100
"""Collaborations of an organisation that are counted: more are said to be more."""

_NOTHING: ColumnElement[str] = literal_column("'{}'")
"""Written as in the condition of an index, for which a parameter would not do; so is `_OPEN`."""
_OPEN = collaboration.c.state.not_in([literal_column(f"'{state}'") for state in OVER])
_FAILED = and_(
    job.c.state.in_(("failed", "queued", "running")),
    or_(job.c.state == "failed", job.c.problem != ""),
)
_UNSENT = and_(notice.c.sent.is_(None), notice.c.problem != literal_column("''"))
_FAULTY = and_(
    collaboration.c.faults != _NOTHING, *(collaboration.c.state != state for state in OVER)
)
"""By parameters, so that SQLite takes the index of the few with faults, not that of all open."""
_INVITED = and_(invitation.c.used.is_(None), invitation.c.expires >= bindparam("now"))

_LISTS = {
    "failures": select(
        *(job.c[name] for name in ("id", "collaboration", "state", "attempts", "problem"))
    )
    .where(_FAILED)
    .order_by(job.c.id.desc())
    .limit(PER_PAGE),
    "unsent": select(notice.c.recipient, notice.c.attempts, notice.c.problem)
    .where(_UNSENT)
    .order_by(notice.c.id.desc())
    .limit(PER_PAGE),
    "faults": select(collaboration.c.id, collaboration.c.name, collaboration.c.faults)
    .where(_FAULTY)
    .order_by(collaboration.c.id)
    .limit(PER_PAGE),
    "invitations": select(invitation.c.name, invitation.c.expires)
    .where(_INVITED)
    .order_by(invitation.c.expires)
    .limit(PER_PAGE),
}
"""What there is little of, or nothing: read where `_COUNTS` finds some."""


def _find_any(name: str) -> Select[Any]:
    """Return a row of `_COUNTS` that says whether a list has entries."""
    some = _LISTS[name].order_by(None).limit(None).exists()
    return select(literal(name), literal(""), case((some, _one(1)), else_=_one(0)))


def _one(number: int) -> ColumnElement[int]:
    return cast(literal(number), BigInteger)


_COUNTS: CompoundSelect[Any] = union_all(
    select(literal("states"), collaboration.c.state, cast(func.count(), BigInteger)).group_by(
        collaboration.c.state
    ),
    select(literal("jobs"), job.c.state, cast(func.count(), BigInteger)).group_by(job.c.state),
    select(
        literal("kept"),
        literal(""),
        cast(func.coalesce(func.sum(submission.c.size), 0), BigInteger),
    ).where(submission.c.deleted.is_(None)),
    *(_find_any(name) for name in _LISTS),
)
_WAITING = (
    select(*(collaboration.c[name] for name in ("id", "name", "turns", "until", "updated")))
    .where(collaboration.c.turns != _NOTHING, _OPEN)
    .order_by(collaboration.c.until, collaboration.c.created)
    .limit(PER_PAGE)
)
_LATE = union_all(
    *(
        select(_WAITING.where(condition).subquery())
        for condition in (collaboration.c.until.is_not(None), collaboration.c.until.is_(None))
    )
)
"""Those with a deadline, then those without: an index has both in their order."""
_JOINED = select(
    organization.c.name,
    organization.c.created,
    select(func.count())
    .select_from(
        select(member.c.collaboration)
        .where(member.c.organization == organization.c.id)
        .limit(MOST_COUNTED)
        .correlate(organization)
        .subquery()
    )
    .scalar_subquery()
    .label("collaborations"),
)
_ORGANIZATIONS = _JOINED.order_by(organization.c.name).limit(4 * PER_PAGE)


def read_board(connection: Connection, hub: Hub) -> Board:
    """Return what the operator's first page shows."""
    asked = {"now": hub.now}
    counts: dict[str, dict[str, int]] = {}
    for what, state, number in connection.execute(_COUNTS, asked):
        counts.setdefault(what, {})[state] = number
    lists = {
        name: connection.execute(statement, asked).all() if counts[name][""] else ()
        for name, statement in _LISTS.items()
    }
    return Board(
        states=dict(sorted(counts.get("states", {}).items())),
        jobs=counts.get("jobs", {}),
        late=[_tell_late(row) for row in connection.execute(_LATE).fetchmany(PER_PAGE)],
        organizations=tuple(map(tuple, connection.execute(_ORGANIZATIONS))),
        kept=counts["kept"][""],
        free=shutil.disk_usage(hub.folder).free,
        **lists,
    )


def _tell_late(row: Any) -> tuple[Any, str, int | None, tuple[str, ...]]:
    """Return who is awaited in a collaboration, with what and until when: its row repeats it."""
    step, awaited = _read_turns(row.turns)
    return row, step, row.until, awaited


@lru_cache(maxsize=256)
def _read_turns(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the first step that a column `turns` names, and who is awaited with it."""
    turns: dict[str, str] = json.loads(text)
    step = next(iter(turns.values()))
    return step, tuple(sorted(name for name, kind in turns.items() if kind == step))
