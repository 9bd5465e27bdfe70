"""Who is served with the best model, and which quality each party then uses.

The best model is trained on the sum of the sizes that all participants report, the data of those
who are not served included. With everybody present the allocation is efficient: the served are
those for whom the sum of all values is highest (linear: whose column sums to 0 or more), where
serving is all or nothing for each party; ties serve. With somebody absent the counterfactual rule
says who is served:

- "all": the same, the values of the absent included (column sums over all agents);
- "participants": only the values of those who take part are summed;
- "none": nobody is served;
- "punish": those whose service leaves the absent the least, in the sum of their values.

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

from aboveboard.errors import InputError
from aboveboard.games.numbers import Array, BoolArray
from aboveboard.learning.market.quality import Quality
from aboveboard.learning.market.valuations import Valuation

Counterfactual = Literal["all", "participants", "none", "punish"]
AT_ONCE = 1 << 20
"""Entries of the arrays that value sets of the served: some 8 MiB each."""

MOST_COMPARED = 12
"""Parties up to whom an audit compares the allocation with all others: 2^12 sets."""


MOST_SETS = 16
"""Parties up to whom all sets of the served are tried: 2^16 valuations for one profile."""

ROUNDING = 1e-12
"""Part of the largest value: sums of float64 values that differ by less count as tied."""


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

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.learning import Identity, Linear, Market, compute_outcome
    >>> matrix = ((Fraction(3, 10), Fraction(4, 5)), (Fraction(-9, 10), Fraction(1, 5)))
    >>> market = Market(Identity(), Linear(matrix), 2)
    >>> compute_outcome(market, [1, 2]).served
    (False, True)
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
        if self.counterfactual == "participants":
            return self.valuation.find_served(fewer) is None
        return self.counterfactual == "punish" and self.valuation.find_punishing(~fewer) is None


def choose_served(market: Market, sizes: Array, present: BoolArray) -> BoolArray:
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

    Examples
    --------
    >>> from fractions import Fraction
    >>> import numpy as np
    >>> from aboveboard.learning import Identity, Linear, Market, choose_served
    >>> matrix = ((Fraction(3, 10), Fraction(4, 5)), (Fraction(-9, 10), Fraction(1, 5)))
    >>> market = Market(Identity(), Linear(matrix), 2)
    >>> choose_served(market, np.array([[1, 2]]), np.ones((1, 2), dtype=bool)).tolist()
    [[False, True]]
    """
    served = np.zeros_like(present)
    for members, rows in _group_by_presence(present):
        objective = find_objective(market, members)
        if objective is None:
            continue
        if objective.served is not None:
            served[rows] = objective.served & members
            continue
        known = np.where(members, sizes[rows], sizes[rows] * 0)
        best = market.quality.evaluate(known.sum(axis=-1))
        served[rows] = choose_best_sets(
            market.valuation, objective, best, market.quality.evaluate(known), members
        )
    return served


@dataclass(frozen=True)
class Objective:
    """What the choice of the served aims at, for one set of participants.

    Parameters
    ----------
    counted
        Whose values are summed.
    punishes
        The sum is made as small as possible, not as large.
    served
        Whom that serves, for any qualities; None where it depends on them.
    """

    counted: BoolArray
    punishes: bool
    served: BoolArray | None


def find_objective(market: Market, present: BoolArray) -> Objective | None:
    """Return what the rule aims at when these parties take part; None where it serves nobody.

    Parameters
    ----------
    market
        The rule.
    present
        Who takes part, shape (n,).
    """
    everybody = np.ones_like(present)
    if present.all() or market.counterfactual == "all":
        return Objective(everybody, False, market.valuation.find_served(everybody))
    if market.counterfactual == "none":
        return None
    if market.counterfactual == "participants":
        return Objective(present, False, market.valuation.find_served(present))
    return Objective(~present, True, market.valuation.find_punishing(~present))


def choose_best_sets(
    valuation: Valuation, objective: Objective, best: Array, own: Array, members: BoolArray
) -> BoolArray:
    """Return the best set of each profile; among the best, the largest and then the first.

    Parameters
    ----------
    valuation
        What qualities are worth.
    objective
        Whose values count, and how.
    best
        Quality of the model that is handed out, shape (m,).
    own
        Qualities of the parties' own models, as far as the center knows them, shape (m, n).
    members
        Who takes part, shape (n,).
    """
    sets = np.stack(list_subsets(members))
    step = max(1, AT_ONCE // sets.size)
    chosen = [
        _choose_of_sets(
            valuation, objective, sets, best[start : start + step], own[start : start + step]
        )
        for start in range(0, len(own), step)
    ]
    return np.concatenate(chosen)


def _choose_of_sets(
    valuation: Valuation, objective: Objective, sets: BoolArray, best: Array, own: Array
) -> BoolArray:
    """Value every set in every profile, shape (sets, m, n), and return the best of each profile."""
    x = np.where(sets[:, None, :], best[:, None], best[:, None] * 0)
    values = valuation.evaluate(np.maximum(x, own))[..., objective.counted]
    totals = values.sum(axis=-1)
    if objective.punishes:
        totals = -totals
    highest: Any = totals.max(axis=0)
    if values.dtype == np.float64 and values.size:
        highest = highest - ROUNDING * np.abs(values).max(axis=(0, -1))
    chosen: BoolArray = sets[np.argmax((totals >= highest).astype(np.bool_), axis=0)]
    return chosen


def assign_models(market: Market, sizes: Array, present: BoolArray) -> Array:
    """Return x, the quality of the model that each party is handed; 0 to who is not served.

    Parameters
    ----------
    market, sizes, present
        As in `choose_served`.

    Returns
    -------
    array
        Shape (m, n).

    Examples
    --------
    >>> from fractions import Fraction
    >>> import numpy as np
    >>> from aboveboard.learning import Identity, Linear, Market, assign_models
    >>> matrix = ((Fraction(3, 10), Fraction(4, 5)), (Fraction(-9, 10), Fraction(1, 5)))
    >>> market = Market(Identity(), Linear(matrix), 2)
    >>> assign_models(market, np.array([[1, 2]]), np.ones((1, 2), dtype=bool)).tolist()
    [[0, 3]]
    """
    return hand_out(market, sizes, present, choose_served(market, sizes, present))


def hand_out(market: Market, sizes: Array, present: BoolArray, served: BoolArray) -> Array:
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


def _group_by_presence(present: BoolArray) -> Iterator[tuple[BoolArray, Any]]:
    """Yield each set of participants with the rows in which it is the set."""
    different, where = np.unique(present, axis=0, return_inverse=True)
    for k, members in enumerate(different):
        yield members, np.flatnonzero(where.reshape(-1) == k)


def list_subsets(there: BoolArray) -> list[BoolArray]:
    """Return the subsets of the participants as masks, the largest first."""
    members = np.flatnonzero(there)
    k = len(members)
    numbers = sorted(range(1 << k), key=lambda s: (-s.bit_count(), s))
    sets = []
    for s in numbers:
        mask = np.zeros_like(there)
        mask[members] = [s >> b & 1 for b in range(k)]
        sets.append(mask)
    return sets
