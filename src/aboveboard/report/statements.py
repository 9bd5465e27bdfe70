"""Each party's own page: what it brought, what went out, what it got and pays, how to verify it.

It shows nothing of other parties but their names, how many of the party's own elements each of them
received, how many rivals gained more, and whether a lie would have paid. Where the collaboration
file holds data of parties, its fingerprint is left out: they could be guessed from it. Cost: one
join of each pair of parties' lists.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from fractions import Fraction
from math import isfinite
from typing import Any

import polars as pl
from pydantic import BaseModel

from aboveboard._version import __version__
from aboveboard.auditing.best_lies import BestLie
from aboveboard.collaborations.collaboration import Collaboration
from aboveboard.evidence.numbers import parse_number
from aboveboard.formatting import (
    describe_action,
    format_amount,
    format_count,
    format_quantity,
    format_roughly,
    join_names,
)
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.settlement import Settlement, fingerprint
from aboveboard.report.templates import load_template
from aboveboard.report.words import format_report, is_profitable
from aboveboard.settlements.money import describe_payments, has_payments
from aboveboard.storage.options import DataOptions
from aboveboard.storage.records import ELEMENT, Records

STATEMENT_PAGE = "statement.html"

MOST_COUNTED = 2_000_000
"""Elements of all parties up to which it is counted how many went out to whom."""

MOST_LISTED = 6
"""Entries of a list that a page shows; of longer ones it says how many."""

MOST_PARTIES = 1_000
"""Parties up to which each gets a page."""


def render_statements(
    collaboration: Collaboration,
    settlement: Settlement,
    lies: Sequence[BestLie] = (),
    date: str = "",
) -> Iterator[tuple[str, str]]:
    """Yield each party's name and its page, as HTML.

    Parameters
    ----------
    collaboration
        What was run.
    settlement
        The result.
    lies
        Each party's best lie.
    date
        The day of the run, from its record.

    Examples
    --------
    >>> import aboveboard as ab
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    >>> union = ab.collaborate("exchange.union", lists, kind="domain")
    >>> pages = dict(render_statements(union, ab.run(union)))
    >>> list(pages), "bolt" in pages["bolt"]
    (['acme', 'bolt'], True)
    """
    if len(settlement.parties) > MOST_PARTIES:
        return
    template = load_template("statement.html.jinja")
    best = {lie.party: lie for lie in lies}
    hidden = collaboration.file.sees.hides_overlaps
    received = {} if hidden else _list_received(collaboration, settlement)
    paid = {}
    if has_payments(settlement):
        paid = describe_payments(settlement, collaboration.file.currency)
    for name, share in settlement.parties.items():
        rows = [
            *_describe_data(name, collaboration, received),
            ("Gain", _add_unit(format_amount(share.benefit), collaboration.unit)),
            ("Payment", paid.get(name, "none: no money moves")),
            ("Why", f"the rule {collaboration.mechanism.NAME}: {collaboration.mechanism.SUMMARY}"),
            ("Your reply", f"the file reply.{share.reply.form} in this folder"),
            ("Rivals", _compare_with_rivals(name, settlement)),
            *_describe_lie(best.get(name), collaboration.unit),
        ]
        page = template.render(
            party=name,
            title=collaboration.file.name or collaboration.mechanism.NAME,
            mechanism=collaboration.mechanism.NAME,
            rows=[row for row in rows if row[1]],
            date=date,
            operator=collaboration.file.operator,
            version=__version__,
            rules="" if holds_data(collaboration) else fingerprint(collaboration.content),
            data=_find_own_inputs(name, collaboration),
        )
        yield name, page


def _add_unit(amount: str, unit: str) -> str:
    """Return an amount with its unit: after it where it is counted, else in brackets.

    Examples
    --------
    >>> _add_unit("2", "elements"), _add_unit("1", "elements"), _add_unit("0.5", "value")
    ('2 elements', '1 (elements)', '0.5 (value)')
    >>> _add_unit("12", "EUR")
    '12 EUR'
    """
    if not unit:
        return amount
    counted = unit.split()[0].endswith("s") and amount != "1"
    return f"{amount} {unit}" if counted or unit.isupper() else f"{amount} ({unit})"


def _describe_data(
    name: str, collaboration: Collaboration, received: Mapping[str, pl.Series]
) -> list[tuple[str, str]]:
    """Return how much the party brought, and how much of it went out to whom."""
    own = collaboration.reports.get(name)
    if not isinstance(own, Records):
        party = getattr(collaboration.file, "parties", {}).get(name)
        return [("You brought", _describe_table(party))] if isinstance(party, BaseModel) else []
    brought = format_quantity(len(own), "element")
    left_out = sum(own.reading.left_out.values())
    if left_out:
        entries = format_quantity(left_out, "entry", "entries")
        said = "was left out, for it is not an element"
        if left_out > 1:
            said = "were left out, for they are not elements"
        brought += f"; {entries} of what you sent {said}"
    rows = [("You brought", brought)]
    if received:
        mine = own.frame[ELEMENT]
        counts = {
            other: int(theirs.is_in(mine.implode()).sum())
            for other, theirs in received.items()
            if other != name
        }
        out = [f"{format_count(n)} to {other}" for other, n in counts.items() if n]
        rows.append(("Of these went out", join_names(out) if out else "none"))
        columns = own.columns_that_leave
        if columns:
            rows.append(("With the columns", join_names(columns)))
    return rows


def _describe_table(party: BaseModel) -> str:
    """Return what a party's table in the collaboration file says, long lists by their number."""
    options = {field.name for field in fields(DataOptions)}
    written = [(key, value) for key, value in _list_written(party) if key not in options]
    return join_names([_describe_entry(key, value) for key, value in written])


def _list_written(table: BaseModel) -> Iterator[tuple[str, object]]:
    """Yield the keys that a table states and their values: numbers as such, not as their text."""
    for key in type(table).model_fields:
        if key in table.model_fields_set and (value := getattr(table, key)) is not None:
            yield key, value


def _describe_entry(key: str, value: object) -> str:
    """Return a key of a party's table and what it says."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    name = key.replace("_", " ")
    if len(values) > MOST_LISTED:
        return f"{format_count(len(values))} {name}"
    return f"{name} {', '.join(map(_format_entry, values)) or 'none'}"


def _format_entry(value: object) -> str:
    """Return one entry of a party's table, a fraction in decimals."""
    if isinstance(value, BaseModel | Mapping):
        entries = _list_written(value) if isinstance(value, BaseModel) else value.items()
        return f"({'; '.join(_describe_entry(key, inner) for key, inner in entries)})"
    if isinstance(value, list | tuple):
        return ", ".join(map(_format_entry, value))
    if isinstance(value, int | float | Fraction) and not isinstance(value, bool):
        if isinstance(value, float) and not isfinite(value):
            return str(value)  # a privacy level may be infinite
        return format_amount(value)
    return describe_action(value)


def _list_received(collaboration: Collaboration, settlement: Settlement) -> dict[str, pl.Series]:
    """Return the elements that each party received; nothing where replies are no such lists."""
    reports = collaboration.reports
    records = {name: report for name, report in reports.items() if isinstance(report, Records)}
    if not records or sum(map(len, records.values())) > MOST_COUNTED:
        return {}
    found = {}
    for name, share in settlement.parties.items():
        if share.reply.rows is None or name not in records:
            continue
        frame = share.reply.rows()
        column = records[name].key or ELEMENT
        if column in frame.columns:
            found[name] = frame[column].cast(pl.String)
    return found


def _compare_with_rivals(name: str, settlement: Settlement) -> str:
    """Return whether a rival gained more than the party, in words."""
    benefits: dict[str, Any] = {n: share.benefit for n, share in settlement.parties.items()}
    more = sum(x > benefits[name] for n, x in benefits.items() if n != name)
    if len(benefits) == 1:
        return ""
    if not more:
        return "no rival gained more than you"
    return f"{format_quantity(more, 'rival')} gained more than you"


def _describe_lie(lie: BestLie | None, unit: str) -> list[tuple[str, str]]:
    """Return whether the party's best lie, or staying away, would have got it more.

    What they would have got it follows from what others brought: it is told roughly where it is
    more, and not at all where it is less.
    """
    if lie is None:
        return []
    rows = []
    if lie.lie is not None:
        tried = "all were tried" if lie.exhaustive else "not all were tried"
        compared = (
            f"{format_report(lie.report)}: {_compare(lie.lie, lie.truth, unit)}"
            if is_profitable(lie)
            else "no gain over the truth"
        )
        rows.append(("Your best lie", f"{compared} ({tried})"))
    else:
        rows.append(("Your best lie", "you had no other report to send"))
    if lie.absent is not None:
        rows.append(("Staying away", _compare(lie.absent, lie.truth, unit)))
    return rows


def _compare(other: Number, truth: Number, unit: str) -> str:
    """Return whether another move would have left the party better or worse off."""
    if other == truth:
        return "it would have got you as much as the truth"
    if other < truth:
        return "it would have left you worse off, no gain over the truth"
    difference: Number = other - truth
    return f"it would have left you better off by {_add_unit(format_roughly(difference), unit)}"


def _find_own_inputs(name: str, collaboration: Collaboration) -> list[tuple[str, str]]:
    """Return the party's own data file with its fingerprint."""
    party = getattr(collaboration.file, "parties", {}).get(name)
    data = getattr(party, "data", None)
    place = "" if data is None else data.as_posix()
    return [(place, collaboration.inputs[place])] if place in collaboration.inputs else []


def holds_data(collaboration: Collaboration) -> bool:
    """Return whether a collaboration file itself holds data of parties, and not in other files.

    Numbers, lists and tables in a party's table are data, and so is a number in quotes; other text
    names a file, or how to read it. Votes are data too, and so are values of all coalitions: few
    and small, they could be tried against a fingerprint.
    """
    try:
        table = tomllib.loads(collaboration.content.decode("utf-8-sig"))
    except ValueError:
        return True
    parties = table.get("parties", {})
    values = [x for party in parties.values() if isinstance(party, dict) for x in party.values()]
    votes = table.get("votes")  # or the name of their folder
    return (
        (isinstance(votes, dict) and bool(votes))
        or isinstance(table.get("values"), list | dict)
        or any(map(_is_data, values))
    )


def _is_data(value: object) -> bool:
    if isinstance(value, str):
        return parse_number(value) is not None
    return not isinstance(value, bool)
