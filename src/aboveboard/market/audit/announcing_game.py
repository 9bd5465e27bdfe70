"""The game of Naive-1: everybody announces an outcome, and it is done if all announce the same.

Cost: one payoff for each profile of announcements; `MOST_PROFILES` of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import format_count
from aboveboard.games.game import TabularGame
from aboveboard.market.model.descriptions import describe_outcome, format_outcome
from aboveboard.market.model.market_setup import Trader
from aboveboard.market.model.markets import Announcement, Market, Outcome
from aboveboard.market.model.utilities import utilities
from aboveboard.market.rules.announcements import enumerate_announcements

MOST_PROFILES = 2_000_000
"""Profiles that the table holds: 32 MB for two players."""


def build_announcing_game(
    market: Market,
    truth: Outcome | Sequence[Outcome],
    types: Mapping[str, Trader] | None = None,
) -> TabularGame:
    """Return the game in which everybody announces an outcome.

    Parameters
    ----------
    market
        The market.
    truth
        What is announced; or by player what it announces.
    types
        By party what it reports, in the order that the game's players take; None: the market's
        order, and actions stand for no reports.

    Raises
    ------
    BudgetExceeded
        If there are more than `MOST_PROFILES` profiles.
    ValueError
        If `truth` may not be announced.
    """
    bound = market.bound
    listed = enumerate_announcements(market, bound, proposer_limited=True, most=MOST_PROFILES)
    outcomes = [market.nothing, *(listed[k] for k in range(len(listed)))]
    profiles = len(outcomes) ** market.n
    if profiles > MOST_PROFILES:
        raise BudgetExceeded(
            f"there are {format_count(profiles)} profiles of announcements, and "
            f"{format_count(MOST_PROFILES)} "
            "are allowed; audit a market of fewer parties, goods or bits"
        )
    order = list(market.players if types is None else types)
    rows = [market.players.index(name) for name in order]
    shape = (market.n, *(len(outcomes),) * market.n)
    payoffs, payments = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    same = np.arange(len(outcomes))
    where: tuple[Any, ...] = (slice(None), *(same,) * market.n)
    payoffs[where] = np.array([[int(utilities(market, o)[i]) for o in outcomes] for i in rows])
    payments[where] = np.array([[int(o.prices[i]) for o in outcomes] for i in rows])
    announced = [truth] * market.n if isinstance(truth, Outcome) else list(truth)
    reports = None
    if types is not None:
        said = [Announcement(o.allocation, tuple(map(Fraction, o.prices))) for o in outcomes]
        reports = [[replace(types[name], announcement=each) for each in said] for name in order]
    return TabularGame(
        payoffs,
        players=order,
        unit=market.step,
        truth=[outcomes.index(announced[i]) for i in rows],
        outside=(0,) * market.n,
        payments=payments,
        labels=[[format_outcome(describe_outcome(market, o)) for o in outcomes]] * market.n,
        reports=reports,
    )
