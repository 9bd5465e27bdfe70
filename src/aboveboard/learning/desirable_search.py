"""Whether a desirable mechanism exists on a grid of sizes, and its payments.

Desirable: incentive compatible, individually rational, efficient, weakly budget-balanced. The
payments are the largest there are, so that one exists iff they sum to 0 or more at every profile.
Which way they are found depends on the market: by Theorem 1 where values are quasi-monotone, by
fast columns in the growth market of two parties, up to permutation where three or more parties are
alike, and column by column for any other. Cost: see `estimate`. Source: "Mechanism Design for
Multi-Party Machine Learning", Algorithm 1, Theorem 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.learning import growth_market
from aboveboard.learning.allocation import Market, models
from aboveboard.learning.certificate import Certificate, binding_reports, certificate
from aboveboard.learning.constraints import AT_ONCE
from aboveboard.learning.desirable_payments import payments_of
from aboveboard.learning.quality import Identity
from aboveboard.learning.symmetric import (
    is_symmetric,
    of_every_profile,
    symmetric_payments,
)
from aboveboard.learning.valuations import Growth, Linear
from aboveboard.numbers import Array, Number, number, objects

ROUNDING = 1e-12
"""Sums of payments this near to 0, as a part of the largest value, are not told from 0. A payment
is a sum along a chain of at most some thousand float64 values, each exact to 1e-16."""

MOST_SECONDS = 120.0
"""A search that would take longer is refused."""

MOST_BYTES = 4 * 2**30
"""A search that would need more memory is refused."""

MOST_EXACT = 20_000
"""Values up to which a search is done in fractions: a few seconds."""

# Seconds for one value on one core, measured; generous.
VALUE = 5e-8
CALLED_VALUE = 5e-6
GROWTH_VALUE = 4e-9

Answer = Literal["exists", "none", "undecided"]


@dataclass(frozen=True)
class Found:
    """What a search found.

    Parameters
    ----------
    market
        The market.
    sizes
        The grid.
    working
        The sizes in the units in which the search was done, shape (m,).
    scale
        What one unit of `payments` is worth.
    payments
        For each party, shape (m,) * n: its largest payment at each profile, in `scale`.
    way
        How they were found.
    exact
        Whether fractions were used.
    tolerance
        Sums nearer to 0 than this (in `scale`) are not told from it; 0 where exact.
    smallest
        The smallest sum of payments.
    violated
        The first profile whose payments sum to less than 0, by positions on the grid: of those
        whose largest size is smallest, the first in the order of the parties. None if there is
        none.
    undecided
        Whether a sum that is not 0 is within the tolerance.
    """

    market: Market
    sizes: tuple[Number, ...]
    working: Array
    scale: float
    payments: tuple[Array, ...]
    way: Way
    exact: bool
    tolerance: float
    smallest: Number
    violated: tuple[int, ...] | None
    undecided: bool

    @property
    def method(self) -> str:
        """How the payments were found, in words."""
        return self.way.name

    @property
    def answer(self) -> Answer:
        """Whether there is a desirable mechanism."""
        if self.violated is not None:
            return "none"
        return "undecided" if self.undecided else "exists"

    @property
    def exists(self) -> bool:
        """Whether no profile loses more than the tolerance."""
        return self.violated is None

    def payments_at(self, profile: Sequence[int]) -> tuple[Number, ...]:
        """Give each party's largest payment at a profile, by positions on the grid."""
        return tuple(self.worth(table[tuple(profile)]) for table in self.payments)

    def worth(self, amount: Any) -> Number:
        """Turn an entry of `payments` into money."""
        return number(amount) if self.scale == 1 else float(amount) * self.scale

    @cached_property
    def certificate(self) -> Certificate | None:
        """The chains of constraints that prove the violation; None if there is none."""
        if self.violated is None:
            return None
        sizes = sizes_array(self.sizes, exact=self.exact)
        binding = [
            self.way.binding(self.market, sizes, self.violated, i) for i in range(self.market.n)
        ]
        return certificate(self.market, sizes, self.violated, binding)


def sizes_array(sizes: Sequence[Number], *, exact: bool) -> Array:
    """Give sizes as an array of exact numbers, or of float64."""
    return objects([Fraction(x) for x in sizes]) if exact else np.array([float(x) for x in sizes])


@dataclass(frozen=True)
class _Payments:
    """Payments in some unit, and what they were worked out with."""

    payments: tuple[Array, ...]
    working: Array
    peak: Any
    scale: float = 1.0


def search(market: Market, sizes: Sequence[Number]) -> Found:
    """Find the largest payments at all profiles, and whether they ever sum to a loss.

    Parameters
    ----------
    market
        Who is served, and what qualities are worth.
    sizes
        The sizes that each party may have, ascending.

    Raises
    ------
    InputError
        If the search would take more than `MOST_SECONDS` or `MOST_BYTES`, by `estimate`.
    """
    way = way_of(market, len(sizes))
    if way is GROWTH_OF_TWO and not _is_even(sizes):
        way = BY_COLUMNS
    refuse_large(market, len(sizes), way)
    exact = is_exact(market, len(sizes))
    with np.errstate(over="ignore", invalid="ignore"):
        worked = way.payments(market, sizes_array(sizes, exact=exact))
    if not exact and not np.isfinite(worked.peak * worked.scale):
        raise InputError(
            "valuation",
            "values on this grid are too large for float64",
            "take a smaller step and max, or another unit of size",
        )
    sums = sum(worked.payments[1:], worked.payments[0])
    tolerance = 0.0 if exact else ROUNDING * float(worked.peak)
    low = (sums < -tolerance).astype(np.bool_)
    near = not exact and bool(((np.abs(sums) <= tolerance) & (sums != 0)).any())
    return Found(
        market,
        tuple(sizes),
        worked.working,
        worked.scale,
        worked.payments,
        way,
        exact,
        tolerance,
        number(sums.min()) if worked.scale == 1 else float(sums.min()) * worked.scale,
        first_of(np.argwhere(low)),
        near,
    )


def _is_even(sizes: Sequence[Number]) -> bool:
    """Say whether these are 0 or one step, and so on, step by step."""
    step = Fraction(sizes[1]) - Fraction(sizes[0])
    first = Fraction(sizes[0]) / step
    return first in (0, 1) and all(Fraction(x) == (first + k) * step for k, x in enumerate(sizes))


def first_of(profiles: NDArray[np.int64]) -> tuple[int, ...] | None:
    """Give the profile whose largest size is smallest, and of those the first; None of none."""
    if not len(profiles):
        return None
    keys = [profiles[:, j] for j in reversed(range(profiles.shape[1]))]
    k = np.lexsort((*keys, profiles.max(axis=1)))[0]
    return tuple(int(t) for t in profiles[k])


def is_exact(market: Market, m: int) -> bool:
    """Say whether the search is done in fractions: where they stay such, and are not too many."""
    valuation = market.valuation
    whole = isinstance(valuation, Growth) and valuation.alpha.denominator == 1
    closed = isinstance(market.quality, Identity) and (isinstance(valuation, Linear) or whole)
    values = m**market.n if valuation.quasi_monotone else m ** (market.n + 1)
    return closed and values * market.n**2 <= MOST_EXACT


@dataclass(frozen=True)
class Cost:
    """What a search costs, about: seconds on one core, bytes."""

    seconds: float
    bytes: int


@dataclass(frozen=True)
class Way:
    """A way to find all largest payments of a market."""

    name: str
    payments: Callable[[Market, Array], _Payments]
    values: Callable[[int, int], int]
    """How many values are worked out for m sizes of n parties."""
    each: float = VALUE
    """Seconds for one of them."""
    by_column: bool = True
    """Whether all values of a column are held at once."""
    binding: Callable[[Market, Array, Sequence[int], int], list[int]] = binding_reports
    """Which reports bind a party's payment at a profile."""


def _exploitation(market: Market, sizes: Array) -> _Payments:
    """Theorem 1: with quasi-monotone values no lie binds, only staying away does."""
    m, n = len(sizes), market.n
    parts, peak = [], 0.0
    step = max(1, AT_ONCE // (n * n))
    for start in range(0, m**n, step):
        flat = np.arange(start, min(start + step, m**n))
        profiles = sizes[np.stack(np.unravel_index(flat, (m,) * n), axis=-1)]
        own = market.quality.of(profiles)
        everybody = np.ones(profiles.shape, dtype=np.bool_)
        joint = market.valuation.of(np.maximum(models(market, profiles, everybody), own))
        paid = joint.copy()
        for i in range(n):
            rest = everybody.copy()
            rest[:, i] = False
            without = market.valuation.of(np.maximum(models(market, profiles, rest), own))
            paid[:, i] -= without[:, i]
        parts.append(paid)
        peak = max(peak, float(np.abs(joint).max()))
    table = np.concatenate(parts)
    return _Payments(tuple(table[:, i].reshape((m,) * n) for i in range(n)), sizes, peak)


def _by_columns(market: Market, sizes: Array) -> _Payments:
    found = [payments_of(market, sizes, i) for i in range(market.n)]
    return _Payments(tuple(p for p, _ in found), sizes, max(peak for _, peak in found))


def _up_to_permutation(market: Market, sizes: Array) -> _Payments:
    payments, peak = symmetric_payments(market, sizes)
    return _Payments(of_every_profile(payments, market.n), sizes, peak)


def _in_steps(market: Market, sizes: Array) -> tuple[float, float, int]:
    """Give alpha, the step, and the smallest size in steps."""
    step = float(sizes[1] - sizes[0])
    return float(market.valuation.alpha), step, round(float(sizes[0]) / step)  # type: ignore[attr-defined]


def _binding_in_growth(market: Market, sizes: Array, profile: Sequence[int], i: int) -> list[int]:
    alpha, _, smallest = _in_steps(market, sizes)
    column = growth_market.Column(alpha, profile[1 - i] + smallest, smallest)
    column.extend(profile[i] + 1)
    return [size - smallest for size in column.chain(profile[i])]


def _growth_of_two(market: Market, sizes: Array) -> _Payments:
    alpha, step, smallest = _in_steps(market, sizes)
    own = growth_market.payments_of_all(alpha, len(sizes), smallest)
    steps = np.arange(smallest, smallest + len(sizes), dtype=np.float64)
    # The whole market when both have the largest size.
    peak = max(float((2 * steps[-1]) ** (alpha + 1)), 1.0)
    return _Payments((own, own.T), steps, peak, float(np.float64(step) ** (alpha + 1)))


EXPLOITATION = Way(
    "maximal exploitation payments (Theorem 1)",
    _exploitation,
    lambda m, n: m**n * n * (n + 2),
    by_column=False,
    binding=lambda market, sizes, profile, i: [profile[i]],
)
GROWTH_OF_TWO = Way(
    "columns of the growth market, by halving",
    _growth_of_two,
    lambda m, n: m * m * m.bit_length() ** 2,
    GROWTH_VALUE,
    by_column=False,
    binding=_binding_in_growth,
)
UP_TO_PERMUTATION = Way(
    "every column up to permutation",
    _up_to_permutation,
    lambda m, n: comb(m + n - 2, n - 1) * m * (m + 1) // 2 * n,
)
BY_COLUMNS = Way("every column", _by_columns, lambda m, n: n * m ** (n - 1) * m * (m + 1) // 2 * n)


def way_of(market: Market, m: int) -> Way:
    """Give the fastest way for a market on a grid of m sizes."""
    if market.valuation.quasi_monotone:
        return EXPLOITATION
    growth = isinstance(market.valuation, Growth) and isinstance(market.quality, Identity)
    if growth and market.n == 2 and m > 1 and not is_exact(market, m):
        return GROWTH_OF_TWO
    return UP_TO_PERMUTATION if market.n > 2 and is_symmetric(market) else BY_COLUMNS


def estimate(market: Market, m: int, way: Way) -> Cost:
    """Say what a search on a grid of m sizes would cost."""
    n = market.n
    called = market.valuation.KIND in ("callable", "quasi-monotone")
    # Where who is served depends on the sizes, all sets of parties are tried.
    sets = 1 if market.valuation.served(np.ones(n, dtype=np.bool_)) is not None else 2**n
    # What is valued at once and what is made of it, then the tables and their sum.
    width = n * m * m // 2 if way.by_column else 0
    held = 8 * (6 * max(AT_ONCE, width) + (n + 1) * m**n)
    seconds = way.values(m, n) * sets * (CALLED_VALUE if called else way.each)
    return Cost(seconds, held)


def refuse_large(market: Market, m: int, way: Way) -> None:
    """Raise `InputError` if a search on a grid of m sizes would cost too much."""
    cost = estimate(market, m, way)
    if cost.seconds > MOST_SECONDS or cost.bytes > MOST_BYTES:
        raise InputError(
            "grid",
            f"{m:,} sizes of {market.n} parties would take about {cost.seconds:,.0f} s and "
            f"{cost.bytes // 2**20:,} MiB",
            f"at most {MOST_SECONDS:.0f} s and {MOST_BYTES // 2**20:,} MiB are spent: take a "
            "larger step or a smaller max",
        )
