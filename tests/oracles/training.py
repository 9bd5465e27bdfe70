"""Data with known truth, parties that cheat, and a federation without processes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.learning.training.data_files import DataFile, PartyData
from aboveboard.learning.training.messages import Message, check_from_party
from aboveboard.learning.training.party import Speaker
from aboveboard.learning.training.tables import Rows, Terms

FEATURES = ("f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7")
TERMS = Terms(FEATURES, "y", ("0", "1"))
SLOPES = np.array([1.0, -0.8, 0.6, -0.5, 0.4, 0.3, -0.6, 0.7])


def honest(rng: np.random.Generator, n: int, *, flipped: float = 0.0) -> Rows:
    """Draw rows of one logistic population; a share of the labels is drawn at random."""
    x = rng.normal(size=(n, len(SLOPES)))
    y = (rng.random(n) < 1 / (1 + np.exp(0.4 - x @ SLOPES))).astype(int)
    odd = rng.random(n) < flipped
    return rows(x, np.where(odd, rng.integers(0, 2, n), y))


def rows(x: NDArray[np.float64], y: NDArray[Any]) -> Rows:
    """Take features and labels as rows of a file."""
    return Rows(x, y, np.arange(len(y)), lambda row: f"line {row + 2}")


def write(path: Path, data: Rows, label: str = "y") -> Path:
    """Write rows as CSV."""
    lines = [",".join((*FEATURES, label))]
    lines += [
        ",".join([*(repr(float(v)) for v in x), str(y)])
        for x, y in zip(data.x, data.y, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def held(path: Path) -> DataFile:
    """Return a file as reports have it."""
    status = path.stat()
    return DataFile(path.resolve(), (status.st_mtime_ns, status.st_size))


def holdings(folder: Path, *names: str, **commands: tuple[str, ...]) -> dict[str, PartyData]:
    """Return reports of parties with NAME.csv in a folder, and of some that commands speak for."""
    test, validation = held(folder / "test.csv"), held(folder / "validation.csv")
    found = {
        name: PartyData(held(folder / f"{name}.csv"), None, None, test, validation, "y")
        for name in names
    }
    found |= {
        name: PartyData(None, None, command, test, validation, "y")
        for name, command in commands.items()
    }
    return found


FREE_RIDER = """
import sys
import numpy as np
from aboveboard.learning.training.messages import Message, receive, send

while True:
    message, _ = receive(sys.stdin.buffer)
    if message.kind == "welcome":
        answer = Message("rows", {"count": 10**6})
    elif message.kind == "compare":
        answer = Message("found", {"count": 0, "line": ""})
    else:  # whatever model it is given, it returns
        answer = Message("parameters", arrays=message.arrays)
    send(sys.stdout.buffer, answer)
"""


def program(folder: Path, name: str, text: str) -> tuple[str, ...]:
    """Write a program that speaks for a party, and give the command that runs it."""
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    return (sys.executable, str(path))


class Around:
    """Parties that answer in this process, as `Federation` has them answer in theirs."""

    def __init__(self, speakers: Mapping[str, Any]) -> None:
        self.commands = dict.fromkeys(speakers, ())
        self.speakers = speakers

    def ask(self, requests: Mapping[str, Message], expected: str) -> dict[str, Message]:
        answers = {name: self.speakers[name].answer(m) for name, m in requests.items()}
        for answer in answers.values():
            check_from_party(answer)
            assert answer.kind == expected
        return answers

    def traffic(self) -> tuple[()]:
        return ()


class FreeRider:
    """Returns whatever model it is given, and says it has a million rows."""

    def answer(self, message: Message) -> Message:
        if message.kind == "welcome":
            return Message("rows", {"count": 10**6})
        return Message("parameters", arrays=message.arrays)


def speaker(path: Path) -> Speaker:
    """Speak for a party whose file this is."""
    return Speaker(path, None)
