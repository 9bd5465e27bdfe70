"""From a file of `valuation.payments` with users' samples to the same file with all filled in.

Who the parties are, their levels and numbers of samples come from the data where the file leaves
them out; variances are estimated where it says so. Nothing here looks at a sample itself but
through the study, which keeps to each user's level, and to see whether those of users who share are
numbers.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.faults import raise_faults
from aboveboard.mechanisms.reading import Read
from aboveboard.storage.options import TableKeys, merge_options
from aboveboard.valuation.estimation.federated_study import FederatedStudy, prepare_federated_study
from aboveboard.valuation.estimation.private_mean_study import PrivateMeanStudy
from aboveboard.valuation.estimation.samples import (
    DataTable,
    Samples,
    SamplesSource,
    gather,
    read_samples,
)
from aboveboard.valuation.levels import as_input_error
from aboveboard.valuation.payments_file import PaymentsFile, read_levels
from aboveboard.valuation.utilities.utility_table import (
    ESTIMATE,
    KINDS,
    UserTable,
    locate_files,
)

Study = FederatedStudy | PrivateMeanStudy


def infer_parties(file: PaymentsFile, read: Read) -> PaymentsFile:
    """Fill in what the data and the files that a function reads say.

    Parameters
    ----------
    file
        The collaboration file.
    read
        Finds the files.

    Raises
    ------
    InputError
        If a file or what is said about it is wrong.
    """
    file = file.model_copy(update={"utility": locate_files(file.utility, read)})
    if file.data is None:
        return file
    samples = _read_samples(file, file.data, read)
    with_users = file.model_copy(update={"parties": _list_parties(file, samples)})
    try:
        with_users.agree()
    except ValueError as error:
        raise as_input_error("parties", error) from None
    levels = read_levels(with_users)
    _refuse_wrong_samples(samples, [name for name, level in levels.items() if level])
    if file.utility.kind == "dp-mean":
        kept = samples.keep_only([name for name, level in levels.items() if level])
        private = PrivateMeanStudy(kept, file.seed)
        private.bounds()
        return with_users.with_study(private)
    study = prepare_federated_study(
        samples, levels, _as_known(file.utility.s2), _as_known(file.utility.t2), file.seed
    )
    found = {"s2": study.variances.s2, "t2": study.variances.t2}
    numbers = {key: Fraction(found[key]) for key in study.estimated}
    return with_users.model_copy(
        update={"utility": file.utility.model_copy(update=numbers)}
    ).with_study(study)


def _refuse_wrong_samples(samples: Samples, sharing: Sequence[str]) -> None:
    """Raise `InputError` if samples of those who share are no numbers; all such users are named."""
    faults = []
    for name in sharing:
        try:
            samples.read(name)
        except InputError as error:
            faults.append(error)
    raise_faults(faults)


def _read_samples(file: PaymentsFile, table: DataTable, read: Read) -> Samples:
    """Find who has how many samples, in the file of all users or in each one's own."""
    if table.file is not None:
        return read_samples(_make_source(table, read, "data.file", table.file, table))
    return gather(
        table,
        {
            name: _make_source(
                table, read, f"parties.{name}.data", party.data, party, table, user=name
            )
            for name, party in file.parties.items()
            if party.data is not None  # the file's model refuses one that has none
        },
    )


def _make_source(
    table: DataTable,
    read: Read,
    place: str,
    data: Path,
    *stated: TableKeys,
    user: str | None = None,
) -> SamplesSource:
    path = read.file(place, data, merge_options(*stated))
    return SamplesSource(path, table, f"{place}: {data}", user)


def _as_known(variance: Any) -> Fraction | None:
    return None if variance == ESTIMATE else variance


def _list_parties(file: PaymentsFile, samples: Samples) -> dict[str, UserTable]:
    """Return the users: those of the data where these tell their levels, else those listed."""
    for name in file.parties:
        if name not in samples.held:
            near = difflib.get_close_matches(name, samples.held, n=1, cutoff=0.5)
            users = f"known are {', '.join(list(samples.held)[:10])}"
            raise InputError(
                f"parties.{name}",
                f"{samples.table.file} has no samples of this user",
                f"did you mean {near[0]!r}?" if near else users,
            )
    names = list(samples.held) if samples.levels else list(file.parties)
    counted = "samples" in KINDS[file.utility.kind].party_keys
    return {
        name: _fill_user(file.parties.get(name, UserTable()), name, samples, counted=counted)
        for name in names
    }


def _fill_user(user: UserTable, name: str, samples: Samples, *, counted: bool) -> UserTable:
    more: dict[str, Any] = {}
    if user.level is None and user.epsilon is None and name in samples.levels:
        more["level"] = samples.levels[name]
    if counted:
        n = samples.count(name)
        if user.samples is not None and user.samples != n:
            raise InputError(
                f"parties.{name}.samples",
                f"it is {user.samples}, and {user.data or samples.table.file} has {n} of this user",
                "leave it out: samples are counted",
            )
        more["samples"] = Fraction(n)
    return user.model_copy(update=more)


def list_notes(study: Study, users: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what of the data is not used."""
    unused = len(study.samples.held) - len(users)
    if not unused:
        return ()
    return (
        f"{unused} users in {study.samples.table.file} are not parties: nothing of theirs is used",
    )
