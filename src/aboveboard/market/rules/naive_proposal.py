"""The proposer's best announcement where every price must lie in (-B, B), as in Naive-1 to Naive-4.

What: the outcome of the largest utility for the proposer among those that everybody else gains by
or is indifferent to. That narrow domain can exclude the truthful price, and with it the optimum
(`docs/theory.md`); the mechanism M has a wider one. Cost: nothing beyond the optimum where its
truthful prices are within the domain, else a walk over all allocations of a tiny market.
"""

from __future__ import annotations

from itertools import product

from aboveboard.errors import InputError
from aboveboard.market.model.markets import Allocation, Market, Outcome, gains
from aboveboard.market.optimum.exhaustive import count_allocations
from aboveboard.market.optimum.integer_programme import order_owners
from aboveboard.market.optimum.social_optimum import FEW_ALLOCATIONS
from aboveboard.market.rules.announcements import find_best_proposal
from aboveboard.market.rules.naive import is_announceable


def find_best_within_domain(market: Market, optimal: Allocation) -> Outcome:
    """Return the proposer's best announcement that everybody agrees to.

    Parameters
    ----------
    market
        The market.
    optimal
        A socially optimal allocation of it.

    Raises
    ------
    InputError
        If the truthful prices leave the domain and the market is too large to look at all.
    """
    truthful = find_best_proposal(market, optimal)
    if is_announceable(market, truthful):
        return truthful
    if count_allocations(market) > FEW_ALLOCATIONS:
        raise InputError(
            "bits",
            f"a truthful price is not within (-{market.bound}, {market.bound}), as it must be here",
            "use more bits, or give [proposal]",
        )
    best, most = market.nothing, 0
    for allocation in product(*(order_owners(market, g) for g in range(market.m))):
        gained = gains(market, allocation)
        prices = _find_highest_prices(gained[1:], market.bound)
        if prices is not None and gained[0] + sum(prices) > most:
            best, most = Outcome(allocation, (-sum(prices), *prices)), gained[0] + sum(prices)
    return best


def _find_highest_prices(gained: tuple[int, ...], bound: int) -> tuple[int, ...] | None:
    """Return the highest prices in the domain that nobody loses by; None if there are none.

    Where their sum is more than the proposer may receive, the last in the list pay less.
    """
    prices = [min(gain, bound - 1) for gain in gained]
    if any(price <= -bound for price in prices) or sum(prices) <= -bound:
        return None
    excess = sum(prices) - (bound - 1)
    for i in reversed(range(len(prices))):
        cut = max(0, min(excess, prices[i] + bound - 1))
        prices[i] -= cut
        excess -= cut
    return tuple(prices)
