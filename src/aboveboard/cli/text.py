"""Results as text for a terminal: tables, notes, wrapped sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aboveboard.cli.layout import fit_table, wrap
from aboveboard.currencies import describe_rounding
from aboveboard.formatting import (
    format_amount,
    format_number,
    format_quantity,
    join_names,
)
from aboveboard.report import format_report, is_profitable, list_notes, round_gain
from aboveboard.report.deviations import describe_search
from aboveboard.settlements.money import describe_payments, has_payments

if TYPE_CHECKING:
    from aboveboard.auditing.best_lies import BestLie
    from aboveboard.auditing.verdict import Verdicts
    from aboveboard.commands import AuditReport, Demonstration, Recommendation
    from aboveboard.commands.comparing import RuleResult
    from aboveboard.mechanisms.settlement import Settlement

MOST_NAMED = 3
"""Parties that are named in a note below a table; if there are more, the rest is counted."""

NOTES = ("notes", "warnings")
"""Details of a settlement that hold sentences for the operator."""


def settlement_table(
    settlement: Settlement,
    unit: str = "",
    verdicts: Verdicts | None = None,
    currency: str = "",
    kinds: Sequence[str] = (),
) -> str:
    """Return what each party gets, the settlement's notes, what is promised and was looked at."""
    of = f" ({unit})" if unit else ""
    shares = settlement.parties
    lists = [
        key
        for share in shares.values()
        for key, value in share.more.items()
        if isinstance(value, list | tuple)
    ]
    listed = list(dict.fromkeys(lists))
    paid = describe_payments(settlement, currency) if has_payments(settlement) else {}
    shown_as = format_amount if currency else format_number
    rows = [
        [
            name,
            shown_as(share.benefit),
            shown_as(share.utility),
            paid[name] if paid else format_number(share.payment),
            *(", ".join(map(str, share.more.get(key, ()))) for key in listed),
        ]
        for name, share in shares.items()
    ]
    head = ["party", f"gains{of}", "utility", "payment" if paid else "pays", *listed]
    shown = fit_table(head, rows, (1, 2) if paid else (1, 2, 3))
    details = settlement.details
    rounding = [f"payments are rounded {describe_rounding(currency)}"] if paid and currency else []
    notes = [wrap(note, label="note: ") for key in NOTES for note in details.get(key, ())]
    notes += [wrap(note, label="note: ") for note in rounding]
    headline = wrap(settlement.headline) if settlement.headline else ""
    found = verdict_text(verdicts) if verdicts else ""
    looked = " ".join(part for part in (describe_search(kinds), settlement.caveat) if part)
    return "\n\n".join(filter(None, (headline, shown, *notes, found, wrap(looked))))


def verdict_text(verdicts: Verdicts) -> str:
    """Return the verdicts in two groups, each with its basis and its counterexample."""
    groups = verdicts.group()
    tables = [f"{title}\n{_verdict_table(found)}" for title, found in groups]
    compared = sorted({v.compared for v in verdicts.values() if v.compared})
    left = [wrap(verdicts.describe_left())] if verdicts.left else []
    return "\n\n".join([*tables, *left, *(wrap(f"{note}.") for note in compared)])


def _verdict_table(verdicts: Verdicts) -> str:
    head = ["property", "verdict", "largest gain", "basis"]
    rows = [
        [v.property, v.status.value, format_number(round_gain(v)), v.basis()]
        for v in verdicts.values()
    ]
    notes = [list_notes(v) for v in verdicts.values()]
    return fit_table(head, rows, (2,), notes)


def lies_table(lies: Sequence[BestLie]) -> str:
    """Return each party's truth against its best lie; a note explains each "-"."""
    rows = [[lie.party, *_payoff_cells(lie), format_report(lie.report) or "-"] for lie in lies]
    head = ["party", "truth earns", "staying away earns", "best lie earns", "that lie"]
    shown = fit_table(head, rows, right=(1, 2, 3))
    return "\n".join(filter(None, (shown, _explain_dashes(lies))))


def _payoff_cells(lie: BestLie) -> list[str]:
    """Return what a party earns by the truth, by staying away and by its best lie."""
    return [format_number(x) or "-" for x in (lie.truth, lie.absent, lie.lie)]


def _explain_dashes(lies: Sequence[BestLie]) -> str:
    """Return why there is a "-" for some parties; empty if there is none.

    None stands for what a party cannot do in this game.
    """
    always = [lie.party for lie in lies if lie.absent is None]
    truthful = [lie.party for lie in lies if lie.lie is None]
    reasons = [
        f"{_name_parties(who, of=len(lies))} {what}"
        for who, what in ((always, "cannot stay away"), (truthful, "cannot report anything else"))
        if who
    ]
    return wrap(f'"-": {"; ".join(reasons)}') if reasons else ""


def _name_parties(parties: Sequence[str], of: int) -> str:
    """Return the names of a few parties; of many how many there are."""
    if len(parties) == of > 1:
        return "the parties"
    if len(parties) > MOST_NAMED:
        return format_quantity(len(parties), "party", "parties")
    return join_names(parties)


def audit_text(audit: AuditReport) -> str:
    """Return an audit: verdicts, best lies, remarks."""
    parts = [verdict_text(audit.verdicts)]
    if audit.lies:
        parts.append(lies_table(audit.lies))
    if audit.kinds:
        parts.append(wrap(describe_search(audit.kinds)))
    return "\n\n".join([*parts, *_remark_lines(audit)])


def _remark_lines(audit: AuditReport) -> list[str]:
    return [
        wrap(f"{name}: {remark.get('text', remark) if isinstance(remark, Mapping) else remark}")
        for name, remark in audit.remarks.items()
    ]


def demo_text(result: Demonstration) -> str:
    """Return the demonstration: who gains, the best lies, the verdicts, where the page is."""
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
                *_payoff_cells(lie)[1:],
                format_report(lie.report) or "-",
            ]
        )
    head = [
        "party",
        "owns",
        "gains by joining",
        "truth earns",
        "staying away earns",
        "best lie earns",
        "that lie",
    ]
    file = result.audit.subject.title
    intro = (
        f"{file}: {format_number(details['union'])} domains in total, exchanged by the "
        f"{details['rule']} rule. A party earns its own gain minus that of its best rival."
    )
    return "\n\n".join(
        [
            wrap(intro),
            fit_table(head, rows, right=(1, 2, 3, 4, 5)),
            verdict_text(result.audit.verdicts),
            wrap("The largest gain is that of the best lie found; no lie pays if it is 0 or less."),
            *_remark_lines(result.audit),
            f"report: {result.report}",
        ]
    )


def describe_text(texts: Mapping[str, str | None]) -> str:
    """Return a mechanism's texts, as `commands.describe_mechanism` collects them."""
    parts = [
        wrap(text, "  ", f"{part:<11} ")
        for part, text in texts.items()
        if part not in ("name", "summary") and text
    ]
    summary = texts["summary"] or "its class says nothing of itself (SUMMARY, ASSUMES, COST, ..)"
    return "\n".join([wrap(summary, label=f"{texts['name']}: "), *parts])


def comparison_text(results: Sequence[RuleResult]) -> str:
    """Return what each rule gives each party, and whether its promises stand."""
    parties = list(dict.fromkeys(name for each in results for name in each.settlement.parties))
    currency = results[0].audit.subject.currency
    shown_as = format_amount if currency else format_number
    rows = []
    for name in parties:
        row = [name]
        for each in results:
            share = each.settlement.parties.get(name)
            row += ["", ""] if share is None else [shown_as(share.benefit), shown_as(share.utility)]
        rows.append(row)
    head = ["party", *(f"{each.rule}: {what}" for each in results for what in ("gains", "utility"))]
    lines = [fit_table(head, rows, right=range(1, len(head)))]
    stands = {True: "all promises stand", False: "a promise fails", None: "a promise is undecided"}
    for each in results:
        if each.problem:
            lines.append(wrap(f"{each.rule}: not audited: {each.problem}."))
            continue
        paying = [lie.party for lie in each.audit.lies if is_profitable(lie)]
        lying = f"lying pays {join_names(paying)}" if paying else "no lie found pays"
        lines.append(wrap(f"{each.rule}: {stands[each.audit.verdicts.promises_stand]}; {lying}."))
    return "\n".join([lines[0], "", *lines[1:]])


IN_CHOICES = ("summary", "guarantees", "cannot")
"""What `choose` shows of each mechanism; `mechanisms` shows all texts."""


def choices_text(found: Recommendation) -> str:
    """Return which mechanisms fit, what each guarantees and cannot, and on what condition."""
    data: dict[str, Any] = dict(found.as_dict())
    head = "These fit:" if data["fitting"] else "None fits. The nearest, with what does not hold:"
    parts = [head]
    for each in (*data["fitting"], *data["nearest"]):
        lines = [describe_text({"name": each["mechanism"], **{k: each[k] for k in IN_CHOICES}})]
        lines += [wrap(text, "  ", "provided    ") for text in each["provided"]]
        lines += [wrap(text, "  ", "but         ") for text in each["broken"]]
        lines += [wrap(text, "  ", "note        ") for text in each["notes"]]
        parts.append("\n".join(lines))
    if found.file is not None:
        parts.append(
            f"wrote {found.file}; run it with: aboveboard run {found.file} --out settlement"
        )
    return "\n\n".join(parts)
