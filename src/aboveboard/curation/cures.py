"""Cures for a helpless center: how often her bit must count so that it matters.

Cost: O(N) for each weight and threshold; two sums for each weight of the function as it is. Source:
ours, see docs/theory.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from math import comb

from aboveboard.curation.curation_game import Society
from aboveboard.curation.equilibria import compute_stake
from aboveboard.curation.number_society import NumberSociety
from aboveboard.curation.social_functions import with_center_weight

HALF = Fraction(1, 2)

MOST_WEIGHT = 8
"""The largest weight that is tried: a center whose bit counts more often decides alone."""


@dataclass(frozen=True)
class Cure:
    """A weight of the center's bit, and thresholds, with which the center matters.

    Parameters
    ----------
    center_weight
        The smallest weight of her bit with which some threshold is cured.
    k
        The thresholds that this weight cures.

    Examples
    --------
    >>> Cure(center_weight=2, k=(2, 3)).k
    (2, 3)
    """

    center_weight: int
    k: tuple[int, ...]


def find_cure(society: Society) -> Cure | None:
    """Return the smallest weight of the center's bit, from 2, that cures some threshold.

    Only for functions in which a weight means something: thresholds, majority, means. The center
    matters if and only if for some own bit b the best guess is 0 if her bit is 0, and 1 if it is 1:
    P(Bin(N - 1, prior) >= k - b) < 1/2 < P(Bin(N - 1, prior) >= k - b - w).
    """
    if with_center_weight(society.function, 2) is None or society.joint is not None:
        return None
    n = len(society.agents)
    tails = tail_probabilities(n - 1, Fraction(society.prior))
    for weight in range(2, MOST_WEIGHT + 1):
        cured = tuple(
            k
            for k in range(1, n + weight + 1)
            if any(_tail(tails, k - b) < HALF < _tail(tails, k - b - weight) for b in (0, 1))
        )
        if cured:
            return Cure(weight, cured)
    return None


def tail_probabilities(n: int, prior: Fraction) -> list[Fraction]:
    """Return P(Bin(n, prior) >= m) for m from 0 to n."""
    a, b = prior.numerator, prior.denominator - prior.numerator
    ways = [comb(n, m) * a**m * b ** (n - m) for m in range(n + 1)]
    return [Fraction(x, prior.denominator**n) for x in accumulate(reversed(ways))][::-1]


def _tail(tails: Sequence[Fraction], m: int) -> Fraction:
    if m >= len(tails):
        return Fraction(0)
    return tails[max(m, 0)]


def _weigh_center(society: Society, weight: int) -> Society | None:
    """Return the society whose center counts so often; None where a weight means nothing."""
    if isinstance(society, NumberSociety):
        return replace(society, center_weight=weight)
    function = with_center_weight(society.function, weight)
    return None if function is None else replace(society, function=function)


def find_curing_weight(society: Society) -> int | None:
    """Return the smallest weight of the center's bit with which it matters, else None."""
    for weight in range(2, MOST_WEIGHT + 1):
        weighted = _weigh_center(society, weight)
        if weighted is None:
            return None
        # Between agents who are alike stakes differ by a factor only: one is enough.
        agents = [0] if society.by_count is not None else range(len(society.agents))
        if any(compute_stake(weighted, i).center_value > 0 for i in agents):
            return weight
    return None
