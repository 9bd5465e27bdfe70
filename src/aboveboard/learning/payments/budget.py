"""Where maximal exploitation payments keep the budget, and where they do not.

What is proved: under the counterfactual "none" payments sum to what serving adds to welfare, which
an efficient allocation makes 0 or more; with two parties all rules are that one. In a linear
market it is enough that alpha_jj + sum_i min(0, alpha_ij) >= 0 (i other than j) for everybody who
can be served: a party's data lift the best model by no more than that model is above j's own.
Corollary 1 is the case without negative coefficients. Under "punish" in a linear market each pays
at least what it pays under "none". Under "participants" three parties in a
linear market always keep the budget: if j is served for the sake of one party against the harm to
another, then without the first it is not served, and the first pays for all of j's better model.
Elsewhere the budget can fail, and profiles of sizes are tried. Cost: n + 1 allocations for each of
at most `MOST_TRIED` profiles. Source: "Mechanism Design for Multi-Party Machine Learning",
Definition 6, Corollary 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from aboveboard.formatting import format_count, format_rounded
from aboveboard.games.numbers import Number
from aboveboard.learning.market.allocation import Market
from aboveboard.learning.market.valuations import Linear
from aboveboard.learning.payments.exploitation_payment import exploitation_payments

LEVELS = (1.0, 0.5, 0.0)
"""Parts of its size that each party is tried with."""

MOST_TRIED = 3**7
"""Profiles of reports that are tried at most: every one of seven parties."""

MOST_WORK = 3**7 * 2**4
"""Valuations, where each profile takes one for each set of the served."""

TOLERANCE = 1e-9
"""Part of the largest payment: a float sum of payments that is nearer to 0 counts as 0."""


@dataclass(frozen=True)
class DeficitSearch:
    """The smallest revenue among some profiles.

    Parameters
    ----------
    profiles
        How many were tried.
    revenue
        The smallest sum of payments.
    sizes
        The profile that brings it.
    fails
        Whether it is below 0 by more than rounding.
    """

    profiles: int
    revenue: float
    sizes: tuple[float, ...]
    fails: bool


def prove_balance(market: Market) -> str | None:
    """Return why payments never sum to less than 0; None if no reason is known."""
    if market.counterfactual == "none":
        return "payments sum to what serving adds to welfare"
    if market.n <= 2:
        return "with two parties payments sum to what serving adds to welfare"
    if not isinstance(market.valuation, Linear):
        return None
    if market.n == 3 and market.counterfactual == "participants":
        return "with three parties in a linear market whoever asks for harm pays for it"
    if market.counterfactual == "punish":
        return (
            "whoever stays away is left no more than if nobody were served then, when payments sum "
            "to what serving adds to welfare"
        )
    matrix = market.valuation.exact
    if (matrix >= 0).all():
        return "no coefficient is negative (Corollary 1)"
    everybody = np.ones(market.n, dtype=np.bool_)
    served = (
        everybody
        if market.counterfactual == "participants"
        else (market.valuation.find_served(everybody))
    )
    harm = np.minimum(matrix, matrix * 0).sum(axis=0)
    if all(matrix[j, j] + harm[j] >= 0 for j in np.flatnonzero(served)):
        return "whoever is served gains more by its model than it harms others with it"
    return None


def keeps_budget(market: Market, there: int) -> bool:
    """Return whether payments never sum to less than 0, whatever the qualities are.

    Parameters
    ----------
    market
        The rule.
    there
        How many parties take part.
    """
    if market.counterfactual == "punish" and isinstance(market.valuation, Linear):
        return True
    return market.counterfactual == "none" or there <= 2


def search_deficit(market: Market, sizes: Sequence[Number]) -> DeficitSearch:
    """Return the profile of parts of these sizes at which payments sum to the least.

    All combinations of `LEVELS`, or as many drawn from a fixed seed.
    """
    parts = _choose_parts(market)
    profiles = parts * np.array([float(x) for x in sizes])
    paid = exploitation_payments(market, profiles, np.ones(profiles.shape, dtype=np.bool_))
    revenue = paid.sum(axis=-1)
    k = int(np.argmin(revenue))
    fails = bool(revenue[k] < -TOLERANCE * np.abs(paid[k]).max())
    return DeficitSearch(len(profiles), float(revenue[k]), tuple(profiles[k].tolist()), fails)


def _choose_parts(market: Market) -> NDArray[np.float64]:
    n = market.n
    sets = 1 << n if market.tries_sets else 1
    most = max(1, min(MOST_TRIED, MOST_WORK // sets))
    if len(LEVELS) ** n <= most:
        return np.array(list(product(LEVELS, repeat=n)))
    generator = np.random.default_rng(0)
    drawn = generator.choice(LEVELS, size=(most, n))
    drawn[0] = 1.0
    return np.asarray(drawn, dtype=np.float64)


def describe_balance(
    market: Market, sizes: Sequence[Number], names: Sequence[str], revenue: Number
) -> list[str]:
    """Return in words where the budget is not kept, at these sizes or at smaller ones.

    Parameters
    ----------
    market
        The rule.
    sizes, names
        Of the parties, in order.
    revenue
        What the payments sum to at these sizes.
    """
    if revenue < -TOLERANCE:
        return [
            f"weak budget balance fails here: payments sum to {format_rounded(revenue)}, which the "
            "center pays out"
        ]
    if prove_balance(market) is not None:
        return []
    found = search_deficit(market, sizes)
    if found.fails:
        at = ", ".join(
            f"{name} {format_rounded(x)}" for name, x in zip(names, found.sizes, strict=True)
        )
        return [
            f"weak budget balance may fail: with the sizes {at} payments would sum to "
            f"{format_rounded(found.revenue)}"
        ]
    return [
        "weak budget balance is not guaranteed in this market; it holds at the "
        f"{format_count(found.profiles)} profiles of halves of these sizes that were tried"
    ]
