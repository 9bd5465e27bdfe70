"""The engine that asks parties through a grid of Flower.

All requests of an exchange go out in one push, one message for each party, and answers are polled.
A party whose node is gone, or that stays silent for longer than `patience`, is absent from then on.
What a party sends is checked before the center uses it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from aboveboard.errors import InputError
from aboveboard.formatting import format_number
from aboveboard.learning.flower.messages import make_message, read_message
from aboveboard.learning.flower.requirement import POLL
from aboveboard.learning.training.engine import (
    BatchAnswers,
    Coincidences,
    Failure,
    PartyAnswer,
    PartyError,
    Request,
    RowCount,
)
from aboveboard.learning.training.estimators import Parameters

MOST_ROWS = 1 << 53
"""Rows that a party can claim: beyond, numbers in JSON are no longer whole."""

MOST_ODD, LONGEST = 1_000, 600
"""Clauses on odd columns that a party can send, and their characters."""


@dataclass
class FlowerEngine:
    """Asks parties through a grid.

    Parameters
    ----------
    grid
        Flower's `Grid`.
    nodes
        By party: the number of its node. A party without one is absent.
    patience
        Seconds that a party may take for an answer.
    poll
        Seconds between two looks for answers.

    Attributes
    ----------
    exchanges
        How many times parties were asked.
    """

    grid: Any
    nodes: Mapping[str, int]
    patience: float
    poll: float = POLL
    exchanges: int = field(default=0, init=False)
    _silent: dict[str, InputError] = field(default_factory=dict, init=False)

    together: ClassVar[bool] = True
    compares_rows: ClassVar[bool] = False

    def ask(self, requests: Mapping[str, Request]) -> dict[str, PartyAnswer]:
        """Return the answers of the parties that are asked, in the order of the requests.

        Raises
        ------
        PartyError
            If a party is gone, silent, fails, or answers with something that cannot be read.
        """
        for name in requests:
            if name not in self.nodes:
                self._note(name, "its machine did not connect in time", "start aboveboard party")
            if name in self._silent:
                raise PartyError(name, self._silent[name])
        self.exchanges += 1
        group = str(self.exchanges)
        messages = [
            make_message(self.nodes[name], request, group=group, lifetime=self.patience + 60)
            for name, request in requests.items()
        ]
        found = self._collect(list(requests), list(self.grid.push_messages(messages)))
        for name in requests:
            if name not in found:
                seconds = format_number(self.patience)
                self._note(name, f"it was silent for {seconds} seconds", "look at its machine")
        for name in requests:
            if name in self._silent:
                raise PartyError(name, self._silent[name])
        return {name: self._read(name, found[name]) for name in requests}

    def close(self, request: Request, patience: float = 5.0) -> None:
        """Send all parties the end of the training; who does not answer is not waited for."""
        engine = FlowerEngine(
            self.grid,
            {name: node for name, node in self.nodes.items() if name not in self._silent},
            patience,
            self.poll,
        )
        if engine.nodes:
            messages = [
                make_message(node, request, group="end", lifetime=60.0)
                for node in engine.nodes.values()
            ]
            engine._collect(list(engine.nodes), list(self.grid.push_messages(messages)))

    def _collect(self, names: list[str], identities: list[str | None]) -> dict[str, Any]:
        """Return by party the reply to the message of this identity, as far as one came in time."""
        waiting = {
            identity: name for identity, name in zip(identities, names, strict=True) if identity
        }
        found: dict[str, Any] = {}
        until = time.monotonic() + self.patience
        while waiting:
            for reply in self.grid.pull_messages(list(waiting)):
                name = waiting.pop(reply.metadata.reply_to_message_id, None)
                if name is not None:
                    found[name] = reply
            if not waiting or time.monotonic() > until:
                break
            time.sleep(self.poll)
        return found

    def _read(self, name: str, reply: Any) -> PartyAnswer:
        if reply.has_error():
            reason = " ".join(str(reply.error.reason).split())[:200]
            problem = f"its machine is gone, or refused ({reason})"
            raise self._fail(name, problem, "look at its machine")
        try:
            answer = read_message(reply)
        except InputError as error:
            raise self._fail(name, f"its answer: {error.problem}", error.remedy) from None
        if isinstance(answer, Failure):
            raise PartyError(name, make_input_error(answer, name))
        if not is_answer(answer):
            raise self._fail(
                name, "it answered with something else than was asked for", "answer the requests"
            )
        return answer  # type: ignore[no-any-return]  # looked at just above

    def _note(self, name: str, problem: str, remedy: str) -> None:
        self._silent.setdefault(name, InputError(f"parties.{name}", problem, remedy))

    def _fail(self, name: str, problem: str, remedy: str) -> PartyError:
        self._note(name, problem, remedy)
        return PartyError(name, self._silent[name])


def make_input_error(failure: Failure, party: str) -> InputError:
    """Return what a party says has failed, as far as it is texts."""
    texts = (failure.place, failure.problem, failure.remedy)
    if not all(isinstance(text, str) for text in texts):
        return InputError(f"parties.{party}", "it failed, and does not say how", "look at its data")
    own = f"parties.{party}"
    # A party cannot say that another one's data are at fault.
    is_own = failure.place == own or failure.place.startswith((f"{own}.", f"{own}:"))
    place, problem, remedy = (
        " ".join(text.split())[:LONGEST]
        for text in (failure.place if is_own else own, failure.problem, failure.remedy)
    )
    return InputError(place, problem, remedy)


def is_answer(answer: object) -> bool:
    """Return whether a value that a stranger sent is an answer, all its fields of their types."""
    check = _CHECKS.get(type(answer))
    return check is not None and check(answer)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_ROWS


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST


def _is_row_count(answer: RowCount) -> bool:
    odd = answer.odd
    return (
        _is_count(answer.count)
        and isinstance(odd, tuple)
        and len(odd) <= MOST_ODD
        and all(map(_is_text, odd))
        and _is_text(answer.data)
    )


def _is_array(value: object, kind: type[Any]) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == kind


_CHECKS: dict[type[Any], Callable[[Any], bool]] = {
    RowCount: _is_row_count,
    Parameters: lambda x: _is_array(x.coef, np.float64) and _is_array(x.intercept, np.float64),
    Coincidences: lambda x: _is_count(x.count) and _is_text(x.line),
    BatchAnswers: lambda x: (
        isinstance(x.answers, tuple)
        and all(type(each) is not BatchAnswers and is_answer(each) for each in x.answers)
    ),
}
