"""A budget and a floor for payments, and the most that any equilibrium may leave the platform.

What: payments rise with alpha, so at a pure profile a floor is a least alpha and a budget a largest
one. Where level 0 is on offer nobody accepts less than its cost, in whatever equilibrium (of coins,
or of a common signal), so users are paid what their privacy costs at least, and of two levels at
least the floor for each who shares: the platform is left no more than the largest U - sum of
max(cost, floor) over all profiles whose floors a budget covers. Cost: one pass over the states.
Source: ours; the proof is in `docs/theory.md`.
"""

from __future__ import annotations

from math import inf

import numpy as np

from aboveboard.games.numbers import FloatArray, IntArray
from aboveboard.valuation.offers.profile_space import ProfileSpace

SLACK = 1e-12
"""Relative rounding of float64 sums that are compared with a budget."""


def find_least_shares(space: ProfileSpace, potential: FloatArray, states: IntArray) -> FloatArray:
    """Return the smallest share of a user above the most private level; inf where nobody is.

    A user's share is what the potential falls by where it is absent.
    """
    least = np.full(len(states), inf)
    first = 0 if not space.levels[0] else 1
    for t, stride in enumerate(space.strides.tolist()):
        local = states // stride % int(space.radix[t])
        for a in range(first, len(space.positive)):
            there = space.count_table[t, local, a] > 0
            steps = space.step_table[t, local, a]
            share = potential[states] - potential[states - steps]
            least = np.where(there, np.minimum(least, share), least)
    return least


def limit_alphas(
    low: FloatArray,
    high: FloatArray,
    worth: FloatArray,
    least: FloatArray,
    budget: float | None,
    floor: float | None,
) -> tuple[FloatArray, FloatArray]:
    """Return the least and largest alpha of each profile that also keep to the floor and budget."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if floor:
            needed = np.where(np.isinf(least), 0.0, np.where(least > 0, floor / least, inf))
            low = np.maximum(low, needed)
        if budget is not None:
            high = np.minimum(high, np.where(worth > 0, budget / worth, inf))
    return low, high


def find_least_pay(space: ProfileSpace, floor: float) -> tuple[FloatArray, FloatArray]:
    """Return for each state the least that users accept, and the sum of the floors alone.

    With more than two levels what they accept is their costs: see the module's proof.
    """
    accepted, floors = np.zeros(space.size), np.zeros(space.size)
    offset = len(space.levels) - len(space.positive)
    index = np.arange(space.size)
    for t, (users, counts) in enumerate(zip(space.members, space.states, strict=True)):
        own, least = np.zeros(len(counts)), np.zeros(len(counts))
        if len(space.levels) == 2 and offset:
            # The first so many users of a type are those who share: they mind it least.
            each = np.maximum(space.costs[list(users), 1], floor)
            own[:] = np.concatenate([[0.0], np.cumsum(each)])[counts[:, 0]]
            least[:] = floor * counts[:, 0]
        else:
            # With more levels the users of a type have equal costs.
            own[:] = counts @ space.costs[users[0], offset:]
            least[:] = floor * counts[:, 1 - offset :].sum(axis=1)
        local = index // int(space.strides[t]) % int(space.radix[t])
        accepted += own[local]
        floors += least[local]
    return accepted, floors


def bound_platform(
    space: ProfileSpace, worth: FloatArray, budget: float | None, floor: float | None
) -> float | None:
    """Return what no equilibrium exceeds, above U of no data; None where level 0 is not on offer.

    Parameters
    ----------
    space, worth
        The states, and the utility of each above that of no data.
    budget, floor
        As in `Design`.

    Examples
    --------
    >>> space = ProfileSpace(((0,), (1,)), (0, 1), np.array([[0, 0.4], [0, 0.5]]))
    >>> round(bound_platform(space, np.array([0, 2 / 3, 2 / 3, 1]), None, None), 9)
    0.266666667
    """
    if space.levels[0]:
        return None
    accepted, floors = find_least_pay(space, floor or 0.0)
    allowed = floors <= (inf if budget is None else budget) * (1 + SLACK)
    return float((worth - accepted)[allowed].max())
