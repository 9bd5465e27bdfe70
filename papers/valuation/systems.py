"""Linear equations in exact arithmetic, by Gauss: a solution and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from aboveboard.games.numbers import Number

Row = Sequence[Number]


def solve(rows: Sequence[Row], right: Row) -> tuple[list[Fraction], int]:
    """Solve linear equations; O(rows * unknowns^2) operations on fractions.

    Parameters
    ----------
    rows
        Coefficients, one row for each equation.
    right
        Right-hand sides.

    Returns
    -------
    list of Fraction
        The solution; where there are more, the one whose free unknowns are 0.
    int
        Dimension of the set of solutions: 0 where there is one.

    Raises
    ------
    ValueError
        If there is none.
    """
    unknowns = len(rows[0])
    left = [[Fraction(x) for x in (*row, b)] for row, b in zip(rows, right, strict=True)]
    pivots: list[int] = []
    for column in range(unknowns):
        at = len(pivots)
        found = next((k for k in range(at, len(left)) if left[k][column]), None)
        if found is None:
            continue
        left[at], left[found] = left[found], left[at]
        left[at] = [x / left[at][column] for x in left[at]]
        for k, row in enumerate(left):
            if k != at and row[column]:
                left[k] = [x - row[column] * y for x, y in zip(row, left[at], strict=True)]
        pivots.append(column)
    if any(row[-1] for row in left[len(pivots) :]):
        raise ValueError("the equations contradict one another")
    solution = [Fraction(0)] * unknowns
    for column, row in zip(pivots, left, strict=False):
        solution[column] = row[-1]
    return solution, unknowns - len(pivots)
