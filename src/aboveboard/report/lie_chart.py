"""The chart on every page: each party's utility with the truth, its best lie, and staying away."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from aboveboard.formatting import format_decimal
from aboveboard.formatting.labels import fit_text, measure_text
from aboveboard.report.deviations import Nouns, name_reports
from aboveboard.report.drawing import (
    WIDTH,
    Drawing,
    find_ticks,
    label_ticks,
    spread,
)
from aboveboard.report.pictures.canvas import PALE
from aboveboard.report.plot import BLUE, GREY, ORANGE

LIES = name_reports(())
"""What reports are called where nothing else is known."""

AWAY_LABEL = "staying away"
"""A ring is the truth, a diamond that fits into it the best lie, a larger cross this one."""

MARK, GAP = 14.0, 18.0
"""Of the legend: from the middle of a mark to its text, and from there to the next mark."""

HEAD, ROW, FOOT = 42.0, 36.0, 54.0
MARGIN = 18.0
"""In points: what is free beside the axis's numbers."""


def plot_truth_against_lie(
    parties: Sequence[str],
    truth: Sequence[float],
    lie: Sequence[float | None],
    away: Sequence[float | None],
    unit: str,
    nouns: Nouns = LIES,
) -> str:
    """Draw each party's utility with the truth, with its best lie, and when it stays away.

    Parameters
    ----------
    parties
        Names, from top to bottom.
    truth, lie, away
        Utilities; None if a party has no lie, or cannot stay away.
    unit
        Unit of utility, for the axis.
    nouns
        What the truth and the best lie are called.

    Returns
    -------
    str
        An `<svg>` element with a title and description for those who cannot see it.
    """
    foot = HEAD + ROW * len(parties)
    drawing = Drawing(foot + FOOT)
    values = [x for x in (*truth, *lie, *away) if x is not None]
    slope, offset = spread(values, MARGIN, WIDTH - MARGIN)
    for row, name in enumerate(parties):
        line = HEAD + ROW * (row + 0.5)
        drawing.add_line((0, line), (WIDTH, line), PALE)
        # Above its line, a long name has the whole width.
        drawing.add_text(0, line - 10, fit_text(name, 9, WIDTH), size=9)
    series = (truth, lie, away)
    shown = [k for k in (0, 2, 1) if any(x is not None for x in series[k])]
    for k in shown:  # the best lie is on top
        for row, x in enumerate(series[k]):
            if x is not None:
                _add_mark(drawing, k, slope * x + offset, HEAD + ROW * (row + 0.5))
    labels = (nouns.truth, f"best {nouns.other} found", AWAY_LABEL)
    place = 16.0
    for k in sorted(shown):
        _add_mark(drawing, k, place, 13)
        drawing.add_text(place + MARK, 16.5, labels[k])
        place += MARK + measure_text(labels[k], 10) + GAP
    drawing.add_line((0, foot), (WIDTH, foot))
    whole = all(float(x).is_integer() for x in values)
    ticks = find_ticks(min(values), max(values), whole=whole)
    for at, label, middle in _place_labels(ticks, slope, offset):
        drawing.add_line((at, foot), (at, foot + 3.5))
        drawing.add_text(middle, foot + 15, label, anchor="middle")
    title = "utility" if unit in ("", "utility") else f"utility ({unit})"
    drawing.add_text(WIDTH / 2, foot + 32, title, anchor="middle")
    return drawing.finish(
        f"Utility of each party: {nouns.truth}, best {nouns.other}, {AWAY_LABEL}",
        _describe(parties, series, labels),
    )


def _place_labels(
    ticks: Sequence[float], slope: float, offset: float
) -> list[tuple[float, str, float]]:
    """Return where some ticks stand, their labels, and where these are centred.

    No label covers another; one that would reach beyond an end of the picture is moved inside.
    """
    labels = label_ticks(ticks)
    placed = []
    for x, label in zip(ticks, labels, strict=True):
        at, half = slope * x + offset, measure_text(label, 10) / 2
        placed.append((at, label, min(max(at, half), WIDTH - half)))

    def covers(first: tuple[float, str, float], second: tuple[float, str, float]) -> bool:
        reach = (measure_text(first[1], 10) + measure_text(second[1], 10)) / 2
        return second[2] - first[2] < reach

    every = 1
    while any(covers(a, b) for a, b in pairwise(placed[::every])):
        every += 1
    return placed[::every]


def _add_mark(drawing: Drawing, series: int, x: float, y: float) -> None:
    """Draw the mark of the truth, the best lie or staying away."""
    if series == 0:
        drawing.add_ring(x, y, 6.5, BLUE)
    elif series == 1:
        drawing.add_diamond(x, y, 4.5, ORANGE)
    else:
        drawing.add_cross(x, y, 7, GREY)


def _describe(
    parties: Sequence[str], series: Sequence[Sequence[float | None]], labels: Sequence[str]
) -> str:
    """Return the chart's numbers in words."""
    return "; ".join(
        f"{party}: "
        + ", ".join(
            f"{label} {format_decimal(x)}"
            for label, x in zip(labels, of_party, strict=True)
            if x is not None
        )
        for party, of_party in zip(parties, zip(*series, strict=True), strict=True)
    )
