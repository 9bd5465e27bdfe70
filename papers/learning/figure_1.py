"""Figure 1: revenue, welfare and best quality over the number of parties, averaged over samples."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from aboveboard.report.plot import BLUE, ORANGE
from papers.figures import Figure, FigureData
from papers.learning.averages import SURE, average
from papers.learning.instances import RULES
from papers.learning.many_parties import samples

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

NUMBERS = range(2, 17)
COUNT = 100
SETTING = (
    f"{COUNT} markets for each number of parties (the paper has 50); sizes from U[0, 1], "
    "coefficients from U[-1, 1] in thousandths, those on the diagonal from U[0, 1]: with negative "
    "ones the payment would not be truthful; the paper does not say who is served when a party "
    "stays away, so that all three rules are shown"
)
MARKERS = {"all": "o", "participants": "s", "none": "^"}
LINES = {"all": "-", "participants": "--", "none": ":"}


def _row(rng: np.random.Generator, n: int) -> dict[str, Any]:
    drawn = samples(rng, n, COUNT)
    columns = {
        "welfare": drawn.welfare,
        **{f"revenue_{rule}": drawn.revenue[rule] for rule in RULES},
        "best_quality": drawn.best,
    }
    row: dict[str, Any] = {"parties": n, "samples": COUNT}
    for name, values in columns.items():
        found = average(values)
        row[name], row[f"{name}_standard_error"] = found.mean, found.error
    for rule in RULES:
        ahead = average(drawn.welfare - drawn.revenue[rule])
        row[f"welfare_minus_revenue_{rule}"] = ahead.mean
        row[f"welfare_minus_revenue_{rule}_standard_error"] = ahead.error
    return row


def figure_1(rng: np.random.Generator) -> FigureData:
    """Compute the averages."""
    table = pl.DataFrame([_row(rng, n) for n in NUMBERS])

    twelve = table.filter(pl.col("parties") == 12).to_dicts()[0]
    surpasses = {
        f'average revenue surpasses average welfare somewhere, rule "{rule}"': bool(
            (
                table[f"welfare_minus_revenue_{rule}"]
                < -SURE * table[f"welfare_minus_revenue_{rule}_standard_error"]
            ).any()
        )
        for rule in RULES
    }
    return FigureData(
        table,
        partial(_draw, table),
        {"best quality with 12 parties": twelve["best_quality"], **surpasses, "setting": SETTING},
    )


def _draw(table: pl.DataFrame, canvas: Canvas) -> None:
    """Draw welfare and revenue, and the best model."""
    money, models = canvas.subplots(1, 2, width_ratios=(3, 2))
    parties = table["parties"].to_numpy()

    _draw_line(table, money, "welfare", "welfare", color=BLUE, marker="D", linestyle="-")
    for rule in RULES:
        look = {"marker": MARKERS[rule], "linestyle": LINES[rule]}
        _draw_line(table, money, f"revenue_{rule}", f'revenue, rule "{rule}"', color=ORANGE, **look)
    money.set_ylabel("sum over all parties (value)")
    money.set_title("Welfare and revenue")
    money.legend(frameon=False, loc="upper left")
    _draw_line(table, models, "best_quality", "best model", color=BLUE, marker="D", linestyle="-")
    models.axhline(1.0, color="black", linewidth=0.8, linestyle="--")
    models.annotate(
        "largest possible", (parties[0], 1.0), xytext=(0, -4), textcoords="offset points",
        va="top", fontsize=9,
    )  # fmt: skip
    models.set_ylabel("quality of the best model (Q, at most 1)")
    models.set_title("Best quality")
    for axes in (money, models):
        axes.set_xlabel("number of parties")
        axes.set_xticks(parties[::2])
        axes.spines[["top", "right"]].set_visible(False)
    canvas.suptitle(
        f"Figure 1: maximal exploitation payments, means of {COUNT} markets with standard errors"
    )


def _draw_line(table: pl.DataFrame, axes: Any, name: str, label: str, **look: Any) -> None:
    """Draw a mean with its standard errors over the number of parties."""
    mean, error = table[name].to_numpy(), table[f"{name}_standard_error"].to_numpy()
    axes.errorbar(
        table["parties"].to_numpy(),
        mean,
        yerr=error,
        label=label,
        capsize=2.5,
        markersize=4.5,
        **look,
    )


FIGURES = (
    Figure(
        "learning/figure-1",
        "Figure 1, section 6.1",
        "Revenue, welfare and the best model's quality over the number of parties.",
        figure_1,
        size=(9.6, 4.6),
    ),
)
