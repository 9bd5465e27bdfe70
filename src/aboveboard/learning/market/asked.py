"""A user's Python function of qualities: asked once for each, its answers checked and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import isfinite, prod
from typing import Any

import numpy as np

from aboveboard.errors import InputError
from aboveboard.games.numbers import Array

MOST_KNOWN = 10**6
"""Answers of a user's function that are remembered: some 200 MiB."""


@dataclass(frozen=True)
class Asked:
    """A user's function of a tuple of qualities, its answers checked and remembered.

    Parameters
    ----------
    place
        What it is, for messages.
    function
        Takes the tuple, or, where `spread`, the one quality in it.
    width
        How many numbers it must give.
    spread
        Whether it takes the one quality instead of a tuple.
    known
        Its answers so far.
    """

    place: str
    function: Callable[[Any], Any]
    width: int = 1
    spread: bool = False
    known: dict[tuple[float, ...], tuple[float, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def of(self, told: tuple[float, ...]) -> tuple[float, ...]:
        """Give the numbers, from memory where they are known.

        Raises
        ------
        InputError
            If the function fails, or gives other than `width` finite numbers.
        """
        if told not in self.known:
            if len(self.known) >= MOST_KNOWN:
                self.known.clear()
            self.known[told] = self._asked(told)
        return self.known[told]

    def _asked(self, told: tuple[float, ...]) -> tuple[float, ...]:
        one = self.width == 1
        wanted = "a finite number" if one else f"{self.width} finite numbers, one for each party"
        try:
            given = self.function(told[0] if self.spread else told)
            several = given if isinstance(given, Iterable) else (given,)
            numbers = tuple(float(x) for x in several)
        except Exception as error:
            raise InputError(
                self.place,
                f"it failed with {type(error).__name__}: {error} (qualities {told})",
                f"let it take qualities and give {wanted}",
            ) from error
        if len(numbers) != self.width or not all(isfinite(x) for x in numbers):
            raise InputError(
                self.place,
                f"it gives {given!r} for the qualities {told}",
                f"let it give {wanted}",
            )
        return numbers


def each_row(function: Asked, arguments: Array) -> Array:
    """Call a function of a tuple for each row, once for each different one; (.., k) to (.., w)."""
    count = prod(arguments.shape[:-1])
    rows = arguments.reshape(count, arguments.shape[-1]).tolist()
    values = np.array([function.of(tuple(row)) for row in rows], dtype=np.float64)
    return values.reshape(*arguments.shape[:-1], function.width)
