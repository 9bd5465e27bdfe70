"""Utilities that the user gives: a value for each coalition, or a Python function of the levels."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf
from typing import Any, ClassVar

import numpy as np

from aboveboard.errors import InputError
from aboveboard.numbers import Array, Number, number, objects
from aboveboard.valuation.levels import NOTHING, Level
from aboveboard.valuation.utilities import EXACT_VALUES, coalition


@dataclass(frozen=True)
class Table:
    """A value for each coalition; a user is in (level 1 or more) or out (level 0).

    Parameters
    ----------
    values
        2^N values by bit mask in the order of the users.
    """

    values: tuple[Fraction, ...]

    KIND: ClassVar[str] = "table"

    @staticmethod
    def checked(level: Level) -> Level:
        """Any level above 0 is to take part."""
        return Fraction(1) if level else NOTHING

    @staticmethod
    def offered() -> tuple[Level, ...]:
        """Take part or not."""
        return (Fraction(0), Fraction(1))

    def worth(self, levels: Sequence[Level]) -> Number:
        """Give the value of those who take part."""
        return self.values[self._mask(levels)]

    def table(self, levels: Sequence[Level]) -> Array:
        """Give the value of every coalition of those who take part."""
        exact = len(levels) <= EXACT_VALUES
        values = objects(list(self.values)) if exact else np.array([float(v) for v in self.values])
        present = self._mask(levels)
        there: Array = values[np.arange(len(values)) & present]
        return there

    def grouped(self, levels: Sequence[Level]) -> None:
        """Any two users may differ."""
        return

    @staticmethod
    def _mask(levels: Sequence[Level]) -> int:
        return sum(1 << i for i, x in enumerate(levels) if x)


@dataclass(frozen=True)
class Called:
    """Any Python function of the privacy levels.

    Parameters
    ----------
    name
        "module:function", for messages.
    function
        Takes a tuple of levels, one for each user (whole numbers as int, others as float, 0 for
        those who stay away) and gives a finite number. It is called once for each tuple.
    """

    name: str
    function: Callable[[tuple[float, ...]], Any]
    known: dict[tuple[Level, ...], Number] = field(default_factory=dict, compare=False, repr=False)

    KIND: ClassVar[str] = "callable"

    @staticmethod
    def checked(level: Level) -> Level:
        """Any level will do."""
        return level

    @staticmethod
    def offered() -> tuple[Level, ...]:
        """Staying away is on offer."""
        return (NOTHING,)

    def worth(self, levels: Sequence[Level]) -> Number:
        """Call the function, once for these levels."""
        key = tuple(levels)
        if key not in self.known:
            self.known[key] = self._called(key)
        return self.known[key]

    def table(self, levels: Sequence[Level]) -> Array:
        """Give U of every coalition: 2^k calls for k users above level 0."""
        present = sum(1 << i for i, x in enumerate(levels) if x)
        values = [self.worth(coalition(levels, m & present)) for m in range(1 << len(levels))]
        if any(isinstance(x, float) for x in values) or len(levels) > EXACT_VALUES:
            return np.array([float(x) for x in values])
        return objects(values)

    def grouped(self, levels: Sequence[Level]) -> None:
        """Any two users may differ."""
        return

    def _called(self, levels: tuple[Level, ...]) -> Number:
        place = f"function {self.name!r}"
        told = tuple(int(x) if x != inf and x == int(x) else float(x) for x in levels)
        try:
            value = self.function(told)
        except Exception as error:
            raise InputError(
                place,
                f"it failed with {type(error).__name__}: {error} (levels {told})",
                "it takes a tuple of privacy levels and returns a finite number",
            ) from error
        try:
            return number(value)
        except ValueError:
            raise InputError(
                place, f"it gives {value!r} for the levels {told}", "a utility is a finite number"
            ) from None


def function_named(name: str) -> Called:
    """Find "module:function".

    Raises
    ------
    InputError
        If it cannot be imported or is not callable.
    """
    place = f"function {name!r}"
    module, _, attribute = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise InputError(place, str(error), 'name it as "module:function", importable') from error
    if not callable(found):
        raise InputError(place, "it cannot be called", "name a function of the privacy levels")
    return Called(name, found)
