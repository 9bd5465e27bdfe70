"""Figures of the papers as functions: each gives a table, the numbers it is known for, and a plot.

A module of a paper lists its `FIGURES` beside its `CLAIMS`. A figure is computed anew each time;
nothing is read from the paper's own picture.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
import polars as pl

from aboveboard.errors import InputError
from aboveboard.report.plot import STYLE
from aboveboard.storage.atomic import atomic_files
from papers.claims import PAPERS

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas


@dataclass(frozen=True)
class FigureData:
    """What a figure shows.

    Parameters
    ----------
    table
        The points, one row each; standard errors as columns of their own where points are sampled.
    draw
        Draws them on an empty matplotlib figure.
    results
        What one reads off the figure, as plain data: a boundary, a threshold.
    """

    table: pl.DataFrame
    draw: Callable[[Canvas], None]
    results: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """One figure of a paper.

    Parameters
    ----------
    id
        "valuation/figure-6".
    place
        Where the paper shows it.
    statement
        What it shows, in our words.
    compute
        From a generator to the points.
    size
        Width and height in inches.
    """

    id: str
    place: str
    statement: str
    compute: Callable[[np.random.Generator], FigureData]
    size: tuple[float, float] = (7.2, 4.5)


def list_figures() -> tuple[Figure, ...]:
    """Return the figures of all papers."""
    return tuple(
        figure
        for paper in PAPERS
        for figure in getattr(import_module(f"papers.{paper}"), "FIGURES", ())
    )


def find_figure(name: str) -> Figure | None:
    """Return the figure with this id, or this name if one paper has it; None if none has.

    Raises
    ------
    InputError
        If several papers have a figure of this name.
    """
    found = [f for f in list_figures() if name in (f.id, f.id.rpartition("/")[2])]
    if len(found) > 1:
        raise InputError(
            f"figure {name!r}",
            "several papers have it",
            f"name one: {', '.join(f.id for f in found)}",
        )
    return found[0] if found else None


def compute_figure(figure: Figure, seed: int = 0) -> FigureData:
    """Return the points of a figure; the same seed gives the same points."""
    return figure.compute(np.random.default_rng([seed, crc32(figure.id.encode())]))


def write_figure(figure: Figure, data: FigureData, out: Path) -> tuple[Path, ...]:
    """Write a figure's table as CSV, its results as JSON, and its plot as PNG.

    Parameters
    ----------
    figure, data
        What it is and what it shows.
    out
        The folder; made where it is missing. Files of the same names are replaced.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas  # a second to import

    name = figure.id.replace("/", "-")
    kinds = ("csv", "png", "json") if data.results else ("csv", "png")
    with atomic_files(out) as folder:
        data.table.write_csv(folder / f"{name}.csv")
        with mpl.rc_context(STYLE):
            canvas = Canvas(figsize=figure.size, layout="constrained")
            data.draw(canvas)
            canvas.savefig(folder / f"{name}.png", dpi=150, metadata={"Software": None})
        if data.results:
            text = json.dumps(dict(data.results), indent=2, ensure_ascii=False) + "\n"
            (folder / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")
    return tuple(out / f"{name}.{kind}" for kind in kinds)
