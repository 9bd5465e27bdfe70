"""Figure 2: two parties, one of type 1, over the other's type; simulated and in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from aboveboard.report.plot import BLUE, ORANGE
from papers.figures import Figure, FigureData
from papers.learning.averages import average, coefficients
from papers.learning.opponents import against, compute_closed_forms

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

TYPES = tuple(k / 10 for k in range(21))
COUNT = 500
LOOKS = {
    "welfare": (BLUE, "o", "welfare"),
    "revenue": (ORANGE, "s", "revenue"),
    "uti_1": ("#009E73", "^", "uti_1, utility of the party of type 1"),
    "uti_2": ("#CC79A7", "v", "uti_2, utility of its opponent"),
}
"""Okabe and Ito's palette, and a marker for each."""
SETTING = (
    f"{COUNT} markets for each type (the paper has 50); coefficients from U[-1, 1] in thousandths, "
    "those on the diagonal from U[0, 1]: with negative ones the payment would not be truthful; "
    "with two parties the rule for who stays away makes no difference"
)


def figure_2(rng: np.random.Generator) -> FigureData:
    """Compute the averages, and what is expected."""
    rows = []
    for t in TYPES:
        row: dict[str, Any] = {"opponent_type": t, "samples": COUNT}
        expected = compute_closed_forms(t)
        valuations = [coefficients(rng, 2) for _ in range(COUNT)]
        for name, values in against(valuations, t).items():
            found = average(values)
            row[name], row[f"{name}_standard_error"] = found.mean, found.error
            row[f"{name}_closed_form"] = expected[name]
        rows.append(row)
    table = pl.DataFrame(rows)

    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        types = table["opponent_type"].to_numpy()
        for name, (colour, marker, label) in LOOKS.items():
            axes.errorbar(
                types, table[name].to_numpy(), yerr=table[f"{name}_standard_error"].to_numpy(),
                color=colour, marker=marker, markersize=4, linestyle="none", capsize=2, label=label,
            )  # fmt: skip
            axes.plot(types, table[f"{name}_closed_form"].to_numpy(), "--", color=colour)
        axes.plot([], [], "--", color="black", label="closed forms")
        axes.set_xlabel("type of the opponent (valid data size; the other party's is 1)")
        axes.set_ylabel("value")
        axes.set_title(f"Figure 2: two parties, means of {COUNT} markets with standard errors")
        canvas.legend(frameon=False, loc="outside lower center", ncols=3)
        axes.spines[["top", "right"]].set_visible(False)

    revenue = [compute_closed_forms(t)["revenue"] for t in TYPES]
    off = [
        abs(row[name] - row[f"{name}_closed_form"]) / row[f"{name}_standard_error"]
        for row in rows
        for name in LOOKS
        if row[f"{name}_standard_error"] > 0
    ]
    return FigureData(
        table,
        draw,
        {
            "revenue expected at type 0": revenue[0],
            "largest revenue expected": max(revenue),
            "at type": TYPES[int(np.argmax(revenue))],
            "largest difference from the closed forms, in standard errors": max(off),
            "setting": SETTING,
        },
    )


FIGURES = (
    Figure(
        "learning/figure-2",
        "Figure 2, section 6.1",
        "Revenue, welfare and utilities of two parties, one of type 1, over the other's type.",
        figure_2,
        size=(8.4, 5.2),
    ),
)
