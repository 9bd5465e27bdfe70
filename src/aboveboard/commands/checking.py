"""A collaboration file and its data checked: nothing is trained, and no code of a user runs.

Everything is read, all faults are reported at once, and warnings name what is legal but probably
not meant.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aboveboard.collaborations.loading import find_rule, look_for_data, read_without_execution
from aboveboard.collaborations.source_file import SourceFile, read_source
from aboveboard.errors import InputError
from aboveboard.faults import list_faults
from aboveboard.formatting import join_names
from aboveboard.storage.inspection import PartySummary, summarize_data
from aboveboard.storage.records import Records

GUESSABLE_DIGITS, GUESSABLE_CHARACTERS = 39, 32
"""Decimal digits, or hexadecimal ones, of a number of 128 bits."""


@dataclass(frozen=True)
class PartyHoldings:
    """What one party's data hold.

    Parameters
    ----------
    elements
        How many; None where the party reports no list.
    left_out
        Lines or rows of its file that are not elements.
    columns_that_leave
        Columns that other parties may receive beside the element.
    reading
        How the file was read: its format, what its elements are, comments, duplicates.
    kinds
        Elements by kind: exact where the kind is stated, of the first ten thousand where not.
    """

    elements: int | None
    left_out: int = 0
    columns_that_leave: Sequence[str] = ()
    reading: Mapping[str, object] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "elements": self.elements,
            "left_out": self.left_out,
            "columns_that_leave": list(self.columns_that_leave),
            **({"kinds": dict(self.kinds)} if self.kinds else {}),
            **({"reading": dict(self.reading)} if self.reading else {}),
        }


@dataclass(frozen=True)
class CheckReport:
    """What a check found.

    Parameters
    ----------
    file
        The collaboration file.
    mechanism
        Its mechanism; empty where the file names none.
    faults
        What is wrong; the file does not run.
    warnings
        What is probably not meant.
    parties
        What each party's data hold.
    code
        SHA-256 of each file of code that a run would execute, by its name; the check does not.
    trust
        The digest of all of them, to pass to `--trust-code`; None where there is none.
    cost
        How the time of a run grows.
    """

    file: Path
    mechanism: str = ""
    faults: Sequence[InputError] = ()
    warnings: Sequence[str] = ()
    parties: Mapping[str, PartyHoldings] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    trust: str | None = None
    cost: str = ""

    def exit_status(self, *, strict: bool = False) -> int:
        """Return 2 for a fault, or if strict for a warning; else 0."""
        return 2 if self.faults or (strict and self.warnings) else 0

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "file": str(self.file),
            "mechanism": self.mechanism,
            "faults": [
                {
                    "message": str(fault),
                    "place": fault.place,
                    "problem": fault.problem,
                    "remedy": fault.remedy,
                    **_locate(fault),
                }
                for fault in self.faults
            ],
            "warnings": list(self.warnings),
            "parties": {name: party.as_dict() for name, party in self.parties.items()},
            "code": [
                {"file": file, "sha256": digest} for file, digest in sorted(self.code.items())
            ],
            "trust": self.trust,
            "cost": self.cost,
        }


def _locate(fault: InputError) -> dict[str, int]:
    """Return the line and the column of a fault, where they are known."""
    text = f"{fault.place}; {fault.problem}"
    found = {part: re.search(rf"\b{part} (\d+)", text) for part in ("line", "column")}
    return {part: int(match[1]) for part, match in found.items() if match}


def check_collaboration(path: Path, *, allow_outside: bool = False) -> CheckReport:
    """Check a collaboration file and the data that it names.

    Parameters
    ----------
    path
        The file.
    allow_outside
        Whether it may name files outside of its folder.

    Returns
    -------
    CheckReport
        With all faults; none is raised.
    """
    report = CheckReport(path)
    try:
        source = read_source(path, allow_outside=allow_outside)
        report = _describe_source(report, source)
        return check_source(source, report)
    except InputError as error:
        return replace(report, faults=list_faults(error))


def check_own_data(data: Path, terms: Path, party: str) -> CheckReport:
    """Check one party's file against the terms of a collaboration, without anyone else's data.

    Parameters
    ----------
    data
        The party's own file.
    terms
        The collaboration file.
    party
        The party's name in it.
    """
    report = CheckReport(terms)
    try:
        _require_own_file(data)
        source = read_source(terms)
        report = _describe_source(report, source)
        return check_source(_keep_party(source, party, data), report, alone=True)
    except InputError as error:
        return replace(report, faults=list_faults(error))


def _require_own_file(data: Path) -> None:
    """Raise `InputError` unless a party's own file is there: the terms do not name it."""
    if not data.exists():
        raise InputError(f"--mine: {data}", "there is no such file", "name your own data file")
    if data.is_dir():
        raise InputError(f"--mine: {data}", "this is a folder", "name your own data file")


def _keep_party(source: SourceFile, party: str, data: Path) -> SourceFile:
    """Return the file with one party only, its data taken from a path."""
    parties = source.table.get("parties")
    if not isinstance(parties, Mapping) or not isinstance(parties.get(party), Mapping):
        known = join_names(parties) if isinstance(parties, Mapping) else "no party"
        raise InputError(
            f"--party {party}", f"{source.path} has no such party", f"it names {known}"
        )
    own = {key: value for key, value in parties[party].items() if key != "elements"}
    # An absolute path: it lies where the member says, not beside the terms.
    table = {**source.table, "parties": {party: {**own, "data": str(data.absolute())}}}
    return replace(source, table=table, allow_outside=True)


def check_source(source: SourceFile, report: CheckReport, *, alone: bool = False) -> CheckReport:
    """Return the report with what a file and its data hold; `alone`: it has one party only.

    Raises
    ------
    InputError
        If something is wrong with them.
    """
    if ":" in source.mechanism:
        # A user's own class says how its file reads, and it is code: only a run imports it.
        faults = look_for_data(source)
        warning = f"{source.mechanism} is your own code: its keys are checked when it runs"
        return replace(report, faults=faults, warnings=[warning])
    rule = find_rule(source)
    file, reports, inputs = read_without_execution(source, rule)
    records = {name: each for name, each in reports.items() if isinstance(each, Records)}
    summary = summarize_data(records, inputs)
    named = getattr(file, "parties", reports)
    found = [*summary.warnings, *_warn_about_file(source, named)]
    alone_only = {f"{name} is the only party" for name in named} if alone else set()
    warnings = [each for each in dict.fromkeys(found) if each not in alone_only]
    parties = {
        name: _describe_data(records[name], summary.parties[name])
        if name in records
        else PartyHoldings(None)
        for name in named
    }
    return replace(report, warnings=warnings, parties=parties, cost=rule.COST)


def _describe_data(records: Records, summary: PartySummary) -> PartyHoldings:
    return PartyHoldings(
        summary.elements,
        sum(summary.left_out.values()),
        summary.columns_that_leave,
        records.reading.as_dict(),
        summary.kinds,
    )


def _describe_source(report: CheckReport, source: SourceFile) -> CheckReport:
    """Return the report with the mechanism and the code that the file names, none of it run."""
    code = source.code
    return replace(report, mechanism=source.mechanism, code=code.files, trust=code.digest)


def is_guessable(seed: object) -> bool:
    """Return whether a seed as it is written has fewer than 128 bits.

    Examples
    --------
    >>> is_guessable(7), is_guessable("f" * 32)
    (True, False)
    """
    text = str(seed)
    return len(text) < (GUESSABLE_DIGITS if text.isdecimal() else GUESSABLE_CHARACTERS)


def _warn_about_file(source: SourceFile, parties: Mapping[str, Any]) -> Iterable[str]:
    if "seed" not in source.table:
        yield "the file has no seed: each run draws one and records it"
    elif is_guessable(source.table["seed"]):
        yield "the seed is short enough to be guessed: write 64 hexadecimal digits, or leave it out"
    if len(parties) == 1:
        yield f"{next(iter(parties))} is the only party"
    for path, names in _find_shared_files(source.table.get("parties")):
        yield f"{join_names(names)} have the same file {path}"


def _find_shared_files(parties: object) -> Iterable[tuple[str, Sequence[str]]]:
    """Yield the data files that several parties name, and who does."""
    by_path = defaultdict[str, list[str]](list)
    for name, party in parties.items() if isinstance(parties, Mapping) else ():
        data = party.get("data") if isinstance(party, Mapping) else None
        if isinstance(data, str):
            by_path[Path(data).as_posix()].append(name)
    return ((path, names) for path, names in by_path.items() if len(names) > 1)
