"""The end of what members have sent: deleted after the time of the terms; the log keeps hashes.

The statement that names what is deleted is written first, in one transaction with the rows; then
the files go, and with them those of the center and the keyed hashes of lists. A worker that is
killed in between leaves files that the next one removes. Results stay: they are the members' own.
Backups are the operator's to delete.
"""

from __future__ import annotations

import logging
import shutil
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import OperationalError

from aboveboard.evidence.round_states import ENDED, State
from aboveboard.hub.collaborations.deadlines import DAY
from aboveboard.hub.collaborations.logs import lock, read_round
from aboveboard.hub.collaborations.opening import locate_center_files
from aboveboard.hub.collaborations.steps import make_own, take_own
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import collaboration, reply, submission
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.failures import ARCHIVE, STEP, note_failure
from aboveboard.hub.jobs.queue import forget_failures
from aboveboard.hub.series.elements import remove_elements

logger = logging.getLogger(__name__)

AGAIN = 7 * DAY
"""Seconds for which files that were deleted are looked for again."""

AT_ONCE = 500
"""Files that are looked at in one transaction."""

STATES = tuple(state.value for state in ENDED)


def archive_ended(hub: Hub) -> int:
    """Archive every round whose terms let its inputs go; return how many.

    Files that a killed worker has left are removed, too.
    """
    _remove_files(hub)
    with read(hub.engine) as connection:
        rows = connection.execute(
            select(collaboration.c.id).where(
                collaboration.c.ended.is_not(None),
                collaboration.c.keep_days.is_not(None),
                collaboration.c.ended + collaboration.c.keep_days * DAY < hub.now,
                collaboration.c.state.in_(STATES),
            )
        ).scalars()
        waiting = list(rows)
    done = sum(_try_to_archive(hub, identifier) for identifier in waiting)
    if done:
        _remove_files(hub)
    return done


def _try_to_archive(hub: Hub, identifier: str) -> bool:
    """Archive a round; one that cannot be, such as a damaged one, does not stop the others."""
    try:
        return _archive(hub, identifier)
    except OperationalError:
        raise
    except Exception as error:
        note_failure(hub, identifier, ARCHIVE, error)
        return False


def _archive(hub: Hub, identifier: str) -> bool:
    with write(hub.engine) as connection:
        row = lock(connection, identifier)
        if row.state not in STATES or row.ended is None or not _is_over(row, hub.now):
            return False
        before = read_round(connection, row)
        deleted = _list_kept(connection, identifier)
        connection.execute(
            update(submission)
            .where(submission.c.collaboration == identifier, submission.c.deleted.is_(None))
            .values(deleted=hub.now)
        )
        statement = make_own(hub, before, "archive", {"deleted": deleted})
        take_own(connection, hub, row, before, statement)
        for kind in (ARCHIVE, STEP):
            forget_failures(connection, kind, identifier)
    return True


def _is_over(row: Any, now: int) -> bool:
    return bool(row.keep_days is not None and row.ended + row.keep_days * DAY < now)


def _list_kept(connection: Connection, identifier: str) -> list[str]:
    rows = connection.execute(
        select(submission.c.digest)
        .where(submission.c.collaboration == identifier, submission.c.deleted.is_(None))
        .distinct()
        .order_by(submission.c.digest)
    )
    return list(rows.scalars())


def remove_unnamed_files(hub: Hub) -> int:
    """Remove files that no row names, and that are older than a day; return how many.

    A server that was killed leaves a submission that it has not recorded, a worker a result that it
    has sealed in vain. Nobody would delete them after the time of the terms.
    """
    removed = 0
    digests = hub.files.list_digests()
    while some := list(islice(digests, AT_ONCE)):
        old = [each for each in some if _is_old(hub, each)]
        if not old:
            continue
        with write(hub.engine) as connection:
            for digest in set(old) - _list_named(connection, old):
                if _is_old(hub, digest):  # nobody has sent it once more meanwhile
                    hub.files.locate(digest).unlink(missing_ok=True)
                    removed += 1
    return removed


def _is_old(hub: Hub, digest: str) -> bool:
    try:
        return hub.files.locate(digest).stat().st_mtime < hub.clock() - DAY
    except (OSError, ValueError):  # it is gone, or has another name than a file of ours
        return False


def _list_named(connection: Connection, digests: list[str]) -> set[str]:
    """Return which of some files are needed."""
    found: set[str] = set()
    for query in (
        select(submission.c.digest).where(
            submission.c.digest.in_(digests), submission.c.deleted.is_(None)
        ),
        select(reply.c.digest).where(reply.c.digest.in_(digests)),
    ):
        found |= set(connection.execute(query).scalars())
    return found


@lru_cache(maxsize=1000)
def _warn(text: str) -> None:
    """Log a warning once."""
    logger.warning("%s", text)


def _remove_files(hub: Hub) -> None:
    """Remove files that rows call deleted, unless another row still needs them."""
    kept = select(submission.c.digest).where(submission.c.deleted.is_(None))
    with read(hub.engine) as connection:
        rows = connection.execute(
            select(submission.c.digest).where(
                submission.c.deleted > hub.now - AGAIN, submission.c.digest.not_in(kept)
            )
        ).scalars()
        gone = list(rows)
        archived = connection.execute(
            select(collaboration.c.id, collaboration.c.series).where(
                collaboration.c.state == State.ARCHIVED.value,
                collaboration.c.updated > hub.now - AGAIN,
            )
        ).all()
    for digest in gone:
        try:
            hub.files.locate(digest).unlink(missing_ok=True)
        except OSError as error:
            _warn(f"a file that is to be deleted stays: {error}")
    for row in archived:
        shutil.rmtree(locate_center_files(hub, row.id), ignore_errors=True)
        remove_elements(hub, row.series, row.id)
    hub.files.remove_stale(hub.clock() - DAY)
