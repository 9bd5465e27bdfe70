"""One self-contained HTML page of a run or an audit, made from result objects alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aboveboard._version import __version__
from aboveboard.auditing.best_lies import BestLie
from aboveboard.auditing.verdict import Status, Verdict, Verdicts, Witness, approximate, plain
from aboveboard.collaboration import Collaboration
from aboveboard.mechanism import MANIFEST, Settlement
from aboveboard.numbers import Number

TEMPLATES = Path(__file__).with_name("templates")

MONEY = 100
"""From here on a fraction is shown with two decimals, as an amount of money would be."""

LEGIBLE = 11
"""Characters up to which a fraction is shown as one; JSON has all of them exactly."""


def page(
    collaboration: Collaboration,
    *,
    settlement: Settlement | None = None,
    lies: Sequence[BestLie] = (),
    verdicts: Verdicts | None = None,
    remarks: Mapping[str, Any] | None = None,
) -> str:
    """Make the page.

    Parameters
    ----------
    collaboration
        What was run or audited.
    settlement
        What came out of a run.
    lies
        Each party's best lie.
    verdicts
        What an audit found.
    remarks
        What else the mechanism has to say.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    rule = collaboration.mechanism
    unit = rule.UNIT
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True,
    )  # fmt: skip
    return environment.get_template("page.html.jinja").render(
        title=collaboration.file.name or collaboration.path.stem,
        mechanism=rule.NAME,
        summary=rule.SUMMARY,
        answers=_answers(settlement, lies, verdicts, unit),
        columns=_columns(settlement, unit),
        parties=_parties(settlement),
        exhibits=_exhibits(settlement),
        chart=_chart(lies, unit),
        chart_note=_chart_note(lies),
        lies=[
            {
                "party": lie.party,
                "truth": number(lie.truth),
                "absent": number(lie.absent),
                "lie": "none" if lie.lie is None else number(lie.lie),
                "report": spoken(lie.report),
                "tried": f"{lie.checked:,} of {approximate(lie.total)}",
            }
            for lie in lies
        ],
        verdicts=[_verdict(v) for v in verdicts.values()] if verdicts else [],
        details=_details(settlement, remarks),
        source=rule.SOURCE,
        assumes=rule.ASSUMES,
        version=__version__,
        seed=collaboration.file.seed,
    )


def number(x: Number | None) -> str:
    """Write a number for people: digits grouped, fractions as such where they are short."""
    if x is None:
        return ""
    shown = plain(x)
    if isinstance(shown, int):
        return f"{shown:,}"
    if isinstance(shown, float) or abs(float(x)) < MONEY:
        short = isinstance(shown, str) and len(shown) <= LEGIBLE
        return str(shown) if short else f"{float(x):.6g}"
    return f"{float(x):,.2f}"


def spoken(report: Any) -> str:
    """Write a report for people."""
    if report is None:
        return ""
    if isinstance(report, Mapping):
        return "; ".join(f"{key} {_listed(value)}" for key, value in report.items())
    return str(report)


def _listed(value: Any) -> str:
    if isinstance(value, Mapping):
        entries = [f"{number(n)} of {key}" for key, n in value.items()]
        shown = ", ".join(entries[:4])
        return shown + (f" and from {len(entries) - 4} more regions" if len(entries) > 4 else "")
    if isinstance(value, list):
        return ", ".join(str(x) for x in value)
    return str(value)


def _answers(
    settlement: Settlement | None,
    lies: Sequence[BestLie],
    verdicts: Verdicts | None,
    unit: str,
) -> list[dict[str, str]]:
    """Say first what happened and whether anyone is better off lying."""
    answers = []
    if settlement is not None:
        gainers = [name for name, share in settlement.parties.items() if share.benefit > 0]
        total = sum((share.benefit for share in settlement.parties.values()), 0)
        gained = (
            f"{len(gainers)} of {len(settlement.parties)} parties gain, "
            f"{number(total)} {unit} in all."
        )
        answers.append({"mood": "", "text": settlement.headline or gained})
    paying = [lie for lie in lies if lie.lie is not None and lie.lie > lie.truth]
    if paying:
        worst = max(paying, key=lambda lie: (lie.lie or 0) - lie.truth)
        gain = number((worst.lie or 0) - worst.truth)
        answers.append({"mood": "bad", "text": f"Lying pays: {worst.party} gains {gain} ({unit})."})
    elif settlement is not None and verdicts is None and not lies:
        text = "Lies were not searched in this run; 'aboveboard audit' does."
        answers.append({"mood": "", "text": text})
    elif lies:
        proved = verdicts is not None and any(
            v.property == "ex-post IC" and v.status is Status.HOLDS for v in verdicts.values()
        )
        sure = proved or all(lie.exhaustive for lie in lies)
        text = (
            "Nobody is better off lying while the others tell the truth."
            if sure
            else "No lie that pays was found among those tried; the others told the truth."
        )
        caveat = "" if settlement is None else settlement.caveat
        mood = "good" if sure and not caveat else ""
        answers.append({"mood": mood, "text": f"{text} {caveat}".rstrip()})
    return answers


def _columns(settlement: Settlement | None, unit: str) -> list[str]:
    if settlement is None:
        return []
    further = [key.replace("_", " ") for key in _further(settlement)]
    return [f"gains ({unit})", f"utility ({unit})", "pays", *further]


def _further(settlement: Settlement) -> list[str]:
    """List the numbers that the mechanism gives beyond those that all have."""
    return list(dict.fromkeys(key for share in settlement.parties.values() for key in share.more))


def _parties(settlement: Settlement | None) -> list[dict[str, Any]]:
    if settlement is None:
        return []
    further = _further(settlement)
    return [
        {
            "name": name,
            "cells": [
                _cell(x)["text"]
                for x in (
                    share.benefit,
                    share.utility,
                    share.payment,
                    *(share.more.get(key) for key in further),
                )
            ],
        }
        for name, share in settlement.parties.items()
    ]


def _exhibits(settlement: Settlement | None) -> list[dict[str, Any]]:
    if settlement is None:
        return []
    return [
        {
            "title": exhibit.title,
            "columns": exhibit.columns,
            "rows": [[_cell(x) for x in row] for row in exhibit.rows],
            "note": exhibit.note,
        }
        for exhibit in settlement.exhibits
    ]


def _cell(x: Any) -> dict[str, Any]:
    if isinstance(x, bool) or x is None:
        return {"text": "" if x is None else ("yes" if x else "no"), "number": False}
    if isinstance(x, str):
        return {"text": x, "number": False}
    if isinstance(x, list | tuple):
        return {"text": ", ".join(map(str, x)) or "none", "number": False}
    return {"text": number(x), "number": True}


def _chart(lies: Sequence[BestLie], unit: str) -> Any:
    if not lies:
        return None
    from markupsafe import Markup

    from aboveboard.plot import truth_against_lie

    drawing = truth_against_lie(
        [lie.party for lie in lies],
        [float(lie.truth) for lie in lies],
        [None if lie.lie is None else float(lie.lie) for lie in lies],
        [None if lie.absent is None else float(lie.absent) for lie in lies],
        unit,
    )
    return Markup(drawing)


def _chart_note(lies: Sequence[BestLie]) -> str:
    tried = sum(lie.checked for lie in lies)
    if all(lie.exhaustive for lie in lies):
        return f"All {tried:,} lies were tried, the others truthful."
    return (
        f"{tried:,} lies were tried, the others truthful; where not all were, a better one may "
        "exist unless a verdict below says that none does."
    )


def _verdict(verdict: Verdict) -> dict[str, Any]:
    notes = [n for n in (verdict.statement, verdict.confidence) if n]
    if verdict.witness is not None:
        notes.append(f"counterexample: {witness_text(verdict.witness)}")
    if verdict.smallest is not None:
        notes.append(f"smallest instance found: {smallest(verdict.smallest)}")
    return {
        "property": verdict.property,
        "status": verdict.status.value,
        "kind": verdict.status.value.split()[0],
        "gain": number(verdict.gain),
        "basis": verdict.basis(),
        "notes": notes,
    }


def witness_text(witness: Witness) -> str:
    """Write a counterexample for people."""
    if witness.note:
        return witness.note
    lies = "; ".join(f"{p} {spoken(witness.lie[p])}" for p in witness.parties)
    others = "; ".join(f"{p} {spoken(a)}" for p, a in witness.others.items() if a != "truth")
    return f"{lies}, and gains {number(witness.gain)}" + (f", while {others}" if others else "")


def smallest(instance: Mapping[str, Any]) -> str:
    """Write the smallest instance and its deviation for people."""
    sets = instance.get("sets", {})
    owned = "; ".join(f"{p} owns {{{', '.join(s)}}}" for p, s in sets.items())
    row = instance["deviation"]
    lie = "; ".join(f"{p} {spoken(a)}" for p, a in row["lie"].items())
    others = "; ".join(f"{p} {spoken(a)}" for p, a in row["others"].items() if a != "truth")
    text = f"{owned}. " if owned else ""
    return text + (f"While {others}, " if others else "") + f"{lie}, and gains {row['gain']}"


def _details(
    settlement: Settlement | None, remarks: Mapping[str, Any] | None
) -> list[tuple[str, str]]:
    rows = dict(settlement.details) if settlement is not None else {}
    rows.update(remarks or {})
    return [(key, _detail(value)) for key, value in rows.items()]


def _detail(value: Any) -> str:
    if isinstance(value, Mapping):
        if "text" in value:
            return str(value["text"])
        return ", ".join(f"{k} {_detail(v)}" for k, v in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        if any(isinstance(x, Mapping) for x in value):
            return f"{len(value):,}, in {MANIFEST}"
        return ", ".join(_detail(x) for x in value) or "none"
    return number(value) if isinstance(value, int | float) else str(value)
