"""The growth market of two parties on a grid too large for a table: columns as they are asked for.

Whether payments sum to a loss anywhere is decided by one column, that of the smallest size, as
`growth_boundary` says: on every grid that was gone through whole the first loss lies there; that it
always does is not proved. A loss that is found is proved by its chain. What two parties pay at
their sizes takes two columns. Cost: O(N log^2 N) a column, 0.7 s for 10^6 sizes on one core.
Source: "Mechanism Design for Multi-Party Machine Learning", section 6.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, overload

import numpy as np

from aboveboard.errors import InputError
from aboveboard.games.numbers import FloatArray, Number
from aboveboard.learning.desirable.growth_boundary import TOLERANCE
from aboveboard.learning.desirable.growth_market import MarketColumn

KEPT_COLUMNS = 4
"""Columns kept: a run needs two, and its check of single lies the same two."""


@dataclass(frozen=True)
class EvenSizes(Sequence[Number]):
    """The sizes first, first + step, ..: as a tuple would hold them, without the memory.

    Parameters
    ----------
    step
        The distance of two sizes.
    smallest
        0 or 1 step.
    number
        How many there are.
    """

    step: Fraction
    smallest: int
    number: int

    def __len__(self) -> int:
        return self.number

    @overload
    def __getitem__(self, index: int) -> Number: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Number, ...]: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return tuple(self[k] for k in range(*index.indices(self.number)))
        if not -self.number <= index < self.number:
            raise IndexError(index)
        return self.step * (self.smallest + index % self.number)

    def __iter__(self) -> Iterator[Number]:
        return (self.step * (self.smallest + k) for k in range(self.number))

    def as_floats(self) -> FloatArray:
        """Return all sizes as an array."""
        steps = np.arange(self.smallest, self.smallest + self.number, dtype=np.float64)
        return np.asarray(steps * float(self.step))


@dataclass
class ColumnPayments:
    """One party's largest payments at all profiles, in units of step^(alpha + 1), when asked.

    Parameters
    ----------
    alpha
        Market growth rate.
    count
        Sizes on the grid.
    smallest
        0 or 1 step.
    party
        Whose payments: it stands first or second in a profile.
    """

    alpha: float
    count: int
    smallest: int
    party: int
    _columns: dict[int, MarketColumn] = field(default_factory=dict, init=False, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """As of the table that this stands for."""
        return self.count, self.count

    @property
    def size(self) -> int:
        """How many payments there are."""
        return self.count * self.count

    def __getitem__(self, index: tuple[Any, ...]) -> Any:
        own, other = index[self.party], index[1 - self.party]
        if isinstance(own, slice):
            columns = range(*other.indices(self.count))
            top = own.indices(self.count)[1]
            table = np.array([self._get_column(k, top)[:top] for k in columns])
            return table.T if self.party == 0 else table
        return self._get_column(other, own + 1)[own]

    def find_column(self, other: int, count: int) -> MarketColumn:
        """Return the column of the other party's position, with so many sizes at least."""
        kept = self._columns.pop(other, None)
        if kept is None or len(kept.payments) < count:
            kept = MarketColumn(self.alpha, other + self.smallest, self.smallest)
            kept.extend(count)
        self._columns[other] = kept
        while len(self._columns) > KEPT_COLUMNS:
            del self._columns[next(iter(self._columns))]
        return kept

    def _get_column(self, other: int, count: int) -> FloatArray:
        # Sharing nothing is efficient where the market shrinks with quality, and free.
        return np.zeros(count) if self.alpha < -1 else self.find_column(other, count).payments


def find_loss(alpha: Fraction, count: int, smallest: int) -> tuple[int, int] | None:
    """Return the first profile whose payments sum to a loss, by positions; None if there is none.

    Parameters
    ----------
    alpha
        Market growth rate.
    count
        Sizes on the grid.
    smallest
        0 or 1 step.
    """
    if alpha < -1 or alpha >= 0:
        return None
    column = MarketColumn(float(alpha), smallest, smallest)
    position = column.extend(count, tolerance=TOLERANCE)
    return None if position is None else (0, position)


def find_smallest_sum(payments: Sequence[ColumnPayments]) -> float:
    """Return the smallest sum of payments where one party has the smallest size.

    What that party pays is bound by staying away alone: it has no lie.

    Raises
    ------
    InputError
        If values on the grid are too large for float64.
    """
    one = payments[0]
    if one.alpha < -1:
        return 0.0
    own = one.find_column(0, one.count).payments
    sizes = np.arange(one.smallest, one.smallest + one.count, dtype=np.float64)
    total = sizes + one.smallest
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        worth = np.where(total > 0, total * (2 * total) ** one.alpha, 0.0)
        alone = np.where(total > 0, one.smallest * total**one.alpha, 0.0)
    if not np.isfinite(own).all():
        raise InputError(
            "valuation", "values on this grid are too large for float64", "take a smaller max"
        )
    return float((own + worth - alone).min())
