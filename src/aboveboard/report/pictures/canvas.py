"""What the pictures share: a canvas of one width, marks that differ without colour, text for all.

Pictures are SVG that is the same on every run. A phone shows them almost unscaled; in grey, marks
differ by shape or hatching.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from aboveboard.formatting.labels import fit_text
from aboveboard.report.drawing import WIDTH as POINTS
from aboveboard.report.drawing import label_ticks
from aboveboard.report.plot import STYLE, WIDTH, add_alt_text, prefix_ids, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREEN, DARK, PALE = "#009E73", "#333333", "#d9d9d9"
"""Beside blue and orange of `report.plot`: Okabe and Ito's green, lines, and what is faint."""

MOST_PARTIES = 24
"""Parties that a picture shows; of more the table has all."""


@dataclass(frozen=True)
class Picture:
    """A picture for a page.

    Parameters
    ----------
    title
        What it shows.
    svg
        An `<svg>` element with a title and a description.
    note
        How to read it.

    Examples
    --------
    >>> Picture("Two lists", Markup("<svg></svg>"), "Each circle is a list.").title
    'Two lists'
    """

    title: str
    svg: Markup
    note: str


@contextmanager
def open_canvas(height: float) -> Iterator[Figure]:
    """Yield an empty matplotlib figure of the common width, in the common style.

    Parameters
    ----------
    height
        In inches.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure  # a second to import: only when something is drawn

    with mpl.rc_context(STYLE):
        yield Figure(figsize=(WIDTH, height), layout="constrained")


def finish_picture(figure: Figure, title: str, description: str, note: str) -> Picture:
    """Return a drawn figure as a picture.

    Parameters
    ----------
    figure
        What was drawn; within `open_canvas`.
    title, note
        As in `Picture`.
    description
        The picture's numbers in words, for those who cannot see it.
    """
    svg = to_svg(figure)
    svg = prefix_ids(svg[svg.index("<svg") :], "picture-")
    return Picture(title, Markup(add_alt_text(svg, title, description)), note)


def draw_party_rows(axes: Axes, parties: Sequence[str]) -> None:
    """Draw a row for each party, the first on top, its name above the row's line."""
    for row, name in enumerate(parties):
        axes.axhline(row, color=PALE, linewidth=0.8, zorder=0)
        # Above its line, a long name has the whole width.
        axes.annotate(
            fit_text(name, 9, POINTS),
            (0, row),
            xycoords=("axes fraction", "data"),
            xytext=(0, 10),
            textcoords="offset points",
            fontsize=9,
            parse_math=False,
        )
    axes.set_ylim(len(parties) - 0.5, -0.85)
    axes.set_yticks([])
    axes.spines[["top", "right", "left"]].set_visible(False)


def set_ticks(axes: Axes, numbers: Sequence[float]) -> None:
    """Set a few ticks on the horizontal axis, whole ones for whole numbers."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    whole = all(float(x).is_integer() for x in numbers)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=whole, min_n_ticks=1))

    def label(number: float, _: int | None) -> str:
        ticks = [float(x) for x in axes.xaxis.get_majorticklocs()]  # told apart from each other
        return dict(zip(ticks, label_ticks(ticks), strict=True)).get(
            float(number), label_ticks([float(number)])[0]
        )

    axes.xaxis.set_major_formatter(FuncFormatter(label))


LEGEND: dict[str, Any] = {
    "loc": "outside upper left",
    "frameon": False,
    "handletextpad": 0.4,
    "columnspacing": 1.2,
}
"""Where the legend of a figure stands, and how."""


def is_drawable(numbers: Sequence[Any]) -> bool:
    """Return whether all numbers fit on an axis."""
    return bool(numbers) and all(-1e300 < x < 1e300 for x in numbers)
