"""Several writers' work in one transaction of SQLite: one flush to the disk for all of them.

SQLite has one writer at a time, and each commit waits for the disk. Whoever comes while another
transaction is being written waits in line; the next one takes all that wait, each in a savepoint of
its own, and commits once. Nobody has an answer before the commit. PostgreSQL does the same itself:
there each one is a transaction, and no lock is held for another's sake.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from aboveboard.hub.database.engine import write

MOST = 64
"""Works in one transaction."""


@dataclass
class Work:
    """Something to be written, and what became of it.

    Parameters
    ----------
    act
        Writes, and returns the answer.
    done
        Set once it is committed, or has failed.
    answer, error
        What became of it.
    """

    act: Callable[[Connection], Any]
    done: threading.Event = field(default_factory=threading.Event)
    answer: Any = None
    error: BaseException | None = None


class Line:
    """Those who wait to write to one database.

    It does not refer to the engine, so that both go away together.
    """

    def __init__(self) -> None:
        self._waiting: list[Work] = []
        self._state, self._turn = threading.Lock(), threading.Lock()

    def take(self, engine: Engine, act: Callable[[Connection], Any]) -> Any:
        """Write something, with all others that wait; return its answer once it is committed.

        Raises
        ------
        BaseException
            What the work itself raised: nothing of it is written then.
        """
        work = Work(act)
        with self._state:
            self._waiting.append(work)
        try:
            while not work.done.is_set():
                with self._turn:
                    if not work.done.is_set():
                        self._write_batch(engine)
        except BaseException:  # who is interrupted leaves nothing behind for others to write
            with self._state:
                self._waiting = [each for each in self._waiting if each is not work]
            raise
        if work.error is not None:
            raise work.error
        return work.answer

    def _write_batch(self, engine: Engine) -> None:
        with self._state:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            with write(engine) as connection:
                for work in batch:
                    _try(connection, work)
        except BaseException as error:
            for work in batch:
                work.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            for work in batch:
                work.done.set()


def _try(connection: Connection, work: Work) -> None:
    """Do one work in a savepoint; one that fails leaves nothing, and the others go on."""
    try:
        with connection.begin_nested():
            work.answer = work.act(connection)
    except Exception as error:
        work.error = error


_lines: WeakKeyDictionary[Engine, Line] = WeakKeyDictionary()
_lines_lock = threading.Lock()


def write_together(engine: Engine, act: Callable[[Connection], Any]) -> Any:
    """Write something in a transaction, on SQLite together with what others write now.

    Parameters
    ----------
    engine
        The database.
    act
        Writes with a connection, and returns the answer; it may be undone after it has returned.

    Raises
    ------
    BaseException
        What the work itself raised, or the commit.
    """
    if engine.dialect.name != "sqlite":
        with write(engine) as connection:
            return act(connection)
    with _lines_lock:
        line = _lines.setdefault(engine, Line())
    return line.take(engine, act)
