"""Compiled scans of payoff arrays. Each has a plain twin in tests/auditing/test_kernels.py."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from aboveboard.kernels import kernel

# Payoffs are finite: without NaN and signed zeros maxima of floats are vectorised, too.
_FINITE = {"nnan", "nsz"}


LONG = 64
"""Payoffs in a row from which on four maxima are taken at a time: each waits for its last step."""

FEW_ACTIONS = 32
"""Actions up to which a player's payoffs that lie side by side are compared before the truth's."""


@kernel(fastmath=_FINITE, inline=True)
def _find_top(lies: Any, truths: Any) -> Any:
    """Return the largest difference of two rows."""
    quarter = lies.size // 4
    first = lies[0] - truths[0]
    second = third = fourth = first
    for k in range(quarter):
        first = max(first, lies[k] - truths[k])
        second = max(second, lies[k + quarter] - truths[k + quarter])
        third = max(third, lies[k + 2 * quarter] - truths[k + 2 * quarter])
        fourth = max(fourth, lies[k + 3 * quarter] - truths[k + 3 * quarter])
    for k in range(4 * quarter, lies.size):
        first = max(first, lies[k] - truths[k])
    return max(max(first, second), max(third, fourth))


@kernel(fastmath=_FINITE)
def _scan_last(payoffs: Any, truth: int, lie_from: int, lie_to: int) -> Any:
    """Do as `largest_gain` for the last player, shape (outer, actions): a row has all its lies."""
    best = payoffs[0, 0] - payoffs[0, 0]
    at_outer, at_action = -1, -1
    start = lie_from + 1 if lie_from == truth else lie_from
    if start >= lie_to:
        return best, -1, -1, -1
    for o in range(payoffs.shape[0]):
        top = payoffs[o, start]
        for a in range(start + 1, min(truth, lie_to)):
            top = max(top, payoffs[o, a])
        for a in range(max(start, truth) + 1, lie_to):
            top = max(top, payoffs[o, a])
        top -= payoffs[o, truth]
        if at_outer < 0 or top > best:
            for a in range(start, lie_to):
                if a != truth and payoffs[o, a] - payoffs[o, truth] == top:
                    best, at_outer, at_action = top, o, a
                    break
    return best, at_outer, at_action, 0


@kernel(
    lambda payoffs, truth, lie_from, lie_to: payoffs.size + 10,
    fastmath=_FINITE,
)
def largest_gain(payoffs: NDArray[Any], truth: int, lie_from: int, lie_to: int) -> Any:
    """Find the deviation from `truth` that gains most, whatever the others report.

    Parameters
    ----------
    payoffs
        One player's payoffs, shape (outer, actions, inner): the others' reports before and
        after it in the order of players.
    truth
        Position of the truth.
    lie_from, lie_to
        Range of the deviations that are tried; the truth among them is passed over.

    Returns
    -------
    tuple
        The gain and its outer, action and inner position: the first in that order where several
        gain alike. The outer position is -1 if nothing was tried.

    Notes
    -----
    One pass over the array; the inner loop is a plain maximum, so that it is vectorised.
    """
    outer, _, inner = payoffs.shape
    if inner == 1 and lie_to - lie_from <= FEW_ACTIONS:
        return _scan_last(payoffs[:, :, 0], truth, lie_from, lie_to)
    best = payoffs[0, 0, 0] - payoffs[0, 0, 0]
    at_outer, at_action, at_inner = -1, -1, -1
    for o in range(outer):
        for a in range(lie_from, lie_to):
            if a == truth:
                continue
            if inner >= LONG:
                top = _find_top(payoffs[o, a], payoffs[o, truth])
            else:
                top = payoffs[o, a, 0] - payoffs[o, truth, 0]
                for k in range(1, inner):
                    top = max(top, payoffs[o, a, k] - payoffs[o, truth, k])
            if at_outer < 0 or top > best:
                for k in range(inner):
                    if payoffs[o, a, k] - payoffs[o, truth, k] == top:
                        best, at_outer, at_action, at_inner = top, o, a, k
                        break
    return best, at_outer, at_action, at_inner


@kernel(lambda low, high, truth, lie_from, lie_to: low.size + 10)
def largest_gain_between(
    low: NDArray[Any], high: NDArray[Any], truth: int, lie_from: int, lie_to: int
) -> Any:
    """Do as `largest_gain`, with the truth valued by `low` and the lies by `high`."""
    outer, _, inner = low.shape
    best = high[0, 0, 0] - high[0, 0, 0]
    at_outer, at_action, at_inner = -1, -1, -1
    for o in range(outer):
        for a in range(lie_from, lie_to):
            if a == truth:
                continue
            for k in range(inner):
                gain = high[o, a, k] - low[o, truth, k]
                if at_outer < 0 or gain > best:
                    best, at_outer, at_action, at_inner = gain, o, a, k
    return best, at_outer, at_action, at_inner


@kernel(lambda payoffs, slack, alive, scratch: 2 * payoffs.size + 10)
def clear_unless_best(
    payoffs: NDArray[Any], slack: Any, alive: NDArray[Any], scratch: NDArray[Any]
) -> None:
    """Clear `alive` at each profile in which this player has a better reply (by more than slack).

    `payoffs` and `alive` have the shape (outer, actions, inner); `scratch` has shape (inner,).
    """
    outer, actions, inner = payoffs.shape
    for o in range(outer):
        for k in range(inner):
            scratch[k] = payoffs[o, 0, k]
        for a in range(1, actions):
            for k in range(inner):
                scratch[k] = max(scratch[k], payoffs[o, a, k])
        for a in range(actions):
            for k in range(inner):
                alive[o, a, k] &= payoffs[o, a, k] >= scratch[k] - slack
