"""Who discloses over time: better replies under three protocols, from silence."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from aboveboard.curation import (
    SILENCE,
    Agent,
    CurationGame,
    Society,
    simulate_better_replies,
)
from aboveboard.curation.social_functions import Threshold
from papers.curation.protocols import PROTOCOLS
from papers.figures import Figure, FigureData

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

F = Fraction
AGENTS = 5
STEPS = 120
NAMES = ("competitive", "fair", "straightforward")


def make_society() -> Society:
    """Return five agents who want to know whether three of six bits are 1; prices bearable."""
    agents = tuple(Agent(F(1), F(k, 50)) for k in range(6, 6 + AGENTS))
    return Society(Threshold(3), agents, F(1, 2))


def _compute(rng: np.random.Generator) -> FigureData:
    tables, settled = [], {}
    for name in NAMES:
        game = CurationGame(make_society(), PROTOCOLS[name])
        path = simulate_better_replies(game, (SILENCE,) * AGENTS, STEPS, rng)
        settled[name] = path.at_equilibrium
        disclosed = np.array(path.disclosed)
        tables.append(
            pl.DataFrame(
                {
                    "protocol": [name] * len(disclosed),
                    "move": np.arange(len(disclosed)),
                    **{f"agent {i + 1}": disclosed[:, i] for i in range(AGENTS)},
                }
            )
        )
    table = pl.concat(tables)
    return FigureData(table, lambda canvas: _draw(canvas, table), {"settled": settled})


def _draw(canvas: Canvas, table: pl.DataFrame) -> None:
    rows = canvas.subplots(len(NAMES), 1, sharex=True, sharey=True)
    for axes, name in zip(rows, NAMES, strict=True):
        path = table.filter(pl.col("protocol") == name)
        ended = path.height <= STEPS
        moves = [*path["move"], STEPS] if ended else list(path["move"])
        for i in range(AGENTS):
            bids = path[f"agent {i + 1}"].to_list()
            bids += bids[-1:] * ended
            style = ("-", "--", ":", "-.")[i % 4]
            axes.step(moves, bids, style, where="post", label=f"agent {i + 1}")
        after = f"nobody moves after {path.height - 1} moves" if ended else "it goes on"
        axes.set_title(f"{name}: {after}")
        axes.set_ylabel("relative price")
        axes.spines[["top", "right"]].set_visible(False)
    rows[-1].set_xlabel("move")
    handles, labels = rows[0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside upper center", frameon=False, ncols=AGENTS)


FIGURES = (
    Figure(
        "curation/dynamics",
        "Section 4, the intuition after Definition 1",
        "Better replies from silence, a relative price of 0, to the truth, 1: under the "
        "competitive protocol bids creep up, all but one give up, and it starts again; under the "
        "fair one they end in the truth; under the straightforward one nobody moves.",
        _compute,
        (7.2, 6.5),
    ),
)
