"""What it costs to be away from the average: a power of a distance, by any of three norms.

Joining is a best reply where all others join, for every norm and power p, up to exclusivity
(n - 1)^p: by leaving, party i moves the others' average by |x_i - a|/(n - 1), in any norm
(docs/theory.md, average point).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import ClassVar, Literal

import numpy as np

from aboveboard.exchange.exact_powers import raise_to
from aboveboard.exchange.participation import Present
from aboveboard.games.actions import Codes
from aboveboard.games.numbers import Array, as_objects

Point = tuple[Fraction, ...]
Metric = Literal["euclidean", "manhattan", "maximum"]

LARGEST_DENOMINATOR = 6
"""Largest denominator of a power: `exact_powers` still takes half of the power."""


def compute_mean(points: Sequence[Point]) -> Point:
    """Return the average point, exact.

    Examples
    --------
    >>> [str(x) for x in compute_mean([(Fraction(1),), (Fraction(2),)])]
    ['3/2']
    """
    return tuple(_average(xs) for xs in zip(*points, strict=True))


def _average(numbers: Sequence[Fraction]) -> Fraction:
    """Return the average: one fraction is reduced, and not one for each number."""
    denominator = lcm(*(x.denominator for x in numbers))
    total = sum(x.numerator * (denominator // x.denominator) for x in numbers)
    return Fraction(total, denominator * len(numbers))


def find_offsets(points: Sequence[Point]) -> tuple[Array, int]:
    """Return each point minus the average of all, shape (n, d), as integers over a denominator."""
    target = compute_mean(points)
    offsets = [[x - a for x, a in zip(p, target, strict=True)] for p in points]
    denominator = lcm(*(x.denominator for row in offsets for x in row))
    whole = [int(x * denominator) for row in offsets for x in row]
    return as_objects(whole).reshape(len(points), -1), denominator


@dataclass(frozen=True)
class Loss:
    """The distance from the average, to a power.

    Parameters
    ----------
    power
        p, above 0.
    metric
        How distances are measured.

    Examples
    --------
    >>> origin, point = (Fraction(0), Fraction(0)), (Fraction(3), Fraction(4))
    >>> [int(Loss(Fraction(1), m).compute(origin, point)) for m in ("euclidean", "manhattan")]
    [5, 7]
    """

    power: Fraction = Fraction(2)
    metric: Metric = "euclidean"

    @property
    def is_square(self) -> bool:
        """Whether it is the squared Euclidean distance, as in the paper."""
        return self.power == 2 and self.metric == "euclidean"

    def compute(self, x: Point, y: Point) -> Fraction:
        """Return the loss between two points: exact where it is a fraction, else to 40 digits."""
        gaps = [abs(a - b) for a, b in zip(x, y, strict=True)]
        if self.metric == "euclidean":
            return raise_to(sum((gap**2 for gap in gaps), Fraction(0)), self.power / 2)
        size = max(gaps) if self.metric == "maximum" else sum(gaps, Fraction(0))
        return raise_to(size, self.power)

    def find_highest_exclusivity(self, n: int) -> Fraction:
        """Return (n - 1)^p: up to here joining is a best reply where all others join."""
        return raise_to(Fraction(n - 1), self.power)


@dataclass(frozen=True)
class LossBenefits:
    """The benefits of many coalitions: each needs one loss, that of its average.

    Parameters
    ----------
    points
        What each party holds.
    loss
        What an average that is off the target costs.
    """

    points: Sequence[Point]
    loss: Loss
    are_cheap: ClassVar[bool] = False

    @property
    def unit(self) -> Fraction:
        """What one unit of a benefit is worth."""
        return Fraction(1)

    @cached_property
    def _offsets(self) -> tuple[Array, int]:
        return find_offsets(self.points)

    @cached_property
    def own(self) -> Array:
        """What each party's own point loses."""
        target = compute_mean(self.points)
        return as_objects([self.loss.compute(x, target) for x in self.points])

    def compute_errors(self, present: Present) -> Array:
        """Return what the averages of m coalitions lose, shape (m,); 0 where nobody takes part."""
        different, of_each = np.unique(present, axis=0, return_inverse=True)
        return self._compute_different(different)[of_each.reshape(-1)]

    def _compute_different(self, present: Present) -> Array:
        offsets, denominator = self._offsets
        sums, sizes = present.astype(object) @ offsets, present.sum(axis=1).tolist()
        target = (Fraction(0),) * offsets.shape[1]
        means = [
            tuple(Fraction(x, denominator * max(1, size)) for x in row)
            for row, size in zip(sums.tolist(), sizes, strict=True)
        ]
        return as_objects([self.loss.compute(mean, target) for mean in means])

    def __call__(self, present: Present) -> Array:
        """Return the benefits of m coalitions, shape (m, n), as fractions."""
        errors = self.compute_errors(present)
        benefits: Array = np.where(present, self.own[None, :] - errors[:, None], 0)
        return benefits

    def value_entries(self, present: Present, rows: Codes, players: Codes) -> tuple[Array, Array]:
        """Return a party's benefit and its best rival's in one coalition each, shape (k,)."""
        return value_entries(self.own, self.compute_errors(present), present, rows, players)


def value_entries(
    own: Array, errors: Array, present: Present, rows: Codes, players: Codes
) -> tuple[Array, Array]:
    """Return benefits of single parties, and of their best rivals, in one coalition each.

    In every coalition the points that are further away gain more.

    Parameters
    ----------
    own
        What each party's own point loses, shape (n,), as objects.
    errors
        What each coalition's average loses, shape (m,), as objects.
    present
        Who takes part, shape (m, n).
    rows, players
        Which coalitions and which parties, shape (k,).
    """
    n, sizes = present.shape[1], present.sum(axis=1)
    order = np.array(sorted(range(n), key=lambda i: -own[i]))
    first = order[np.argmax(present[:, order], axis=1)]
    others = present.copy()
    others[np.arange(len(present)), first] = False
    second = order[np.argmax(others[:, order], axis=1)]
    rival = np.where(first[rows] == players, second[rows], first[rows])
    left = sizes[rows] - present[rows, players]  # rivals that take part
    benefits = np.where(present[rows, players], own[players] - errors[rows], 0)
    best = np.where(left > 0, own[rival] - errors[rows], 0)
    # Those who stay away have benefit 0.
    some_away = left < n - 1
    return benefits, np.where(some_away & (best < 0), 0, best)
