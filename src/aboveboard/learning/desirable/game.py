"""The game among parties under a desirable mechanism: each reports a size up to its own.

Payoffs are values at the models in use, q_i = max(x_i(t'), Q(t_i)), minus the largest payments.
With quasi-monotone values these are maximal exploitation payments, and the game is `MarketGame`;
else a table of all reports, in which staying away is worth what it brings while the others are
truthful. Cost: one valuation for each profile of reports. Source: "Mechanism Design for Multi-Party
Machine Learning", section 2.2 and Appendix A.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from aboveboard.errors import BudgetExceeded
from aboveboard.games.game import Game, TabularGame
from aboveboard.games.numbers import Array, Number, to_number
from aboveboard.learning.desirable.certificate import size_as_number
from aboveboard.learning.desirable.search import SearchResult
from aboveboard.learning.market.allocation import Market, assign_models
from aboveboard.learning.payments.game import MarketGame

MOST_PROFILES = 10**7
"""Profiles of reports up to which a game is tabled: for two parties 640 MiB while it is made."""


def make_game(players: Sequence[str], found: SearchResult, truth: Sequence[int]) -> Game:
    """Return the game among parties whose true sizes stand at these positions of the grid.

    Raises
    ------
    BudgetExceeded
        If the table of payoffs would be too large.
    """
    extents = [top + 1 for top in truth]
    if prod(extents) > MOST_PROFILES:
        raise BudgetExceeded(
            f"{prod(extents):,} profiles of reports; a table of at most {MOST_PROFILES:,} is made: "
            "take smaller sizes, or a larger step"
        )
    if not found.exists:
        return _make_game_without_mechanism(players, found, truth)
    if found.market.valuation.quasi_monotone:
        reports = tuple(found.sizes[:extent] for extent in extents)
        own = tuple(found.sizes[top] for top in truth)
        return MarketGame(tuple(players), found.market, own, reports)
    values, outside = _compute_values(found.market, found.working_sizes, truth)
    here = tuple(slice(extent) for extent in extents)
    payments = np.stack([table[here] for table in found.payments])
    return TabularGame(
        _scale(values - payments, found),
        players=players,
        truth=truth,
        outside=[to_number(x) if found.scale == 1 else float(x) * found.scale for x in outside],
        payments=_scale(payments, found),
        labels=_make_labels(found, extents),
        reports=[found.sizes[:extent] for extent in extents],
    )


def _make_game_without_mechanism(
    players: Sequence[str], found: SearchResult, truth: Sequence[int]
) -> TabularGame:
    """Return the game in which nobody is served or charged, whatever is reported."""
    own = found.market.quality.evaluate(found.working_sizes[list(truth)])
    worth = [found.worth(x) for x in found.market.valuation.evaluate(own)]
    extents = [top + 1 for top in truth]
    table = np.empty((len(worth), *extents), dtype=object)
    for i, value in enumerate(worth):
        table[i] = value
    return TabularGame(
        table,
        players=players,
        truth=truth,
        outside=worth,
        payments=np.zeros(table.shape, dtype=np.int64),
        labels=_make_labels(found, extents),
        reports=[found.sizes[:extent] for extent in extents],
    )


def _compute_values(
    market: Market, sizes: Array, truth: Sequence[int]
) -> tuple[Array, list[Number]]:
    """Return values of all profiles of reports, shape (n, reports..), and of staying away."""
    n, extents = market.n, [top + 1 for top in truth]
    codes = np.indices(extents).reshape(n, -1).T
    reported = sizes[codes]
    present = np.ones(reported.shape, dtype=np.bool_)
    own = market.quality.evaluate(sizes[list(truth)])
    worth = market.valuation.evaluate(np.maximum(assign_models(market, reported, present), own))
    outside = []
    honest = sizes[np.array([truth])]
    for i in range(n):
        rest = np.ones((1, n), dtype=np.bool_)
        rest[0, i] = False
        alone = market.valuation.evaluate(np.maximum(assign_models(market, honest, rest), own))
        outside.append(alone[0, i])
    return worth.T.reshape(n, *extents), outside


def _scale(table: Array, found: SearchResult) -> Array:
    # One factor for all keeps every comparison of two payoffs as it was.
    return table if found.scale == 1 else table * found.scale


def _make_labels(found: SearchResult, extents: Sequence[int]) -> list[list[str]]:
    names = [str(size_as_number(size)) for size in found.sizes[: max(extents)]]
    return [names[:extent] for extent in extents]
