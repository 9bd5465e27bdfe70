"""A chart of who discloses how much over a path of better replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from aboveboard.curation.dynamics import BID_STEP, Path

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

LONGEST = 18
"""Characters of a name in the legend."""

MOST_LINES = 30
"""The most agents with a line each; above that the mean and the range are drawn."""


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
    if len(names) <= MOST_LINES:
        for k, name in enumerate(names):
            style = ("-", "--", ":", "-.")[k % 4]
            label = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
            axes.step(steps, disclosed[:, k], style, where="post", label=label)
    else:
        axes.fill_between(
            steps, disclosed.min(axis=1), disclosed.max(axis=1), alpha=0.3, step="post",
            label="from the least to the most",
        )  # fmt: skip  # read as a table
        axes.step(steps, disclosed.mean(axis=1), where="post", label="mean of all agents")
    # Above the lines: they fill the plot where bids creep up and fall again and again.
    canvas.legend(loc="outside upper left", frameon=False, ncols=2)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("move")
    axes.set_ylabel("relative price (0 silent, 1 truthful)")
    axes.set_title(f"Who discloses: better replies from silence; {_describe_end(path)}")
    axes.spines[["top", "right"]].set_visible(False)


def _describe_end(path: Path) -> str:
    if path.at_equilibrium:
        return "nobody gains by another move"
    if path.moving:
        return "it goes on"
    return f"nobody gains by bids {BID_STEP} higher, some do by closer ones"
