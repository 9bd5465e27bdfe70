"""Compiled scans of payoff arrays. Each has a plain twin in tests/auditing/test_kernels.py."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from aboveboard.kernels import kernel

# Payoffs are finite: without NaN and signed zeros maxima of floats are vectorised, too.
_FINITE = {"nnan", "nsz"}


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
    best = payoffs[0, 0, 0] - payoffs[0, 0, 0]
    at_outer, at_action, at_inner = -1, -1, -1
    for o in range(outer):
        for a in range(lie_from, lie_to):
            if a == truth:
                continue
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
