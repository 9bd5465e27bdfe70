"""Figure 6: the platform's best offer over one privacy cost, in Example 1 with levels 0 and inf."""

from __future__ import annotations

from functools import partial
from math import inf
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from aboveboard.report.plot import BLUE, ORANGE
from aboveboard.valuation.offers.alike_users import bisect
from aboveboard.valuation.offers.curve import Curve
from papers.figures import Figure, FigureData
from papers.valuation.games import example

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

COSTS = np.linspace(0.0, 1.0, 241)
"""In 240ths, so that the thresholds are among them."""
BLACK = "#222222"


def _mark(axes: Axes, low: float, high: float) -> None:
    """Draw the thresholds."""
    for x in (low, high):
        axes.axvline(x, color="#777777", linewidth=1.0, linestyle=":")
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.03, 1.08)
    axes.spines[["top", "right"]].set_visible(False)


def figure_6(_: np.random.Generator) -> FigureData:
    """Compute the offers."""
    game = example(inf)
    curve = game.curve(COSTS.tolist())
    low, high = game.c_th, game.gamma_max
    equal = bisect(_advantage, 0.0, low)
    table = pl.DataFrame(
        {
            "cost": curve.cost,
            "alpha": curve.alpha,
            "probability_private": curve.private,
            "utility": curve.utility,
            "platform": curve.platform,
            "users": curve.users,
        }
    )

    results = {"c_th": low, "gamma_max": high, "platform and users have the same at": equal}
    return FigureData(table, partial(_draw, curve, low, high), results)


def _draw(curve: Curve, low: float, high: float, canvas: Canvas) -> None:
    """Draw who gets what, and the offer, over the cost."""
    split, offer = canvas.subplots(2, 1, sharex=True)
    split.plot(
        curve.cost,
        curve.utility,
        color=BLACK,
        linestyle=":",
        linewidth=2,
        label="total utility",
    )
    split.plot(curve.cost, curve.platform, color=BLUE, linewidth=2, label="kept by the platform")
    split.plot(
        curve.cost, curve.users, color=ORANGE, linestyle="--", linewidth=2,
        label="paid to both users",
    )  # fmt: skip
    for part, label in (
        (curve.cost < high, "alpha*, the part offered"),
        (curve.cost >= high, None),
    ):
        offer.plot(
            curve.cost[part], curve.alpha[part], color=BLUE, linewidth=2, label=label
        )  # fmt: skip
    offer.plot(
        curve.cost, curve.private, color=ORANGE, linestyle="--", linewidth=2,
        label="p*, probability of sharing nothing",
    )  # fmt: skip
    for axes in (split, offer):
        _mark(axes, low, high)
        axes.legend(frameon=False, fontsize=9)
    split.set_ylabel("expected utility (U from 0 to 1)")
    offer.set_ylabel("alpha*; probability")
    offer.set_xlabel("c, the cost of sharing to each user (units of utility)")
    regimes = ((0.0, low, "both share"), (low, high, "users mix"), (high, 1.0, "nobody shares"))
    for start, end, name in regimes:
        split.annotate(
            name, ((start + end) / 2, 1.0), xycoords=("data", "axes fraction"),
            xytext=(0, 4), textcoords="offset points", ha="center", fontsize=9, color=BLACK,
        )  # fmt: skip
    split.set_title("Figure 6: the platform's best offer over the privacy cost", pad=20)


def _advantage(cost: float) -> float:
    """Return by how much more the platform keeps than it pays."""
    curve = example(inf).curve([cost])
    return float(curve.platform[0] - curve.users[0])


FIGURES = (
    Figure(
        "valuation/figure-6",
        "Figure 6, section 5.1",
        "What the platform keeps and the users are paid at the best offer, over one privacy cost.",
        figure_6,
        size=(7.6, 6.4),
    ),
)
