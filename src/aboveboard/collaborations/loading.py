"""From the bytes of a collaboration file to validated keys, a rule, and what each party reports.

Everything that can be checked independently is checked before anything is raised, so that a user
sees all faults of a file and its data at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.collaborations.inputs import Reader, fingerprint_own_code
from aboveboard.collaborations.party_names import find_twin, is_party_name
from aboveboard.collaborations.registry import find_mechanism
from aboveboard.collaborations.source_file import SourceFile
from aboveboard.collaborations.validation import validate_table
from aboveboard.errors import InputError
from aboveboard.faults import add_path, collect_faults, raise_faults
from aboveboard.formatting import format_count, join_names
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import AnyMechanism
from aboveboard.mechanisms.user_calls import attribute_errors
from aboveboard.mechanisms.user_functions import (
    NotExecuted,
    allow_code,
    forbid_execution,
)

MOST_PARTIES = 20_000
"""Parties of a collaboration file: each is read on its own. Users of a data file may be more."""


def find_rule(source: SourceFile) -> type[AnyMechanism]:
    """Return the mechanism that a file names: an installed one, or "module:Class" beside it.

    Raises
    ------
    InputError
        If there is none, or the file names code that is not trusted.
    """
    name = source.mechanism
    if ":" in name:
        source.refuse_untrusted_code()
    with allow_code(source.code):
        return find_mechanism(name, source.locate("mechanism"))


def find_named_rule(name: str, place: str) -> type[AnyMechanism]:
    """Return an installed mechanism, or "module:Class" of the current folder.

    Who names a class on the command line asks for its code to run; no file does it for them.

    Parameters
    ----------
    name
        As the user wrote it.
    place
        Who names it, for messages.

    Raises
    ------
    InputError
        If there is none.
    """
    if ":" not in name:
        return find_mechanism(name, place)
    source = SourceFile(Path("collaboration.toml"), b"", "", {"mechanism": name}, trust_code=True)
    with allow_code(source.code):
        return find_mechanism(name, place)


@dataclass(frozen=True)
class ValidatedContent:
    """What a collaboration file and its data hold, validated.

    Parameters
    ----------
    file
        The keys.
    mechanism
        The rule with its parameters.
    reports
        By party: what it reports.
    inputs
        SHA-256 of every data file and of the user's own code.
    """

    file: CollaborationFile
    mechanism: AnyMechanism
    reports: Mapping[str, Any]
    inputs: Mapping[str, str]


def read_all(
    source: SourceFile,
    rule: type[AnyMechanism],
    seed: int | str | None = None,
    reader: Reader | None = None,
) -> ValidatedContent:
    """Validate a file by its rule and read the parties' data.

    Parameters
    ----------
    source
        The file.
    rule
        Its mechanism.
    seed
        Takes the place of a seed that the file leaves out, as in a replay; None: one is drawn.
    reader
        Reads the parties' data; None: from the files that the file names.

    Raises
    ------
    InputError
        If anything is wrong; `InputErrors` where several things are.
    """
    path, table = source.path, dict(source.table)
    if seed is not None:
        table.setdefault("seed", seed)
    source.refuse_untrusted_code()
    try:
        # Whatever is a user's own, the model of the file included, runs in here.
        with allow_code(source.code), attribute_errors(source.mechanism):
            return _read_content(source, table, rule, reader)
    except InputError as error:
        raise add_path(error, str(path)) from error


def _read_content(
    source: SourceFile, table: dict[str, Any], rule: type[AnyMechanism], reader: Reader | None
) -> ValidatedContent:
    faults: list[InputError] = []
    parties = table.get("parties")
    if isinstance(parties, dict) and len(parties) > MOST_PARTIES:
        problem = f"there are {format_count(len(parties))} of them"
        raise InputError("parties", problem, f"a file takes up to {format_count(MOST_PARTIES)}")
    reader = reader or source.make_reader(faults)
    file = _read_keys(source, table, rule, reader, faults)
    raise_faults(faults)
    mechanism = rule.from_file(file)
    reader.inputs.update(fingerprint_own_code(source.code))
    reports = _read_reports(file, rule, reader, faults)
    raise_faults(faults)
    _refuse_other_parties(file, rule, reports)
    return ValidatedContent(file, mechanism, reports, reader.inputs)


def _refuse_other_parties(file: Any, rule: type[AnyMechanism], reports: Any) -> None:
    """Raise if there is not one report for each party of the file."""
    parties = getattr(file, "parties", None)
    if not (isinstance(parties, Mapping) and isinstance(reports, Mapping)):
        return
    for these, others, said in (
        (parties, reports, "returns no report of"),
        (reports, parties, "returns a report of somebody who is not a party:"),
    ):
        if names := [str(name) for name in these if name not in others]:
            raise InputError(
                f"mechanism {rule.NAME!r}",
                f"read_reports {said} {join_names(names)}",
                "return one report for each party of the file",
            )


def _read_keys(
    source: SourceFile,
    table: dict[str, Any],
    rule: type[AnyMechanism],
    reader: Reader,
    faults: list[InputError],
) -> Any:
    """Return the validated keys; where they are wrong, the faults of data files are added."""
    with collect_faults(faults):
        file = validate_table(rule.FILE, table, source.text, source.path)
    if faults:
        _read_data_of_others(source, table, rule, reader, faults)
        raise_faults(faults)
    file = rule.infer_parties(file, reader)
    faults.extend(find_bad_names(file, source))
    return file


def _read_data_of_others(
    source: SourceFile,
    table: Mapping[str, Any],
    rule: type[AnyMechanism],
    reader: Reader,
    faults: list[InputError],
) -> None:
    """Add the faults of the data that wrong keys have nothing to do with."""
    rest = _leave_out(table, faults)
    try:
        file = validate_table(rule.FILE, rest, source.text, source.path)
    except InputError:
        _look_for_files(table, reader)
        return
    _look_for_files(table, reader, except_for=set(rest.get("parties", ())))
    with forbid_execution(), suppress(NotExecuted), collect_faults(faults):
        rule.read_reports(rule.infer_parties(file, reader), reader)


def _leave_out(table: Mapping[str, Any], faults: Sequence[InputError]) -> dict[str, Any]:
    """Return a table without the parties that have a wrong key, and without other wrong keys."""
    wrong = [match[1] for fault in faults if (match := re.search(r"key '(.*)'", fault.place))]
    parties = table.get("parties")
    rest = {key: value for key, value in table.items() if key not in wrong}
    if isinstance(parties, Mapping):
        places = {name: f"parties.{name}" for name in parties}
        rest["parties"] = {
            name: party
            for name, party in parties.items()
            if not any(f"{key}.".startswith(f"{places[name]}.") for key in wrong)
        }
    return rest


def _read_reports(
    file: Any, rule: type[AnyMechanism], reader: Reader, faults: list[InputError]
) -> Mapping[str, Any]:
    try:
        return rule.read_reports(file, reader)
    except InputError:
        raise_faults(faults)  # what could not be read explains what was missed later
        raise


def read_without_execution(
    source: SourceFile, rule: type[AnyMechanism]
) -> tuple[CollaborationFile, Mapping[str, Any], Mapping[str, str]]:
    """Return keys, reports and inputs; no code of a user is imported or called.

    Reports that only such code can make are left out, and of the lists those that no other has the
    size of: they have no fingerprint.

    Raises
    ------
    InputError
        If anything is wrong; `InputErrors` where several things are.
    """
    path, table = source.path, dict(source.table)
    faults: list[InputError] = []
    reader = source.make_reader(faults, whole=False)
    reports: Mapping[str, Any] = {}
    try:
        with allow_code(source.code), forbid_execution():
            file: CollaborationFile = _read_keys(source, table, rule, reader, faults)
            of_rule: list[InputError] = []  # they explain no fault of a report
            with suppress(NotExecuted), collect_faults(of_rule):
                rule.from_file(file)
            with suppress(NotExecuted), collect_faults(of_rule):
                reports = _read_reports(file, rule, reader, faults)
            reader.inputs.update(fingerprint_own_code(source.code))
            raise_faults([*faults, *of_rule])
    except InputError as error:
        raise add_path(error, str(path)) from error
    return file, reports, reader.inputs


def _look_for_files(
    table: Mapping[str, Any], reader: Reader, except_for: Collection[str] = ()
) -> None:
    """Add the parties' data files that are missing to the faults of a file that is wrong itself."""
    parties = table.get("parties")
    if not isinstance(parties, Mapping):
        return
    for name, party in parties.items():
        data = party.get("data") if isinstance(party, Mapping) else None
        if isinstance(data, str) and name not in except_for:
            reader.file(f"parties.{name}.data", Path(data))


def look_for_data(source: SourceFile) -> list[InputError]:
    """Return the faults of the data files that a file names, whatever its mechanism is."""
    faults: list[InputError] = []
    _look_for_files(source.table, source.make_reader(faults))
    return faults


def find_bad_names(file: CollaborationFile, source: SourceFile) -> list[InputError]:
    """Return a fault for each party name that cannot be a folder, or looks like another."""
    faults = []
    seen: dict[str, str] = {}
    for name in getattr(file, "parties", {}):
        if not is_party_name(name):
            faults.append(
                InputError(
                    source.locate("parties", name),
                    "this cannot be a party's name",
                    "use up to 64 of a to z, A to Z, digits, spaces, '.', '_' and '-', and no name "
                    "that Windows reserves, such as CON: a folder is called so",
                )
            )
        twin = find_twin(name, seen)
        if twin is not None:
            alike = name.casefold() == twin.casefold()
            faults.append(
                InputError(
                    source.locate("parties", name),
                    f"the name differs from {twin!r} in case only"
                    if alike
                    else f"the name looks like {twin!r}",
                    "rename one of the two",
                )
            )
    return faults
