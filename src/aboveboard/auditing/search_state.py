"""The state of one search for profitable deviations: the best row so far, and how it is judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, prod
from time import perf_counter
from typing import Any

import numpy as np

from aboveboard.auditing.budget import Progress
from aboveboard.auditing.gains import compute_gains
from aboveboard.auditing.payoff_reader import CHUNK, PayoffReader
from aboveboard.auditing.rows import Deviation, DeviationSet, count_profiles_in, count_rows
from aboveboard.auditing.small_parts import value_together
from aboveboard.auditing.table_scan import TableScan, find_largest
from aboveboard.games.actions import (
    AWAY,
    Action,
    Codes,
    count_actions,
    encode_positions,
    find_position,
    unravel,
)
from aboveboard.games.capabilities import HasBatches, HasLikelyGains, OneOutcome
from aboveboard.games.numbers import Array, from_units

ROWS_OF_A_BATCH, ROWS_OF_CALLS = 512, 32
"""Rows valued between two looks at the clock, by games that value batches and by others."""


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
        Gains nearer to the threshold than this may be rounding; 0 if exact.
    left_open
        Why something that the rule leaves open was not settled; empty if nothing was.
    uniform
        The least number of rows drawn uniformly for any sampled coalition.
    stopped
        Why the search ended before it had looked at all that it should; empty if it did not.
    """

    checked: int
    total: int
    sampled: bool
    best: Deviation | None
    exact: bool
    tolerance: float
    left_open: str
    uniform: int | None
    stopped: str = ""


DeviationRow = tuple[DeviationSet, tuple[Action, ...], tuple[Action, ...]]
"""Who deviates and how, what all report where these are honest, and what they report instead."""


class SearchState:
    """The best row so far and what is needed to judge it."""

    def __init__(
        self, valuation: PayoffReader, progress: Progress | None, end: float = inf
    ) -> None:
        self.valuation, self.progress = valuation, progress
        self.end = self.part_end = end
        self.is_cut = False
        self.checked = 0
        self.best: tuple[Any, DeviationRow] | None = None
        self.unclear = False
        self.uniform: int | None = None

    def _count(self, rows: int) -> None:
        self.checked += rows
        if self.progress is not None:
            self.progress(rows)

    def is_over(self) -> bool:
        """Return whether the time ended the search, and some row was valued."""
        over = self.checked > 0 and self.end < inf and perf_counter() > self.end
        self.is_cut |= over
        return over

    def allot(self, shares: int) -> None:
        """Let what follows use one of so many shares of the time that is left."""
        if self.end < inf:
            now = perf_counter()
            self.part_end = now + max(0.0, self.end - now) / shares

    def _cut(self, batches: Iterator[list[Codes]]) -> Iterator[list[Codes]]:
        """Yield batches in pieces that take little time, where there is a limit of time.

        Rows that are compared with each other stay together.
        """
        game = self.valuation.game
        if self.part_end == inf or isinstance(game, OneOutcome):
            yield from batches
            return
        fast = isinstance(game, HasBatches)
        # One call may take seconds: pieces begin with one row, and grow while there is time.
        width, most = (ROWS_OF_A_BATCH, ROWS_OF_A_BATCH) if fast else (1, ROWS_OF_CALLS)
        for columns in batches:
            m = count_profiles_in(columns)
            start = 0
            while start < m:
                yield [c if len(c) < m else c[start : start + width] for c in columns]
                start, width = start + width, min(2 * width, most)

    def value_all(self, part: DeviationSet, batches: Iterator[list[Codes]]) -> None:
        """Value the rows whose lying profiles come in batches of columns, while there is time.

        The first batch is always valued.
        """
        valuation, valued = self.valuation, 0
        valuation.end = self.part_end
        for columns in self._cut(batches):
            if valued and self.part_end < inf and perf_counter() > self.part_end:
                self.is_cut = True
                return
            if m := count_profiles_in(columns):
                before = valuation.skipped
                self._value(part, columns, m)
                skipped = valuation.skipped - before
                self.is_cut |= skipped > 0
                valued += m
                self._count(m - skipped)

    def _value(
        self, part: DeviationSet, columns: list[Codes], m: int, *, every_row: bool = False
    ) -> None:
        valuation = self.valuation
        full = [np.broadcast_to(c, (m, *c.shape[1:])) for c in columns]
        honest = [
            valuation.truth[i] if i in part.members else (full if part.others_free else columns)[i]
            for i in range(len(columns))
        ]
        if part.others_free:
            honest = [np.broadcast_to(c, (m, *c.shape[1:])) for c in honest]
        joint, unclear = compute_gains(valuation, part, honest, full, every_row=every_row)
        self.unclear |= bool(unclear.any())

        def row(k: int) -> DeviationRow:
            lying = valuation.actions(full, k)
            if part.outside is not None:
                (i,) = part.members
                lying = (*lying[:i], AWAY, *lying[i + 1 :])
            return part, valuation.actions(honest, k), lying

        k = int(np.argmax(joint))
        if self.best is None or joint[k] > self.best[0]:
            self.best = joint[k], row(k)

    def try_likely_gain(self, parts: Sequence[DeviationSet]) -> bool:
        """Value the row that the game names, if it is one of these, and return whether it gains."""
        game = self.valuation.game
        if not isinstance(game, HasLikelyGains) or (named := game.find_likely_gain()) is None:
            return False
        player, profile = named
        for part in parts:
            free = part.others_free and part.outside is None
            if free and part.members == (player,) and profile[player] in part.lies[0]:
                self.value_all(part, iter([self.valuation.columns(profile)]))
                return self.best is not None and self.best[0] > 0
        return False

    def take_together(self, parts: Sequence[DeviationSet]) -> None:
        """Value all rows of several small parts in one batch."""
        for best in value_together(self.valuation, parts):
            if self.best is None or best.gain > self.best[0]:
                self.best = best.gain, (best.part, best.honest, best.lying)
            self._count(best.rows)

    def find_in_table(self, part: DeviationSet, low: Array, high: Array) -> TableScan:
        """Scan all rows of one player, against every report of the others."""
        (i,) = part.members
        game, spaces = self.valuation.game, self.valuation.spaces
        shape = tuple(count_actions(space) for space in spaces)
        view = (prod(shape[:i]), shape[i], prod(shape[i + 1 :]))
        truth = find_position(spaces[i], game.truth(i))
        if count_actions(part.lies[0]) == count_actions(spaces[i]):
            first, last = 0, shape[i]
        else:  # the one lie of a part about absence
            first = find_position(spaces[i], part.lies[0][0])
            last = first + 1
        lows, highs = low[i].reshape(view), high[i].reshape(view)
        best, *where = find_largest(lows, highs, truth, first, last, one=low is high)
        return TableScan(best, tuple(where), (truth, first, last), view)

    def take_from_table(self, part: DeviationSet, scan: TableScan, low: Array, high: Array) -> None:
        """Keep what the scan of a player's rows found, where it is the largest so far."""
        (i,) = part.members
        game, spaces = self.valuation.game, self.valuation.spaces
        shape = tuple(count_actions(space) for space in spaces)
        best, where, (truth, first, last) = scan.best, scan.where, scan.actions
        lows, highs = low[i].reshape(scan.view), high[i].reshape(scan.view)

        def row(at: Sequence[int]) -> DeviationRow:
            outer, action, inner = at
            before, after = _split_digits(outer, shape[:i]), _split_digits(inner, shape[i + 1 :])
            pair = []
            for own in (truth, action):
                positions = (*before, own, *after)
                pair.append(tuple(s[p] for s, p in zip(spaces, positions, strict=True)))
            return part, pair[0], pair[1]

        if where[0] >= 0 and best > 0 and isinstance(game, OneOutcome):
            self._compare_in_one_outcome(part, lows, highs, (truth, first, last))
        elif where[0] >= 0 and (self.best is None or best > self.best[0]):
            self.best = best, row(where)
        self._count(count_rows(game, part))

    def _compare_in_one_outcome(
        self, part: DeviationSet, lows: Array, highs: Array, actions: tuple[int, int, int]
    ) -> None:
        """Look at the rows of a table in which the bounds allow a gain, the largest first.

        Of the others the one with the largest bound is looked at too: it may be no gain and still
        the largest.
        """
        truth, first, last = actions
        (i,) = part.members
        spaces = self.valuation.spaces
        shape = [count_actions(space) for space in spaces]
        shape[i] = last - first
        table = highs[:, first:last, :] - lows[:, truth : truth + 1, :]
        lies = np.ones(shape[i], dtype=np.bool_)
        if first <= truth < last:
            lies[truth - first] = False
        bounds = np.where(lies[None, :, None], table, table.min() - 1).reshape(-1)
        hopeful = np.flatnonzero(bounds > 0)
        hopeful = hopeful[np.argsort(-bounds[hopeful], kind="stable")]
        rest = int(np.argmax(np.where(bounds > 0, bounds.min(), bounds)))
        rows = np.append(hopeful, rest) if bounds[rest] <= 0 else hopeful
        for start in range(0, len(rows), CHUNK):
            some = rows[start : start + CHUNK]
            if self.best is not None and bounds[some[0]] <= self.best[0]:
                return
            digits = unravel(some, shape)
            digits[i] = digits[i] + first
            columns = [encode_positions(s, d) for s, d in zip(spaces, digits, strict=True)]
            self._value(part, columns, len(some), every_row=True)

    def make_scan(self, total: int, *, sampled: bool) -> Scan:
        """Return what the search saw."""
        valuation = self.valuation
        best, left_open = None, ""
        if self.best is not None:
            raw, row = self.best
            best = Deviation(*row, from_units(raw, valuation.unit))
        if self.unclear:
            left_open = (
                "in some rows the deviators' separate best cases sum to a gain; whether one "
                "outcome grants them that is not settled"
            )
        return Scan(
            self.checked,
            total,
            sampled,
            best,
            valuation.exact,
            valuation.tolerance_in_payoffs,
            left_open,
            self.uniform,
        )


def _split_digits(position: int, extents: Sequence[int]) -> list[int]:
    return [int(digit[0]) for digit in unravel(np.array([position]), extents)]
