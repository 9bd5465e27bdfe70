"""Who owns what: the regions of the parties' lists as an UpSet plot.

Each column is a set of owners, the largest first: a bar says how many elements exactly these
parties own, dots below say which they are. Cost: one pass over all lists.
Source: Lex et al., "UpSet: Visualization of Intersecting Sets" (2014).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from aboveboard.exchange.ownership import index_owners
from aboveboard.formatting import format_count, format_quantity, join_names
from aboveboard.formatting.labels import measure_text, tell_apart
from aboveboard.report.drawing import WIDTH, Drawing
from aboveboard.report.pictures.canvas import (
    DARK,
    MOST_PARTIES,
    PALE,
    Picture,
)
from aboveboard.report.plot import BLUE
from aboveboard.storage.records import Records

MOST_ELEMENTS = 2_000_000
"""Elements of all lists up to which a page counts its regions."""

MOST_REGIONS = 12
"""Regions that are drawn; of the others the number is said."""

HEAD, BARS, ROW = 32.0, 150.0, 22.0
"""In points: where the bars begin and end, and the height of a row of dots."""

WIDEST_NAME = 125.0
"""Points of a name on the left; the text alternative has it whole."""

OwnerCounts = Sequence[tuple[tuple[str, ...], int]]
"""Sets of owners with how many elements exactly they own, the largest first."""


def draw_ownership(reports: Mapping[str, Records]) -> Picture | None:
    """Draw who owns what; None where there is nothing to see or too much.

    Parameters
    ----------
    reports
        By party: its list.
    """
    if not 2 <= len(reports) <= MOST_PARTIES or sum(map(len, reports.values())) > MOST_ELEMENTS:
        return None
    regions = list_regions(reports)
    if not regions:
        return None
    return draw_regions(list(reports), regions)


def list_regions(reports: Mapping[str, Records]) -> OwnerCounts:
    """Return the sets of owners with the number of elements that exactly they own."""
    ownership = index_owners(reports)
    masks, counts = ownership.count_regions()
    found = [
        (tuple(name for i, name in enumerate(ownership.names) if int(mask) >> i & 1), int(count))
        for mask, count in zip(masks, counts, strict=True)
    ]
    return sorted(found, key=lambda region: (-region[1], len(region[0]), region[0]))


def draw_regions(parties: Sequence[str], regions: OwnerCounts) -> Picture:
    """Draw regions as an UpSet plot.

    Parameters
    ----------
    parties
        From top to bottom.
    regions
        The largest first.
    """
    shown, rest = regions[:MOST_REGIONS], regions[MOST_REGIONS:]
    names = tell_apart(parties, 9, WIDEST_NAME)
    left = 8 + max(measure_text(name, 9) for name in names)
    step = (WIDTH - left) / len(shown)
    widest = max(measure_text(format_count(n), 9) for _, n in shown)
    head = HEAD if widest <= step else HEAD + widest  # wide numbers stand upright on their bars
    dots = BARS + ROW / 2 + 4
    drawing = Drawing(dots + ROW * (len(parties) - 0.5))
    drawing.add_text(left, 12, "elements that exactly these own")
    most = shown[0][1]
    for row, name in enumerate(names):
        drawing.add_text(left - 8, dots + ROW * row + 3, name, size=9, anchor="end")
    for column, (owners, n) in enumerate(shown):
        x = left + step * (column + 0.5)
        height = (BARS - head) * n / most
        drawing.add_bar(x - 0.31 * step, BARS - height, 0.62 * step, height, BLUE)
        top = BARS - height - 3
        if head == HEAD:
            drawing.add_text(x, top, format_count(n), size=9, anchor="middle")
        else:
            drawing.add_text(x + 3, top, format_count(n), size=9, upright=True)
        rows = [row for row, name in enumerate(parties) if name in owners]
        ends = [(x, dots + ROW * row) for row in (rows[0], rows[-1])]
        for row in range(len(parties)):
            if row not in rows:
                drawing.add_dot(x, dots + ROW * row, 2.5, PALE)
        drawing.add_line(ends[0], ends[1], DARK, 1.6)
        for row in rows:
            drawing.add_dot(x, dots + ROW * row, 4, DARK)
    drawing.add_line((left, BARS), (WIDTH, BARS))
    words = "; ".join(f"only {join_names(owners)}: {format_count(n)}" for owners, n in shown)
    note = (
        "Each column is a set of owners, its dark dots; the bar says how many elements exactly "
        "these own. It shows how the lists overlap: give this page only to those who may know."
    )
    if rest:
        few = sum(n for _, n in rest)
        note += (
            f" {format_quantity(len(rest), 'smaller set')} with "
            f"{format_quantity(few, 'element')} in all are left out."
        )
    title = "Who owns what"
    return Picture(title, Markup(drawing.finish(title, words)), note)
