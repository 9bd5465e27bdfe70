"""The tables and the chart of a page, as plain data for the template."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from aboveboard.auditing.best_lies import BestLie
from aboveboard.auditing.verdict import Status, Verdict, Verdicts
from aboveboard.currencies import describe_rounding
from aboveboard.formatting import format_amount, format_count_typeset, format_probability
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.settlement import MANIFEST, Settlement
from aboveboard.report.claims import describe_claim
from aboveboard.report.deviations import CHOOSING, LYING, Nouns, name_deviations, name_reports
from aboveboard.report.words import format_detail, format_report, list_notes, round_gain
from aboveboard.settlements.money import describe_payments, has_payments

MOST_DRAWN = 16
"""Parties that the chart shows at most, to stay readable; the table shows all."""

STATUS_SIGNS = {Status.HOLDS: "✓", Status.FAILS: "✗", Status.NO_COUNTEREXAMPLE: "~"}
"""They tell verdicts apart without colours."""


def tabulate_parties(
    settlement: Settlement | None, unit: str, currency: str = "", *, rivals: bool = False
) -> dict[str, Any] | None:
    """Return each party's share as a table; None without a settlement.

    Parameters
    ----------
    settlement
        What each party gets.
    unit, currency
        What benefits are counted in, and what payments are in; empty: none.
    rivals
        Whether utility counts what rivals gain: then it is told in words whether one gained more.
    """
    if settlement is None:
        return None
    shares = settlement.parties
    further = list(dict.fromkeys(key for share in shares.values() for key in share.more))
    of = f" ({unit})" if unit else ""
    paid = describe_payments(settlement, currency) if has_payments(settlement) else {}
    compared = count_ahead(settlement) if rivals else {}
    worth = not rivals or any(share.utility for share in shares.values())
    columns = [
        "party",
        f"gains{of}",
        *([f"utility{of}"] if worth else []),
        *(["rivals"] if compared else []),
        *(["payment"] if paid else []),
    ]
    rows = [
        [
            _make_cell(name),
            _make_cell(share.benefit),
            *([_make_cell(share.utility)] if worth else []),
            *([_make_cell(describe_rivals(compared[name]))] if compared else []),
            *([_make_cell(paid[name])] if paid else []),
            *(_make_cell(share.more.get(key)) for key in further),
        ]
        for name, share in shares.items()
    ]
    note = "gains: the benefit of its reply to a party."
    if worth:
        note += (
            " utility: what that is worth to it, with rivals' gains, payments and privacy, where "
            "the rule counts them."
        )
    if paid:
        note += " payment: to or from the center."
    if paid and currency:
        rounding = describe_rounding(currency)
        note += f" Payments are rounded {rounding}; exact values are in {MANIFEST}."
    return _make_table([*columns, *(key.replace("_", " ") for key in further)], rows, note)


def count_ahead(settlement: Settlement) -> dict[str, int]:
    """Return how many others gained more than each party."""
    benefits: dict[str, Any] = {name: share.benefit for name, share in settlement.parties.items()}
    ranked = sorted(benefits.values())
    return {name: len(ranked) - bisect_right(ranked, x) for name, x in benefits.items()}


def describe_rivals(ahead: int) -> str:
    """Return whether rivals gained more than a party, in words.

    Examples
    --------
    >>> describe_rivals(0), describe_rivals(2)
    ('none gained more', '2 gained more')
    """
    return f"{format_count_typeset(ahead) if ahead else 'none'} gained more"


def tabulate_exhibits(settlement: Settlement | None) -> list[dict[str, Any]]:
    """Return the mechanism's own tables."""
    return [
        {
            "title": exhibit.title,
            **_make_table(
                list(exhibit.columns),
                [[_make_cell(x) for x in row] for row in exhibit.rows],
                exhibit.note,
            ),
        }
        for exhibit in (() if settlement is None else settlement.exhibits)
    ]


def _make_table(columns: list[str], rows: list[list[dict[str, Any]]], note: str) -> dict[str, Any]:
    """Return a table; a column is aligned right if all its entries are numbers."""
    numeric = [
        any(row[k]["number"] for row in rows)
        and all(row[k]["number"] or not row[k]["text"] for row in rows)
        for k in range(len(columns))
    ]
    texts = [[cell["text"] for cell in row] for row in rows]
    return {"columns": columns, "numeric": numeric, "rows": texts, "note": note}


LONGEST_EXACT = 300
"""Characters of a text that is taken for an exact number."""

LARGEST_DRAWN = 10**300
"""What an axis can show: floats end at 1e308, and axes have margins."""


def _make_cell(x: Any) -> dict[str, Any]:
    if isinstance(x, bool) or x is None:
        return {"text": "" if x is None else ("yes" if x else "no"), "number": False}
    if isinstance(x, str):
        # Text such as "5/12" is an exact number.
        exact = re.fullmatch(r"-?\d+(/[1-9]\d*)?", x) is not None and len(x) <= LONGEST_EXACT
        return {"text": format_amount(Fraction(x)) if exact and "/" in x else x, "number": exact}
    if isinstance(x, list | tuple):
        return {"text": ", ".join(map(str, x)) or "none", "number": False}
    return {"text": format_amount(x), "number": True}


def draw_chart(lies: Sequence[BestLie], unit: str, kinds: Sequence[str] = ()) -> Any:
    """Draw truth against the best lie; None if there is nothing to compare."""
    shown = _select_drawn(lies)
    if not shown:
        return None
    from markupsafe import Markup

    from aboveboard.report.lie_chart import plot_truth_against_lie

    drawing = plot_truth_against_lie(
        [lie.party for lie in shown],
        [float(lie.truth) for lie in shown],
        [None if lie.lie is None else float(lie.lie) for lie in shown],
        [None if lie.absent is None else float(lie.absent) for lie in shown],
        unit,
        name_reports(kinds),
    )
    return Markup(drawing)


def _select_drawn(lies: Sequence[BestLie]) -> list[BestLie]:
    """Return whom the chart shows: of many, those whose best lie pays or comes nearest to it.

    Parties without anything to compare are left out, and those beyond what an axis can show.
    """
    compared = [
        lie for lie in lies if (lie.lie is not None or lie.absent is not None) and _fits_axis(lie)
    ]
    if len(compared) <= MOST_DRAWN:
        return compared
    # By how much the truth beats the best lie, least first; those without a lie come last.
    ranked = sorted(
        compared, key=lambda x: (x.lie is None, 0 if x.lie is None else x.truth - x.lie)
    )
    chosen = {lie.party for lie in ranked[:MOST_DRAWN]}
    return [lie for lie in compared if lie.party in chosen]


def _fits_axis(lie: BestLie) -> bool:
    amounts: tuple[Number | None, ...] = (lie.truth, lie.lie, lie.absent)
    return all(x is None or -LARGEST_DRAWN <= x <= LARGEST_DRAWN for x in amounts)


def write_chart_notes(lies: Sequence[BestLie], deviating: str = LYING) -> list[str]:
    """Return notes on what was tried and who is in the chart.

    Parameters
    ----------
    lies
        Each party's best lie.
    deviating
        What was looked at, from `name_deviations`.
    """
    if not lies:
        return []
    tried = sum(lie.checked for lie in lies)
    what = "lies" if deviating == LYING else f"ways of {deviating}"
    held = "the others as they chose" if deviating == CHOOSING else "the others truthful"
    if not tried:
        notes = ["Nothing was tried: no party has another report that this search could try."]
    elif all(lie.exhaustive for lie in lies):
        notes = [f"All {format_count_typeset(tried)} {what} were tried, {held}."]
    else:
        notes = [
            f"{format_count_typeset(tried)} {what} were tried, {held}; where not all "
            "were, a better one may exist unless a verdict below says that none does."
        ]
    if any(_numbers_elements(lie.report) for lie in lies):
        notes.append("e1, e2 and so on number elements by who has them, without naming them.")
    compared = sum(lie.lie is not None or lie.absent is not None for lie in lies)
    if compared > MOST_DRAWN:
        notes.append(
            f"The chart shows the {MOST_DRAWN} parties for whom {deviating} pays or comes nearest "
            "to it; the table shows all."
        )
    return notes


def _numbers_elements(report: Any) -> bool:
    """Return whether a report hides elements by number; goods may have names like these."""
    hidden = report.get("hides") if isinstance(report, Mapping) else None
    return isinstance(hidden, list) and any(re.fullmatch(r"e[0-9]+", str(x)) for x in hidden)


def list_reports_in_words(lies: Sequence[BestLie]) -> list[dict[str, str]]:
    """Return each party's truth, absence and best lie in words."""
    return [
        {
            "party": lie.party,
            "truth": format_amount(lie.truth),
            "absent": format_amount(lie.absent) or "–",
            "lie": "none" if lie.lie is None else format_amount(lie.lie),
            "report": format_report(lie.report),
            "tried": f"{format_count_typeset(lie.checked)} of {format_count_typeset(lie.total)}",
        }
        for lie in lies
    ]


def tabulate_verdicts(found: Verdicts | None, kinds: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the verdicts by group, each with its claim in plain words, its name and its basis.

    Parameters
    ----------
    found
        The verdicts; None: there are none.
    kinds
        Which kinds of deviations were looked at.
    """
    if found is None:
        return []
    deviating, nouns = name_deviations(kinds, (*found, *found.left)), name_reports(kinds)
    return [
        {
            "title": title,
            "other": nouns.other,
            "rows": [_describe_verdict(v, deviating, nouns) for v in group.values()],
        }
        for title, group in found.group()
    ]


def _describe_verdict(verdict: Verdict, deviating: str, nouns: Nouns) -> dict[str, Any]:
    return {
        "claim": describe_claim(verdict.property, deviating),
        "property": verdict.property,
        "status": verdict.status.value,
        "sign": STATUS_SIGNS.get(verdict.status, "?"),
        "kind": verdict.status.value.split()[0],
        "gain": _describe_gain(verdict, nouns),
        "basis": _describe_basis(verdict),
        "notes": list_notes(verdict),
    }


def _describe_gain(verdict: Verdict, nouns: Nouns) -> str:
    """Return the gain of the best lie found; one that only loses is not a gain."""
    gain = round_gain(verdict)
    if gain is None:
        return ""
    if gain < 0 and verdict.status is not Status.NO_COUNTEREXAMPLE:
        return f"none: every {nouns.other} loses {format_amount(-gain)} or more"
    return format_amount(gain)


def _describe_basis(verdict: Verdict) -> str:
    """Return what a verdict rests on, in words."""
    if verdict.how == "listed":
        return f"{format_count_typeset(verdict.checked)} cases of listed reports checked"
    if verdict.how == "closed form":
        return "a proof evaluated on these data (closed form)"
    if verdict.how == "exhaustive" and verdict.checked == verdict.total:
        return f"every case checked: {format_count_typeset(verdict.total)}"
    if verdict.how in ("exhaustive", "sampled"):
        checked, total = map(format_count_typeset, (verdict.checked, verdict.total))
        return f"some cases checked: {checked} of {total}"
    return verdict.how


def list_details(
    settlement: Settlement | None, remarks: Mapping[str, Any] | None
) -> list[tuple[str, str]]:
    """Return the mechanism's further facts, as names and texts."""
    rows = dict(settlement.details) if settlement is not None else {}
    rows.update(remarks or {})
    return [(key.replace("_", " "), _describe_detail(key, value)) for key, value in rows.items()]


def _describe_detail(key: str, value: Any) -> str:
    """Return a detail in words; exact numbers as decimals, probabilities as such."""
    if isinstance(value, str) and _make_cell(value)["number"]:
        number = Fraction(value)
        return format_probability(number) if "probability" in key else format_amount(number)
    return format_detail(value)
