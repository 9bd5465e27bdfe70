"""The search for profitable deviations.

A part of the rows is scanned whole where the budget allows, else sampled. Against every report of
the others, tables of payoffs are scanned by compiled code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from aboveboard.auditing.budget import Budget, Estimate, Progress, expected_seconds, seconds_a_row
from aboveboard.auditing.gains import exact_gain, gains
from aboveboard.auditing.payoff_reader import PayoffReader, bytes_of_table, settles_ties
from aboveboard.auditing.rows import Deviation, DeviationSet, blocks, draws, length, rows_of
from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import format_count
from aboveboard.games.actions import AWAY, Action, Codes, position_of, size_of, unravel
from aboveboard.games.capabilities import Exact
from aboveboard.games.game import Game, profiles
from aboveboard.games.numbers import Array, Number, as_floats, from_units, in_units, nearest_float

__all__ = [
    "Deviation",
    "DeviationSet",
    "PayoffReader",
    "Progress",
    "Scan",
    "estimate",
    "rows_of",
    "search",
]

NEAR_TIES = 100_000  # float gains near the threshold that are settled exactly before giving up


@dataclass(frozen=True)
class Scan:
    """What a search saw.

    Parameters
    ----------
    checked, total
        Rows valued, of how many.
    sampled
        Whether rows were drawn rather than all valued.
    best
        The row of the largest gain; None if there was no row.
    exact
        Whether all payoffs were exact.
    tolerance
        Gains nearer to the threshold than this are not told from rounding; 0 if exact.
    sure
        Whether the gain of `best` is exact, be it because an `Exact` game settled it.
    left_open
        Why something within the tolerance, or of what the rule leaves open, was not settled;
        empty if nothing was left.
    uniform
        The least number of rows drawn uniformly for any sampled coalition.
    """

    checked: int
    total: int
    sampled: bool
    best: Deviation | None
    exact: bool
    tolerance: float
    sure: bool
    left_open: str
    uniform: int | None


def estimate(game: Game, parts: Sequence[DeviationSet]) -> Estimate:
    """Say what scanning these parts whole would cost."""
    rows = sum(rows_of(game, part) for part in parts)
    return Estimate(rows, _memory(game, parts), expected_seconds(rows, seconds_a_row(game)))


def _memory(game: Game, parts: Sequence[DeviationSet]) -> int:
    """Bytes of the table, each profile valued once, that serves these parts; 0 if none does."""
    wanted = any(part.others_free and part.outside is None for part in parts)
    return bytes_of_table(game, profiles(game)) if wanted else 0


def search(
    game: Game,
    parts: Sequence[DeviationSet],
    *,
    budget: Budget,
    seed: int,
    threshold: Number = 0,
    progress: Progress | None = None,
) -> Scan:
    """Look for the deviation that gains most, through all rows or a sample.

    Raises
    ------
    BudgetExceeded
        If the scan is larger than the budget and the budget says to refuse.
    """
    total = sum(rows_of(game, part) for part in parts)
    sampled = total > budget.rows_for(game) or _memory(game, parts) > budget.memory
    if sampled and budget.beyond == "refuse":
        raise BudgetExceeded(
            f"an exhaustive audit needs {estimate(game, parts)}; the budget allows "
            f"{format_count(budget.rows_for(game))} checks and {budget.memory // 2**20} MiB"
        )
    valuation = PayoffReader(game)
    for _ in range(2):
        found = _SearchState(valuation, threshold, progress)
        if sampled:
            _sample(found, parts, budget.samples, np.random.default_rng(seed))
        else:
            _scan(found, parts)
        if not found.stale:
            break
        # Payoffs seen later were larger, and so is the tolerance: look for near ties once more.
        progress = None
    return found.scan(total, sampled=sampled)


def _scan(found: _SearchState, parts: Sequence[DeviationSet]) -> None:
    free = [part for part in parts if part.others_free and part.outside is None]
    tables = found.valuation.tables() if free else None
    for part in parts:
        if tables is not None and part.others_free and part.outside is None:
            found.scan_table(part, *tables)
        else:
            found.value_all(part, blocks(found.valuation, part))


def _sample(
    found: _SearchState, parts: Sequence[DeviationSet], samples: int, generator: np.random.Generator
) -> None:
    valuation = found.valuation
    for part in parts:
        if rows_of(valuation.game, part) <= samples:
            found.value_all(part, blocks(valuation, part))
            continue
        found.value_all(part, draws(valuation, part, samples, generator, extreme=True))
        before = found.checked
        found.value_all(part, draws(valuation, part, samples, generator, extreme=False))
        drawn = found.checked - before
        found.uniform = drawn if found.uniform is None else min(found.uniform, drawn)


Row = tuple[DeviationSet, tuple[Action, ...], tuple[Action, ...]]


class _SearchState:
    """The best row so far and what is needed to judge it."""

    def __init__(
        self, valuation: PayoffReader, threshold: Number, progress: Progress | None
    ) -> None:
        self.valuation, self.threshold, self.progress = valuation, threshold, progress
        self.checked = 0
        self.best: tuple[Any, Row] | None = None
        self.settles = settles_ties(valuation.game)
        self.near: list[Row] = []
        self.tightest = float("inf")
        self.overflow = False
        self.unclear = False
        self.uniform: int | None = None

    @property
    def stale(self) -> bool:
        """Whether near ties were looked for within less than the final tolerance."""
        return self.settles and self.tightest < self.valuation.tolerance

    def _count(self, rows: int) -> None:
        self.checked += rows
        if self.progress is not None:
            self.progress(rows)

    def value_all(self, part: DeviationSet, batches: Iterator[list[Codes]]) -> None:
        """Value the rows whose lying profiles come in batches of columns."""
        for columns in batches:
            if m := length(columns):
                self._value(part, columns, m)
                self._count(m)

    def _value(self, part: DeviationSet, columns: list[Codes], m: int) -> None:
        valuation = self.valuation
        full = [np.broadcast_to(c, (m, *c.shape[1:])) for c in columns]
        honest = [
            valuation.truth[i] if i in part.members else (full if part.others_free else columns)[i]
            for i in range(len(columns))
        ]
        if part.others_free:
            honest = [np.broadcast_to(c, (m, *c.shape[1:])) for c in honest]
        joint, unclear = gains(valuation, part, honest, full)
        self.unclear |= bool(unclear.any())

        def row(k: int) -> Row:
            lying = valuation.actions(full, k)
            if part.outside is not None:
                (i,) = part.members
                lying = (*lying[:i], AWAY, *lying[i + 1 :])
            return part, valuation.actions(honest, k), lying

        k = int(np.argmax(joint))
        if self.best is None or joint[k] > self.best[0]:
            self.best = joint[k], row(k)
        if self.settles:
            self._collect(joint, row)

    def _collect(self, joint: Array, row: Callable[[int], Row]) -> None:
        """Keep the rows that only exact payoffs can decide."""
        tolerance = self.valuation.tolerance
        self.tightest = min(self.tightest, tolerance)
        if self.valuation.exact:
            return
        level = nearest_float(in_units(self.threshold, self.valuation.unit))
        close = np.flatnonzero(np.abs(as_floats(joint) - level) <= tolerance)
        room = NEAR_TIES - len(self.near)
        self.overflow |= len(close) > room
        self.near += [row(int(k)) for k in close[:room]]

    def scan_table(self, part: DeviationSet, low: Array, high: Array) -> None:
        """Scan all rows of one player, against every report of the others."""
        (i,) = part.members
        game, spaces = self.valuation.game, self.valuation.spaces
        shape = tuple(size_of(space) for space in spaces)
        view = (prod(shape[:i]), shape[i], prod(shape[i + 1 :]))
        truth = position_of(spaces[i], game.truth(i))
        if size_of(part.lies[0]) == size_of(spaces[i]):
            first, last = 0, shape[i]
        else:  # the one lie of a part about absence
            first = position_of(spaces[i], part.lies[0][0])
            last = first + 1
        lows, highs = low[i].reshape(view), high[i].reshape(view)
        best, *where = _largest(lows, highs, truth, first, last, one=low is high)

        def row(at: Sequence[int]) -> Row:
            outer, action, inner = at
            before, after = _digits(outer, shape[:i]), _digits(inner, shape[i + 1 :])
            pair = []
            for own in (truth, action):
                positions = (*before, own, *after)
                pair.append(tuple(s[p] for s, p in zip(spaces, positions, strict=True)))
            return part, pair[0], pair[1]

        if where[0] >= 0:
            if self.best is None or best > self.best[0]:
                self.best = best, row(where)
            if self.settles:
                self._collect_from_table(lows, (truth, first, last), row)
        self._count(rows_of(game, part))

    def _collect_from_table(
        self, lows: Array, span: tuple[int, int, int], row: Callable[[Sequence[int]], Row]
    ) -> None:
        tolerance = self.valuation.tolerance
        self.tightest = min(self.tightest, tolerance)
        if self.valuation.exact:
            return
        from aboveboard.auditing.kernels import near_ties

        room = np.zeros((NEAR_TIES - len(self.near), 3), dtype=np.int64)
        count = near_ties(lows, *span, tolerance, room)
        self.overflow |= count > len(room)
        self.near += [row(at) for at in room[:count].tolist()]

    def scan(self, total: int, *, sampled: bool) -> Scan:
        """Close the search: settle near ties exactly where the game can."""
        valuation, game = self.valuation, self.valuation.game
        tolerance = valuation.tolerance_in_payoffs
        best, sure, left_open = None, valuation.exact, ""
        if self.best is not None:
            raw, row = self.best
            best = Deviation(*row, from_units(raw, valuation.unit))
            if self.settles and not valuation.exact and isinstance(game, Exact):
                sure, left_open = True, self._left_open(game, best, tolerance)
                best = max(
                    (Deviation(*r, exact_gain(game, *r)) for r in [row, *self.near]),
                    key=lambda deviation: deviation.gain,
                )
        if self.unclear:
            left_open = (
                "in some rows the members' separate best cases sum to a gain; whether one outcome "
                "grants them that is not settled"
            )
        return Scan(
            self.checked,
            total,
            sampled,
            best,
            valuation.exact,
            tolerance,
            sure,
            left_open,
            self.uniform,
        )

    def _left_open(self, game: Exact, best: Deviation, tolerance: float) -> str:
        if self.overflow:
            return f"more than {NEAR_TIES:,} gains are within the tolerance of float64"
        exact = exact_gain(game, best.part, best.honest, best.lying)
        if exact <= self.threshold and best.gain - self.threshold > tolerance:
            return "floats and exact payoffs differ by more than the tolerance"
        return ""


def _digits(position: int, extents: Sequence[int]) -> list[int]:
    return [int(digit[0]) for digit in unravel(np.array([position]), extents)]


def _largest(
    lows: Array, highs: Array, truth: int, first: int, last: int, *, one: bool
) -> tuple[Any, ...]:
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
