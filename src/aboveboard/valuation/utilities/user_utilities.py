"""Utilities that the user gives: a value for each coalition, or a Python function of the levels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from math import inf
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.games.numbers import Array, Number, as_objects
from aboveboard.mechanisms.mechanism import Work
from aboveboard.mechanisms.user_calls import CallOutcome, call, call_named
from aboveboard.mechanisms.user_code import FunctionSource
from aboveboard.mechanisms.user_functions import import_function, locate_function, quiet
from aboveboard.valuation.evaluation.evaluations import EvaluationCache, map_unordered, name_cache
from aboveboard.valuation.levels import NOTHING, Level
from aboveboard.valuation.utilities.utilities import EXACT_VALUES, as_values, restrict_levels


class _WithoutTypes:
    """A utility of which nothing is known but its values: no users are alike, no closed form."""

    def group_users(self, levels: Sequence[Level]) -> None:
        """Return None: any two users may differ."""
        return

    def tabulate_states(
        self,
        members: Sequence[Sequence[int]],
        levels: Sequence[Level],
        counts: NDArray[np.int64],
    ) -> None:
        """Return None: there is no closed form."""
        return


@dataclass(frozen=True)
class TableUtility(_WithoutTypes):
    """A value for each coalition; a user is in (level 1 or more) or out (level 0).

    Parameters
    ----------
    values
        2^N values by bit mask in the order of the users.

    Raises
    ------
    ValueError
        If the number of values is not 2^N with N at least 1.

    Examples
    --------
    >>> utility = TableUtility(tuple(map(Fraction, (0, 2, 4, 8))))
    >>> utility.worth((1, 1)), utility.worth((0, 1))
    (Fraction(8, 1), Fraction(4, 1))
    """

    values: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        if len(self.values) < 2 or len(self.values) & (len(self.values) - 1):
            raise ValueError(
                f"there are {len(self.values)} values; 2^N are needed, one for each coalition"
            )

    KIND: ClassVar[str] = "table"

    @staticmethod
    def check_level(level: Level) -> Level:
        """Return the level as 0 or 1: any above 0 is to take part."""
        return Fraction(1) if level else NOTHING

    @staticmethod
    def list_levels() -> tuple[Level, ...]:
        """Take part or not."""
        return (Fraction(0), Fraction(1))

    def worth(self, levels: Sequence[Level]) -> Number:
        """Return the value of those who take part."""
        self._check_length(levels)
        return self.values[self._mask(levels)]

    def table(self, levels: Sequence[Level]) -> Array:
        """Return the value of every coalition of those who take part."""
        self._check_length(levels)
        exact = len(levels) <= EXACT_VALUES
        values = (
            as_objects(list(self.values)) if exact else np.array([float(v) for v in self.values])
        )
        present = self._mask(levels)
        there: Array = values[np.arange(len(values)) & present]
        return there

    def _check_length(self, levels: Sequence[Level]) -> None:
        if len(self.values) != 1 << len(levels):
            raise ValueError(
                f"{len(self.values)} values are those of {len(self.values).bit_length() - 1} "
                f"users, not of {len(levels)}"
            )

    @staticmethod
    def _mask(levels: Sequence[Level]) -> int:
        return sum(1 << i for i, x in enumerate(levels) if x)


@dataclass(frozen=True)
class FunctionUtility(_WithoutTypes):
    """Any Python function of the privacy levels, called once for each tuple of them.

    Parameters
    ----------
    name
        "module:function", for messages.
    function
        Takes a tuple of levels, one for each user (whole numbers as int, others as float, 0 for
        those who stay away) and gives a finite number.
    source
        Where it comes from; None for one that only this process knows, whose values are kept in
        memory only.
    work
        Where its calls are done, and what reports progress.
    values_by_levels
        What it has been called for.

    Examples
    --------
    >>> def earn(levels):
    ...     return sum(levels) ** 2
    >>> utility = FunctionUtility("earn", earn)
    >>> utility.worth((1, 2)), utility.table((1, 2)).tolist()
    (9, [0, 1, 4, 9])
    """

    name: str
    function: Callable[[tuple[float, ...]], object]
    source: FunctionSource | None = None
    work: Work = field(default_factory=Work, compare=False, repr=False)
    values_by_levels: EvaluationCache = field(
        default_factory=EvaluationCache, compare=False, repr=False
    )

    KIND: ClassVar[str] = "callable"

    @staticmethod
    def check_level(level: Level) -> Level:
        """Return the level: any will do."""
        return level

    @staticmethod
    def list_levels() -> tuple[Level, ...]:
        """Return level 0: staying away is on offer."""
        return (NOTHING,)

    def with_work(self, work: Work) -> FunctionUtility:
        """Return the same function, its calls done as `work` says; what is known stays known."""
        if work.cache is None:
            return replace(self, work=work)
        return replace(self.with_cache(work.cache), work=work)

    def with_cache(self, folder: Path | None) -> FunctionUtility:
        """Return the same function, its values kept in this folder; None: in memory only."""
        path = None
        if folder is not None and self.source is not None:
            path = name_cache(folder, self.source.name, self.source.code, self.source.reads)
        return replace(self, values_by_levels=EvaluationCache(path, self.values_by_levels.known))

    def worth(self, levels: Sequence[Level]) -> Number:
        """Call the function, once for these levels."""
        return self.evaluate([tuple(levels)])[0]

    def evaluate(self, several: Sequence[tuple[Level, ...]]) -> list[Number]:
        """Call the function for each of several tuples of levels that it is not known for.

        Raises
        ------
        InputError
            If it fails or gives no finite number; what it gave before is kept.
        """
        distinct = dict.fromkeys(several)
        missing = [levels for levels in distinct if levels not in self.values_by_levels]
        done = len(distinct) - len(missing)
        if missing:
            same: dict[tuple[float, ...], list[tuple[Level, ...]]] = {}
            for levels in missing:  # fractions may be equal as floats
                same.setdefault(_as_plain_numbers(levels), []).append(levels)
            with quiet:
                for each, outcome in map_unordered(self._make_task(), same, self.work.executor):
                    if outcome.value is None:
                        raise InputError(
                            f"function {self.name!r}",
                            f"{outcome.problem} (levels {each})",
                            "let it take a tuple of privacy levels and return a finite number",
                        )
                    for levels in same[each]:
                        self.values_by_levels.add(levels, outcome.value)
                        done += 1
                    if self.work.progress is not None:
                        self.work.progress(done, len(distinct))
        return [self.values_by_levels[levels] for levels in several]

    def table(self, levels: Sequence[Level]) -> Array:
        """Return U of every coalition: 2^k calls for k users above level 0."""
        present = sum(1 << i for i, x in enumerate(levels) if x)
        masks = range(1 << len(levels))
        values = self.evaluate([restrict_levels(levels, m & present) for m in masks])
        if len(levels) > EXACT_VALUES:
            return np.array([float(x) for x in values])
        return as_values(values)

    def _make_task(self) -> Callable[[tuple[float, ...]], CallOutcome]:
        if self.source is not None:
            return partial(call_named, self.source)
        return partial(call, self.function)


def _as_plain_numbers(levels: tuple[Level, ...]) -> tuple[float, ...]:
    return tuple(int(x) if x != inf and x == int(x) else float(x) for x in levels)


def load_function(name: str, reads: tuple[str, ...] = ()) -> FunctionUtility:
    """Find "module:function".

    Parameters
    ----------
    name
        The module, which may lie beside a collaboration file, and the function in it.
    reads
        SHA-256 of each data file that it reads.

    Raises
    ------
    InputError
        If it cannot be imported or is not callable.
    """
    source = locate_function(name, reads)
    return FunctionUtility(name, import_function(source), source)
