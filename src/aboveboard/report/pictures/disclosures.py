"""Who discloses over time: better replies from silence, until nobody gains by another move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aboveboard.curation.commitments import SILENCE
from aboveboard.curation.curation_game import CurationGame
from aboveboard.curation.disclosure_plot import MOST_LINES, draw_disclosure
from aboveboard.curation.dynamics import Path, simulate_better_replies
from aboveboard.formatting import format_quantity, format_rounded
from aboveboard.report.pictures.canvas import Picture, finish_picture, open_canvas

MOST_STEPS = 200
"""Moves after which the picture ends."""

MOST_AGENTS = 12
"""Agents whose moves are searched for a page: each takes a sum over all bits."""


def draw_disclosures(game: CurationGame, names: Sequence[str]) -> Picture | None:
    """Draw who discloses if one agent after the other moves; None for too many agents.

    Parameters
    ----------
    game
        What the agents play.
    names
        The agents, in order.
    """
    if len(names) > min(MOST_AGENTS, MOST_LINES) or _has_unknown_prices(game):
        return None
    start = [SILENCE] * len(names)
    path = simulate_better_replies(game, start, MOST_STEPS, np.random.default_rng(0))
    with open_canvas(3.3) as figure:
        draw_disclosure(figure, names, path)
        for axes in figure.axes:
            axes.set_title("")
        note = (
            "One agent after the other moves to what is best for it, from silence on. "
            f"{_describe_end(path)} 0 means that an agent keeps silent, 1 that it tells the truth."
        )
        return finish_picture(figure, "Who discloses over time", _describe(names, path), note)


def _has_unknown_prices(game: CurationGame) -> bool:
    agents: Sequence[Any] = game.society.agents
    return any(agent.price is None for agent in agents)


def _describe_end(path: Path) -> str:
    moves = format_quantity(len(path.profiles) - 1, "move")
    if path.at_equilibrium:
        return f"After {moves} nobody gains by another one."
    return f"After {moves} it {'goes on' if path.moving else 'stops, but finer bids would gain'}."


def _describe(names: Sequence[str], path: Path) -> str:
    last = zip(names, path.disclosed[-1], strict=True)
    ends = "; ".join(f"{name} discloses {format_rounded(x, 3)} in the end" for name, x in last)
    return f"{_describe_end(path)} {ends}"
