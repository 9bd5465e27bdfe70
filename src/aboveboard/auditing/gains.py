"""What rows gain, and what one row gains exactly."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing.payoff_reader import PayoffReader
from aboveboard.auditing.rows import DeviationSet
from aboveboard.games.actions import Codes
from aboveboard.games.capabilities import HasBounds, OneOutcome
from aboveboard.games.numbers import (
    LARGEST_ENTRY,
    Array,
    Number,
    absolute,
    sum_along,
    to_floats,
    to_number,
    to_units,
)

FEW_ROWS = 256
"""Rows up to which all are compared in one outcome."""

MOST_ROWS = 128
"""Rows of a sample that are compared once one of them has a gain."""

FEW_OF_A_BATCH = MOST_OF_A_BATCH = 16
"""The same of a batch, where rows are so wide that a sample comes in many batches."""

ROWS_A_LOOK = 16
"""Rows compared between two looks at the clock."""

FIRST_ROWS = 32
"""Of more rows these, with the largest bounds, are compared first; others if they can gain more."""


def compute_gains(
    valuation: PayoffReader,
    part: DeviationSet,
    honest: Sequence[Codes],
    lying: Sequence[Codes],
    *,
    every_row: bool = False,
) -> tuple[Array, NDArray[np.bool_]]:
    """Return what each row gains, in units, and in which rows that is left open.

    Where the rule leaves something open (`HasBounds`) one deviator is judged by its best case. For
    several, one outcome must do: each member's separate best case may need another. Then the gain
    is what one outcome grants every member (in whole units), or at most zero; with transfers a
    row is open if the best cases sum to a gain that `attainable` does not confirm.

    Where one outcome serves all profiles (`OneOutcome`), a gain that the bounds allow is looked
    for in each, the same for the truth and the lie, unless only one player is off the truth. Once
    one of many rows has a gain, only `MOST_ROWS` are looked at, unless `every_row` is wanted:
    the others count as no gain.
    """
    joint, unclear = _compute_bounds_of_gains(valuation, part, honest, lying)
    alone = len(part.members) == 1 and not part.others_free
    if isinstance(valuation.game, OneOutcome) and not alone and part.outside is None:
        found = joint, unclear
        _compare_in_one_outcome(valuation, part, honest, lying, found, every_row=every_row)
    return joint, unclear


def _compare_in_one_outcome(
    valuation: PayoffReader,
    part: DeviationSet,
    honest: Sequence[Codes],
    lying: Sequence[Codes],
    found: tuple[Array, NDArray[np.bool_]],
    *,
    every_row: bool,
) -> None:
    """Write into `found` what one outcome gives, in rows in which the bounds allow a gain.

    Of many rows those with the largest bounds are looked at first, and the rest only as long as
    their bounds exceed the largest gain. Where the time ends, the rest count as not checked.
    """
    joint, unclear = found
    rows = np.flatnonzero((joint > 0) | unclear)
    rows = rows[np.argsort(-joint[rows], kind="stable")]
    few = len(rows) <= (FEW_OF_A_BATCH if valuation.are_split else FEW_ROWS)
    most = MOST_OF_A_BATCH if valuation.are_split else MOST_ROWS
    best, start, width = 0, 0, len(rows) if few else FIRST_ROWS
    while start < len(rows):
        some = rows[start : start + width]
        enough = best > 0 and start >= most and not every_row
        if enough or (start and joint[some[0]] <= best and not unclear[rows[start:]].any()):
            joint[rows[start:]], unclear[rows[start:]] = 0, False
            return
        for at in range(0, len(some), ROWS_A_LOOK):
            if (start or at) and valuation.end < inf and perf_counter() > valuation.end:
                left = rows[start + at :]
                valuation.skipped += len(left)
                joint[left], unclear[left] = 0, False
                return
            best = max(
                best, _compare(valuation, part, (honest, lying), found, some[at:][:ROWS_A_LOOK])
            )
        start, width = start + width, 4 * width


def _compare(
    valuation: PayoffReader,
    part: DeviationSet,
    profiles: tuple[Sequence[Codes], Sequence[Codes]],
    found: tuple[Array, NDArray[np.bool_]],
    some: NDArray[np.intp],
) -> int:
    """Write into `found` what one outcome gives in some rows, and return the largest gain."""
    joint, unclear = found
    game = valuation.game
    assert isinstance(game, OneOutcome)
    before, after = (
        _broadcast([c[some] if len(c) == len(joint) else c for c in columns], len(some))
        for columns in profiles
    )
    gains, left_open = game.gains_in_one_outcome(
        before, after, part.members, joint[some], transfers=part.transfers
    )
    joint[some], unclear[some] = gains, left_open
    return int(gains.max())


def _compute_bounds_of_gains(
    valuation: PayoffReader, part: DeviationSet, honest: Sequence[Codes], lying: Sequence[Codes]
) -> tuple[Array, NDArray[np.bool_]]:
    """Return what rows gain if each member has its own best case, and what that leaves open."""
    members = list(part.members)
    low = valuation.bounds(honest)[0][:, members]
    if part.outside is not None:
        joint = _convert_outside(valuation, part.outside) - low[:, 0]
        return joint, np.zeros(len(joint), dtype=np.bool_)
    high = valuation.bounds(lying)[1][:, members]
    each = high - low
    joint = sum_along(each, axis=1) if part.transfers else each.min(axis=1)
    unclear = np.zeros(len(joint), dtype=np.bool_)
    game = valuation.game
    if len(members) == 1 or not isinstance(game, HasBounds):
        return joint, unclear
    hopeful = np.flatnonzero(joint > 0)
    if not len(hopeful):
        return joint, unclear
    columns = [c[hopeful] if len(c) == len(joint) else c for c in lying]
    floors = np.broadcast_to(low, each.shape)[hopeful]
    granted = game.attainable(_broadcast(columns, len(hopeful)), part.members, floors)
    unclear[hopeful[~granted]] = part.transfers
    joint[hopeful[~granted]] = 0
    if not part.transfers and joint.dtype == np.int64 and granted.any():
        rows = hopeful[granted]
        kept = [c[granted] if len(c) == len(hopeful) else c for c in columns]
        joint[rows] = _find_gain_for_all(game, kept, part.members, floors[granted], joint[rows])
    return joint, unclear


def _broadcast(columns: Sequence[Codes], m: int) -> list[Codes]:
    return [np.broadcast_to(c, (m, *c.shape[1:])) for c in columns]


def _find_gain_for_all(
    game: HasBounds, columns: Sequence[Codes], members: Sequence[int], floors: Array, most: Array
) -> Array:
    """Find by bisection the largest gain, up to `most`, that one outcome grants all members."""
    columns = _broadcast(columns, len(most))
    least = np.ones_like(most)
    most = most.copy()
    while (least < most).any():
        middle = (least + most + 1) // 2
        reached = game.attainable(columns, members, floors + (middle - 1)[:, None])
        least = np.where(reached, np.maximum(least, middle), least)
        most = np.where(reached, most, np.minimum(most, middle - 1))
        most = np.maximum(most, least)
    return least


def _convert_outside(valuation: PayoffReader, outside: Number) -> Array:
    """Return the payoff of staying away in units, as an array of length 1."""
    value = to_number(outside)
    if isinstance(value, float) and value.is_integer() and absolute(value) < 2**53:
        value = int(value)
    units = to_units(value, valuation.unit)
    valuation.peak = max(valuation.peak, absolute(units))
    if isinstance(units, float) or not valuation.exact:
        valuation.exact = False
        return to_floats([units])
    if isinstance(units, int) and absolute(units) <= LARGEST_ENTRY:
        return np.array([units], dtype=np.int64)
    return np.array([units], dtype=object)
