"""Offers to more users than there are profiles to look at: users reply in turn. A heuristic.

What: under fair shares the users play a potential game (see `pure_profiles`), so replies in turn
end in an equilibrium. Optimistic selection starts where everybody shares and alpha is 1, and lowers
alpha to the next one at which somebody leaves; pessimistic selection starts from nobody and raises
alpha to the next one at which somebody joins. No alpha between two such steps is better on this
path, but other equilibria exist: a better (or, pessimistic, a worse) one may be missed. Cost: a few
divisions for each user and step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from aboveboard.valuation.offers.alike_users import Candidate
from aboveboard.valuation.offers.offer import Selection

PASSES = 1000
"""Rounds of replies after which users are taken to go round in a circle."""
SLACK = 1e-12
"""Gains up to this size are rounding."""
BESIDE = 1e-9
"""How far beside a step, relatively, users reply: offers are found to this part of alpha."""

Gain = Callable[[int, int], float]
"""(sharers as a mask, user): by how much the user's share rises if it shares besides the others."""


def reply_in_turn(gain: Gain, costs: Sequence[float], alpha: float, start: int) -> int:
    """Change users' levels in turn until nobody gains by a change.

    Parameters
    ----------
    gain
        By how much a user's share of the whole utility rises if it shares besides these.
    costs
        By user: what sharing costs it.
    alpha
        The part of the utility that users share.
    start
        Who shares at first, as a mask.

    Returns
    -------
    int
        Who shares then, as a mask.

    Raises
    ------
    ValueError
        If `PASSES` rounds do not suffice; with fair shares every reply raises a potential, so
        they end.

    Examples
    --------
    >>> bin(reply_in_turn(lambda others, user: 1.0, [0.2, 0.9, 0.4], 0.5, 0))
    '0b101'
    """
    mask = start
    for _ in range(PASSES):
        before = mask
        for i, cost in enumerate(costs):
            others = mask & ~(1 << i)
            net = alpha * gain(others, i) - cost
            if abs(net) > SLACK:
                mask = others | 1 << i if net > 0 else others
        if mask == before:
            return mask
    raise ValueError(f"users still change their levels after {PASSES} rounds of best replies")


def follow_best_replies(
    gain: Gain, worth: Callable[[int], float], costs: Sequence[float], selection: Selection
) -> tuple[Candidate, int]:
    """Return the best offer on the path of best replies, and who shares then, as a mask.

    Parameters
    ----------
    gain, costs
        As in `reply_in_turn`.
    worth
        Utility above that of no data where the users of a mask share.
    selection
        "optimistic" lowers alpha from 1, "pessimistic" raises it from 0.
    """
    if selection == "optimistic":
        return _lower_alpha(gain, worth, costs)
    return _raise_alpha(gain, worth, costs)


def _lower_alpha(
    gain: Gain, worth: Callable[[int], float], costs: Sequence[float]
) -> tuple[Candidate, int]:
    n = len(costs)
    best = Candidate(worth(0), 0.0, 0.0), 0
    mask, alpha = (1 << n) - 1, 1.0
    while mask:
        mask = reply_in_turn(gain, costs, alpha, mask)
        least = find_least_alpha(gain, costs, mask)
        value = (1 - least) * worth(mask)
        if value > best[0].value + SLACK:
            best = Candidate(value, least, mask.bit_count() / n), mask
        if not least:
            break
        alpha = min(alpha, least) * (1 - BESIDE)
    return best


def _raise_alpha(
    gain: Gain, worth: Callable[[int], float], costs: Sequence[float]
) -> tuple[Candidate, int]:
    n = len(costs)
    mask = reply_in_turn(gain, costs, 0.0, 0)
    best = Candidate(worth(mask), 0.0, mask.bit_count() / n), mask
    step = find_next_alpha(gain, costs, mask)
    alpha = 0.0
    while step <= 1:
        step = max(step, alpha)
        alpha = step * (1 + BESIDE) + SLACK
        mask = reply_in_turn(gain, costs, alpha, mask)
        value = (1 - step) * worth(mask)
        if value > best[0].value + SLACK:
            best = Candidate(value, step, mask.bit_count() / n, attained=False), mask
        step = find_next_alpha(gain, costs, mask)
    return best


def find_least_alpha(gain: Gain, costs: Sequence[float], mask: int) -> float:
    """Return the least alpha at which every sharer wants to share."""
    found = 0.0
    for i, cost in enumerate(costs):
        if mask >> i & 1:
            rise = gain(mask & ~(1 << i), i)
            if rise > 0:
                found = max(found, cost / rise)
            elif cost > 0:
                return inf
    return found


def find_next_alpha(gain: Gain, costs: Sequence[float], mask: int) -> float:
    """Return the least alpha at which somebody who does not share would as soon share."""
    found = inf
    for i, cost in enumerate(costs):
        if not mask >> i & 1:
            rise = gain(mask, i)
            if rise > 0:
                found = min(found, cost / rise)
    return found
