"""A chart of who discloses how much over a path of better replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from aboveboard.curation.dynamics import BID_STEP, Path
from aboveboard.formatting.labels import measure_text, tell_apart

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

LOOKS = ("-", "--", ":", "-.")
"""Dashes; with the style's five colours they make `MOST_LINES` looks."""

MOST_LINES = 20
"""The most agents with a line each; above that the mean and the range are drawn."""

SIZE, MARK, LINE = 10.0, 45.0, 0.21
"""Of the legend: points of its letters and of a mark with its margins, inches of a row."""

LEGEND_ROWS = 2
"""Rows of the legend that the figure has room for; it grows with more."""


def draw_disclosure(canvas: Canvas, names: Sequence[str], path: Path) -> None:
    """Draw how much each agent discloses after each move.

    Parameters
    ----------
    canvas
        An empty matplotlib figure.
    names
        The agents.
    path
        From `simulate_better_replies`.
    """
    from matplotlib.ticker import MaxNLocator

    # The last profile is drawn for one more move, so that it shows also where nobody moves.
    disclosed = np.array([*path.disclosed, path.disclosed[-1]])
    axes = canvas.add_subplot()
    steps = np.arange(len(disclosed))
    columns = 2
    if len(names) <= MOST_LINES:
        columns, labels = _place_names(canvas, names)
        for k, label in enumerate(labels):
            axes.step(steps, disclosed[:, k], LOOKS[k % 4], where="post", label=label)
    else:
        axes.fill_between(
            steps, disclosed.min(axis=1), disclosed.max(axis=1), alpha=0.3, step="post",
            label="from the least to the most",
        )  # fmt: skip  # read as a table
        axes.step(steps, disclosed.mean(axis=1), where="post", label="mean of all agents")
    # Above the lines: they fill the plot where bids creep up and fall again and again.
    canvas.legend(loc="outside upper left", frameon=False, ncols=columns)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("move")
    axes.set_ylabel("relative price (0 silent, 1 truthful)")
    axes.set_title(f"Who discloses: better replies from silence; {_describe_end(path)}")
    axes.spines[["top", "right"]].set_visible(False)


def _place_names(canvas: Canvas, names: Sequence[str]) -> tuple[int, list[str]]:
    """Return the legend's columns and labels, and make room for its rows."""
    inches, height = canvas.get_size_inches()
    half = inches * 72 / 2 - MARK
    labels = tell_apart(names, SIZE, half)
    widest = max(measure_text(label, SIZE) for label in labels) + MARK
    columns = max(2, int(inches * 72 / widest))
    rows = -(-len(names) // columns)
    canvas.set_size_inches(inches, height + LINE * max(0, rows - LEGEND_ROWS))
    return columns, labels


def _describe_end(path: Path) -> str:
    if path.at_equilibrium:
        return "nobody gains by another move"
    if path.moving:
        return "it goes on"
    return f"nobody gains by bids {BID_STEP} higher, some do by closer ones"
