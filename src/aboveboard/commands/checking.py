"""A collaboration file and its data checked: nothing is trained, and no code of a user runs.

Everything is read, all faults are reported at once, and warnings name what is legal but probably
not meant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from aboveboard.collaborations.faults import list_faults
from aboveboard.collaborations.loading import (
    SourceFile,
    find_rule,
    look_for_data,
    read_source,
    read_without_execution,
)
from aboveboard.errors import InputError
from aboveboard.formatting import format_quantity, join_names
from aboveboard.storage.records import ELEMENT, Records

SAMPLE = 3
"""Elements that a warning shows."""


@dataclass(frozen=True)
class PartyData:
    """What one party's data hold.

    Parameters
    ----------
    elements
        How many; None where the party reports no list.
    left_out
        Lines or rows of its file that are no elements.
    columns_that_leave
        Columns that other parties may receive beside the element.
    reading
        How the file was read: its format, what its elements are, comments, duplicates.
    """

    elements: int | None
    left_out: int = 0
    columns_that_leave: Sequence[str] = ()
    reading: Mapping[str, object] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "elements": self.elements,
            "left_out": self.left_out,
            "columns_that_leave": list(self.columns_that_leave),
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
    parties: Mapping[str, PartyData] = field(default_factory=dict)
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


def check_collaboration(path: Path) -> CheckReport:
    """Check a collaboration file and the data that it names.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    CheckReport
        With all faults; none is raised.
    """
    report = CheckReport(path)
    try:
        source = read_source(path)
        report = _describe_source(report, source)
        return _check_source(source, report)
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
        source = read_source(terms)
        report = _describe_source(report, source)
        return _check_source(_keep_party(source, party, data), report, alone=True)
    except InputError as error:
        return replace(report, faults=list_faults(error))


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
    return replace(source, table=table)


def _check_source(source: SourceFile, report: CheckReport, *, alone: bool = False) -> CheckReport:
    if ":" in source.mechanism:
        # A user's own class says how its file reads, and it is code: only a run imports it.
        faults = look_for_data(source)
        warning = f"{source.mechanism} is your own code: its keys are checked when it runs"
        return replace(report, faults=faults, warnings=[warning])
    rule = find_rule(source)
    file, reports, inputs = read_without_execution(source, rule)
    warnings = list(_find_warnings(reports, inputs))
    if not alone:
        warnings += _warn_about_file(source, getattr(file, "parties", {}))
    parties = {
        name: _describe_data(reports.get(name)) for name in getattr(file, "parties", reports)
    }
    return replace(report, warnings=warnings, parties=parties, cost=rule.COST)


def _describe_data(report: Any) -> PartyData:
    if not isinstance(report, Records):
        return PartyData(None)
    left_out = sum(report.reading.left_out.values())
    return PartyData(len(report), left_out, report.columns_that_leave, report.reading.as_dict())


def _describe_source(report: CheckReport, source: SourceFile) -> CheckReport:
    """Return the report with the mechanism and the code that the file names, none of it run."""
    code = source.code
    return replace(report, mechanism=source.mechanism, code=code.files, trust=code.digest)


def _warn_about_file(source: SourceFile, parties: Mapping[str, Any]) -> Iterable[str]:
    if "seed" not in source.table:
        yield "the file has no seed: each run draws one and records it"
    if len(parties) == 1:
        yield f"{next(iter(parties))} is the only party"


def _find_warnings(reports: Mapping[str, Any], inputs: Mapping[str, str]) -> Iterable[str]:
    by_digest = defaultdict(list)
    for name, digest in inputs.items():
        by_digest[digest].append(name)
    for names in by_digest.values():
        if len(names) > 1:
            yield f"{join_names(names)} are the same file"
    records = {name: report for name, report in reports.items() if isinstance(report, Records)}
    for name, report in records.items():
        if not len(report):
            yield f"{name} has no elements"
        columns = report.columns_that_leave
        if columns:
            yield f"{name}: the columns {join_names(columns)} go to other parties with its rows"
        for reason, count in report.reading.left_out.items():
            yield f"{name}: {format_quantity(count, 'entry', 'entries')} left out: {reason}"
        if report.reading.duplicates:
            repeated = format_quantity(report.reading.duplicates, "entry", "entries")
            yield f"{name}: {repeated} repeat an element"
    yield from _warn_about_spellings(records)


def _warn_about_spellings(records: Mapping[str, Records]) -> Iterable[str]:
    """Yield a warning where elements differ across parties only in spelling.

    Compared are lower case, without surrounding white space, a byte order mark or a final dot.
    """
    frames = [report.frame.select(ELEMENT) for report in records.values() if len(report)]
    if len(frames) < 2:
        return
    every = pl.concat(frames).unique()
    plain = pl.col(ELEMENT).str.strip_chars(" \t\ufeff\u200b").str.to_lowercase()
    groups = every.group_by(plain.str.strip_suffix(".").alias("plain")).agg(
        pl.col(ELEMENT).sort(), pl.len().alias("spellings")
    )
    several = groups.filter(pl.col("spellings") > 1).sort("plain")
    if several.height:
        shown = ", ".join(
            " = ".join(map(repr, spellings[:2])) for spellings in several[ELEMENT].head(SAMPLE)
        )
        count = format_quantity(several.height, "element")
        yield f"{count} appear in several spellings, which count as different: {shown}"
