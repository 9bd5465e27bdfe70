"""Compiled loops over all profiles of levels. Plain twins: tests/oracles/valuation.py."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import FloatArray, IntArray
from aboveboard.kernels import kernel


@kernel()
def _advance(digits: IntArray, radix: IntArray) -> None:
    """Count one further: the first digit moves fastest."""
    for t in range(len(digits)):
        digits[t] += 1
        if digits[t] < radix[t]:
            return
        digits[t] = 0


@kernel()
def fill_potential(
    worth: FloatArray,
    radix: IntArray,
    counts: IntArray,
    steps: IntArray,
    platform: int,
    out: FloatArray,
) -> None:
    """Write Hart and Mas-Colell's potential of every state. O(states * types * levels).

    Parameters
    ----------
    worth
        Shape (states,): utility above that of no data; the first state is that of no data.
    radix
        Shape (types,): how many states each type has; the first type moves fastest.
    counts
        Shape (types, states of a type, levels): how many users of the type are at each level.
    steps
        The same shape: how far back the state lies in which one of them is absent.
    platform
        1 if the platform is a member without whom nothing is earned, else 0.
    out
        Written, shape (states,).
    """
    types, levels = counts.shape[0], counts.shape[2]
    digits = np.zeros(types, np.int64)
    for state in range(len(out)):
        total, members = worth[state], platform
        for t in range(types):
            s = digits[t]
            for a in range(levels):
                k = counts[t, s, a]
                if k > 0:
                    members += k
                    total += k * out[state - steps[t, s, a]]
        out[state] = total / members if members > 0 else 0.0
        _advance(digits, radix)


@kernel()
def _find_interval(
    potential: FloatArray,
    state: int,
    digits: IntArray,
    moves: IntArray,
    needs: FloatArray,
    tie: float,
) -> tuple[float, float]:
    """Return the least and the largest alpha at which a state is an equilibrium."""
    low, high = 0.0, inf
    for t in range(moves.shape[0]):
        s = digits[t]
        for k in range(moves.shape[2]):
            need = needs[t, s, k]
            if need == -inf:
                continue  # no user of this type is at that level
            rise = potential[state] - potential[state + moves[t, s, k]]
            if rise > tie:
                low = max(low, need / rise)
            elif rise < -tie:
                high = min(high, need / rise)
            elif need > 0.0:
                low = inf
    return low, high


@kernel()
def find_equilibria(
    potential: FloatArray,
    radix: IntArray,
    is_profile: NDArray[np.bool_],
    moves: IntArray,
    needs: FloatArray,
    largest: float,
    slack: float,
    tie: float,
    states: IntArray,
    lows: FloatArray,
    highs: FloatArray,
) -> int:
    """Write the states that are equilibria at some alpha, and return how many they are.

    Parameters
    ----------
    potential
        Shape (states,).
    radix
        As in `fill_potential`.
    is_profile
        Shape (types, states of a type): whether every user of the type is at a level on offer.
    moves
        Shape (types, states of a type, changes): how far away the state lies in which one user has
        changed its level.
    needs
        The same shape: by how much more its level costs the user who would change most readily;
        -inf where nobody can change so.
    largest
        No alpha is larger.
    slack, tie
        Rounding of a bound, relatively, and of a difference of potentials.
    states, lows, highs
        Written as far as they reach, the first ones; shorter arrays only count.
    """
    types = len(radix)
    digits = np.zeros(types, np.int64)
    found = 0
    for state in range(len(potential)):
        profile = True
        for t in range(types):
            if not is_profile[t, digits[t]]:
                profile = False
                break
        if profile:
            low, high = _find_interval(potential, state, digits, moves, needs, tie)
            if low <= high * (1.0 + slack) + 1e-300 and low <= largest:
                if found < len(states):
                    states[found] = state
                    lows[found] = low
                    highs[found] = max(low, high)
                found += 1
        _advance(digits, radix)
    return found
