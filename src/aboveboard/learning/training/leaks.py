"""Whether a file holds more rows of the center's test set than chance explains.

A row leaks if it stands in both files with all its features and its label. Where features are
coarse (a month, an hour, a flag), rows coincide by chance, so the number of test rows found is
compared with what chance allows: for a file of n rows, n times the chance that two rows coincide.
That chance is estimated from the center's own rows, as the larger of two: the share of their pairs
that coincide, and the product over columns of the share of pairs that agree in this column. A
column that never repeats makes the second zero, and then no coincidence is allowed at all.

Cost: a hash per row, and a sort of the center's rows by each column.
"""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.formatting import format_count
from aboveboard.learning.training.tables import TrainingRows

ALLOWED_DEVIATIONS = 4
"""Standard deviations above the expected number (a Poisson count) that chance is allowed."""


def count_coincidences(test: NDArray[np.uint64], rows: TrainingRows) -> tuple[int, str]:
    """Return how many distinct test rows stand in a file, and where the first of them does."""
    found = np.flatnonzero(np.isin(rows.compute_digests(), test))
    if not found.size:
        return 0, ""
    return len(np.unique(rows.compute_digests()[found])), rows.at(int(rows.numbers[found].min()))


def estimate_chance(center: TrainingRows) -> float:
    """Return the chance that two rows coincide, estimated from the center's rows."""
    columns = [*center.x.T, center.y]
    product = float(np.prod([_agreement(column) for column in columns]))
    return max(product, _agreement(center.compute_digests()))


def _agreement(values: NDArray[np.generic]) -> float:
    """Return the share of the pairs of entries that are equal."""
    m = len(values)
    if values.dtype == object:
        values = values.astype(str)
    _, counts = np.unique(values, return_counts=True)
    pairs = float((counts * (counts - 1.0)).sum())
    return pairs / (m * (m - 1.0)) if m > 1 else 0.0


def compute_limit(test_rows: int, rows: int, alike: float) -> int:
    """Return how many of `test_rows` may stand in a file of `rows` by chance."""
    expected = min(float(test_rows), test_rows * rows * alike)
    return ceil(expected + ALLOWED_DEVIATIONS * sqrt(expected))


def refuse_leak(where: str, found: int, line: str, limit: int, test_rows: int) -> None:
    """Raise `InputError` if more test rows were found than chance allows."""
    if found <= limit:
        return
    place = f"{where}, {line}" if line else where
    by_chance = f"chance explains {limit}" if limit else "they would not coincide by chance"
    raise InputError(
        place,
        f"the test set leaks: {format_count(found)} of the center's {format_count(test_rows)} "
        "rows stand here too "
        f"({by_chance})",
        "hold out rows that no party has, or set training.coincidences if such rows are alike",
    )
