"""VCG with Clarke payments in a market: everybody reports a valuation, the best allocation is made.

Player i pays what the others would have by themselves, with their own goods only, minus what they
now have: so nobody loses by coming, truth is dominant, and the center pays (section 2; the
mechanism is Vickrey's, Clarke's and Groves's). Cost: n + 1 allocation problems.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import format_count
from aboveboard.games.game import TabularGame
from aboveboard.games.lottery import Lottery
from aboveboard.market.model.bidding import Additive, BidGroups, BundleTable, Or, Xor, restrict
from aboveboard.market.model.market_setup import Trader
from aboveboard.market.model.markets import (
    Allocation,
    BundleValuation,
    Market,
    Outcome,
    social_welfare,
    values_by_player,
)
from aboveboard.market.model.steps import Ending
from aboveboard.market.model.utilities import utilities
from aboveboard.market.optimum.integer_programme import order_owners

Solve = Callable[[Market], Allocation]
"""Gives an allocation of maximum welfare; the same one for the same market."""

MOST_REPORTS = 300_000
"""Profiles of reports in a game; each is cleared, at some 30 microseconds a player."""


def find_best_allocation(market: Market) -> Allocation:
    """Return the first allocation of maximum welfare in canonical order, by looking at all.

    The same one that `social_optimum` finds, so that the game clears as the rule that runs.
    """
    listed = product(*(order_owners(market, g) for g in range(market.m)))
    return max(listed, key=lambda a: social_welfare(market, a))


MOST_GOODS, MOST_BITS = 20, 1000
"""Beyond these the profiles are not even counted."""


@dataclass(frozen=True)
class _RestrictedValuation:
    """A stranger's valuation, of bundles of some goods only: bit k is good kept[k]."""

    valuation: BundleValuation
    kept: tuple[int, ...]

    def value(self, bundle: int) -> int:
        """Return the value of a bundle."""
        return self.valuation.value(
            sum(1 << good for at, good in enumerate(self.kept) if bundle >> at & 1)
        )


def _restrict_valuation(valuation: BundleValuation, kept: tuple[int, ...]) -> BundleValuation:
    """Return a valuation restricted to some goods, in its own bidding language where it has one."""
    if isinstance(valuation, BundleTable | Additive | Xor | Or | BidGroups):
        return restrict(valuation, kept)  # the solvers read these
    return _RestrictedValuation(valuation, kept)


def remove_player(market: Market, player: int) -> Market:
    """Return the market of the others, with their own goods."""
    kept = tuple(g for g, owner in enumerate(market.endowment) if owner != player)
    stay = [i for i in range(market.n) if i != player]
    return Market(
        tuple(market.players[i] for i in stay),
        tuple(market.goods[g] for g in kept),
        tuple(stay.index(market.endowment[g]) for g in kept),
        tuple(_restrict_valuation(market.valuations[i], kept) for i in stay),
        market.bits,
        market.step,
    )


def settle(market: Market, solve: Solve = find_best_allocation) -> Outcome:
    """Clear the market; its valuations are those reported.

    Parameters
    ----------
    market
        The market as it is reported.
    solve
        How allocations are found. The prices are truthful only if they are optimal.
    """
    allocation = solve(market)
    now = values_by_player(market, allocation)
    prices = []
    for i in range(market.n):
        rest = 0
        if market.n > 1:
            others = remove_player(market, i)
            rest = social_welfare(others, solve(others))
        prices.append(rest - (sum(now) - now[i]))
    return Outcome(allocation, tuple(prices))


def play(market: Market, list_reports: tuple[BundleValuation, ...]) -> Lottery[Ending]:
    """Return the outcome of reports, as the other mechanisms do: with certainty."""
    reported = Market(market.players, market.goods, market.endowment, list_reports, market.bits)
    return Lottery.sure(Ending("VCG", settle(reported)))


def list_reports(market: Market) -> list[BundleTable]:
    """Return every valuation within the bound; (2B - 1)^(2^m - 1) of them."""
    bundles = range(1, 1 << market.m)
    values = range(-market.bound + 1, market.bound)
    return [
        BundleTable(tuple(zip(bundles, row, strict=True)))
        for row in product(values, repeat=len(bundles))
    ]


def build_game(market: Market, types: Mapping[str, Trader] | None = None) -> TabularGame:
    """Return the game of reporting valuations, every valuation an action.

    Parameters
    ----------
    market
        The market.
    types
        By party what it reports in truth; None: actions stand for no reports.

    Raises
    ------
    BudgetExceeded
        If there are more than `MOST_REPORTS` profiles.
    """
    bits = market.bits * market.n * ((1 << min(market.m, MOST_GOODS)) - 1)
    profiles = (2 * market.bound - 1) ** (bits // market.bits) if bits < MOST_BITS else None
    if profiles is None or profiles > MOST_REPORTS:
        said = f"more than 2^{MOST_BITS}" if profiles is None else format_count(profiles)
        raise BudgetExceeded(
            f"there are {said} profiles of reported valuations, and "
            f"{format_count(MOST_REPORTS)} are allowed; "
            "audit a market of fewer parties, goods or bits"
        )
    actions = list_reports(market)
    shape = (market.n, *(len(actions),) * market.n)
    payoffs, payments = np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.int64)
    for codes in product(range(len(actions)), repeat=market.n):
        chosen = tuple(actions[code] for code in codes)
        ((ending, _),) = play(market, chosen)
        where: tuple[Any, ...] = (slice(None), *codes)
        payoffs[where] = [int(u) for u in utilities(market, ending.outcome)]
        payments[where] = [int(p) for p in ending.outcome.prices]
    rows = [_list_values(valuation, market.m) for valuation in market.valuations]
    listed = [_list_values(action, market.m) for action in actions]
    return TabularGame(
        payoffs,
        players=market.players,
        unit=market.step,
        truth=[listed.index(row) for row in rows],
        outside=(0,) * market.n,
        payments=payments,
        labels=[[_format_report(market, row) for row in listed]] * market.n,
        reports=None
        if types is None
        else [
            [replace(types[name], valuation=action) for action in actions]
            for name in market.players
        ],
    )


def _list_values(valuation: BundleValuation, m: int) -> tuple[int, ...]:
    return tuple(valuation.value(bundle) for bundle in range(1, 1 << m))


def _format_report(market: Market, row: tuple[int, ...]) -> str:
    """Return a report: "g1 worth 2, g1+g2 worth 3"; what is worth nothing is left out."""
    said = [
        f"{'+'.join(g for k, g in enumerate(market.goods) if bundle >> k & 1)} worth {value}"
        for bundle, value in enumerate(row, start=1)
        if value
    ]
    return ", ".join(said) or "nothing worth anything"
