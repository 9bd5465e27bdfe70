"""A party's process: it alone opens the party's file, and sends counters and parameters only.

    python -m aboveboard.learning.training.party --data a.csv [--label late]

speaks `messages` over standard input and output. The center starts it for each party with
`data = "a.csv"`; with `command = ["ssh", "host", "python", "-m", ..]` in a party's table it runs
where the data are, and the center never sees the file.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.learning.training import leaks, messages
from aboveboard.learning.training.estimators import (
    Parameters,
    build_model,
    continue_fit,
    extract_parameters,
    fit_model,
    make_estimator,
)
from aboveboard.learning.training.messages import Message
from aboveboard.learning.training.tables import Rows, Terms, read_rows, shuffle_rows, slice_part


@dataclass
class Speaker:
    """Answers the center's messages, one after the other.

    Parameters
    ----------
    data
        The party's file.
    label
        Its own name for the label; None: as the center calls it.
    """

    data: Path
    label: str | None
    _held: _Held | None = field(default=None, init=False)

    def answer(self, message: Message) -> Message | None:
        """Answer a message; None ends the talk."""
        if message.kind == "welcome":
            self._held = _held(message, self.data, self.label)
            return Message("rows", {"count": len(self._held.rows.y)})
        if self._held is None:
            return None
        return self._held.answer(message)


@dataclass
class _Held:
    """What a party has once it knows the terms: its rows, scaled, and the estimator."""

    place: str
    estimator: Any
    terms: Terms
    rows: Rows
    unscaled: Rows
    pattern: Any = None

    def answer(self, message: Message) -> Message | None:
        if message.kind == "fit":
            part = self._part(message.scalars["parts"])
            weight = float(message.scalars["weight"])
            model = fit_model(self.estimator, *self._taken(part), self.place, weight)
            self.pattern = model if self.pattern is None else self.pattern
            return _sent(extract_parameters(model))
        if message.kind == "compare":
            count, line = leaks.count_coincidences(message.arrays["digests"], self.unscaled)
            return Message("found", {"count": count, "line": line})
        if message.kind == "step":
            part = self._part(message.scalars["parts"])
            given = Parameters(message.arrays["coef"], message.arrays["intercept"])
            model = build_model(self.pattern, given)
            steps, weight = int(message.scalars["steps"]), float(message.scalars["weight"])
            moved = continue_fit(model, *self._taken(part), steps, self.place, weight)
            return _sent(extract_parameters(moved))
        return None

    def _part(self, parts: int) -> slice:
        return slice_part(len(self.rows.y), parts, len(self.terms.classes or ()))

    def _taken(self, part: slice) -> tuple[NDArray[np.float64], NDArray[Any]]:
        return self.rows.x[part], self.terms.decode_labels(self.rows.y[part])


def _held(message: Message, data: Path, label: str | None) -> _Held:
    said = message.scalars
    place = f"parties.{said['party']}.data"
    classes = None if said["classes"] is None else tuple(said["classes"])
    terms = Terms(tuple(said["features"]), said["label"], classes)
    estimator = make_estimator(said["estimator"], said["parameters"], said["seed"])
    unscaled = read_rows(data, place, terms, label=label, whole=said["whole"]).drop_duplicates()
    rows = shuffle_rows(unscaled, said["seed"], len(classes or ()))
    scaled = (rows.x - message.arrays["mean"]) / message.arrays["deviation"]
    return _Held(place, estimator, terms, replace(rows, x=scaled), unscaled)


def _sent(parameters: Parameters) -> Message:
    return Message(
        "parameters", arrays={"coef": parameters.coef, "intercept": parameters.intercept}
    )


def talk(incoming: BinaryIO, outgoing: BinaryIO, speaker: Speaker) -> None:
    """Answer until the center closes; an `InputError` is sent and ends the talk."""
    while True:
        try:
            message, _ = messages.receive(incoming)
        except EOFError:
            return
        try:
            answer = speaker.answer(message)
        except InputError as error:
            said = {"place": error.place, "problem": error.problem, "remedy": error.remedy}
            messages.send(outgoing, Message("refused", said))
            return
        if answer is None:
            return
        messages.send(outgoing, answer)


def main() -> None:
    """Speak for a party over standard input and output."""
    arguments = argparse.ArgumentParser(description="Speak for a party that trains with others.")
    arguments.add_argument("--data", type=Path, required=True, help="the party's file")
    arguments.add_argument("--label", help="its column that is predicted; else as the center says")
    given = arguments.parse_args()
    # Whatever a library prints must not mix with the messages.
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    talk(sys.stdin.buffer, outgoing, Speaker(given.data, given.label))
    # Taking a numerical library down piece by piece takes longer than loading it; nothing is open.
    os._exit(0)


if __name__ == "__main__":
    main()
