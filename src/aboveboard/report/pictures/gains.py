"""What each party gains under several rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aboveboard.formatting import format_amount
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.report.pictures.canvas import (
    GREEN,
    LEGEND,
    MOST_PARTIES,
    Picture,
    draw_party_rows,
    finish_picture,
    is_drawable,
    open_canvas,
    set_ticks,
)
from aboveboard.report.plot import BLUE, GREY, ORANGE, REST, ROW

LOOKS: Sequence[dict[str, Any]] = (
    {"marker": "o", "color": BLUE, "markersize": 12, "markerfacecolor": "none"},
    {"marker": "D", "color": ORANGE, "markersize": 5},
    {"marker": "x", "color": GREY, "markersize": 13},
    {"marker": "s", "color": GREEN, "markersize": 9, "markerfacecolor": "none"},
)
"""One mark for each rule: they differ in shape, and are all visible on one spot."""


def draw_gains(settlements: Mapping[str, Settlement], unit: str) -> Picture | None:
    """Draw each party's gain under each rule; None for too many rules or parties.

    Parameters
    ----------
    settlements
        By rule.
    unit
        What gains are counted in.
    """
    parties = list(dict.fromkeys(name for each in settlements.values() for name in each.parties))
    gains = [share.benefit for each in settlements.values() for share in each.parties.values()]
    if len(settlements) > len(LOOKS) or len(parties) > MOST_PARTIES or not is_drawable(gains):
        return None
    with open_canvas(REST + ROW * len(parties)) as figure:
        axes = figure.add_subplot()
        draw_party_rows(axes, parties)
        for (rule, each), look in zip(settlements.items(), LOOKS, strict=False):
            rows = [row for row, name in enumerate(parties) if name in each.parties]
            x = [float(each.parties[parties[row]].benefit) for row in rows]
            axes.plot(x, rows, linestyle="none", label=rule, markeredgewidth=1.8, **look)
        set_ticks(axes, [float(x) for x in gains])
        axes.margins(x=0.06)
        axes.set_xlabel(f"gains ({unit})" if unit else "gains")
        figure.legend(**LEGEND, ncols=2)
        words = "; ".join(
            f"{name}: "
            + ", ".join(
                f"{rule} {format_amount(each.parties[name].benefit)}"
                for rule, each in settlements.items()
                if name in each.parties
            )
            for name in parties
        )
        note = "What each party gains if all tell the truth, by rule."
        return finish_picture(figure, "Gains by rule", words, note)
