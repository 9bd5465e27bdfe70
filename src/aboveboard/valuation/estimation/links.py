"""The way from the platform to a federated user: an object in this process, or its own process.

A user in a process of its own reads its own samples there; the platform's process passes over them
when it counts the rows of the file, and forgets them unlooked at.
A process that ends, or keeps silent for `PATIENCE` seconds, has left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from aboveboard.errors import InputError
from aboveboard.mechanisms.child_processes import SafeContext
from aboveboard.valuation.estimation.secure_sum import Link, Message, SendKeys, User
from aboveboard.valuation.estimation.wire import (
    LONGEST,
    MalformedMessage,
    decode_answer,
    decode_message,
    encode_answer,
    encode_message,
)

PATIENCE = 60.0
"""Seconds: starting Python and reading a file take a few, on a busy machine ten times that."""


class LocalLink:
    """A user who is an object in this process.

    Parameters
    ----------
    user
        The user.
    """

    def __init__(self, user: User) -> None:
        self._user = user
        self._answer: Any | None = None

    def send(self, message: Message) -> None:
        """Let the user answer; one that refuses has left."""
        try:
            self._answer = self._user.receive(message)
        except ValueError:
            self._answer = None

    def answer(self) -> Any | None:
        """Return the answer."""
        return self._answer


class ProcessLink:
    """A user who is a process.

    Parameters
    ----------
    connection
        This end of the pipe to it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._message: Message = SendKeys()

    def send(self, message: Message) -> None:
        """Send a message; a process that is gone shows when it does not answer."""
        self._message = message
        try:
            self._connection.send_bytes(encode_message(message))
        except OSError:
            self._connection.close()

    def answer(self) -> Any | None:
        """Wait for the answer; None for one that is none: that user has left.

        Raises
        ------
        InputError
            If the user found its own samples wrong.
        """
        try:
            if not self._connection.poll(PATIENCE):
                return None
            return decode_answer(self._connection.recv_bytes(LONGEST), self._message)
        except (EOFError, OSError, MalformedMessage):
            return None


@contextmanager
def start_processes(users: Mapping[int, Callable[[], User]]) -> Iterator[dict[int, Link]]:
    """Start a process for each user; they end with the block.

    Parameters
    ----------
    users
        By number: what makes the user, there (a function that can be pickled).
    """
    spawn = SafeContext()
    started, links = [], {}
    try:
        for number, make in users.items():
            here, there = spawn.Pipe()
            process = spawn.Process(target=_serve, args=(there, make), daemon=True)
            process.start()
            there.close()
            started.append(process)
            links[number] = ProcessLink(here)
        yield dict(links)
    finally:
        for process in started:
            process.terminate()
            process.join()
            process.close()


def _serve(connection: Connection, make: Callable[[], User]) -> None:
    """Be a user: answer messages until the platform hangs up."""
    try:
        user = make()
    except InputError as error:
        connection.recv_bytes(LONGEST)
        connection.send_bytes(encode_answer(error))
        return
    try:
        while True:
            message = decode_message(connection.recv_bytes(LONGEST))
            connection.send_bytes(encode_answer(user.receive(message)))
    except (EOFError, OSError, ValueError):
        return
