"""A member's own file checked against the terms, and what of it leaves to whom, before it signs.

The same checks as `aboveboard check --mine`, with the terms of a round in place of a collaboration
file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aboveboard.collaborations.registry import find_mechanism
from aboveboard.collaborations.source_file import SourceFile
from aboveboard.commands.checking import CheckReport, check_source
from aboveboard.errors import InputError
from aboveboard.evidence.disclosures import list_facts
from aboveboard.evidence.members import read_payload
from aboveboard.evidence.own_part import (
    FOR_ALL_PARTIES,
    PATH_KEYS,
    WITH_ELEMENTS,
    build_table,
    list_elements,
    read_own_file,
)
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.terms import Terms
from aboveboard.faults import list_faults, raise_faults
from aboveboard.formatting import (
    describe_action,
    format_bytes,
    format_count,
    format_quantity,
    join_names,
)

MOST_SHOWN = 5
"""Elements that are shown of a list."""

UNKNOWN_SEED = "0" * 64
"""Stands for the joint seed, which nobody knows yet."""


@dataclass(frozen=True)
class OwnPart:
    """What a member is about to bring.

    Parameters
    ----------
    report
        What the check found.
    files
        The size of each file that is sealed to the center, by name.
    keys
        The member's own keys that are sealed with them.
    elements
        How many elements its list has; None where it brings no list.
    examples
        Some of them, as the rule reads them.
    columns
        Columns that other members may receive beside an element.
    """

    report: CheckReport
    files: Mapping[str, int]
    keys: Mapping[str, Any]
    elements: int | None = None
    examples: Sequence[str] = ()
    columns: Sequence[str] = ()

    @property
    def fits(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.report.faults

    def list_content(self) -> list[tuple[str, str]]:
        """Return the files and keys of the part, as labels and sentences."""
        rows = [(f"The file {name}", format_bytes(size)) for name, size in self.files.items()]
        rows += [
            (key.replace("_", " "), describe_action(value))
            for key, value in self.keys.items()
            if key not in PATH_KEYS
        ]
        return rows

    def list_what_leaves(self) -> list[tuple[str, str]]:
        """Return what leaves, to whom and when, as labels and sentences."""
        rows = self.list_content()
        sealed = (
            "all of this, encrypted, once all members have committed: it reads your data and "
            "computes the result"
            if rows
            else "nothing but random numbers, encrypted: what the rule takes from you stands in "
            "the terms"
        )
        rows.append(("To the center", sealed))
        if self.elements is not None:
            number = format_quantity(self.elements, "element")
            size = f"the number of your elements ({format_count(self.elements)}), "
            rows.append(("Read as", f"{number}, such as {join_names(self.examples)}"))
            rows.append(
                (
                    "To the other members",
                    f"{size}and those of your elements that the rule hands "
                    "to them" + (f", with {join_names(self.columns)}" if self.columns else ""),
                )
            )
        else:
            told = ("what the rule puts into their replies", *list_facts(self.report.mechanism))
            rows.append(("To the other members", "; ".join(told)))
        return rows

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "fits": self.fits,
            "faults": [str(fault) for fault in self.report.faults],
            "warnings": list(self.report.warnings),
            "files": dict(self.files),
            "elements": self.elements,
            "columns": list(self.columns),
            "leaves": dict(self.list_what_leaves()),
        }


def check_own_file(terms: Terms, name: str, file: Path) -> OwnPart:
    """Check a member's file before it commits to it; all faults stand in the report.

    Parameters
    ----------
    terms
        What was agreed.
    name
        The member.
    file
        Its data file, or a TOML file with its own keys.
    """
    try:
        table, files = read_own_file(file)
    except InputError as error:
        report = CheckReport(file, terms.mechanism, faults=list_faults(error))
        return OwnPart(report, {file.name: 0}, {})
    return _check(terms, name, file, Payload(table, files, bytes(32), bytes(32)))


def check_committed_part(terms: Terms, name: str, private: Path) -> OwnPart:
    """Return what a member has committed to, before it is sent.

    Parameters
    ----------
    terms, name
        As for `check_own_file`.
    private
        The member's private folder of the round.

    Raises
    ------
    InputError
        If it has not committed.
    """
    return _check(terms, name, private, read_payload(private))


def list_own_faults(terms: Terms, name: str, part: Payload) -> list[InputError]:
    """Return what is wrong with a member's part by itself: it follows from nothing but the terms.

    Parameters
    ----------
    terms, name
        As for `check_own_file`.
    part
        What the member has sent.
    """
    return list(_check(terms, name, Path(name), part).report.faults)


def _check(terms: Terms, name: str, place: Path, part: Payload) -> OwnPart:
    sizes = {file: len(content) for file, content in part.files.items()}
    report = CheckReport(place, terms.mechanism)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            table = build_table(terms, {name: part}, folder)
            report = _check_table(terms, name, folder, table, report)
            elements = list_elements(terms, name, part)
        except InputError as error:
            faults = [_shorten(fault, folder) for fault in list_faults(error)]
            report = CheckReport(place, terms.mechanism, faults=faults)
            return OwnPart(report, sizes, part.table)
    if terms.mechanism not in WITH_ELEMENTS:
        return OwnPart(report, sizes, part.table)
    data = report.parties.get(name)
    return OwnPart(
        report,
        sizes,
        part.table,
        len(elements),
        [element.decode("utf-8") for element in elements[:MOST_SHOWN]],
        () if data is None else data.columns_that_leave,
    )


def _check_table(
    terms: Terms, name: str, folder: Path, table: Mapping[str, Any], report: CheckReport
) -> CheckReport:
    """Return what the check of a file with one party finds of this party."""
    if ":" in terms.mechanism:
        return report
    known = {other: member.parameters for other, member in terms.members.items()}
    own = {key: value for key, value in table.items() if key not in FOR_ALL_PARTIES}
    own["parties"] = {**known, **table["parties"]}
    rule = find_mechanism(terms.mechanism, "key 'mechanism'")
    isolated, warnings = rule.isolate_party(own, name)
    source = SourceFile(folder / "terms.toml", b"", "", {**isolated, "seed": UNKNOWN_SEED})
    report = replace(report, warnings=warnings)
    if terms.mechanism in WITH_ELEMENTS:
        return check_source(source, report, alone=True)
    try:
        found = check_source(source, report, alone=True)
        return replace(found, warnings=[*warnings, *found.warnings])
    except InputError as error:
        # The others' parts are not here, and not everything can be read without them.
        mine = [fault for fault in list_faults(error) if f"parties.{name}" in fault.place]
        raise_faults(mine)
        return report


def _shorten(fault: InputError, folder: Path) -> InputError:
    """Return a fault without the name of a folder that nobody knows."""
    place = fault.place.replace(f"{folder}/", "").replace(str(folder), "your part")
    return InputError(place, fault.problem.replace(f"{folder}/", ""), fault.remedy)
