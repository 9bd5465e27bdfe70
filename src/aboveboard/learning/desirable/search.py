"""Whether a desirable mechanism exists on a grid of sizes, and its payments.

Desirable: incentive compatible, individually rational, efficient, weakly budget-balanced. The
payments are the largest there are, so that one exists iff they sum to 0 or more at every profile.
Which way they are found depends on the market, and so does the cost: see `desirable_ways`.
Source: "Mechanism Design for Multi-Party Machine Learning", Algorithm 1, Theorem 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.games.numbers import Array, Number, as_objects, to_number
from aboveboard.learning.desirable.algorithms import (
    BY_COLUMNS,
    GROWTH_OF_TWO,
    Algorithm,
    choose_algorithm,
    is_exact,
    refuse_large_search,
)
from aboveboard.learning.desirable.certificate import Certificate, make_certificate
from aboveboard.learning.desirable.growth_boundary import explain_no_loss
from aboveboard.learning.desirable.growth_on_demand import (
    ColumnPayments,
    EvenSizes,
    find_loss,
    find_smallest_sum,
)
from aboveboard.learning.market.allocation import Market
from aboveboard.learning.market.quality import Identity
from aboveboard.learning.market.valuations import Growth

ROUNDING = 1e-12
"""Sums of payments this near to 0, as a part of the largest value, are not told from 0. A payment
is a sum along a chain of at most some thousand float64 values, each exact to 1e-16."""

SUPPOSED_ALLOCATION = (
    "supposed: the best model, or none, to each party, so that the total of values is largest "
    "(ties serve)"
)
"""What every answer supposes of who is handed which model."""

SHARING_NOTHING = (
    "with alpha = -1 the market is worth the same whatever is shared: sharing nothing, for "
    "nothing, is desirable"
)
"""What is desirable at alpha = -1 without that allocation."""

NO_LOSS_FOUND: Literal["no loss found"] = "no loss found"
"""The answer where no loss was found on a grid that was not gone through whole."""

SearchAnswer = Literal["exists", "none", "undecided", "no loss found"]


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Parameters
    ----------
    market
        The market.
    sizes
        The grid.
    working_sizes
        The sizes in the units in which the search was done, shape (m,).
    scale
        What one unit of `payments` is worth.
    payments
        For each party, shape (m,) * n: its largest payment at each profile, in `scale`; arrays, or
        what works entries out as they are asked for.
    algorithm
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
    looked_at
        At how many profiles sums were looked at; None: at all.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.learning import Growth, Identity, Market, search_desirable
    >>> market = Market(Identity(), Growth(Fraction(-7, 10)), 2)
    >>> result = search_desirable(market, range(50))
    >>> result.answer, result.certificate.profile
    ('none', (0.0, 39.0))
    """

    market: Market
    sizes: Sequence[Number]
    working_sizes: Array
    scale: float
    payments: tuple[Array | ColumnPayments, ...]
    algorithm: Algorithm
    exact: bool
    tolerance: float
    smallest: Number
    violated: tuple[int, ...] | None
    undecided: bool
    looked_at: int | None = None

    @property
    def method(self) -> str:
        """How the payments were found, in words."""
        return self.algorithm.name

    @property
    def answer(self) -> SearchAnswer:
        """Whether there is a desirable mechanism."""
        if self.violated is not None:
            return "none"
        if self.proof:
            return "exists"
        if self.looked_at is not None:
            return NO_LOSS_FOUND
        return "undecided" if self.undecided else "exists"

    @property
    def proof(self) -> str:
        """The theorem by which payments never sum to a loss; empty: none applies, sums decide."""
        valuation = self.market.valuation
        return explain_no_loss(valuation.alpha) if isinstance(valuation, Growth) else ""

    @property
    def supposes(self) -> str:
        """What the answer supposes: the allocation, and who is served when a party is absent."""
        rule = {
            "all": "those whom all values, the absent party's included, ask for",
            "participants": "those whom the values of who takes part ask for",
            "none": "nobody",
            "punish": "those whom it hurts most",
        }[self.market.counterfactual]
        return (
            f"{SUPPOSED_ALLOCATION}; when a party stays away, {rule} (counterfactual = "
            f'"{self.market.counterfactual}")'
        )

    @property
    def alternative(self) -> str:
        """What is desirable although the answer is "none"; empty where nothing is known to be."""
        valuation = self.market.valuation
        if self.exists or not isinstance(valuation, Growth) or valuation.alpha != -1:
            return ""
        return SHARING_NOTHING

    @property
    def exists(self) -> bool:
        """Whether no profile loses more than the tolerance."""
        return self.violated is None

    def payments_at(self, profile: Sequence[int]) -> tuple[Number, ...]:
        """Return each party's largest payment at a profile, by positions on the grid."""
        return tuple(self.worth(table[tuple(profile)]) for table in self.payments)

    def worth(self, amount: Number) -> Number:
        """Turn an entry of `payments` into money."""
        return to_number(amount) if self.scale == 1 else float(amount) * self.scale

    @cached_property
    def certificate(self) -> Certificate | None:
        """The chains of constraints that prove the violation; None if there is none."""
        if self.violated is None:
            return None
        sizes = sizes_array(self.sizes, exact=self.exact)
        binding = [
            self.algorithm.binding(self.market, sizes, self.violated, i)
            for i in range(self.market.n)
        ]
        return make_certificate(self.market, sizes, self.violated, binding)


def sizes_array(sizes: Sequence[Number], *, exact: bool) -> Array:
    """Return sizes as an array of exact numbers, or of float64."""
    if isinstance(sizes, EvenSizes) and not exact:
        return sizes.as_floats()
    return (
        as_objects([Fraction(x) for x in sizes]) if exact else np.array([float(x) for x in sizes])
    )


def search_desirable(market: Market, sizes: Sequence[Number]) -> SearchResult:
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
        If the search would take more than `MOST_SECONDS` or `MOST_BYTES` of `desirable_ways`.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.learning import Growth, Identity, Market, search_desirable
    >>> market = Market(Identity(), Growth(Fraction(-7, 10)), 2)
    >>> search_desirable(market, range(1, 5)).answer
    'exists'
    """
    way = choose_algorithm(market, len(sizes))
    if way is GROWTH_OF_TWO and not _is_evenly_spaced(sizes):
        way = BY_COLUMNS
    refuse_large_search(market, len(sizes), way)
    exact = is_exact(market, len(sizes))
    with np.errstate(over="ignore", invalid="ignore"):
        solved = way.payments(market, sizes_array(sizes, exact=exact))
    if not exact and not np.isfinite(solved.peak * solved.scale):
        raise InputError(
            "valuation",
            "values on this grid are too large for float64",
            "take a smaller step and max, or another unit of size",
        )
    sums = sum(solved.payments[1:], solved.payments[0])
    tolerance = 0.0 if exact else ROUNDING * float(solved.peak)
    low = (sums < -tolerance).astype(np.bool_)
    near = not exact and bool(((np.abs(sums) <= tolerance) & (sums != 0)).any())
    return SearchResult(
        market,
        tuple(sizes),
        solved.working_sizes,
        solved.scale,
        solved.payments,
        way,
        exact,
        tolerance,
        to_number(sums.min()) if solved.scale == 1 else float(sums.min()) * solved.scale,
        find_first_profile(np.argwhere(low)),
        near,
    )


def search_on_demand(market: Market, sizes: EvenSizes) -> SearchResult:
    """Search the growth market of two parties on a grid too large for a table of all payments.

    Parameters
    ----------
    market
        That market, of quality identity.
    sizes
        The grid.

    Raises
    ------
    InputError
        If values on the grid are too large for float64.
    """
    valuation = market.valuation
    assert isinstance(valuation, Growth)
    alpha, count, smallest = float(valuation.alpha), sizes.number, sizes.smallest
    payments = tuple(ColumnPayments(alpha, count, smallest, party) for party in range(2))
    violated = find_loss(valuation.alpha, count, smallest)
    steps = np.arange(smallest, smallest + count, dtype=np.float64)
    scale = float(np.float64(sizes.step) ** (alpha + 1))
    peak = max(float((2 * steps[-1]) ** (alpha + 1)), 1.0)
    return SearchResult(
        market,
        sizes,
        steps,
        scale,
        payments,
        GROWTH_OF_TWO,
        False,
        ROUNDING * peak,
        find_smallest_sum(payments) * scale,
        violated,
        False,
        count,
    )


def is_growth_of_two(market: Market) -> bool:
    """Return whether a market is the growth market of two parties, of quality identity."""
    growth = isinstance(market.valuation, Growth) and isinstance(market.quality, Identity)
    return growth and market.n == 2


def _is_evenly_spaced(sizes: Sequence[Number]) -> bool:
    """Return whether these are 0 or one step, and so on, step by step."""
    step = Fraction(sizes[1]) - Fraction(sizes[0])
    first = Fraction(sizes[0]) / step
    return first in (0, 1) and all(Fraction(x) == (first + k) * step for k, x in enumerate(sizes))


def find_first_profile(profiles: NDArray[np.int64]) -> tuple[int, ...] | None:
    """Return the profile whose largest size is smallest, and of those the first; None of none."""
    if not len(profiles):
        return None
    keys = [profiles[:, j] for j in reversed(range(profiles.shape[1]))]
    k = np.lexsort((*keys, profiles.max(axis=1)))[0]
    return tuple(int(t) for t in profiles[k])
