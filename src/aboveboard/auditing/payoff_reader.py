"""Payoffs of many profiles of any game, as arrays of one kind: int64, exact objects, or floats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import inf, prod

import numpy as np

from aboveboard.games.actions import (
    Action,
    Codes,
    count_actions,
    decode,
    encode,
    encode_positions,
    unravel,
)
from aboveboard.games.capabilities import HasBatches, HasBounds, HasEntries
from aboveboard.games.game import Game, TabularGame
from aboveboard.games.numbers import (
    LARGEST_ENTRY,
    Array,
    Number,
    as_floats,
    as_objects,
    from_units,
    max_abs,
    normalize_array,
    to_floats,
    to_nearest_float,
    to_number,
)

CHUNK = 1 << 15  # rows valued in one call: large enough for arrays, small enough for the cache
RELATIVE_TOLERANCE = 1e-9  # of the largest payoff: far above float64 rounding of sums and products


class PayoffReader:
    """Payoffs of many profiles of any game, as arrays, in units.

    Parameters
    ----------
    game
        Any `Game`; it is valued in batches where it can be.

    Attributes
    ----------
    exact
        Whether everything valued so far was exact.
    peak
        The largest absolute payoff seen, in units.
    end, skipped
        When rows are no longer compared one by one, as `perf_counter` counts; how many were not.
    are_split
        Whether rows are so wide that a sample comes in several batches.
    """

    def __init__(self, game: Game) -> None:
        self.game = game
        n = len(game.players)
        self.spaces = [game.actions(i) for i in range(n)]
        self.truth = [encode(self.spaces[i], game.truth(i)) for i in range(n)]
        self.unit = Fraction(game.unit) if isinstance(game, HasBatches) else Fraction(1)
        self.peak: Number = 0
        self.exact = True
        self.end, self.skipped, self.are_split = inf, 0, False

    def payoffs(self, columns: Sequence[Codes]) -> Array:
        """Return the payoffs of the profiles, shape (m, players), in units."""
        if isinstance(self.game, HasBatches):
            return self._record(normalize_array(self.game.payoff_rows(columns)))
        return self._record(_call_game(self.game, self.spaces, columns))

    def entries(self, columns: Sequence[Codes], rows: Codes, players: Codes) -> Array:
        """Return the payoffs of one player in one profile each, shape (k,), in units."""
        if isinstance(self.game, HasEntries) and self.game.values_entries:
            return self._record(normalize_array(self.game.payoff_entries(columns, rows, players)))
        found: Array = self.payoffs(columns)[rows, players]
        return found

    def bounds(self, columns: Sequence[Codes]) -> tuple[Array, Array]:
        """Return the lowest and highest payoffs of the profiles, each of shape (m, players)."""
        if not isinstance(self.game, HasBounds):
            both = self.payoffs(columns)
            return both, both
        low, high = self.game.payoff_bounds(columns)
        return self._record(normalize_array(low)), self._record(normalize_array(high))

    def _record(self, entries: Array) -> Array:
        if entries.dtype == np.float64:
            self.exact = False
        self.peak = max(self.peak, max_abs(entries))
        return entries

    @property
    def peak_payoff(self) -> Number:
        """The largest absolute payoff seen."""
        return from_units(self.peak, self.unit)

    @property
    def tolerance(self) -> float:
        """Gains up to this may be rounding, in units; 0 if all payoffs are exact."""
        return 0.0 if self.exact else RELATIVE_TOLERANCE * to_nearest_float(self.peak)

    @property
    def tolerance_in_payoffs(self) -> float:
        """The same in payoffs."""
        return 0.0 if self.exact else self.tolerance * to_nearest_float(self.unit)

    def table(self) -> Array:
        """Return the payoffs of all profiles, shape (players, profiles), in row-major order.

        The table of a `TabularGame` is not copied.
        """
        if isinstance(self.game, TabularGame):
            table = self.game.table.reshape(len(self.game.shape), -1)
            if table.dtype == np.float64:
                self.exact, self.peak = False, max(self.peak, self.game.peak)
            return table
        return self._fill(lambda columns: (self.payoffs(columns),))[0]

    def tables(self) -> tuple[Array, Array]:
        """Return lowest and highest payoffs of all profiles; one array if nothing is left open."""
        if not isinstance(self.game, HasBounds):
            table = self.table()
            return table, table
        low, high = self._fill(self.bounds)
        return low, high

    def _fill(self, value: Callable[[list[Codes]], tuple[Array, ...]]) -> list[Array]:
        """Value all profiles, a chunk at a time, into tables that are made once."""
        counts = [count_actions(space) for space in self.spaces]
        total = prod(counts)
        tables: list[Array] = []
        for start in range(0, total, CHUNK):
            stop = min(start + CHUNK, total)
            positions = unravel(np.arange(start, stop), counts)
            columns = [encode_positions(s, p) for s, p in zip(self.spaces, positions, strict=True)]
            entries = value(columns)
            if not tables:
                tables = [np.empty((len(counts), total), dtype=e.dtype) for e in entries]
            for k, e in enumerate(entries):
                if e.dtype != tables[k].dtype:
                    tables[k] = _widen(tables[k], e, start)
                inexact = tables[k].dtype == np.float64
                tables[k][:, start:stop] = (as_floats(e) if inexact else e).T
        return tables

    def actions(self, columns: Sequence[Codes], k: int = 0) -> tuple[Action, ...]:
        """Return row k of the columns as a profile of actions."""
        return tuple(
            decode(space, column[min(k, len(column) - 1)])
            for space, column in zip(self.spaces, columns, strict=True)
        )

    def columns(self, profile: Sequence[Action]) -> list[Codes]:
        """Return one profile as columns of length 1."""
        return [encode(s, a) for s, a in zip(self.spaces, profile, strict=True)]


def count_table_bytes(game: Game, profiles: int) -> int:
    """Return how many bytes a table of all payoffs takes beyond what the game already has."""
    if isinstance(game, TabularGame):
        return 0
    return profiles * len(game.players) * 8 * (2 if isinstance(game, HasBounds) else 1)


def _widen(table: Array, entries: Array, filled: int) -> Array:
    """Return the table with a type that holds its own entries and the new ones."""
    inexact = np.float64 in (table.dtype, entries.dtype)
    wide: Array = np.empty(table.shape, dtype=np.float64 if inexact else object)
    wide[:, :filled] = as_floats(table[:, :filled]) if inexact else table[:, :filled]
    return wide


def _call_game(game: Game, spaces: Sequence[Sequence[Action]], columns: Sequence[Codes]) -> Array:
    m, n = max(len(column) for column in columns), len(spaces)
    flat: list[Number] = []
    for k in range(m):
        profile = [decode(s, c[min(k, len(c) - 1)]) for s, c in zip(spaces, columns, strict=True)]
        payoffs = [to_number(x) for x in game.payoffs(profile)]
        if len(payoffs) != n:
            raise ValueError(f"payoffs({profile}) gives {len(payoffs)} numbers for {n} players")
        flat += payoffs
    # Floats that are integers are exact, as in a TabularGame.
    flat = [_make_whole(x) for x in flat]
    if any(isinstance(x, float) for x in flat):
        return to_floats(flat).reshape(m, n)
    if all(isinstance(x, int) and abs(x) <= LARGEST_ENTRY for x in flat):
        return np.array(flat, dtype=np.int64).reshape(m, n)
    return as_objects(flat).reshape(m, n)


def _make_whole(x: Number) -> Number:
    return int(x) if isinstance(x, float) and x.is_integer() and abs(x) < 2**53 else x
