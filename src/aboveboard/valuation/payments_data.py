"""From a file of `valuation.payments` with users' samples to the same file with all filled in.

Who the parties are, their levels and numbers of samples come from the data where the file leaves
them out; variances are estimated where it says so. Nothing here looks at a sample itself but
through the study, which keeps to each user's level.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from aboveboard.errors import InputError
from aboveboard.mechanism import Read
from aboveboard.valuation.estimation.federated_study import FederatedStudy, federated_study
from aboveboard.valuation.estimation.private_mean_study import PrivateMeanStudy
from aboveboard.valuation.estimation.samples import Samples, read_samples
from aboveboard.valuation.payments_file import KINDS, PaymentsFile, UserTable, levels_of

Study = FederatedStudy | PrivateMeanStudy


def completed(file: PaymentsFile, read: Read) -> PaymentsFile:
    """Fill in what the data say; a file without [data] is given back as it is.

    Parameters
    ----------
    file
        The collaboration file.
    read
        Finds the data.

    Raises
    ------
    InputError
        If the data or what the file says about them is wrong.
    """
    if file.data is None:
        return file
    samples = read_samples(read.file("data.file", file.data.file), file.data, "data.file")
    with_users = file.model_copy(update={"parties": _parties(file, samples)})
    try:
        with_users.agree()
    except ValueError as error:
        problem, _, remedy = str(error).partition("; ")
        raise InputError("parties", problem, remedy) from None
    levels = levels_of(with_users)
    if file.utility.kind == "dp-mean":
        kept = samples.keeping([name for name, level in levels.items() if level])
        private = PrivateMeanStudy(kept, file.seed)
        private.bounds()
        return with_users.with_study(private)
    study = federated_study(
        samples, levels, _given(file.utility.s2), _given(file.utility.t2), file.seed
    )
    found = {"s2": study.variances.s2, "t2": study.variances.t2}
    numbers = {key: Fraction(found[key]) for key in study.estimated}
    return with_users.model_copy(
        update={"utility": file.utility.model_copy(update=numbers)}
    ).with_study(study)


def _given(variance: Any) -> Fraction | None:
    return None if variance == "estimate" else variance


def _parties(file: PaymentsFile, samples: Samples) -> dict[str, UserTable]:
    """Give the users: those of the data where these tell their levels, else those listed."""
    for name in file.parties:
        if name not in samples.rows:
            near = difflib.get_close_matches(name, samples.rows, n=1, cutoff=0.5)
            users = f"its users are {', '.join(list(samples.rows)[:10])}"
            raise InputError(
                f"parties.{name}",
                f"{samples.table.file} has no samples of this user",
                f"did you mean {near[0]!r}?" if near else users,
            )
    names = list(samples.rows) if samples.levels else list(file.parties)
    counted = "samples" in KINDS[file.utility.kind].party_keys
    return {
        name: _filled(file.parties.get(name, UserTable()), name, samples, counted=counted)
        for name in names
    }


def _filled(user: UserTable, name: str, samples: Samples, *, counted: bool) -> UserTable:
    more: dict[str, Any] = {}
    if user.level is None and user.epsilon is None and name in samples.levels:
        more["level"] = samples.levels[name]
    if counted:
        n = samples.count(name)
        if user.samples is not None and user.samples != n:
            raise InputError(
                f"parties.{name}.samples",
                f"it is {user.samples}, and {samples.table.file} has {n} of this user",
                "leave it out: samples are counted",
            )
        more["samples"] = Fraction(n)
    return user.model_copy(update=more)


def notes_on(study: Study, users: Mapping[str, Any]) -> tuple[str, ...]:
    """Say what of the data is not used."""
    unused = len(study.samples.rows) - len(users)
    if not unused:
        return ()
    return (
        f"{unused} users in {study.samples.table.file} are no parties: nothing of theirs is used",
    )
