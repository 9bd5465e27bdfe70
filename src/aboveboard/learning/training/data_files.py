"""What a party reports where it trains: its file, and those of the center that all share.

Every file's header and rows are read against the center's before anything is trained, so that a
party's fault is known in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aboveboard.errors import InputError
from aboveboard.learning.flower.node_keys import encode_for_flower
from aboveboard.learning.market.training_file import DataParty, TrainingTable
from aboveboard.learning.training import leaks
from aboveboard.learning.training.center import Center, read_center
from aboveboard.learning.training.estimators import (
    make_estimator,
    predicts_classes,
    require_sklearn,
)
from aboveboard.learning.training.handout import require_skops
from aboveboard.learning.training.scores import require_scorer
from aboveboard.learning.training.suitability import (
    refuse_labels,
    refuse_unaveraged,
    refuse_unscorable,
)
from aboveboard.learning.training.tables import TrainingRows, read_rows
from aboveboard.learning.training.valid_size import refuse_few_rows
from aboveboard.mechanisms.reading import Read
from aboveboard.storage.options import TableKeys, merge_options

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
        Its file; None where it lies on the party's own machine.
    label
        Its name for the label; None: the center's.
    test, validation
        The center's files.
    center_label
        The center's name for the label.
    key
        The public key of the party's own machine; None where its file is here.
    certificates
        Of the authority behind the certificate of the SuperLink; None: not encrypted.
    sha256
        Of the rows that its own machine must train on, as hexadecimal digits; None: of any.
    """

    data: DataFile | None
    label: str | None
    test: DataFile
    validation: DataFile | None
    center_label: str
    key: str | None = None
    certificates: Path | None = None
    sha256: str | None = None

    def format_place(self, party: str) -> str:
        """Return where messages say that the party's rows stand."""
        if self.data is None:
            return f"parties.{party}: its rows"
        return f"parties.{party}.data: {self.data.path.name}"


class TrainingFile(Protocol):
    """A collaboration file that trains."""

    @property
    def training(self) -> TrainingTable | None:
        """The table `[training]`."""
        ...

    @property
    def parties(self) -> Mapping[str, DataParty]:
        """The parties' tables."""
        ...


def find_data(file: TrainingFile, read: Read, *, seed: int = 0) -> dict[str, PartyData]:
    """Find every party's data, and the center's, and read them once to see that they fit.

    Parameters
    ----------
    file
        A collaboration file whose parties have data.
    read
        Finds files, and remembers them as inputs of the run.
    seed
        Of the center's split of its test file.

    Raises
    ------
    InputError
        If `[training]` is missing, a party has no data, a file is missing or does not fit the
        center's, the label is named nowhere, or scikit-learn or skops is not installed.
    """
    table = file.training
    if table is None:
        raise InputError(
            "training", "it is missing, and parties have data", "add the table [training]"
        )
    require_sklearn()
    require_skops()
    label = _find_label(table, file.parties)
    test = _locate(read, "training.test", table.test, table)
    validation = (
        None
        if table.validation is None
        else _locate(read, "training.validation", table.validation, table)
    )
    certificates = _find_certificates(table, read)
    found = {}
    for name, party in file.parties.items():
        data = _find_rows(name, party, table, read)
        # A label that is the center's own needs no second name.
        own = None if party.label == label else party.label
        found[name] = PartyData(
            data, own, test, validation, label, party.key, certificates, party.sha256
        )
    _check_data(table, found, seed, read)
    return found


def read_center_files(
    table: TrainingTable, reports: Mapping[str, PartyData], *, classification: bool, seed: int
) -> Center:
    """Return what the center holds, read from its files."""
    shared = next(iter(reports.values()))
    return read_center(
        shared.test.path,
        None if shared.validation is None else shared.validation.path,
        label=shared.center_label,
        features=table.features,
        classification=classification,
        seed=seed,
        coincidences=table.coincidences,
        steps=table.steps,
    )


def read_party_rows(name: str, data: PartyData, center: Center) -> TrainingRows:
    """Return a party's distinct rows, as they stand in its file."""
    assert data.data is not None
    rows = read_rows(
        data.data.path, f"parties.{name}.data", center.terms, label=data.label, whole=center.whole
    )
    return rows.drop_duplicates()


def _check_data(
    table: TrainingTable, reports: Mapping[str, PartyData], seed: int, read: Read
) -> None:
    """Read all files against the center's; every party's fault is reported, not only the first."""
    files = [data.data.path for data in reports.values() if data.data is not None]
    if not all(path.is_file() for path in files):
        return  # said already
    estimator = make_estimator(table.estimator, table.parameters, seed)
    require_scorer(table.metric)
    center = read_center_files(
        table, reports, classification=predicts_classes(estimator), seed=seed
    )
    refuse_labels(estimator)
    if table.method == "federated":
        refuse_unaveraged(estimator)
    refuse_unscorable(estimator, center.make_meter(table.metric), seed)
    refuse_few_rows(center.raw_validation)
    record: Callable[[InputError], None] | None = getattr(read, "record", None)
    for name, data in reports.items():
        if data.data is None:
            continue  # its own machine reads them, when the training starts
        try:
            rows = read_party_rows(name, data, center)
            center.prepare(rows, data.format_place(name))
            found, line = leaks.count_coincidences(center.digests, rows)
            place = data.format_place(name)
            center.refuse_leak(place, found, line, len(rows.y), table.coincidences)
        except InputError as error:
            if record is None:
                raise
            record(error)


def _find_certificates(table: TrainingTable, read: Read) -> Path | None:
    if table.flower is None or table.flower.certificates is None:
        return None
    return read.file("training.flower.certificates", table.flower.certificates).resolve()


def _find_rows(name: str, party: DataParty, table: TrainingTable, read: Read) -> DataFile | None:
    """Return a party's file; None where its rows are on its own machine."""
    place = f"parties.{name}"
    if table.engine == "flower":
        if party.data is not None:
            raise InputError(
                f"{place}.data",
                "with engine flower its rows stay on its own machine",
                "leave data out, and give the key that its aboveboard party --new-key prints",
            )
        if party.key is None:
            raise InputError(
                place, "it has no key", "give the key that its aboveboard party --new-key prints"
            )
        encode_for_flower(party.key, f"{place}.key")  # refuses what is not a key
        return None
    unused = [key for key in ("key", "sha256") if getattr(party, key) is not None]
    if unused:
        raise InputError(
            f"{place}.{unused[0]}",
            "it is not used: the rows are here",
            "leave it out, or use engine flower",
        )
    if party.data is None:
        raise InputError(place, "it has no data", 'give data = "rows.csv" to every party')
    return _locate(read, f"{place}.data", party.data, party, table)


def _find_label(table: TrainingTable, parties: Mapping[str, DataParty]) -> str:
    if table.label is not None:
        return table.label
    named = {party.label for party in parties.values() if party.label is not None}
    if len(named) != 1:
        problem = "it is missing" if not named else "it is missing, and the parties name several"
        raise InputError("training.label", problem, "name the column that is predicted")
    return named.pop()


def _locate(read: Read, place: str, data: Path, *tables: TableKeys) -> DataFile:
    """Find a file that is to be read as some tables say, of which the first goes before."""
    path = read.file(place, data, merge_options(*tables))
    try:
        status = path.stat() if path.is_file() else None
    except OSError:  # a name that is too long, which the reader refuses
        status = None
    if status is None:
        return DataFile(path, (0, 0))
    return DataFile(path.resolve(), (status.st_mtime_ns, status.st_size))
