"""Figure 5: fair payments in the numerical study of section 4.1, against an equal division."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from aboveboard.report.plot import BLUE, ORANGE
from papers.figures import Figure, FigureData
from papers.valuation.study import (
    DIRECT_LARGE,
    FEDERATED_LARGE,
    KINDS,
    LARGE,
    REGIMES,
    SMALL,
    SPLITS,
    USERS,
    pay_users,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

SPLIT = SPLITS[0]
COLOURS = {2: BLUE, 1: ORANGE}
HATCHES = {LARGE: "", SMALL: "///"}
STARRED = ((DIRECT_LARGE, "heterogeneous"), (DIRECT_LARGE, "alike"),
           (FEDERATED_LARGE, "heterogeneous"), (FEDERATED_LARGE, "alike"))  # fmt: skip
"""Groups of bars of figure 5b: who is important, and the regime. The text calls the second and the
fourth similar and does not say who is important in the last two."""
SETTING = (
    f"{USERS} users: 2 at level 2 and {SPLIT} at level 1 with {LARGE} samples, 2 at level 2 and "
    f"{5 - SPLIT} at level 1 with {SMALL}, 1 at level 0; the paper does not state the smaller "
    f"sample size, {SMALL} is consistent with its text"
)

Row = dict[str, Any]


def _row(group: int, regime: str, kind: int, star: int | None, *, starred: bool) -> Row:
    one = pay_users(regime, star, SPLIT)
    payment = one.star if starred and one.star is not None else one.each[kind]
    s2, t2 = REGIMES[regime]
    level, samples = KINDS[kind]
    return {
        "group": group,
        "s2": float(s2),
        "t2": float(t2),
        "level": level,
        "samples": samples,
        "weight": 100 if starred else 1,
        "payment": payment,
        "above_equal_division": one.above(payment),
        "percent_of_utility": 100 * one.above(payment) / one.total,
        "utility": one.total,
    }


def _spread_5a() -> list[Row]:
    return [
        _row(g, regime, kind, None, starred=False)
        for g, regime in enumerate(REGIMES)
        for kind in range(len(KINDS))
    ]


def _spread_5b() -> list[Row]:
    rows = []
    for g, (star, regime) in enumerate(STARRED):
        for kind in range(len(KINDS)):
            if kind == star:
                rows.append(_row(g, regime, kind, star, starred=True))
            rows.append(_row(g, regime, kind, star, starred=False))
    return rows


def _bars(axes: Axes, rows: list[Row], height: str) -> None:
    """Draw the groups side by side, with a star over who is important."""
    from matplotlib.patches import Patch

    groups = sorted({row["group"] for row in rows})
    for g in groups:
        bars = [row for row in rows if row["group"] == g]
        width = 0.9 / len(bars)
        for k, row in enumerate(bars):
            x, y = g + (k - (len(bars) - 1) / 2) * width, row[height]
            axes.bar(
                x, y, width, color=COLOURS[row["level"]], hatch=HATCHES[row["samples"]],
                edgecolor="white", linewidth=0.8,
            )  # fmt: skip
            star = "\u2605\n" if row["weight"] > 1 else ""
            axes.annotate(
                star + f"{y:+.1f}".replace("-", "\u2212"), (x, y), xytext=(0, 3 if y > 0 else -3),
                textcoords="offset points", ha="center", va="bottom" if y > 0 else "top",
                fontsize=8,
            )  # fmt: skip
    axes.axhline(0, color="black", linewidth=0.8)
    axes.margins(y=0.12)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.tick_params(axis="x", length=0)
    axes.legend(
        handles=[
            Patch(
                facecolor=COLOURS[level], hatch=HATCHES[samples], edgecolor="white",
                label=f"level {level} ({'direct' if level == 2 else 'federated'}), n = {samples}",
            )
            for level, samples in KINDS
        ],
        loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False,
    )  # fmt: skip


def _variances(row: Row) -> str:
    return f"$s^2$ = {row['s2']:g}, $t^2$ = {row['t2']:g}"


def figure_5a(_: np.random.Generator) -> FigureData:
    """Compute the payments with all weights 1."""
    rows = _spread_5a()

    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        _bars(axes, rows, "above_equal_division")
        firsts = rows[:: len(KINDS)]
        names = ("very heterogeneous", "between", "much alike")
        labels = [f"{name}\n{_variances(row)}" for name, row in zip(names, firsts, strict=True)]
        axes.set_xticks(range(len(labels)), labels)
        axes.set_ylabel("payment to one user minus U/N\n(utility: log of the errors' ratio)")
        axes.set_title("Figure 5a: fair payments against an equal division")

    spreads = {
        f"spread at s2 = {row['s2']:g}, t2 = {row['t2']:g}": _spread(rows, row["group"])
        for row in rows[:: len(KINDS)]
    }
    return FigureData(pl.DataFrame(rows), draw, {**spreads, "setting": SETTING})


def _spread(rows: list[Row], group: int) -> float:
    """Return the largest less the smallest payment in a group."""
    payments: list[float] = [row["payment"] for row in rows if row["group"] == group]
    return max(payments) - min(payments)


def figure_5b(_: np.random.Generator) -> FigureData:
    """Compute the payments where one user is a hundred times as important."""
    rows = _spread_5b()
    stars = [row for row in rows if row["weight"] > 1]

    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        _bars(axes, rows, "percent_of_utility")
        labels = [
            f"\u2605 level {row['level']}, n = {row['samples']}\n{_variances(row)}" for row in stars
        ]
        axes.set_xticks(range(len(labels)), labels)
        axes.set_ylabel("payment to one user minus U/N\n(percent of the utility U)")
        axes.set_title(
            "Figure 5b: fair payments where one user (\u2605) has weight 100, the others 1"
        )

    parts = {
        f"part of U paid to the star at level {row['level']}, s2 = {row['s2']:g}": (
            row["payment"] / row["utility"]
        )
        for row in stars
    }
    return FigureData(pl.DataFrame(rows), draw, {**parts, "setting": SETTING})


FIGURES = (
    Figure(
        "valuation/figure-5a",
        "Figure 5a, section 4.1.1",
        "By how much each type of user is paid more than U/N, in three regimes of heterogeneity.",
        figure_5a,
        size=(8.0, 5.2),
    ),
    Figure(
        "valuation/figure-5b",
        "Figure 5b, section 4.1.2",
        "The same where one user's estimate is a hundred times as important as each other's.",
        figure_5b,
        size=(10.0, 5.6),
    ),
)
