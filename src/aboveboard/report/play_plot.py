"""A chart of learning: in how many starts all are truthful, over the rounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aboveboard.auditing.play import Play
from aboveboard.errors import InputError
from aboveboard.report.plot import STYLE, add_alt_text, to_svg
from aboveboard.storage.atomic import atomic_file


def write_play(found: Play, path: Path) -> None:
    """Write how often all were truthful while they learned, as an SVG picture.

    Raises
    ------
    InputError
        If nobody learned, or the file cannot be written.
    """
    if not found.learning:
        raise InputError("--plot", "nobody learned, so there is nothing to draw", "omit --plot")
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 3.6), layout="constrained")
        axes = figure.add_subplot()
        for each, style in zip(found.learning, ("-", "--"), strict=False):
            rounds = np.linspace(0, each.rounds, len(each.course))
            axes.plot(rounds, each.course, style, label=each.rule)
        axes.set_ylim(-0.03, 1.03)
        axes.set_xlabel("round")
        axes.set_ylabel("share in which all are truthful")
        title = f"Learning from {found.learning[0].starts} starts: how often all are truthful"
        axes.set_title(title)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        svg = to_svg(figure)
    note = "'aboveboard play' prints its numbers, all of them with --format json."
    with atomic_file(path) as file:
        file.write_text(add_alt_text(svg, title, note), encoding="utf-8", newline="\n")
