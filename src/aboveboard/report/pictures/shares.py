"""Shares as bars, with what each party's privacy level costs it."""

from __future__ import annotations

from aboveboard.formatting import format_amount
from aboveboard.formatting.labels import fit_text, measure_text
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.report.drawing import WIDTH
from aboveboard.report.pictures.canvas import (
    LEGEND,
    MOST_PARTIES,
    Picture,
    draw_party_rows,
    finish_picture,
    is_drawable,
    open_canvas,
    set_ticks,
)
from aboveboard.report.plot import BLUE, ORANGE, REST, ROW


def draw_shares(settlement: Settlement, unit: str) -> Picture | None:
    """Draw what each party is paid and what its level costs it; None where nobody is paid.

    Parameters
    ----------
    settlement
        Of a rule that pays for data. A level costs what the utility lacks of the benefit.
    unit
        What shares are counted in.
    """
    shares = {
        name: (float(share.benefit), float(share.benefit) - float(share.utility))
        for name, share in settlement.parties.items()
        if share.utility is not None and is_drawable([share.benefit, share.utility])
    }
    if not 1 <= len(shares) <= MOST_PARTIES:
        return None
    levels = settlement.details.get("levels", {})
    with open_canvas(REST + ROW * len(shares)) as figure:
        axes = figure.add_subplot()
        ends = [f", level {levels[name]}" if name in levels else "" for name in shares]
        named = [name + end for name, end in zip(shares, ends, strict=True)]
        cut = [
            fit_text(name, 9, WIDTH - measure_text(end, 9)) + end
            for name, end in zip(shares, ends, strict=True)
        ]
        draw_party_rows(axes, cut)
        rows = range(len(shares))
        axes.barh(
            [row + 0.02 for row in rows],
            [x for x, _ in shares.values()],
            height=0.22,
            color=BLUE,
            label="share",
        )
        axes.barh(
            [row + 0.26 for row in rows],
            [x for _, x in shares.values()],
            height=0.22,
            facecolor="white",
            edgecolor=ORANGE,
            hatch="////",
            label="what its level costs",
        )
        set_ticks(axes, [x for pair in shares.values() for x in pair])
        axes.axvline(0, color="#333333", linewidth=0.8)
        axes.set_xlabel(unit or "value")
        figure.legend(**LEGEND, ncols=2)
        words = "; ".join(
            f"{name}: share {format_amount(share)}, its level costs {format_amount(cost)}"
            for name, (share, cost) in zip(named, shares.values(), strict=True)
        )
        note = "A full bar is what the party is awarded, a hatched one what its level costs it."
        return finish_picture(figure, "Shares, and what each level costs", words, note)
