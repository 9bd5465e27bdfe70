"""The plots that reports and figures share, as SVG text that is the same on every run."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from aboveboard.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

# Okabe and Ito's palette: told apart by colour-blind readers; hatches tell them apart in grey.
BLUE, ORANGE = "#0072B2", "#E69F00"
SERIES = (
    ("truth", BLUE, ""),
    ("best lie found", ORANGE, "///"),
    ("staying away", "#999999", "..."),
)
BAR = 0.27  # of the room that a party has


def truth_against_lie(
    parties: Sequence[str],
    truth: Sequence[float],
    lie: Sequence[float | None],
    away: Sequence[float | None],
    unit: str,
) -> str:
    """Draw each party's utility with the truth, with its best lie, and when it stays away.

    Parameters
    ----------
    parties
        Names, from top to bottom.
    truth, lie, away
        Utilities; None where a party has no lie, or cannot stay away.
    unit
        What utility is counted in, for the axis.

    Returns
    -------
    str
        An `<svg>` element with a title and description for those who cannot see it.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure  # a second to import: only when something is drawn

    settings: Any = {"svg.hashsalt": "aboveboard", "svg.fonttype": "none", "font.size": 10}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(7.2, 1.2 + 0.75 * len(parties)), layout="constrained")
        axes = figure.add_subplot()
        for k, ((label, colour, hatch), values) in enumerate(
            zip(SERIES, (truth, lie, away), strict=True)
        ):
            bars = [(r + (k - 1) * BAR, x) for r, x in enumerate(values) if x is not None]
            if not bars:
                continue
            places, lengths = [r for r, _ in bars], [x for _, x in bars]
            axes.barh(
                places, lengths, BAR, color=colour, hatch=hatch, edgecolor="white", label=label
            )
            for r, x in bars:
                side = 1 if x >= 0 else -1
                axes.annotate(
                    f"{x:,.6g}", (x, r), xytext=(4 * side, 0), textcoords="offset points",
                    va="center", ha="left" if x >= 0 else "right", fontsize=9,
                )  # fmt: skip
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set_yticks(range(len(parties)), labels=list(parties))
        axes.invert_yaxis()
        axes.margins(x=0.14)
        axes.set_xlabel(f"utility ({unit})")
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside upper right", ncols=3, frameon=False)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    return _described(svg[svg.index("<svg") :], parties, (truth, lie, away))


@runtime_checkable
class Drawable(Protocol):
    """An offer that draws itself."""

    def draw(self, canvas: Canvas) -> None:
        """Draw on an empty matplotlib figure."""
        ...


def write_offer(offer: Any, path: Path) -> None:
    """Write what a design found as an SVG picture.

    Parameters
    ----------
    offer
        Draws itself (`Drawable`), or has a `curve`: the platform's best offer over the users' cost,
        arrays `cost`, `alpha`, `private`, `platform`, `users`, all of one length; None where the
        users differ and there is no single cost.
    path
        The file.

    Raises
    ------
    InputError
        If there is no curve, or the file cannot be written.
    """
    if not isinstance(offer, Drawable) and offer.curve is None:
        raise InputError(
            "--plot", "the users differ, so there is no curve over one cost", "leave --plot out"
        )
    import matplotlib as mpl
    from matplotlib.figure import Figure

    settings: Any = {"svg.hashsalt": "aboveboard", "svg.fonttype": "none", "font.size": 10}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(7.2, 5.4), layout="constrained")
        if isinstance(offer, Drawable):
            offer.draw(figure)
        else:
            _draw_curve(figure, offer.curve)
        try:
            figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
        except OSError as error:
            raise InputError(
                str(path), f"it cannot be written ({error.strerror})", "name another file"
            ) from error


def _draw_curve(figure: Canvas, curve: Any) -> None:
    """Draw the platform's best offer over the users' cost."""
    offer, split = figure.subplots(2, 1, sharex=True)
    offer.plot(curve.cost, curve.alpha, color=BLUE, label="alpha, the part shared")
    offer.plot(
        curve.cost, curve.private, color=ORANGE, linestyle="--",
        label="probability of staying private",
    )  # fmt: skip
    split.plot(curve.cost, curve.platform, color=BLUE, label="the platform keeps")
    split.plot(curve.cost, curve.users, color=ORANGE, linestyle="--", label="users are paid")
    offer.set_ylabel("alpha; probability")
    split.set_ylabel("expected utility")
    split.set_xlabel("cost of the less private level to each user")
    offer.set_title("The platform's best offer")
    for axes in (offer, split):
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)


def _described(svg: str, parties: Sequence[str], values: Sequence[Sequence[float | None]]) -> str:
    """Add a text alternative."""
    said = "; ".join(
        f"{party}: "
        + ", ".join(
            f"{label} {x:,.6g}"
            for (label, _, _), x in zip(SERIES, of_party, strict=True)
            if x is not None
        )
        for party, of_party in zip(parties, zip(*values, strict=True), strict=True)
    )
    head, rest = svg.split(">", 1)
    title = "<title>Utility of each party: truth, best lie, staying away</title>"
    return f'{head} role="img">{title}<desc>{escape(said)}</desc>{rest}'
