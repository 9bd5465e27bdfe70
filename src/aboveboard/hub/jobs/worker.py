"""The worker: takes jobs one after the other, and ends steps whose deadline has passed."""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from aboveboard.errors import InputError
from aboveboard.evidence.round_states import RefusedStatementError
from aboveboard.hub.collaborations.deadlines import DAY, STEPS
from aboveboard.hub.collaborations.faults import FAILED
from aboveboard.hub.collaborations.logs import lock, read_round
from aboveboard.hub.collaborations.notices import OPERATOR, write_notice
from aboveboard.hub.collaborations.steps import make_own, take
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import collaboration, job
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.archiving import archive_ended, remove_unnamed_files
from aboveboard.hub.jobs.failures import STEP, note_failure
from aboveboard.hub.jobs.isolation import remove_folder
from aboveboard.hub.jobs.queue import (
    RESEAL,
    Lease,
    LostLeaseError,
    claim,
    find_resealed,
    finish,
    forget_failures,
    is_overtaken,
    release,
)
from aboveboard.hub.jobs.settling import Tamper, keep_faults, reseal, settle
from aboveboard.hub.jobs.spawning import ChildError
from aboveboard.hub.notices.sending import remind, send_notices

logger = logging.getLogger(__name__)

HOUSE = 5
"""Seconds between two looks at notices and archives."""

PAUSE = 0.5
"""Seconds between two looks at an empty table."""

UNREADABLE = (
    "the center's process ended while it read what you sent, such as for want of memory or time; "
    "send the same in a plainer form, or ask the operator: others' parts take some of it, too"
)
"""What a member is told whose part was read as the last child ended."""

UNSEALED = "your result could not be sealed to your new keys; the operator sees why"
"""What a member is told whose result stays sealed to its old keys."""

OPEN = ("offered", "committing", "submitting", "asking", "result")
"""States in which somebody may be late."""


def _attempt(task: Callable[[], Any]) -> Any:
    """Return what a task returns; None where it fails: the next one is done all the same."""
    try:
        return task()
    except OperationalError as error:
        logger.warning("the database does not answer: %s", error.orig)
    except Exception:
        logger.exception("a task of the worker failed")
    return None


def _note_faults(connection: Connection, lease: Lease, row: Any, member: str, now: int) -> None:
    """Note for the members of a round what was given up; `member`: whose part was read then."""
    if lease.kind == RESEAL:
        faults = json.loads(row.faults) | {find_resealed(lease): UNSEALED}
    elif is_overtaken(connection, lease):
        return
    else:
        faults = {"": FAILED}
        if member:
            faults[member] = UNREADABLE
            write_notice(connection, row.id, member, "submit", now)
    keep_faults(connection, row.id, faults)


class Worker:
    """Takes jobs of one hub.

    Parameters
    ----------
    hub
        The hub.
    tamper
        See `aboveboard.hub.jobs.settling.Tamper`; a hub that is none of our demonstration has none.
    """

    def __init__(self, hub: Hub, *, tamper: Tamper | None = None) -> None:
        self.hub = hub
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._tamper = tamper
        self._next = self._sweep = 0.0
        self._left: set[Path] = set()

    def run(self, stop: threading.Event) -> None:
        """Work until the event is set, whatever goes wrong with one thing."""
        while not stop.is_set():
            _attempt(self.end_steps)
            _attempt(self.keep_house)
            if not _attempt(self.work):
                stop.wait(PAUSE)

    def run_once(self) -> None:
        """Do all that waits: end steps, do every job, send notices, and archive what is over."""
        self.end_steps()
        while self.work():
            pass
        self.keep_house()

    def keep_house(self) -> None:
        """Send notices and reminders, and archive what is over; at most every few seconds."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + HOUSE
        for task in (archive_ended, remind, send_notices):
            _attempt(partial(task, self.hub))
        if time.monotonic() >= self._sweep:
            self._sweep = time.monotonic() + DAY
            _attempt(partial(remove_unnamed_files, self.hub))

    def work(self) -> bool:
        """Do one job; return whether there was one."""
        limits = self.hub.configuration.worker
        with write(self.hub.engine) as connection:
            lease = claim(connection, self.name, self.hub.now, limits.lease_seconds)
        if lease is None:
            self._remove_leftovers()
            return False
        if lease.attempts > limits.attempts:
            self._give_back(lease, "each worker that has begun it has ended")
            return True
        try:
            if lease.kind == RESEAL:
                reseal(self.hub, lease)
            else:
                settle(self.hub, lease, tamper=self._tamper)
        except LostLeaseError:
            logger.warning("job %d: another worker has it", lease.job)
        except OperationalError:
            raise
        except ChildError as error:
            self._give_back(lease, str(error), "" if lease.kind == RESEAL else error.member)
        except (InputError, RefusedStatementError, OSError) as error:
            self._give_back(lease, str(error))
        except Exception as error:  # such as an outcome of another shape: others' jobs go on
            logger.exception("job %d", lease.job)
            self._give_back(lease, f"{type(error).__name__}: {error}")
        return True

    def _give_back(self, lease: Lease, problem: str, member: str = "") -> None:
        """Let a job be tried again, or give it up and tell the operator.

        A member whose part was read as the last child ended is told, and may submit again; so is
        one whose result stays sealed to its old keys. Nobody is told of a part that was sent anew.
        """
        logger.error("job %d, attempt %d: %s", lease.job, lease.attempts, problem)
        try:
            with write(self.hub.engine) as connection:
                if lease.attempts < self.hub.configuration.worker.attempts:
                    release(connection, lease, problem)
                    return
                row = lock(connection, lease.collaboration)
                finish(connection, lease, problem=problem, failed=True)
                _note_faults(connection, lease, row, member, self.hub.now)
                write_notice(connection, lease.collaboration, OPERATOR, "given-up", self.hub.now)
        except LostLeaseError:
            logger.warning("job %d: another worker has it", lease.job)

    def _remove_leftovers(self) -> None:
        """Remove what killed workers left of jobs that nobody has: opened submissions."""
        found = set(self.hub.scratch.glob("job-*-*")) - self._left
        if not found:
            return
        with read(self.hub.engine) as connection:
            rows = connection.execute(select(job.c.id, job.c.fence).where(job.c.state == "running"))
            kept = {f"job-{number}-{fence}" for number, fence in rows}
        for folder in found:
            if folder.name.removesuffix(".txt") in kept:
                continue
            try:
                if folder.is_dir():
                    remove_folder(folder)
                else:
                    folder.unlink(missing_ok=True)
            except OSError as error:
                logger.warning("%s: it cannot be removed: %s", folder, error)
                self._left.add(folder)

    def end_steps(self) -> int:
        """End each step whose deadline has passed, as the terms say; return how many."""
        with read(self.hub.engine) as connection:
            waiting = (
                connection.execute(
                    select(collaboration.c.id).where(
                        collaboration.c.until < self.hub.now, collaboration.c.state.in_(OPEN)
                    )
                )
                .scalars()
                .all()
            )
        return sum(self._try_to_end_step(identifier) for identifier in waiting)

    def _try_to_end_step(self, identifier: str) -> bool:
        """End a step; a round that cannot go on, such as a damaged one, stops no other."""
        try:
            return self._end_step(identifier)
        except OperationalError:
            raise
        except Exception as error:
            note_failure(self.hub, identifier, STEP, error)
            return False

    def _end_step(self, identifier: str) -> bool:
        hub = self.hub
        with write(hub.engine) as connection:
            row = lock(connection, identifier)
            before = read_round(connection, row)
            step = STEPS.get(before.state)
            if row.until is None or hub.now <= row.until or row.state not in OPEN:
                return False
            late = before.list_unanswered() if step == "answer" else before.list_awaited(str(step))
            statement = make_own(hub, before, "missing", {"members": list(late)})
            take(connection, hub, row, before, before.accept(statement), statement)
            forget_failures(connection, STEP, identifier)
        return True
