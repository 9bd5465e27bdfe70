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
from typing import Any

import numpy as np

from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import format_count
from aboveboard.games.capabilities import DeviationKind
from aboveboard.games.game import Game, TabularGame
from aboveboard.games.numbers import Array, Number, to_number
from aboveboard.learning.desirable.certificate import size_as_number
from aboveboard.learning.desirable.search import SearchResult
from aboveboard.learning.market.allocation import (
    Market,
    assign_models,
    choose_served,
    hand_out,
    list_subsets,
)
from aboveboard.learning.market.valuations import Growth, Linear
from aboveboard.learning.payments.game import MarketGame

MOST_PROFILES = 10**7
"""Profiles of reports up to which a game is tabled: for two parties 640 MiB while it is made."""


class GridGame(MarketGame):
    """A game of reported sizes whose grid is all that there is."""

    covers_all_lies = True


class DesirableGame(TabularGame):
    """A table of all reports that knows what else could be handed out where all are truthful.

    Parameters
    ----------
    found
        What the search found; its market values other outcomes.
    profile
        Positions of the true sizes on the grid.
    payoffs, more
        As `TabularGame` takes them.
    """

    def __init__(
        self, found: SearchResult, profile: Sequence[int], payoffs: Any, **more: Any
    ) -> None:
        super().__init__(payoffs, **more)
        self._found, self._profile = found, tuple(profile)

    def deviation_kind(self, i: int, action: int, /) -> DeviationKind:
        """Return "hides": all other reports are smaller sizes."""
        return "hides"

    @property
    def unlisted_outcomes(self) -> str:
        """What an examination of efficiency does not compare with; empty where nothing is left."""
        if isinstance(self._found.market.valuation, Linear | Growth):
            return ""
        return "lesser models"

    def outcomes(self, profile: Sequence[int], /, *, giving_no_less: bool) -> Array:
        """Return the payoffs, and what the center takes in, for each set that could be served.

        Payments are the rule's. In units, shape (sets, players + 1), for the true sizes.
        """
        market = self._found.market
        sizes = self._found.working_sizes[list(self._profile)][None, :]
        present = np.ones(sizes.shape, dtype=np.bool_)
        served = np.stack(list_subsets(present[0]))
        if giving_no_less and self._found.exists:
            served = served[served.sum(axis=1) >= choose_served(market, sizes, present).sum()]
        alike = served.shape
        x = hand_out(market, np.broadcast_to(sizes, alike), np.broadcast_to(present, alike), served)
        q = np.maximum(x, market.quality.evaluate(sizes))
        values = _scale(market.valuation.evaluate(q), self._found)
        paid = np.array([to_number(p) for p in self.payments(profile)])
        table = np.concatenate([values - paid, np.full((len(values), 1), paid.sum())], axis=1)
        if self.unit == 1:
            return table
        if table.dtype == np.float64:
            return np.asarray(table / float(self.unit))
        return np.asarray(table / self.unit)


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
            f"{format_count(prod(extents))} profiles of reports; a table of at most "
            f"{format_count(MOST_PROFILES)} is made: "
            "take smaller sizes, or a larger step"
        )
    if not found.exists:
        return _make_game_without_mechanism(players, found, truth)
    if found.market.valuation.quasi_monotone:
        reports = tuple(tuple(found.sizes[:extent]) for extent in extents)
        own = tuple(found.sizes[top] for top in truth)
        return GridGame(tuple(players), found.market, own, reports)
    values, outside = _compute_values(found.market, found.working_sizes, truth)
    here = tuple(slice(extent) for extent in extents)
    payments = np.stack([table[here] for table in found.payments])
    return DesirableGame(
        found,
        truth,
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
) -> DesirableGame:
    """Return the game in which nobody is served or charged, whatever is reported."""
    own = found.market.quality.evaluate(found.working_sizes[list(truth)])
    worth = [found.worth(x) for x in found.market.valuation.evaluate(own)]
    extents = [top + 1 for top in truth]
    table = np.empty((len(worth), *extents), dtype=object)
    for i, value in enumerate(worth):
        table[i] = value
    return DesirableGame(
        found,
        truth,
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
    names = [f"reports size {size_as_number(size)}" for size in found.sizes[: max(extents)]]
    return [names[:extent] for extent in extents]
