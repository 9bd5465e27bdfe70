"""What an exchange is worth to a party: u_i = v_i - exclusivity_i * max over j != i of v_j.

Source: Branzei, Orlandi, Yang, "Sharing information with competitors" (arXiv 1809.10637), section
2, which has exclusivity 1; the weight is ours. Payoffs of games are whole multiples of a unit, so
that comparisons are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import lcm

import numpy as np

from aboveboard.formatting import format_rough
from aboveboard.games.numbers import LARGEST_ENTRY, Array


def compute_utilities(
    benefits: Sequence[Fraction | int], exclusivity: Sequence[Fraction]
) -> list[Fraction]:
    """Return each party's utility, exact; a single party has no rival.

    Examples
    --------
    >>> [int(u) for u in compute_utilities([3, 1], [Fraction(1), Fraction(0)])]
    [2, 1]
    """
    own = [Fraction(benefit) for benefit in benefits]
    if len(own) < 2:
        return own
    top = max(range(len(own)), key=own.__getitem__)
    second = max(benefit for j, benefit in enumerate(own) if j != top)
    return [
        benefit - weight * (second if i == top else own[top])
        for i, (benefit, weight) in enumerate(zip(own, exclusivity, strict=True))
    ]


def find_unit(exclusivity: Sequence[Fraction]) -> Fraction:
    """Return the largest unit of which all utilities of whole benefits are multiples."""
    return _find_unit(tuple(exclusivity))


@lru_cache(maxsize=256)
def _find_unit(exclusivity: tuple[Fraction, ...]) -> Fraction:
    return Fraction(1, lcm(*(weight.denominator for weight in exclusivity)))


@lru_cache(maxsize=256)
def _find_factors(exclusivity: tuple[Fraction, ...]) -> tuple[Fraction, list[int]]:
    """Return the unit of utilities, and each weight in it."""
    unit = _find_unit(exclusivity)
    return unit, [int(weight / unit) for weight in exclusivity]


def find_best_rivals(benefits: Array) -> Array:
    """Return, for benefits of shape (m, n), the largest among the others; 0 for a single party."""
    m, n = benefits.shape
    if n == 1:
        return np.zeros_like(benefits)
    top = np.argmax(benefits, axis=1)
    rows = np.arange(m)
    masked = benefits.copy()
    masked[rows, top] = benefits.min() if benefits.dtype == object else np.iinfo(np.int64).min
    rivals = np.repeat(benefits[rows, top][:, None], n, axis=1)
    rivals[rows, top] = masked.max(axis=1)
    return rivals


def compute_payoff_rows(own: Array, rivals: Array, exclusivity: Sequence[Fraction]) -> Array:
    """Return utilities in units of `find_unit(exclusivity)`.

    Parameters
    ----------
    own, rivals
        int64 or Python's integers, shape (m, n): each party's benefit and its best rival's.
    exclusivity
        Each party's weight of its best rival's benefit.

    Raises
    ------
    ValueError
        If a utility might not fit into 64 bits; Python's integers have no such limit.
    """
    unit, factors = _find_factors(tuple(exclusivity))
    if own.dtype == object:
        exact: Array = own * unit.denominator - rivals * np.array(factors, dtype=object)
        return exact
    most = max(
        unit.denominator * int(np.abs(own).max(initial=0)),
        max(factors) * int(np.abs(rivals).max(initial=0)),
    )
    if most > LARGEST_ENTRY:
        raise ValueError(
            "exclusivity and benefits are too large to compare in 64 bits (up to "
            f"{format_rough(most)})"
        )
    weights = np.array(factors, dtype=np.int64)
    payoffs: Array = own * np.int64(unit.denominator) - rivals * weights
    return payoffs


def can_exceed_floors(
    benefit: list[int],
    most: list[int],
    members: Sequence[int],
    floors: list[int],
    weights: list[int],
    scale: int,
) -> bool:
    """Return whether the members' benefits can rise until each utility exceeds its floor."""
    moved = True
    while moved:
        moved = False
        for i, floor in zip(members, floors, strict=True):
            rival = max((b for j, b in enumerate(benefit) if j != i), default=0)
            needed = (floor + weights[i] * rival) // scale + 1
            if needed > benefit[i]:
                if needed > most[i]:
                    return False
                benefit[i], moved = needed, True
    return True
