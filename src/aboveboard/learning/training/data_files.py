"""What a party reports where it trains: where its rows are, or who speaks for it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aboveboard.errors import InputError
from aboveboard.learning.market.training_file import DataParty, TrainingTable
from aboveboard.learning.training.estimators import require_sklearn
from aboveboard.learning.training.handout import require_skops
from aboveboard.mechanisms.mechanism import Read

Stamp = tuple[int, int]
"""Time of change in nanoseconds, and bytes: of a file that is the same."""


@dataclass(frozen=True)
class DataFile:
    """A file on this machine.

    Parameters
    ----------
    path
        Where it is.
    stamp
        Tells a changed file from the same one.
    """

    path: Path
    stamp: Stamp


@dataclass(frozen=True)
class PartyData:
    """One party's data, and the center's files that all share.

    Parameters
    ----------
    data
        Its file; None where `command` speaks for it.
    label
        Its name for the label; None: the center's.
    command
        The program that speaks for it; None: ours.
    test, validation
        The center's files.
    center_label
        The center's name for the label.
    """

    data: DataFile | None
    label: str | None
    command: tuple[str, ...] | None
    test: DataFile
    validation: DataFile | None
    center_label: str


class TrainingFile(Protocol):
    """A collaboration file that trains."""

    @property
    def training(self) -> TrainingTable | None:
        """Return the table `[training]`."""
        ...

    @property
    def parties(self) -> Mapping[str, DataParty]:
        """Return the parties' tables."""
        ...


def find_data(file: TrainingFile, read: Read) -> dict[str, PartyData]:
    """Find every party's data, and the center's.

    Parameters
    ----------
    file
        A collaboration file whose parties have data.
    read
        Finds files, and remembers them as inputs of the run.

    Raises
    ------
    InputError
        If `[training]` is missing, a party has no data or two sources of them, a file is missing,
        the label is named nowhere, or scikit-learn or skops is not installed.
    """
    table = file.training
    if table is None:
        raise InputError(
            "training", "it is missing, and parties have data", "add the table [training]"
        )
    # Before the files are read, and long before the training: a check says it too.
    require_sklearn()
    require_skops()
    label = _label(table, file.parties)
    test = _held(read, "training.test", table.test)
    validation = (
        None if table.validation is None else _held(read, "training.validation", table.validation)
    )
    found = {}
    for name, party in file.parties.items():
        place = f"parties.{name}"
        if (party.data is None) == (party.command is None):
            given = "no data" if party.data is None else "data and a command"
            raise InputError(place, f"it has {given}", "give data, or a command that speaks for it")
        if party.command is not None and table.method == "pooled":
            raise InputError(
                f"{place}.command",
                'method = "pooled" needs the rows',
                'give data, or write method = "federated"',
            )
        if party.command is not None and party.label is not None:
            raise InputError(
                f"{place}.label", "a command reads the data itself", "give it --label there"
            )
        data = None if party.data is None else _held(read, f"{place}.data", party.data)
        # A label that is the center's own needs no second name.
        own = None if party.label == label else party.label
        found[name] = PartyData(data, own, party.command, test, validation, label)
    return found


def find_identical_files(reports: Mapping[str, PartyData]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of parties whose files are the same byte for byte.

    What a command speaks for is not seen. Only files of one length are read.
    """
    by_length: dict[int, list[str]] = defaultdict(list)
    for name, holding in reports.items():
        if holding.data is not None:
            by_length[holding.data.stamp[1]].append(name)
    by_content: dict[str, list[str]] = defaultdict(list)
    for name in (name for group in by_length.values() if len(group) > 1 for name in group):
        data = reports[name].data
        if data is not None:
            with data.path.open("rb") as stream:
                by_content[hashlib.file_digest(stream, "sha256").hexdigest()].append(name)
    return tuple(tuple(group) for group in by_content.values() if len(group) > 1)


def _label(table: TrainingTable, parties: Mapping[str, DataParty]) -> str:
    if table.label is not None:
        return table.label
    named = {party.label for party in parties.values() if party.label is not None}
    if len(named) != 1:
        problem = "it is missing" if not named else "it is missing, and the parties name several"
        raise InputError("training.label", problem, "name the column that is predicted")
    return named.pop()


def _held(read: Read, place: str, data: Path) -> DataFile:
    path = read.file(place, data)
    status = path.stat()
    return DataFile(path.resolve(), (status.st_mtime_ns, status.st_size))
