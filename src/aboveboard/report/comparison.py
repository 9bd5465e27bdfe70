"""Several rules on the same data, side by side on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aboveboard._version import __version__
from aboveboard.auditing.best_lies import BestLie
from aboveboard.auditing.verdict import Verdicts
from aboveboard.formatting import format_amount, join_names
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.report.answers import write_answers
from aboveboard.report.citations import move_citations
from aboveboard.report.claims import describe_claim
from aboveboard.report.deviations import name_deviations
from aboveboard.report.pictures.gains import draw_gains
from aboveboard.report.subject import Subject
from aboveboard.report.tables import STATUS_SIGNS
from aboveboard.report.templates import load_template
from aboveboard.report.words import format_report, list_notes
from aboveboard.settlements.money import describe_payments, has_payments


@dataclass(frozen=True)
class ComparedRule:
    """What one of several rules does with the data.

    Parameters
    ----------
    rule
        Its name.
    settlement
        What each party gets.
    verdicts
        What it promises, and what was examined besides.
    lies
        Each party's best lie.
    kinds
        Which kinds of deviations were looked at.
    problem
        Why it was not audited; empty if it was.
    source
        Where the rule stands; empty: where the subject's does.
    """

    rule: str
    settlement: Settlement
    verdicts: Verdicts
    lies: Sequence[BestLie]
    kinds: Sequence[str] = ()
    problem: str = ""
    source: str = ""


def render_comparison(subject: Subject, rules: Sequence[ComparedRule], date: str = "") -> str:
    """Return the page, as HTML.

    Parameters
    ----------
    subject
        The collaboration, as any of the rules reads it.
    rules
        Two or more.
    date
        The day; empty: none is shown.
    """
    appendix: dict[str, str] = {}
    shown = move_citations(
        {
            "answers": _write_answers(subject, rules),
            "lies": _tabulate_lies(rules),
            "verdicts": _tabulate_verdicts(rules),
        },
        appendix,
    )
    for each in rules:
        # What a verdict rests on is not on this page; its theorems are in the appendix anyway.
        for verdict in each.verdicts.values():
            move_citations(list_notes(verdict), appendix)
    return load_template("comparison.html.jinja").render(
        title=subject.title,
        rules=join_names(each.rule for each in rules),
        operator=subject.operator,
        date=date,
        picture=draw_gains({each.rule: each.settlement for each in rules}, subject.unit),
        parties=_tabulate_parties(subject, rules),
        **shown,
        sources=_list_sources(subject, rules),
        appendix=list(appendix.items()),
        seed=subject.seed,
        version=__version__,
        inputs=subject.inputs,
    )


def _write_answers(subject: Subject, rules: Sequence[ComparedRule]) -> list[dict[str, str]]:
    """Return for each rule what happens, what parties get, and whether lying pays."""
    found = []
    for each in rules:
        answers = write_answers(
            each.settlement,
            each.lies,
            each.verdicts,
            subject.unit,
            each.kinds,
            rivals=subject.counts_rivals,
        )
        *facts, lying = answers
        found.append(
            {
                "question": each.rule,
                "text": " ".join([*(x.text for x in facts), lying.question, lying.text]),
                "mood": lying.mood,
            }
        )
    return found


def _list_sources(subject: Subject, rules: Sequence[ComparedRule]) -> list[tuple[str, str]]:
    """Return where each rule stands: once, if it is the same place for all."""
    sources = {each.rule: each.source or subject.source for each in rules}
    if len(set(sources.values())) == 1:
        (source,) = set(sources.values())
        return [("the rules", source)] if source else []
    return [(rule, source) for rule, source in sources.items() if source]


def _list_parties(rules: Sequence[ComparedRule]) -> list[str]:
    return list(dict.fromkeys(name for each in rules for name in each.settlement.parties))


def _tabulate_parties(subject: Subject, rules: Sequence[ComparedRule]) -> dict[str, Any]:
    """Return a row for each party: gains, and payments where a rule has any, by rule."""
    columns, numeric = ["party"], [False]
    cells: list[list[str]] = [[name] for name in _list_parties(rules)]
    for each in rules:
        shares = each.settlement.parties
        columns.append(f"{each.rule}: gains")
        numeric.append(True)
        for row in cells:
            row.append(format_amount(shares[row[0]].benefit) if row[0] in shares else "")
        if has_payments(each.settlement):
            paid = describe_payments(each.settlement, subject.currency)
            columns.append(f"{each.rule}: payment")
            numeric.append(False)
            for row in cells:
                row.append(paid.get(row[0], ""))
    unit = f"Gains are counted in {subject.unit}." if subject.unit else ""
    return {"columns": columns, "numeric": numeric, "rows": cells, "note": unit}


def _tabulate_lies(rules: Sequence[ComparedRule]) -> dict[str, Any]:
    columns = ["party"]
    for each in rules:
        columns += [f"{each.rule}: truth", f"{each.rule}: best lie", f"{each.rule}: that lie"]
    rows = []
    for name in _list_parties(rules):
        row = [name]
        for each in rules:
            lie = next((x for x in each.lies if x.party == name), None)
            row += (
                ["", "", ""]
                if lie is None
                else [
                    format_amount(lie.truth),
                    format_amount(lie.lie) or "none",
                    format_report(lie.report),
                ]
            )
        rows.append(row)
    note = "Utility of each party with each report while the others tell the truth."
    numeric = [False, *([True, True, False] * len(rules))]
    return {"columns": columns, "numeric": numeric, "rows": rows, "note": note}


def _tabulate_verdicts(rules: Sequence[ComparedRule]) -> dict[str, Any]:
    """Return a row for each property: what is known of it under each rule."""
    names = list(dict.fromkeys(name for each in rules for name in each.verdicts))
    rows = [
        [
            f"{_describe_claim(name, rules)} ({name})".strip(),
            *(_describe(each.verdicts, name) for each in rules),
        ]
        for name in names
    ]
    columns = ["property", *(each.rule for each in rules)]
    note = "Promised: by this rule for these data. What is only examined counts for no promise."
    for each in rules:
        if each.problem:
            note += f" {each.rule} was not audited: {each.problem}."
    return {"columns": columns, "numeric": [False] * len(columns), "rows": rows, "note": note}


def _describe_claim(name: str, rules: Sequence[ComparedRule]) -> str:
    """Return what a property claims under the rules of which it is known, each claim once."""
    said = [
        describe_claim(name, name_deviations(each.kinds, (*each.verdicts, *each.verdicts.left)))
        for each in rules
        if name in each.verdicts
    ]
    return " ".join(dict.fromkeys(said))


def _describe(verdicts: Verdicts, name: str) -> str:
    verdict = verdicts.get(name)
    if verdict is None:
        return "not examined"
    sign = STATUS_SIGNS.get(verdict.status, "?")
    return f"{sign} {verdict.status.value}{', promised' if verdict.promised else ''}"
