"""The parties' processes, seen from the center: started, asked, and ended.

Every party's rows stay in its own process (`party`); what passes is logged. All parties are asked
at the same time and their answers taken in the parties' order, so that nothing depends on who is
faster. A party that dies, is silent too long or breaks the protocol is named in one line.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, BinaryIO, Self, cast

import numpy as np

from aboveboard.errors import InputError
from aboveboard.learning.training import messages
from aboveboard.learning.training.messages import Message, ProtocolError

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Sums in one order, so that a replay gives the same bytes; and no fight over the cores."""

GRACE = 5.0
"""Seconds that a party has to end by itself once it is told to."""


@dataclass(frozen=True)
class Traffic:
    """Messages of one kind in one direction, all of them together.

    Parameters
    ----------
    party
        With whom.
    direction
        "sent" by the center, or "received".
    kind
        Of `messages`.
    count
        How many messages.
    numbers
        How many numbers their arrays held.
    size
        How many bytes they took.
    """

    party: str
    direction: str
    kind: str
    count: int
    numbers: int
    size: int


@dataclass
class Federation:
    """The running processes of some parties; a context manager, which ends them all.

    Parameters
    ----------
    commands
        By party: the program that speaks for it.
    timeout
        Seconds within which each answer must come.
    """

    commands: Mapping[str, Sequence[str]]
    timeout: float
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict, init=False)
    _said: dict[str, IO[bytes]] = field(default_factory=dict, init=False)
    _log: dict[tuple[str, str, str], Counter[str]] = field(default_factory=dict, init=False)

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(self.commands)))
        try:
            for name, command in self.commands.items():
                self._said[name] = tempfile.TemporaryFile()
                self._running[name] = subprocess.Popen(
                    list(command),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._said[name],
                    env={**os.environ, **ONE_THREAD},
                    start_new_session=True,
                )
        except OSError as error:
            self._end()
            raise InputError(
                f"parties.{name}.command",
                f"{command[0]} cannot be started ({error.strerror})",
                "name a program that can",
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            # Whoever is still at work would be waited for, and its answer is of no use.
            for process in self._running.values():
                _kill(process)
        self._end()

    def ask(self, requests: Mapping[str, Message], expected: str) -> dict[str, Message]:
        """Ask several parties at once; give their answers, in the same order.

        Parameters
        ----------
        requests
            By party.
        expected
            Of which kind the answers must be.

        Raises
        ------
        InputError
            If a party refuses (its own words), dies, is silent too long or breaks the protocol.
        """
        asked = {
            name: self._pool.submit(self._exchange, name, message)
            for name, message in requests.items()
        }
        return {name: self._answer(name, answer, expected) for name, answer in asked.items()}

    def traffic(self) -> tuple[Traffic, ...]:
        """Return what passed between the center and the parties so far."""
        order = {name: i for i, name in enumerate(self.commands)}
        return tuple(
            Traffic(*key, count["count"], count["numbers"], count["size"])
            for key, count in sorted(
                self._log.items(), key=lambda x: (order[x[0][0]], x[0][1] == "received", x[0][2])
            )
        )

    def _exchange(self, name: str, message: Message) -> Message:
        process = self._running[name]
        assert process.stdin is not None
        assert process.stdout is not None
        self._note(name, "sent", message, messages.send(cast(BinaryIO, process.stdin), message))
        answer, size = messages.receive(cast(BinaryIO, process.stdout))
        messages.check_from_party(answer)
        self._note(name, "received", answer, size)
        return answer

    def _answer(self, name: str, asked: Future[Message], expected: str) -> Message:
        place = f"parties.{name}"
        try:
            answer = asked.result(self.timeout)
        except TooLate:
            _kill(self._running[name])
            raise InputError(
                place, f"no answer came within {self.timeout:g} seconds",
                "look at its process, or set training.timeout higher",
            ) from None  # fmt: skip
        except (EOFError, OSError, ValueError):
            raise InputError(
                place, f"its process ended before it answered{self._last_words(name)}",
                "look at what it says when it is started alone",
            ) from None  # fmt: skip
        except ProtocolError as error:
            raise InputError(
                place, str(error), "see aboveboard.learning.training.messages"
            ) from None
        if answer.kind == "refused":
            said = {key: _one_line(value) for key, value in answer.scalars.items()}
            raise InputError(said["place"] or place, said["problem"], said["remedy"])
        if answer.kind != expected:
            problem = f"it answered {answer.kind!r} where {expected!r} was due"
            raise InputError(place, problem, "see aboveboard.learning.training.messages")
        return answer

    def _last_words(self, name: str) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._running[name].wait(GRACE)
        self._said[name].seek(0)
        lines = self._said[name].read()[-4000:].decode(errors="replace").strip().splitlines()
        return f" ({_one_line(lines[-1])})" if lines else ""

    def _note(self, name: str, direction: str, message: Message, size: int) -> None:
        numbers = sum(int(np.size(array)) for array in message.arrays.values())
        noted = self._log.setdefault((name, direction, message.kind), Counter())
        noted.update(count=1, numbers=numbers, size=size)

    def _end(self) -> None:
        """End every process: politely, then not; and wait for it, so that none is left."""
        for process in self._running.values():
            if process.stdin is not None:
                with suppress(OSError, ValueError):
                    # A closed input tells a party that the talk is over.
                    process.stdin.close()
        for process in self._running.values():
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                _kill(process)
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        for said in self._said.values():
            said.close()
        self._pool.shutdown(wait=True)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it started (a shell's, say), which hold its pipes open too."""
    if process.poll() is not None:
        return  # its number may be another's by now
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _one_line(text: str) -> str:
    """Make what a party says fit to be shown: one line, no control characters, not too long."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:300]


def command_of(data: str, label: str | None) -> list[str]:
    """Return the command that speaks for a party whose file is on this machine."""
    command = [sys.executable, "-m", "aboveboard.learning.training.party"]
    return [*command, "--data", data, *(["--label", label] if label else [])]
