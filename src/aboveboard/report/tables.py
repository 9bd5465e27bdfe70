"""The tables and the chart of a page, as plain data for the template."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aboveboard.auditing.best_lies import BestLie
from aboveboard.auditing.verdict import Status, Verdict, Verdicts
from aboveboard.formatting import format_count_typeset, format_number
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.report.words import counterexample, detail, format_report, largest_gain, smallest

DRAWN = 16
"""Parties that the chart shows at most, or nobody would read it; the table shows all."""

CLAIMS = (
    ("ex-post IC", "No party gains by lying while the others tell the truth."),
    ("epsilon-IC", "No party gains more than epsilon by lying to truthful others."),
    ("DSIC", "No party gains by lying, whatever the others report."),
    (r"IR .*every", "No party loses by taking part, whatever the others report."),
    ("IR", "No party loses by taking part."),
    (r"coalition-proof .*transfers", "No group of at most {} gains by lying together, "
     "even if its members pay one another."),
    ("coalition-proof", "No group of at most {} gains by lying together."),
    (r"Pareto efficient \(", "No other outcome that hands out as much is better for one party "
     "and worse for none."),
    ("Pareto efficient", "No other outcome is better for one party and worse for none."),
    ("efficient", "No other outcome is worth more to all parties together."),
    ("symmetric", "Reports that are worth the same are sent the same amount."),
    ("strong dominance", "Whoever reports less is sent no more."),
    ("weak budget balance", "The center never pays out more than it takes in."),
    ("strong budget balance", "The center pays out exactly what it takes in."),
    ("unique equilibrium", "Everybody telling the truth is the only stable state."),
)  # fmt: skip
"""What properties say, by how their names begin; the first that fits."""

SIGNS = {Status.HOLDS: "✓", Status.FAILS: "✗", Status.NO_COUNTEREXAMPLE: "~"}
"""So that nobody needs colours to tell verdicts apart."""


def parties(settlement: Settlement | None, unit: str) -> dict[str, Any] | None:
    """Give each party's share as a table; None where nothing was settled."""
    if settlement is None:
        return None
    shares = settlement.parties
    further = list(dict.fromkeys(key for share in shares.values() for key in share.more))
    of = f" ({unit})" if unit else ""
    pays = any(share.payment for share in shares.values())
    columns = ["party", f"gains{of}", f"utility{of}", *([f"pays{of}"] if pays else [])]
    rows = [
        [
            _cell(name),
            _cell(share.benefit),
            _cell(share.utility),
            *([_cell(share.payment)] if pays else []),
            *(_cell(share.more.get(key)) for key in further),
        ]
        for name, share in shares.items()
    ]
    note = (
        "gains: what its reply brings a party. utility: what that is worth to it, "
        "rivals' gains, payments and privacy counted where the rule counts them."
    )
    if pays:
        note += " pays: to the center; a negative payment is received."
    return _table([*columns, *(key.replace("_", " ") for key in further)], rows, note)


def exhibits(settlement: Settlement | None) -> list[dict[str, Any]]:
    """Give the mechanism's own tables."""
    return [
        {
            "title": exhibit.title,
            **_table(
                list(exhibit.columns), [[_cell(x) for x in row] for row in exhibit.rows],
                exhibit.note,
            ),
        }
        for exhibit in (() if settlement is None else settlement.exhibits)
    ]  # fmt: skip


def _table(columns: list[str], rows: list[list[dict[str, Any]]], note: str) -> dict[str, Any]:
    """Give a table; a column stands flush right where all that is in it are numbers."""
    numeric = [
        any(row[k]["number"] for row in rows)
        and all(row[k]["number"] or not row[k]["text"] for row in rows)
        for k in range(len(columns))
    ]
    texts = [[cell["text"] for cell in row] for row in rows]
    return {"columns": columns, "numeric": numeric, "rows": texts, "note": note}


LARGEST_DRAWN = 10**300
"""What matplotlib can lay out: floats end at 1e308, and axes have margins."""


def _cell(x: Any) -> dict[str, Any]:
    if isinstance(x, bool) or x is None:
        return {"text": "" if x is None else ("yes" if x else "no"), "number": False}
    if isinstance(x, str):
        # Text such as "5/12" is an exact number.
        return {"text": x, "number": re.fullmatch(r"-?\d+(/\d+)?", x) is not None}
    if isinstance(x, list | tuple):
        return {"text": ", ".join(map(str, x)) or "none", "number": False}
    return {"text": format_number(x), "number": True}


def chart(lies: Sequence[BestLie], unit: str) -> Any:
    """Draw truth against the best lie; None where there is nothing to compare."""
    shown = _drawn(lies)
    if not shown:
        return None
    from markupsafe import Markup

    from aboveboard.report.plot import truth_against_lie

    drawing = truth_against_lie(
        [lie.party for lie in shown],
        [float(lie.truth) for lie in shown],
        [None if lie.lie is None else float(lie.lie) for lie in shown],
        [None if lie.absent is None else float(lie.absent) for lie in shown],
        unit,
    )
    return Markup(drawing)


def _drawn(lies: Sequence[BestLie]) -> list[BestLie]:
    """Choose whom the chart shows: of many those whose best lie comes nearest to paying, or pays.

    Who has nothing to set beside the truth is left out, and whoever has more than an axis can show.
    """
    compared = [
        lie for lie in lies if (lie.lie is not None or lie.absent is not None) and _fits(lie)
    ]
    if len(compared) <= DRAWN:
        return compared
    # Who has no lie comes last: by how much the truth beats the best lie, least first.
    ranked = sorted(
        compared, key=lambda x: (x.lie is None, 0 if x.lie is None else x.truth - x.lie)
    )
    chosen = {lie.party for lie in ranked[:DRAWN]}
    return [lie for lie in compared if lie.party in chosen]


def _fits(lie: BestLie) -> bool:
    amounts: tuple[Number | None, ...] = (lie.truth, lie.lie, lie.absent)
    return all(x is None or -LARGEST_DRAWN <= x <= LARGEST_DRAWN for x in amounts)


def chart_notes(lies: Sequence[BestLie]) -> list[str]:
    """Say what was tried, and who is in the chart."""
    if not lies:
        return []
    tried = sum(lie.checked for lie in lies)
    if not tried:
        notes = ["No lie was tried: no party has another report that this search could try."]
    elif all(lie.exhaustive for lie in lies):
        notes = [f"All {format_count_typeset(tried)} lies were tried, the others truthful."]
    else:
        notes = [
            f"{format_count_typeset(tried)} lies were tried, the others truthful; where not all were, a better "
            "one may exist unless a verdict below says that none does."
        ]
    compared = sum(lie.lie is not None or lie.absent is not None for lie in lies)
    if compared > DRAWN:
        notes.append(f"The chart shows the {DRAWN} parties whose best lie comes nearest to paying, "
                     "or pays most; the table shows all.")  # fmt: skip
    return notes


def best_lies(lies: Sequence[BestLie]) -> list[dict[str, str]]:
    """Give each party's truth, absence and best lie in words."""
    return [
        {
            "party": lie.party,
            "truth": format_number(lie.truth),
            "absent": format_number(lie.absent) or "–",
            "lie": "none" if lie.lie is None else format_number(lie.lie),
            "report": format_report(lie.report),
            "tried": f"{format_count_typeset(lie.checked)} of {format_count_typeset(lie.total)}",
        }
        for lie in lies
    ]


def verdicts(found: Verdicts | None) -> list[dict[str, Any]]:
    """Give the verdicts: the claim in plain words first, then its name and what it rests on."""
    return [_verdict(v) for v in (found or {}).values()]


def _verdict(verdict: Verdict) -> dict[str, Any]:
    notes = [n for n in (verdict.statement, verdict.confidence, counterexample(verdict)) if n]
    if verdict.smallest is not None:
        notes.append(f"smallest instance found: {smallest(verdict.smallest)}")
    return {
        "claim": claim(verdict.property),
        "property": verdict.property,
        "status": verdict.status.value,
        "sign": SIGNS.get(verdict.status, "?"),
        "kind": verdict.status.value.split()[0],
        "gain": _gain(verdict),
        "basis": _basis(verdict),
        "notes": notes,
    }


def claim(name: str) -> str:
    """Say what a property claims in words that need no knowledge of the field.

    Parameters
    ----------
    name
        As verdicts carry it, such as "coalition-proof (size 2)".

    Returns
    -------
    str
        A sentence; for a property of somebody else's making nothing.
    """
    size = re.search(r"size (\d+)", name)
    for begins, said in CLAIMS:
        if re.match(begins, name):
            return said.format(f"{size[1]} parties" if size else "so many")
    return ""


def _gain(verdict: Verdict) -> str:
    """Say what the best lie found brings; one that only loses is no gain."""
    gain = largest_gain(verdict)
    if gain is None:
        return ""
    if gain < 0 and verdict.status is not Status.NO_COUNTEREXAMPLE:
        return f"none: every lie loses {format_number(-gain)} or more"
    return format_number(gain)


def _basis(verdict: Verdict) -> str:
    if verdict.how == "closed form":
        return "a proof evaluated on these data (closed form)"
    if verdict.how == "exhaustive" and verdict.checked == verdict.total:
        return f"every case checked: {format_count_typeset(verdict.total)}"
    if verdict.how in ("exhaustive", "sampled"):
        return f"some cases checked: {format_count_typeset(verdict.checked)} of {format_count_typeset(verdict.total)}"
    return verdict.how


def details(
    settlement: Settlement | None, remarks: Mapping[str, Any] | None
) -> list[tuple[str, str]]:
    """Give what else the mechanism says, as names and texts."""
    rows = dict(settlement.details) if settlement is not None else {}
    rows.update(remarks or {})
    return [(key.replace("_", " "), detail(value)) for key, value in rows.items()]
