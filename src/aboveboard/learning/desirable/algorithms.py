"""The ways to find all largest payments of a market, and what each costs.

By Theorem 1 where values are quasi-monotone, by fast columns in the growth market of two parties,
up to permutation where three or more parties are alike, and column by column for any other. Cost:
see `estimate`. Source: "Mechanism Design for Multi-Party Machine Learning", Algorithm 1, Theorem 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from aboveboard.errors import InputError
from aboveboard.formatting import format_count
from aboveboard.games.numbers import Array
from aboveboard.learning.desirable import growth_market
from aboveboard.learning.desirable.certificate import find_binding_reports
from aboveboard.learning.desirable.constraints import AT_ONCE
from aboveboard.learning.desirable.payments import compute_party_payments
from aboveboard.learning.desirable.symmetric import (
    compute_symmetric_payments,
    expand_to_profiles,
    is_symmetric,
)
from aboveboard.learning.market.allocation import Market, assign_models
from aboveboard.learning.market.quality import Identity
from aboveboard.learning.market.valuations import Growth, Linear

MOST_SECONDS = 120.0
"""A search that would take longer is refused."""

MOST_BYTES = 4 * 2**30
"""A search that would need more memory is refused."""

MOST_EXACT = 20_000
"""Values up to which a search is done in fractions: a few seconds."""

# Seconds for one value on one core, measured; generous.
SECONDS_PER_VALUE = 5e-8
CALLED_VALUE = 5e-6
GROWTH_VALUE = 4e-9


@dataclass(frozen=True)
class GridPayments:
    """All largest payments in some unit, and what they were worked out with.

    Parameters
    ----------
    payments
        For each party, shape (m,) * n.
    working_sizes
        The sizes in the units in which it was done, shape (m,).
    peak
        The largest absolute value met on the way.
    scale
        What one unit of `payments` is worth.
    """

    payments: tuple[Array, ...]
    working_sizes: Array
    peak: Any
    scale: float = 1.0


def is_exact(market: Market, m: int) -> bool:
    """Return whether the search is done in fractions: where they stay fractions, and are few."""
    valuation = market.valuation
    whole = isinstance(valuation, Growth) and valuation.alpha.denominator == 1
    closed = isinstance(market.quality, Identity) and (isinstance(valuation, Linear) or whole)
    values = m**market.n if valuation.quasi_monotone else m ** (market.n + 1)
    return closed and values * market.n**2 <= MOST_EXACT


@dataclass(frozen=True)
class Cost:
    """What a search costs, about.

    Parameters
    ----------
    seconds
        On one core.
    bytes
        At the peak.
    """

    seconds: float
    bytes: int


@dataclass(frozen=True)
class Algorithm:
    """A way to find all largest payments of a market.

    Parameters
    ----------
    name
        In words.
    payments
        Finds them on a grid of sizes.
    values
        How many values are worked out for m sizes of n parties.
    each
        Seconds for one of them.
    by_column
        Whether all values of a column are held at once.
    binding
        Which reports bind a party's payment at a profile.
    """

    name: str
    payments: Callable[[Market, Array], GridPayments]
    values: Callable[[int, int], int]
    each: float = SECONDS_PER_VALUE
    by_column: bool = True
    binding: Callable[[Market, Array, Sequence[int], int], list[int]] = find_binding_reports


def _pay_all_gains(market: Market, sizes: Array) -> GridPayments:
    """Theorem 1: with quasi-monotone values no lie binds, only staying away does."""
    m, n = len(sizes), market.n
    parts, peak = [], 0.0
    step = max(1, AT_ONCE // (n * n))
    for start in range(0, m**n, step):
        flat = np.arange(start, min(start + step, m**n))
        profiles = sizes[np.stack(np.unravel_index(flat, (m,) * n), axis=-1)]
        own = market.quality.evaluate(profiles)
        everybody = np.ones(profiles.shape, dtype=np.bool_)
        joint = market.valuation.evaluate(
            np.maximum(assign_models(market, profiles, everybody), own)
        )
        paid = joint.copy()
        for i in range(n):
            rest = everybody.copy()
            rest[:, i] = False
            without = market.valuation.evaluate(
                np.maximum(assign_models(market, profiles, rest), own)
            )
            paid[:, i] -= without[:, i]
        parts.append(paid)
        peak = max(peak, float(np.abs(joint).max()))
    table = np.concatenate(parts)
    return GridPayments(tuple(table[:, i].reshape((m,) * n) for i in range(n)), sizes, peak)


def _solve_by_columns(market: Market, sizes: Array) -> GridPayments:
    found = [compute_party_payments(market, sizes, i) for i in range(market.n)]
    return GridPayments(tuple(p for p, _ in found), sizes, max(peak for _, peak in found))


def _solve_up_to_permutation(market: Market, sizes: Array) -> GridPayments:
    payments, peak = compute_symmetric_payments(market, sizes)
    return GridPayments(expand_to_profiles(payments, market.n), sizes, peak)


def _read_steps(market: Market, sizes: Array) -> tuple[float, float, int]:
    """Return alpha, the step, and the smallest size in steps."""
    assert isinstance(market.valuation, Growth)  # the algorithm's market
    step = float(sizes[1] - sizes[0])
    return float(market.valuation.alpha), step, round(float(sizes[0]) / step)


def _find_binding_in_growth(
    market: Market, sizes: Array, profile: Sequence[int], i: int
) -> list[int]:
    alpha, _, smallest = _read_steps(market, sizes)
    column = growth_market.MarketColumn(alpha, profile[1 - i] + smallest, smallest)
    column.extend(profile[i] + 1)
    return [size - smallest for size in column.chain(profile[i])]


def _solve_growth_of_two(market: Market, sizes: Array) -> GridPayments:
    alpha, step, smallest = _read_steps(market, sizes)
    own = growth_market.compute_all_payments(alpha, len(sizes), smallest)
    steps = np.arange(smallest, smallest + len(sizes), dtype=np.float64)
    # The whole market when both have the largest size.
    peak = max(float((2 * steps[-1]) ** (alpha + 1)), 1.0)
    return GridPayments((own, own.T), steps, peak, float(np.float64(step) ** (alpha + 1)))


EXPLOITATION = Algorithm(
    "maximal exploitation payments (Theorem 1)",
    _pay_all_gains,
    lambda m, n: m**n * n * (n + 2),
    by_column=False,
    binding=lambda market, sizes, profile, i: [profile[i]],
)
GROWTH_OF_TWO = Algorithm(
    "columns of the growth market, by halving",
    _solve_growth_of_two,
    lambda m, n: m * m * m.bit_length() ** 2,
    GROWTH_VALUE,
    by_column=False,
    binding=_find_binding_in_growth,
)
UP_TO_PERMUTATION = Algorithm(
    "every column up to permutation",
    _solve_up_to_permutation,
    lambda m, n: comb(m + n - 2, n - 1) * m * (m + 1) // 2 * n,
)
BY_COLUMNS = Algorithm(
    "every column", _solve_by_columns, lambda m, n: n * m ** (n - 1) * m * (m + 1) // 2 * n
)


def choose_algorithm(market: Market, m: int) -> Algorithm:
    """Return the fastest way for a market on a grid of m sizes."""
    if market.valuation.quasi_monotone:
        return EXPLOITATION
    growth = isinstance(market.valuation, Growth) and isinstance(market.quality, Identity)
    if growth and market.n == 2 and m > 1 and not is_exact(market, m):
        return GROWTH_OF_TWO
    return UP_TO_PERMUTATION if market.n > 2 and is_symmetric(market) else BY_COLUMNS


def estimate_cost(market: Market, m: int, way: Algorithm) -> Cost:
    """Return what a search on a grid of m sizes would cost."""
    n = market.n
    called = market.valuation.KIND in ("callable", "quasi-monotone")
    # Where who is served depends on the sizes, all sets of parties are tried.
    sets = 1 if market.valuation.find_served(np.ones(n, dtype=np.bool_)) is not None else 2**n
    # What is valued at once and what is made of it, then the tables and their sum.
    width = n * m * m // 2 if way.by_column else 0
    held = 8 * (6 * max(AT_ONCE, width) + (n + 1) * m**n)
    seconds = way.values(m, n) * sets * (CALLED_VALUE if called else way.each)
    return Cost(seconds, held)


def is_large(market: Market, m: int, way: Algorithm) -> bool:
    """Return whether a search on a grid of m sizes would cost too much."""
    cost = estimate_cost(market, m, way)
    return cost.seconds > MOST_SECONDS or cost.bytes > MOST_BYTES


def refuse_large_search(market: Market, m: int, way: Algorithm) -> None:
    """Refuse a search on a grid of m sizes that would cost too much.

    Raises
    ------
    InputError
        If it would take more than `MOST_SECONDS` or `MOST_BYTES`.
    """
    cost = estimate_cost(market, m, way)
    if is_large(market, m, way):
        raise InputError(
            "grid",
            f"{format_count(m)} sizes of {market.n} parties would take about "
            f"{format_count(round(cost.seconds))} s and "
            f"{format_count(cost.bytes // 2**20)} MiB",
            "take a larger step or a smaller max: the limits are "
            f"{format_count(round(MOST_SECONDS))} s and {format_count(MOST_BYTES // 2**20)} MiB",
        )
