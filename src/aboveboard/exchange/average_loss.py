"""What it costs to be away from the average: a power of a distance, by any of three norms.

Joining is a best reply where all others join, for every norm and power p, up to exclusivity
(n - 1)^p: by leaving, party i moves the others' average by |x_i - a|/(n - 1), in any norm
(docs/theory.md, average point).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Literal

from aboveboard.exchange.exact_powers import raise_to
from aboveboard.exchange.participation import Present
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
    """The benefits of many coalitions, one after the other.

    Parameters
    ----------
    points
        What each party holds.
    loss
        What an average that is off the target costs.
    """

    points: Sequence[Point]
    loss: Loss

    @property
    def unit(self) -> Fraction:
        """What one unit of a benefit is worth."""
        return Fraction(1)

    def __call__(self, present: Present) -> Array:
        """Return the benefits of m coalitions, shape (m, n), as fractions."""
        target = compute_mean(self.points)
        own = [self.loss.compute(x, target) for x in self.points]
        rows: list[Fraction] = []
        for here in present.tolist():
            joined = [x for x, p in zip(self.points, here, strict=True) if p]
            error = self.loss.compute(compute_mean(joined), target) if joined else Fraction(0)
            rows += [o - error if p else Fraction(0) for o, p in zip(own, here, strict=True)]
        return as_objects(rows).reshape(present.shape)
