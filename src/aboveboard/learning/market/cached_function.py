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
class CachedFunction:
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
    cache
        Its answers so far.
    """

    place: str
    function: Callable[[Any], Any]
    width: int = 1
    spread: bool = False
    cache: dict[tuple[float, ...], tuple[float, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def evaluate(self, argument: tuple[float, ...]) -> tuple[float, ...]:
        """Return the numbers, from memory where they are cache.

        Raises
        ------
        InputError
            If the function fails, or gives other than `width` finite numbers.
        """
        if argument not in self.cache:
            if len(self.cache) >= MOST_KNOWN:
                self.cache.clear()
            self.cache[argument] = self._call(argument)
        return self.cache[argument]

    def _call(self, argument: tuple[float, ...]) -> tuple[float, ...]:
        one = self.width == 1
        wanted = "a finite number" if one else f"{self.width} finite numbers, one for each party"
        try:
            answer = self.function(argument[0] if self.spread else argument)
            several = answer if isinstance(answer, Iterable) else (answer,)
            numbers = tuple(float(x) for x in several)
        except (Exception, SystemExit) as error:
            raise InputError(
                self.place,
                f"it failed with {type(error).__name__}: {error} (qualities {argument})",
                f"let it take qualities and give {wanted}",
            ) from error
        if len(numbers) != self.width or not all(isfinite(x) for x in numbers):
            raise InputError(
                self.place,
                f"it gives {answer!r} for the qualities {argument}",
                f"let it give {wanted}",
            )
        return numbers


def apply_to_rows(function: CachedFunction, arguments: Array) -> Array:
    """Call a function of a tuple for each row, once for each different one; (.., k) to (.., w)."""
    count = prod(arguments.shape[:-1])
    rows = arguments.reshape(count, arguments.shape[-1]).tolist()
    values = np.array([function.evaluate(tuple(row)) for row in rows], dtype=np.float64)
    return values.reshape(*arguments.shape[:-1], function.width)
