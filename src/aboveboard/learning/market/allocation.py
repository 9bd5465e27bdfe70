"""Who is served with the best model, and which quality each party then uses.

The best model is trained on the sum of the sizes that all participants report, the data of those
who are not served included. With everybody present the allocation is efficient: the served are
those for whom the sum of all values is highest (linear: whose column sums to 0 or more), where
serving is all or nothing for each party; ties serve. With somebody absent the counterfactual rule
says who is served:

- "all": the same, the values of the absent included (column sums over all agents);
- "participants": only the values of those who take part are summed;
- "none": nobody is served.

The center does not know the data of who is absent and counts its quality as Q(0) = 0.

Cost: O(n^2) for a profile where who is served does not depend on sizes (linear, growth), else one
valuation for each of the 2^n sets of participants. Source: "Mechanism Design for Multi-Party
Machine Learning", sections 2.2 and 3; the paper leaves x(absent, t_-i) open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.games.numbers import Array
from aboveboard.learning.market.quality import Quality
from aboveboard.learning.market.valuations import Valuation

Counterfactual = Literal["all", "participants", "none"]
AT_ONCE = 1 << 20
"""Entries of the arrays that value sets of the served: some 8 MiB each."""

Mask = NDArray[np.bool_]

MOST_SETS = 16
"""Parties up to whom all sets of the served are tried: 2^16 valuations for one profile."""

ROUNDING = 1e-12
"""Of the largest value: sums of float64 values that differ by less count as tied."""


@dataclass(frozen=True)
class Market:
    """What decides allocations and payments.

    Parameters
    ----------
    quality
        Q of a valid data size.
    valuation
        v_i of a profile of qualities.
    n
        Parties.
    counterfactual
        Who is served when somebody is absent.

    Raises
    ------
    InputError
        If there are too many parties to try all sets of them, and this valuation calls for that.
    """

    quality: Quality
    valuation: Valuation
    n: int
    counterfactual: Counterfactual = "all"

    def __post_init__(self) -> None:
        if self.n > MOST_SETS and (self.tries_sets or self._tries_sets_of_fewer):
            raise InputError(
                "valuation",
                f"with {self.n} parties there are 2^{self.n} sets of parties to serve",
                f"take {MOST_SETS} parties at most, or a linear market, which needs no search",
            )

    @property
    def tries_sets(self) -> bool:
        """Whether all sets of parties are tried to find whom to serve when all are present."""
        return self.valuation.find_served(np.ones(self.n, dtype=np.bool_)) is None

    @property
    def _tries_sets_of_fewer(self) -> bool:
        """Whether they are tried when a party is absent."""
        fewer = np.arange(self.n) > 0
        return self.counterfactual == "participants" and self.valuation.find_served(fewer) is None


def choose_served(market: Market, sizes: Array, present: Mask) -> Mask:
    """Return who is served.

    Parameters
    ----------
    market
        The rule.
    sizes
        Reported valid data sizes, shape (m, n); those of the absent are not looked at.
    present
        Who takes part, shape (m, n).

    Returns
    -------
    array
        Shape (m, n); False for the absent.
    """
    served = np.zeros_like(present)
    rows = np.arange(len(present))
    if market.counterfactual == "none":
        rows = np.flatnonzero(present.all(axis=-1))
    there = present[rows]
    counted = there if market.counterfactual == "participants" else np.ones_like(there)
    known = market.valuation.find_served(counted)
    if known is not None:
        served[rows] = known & there
        return served
    for members, group in _group_by_presence(there):
        served[rows[group]] = _choose_for_members(
            market, sizes[rows[group]], members, counted[group][0]
        )
    return served


def assign_models(market: Market, sizes: Array, present: Mask) -> Array:
    """Return x, the quality of the model that each party is handed; 0 to who is not served.

    Parameters
    ----------
    market, sizes, present
        As in `allocation`.

    Returns
    -------
    array
        Shape (m, n).
    """
    return hand_out(market, sizes, present, choose_served(market, sizes, present))


def hand_out(market: Market, sizes: Array, present: Mask, served: Mask) -> Array:
    """Return x where these are served; shapes (m, n)."""
    contributed = np.where(present, sizes, sizes * 0)
    best = market.quality.evaluate(contributed.sum(axis=-1))[..., None]
    x: Array = np.where(served, best, best * 0)
    return x


def compute_qualities_in_use(market: Market, x: Array, sizes: Array) -> Array:
    """Return q_i = max(x_i, Q(t_i)): who has a better model of its own uses that; shapes (m, n).

    Parameters
    ----------
    market
        The rule.
    x
        Qualities handed out.
    sizes
        What each party truly has.
    """
    q: Array = np.maximum(x, market.quality.evaluate(sizes))
    return q


def _group_by_presence(present: Mask) -> Iterator[tuple[Mask, Any]]:
    """Return each set of participants with the rows in which it is the set."""
    different, where = np.unique(present, axis=0, return_inverse=True)
    for k, members in enumerate(different):
        yield members, np.flatnonzero(where.reshape(-1) == k)


def list_subsets(there: Mask) -> list[Mask]:
    """List the subsets of the participants as masks, the largest first."""
    members = np.flatnonzero(there)
    k = len(members)
    numbers = sorted(range(1 << k), key=lambda s: (-s.bit_count(), s))
    sets = []
    for s in numbers:
        mask = np.zeros_like(there)
        mask[members] = [s >> b & 1 for b in range(k)]
        sets.append(mask)
    return sets


def _choose_for_members(market: Market, sizes: Array, there: Mask, counted: Mask) -> Mask:
    """Return who is served in profiles that have the same participants."""
    known = market.valuation.find_served(counted)
    if known is None:
        return _find_best_sets(market, sizes, there, counted)
    return np.broadcast_to(known & there, sizes.shape)


def _find_best_sets(market: Market, sizes: Array, there: Mask, counted: Mask) -> Mask:
    """Return the best set of each profile; among the best, the largest and then the first."""
    sets = np.stack(list_subsets(there))
    known = np.where(there, sizes, sizes * 0)
    step = max(1, AT_ONCE // sets.size)
    chosen = [
        _find_best_of(market, sets, known[start : start + step], there, counted)
        for start in range(0, len(known), step)
    ]
    return np.concatenate(chosen)


def _find_best_of(market: Market, sets: Mask, known: Array, there: Mask, counted: Mask) -> Mask:
    """Value every set in every profile, shape (sets, m, n), and give the best of each profile."""
    shape = (len(sets), *known.shape)
    present = np.broadcast_to(there, known.shape)
    x = hand_out(market, known, present, np.broadcast_to(sets[:, None, :], shape))
    values = market.valuation.evaluate(compute_qualities_in_use(market, x, known))[..., counted]
    totals = values.sum(axis=-1)
    best: Any = totals.max(axis=0)
    if values.dtype == np.float64 and values.size:
        best = best - ROUNDING * np.abs(values).max(axis=(0, -1))
    chosen: Mask = sets[np.argmax((totals >= best).astype(np.bool_), axis=0)]
    return chosen
