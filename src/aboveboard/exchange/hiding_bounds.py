"""Bounds of benefits in many profiles of the hiding game, by the quickest way a rule allows.

equal-gain, two-party and "everything" need sums over the regions of who hides something;
best-group, inside or not, one pass over all holdings; the other rules are applied to segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.actions import Codes

if TYPE_CHECKING:
    from aboveboard.exchange.hiding import HidingGame

CELLS = 1 << 16
"""Segments (profiles times what a profile may be split into) held at once: 24 bytes each, so that
they stay in the cache while the rule is applied; 2^18 takes a third longer."""

Bounds = tuple[NDArray[np.int64], NDArray[np.int64]]

BY_SIZES = ("equal-gain", "two-party", "everything")
BY_GROUPS = ("best-group", "best-group-inside")


def bound_benefits(game: HidingGame, columns: Sequence[Codes]) -> Bounds:
    """Return the least and most new elements that the replies can bring, each (m, parties)."""
    n = len(game.players)
    game.rule.check_parties(n)
    if game.rule.name in BY_SIZES:
        return _bound_by_sizes(game, columns)
    m = max(map(len, columns))
    low, high = np.empty((m, n), dtype=np.int64), np.empty((m, n), dtype=np.int64)
    by_groups = game.rule.name in BY_GROUPS
    width = len(game.pool.counts) * (not by_groups) + len(game.holdings[1]) + 1
    step = max(1, CELLS // width)
    for start in range(0, m, step):
        some = slice(start, start + step)
        rows = [column if len(column) == 1 else column[some] for column in columns]
        bound = _bound_by_groups if by_groups else bound_by_segments
        low[some], high[some] = bound(game, rows)
    return low, high


def bound_by_segments(game: HidingGame, columns: Sequence[Codes]) -> Bounds:
    """Do the same for any rule, which is applied to the segments of each profile."""
    owners, reported, counts = game.segments(columns)
    amounts = game.rule.apply(reported, counts, len(game.players))
    return game.bound_benefits(owners, reported, counts, amounts)


def _bound_by_groups(game: HidingGame, columns: Sequence[Codes]) -> Bounds:
    from aboveboard.exchange import hiding_kernels

    starts, holders, _ = game.holdings
    bounds: Bounds = hiding_kernels.bound_by_groups(
        game.pool.counts,
        _find_real(game),
        starts,
        holders,
        game.spread(columns),
        len(game.players),
        game.rule.name == "best-group-inside",
    )
    return bounds


def _find_real(game: HidingGame) -> NDArray[np.bool_]:
    """Return of which regions of the pool the elements are real."""
    return np.arange(len(game.pool.counts)) < len(game.regions.counts)


def _bound_by_sizes(game: HidingGame, columns: Sequence[Codes]) -> Bounds:
    """Look only at the regions of those who do not report the truth."""
    from aboveboard.exchange import hiding_kernels

    n, m = len(game.players), max(map(len, columns))
    liars = np.array(
        [
            len(column) > 1 or not np.array_equal(column[0], game.truth(i))
            for i, column in enumerate(columns)
        ],
        dtype=np.bool_,
    )
    reportable, real = game.can_report, _find_real(game)
    kept = np.flatnonzero(reportable[liars].any(axis=0))
    some = reportable[:, kept] & liars[:, None]
    fixed: NDArray[np.bool_] = np.any(reportable[:, kept] & ~liars[:, None], axis=0)
    holders_of_each: NDArray[np.int64] = some.sum(axis=0)
    starts = np.concatenate([[0], holders_of_each.cumsum()]).astype(np.int64)
    holders = np.nonzero(some.T)[1].astype(np.int64)
    places = [np.flatnonzero(holders == i) for i in range(n)]
    counts: NDArray[np.int64] = game.pool.counts[kept]
    is_real: NDArray[np.bool_] = real[kept]
    low, high = np.empty((m, n), dtype=np.int64), np.empty((m, n), dtype=np.int64)
    step = max(1, CELLS // (len(holders) + 1))
    for start in range(0, m, step):
        stop = min(start + step, m)
        hidden = np.empty((stop - start, len(holders)), dtype=np.int64)
        for i in np.flatnonzero(liars).tolist():
            column = columns[i]
            hidden[:, places[i]] = column if len(column) == 1 else column[start:stop]
        low[start:stop], high[start:stop] = hiding_kernels.bound_by_sizes(
            counts,
            fixed,
            is_real,
            starts,
            holders,
            hidden,
            game.regions.sizes,
            (game.regions.union, int(counts[~is_real].sum())),
            game.rule.name == "everything",
        )
    return low, high
