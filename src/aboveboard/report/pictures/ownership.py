"""Who owns what: the regions of the parties' lists as an UpSet plot.

Each column is a set of owners, the largest first: a bar says how many elements exactly these
parties own, dots below say which they are. Cost: one pass over all lists.
Source: Lex et al., "UpSet: Visualization of Intersecting Sets" (2014).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aboveboard.exchange.ownership import index_owners
from aboveboard.formatting import format_count, format_quantity, join_names
from aboveboard.report.pictures.canvas import (
    DARK,
    MOST_PARTIES,
    PALE,
    Picture,
    finish_picture,
    open_canvas,
    shorten,
)
from aboveboard.report.plot import BLUE
from aboveboard.storage.records import Records

MOST_ELEMENTS = 2_000_000
"""Elements of all lists up to which a page counts its regions."""

MOST_REGIONS = 12
"""Regions that are drawn; of the others the number is said."""

Regions = Sequence[tuple[tuple[str, ...], int]]
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


def list_regions(reports: Mapping[str, Records]) -> Regions:
    """Return the sets of owners with the number of elements that exactly they own."""
    ownership = index_owners(reports)
    masks, counts = ownership.count_regions()
    found = [
        (tuple(name for i, name in enumerate(ownership.names) if int(mask) >> i & 1), int(count))
        for mask, count in zip(masks, counts, strict=True)
    ]
    return sorted(found, key=lambda region: (-region[1], len(region[0]), region[0]))


def draw_regions(parties: Sequence[str], regions: Regions) -> Picture:
    """Draw regions as an UpSet plot.

    Parameters
    ----------
    parties
        From top to bottom.
    regions
        The largest first.
    """
    shown, rest = regions[:MOST_REGIONS], regions[MOST_REGIONS:]
    with open_canvas(2.3 + 0.3 * len(parties)) as figure:
        bars, dots = figure.subplots(
            2, 1, sharex=True, height_ratios=(1.9, 0.3 * len(parties) + 0.1)
        )
        drawn = bars.bar(range(len(shown)), [n for _, n in shown], width=0.62, color=BLUE)
        bars.bar_label(drawn, [f"{format_count(n)}" for _, n in shown], fontsize=9, padding=2)
        bars.margins(y=0.14)
        bars.set_yticks([])
        bars.spines[["top", "right", "left"]].set_visible(False)
        bars.tick_params(bottom=False)
        bars.set_title("elements that exactly these own", fontsize=10, loc="left")
        for row, name in enumerate(parties):
            for column, (owners, _) in enumerate(shown):
                owns = name in owners
                dots.plot(
                    column, row, "o", markersize=8 if owns else 5, color=DARK if owns else PALE
                )
        for column, (owners, _) in enumerate(shown):
            rows = [row for row, name in enumerate(parties) if name in owners]
            dots.plot([column] * 2, [min(rows), max(rows)], color=DARK, linewidth=1.6)
        labels = [shorten(name) for name in parties]
        dots.set_yticks(range(len(parties)), labels, fontsize=9, parse_math=False)
        dots.set_ylim(len(parties) - 0.5, -0.5)
        dots.set_xlim(-0.6, len(shown) - 0.4)
        dots.set_xticks([])
        dots.spines[:].set_visible(False)
        dots.tick_params(left=False)
        words = "; ".join(f"only {join_names(owners)}: {format_count(n)}" for owners, n in shown)
        note = (
            "Each column is a set of owners, its dark dots; the bar says how many elements exactly "
            "these own. It shows how the lists overlap: give this page only to those who may know."
        )
        if rest:
            left = sum(n for _, n in rest)
            note += (
                f" {format_quantity(len(rest), 'smaller set')} with "
                f"{format_quantity(left, 'element')} in all are left out."
            )
        return finish_picture(figure, "Who owns what", words, note)
