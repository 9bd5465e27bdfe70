"""What a run of `exchange.union` notes for all to read: spellings, what was left out, conflicts."""

from __future__ import annotations

from collections.abc import Mapping

from aboveboard.exchange.regions import Regions
from aboveboard.formatting import format_count, format_quantity, join_names
from aboveboard.storage.records import Records


def note_spellings(reports: Mapping[str, Records]) -> list[str]:
    """Note whose elements are compared and delivered in another spelling than their owners'."""
    changed = {n: r.reading.respelled for n, r in reports.items() if r.reading.respelled}
    if not changed:
        return []
    counts = join_names([f"{count} of {name}" for name, count in sorted(changed.items())])
    return [f"elements are compared and delivered in one spelling, which changed {counts}"]


def note_left_out(left_out: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Note how many entries of whom are not elements, and why."""
    return [
        f"left out of what {name} brought: "
        + join_names([f"{reason} ({format_count(count)})" for reason, count in counts.items()])
        for name, counts in sorted(left_out.items())
    ]


def note_text_replies(reports: Mapping[str, Records]) -> list[str]:
    """Note which parties send text, and receive of other parties' rows the key only."""
    texts = [name for name, records in reports.items() if records.form == "txt"]
    if not texts or len(texts) == len(reports):
        return []
    one = len(texts) == 1
    who = f"{texts[0]} sends" if one else f"{len(texts)} parties send"
    verb = "receives" if one else "receive"
    return [f"{who} lines of text and {verb} only the key of other parties' rows"]


def note_conflicts(conflicts: int) -> list[str]:
    """Note how many elements have conflicting rows, and how the row is chosen."""
    if not conflicts:
        return []
    one = conflicts == 1
    return [
        f"{format_quantity(conflicts, 'element')} {'has' if one else 'have'} different rows with "
        "different owners; delivered is the row that most owners have, of equally many the one "
        "that the seed selects"
    ]


def note_best_group(generous: Mapping[str, int], regions: Regions) -> list[str]:
    """Note what best-group would hand out where equal-gain hands out nothing, and its condition."""
    if not generous:
        return []
    whole = [n for n, lack in zip(regions.names, regions.lacks.tolist(), strict=True) if not lack]
    would = join_names([f"{name} {format_count(amount)}" for name, amount in generous.items()])
    return [
        f"equal-gain hands out nothing, because {join_names(whole)} lacks nothing; "
        f'rule = "best-group" would hand out: {would}. It is truthful only if every party minds '
        "a rival's gain as much as its own (exclusivity = 1); "
        'rule = "best-group-inside" would hand out as much, and is truthful from 0 to 1'
    ]
