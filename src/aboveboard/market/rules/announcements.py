"""What the proposer can announce: all of it, and the (semi-)truthful outcomes.

Definitions 7 and 8: an outcome is truthful if it is of maximum welfare, balanced, and charges
everybody else exactly what it gains; semi-truthful for the proposer's coalition if that is so
outside the coalition. Cost: (n + 1)^m allocations times (2 limit - 1)^(n - 1) prices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import format_count
from aboveboard.games.numbers import IntArray
from aboveboard.market.model.markets import (
    DESTROYED,
    Allocation,
    Market,
    Outcome,
    truthful_prices,
    values_by_player,
)
from aboveboard.market.model.utilities import Coalition


@dataclass(frozen=True)
class Announcements:
    """Announced outcomes as arrays.

    Parameters
    ----------
    allocations
        The allocations that occur.
    which
        By announcement: position of its allocation.
    prices
        Shape (announcements, players); every row sums to 0.
    worth
        Shape (allocations, players): theta_i(A_i).
    endowed
        By player: theta_i(E_i).
    """

    allocations: tuple[Allocation, ...]
    which: IntArray
    prices: IntArray
    worth: IntArray
    endowed: IntArray

    def __len__(self) -> int:
        return len(self.which)

    def __getitem__(self, k: int) -> Outcome:
        prices = tuple(int(p) for p in self.prices[k])
        return Outcome(self.allocations[int(self.which[k])], prices)

    @cached_property
    def gained(self) -> IntArray:
        """theta_i(A_i) - theta_i(E_i), shape (players, announcements)."""
        gained: IntArray = (self.worth - self.endowed)[self.which].T
        return gained

    @cached_property
    def net_gain(self) -> IntArray:
        """What each gains beyond its price, shape (players, announcements)."""
        net_gain: IntArray = self.gained - self.prices.T
        return net_gain

    @cached_property
    def welfare(self) -> IntArray:
        """SW of each announcement's allocation."""
        welfare: IntArray = self.worth.sum(axis=1)[self.which]
        return welfare

    def find_semi_truthful(self, best: int, leading: Coalition) -> NDArray[np.bool_]:
        """Return which are semi-truthful for the proposer's coalition, `best` the most welfare.

        With the coalition {0} those are the truthful ones.
        """
        outside = [i for i in range(self.prices.shape[1]) if i not in leading]
        found: NDArray[np.bool_] = (self.welfare == best) & (self.net_gain[outside] == 0).all(
            axis=0
        )
        return found

    def select_rows(self, rows: slice) -> Announcements:
        """Return some of them, by position."""
        return Announcements(
            self.allocations, self.which[rows], self.prices[rows], self.worth, self.endowed
        )


def enumerate_allocations(market: Market) -> Iterator[Allocation]:
    """Yield every allocation, (n + 1)^m of them, goods destroyed among them."""
    yield from product(range(DESTROYED, market.n), repeat=market.m)


def count_announcements(market: Market, limit: int) -> int:
    """Return the number of announcements, the others' prices strictly between -limit and limit."""
    return prod([market.n + 1] * market.m + [2 * limit - 1] * (market.n - 1))


def enumerate_announcements(
    market: Market, limit: int, *, proposer_limited: bool, most: int
) -> Announcements:
    """Return every balanced announcement of whole prices that is voted on, so all but (E, 0).

    Parameters
    ----------
    market
        The market.
    limit
        The others' prices are strictly between -limit and limit.
    proposer_limited
        Whether the proposer's price is too; it is what balances the others'.
    most
        How many the caller can bear.

    Raises
    ------
    BudgetExceeded
        If there are more.
    """
    total = count_announcements(market, limit)
    if total > most:
        raise BudgetExceeded(
            f"the market has {format_count(total)} announcements to look at, and "
            f"{format_count(most)} are "
            "allowed; audit a market of fewer parties, goods or bits"
        )
    possible = tuple(enumerate_allocations(market))
    span = np.arange(-limit + 1, limit)
    grid = np.meshgrid(*[span] * (market.n - 1), indexing="ij")
    others = np.stack([axis.ravel() for axis in grid], axis=1)
    prices = np.concatenate([-others.sum(axis=1, keepdims=True), others], axis=1)
    if proposer_limited:
        prices = prices[np.abs(prices[:, 0]) < limit]
    which = np.repeat(np.arange(len(possible)), len(prices))
    prices = np.tile(prices, (len(possible), 1))
    regular = (which != possible.index(market.endowment)) | (prices != 0).any(axis=1)
    return Announcements(
        possible,
        which[regular],
        prices[regular],
        np.array([values_by_player(market, a) for a in possible], dtype=np.int64),
        np.array(values_by_player(market, market.endowment), dtype=np.int64),
    )


def find_best_proposal(market: Market, allocation: Allocation) -> Outcome:
    """Return what the proposer announces, given an allocation of maximum welfare.

    The truthful outcome of that allocation; (E, 0) if it gains nothing over the endowment, which
    saves the discounts (Lemmas 3, 4, 10, 11). The truthful outcome is semi-truthful for every
    coalition of the proposer's, so that it is best whoever colludes. With an allocation that is
    only feasible, it is what the paper's approximation has the proposer announce.
    """
    proposal = Outcome(allocation, truthful_prices(market, allocation))
    gained = sum(values_by_player(market, allocation)) - sum(
        values_by_player(market, market.endowment)
    )
    return proposal if gained > 0 else market.nothing
