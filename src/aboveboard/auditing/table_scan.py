"""The largest gain in a table of one player's payoffs, against every report of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from aboveboard.games.numbers import Array


@dataclass(frozen=True)
class TableScan:
    """The largest gain in one player's table.

    Parameters
    ----------
    best, where
        The gain, and its outer, action and inner position; the outer one is -1 if there is none.
    actions
        Position of the truth, and the range of the lies.
    view
        Shape of the table: the others' reports before and after the player's own.
    """

    best: Any
    where: tuple[int, ...]
    actions: tuple[int, int, int]
    view: tuple[int, int, int]


def find_largest(
    lows: Array, highs: Array, truth: int, first: int, last: int, *, one: bool
) -> tuple[Any, ...]:
    """Return the largest gain in a table, and its outer, action and inner position."""
    if object in (lows.dtype, highs.dtype):
        order = [a for a in range(first, last) if a != truth]
        if not order:
            return 0, -1, -1, -1
        picked = highs[:, order, :] - lows[:, truth : truth + 1, :]
        outer, action, inner = np.unravel_index(int(np.argmax(picked)), picked.shape)
        return picked[outer, action, inner], int(outer), order[int(action)], int(inner)
    from aboveboard.auditing import (
        kernels,  # numba costs a second to import: only where a table is scanned
    )

    if one:
        return tuple(kernels.largest_gain(highs, truth, first, last))
    return tuple(kernels.largest_gain_between(lows, highs, truth, first, last))
