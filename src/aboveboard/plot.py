"""The plots that reports and figures share, as SVG text that is the same on every run."""

from __future__ import annotations

import io
from collections.abc import Sequence

# Okabe and Ito's palette: told apart by colour-blind readers and in grey print.
BLUE, ORANGE = "#0072B2", "#E69F00"


def truth_against_lie(
    parties: Sequence[str], truth: Sequence[float], lie: Sequence[float | None], unit: str
) -> str:
    """Draw each party's utility with the truth next to its best lie.

    Parameters
    ----------
    parties
        Names, from top to bottom.
    truth, lie
        Utilities; None where a party has no lie.
    unit
        What utility is counted in, for the axis.

    Returns
    -------
    str
        An `<svg>` element with a title and description for those who cannot see it.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure  # a second to import: only when something is drawn

    settings = {"svg.hashsalt": "aboveboard", "svg.fonttype": "none", "font.size": 10}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(7.2, 1.2 + 0.62 * len(parties)), layout="constrained")
        axes = figure.add_subplot()
        rows = range(len(parties))
        axes.barh([r - 0.19 for r in rows], truth, 0.36, color=BLUE, label="truth")
        drawn = [(r + 0.19, x) for r, x in zip(rows, lie, strict=True) if x is not None]
        axes.barh(
            [r for r, _ in drawn], [x for _, x in drawn], 0.36, color=ORANGE,
            hatch="///", edgecolor="white", label="best lie found",
        )  # fmt: skip
        for r, x in [*((r - 0.19, x) for r, x in zip(rows, truth, strict=True)), *drawn]:
            axes.annotate(
                f"{x:,.6g}", (max(x, 0), r), xytext=(4, 0), textcoords="offset points",
                va="center", fontsize=8,
            )  # fmt: skip
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set_yticks(list(rows), labels=list(parties))
        axes.invert_yaxis()
        axes.margins(x=0.14)
        axes.set_xlabel(f"utility ({unit})")
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside upper right", ncols=2, frameon=False)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    return _described(svg[svg.index("<svg") :], parties, truth, lie)


def _described(
    svg: str, parties: Sequence[str], truth: Sequence[float], lie: Sequence[float | None]
) -> str:
    """Add a text alternative, and let the page scale the picture."""
    from html import escape

    said = "; ".join(
        f"{p}: truth {t:,.6g}, best lie {'none' if x is None else format(x, ',.6g')}"
        for p, t, x in zip(parties, truth, lie, strict=True)
    )
    head, rest = svg.split(">", 1)
    title = "<title>Utility of each party: truth against its best lie</title>"
    return f'{head} role="img">{title}<desc>{escape(said)}</desc>{rest}'
