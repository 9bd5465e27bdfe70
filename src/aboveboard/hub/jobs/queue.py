"""The table of jobs. A worker leases a job; each lease has a higher number, its fence.

Whoever finishes a job shows the fence in the transaction that holds the job's result: a worker
whose lease ran out, and whose job another one has taken, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from aboveboard.errors import escape_unprintable
from aboveboard.evidence.round_states import State
from aboveboard.evidence.rounds import Round
from aboveboard.hub.database.tables import job

SETTLE = "settle"
RESEAL = "reseal"


class LostLeaseError(Exception):
    """Raised when another worker has taken a job, or it is done."""


@dataclass(frozen=True)
class Lease:
    """A job that one worker has for a while.

    Parameters
    ----------
    job
        Its id.
    kind
        What is to be done.
    collaboration
        For which one.
    fence
        The number of this lease.
    attempts
        How often it was begun, this time included.
    key
        What makes it one job: kind, collaboration, length of the log, and a member's name.
    """

    job: int
    kind: str
    collaboration: str
    fence: int
    attempts: int
    key: str = ""


def enqueue_settlement(connection: Connection, identifier: str, round_: Round, now: int) -> None:
    """Let a sealed round be settled; once for each set of submissions and answers."""
    if round_.state is not State.SEALED or (
        round_.terms.counts == "members" and round_.list_awaited("counted")
    ):
        return
    _enqueue(connection, SETTLE, identifier, f"{SETTLE}:{identifier}:{len(round_.leaves)}", now)


def enqueue_resealing(
    connection: Connection, identifier: str, name: str, round_: Round, now: int
) -> None:
    """Let a member's result be sealed to its new keys."""
    key = f"{RESEAL}:{identifier}:{len(round_.leaves)}:{name}"[:120]
    _enqueue(connection, RESEAL, identifier, key, now)


def find_resealed(lease: Lease) -> str:
    """Return the member whose result is to be sealed to its new keys."""
    return lease.key.split(":", 3)[3]


def record_failure(
    connection: Connection, kind: str, identifier: str, size: int, problem: str, now: int
) -> bool:
    """Record that something which is no job failed, as a job that failed; return whether it is new.

    It is recorded once for each length of the log.
    """
    key = f"{kind}:{identifier}:{size}"
    return _enqueue(connection, kind, identifier, key, now, state="failed", problem=problem)


def forget_failures(connection: Connection, kind: str, identifier: str) -> None:
    """Note that what failed has been done since, so that the board does not show it any more."""
    connection.execute(
        update(job)
        .where(job.c.kind == kind, job.c.collaboration == identifier, job.c.state == "failed")
        .values(state="done")
    )


def _enqueue(
    connection: Connection,
    kind: str,
    identifier: str,
    key: str,
    now: int,
    *,
    state: str = "queued",
    problem: str = "",
) -> bool:
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    made = connection.execute(
        insert(job)
        .values(
            kind=kind,
            collaboration=identifier,
            key=key,
            state=state,
            problem=_tidy(problem),
            created=now,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(job.c.id)  # PostgreSQL's driver does not count what was inserted
    )
    return made.first() is not None


def claim(connection: Connection, worker: str, now: int, seconds: int) -> Lease | None:
    """Return the oldest job that nobody has; None: there is nothing to do."""
    row = connection.execute(
        select(job)
        .where(
            or_(
                job.c.state == "queued",
                and_(job.c.state == "running", job.c.lease < now),
            )
        )
        .order_by(job.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    connection.execute(
        update(job)
        .where(job.c.id == row.id)
        .values(
            state="running",
            fence=row.fence + 1,
            attempts=row.attempts + 1,
            lease=now + seconds,
            worker=worker,
        )
    )
    return Lease(row.id, row.kind, row.collaboration, row.fence + 1, row.attempts + 1, row.key)


def is_overtaken(connection: Connection, lease: Lease) -> bool:
    """Return whether a settlement is to be done once more anyway, of a log that is longer.

    A member that submits again and again would keep the worker from all others' jobs.
    """
    later = select(job.c.id).where(
        job.c.collaboration == lease.collaboration,
        job.c.kind == lease.kind,
        job.c.state == "queued",
        job.c.id > lease.job,
    )
    return connection.execute(later.limit(1)).first() is not None


def renew(connection: Connection, lease: Lease, now: int, seconds: int) -> None:
    """Keep a job for longer.

    Raises
    ------
    LostLeaseError
        If it is not this worker's any more.
    """
    _change(connection, lease, lease_until=now + seconds)


def finish(
    connection: Connection, lease: Lease, *, problem: str = "", failed: bool = False
) -> None:
    """End a job, in the transaction that writes its result.

    Raises
    ------
    LostLeaseError
        If it is not this worker's any more: the transaction must be undone.
    """
    _change(connection, lease, state="failed" if failed else "done", problem=problem)


def release(connection: Connection, lease: Lease, problem: str) -> None:
    """Return a job to the queue after an error, to be tried again."""
    _change(connection, lease, state="queued", problem=problem)


def _change(
    connection: Connection,
    lease: Lease,
    *,
    lease_until: int | None = None,
    state: str | None = None,
    problem: str | None = None,
) -> None:
    values = {"lease": lease_until, "state": state, "problem": problem and _tidy(problem)}
    changed = connection.execute(
        update(job)
        .where(job.c.id == lease.job, job.c.fence == lease.fence, job.c.state == "running")
        .values({name: value for name, value in values.items() if value is not None})
    )
    if changed.rowcount != 1:
        raise LostLeaseError(str(lease.job))


def _tidy(problem: str) -> str:
    """Return a problem that every database, backup and terminal takes; it may quote members."""
    return "\n".join(escape_unprintable(line) for line in problem.split("\n"))


def count_jobs(connection: Connection) -> dict[str, int]:
    """Return how many jobs there are in each state."""
    from sqlalchemy import func

    rows = connection.execute(select(job.c.state, func.count()).group_by(job.c.state)).all()
    return {str(state): int(number) for state, number in rows}
