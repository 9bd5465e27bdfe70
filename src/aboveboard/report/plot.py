"""The plots that reports and figures share, as SVG text that is the same on every run."""

from __future__ import annotations

import io
import re
import warnings
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from aboveboard.errors import InputError
from aboveboard.storage.atomic import atomic_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

# Okabe and Ito's palette: safe for colour-blind readers; markers and dashes differ in grey, too.
# Both have a contrast of at least 3 to 1 with white.
BLUE, ORANGE = "#0072B2", "#D55E00"
GREY = "#6E6E6E"
STYLE: Any = {
    "svg.hashsalt": "aboveboard",
    "svg.fonttype": "none",
    "font.size": 10,
    # The palette's colours with enough contrast; five of them and four dashes make twenty looks.
    "axes.prop_cycle": "cycler('color', ['#0072B2', '#D55E00', '#009E73', '#000000', '#CC79A7'])",
}
WIDTH, ROW, REST = 4.9, 0.46, 1.15  # inches: narrow, so that a phone shows it almost unscaled


@runtime_checkable
class Drawable(Protocol):
    """An offer that draws itself."""

    def draw(self, canvas: Canvas) -> None:
        """Draw on an empty matplotlib figure."""
        ...


def write_offer(offer: Any, path: Path) -> None:
    """Write the result of a design as an SVG picture.

    Parameters
    ----------
    offer
        It draws itself (`Drawable`), or has a `curve`: the platform's best offer over the users'
        cost, arrays `cost`, `alpha`, `private`, `platform`, `users`, all of one length; None if the
        users differ and there is no single cost.
    path
        The file.

    Raises
    ------
    InputError
        If there is no curve, or the file cannot be written.
    """
    if not isinstance(offer, Drawable) and offer.curve is None:
        raise InputError("--plot", "this design has no curve over one cost to draw", "omit --plot")
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 5.4), layout="constrained")
        if isinstance(offer, Drawable):
            offer.draw(figure)
        else:
            _draw_curve(figure, offer.curve)
        svg = to_svg(figure)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    note = "'aboveboard design' prints its numbers, all of them with --format json."
    with atomic_file(path) as file:
        file.write_text(add_alt_text(svg, "; ".join(titles), note), encoding="utf-8", newline="\n")


def _draw_curve(figure: Canvas, curve: Any) -> None:
    """Draw the platform's best offer over the users' cost."""
    offer, split = figure.subplots(2, 1, sharex=True)
    offer.plot(curve.cost, curve.alpha, color=BLUE, label="alpha, the part shared")
    offer.plot(
        curve.cost,
        curve.private,
        color=ORANGE,
        linestyle="--",
        label="probability of staying private",
    )
    split.plot(curve.cost, curve.platform, color=BLUE, label="the platform keeps")
    split.plot(curve.cost, curve.users, color=ORANGE, linestyle="--", label="users are paid")
    offer.set_ylabel("alpha; probability (0 to 1)")
    split.set_ylabel("expected utility (units of utility)")
    split.set_xlabel("cost of the less private level to each user (units of utility)")
    offer.set_title("The platform's best offer")
    for axes in (offer, split):
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)


def to_svg(figure: Canvas) -> str:
    """Return a figure as SVG, without anything that differs from run to run."""
    out = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of names that are wider than the picture
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def prefix_ids(svg: str, prefix: str) -> str:
    """Return an SVG whose identifiers begin with a prefix, so that a page can hold several.

    Examples
    --------
    >>> prefix_ids('<g id="a"/><use href="#a"/>', "b-")
    '<g id="b-a"/><use href="#b-a"/>'
    """
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}", svg)


def add_alt_text(svg: str, title: str, text: str) -> str:
    """Return an SVG with a text alternative in its outermost element."""
    before, _, rest = svg.partition("<svg")
    attributes, _, content = rest.partition(">")
    alternative = f"<title>{escape(title)}</title><desc>{escape(text)}</desc>"
    return f'{before}<svg{attributes} role="img">{alternative}{content}'
