"""A utility in money: every value times what one unit is worth.

Shapley values are linear, so that shares, payments and offers are in money then, and exact where
they were exact. What levels cost the users is stated in the same money.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.games.numbers import Array, Number
from aboveboard.mechanisms.mechanism import Work
from aboveboard.valuation.levels import Level
from aboveboard.valuation.shares.orders import OrderWalker
from aboveboard.valuation.utilities.user_utilities import FunctionUtility
from aboveboard.valuation.utilities.utilities import BatchUtility, UserTypes, Utility


@dataclass(frozen=True)
class PricedUtility:
    """What a utility is worth in money.

    Parameters
    ----------
    utility
        In units of its own.
    price
        Money for one unit; more than 0.

    Examples
    --------
    >>> from math import inf
    >>> from aboveboard.valuation.utilities.utilities import DpMean
    >>> price_utility(DpMean(), Fraction(30)).worth((inf, 0))
    Fraction(20, 1)
    """

    utility: Any
    price: Fraction

    KIND: ClassVar[str] = "priced"

    def check_level(self, level: Level) -> Level:
        """Return the level as the utility understands it."""
        checked: Level = self.utility.check_level(level)
        return checked

    def list_levels(self) -> tuple[Level, ...]:
        """Return the levels that are always on offer."""
        levels: tuple[Level, ...] = self.utility.list_levels()
        return levels

    def with_work(self, work: Work) -> PricedUtility:
        """Return the same, the calls of a function done as `work` says."""
        if not isinstance(self.utility, FunctionUtility):
            return self
        return replace(self, utility=self.utility.with_work(work))

    def worth(self, levels: Sequence[Level]) -> Number:
        """Return U of these levels."""
        return self._price(self.utility.worth(levels))

    def table(self, levels: Sequence[Level]) -> Array:
        """Return U of every coalition at these levels.

        Raises
        ------
        InputError
            If the table stands in a file.
        """
        table = self.utility.table(levels)
        if isinstance(table, np.memmap):
            problem = "a table that stands in a file is read where it stands, in its own unit"
            raise InputError("price_per_unit", problem, "write the file in money, and leave it out")
        return self._price_all(table)

    def group_users(self, levels: Sequence[Level]) -> UserTypes | None:
        """Sort the users into types; None if any two may differ."""
        types: UserTypes | None = self.utility.group_users(levels)
        if types is None:
            return None
        worth, exact, price = types.worth, types.exact, float(self.price)
        return replace(
            types,
            worth=lambda counts: worth(counts) * price,
            exact=None if exact is None else lambda counts: exact(counts) * self.price,
        )

    def tabulate_states(
        self,
        members: Sequence[Sequence[int]],
        levels: Sequence[Level],
        counts: NDArray[np.int64],
    ) -> NDArray[np.float64] | None:
        """Return U of many states at once; None where there is no closed form."""
        states: NDArray[np.float64] | None = self.utility.tabulate_states(members, levels, counts)
        return None if states is None else states * float(self.price)

    def _price(self, value: Number) -> Number:
        priced: Number = value * (float(self.price) if isinstance(value, float) else self.price)
        return priced

    def _price_all(self, values: Array) -> Array:
        exact = values.dtype == np.object_
        if values.dtype.kind == "i":
            values, exact = values.astype(np.object_), True
        priced: Array = values * (self.price if exact else float(self.price))
        return priced


class _PricedBatches(PricedUtility):
    def evaluate(self, several: Sequence[tuple[Level, ...]]) -> Sequence[Number]:
        """Return U of several tuples of levels."""
        return [self._price(value) for value in self.utility.evaluate(several)]


class _PricedWalks(PricedUtility):
    def walk_orders(
        self, levels: Sequence[Level], orders: NDArray[np.int64], credit: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Add up over orders of arrival what each user adds."""
        walked: NDArray[np.float64] = self.utility.walk_orders(levels, orders, credit)
        return walked * float(self.price)


def price_utility(utility: Utility, price: Fraction) -> Utility:
    """Return a utility in money, which does all at once what the utility does all at once."""
    made: type[PricedUtility] = PricedUtility
    if isinstance(utility, BatchUtility):
        made = _PricedBatches
    elif isinstance(utility, OrderWalker):
        made = _PricedWalks
    priced: Any = made(utility, price)  # its levels are those of an object, not of a class
    return cast("Utility", priced)
