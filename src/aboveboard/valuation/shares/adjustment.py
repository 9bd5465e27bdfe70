"""Estimated shares moved so that they sum to what is paid out, to the last bit.

What: what is missing from the sum, or too much in it, is split in proportion to the variances of
the estimates: this changes the shares least in units of their standard errors, and leaves those
alone that are known for sure. Then shares are rounded to a common grid, on which sums of floats are
exact. Cost: O(users).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import fsum, sqrt, ulp

from aboveboard.games.numbers import Number


def adjust_to_sum(
    shares: Sequence[float], standard_errors: Sequence[float], target: Number
) -> list[float]:
    """Return estimated shares that sum to a target exactly.

    Parameters
    ----------
    shares, standard_errors
        The estimates, one or more.
    target
        What they sum to; rounded to a float.

    Examples
    --------
    >>> adjust_to_sum([0.5, 0.25, 0.0], [0.1, 0.1, 0.0], 1)
    [0.625, 0.375, 0.0]
    """
    total = float(target)
    weights = [error * error for error in standard_errors]
    whole = fsum(weights)
    if not 0 < whole < float("inf"):
        weights, whole = [1.0] * len(shares), float(len(shares))
    gap = float(Fraction(total) - sum(map(Fraction, shares)))
    moved = [x + gap * (w / whole) for x, w in zip(shares, weights, strict=True)]
    step = ulp(max(abs(total), *map(abs, moved)))
    on_grid = [round(x / step) * step for x in moved]
    # What rounding leaves goes to the least certain share.
    last = max(range(len(weights)), key=weights.__getitem__)
    others = sum((Fraction(x) for i, x in enumerate(on_grid) if i != last), start=Fraction(0))
    on_grid[last] = float(Fraction(total) - others)
    return on_grid


def shrink_errors(standard_errors: Sequence[float]) -> list[float]:
    """Return the standard errors of estimates whose errors are independent, after the adjustment.

    With variances v_i that sum to V, a share moved by v_i/V of what is missing from the sum has the
    variance v_i (1 - v_i/V): its own error enters with 1 - v_i/V, that of every other j with v_i/V.
    Estimates that are all known for sure stay so.

    Examples
    --------
    >>> shrink_errors([0.3, 0.3])
    [0.21213203435596426, 0.21213203435596426]
    """
    variances = [error * error for error in standard_errors]
    whole = fsum(variances)
    if not whole:
        return list(standard_errors)
    return [sqrt(v * max(0.0, 1 - v / whole)) for v in variances]
