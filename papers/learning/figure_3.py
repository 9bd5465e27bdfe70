"""Figure 3: the boundary of data disparity over the market growth rate, on both grids.

The paper stops at alpha = -0.668. Here alpha = -0.662 is added, whose boundary from one step has
eight digits, steps between, and alpha*, from which on there is none. Cost: half a minute of one
core, nearly all of it for that boundary.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from aboveboard.learning.desirable.growth_boundary import (
    FIGURE_3,
    Boundary,
    find_boundary,
)
from aboveboard.learning.desirable.growth_rate import alpha_star
from aboveboard.report.plot import BLUE, ORANGE
from papers.figures import Figure, FigureData

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

BEYOND = (Fraction(-666, 1000), Fraction(-664, 1000), Fraction(-662, 1000))
"""Growth rates that the paper did not reach."""
NAMED = (Fraction(-7, 10), Fraction(-67, 100), Fraction(-668, 1000), *BEYOND)
STAR_DIGITS = 20
GRIDS = {
    True: ("with 0", BLUE, "o", "sizes $0, \\epsilon, 2\\epsilon, .., D$"),
    False: ("from one step", ORANGE, "s", "sizes $\\epsilon, 2\\epsilon, .., D$"),
}
"""For each grid, with 0 or not: its name, colour, marker and label."""
LAST_PRINTED = FIGURE_3[-1]


def boundaries(alphas: Sequence[Fraction]) -> list[Boundary]:
    """Return the boundary at each growth rate on both grids, the longest searches first."""
    asked = [(alpha, zero) for alpha in alphas for zero in (True, False)]
    # Boundaries grow with alpha: the last ones take longest, so that they are begun first.
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda x: find_boundary(x[0], zero=x[1]), reversed(asked)))
    return found[::-1]


def make_row(found: Boundary) -> dict[str, Any]:
    """Return a boundary as a row of the figure's table."""
    loss = found.loss
    return {
        "alpha": float(found.alpha),
        "smallest_size": "0" if found.zero else "1 step",
        "boundary": found.boundary,
        "loss_at_first_size": None if loss is None else loss.profile[0],
        "loss_at_second_size": None if loss is None else loss.profile[1],
        "links": None if loss is None else len(loss.chain),
        "loss_relative": None if loss is None else float(loss.total),
    }


def draw_boundaries(alphas: Sequence[Fraction]) -> FigureData:
    """Compute the boundary at these growth rates."""
    found = boundaries(alphas)
    table = pl.DataFrame([make_row(b) for b in found])
    star = alpha_star(STAR_DIGITS)

    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        for zero, (_, colour, marker, label) in GRIDS.items():
            points = [(float(b.alpha), b.boundary) for b in found if b.zero is zero]
            axes.plot(
                *zip(*points, strict=True), color=colour, marker=marker, markersize=2.5,
                linewidth=1.2, label=label,
            )  # fmt: skip
            for alpha, boundary in points[-1:]:
                axes.annotate(
                    f"{boundary:,} at {_minus(alpha)}", (alpha, boundary), xytext=(-8, 0),
                    textcoords="offset points", ha="right", va="center", fontsize=9, color="black",
                )  # fmt: skip
        axes.axvline(float(star), color="black", linestyle="--", linewidth=1)
        axes.annotate(
            f"$\\alpha^*$ = {_minus(round(float(star), 6))}:\nno boundary from here on",
            (float(star), 1.0), xytext=(-6, 0), textcoords="offset points", ha="right", fontsize=9,
            bbox={"fc": "white", "ec": "none", "pad": 1},
        )  # fmt: skip
        axes.axvline(float(LAST_PRINTED), color="black", linestyle=":", linewidth=1)
        axes.annotate(
            "the paper ends here", (float(LAST_PRINTED), 5), xytext=(-6, 0),
            textcoords="offset points", ha="right", fontsize=9,
        )  # fmt: skip
        axes.axvspan(float(star), -0.645, color="#DDDDDD")
        axes.set_xlim(-1.01, -0.645)
        axes.set_yscale("log")
        axes.set_xlabel("market growth rate $\\alpha$")
        axes.set_ylabel("largest data disparity $D/\\epsilon$ with a desirable\nmechanism (steps)")
        axes.set_title("Figure 3: the boundary of data disparity for two parties")
        axes.legend(frameon=False, loc="upper left")
        axes.spines[["top", "right"]].set_visible(False)

    results: dict[str, Any] = {"alpha_star": str(star)}
    for alpha in NAMED:
        at = {b.zero: b.boundary for b in found if b.alpha == alpha}
        if at:
            results[f"boundary at alpha = {float(alpha):g}"] = {
                GRIDS[zero][0]: boundary for zero, boundary in at.items()
            }
    return FigureData(table, draw, results)


def _minus(x: float) -> str:
    """Write a number with the sign that the axis has."""
    return f"{x:.6g}".replace("-", "\u2212")


def figure_3(_: np.random.Generator) -> FigureData:
    """Compute the boundary over the paper's range, and beyond it."""
    return draw_boundaries((*FIGURE_3, *BEYOND))


FIGURES = (
    Figure(
        "learning/figure-3",
        "Figure 3, section 6.2",
        "The largest ratio of data sizes with a desirable mechanism over the market growth rate.",
        figure_3,
        size=(8.4, 5.0),
    ),
)
