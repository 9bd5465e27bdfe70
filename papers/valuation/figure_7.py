"""Figure 7: the platform's best offer to two users with different costs (equation 25, corrected).

Of several equilibria at one alpha the platform's best is taken. At equal costs above 1/3 either
user may be the one who shares; user 1 is taken.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from aboveboard.valuation.offers.alike_users import bisect
from papers.figures import Figure, FigureData
from papers.valuation.unlike import find_best, tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

CELL = Fraction(1, 72)
"""Width of a cell; the thresholds 1/3 and 2/3 are edges of cells."""
CELLS = 60
NAMED_FROM = 40
"""Cells from which a region is large enough for its letter."""
LETTERS = {
    "both share": "A",
    "both share, one by chance": "B",
    "only user 1 shares": "C",
    "only user 2 shares": "D",
    "nobody shares": "E",
}


def who_shares(x: float, y: float) -> str:
    """Name an answer."""
    if x == y == 1:
        return "both share"
    if x == y == 0:
        return "nobody shares"
    if min(x, y) == 0:
        return f"only user {1 if x else 2} shares"
    return "both share, one by chance"


def _row(first: Fraction, second: Fraction) -> dict[str, Any]:
    alpha, (x, y), kept = find_best((first, second))
    _, shares = tables()
    one, other = np.array([1 - x, x]), np.array([1 - y, y])
    paid = [alpha * float(one @ each.astype(np.float64) @ other) for each in shares]
    return {
        "cost_1": float(first),
        "cost_2": float(second),
        "alpha": alpha,
        "probability_shares_1": x,
        "probability_shares_2": y,
        "payment_1": paid[0],
        "payment_2": paid[1],
        "platform": kept,
        "answer": who_shares(x, y),
    }


def _edge(answer: str, low: float, high: float) -> float:
    """Return the equal cost up to which the answer is this one."""

    def inside(cost: float) -> float:
        _, (x, y), _ = find_best((Fraction(cost), Fraction(cost)))
        return 1.0 if who_shares(x, y) == answer else -1.0

    return round(bisect(inside, low, high), 9)


def figure_7(_: np.random.Generator) -> FigureData:
    """Compute the offers at the centres of the cells."""
    centres = [CELL * k + CELL / 2 for k in range(CELLS)]
    rows = [_row(a, b) for a in centres for b in centres]
    table = pl.DataFrame(rows)
    end = float(CELL * CELLS)

    def draw(canvas: Canvas) -> None:
        left, right = canvas.subplots(1, 2, sharey=True)
        for axes, column, title in (
            (left, "payment_2", "Payment to user 2"),
            (right, "platform", "Kept by the platform"),
        ):
            values = table[column].to_numpy().reshape(CELLS, CELLS).T
            image = axes.imshow(
                values, origin="lower", extent=(0, end, 0, end), cmap="cividis", vmin=0.0,
                interpolation="nearest",
            )  # fmt: skip
            canvas.colorbar(image, ax=axes, label="utility", shrink=0.8)
            axes.set_title(title)
            axes.set_xlabel("cost to user 1 (utility)")
            for (x, y), letter, size in _places(table):
                aside = size < NAMED_FROM
                line = {"arrowstyle": "-", "color": "white", "shrinkB": 0} if aside else None
                axes.annotate(
                    letter, (x, y), (x - 0.08, y + 0.2) if aside else None, ha="center",
                    va="center", fontsize=10, weight="bold",
                    arrowprops=line,
                    bbox={"boxstyle": "circle,pad=0.2", "fc": "white", "ec": "none", "alpha": 0.85},
                )  # fmt: skip
        left.set_ylabel("cost to user 2 (utility)")
        canvas.suptitle("Figure 7: the platform's best offer to two users with different costs")
        key = "   ".join(f"{letter} {name}" for name, letter in LETTERS.items())
        canvas.supxlabel(key, fontsize=9)

    parts = {
        f"part of the square: {answer}": (table["answer"] == answer).sum() / CELLS**2
        for answer in LETTERS
    }
    edges = {
        "at equal costs both share up to": _edge("both share", 0.01, 0.5),
        "at equal costs one shares up to": _edge("only user 1 shares", 0.5, 1.0),
    }
    return FigureData(table, draw, {**edges, **parts})


def _places(table: pl.DataFrame) -> list[tuple[tuple[float, float], str, int]]:
    """Return for each region the cell that is deepest inside, its letter, and its cells."""
    answers = table["answer"].to_numpy().reshape(CELLS, CELLS)
    found = []
    for answer, letter in LETTERS.items():
        there = np.argwhere(answers == answer)
        if not len(there):
            continue
        outside = np.argwhere(np.pad(answers, 1, constant_values="") != answer) - 1
        depth = [np.abs(outside - cell).max(axis=1).min() for cell in there]
        x, y = (float(CELL * int(k) + CELL / 2) for k in there[int(np.argmax(depth))])
        found.append(((x, y), letter, len(there)))
    return found


FIGURES = (
    Figure(
        "valuation/figure-7",
        "Figure 7, section 5.2",
        "What user 2 is paid and the platform keeps at the best offer, over both users' costs.",
        figure_7,
        size=(9.6, 4.7),
    ),
)
