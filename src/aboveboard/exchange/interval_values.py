"""What an interval is worth by its length, and Mechanism 3 for values that do not rise with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.exchange.exact_powers import raise_to
from aboveboard.exchange.mechanism import as_fraction
from aboveboard.exchange.participation import Present, scale_to_integers
from aboveboard.games.numbers import Array
from aboveboard.mechanisms.user_functions import find_function

Interval = tuple[Fraction, Fraction]

HALVINGS = 60
"""How often the range in which a new interval's length lies is halved."""


@dataclass(frozen=True)
class LengthValue:
    """What an interval of some length is worth.

    Parameters
    ----------
    power
        The value is the length to this power, negative.
    function
        Instead: a user's function, "module:function", of a length; longer is worth no more.

    Examples
    --------
    >>> LengthValue(Fraction(2)).compute(Fraction(3))
    Fraction(-9, 1)
    """

    power: Fraction = Fraction(1)
    function: str | None = None
    _known: dict[Fraction, Fraction] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_length(self) -> bool:
        """Whether a unit of length is worth the same everywhere."""
        return self.power == 1 and self.function is None

    @property
    def is_concave(self) -> bool:
        """Whether it is known that a unit of length costs no less the longer the interval is."""
        return self.power >= 1 and self.function is None

    def compute(self, length: Fraction) -> Fraction:
        """Return the value of a length.

        Raises
        ------
        InputError
            If a user's function fails, or returns no finite number.
        """
        if self.function is None:
            return -raise_to(length, self.power)
        if length not in self._known:
            self._known[length] = self._call(self.function, length)
        return self._known[length]

    def _call(self, function: str, length: Fraction) -> Fraction:
        place = "function"
        found = find_function(function, place)
        try:
            return as_fraction(found(length))
        except Exception as error:
            raise InputError(
                place,
                f"{function} failed on length {length} with {type(error).__name__}: {error}",
                "it takes a length and returns a finite number that does not rise with it",
            ) from error

    def check_order(self, lengths: Sequence[Fraction]) -> None:
        """Raise `InputError` if a longer one of these lengths is worth more."""
        for shorter, longer in zip(sorted(lengths), sorted(lengths)[1:], strict=False):
            if self.compute(shorter) < self.compute(longer):
                raise InputError(
                    "function",
                    f"length {longer} is worth more than length {shorter}",
                    "a longer interval must not be worth more",
                )

    def find_length(self, value: Fraction, shortest: Fraction, longest: Fraction) -> Fraction:
        """Return a length between two that is worth this much: as near as can be, but no more."""
        if self.is_length:
            return -value
        if self.compute(shortest) <= value:
            return shortest
        low, high = shortest, longest
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if self.compute(middle) > value:
                low = middle
            else:
                high = middle
        return high


def narrow_by_value(
    intervals: Sequence[Interval | None], value: LengthValue
) -> tuple[list[Interval | None], list[Fraction]]:
    """Return each party's new interval and its benefit, by Mechanism 3 for any value.

    Parameters
    ----------
    intervals
        By party; None for one that stays away.
    value
        What lengths are worth.

    Returns
    -------
    tuple
        New intervals, and benefits: the two parties that bound the intersection gain equally. Where
        no length is worth exactly that much, the new interval is the nearest that is worth no more.

    Examples
    --------
    >>> known = [(Fraction(0), Fraction(10)), (Fraction(4), Fraction(16))]
    >>> new, gains = narrow_by_value(known, LengthValue(Fraction(2)))
    >>> [str(gain) for gain in gains], new[0] == (4, 10)
    (['64', '64'], True)
    """
    present = [x for x in intervals if x is not None]
    nothing = [Fraction(0)] * len(intervals)
    if not present:
        return list(intervals), nothing
    left = max(present, key=lambda x: (x[0], -x[1]))
    right = min(present, key=lambda x: (x[1], -x[0]))
    if left == right:
        return list(intervals), nothing
    length = right[1] - left[0]
    best = value.compute(length)
    lengths = {end: end[1] - end[0] for end in (left, right)}
    gain = min(best - value.compute(own) for own in lengths.values())
    new: dict[Interval, Interval] = {}
    for end, own in lengths.items():
        short = value.find_length(value.compute(own) + gain, length, own)
        new[end] = (end[0], end[0] + short) if end == left else (end[1] - short, end[1])
    return (
        [None if x is None else new.get(x, x) for x in intervals],
        [gain if x in new else Fraction(0) for x in intervals],
    )


@dataclass(frozen=True)
class ValueBenefits:
    """The benefits of many coalitions at once, in whole units: one number for each pair of ends.

    Parameters
    ----------
    intervals
        What each party holds.
    value
        What an interval of some length is worth.
    """

    intervals: Sequence[Interval]
    value: LengthValue

    @cached_property
    def _gains(self) -> tuple[Array, Fraction]:
        worth = [self.value.compute(b - a) for a, b in self.intervals]
        rows = []
        for i, (start, _) in enumerate(self.intervals):
            best = [self.value.compute(end - start) for _, end in self.intervals]
            rows.append([best[k] - max(worth[i], worth[k]) for k in range(len(worth))])
        return scale_to_integers(rows)

    @property
    def unit(self) -> Fraction:
        """What one unit of a benefit is worth."""
        return self._gains[1]

    @cached_property
    def _ranks(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        some = list(self.intervals)
        starts = sorted(range(len(some)), key=lambda i: (some[i][0], -some[i][1]))
        ends = sorted(range(len(some)), key=lambda i: (-some[i][1], some[i][0]))
        return np.array(starts), np.array(ends), np.array([some.index(x) for x in some])

    def __call__(self, present: Present) -> Array:
        """Return the benefits of m coalitions, shape (m, n)."""
        starts, ends, same = self._ranks
        left = starts[::-1][np.argmax(present[:, starts[::-1]], axis=1)]
        right = ends[::-1][np.argmax(present[:, ends[::-1]], axis=1)]
        at_ends = (same[None, :] == same[left][:, None]) | (same[None, :] == same[right][:, None])
        gains = self._gains[0][left, right]
        exchange = present & at_ends & (same[left] != same[right])[:, None]
        both: Array = np.where(exchange, gains[:, None], 0)
        return both
