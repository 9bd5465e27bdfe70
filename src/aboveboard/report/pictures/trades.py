"""Goods and money before and after: who brought what, who ends with what, and who pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aboveboard.formatting import join_names
from aboveboard.formatting.labels import measure_text, tell_apart
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.report.drawing import WIDTH
from aboveboard.report.pictures.canvas import (
    DARK,
    MOST_PARTIES,
    PALE,
    Picture,
    finish_picture,
    open_canvas,
)
from aboveboard.report.plot import BLUE, ORANGE
from aboveboard.settlements.money import describe_payments

MOST_GOODS = 30
"""Goods whose way is drawn."""

DESTROYED_NOTE = " (destroyed)"
"""Said of a good that nobody ends with."""

BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
"""Covers the lines behind a text."""

BOLD = 1.15
"""By which factor bold letters are wider."""


@dataclass(frozen=True)
class Trade:
    """What one party has before and after.

    Parameters
    ----------
    party
        Who.
    before, after
        Its goods.
    payment
        Who pays how much, in words.
    """

    party: str
    before: Sequence[str]
    after: Sequence[str]
    payment: str

    def describe(self) -> str:
        """Return the trade in words."""
        brought, ends = (join_names(goods) or "nothing" for goods in (self.before, self.after))
        return f"{self.party}: brings {brought}, ends with {ends}, {self.payment}"


def draw_trades(
    settlement: Settlement, brought: Mapping[str, Sequence[str]], currency: str = ""
) -> Picture | None:
    """Draw each good's way from who brought it to who ends with it; None for too many.

    Parameters
    ----------
    settlement
        Of a market.
    brought
        By party: its goods before.
    currency
        What payments are in; "": no currency is known.
    """
    paid = describe_payments(settlement, currency)
    trades = [
        Trade(name, brought.get(name, ()), share.more.get("goods", ()), paid[name])
        for name, share in settlement.parties.items()
    ]
    goods = [good for trade in trades for good in trade.before]
    if not goods or len(goods) > MOST_GOODS or len(trades) > MOST_PARTIES:
        return None
    return draw_all(trades)


def draw_all(trades: Sequence[Trade]) -> Picture:
    """Draw trades: a row for each party, before on the left, after on the right."""
    heights = [max(len(t.before), len(t.after), 1) for t in trades]
    total = sum(heights) + 0.9 * len(trades)
    with open_canvas(0.6 + 0.27 * total) as figure:
        axes = figure.add_subplot()
        left: dict[str, float] = {}
        right: dict[str, float] = {}
        y = 0.0
        free = WIDTH - max(measure_text(f" {trade.payment}", 9) for trade in trades)
        names = tell_apart([trade.party for trade in trades], 9 * BOLD, free)
        for trade, name, height in zip(trades, names, heights, strict=True):
            _draw_party(axes, name, trade.payment, y)
            for goods, places in ((trade.before, left), (trade.after, right)):
                places.update({good: y + 1.15 + k for k, good in enumerate(goods)})
            y += height + 0.9
        _draw_ways(axes, trades, left, right)
        _name_goods(axes, left, right)
        axes.text(0.32, -0.55, "before", fontsize=9, ha="right", style="italic")
        axes.text(0.68, -0.55, "after", fontsize=9, ha="left", style="italic")
        axes.set_xlim(0, 1)
        axes.set_ylim(y, -0.9)
        axes.set_axis_off()
        note = (
            "A full line is a good that changes its owner, a dashed one a good that stays. On the "
            "right stands what each party pays or receives."
        )
        words = "; ".join(trade.describe() for trade in trades)
        return finish_picture(figure, "Goods and money before and after", words, note)


def _draw_party(axes: Any, name: str, payment: str, y: float) -> None:
    """Draw the head of a party's row: its name, and what it pays; no line crosses them."""
    axes.axhline(y - 0.1, color=PALE, linewidth=0.8)
    look = {"fontsize": 9, "va": "center", "bbox": BEHIND, "zorder": 3}
    axes.text(0, y + 0.35, name, weight="bold", parse_math=False, **look)
    axes.text(1, y + 0.35, payment, ha="right", **look)


def _draw_ways(
    axes: Any, trades: Sequence[Trade], left: Mapping[str, float], right: Mapping[str, float]
) -> None:
    """Draw a line for each good from who brought it to who ends with it."""
    owner = {good: k for k, t in enumerate(trades) for good in t.before}
    for k, trade in enumerate(trades):
        for good in trade.after:
            if good not in left:
                continue
            moved = owner[good] != k
            axes.plot(
                [0.34, 0.66],
                [left[good], right[good]],
                "-" if moved else "--",
                color=ORANGE if moved else BLUE,
                linewidth=2 if moved else 1.4,
                marker="o",
                markersize=3.5,
            )


def _name_goods(axes: Any, left: Mapping[str, float], right: Mapping[str, float]) -> None:
    """Write each good's name on both sides; on the left, whether it is destroyed."""
    goods = list(dict.fromkeys([*left, *right]))
    lost = "" if all(good in right for good in left) else DESTROYED_NOTE
    free = 0.32 * WIDTH - measure_text(lost, 8.5)
    names = dict(zip(goods, tell_apart(goods, 8.5, free), strict=True))
    for places, x, side in ((left, 0.32, "right"), (right, 0.68, "left")):
        for good, where in places.items():
            axes.text(
                x,
                where,
                names[good] + ("" if good in right else DESTROYED_NOTE),
                fontsize=8.5,
                ha=side,
                va="center",
                color=DARK,
                parse_math=False,
            )
