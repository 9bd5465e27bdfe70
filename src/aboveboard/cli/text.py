"""Results as text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from shutil import get_terminal_size
from textwrap import fill
from typing import Any

from aboveboard.auditing.best_lies import BestLie
from aboveboard.auditing.verdict import Verdicts
from aboveboard.commands import AuditReport, Demonstration, Recommendation
from aboveboard.mechanisms.mechanism import DesignResult
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.report import (
    LEGIBLE,
    counterexample,
    format_number,
    format_report,
    largest_gain,
    smallest,
)

NAMED = 3
"""So many parties are named in a note below a table; of more it says how many they are."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Set rows in columns; those at the positions in `right` are flush right."""
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = [
            cell.rjust(width) if k in right else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


NOTES = ("notes", "warnings")
"""Details of a settlement that hold sentences for whoever runs it."""


def settlement_table(settlement: Settlement, unit: str = "") -> str:
    """Show what each party gets, and what the settlement notes and warns of."""
    of = f" ({unit})" if unit else ""
    shares = settlement.parties
    lists = [key for share in shares.values() for key, x in share.more.items() if _listed(x)]
    listed = list(dict.fromkeys(lists))
    rows = [
        [
            name,
            format_number(share.benefit),
            format_number(share.utility),
            format_number(share.payment),
            *(", ".join(map(str, share.more.get(key, ()))) for key in listed),
        ]
        for name, share in shares.items()
    ]
    shown = table(["party", f"gains{of}", "utility", "pays", *listed], rows, right=(1, 2, 3))
    details = settlement.details
    notes = [f"note: {said}" for key in NOTES for said in details.get(key, ())]
    return "\n\n".join(filter(None, (settlement.headline, shown, *notes)))


def _listed(x: Any) -> bool:
    return isinstance(x, list | tuple)


def verdict_text(verdicts: Verdicts) -> str:
    """Show the verdicts, each with what it rests on and its counterexample."""
    head = ["property", "verdict", "largest gain", "basis"]
    rows = [
        [v.property, v.status.value, format_number(largest_gain(v)), v.basis()]
        for v in verdicts.values()
    ]
    lines = table(head, rows, right=(2,)).splitlines()
    shown = lines[:1]
    for line, verdict in zip(lines[1:], verdicts.values(), strict=True):
        shown.append(line)
        notes = [verdict.statement, verdict.confidence, counterexample(verdict)]
        if verdict.smallest is not None:
            notes.append(f"smallest instance found: {smallest(verdict.smallest)}")
        shown += [f"    {note}" for note in notes if note]
    return "\n".join(shown)


def lies_table(lies: Sequence[BestLie]) -> str:
    """Show each party's truth against its best lie; where there is a "-", say below what it is."""
    rows = [[lie.party, *_earned(lie), format_report(lie.report) or "-"] for lie in lies]
    head = ["party", "truth earns", "staying away earns", "best lie earns", "that lie"]
    shown = table(head, rows, right=(1, 2, 3))
    return "\n".join(filter(None, (shown, _why_nothing(lies))))


def _earned(lie: BestLie) -> list[str]:
    """Write what a party earns by the truth, by staying away and by its best lie."""
    return [format_number(x) or "-" for x in (lie.truth, lie.absent, lie.lie)]


def _why_nothing(lies: Sequence[BestLie]) -> str:
    """Say of the parties for whom a "-" stands why they have nothing there; empty: there is none.

    None stands for what a party cannot do in this game.
    """
    staying = [lie.party for lie in lies if lie.absent is None]
    speaking = [lie.party for lie in lies if lie.lie is None]
    reasons = [
        f"{what} {_those(who, of=len(lies))}"
        for who, what in (
            (staying, "staying away is not among the reports of"),
            (speaking, "there is no other report for"),
        )
        if who
    ]
    return f"where it says -, {'; '.join(reasons)}" if reasons else ""


def _those(parties: Sequence[str], of: int) -> str:
    """Name a few parties; of many say how many they are."""
    if len(parties) == of > 1:
        return "the parties"
    if len(parties) > NAMED:
        return f"{len(parties):,} parties"
    return " and ".join(filter(None, (", ".join(parties[:-1]), *parties[-1:])))


def audit_text(audit: AuditReport) -> str:
    """Show an audit: verdicts, best lies, remarks."""
    parts = [verdict_text(audit.verdicts)]
    if audit.overlooked:
        found = ", ".join(f"{lie.party}'s" for lie in audit.overlooked)
        parts.append(
            f"ex-post IC fails after all: the search for each party's best lie found {found}, "
            "below, which pays; allow more checks with --rows or --samples"
        )
    if audit.lies:
        parts.append(lies_table(audit.lies))
    for name, remark in audit.remarks.items():
        said = remark.get("text", remark) if isinstance(remark, Mapping) else remark
        parts.append(f"{name}: {said}")
    return "\n\n".join(parts)


def demo_text(result: Demonstration) -> str:
    """Show the demonstration: who gains, the best lies, the verdicts, where the page lies."""
    settlement, details = result.settlement, result.settlement.details
    lies = {lie.party: lie for lie in result.audit.lies}
    rows = []
    for name, share in settlement.parties.items():
        lie = lies[name]
        rows.append(
            [
                name,
                format_number(details["owned"][name]),
                format_number(share.benefit),
                format_number(share.utility),
                *_earned(lie)[1:],
                format_report(lie.report) or "-",
            ]
        )
    head = ["party", "owns", "gains by joining", "truth earns", "staying away earns",
            "best lie earns", "that lie"]  # fmt: skip
    remarks = [
        f"{name}: {remark.get('text', remark) if isinstance(remark, Mapping) else remark}"
        for name, remark in result.audit.remarks.items()
    ]
    return "\n\n".join(
        [
            f"{result.audit.collaboration.file.name}: {format_number(details['union'])} domains in all, "
            f"exchanged by the {details['rule']} rule. A party earns what it gains minus what its "
            "best rival gains.",
            table(head, rows, right=(1, 2, 3, 4, 5)),
            verdict_text(result.audit.verdicts),
            "The largest gain is what the best lie found would bring: none pays where it is 0 or "
            "less.",
            *remarks,
            f"report: {result.report}",
        ]
    )


def offer_text(offer: Any) -> str:
    """Show what `design` found: in its own words where it has some, else its plain data.

    Parameters
    ----------
    offer
        A result that is `Told`, or one with `as_dict`, or its plain data. Curves are for plots and
        JSON.
    """
    if not isinstance(offer, DesignResult):
        return _data_text(offer if isinstance(offer, Mapping) else offer.as_dict())
    tables = [
        (f"{each.title}:\n" if each.title else "")
        + table(each.columns, [list(map(str, row)) for row in each.rows])
        for each in offer.tables()
    ]
    return "\n\n".join([offer.headline, _labelled(offer.summary_rows()), *tables])


def _labelled(rows: Sequence[tuple[str, str]]) -> str:
    """Set values beside their labels."""
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label.ljust(width)}  {value}".rstrip() for label, value in rows)


def _data_text(offer: Mapping[str, Any]) -> str:
    """Show plain data, of a mechanism that has no words for it."""
    rows, tables = [], []
    for key, value in offer.items():
        if key == "curve" or value is None:
            continue
        if isinstance(value, Mapping) and all(isinstance(x, Mapping) for x in value.values()):
            tables.append(_offer_table(key, value))
            continue
        if isinstance(value, Mapping):
            shown = ", ".join(f"{k} {_short(v)}" for k, v in value.items())
        elif isinstance(value, list | tuple):
            shown = ", ".join(_short(v) for v in value) or "none"
        else:
            shown = _short(value)
        rows.append((key.replace("_", " "), shown))
    return "\n\n".join([*([_labelled(rows)] if rows else []), *tables])


def _offer_table(name: str, of: Mapping[str, Mapping[str, Any]]) -> str:
    """Show what is said of each party, a row each."""
    keys = list(dict.fromkeys(key for each in of.values() for key in each))
    rows = [[one, *(_short(each.get(key, "")) for key in keys)] for one, each in of.items()]
    return table([name, *(key.replace("_", " ") for key in keys)], rows)


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and len(value) > LEGIBLE and re.fullmatch(r"-?\d+/\d+", value):
        value = float(Fraction(value))  # JSON has it exactly
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def described_text(said: Mapping[str, str | None]) -> str:
    """Show what a mechanism says of itself, as `commands.described` gives it."""
    parts = [
        _hung(f"{part:<11} ", text, 2)
        for part, text in said.items()
        if part not in ("name", "summary") and text
    ]
    return "\n".join([_hung(f"{said['name']}: ", said["summary"] or "", 0), *parts])


def _hung(label: str, text: str, indent: int) -> str:
    """Wrap text behind a label to the width of the terminal; in a pipe to 100 columns."""
    width = get_terminal_size((100, 24)).columns
    begin = " " * indent + label
    after = " " * (len(begin) if indent else 2)
    return fill(text, max(width, 60), initial_indent=begin, subsequent_indent=after)


SPOKEN = ("summary", "guarantees", "cannot")
"""What `choose` shows of each mechanism; `mechanisms` shows all."""


def choices_text(found: Recommendation) -> str:
    """Show which mechanisms fit, what each guarantees and cannot, and on what condition."""
    said = found.as_dict()
    head = (
        "These fit:"
        if said["fitting"]
        else "None fits. What comes nearest, with what does not hold:"
    )
    parts = [head]
    for each in (*said["fitting"], *said["nearest"]):
        lines = [described_text({"name": each["mechanism"], **{k: each[k] for k in SPOKEN}})]
        lines += [_hung("provided    ", x, 2) for x in each["provided"]]
        lines += [_hung("but         ", x, 2) for x in each["broken"]]
        parts.append("\n".join(lines))
    if found.file is not None:
        parts.append(
            f"wrote {found.file}; run it with: aboveboard run {found.file} --out settlement"
        )
    return "\n\n".join(parts)
