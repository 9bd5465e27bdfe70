"""What the platform gains from data at given privacy levels: one protocol, and closed forms.

`dp-mean` (Example 1) and `federated-mean` (section 4) are here, `table` and `callable` in
`user_utilities`. A mechanism asks a `Utility` for what it needs and never which one it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import Array, Number, as_objects
from aboveboard.valuation.levels import NOTHING, Level, as_floats, encode_level
from aboveboard.valuation.shares.multilinear import Worth
from aboveboard.valuation.utilities import dp_mean, federated_mean
from aboveboard.valuation.utilities.federated_mean import Population

EXACT_USERS = 10
"""Users up to which tables of fractions are made and divided exactly."""
EXACT_VALUES = 16
"""The same where the values are given, not computed."""


@dataclass(frozen=True)
class UserTypes:
    """Users who are interchangeable, by type; those whose data are never used have none.

    Parameters
    ----------
    sizes
        How many users each type has.
    type_of
        The type of each user, None for one who adds nothing to any coalition.
    worth
        U of many states: from (m, types) numbers of users who take part to (m,).
    exact
        U of one state as a fraction; None where U is not a fraction.

    Examples
    --------
    >>> from math import inf
    >>> types = DpMean().group_users([inf, Fraction(1), inf, 0])
    >>> types.sizes, types.type_of, types.exact((2, 0))
    ((2, 1), (0, 1, 0, None), Fraction(3, 4))
    """

    sizes: tuple[int, ...]
    type_of: tuple[int | None, ...]
    worth: Worth
    exact: Callable[[tuple[int, ...]], Fraction] | None = None


class Utility(Protocol):
    """What the platform gains, as far as a mechanism must know it."""

    KIND: ClassVar[str]

    @staticmethod
    def check_level(level: Level) -> Level:
        """Return the level as this utility understands it; ValueError if it does not."""
        ...

    @staticmethod
    def list_levels() -> tuple[Level, ...]:
        """Return the levels that are always on offer."""
        ...

    def worth(self, levels: Sequence[Level]) -> Number:
        """Return U of these levels, one for each user; 0 for those who stay away."""
        ...

    def table(self, levels: Sequence[Level]) -> Array:
        """Return U of every coalition at these levels, shape (2^N,): floats or exact objects."""
        ...

    def group_users(self, levels: Sequence[Level]) -> UserTypes | None:
        """Sort the users into types; None if any two may differ."""
        ...

    def tabulate_states(
        self,
        members: Sequence[Sequence[int]],
        levels: Sequence[Level],
        counts: NDArray[np.int64],
    ) -> NDArray[np.float64] | None:
        """Return U of many states at once, shape (states,); None where there is no closed form.

        `members` are the users of each type, alike at equal levels; `counts`, shape (states, types,
        levels), says how many of each type are at each of the `levels`, all above 0.
        """
        ...


@runtime_checkable
class BatchUtility(Protocol):
    """A utility that evaluates many levels at once, because each takes long."""

    def evaluate(self, several: Sequence[tuple[Level, ...]]) -> Sequence[Number]:
        """Return U of several tuples of levels."""
        ...


def restrict_levels(levels: Sequence[Level], mask: int) -> tuple[Level, ...]:
    """Return the levels if only the users in `mask` take part."""
    return tuple(x if mask >> i & 1 else NOTHING for i, x in enumerate(levels))


def sort_into_types(keys: Sequence[Any]) -> tuple[list[Any], list[int], list[int | None]]:
    """Return the distinct keys in order, their numbers, and the type of each user."""
    position: dict[Any, int] = {}
    sizes: list[int] = []
    type_of: list[int | None] = []
    for key in keys:
        if key is None:
            type_of.append(None)
            continue
        t = position.setdefault(key, len(position))
        if t == len(sizes):
            sizes.append(0)
        sizes[t] += 1
        type_of.append(t)
    return list(position), sizes, type_of


@dataclass(frozen=True)
class DpMean:
    """The mean of bounded data under differential privacy; see `dp_mean`.

    Examples
    --------
    >>> from math import inf
    >>> DpMean().worth((inf, inf)), DpMean().worth((inf, 0))
    (Fraction(1, 1), Fraction(2, 3))
    """

    KIND: ClassVar[str] = "dp-mean"

    @staticmethod
    def check_level(level: Level) -> Level:
        """Return the level: any will do."""
        return level

    @staticmethod
    def list_levels() -> tuple[Level, ...]:
        """Return level 0: staying away is on offer."""
        return (NOTHING,)

    def worth(self, levels: Sequence[Level]) -> Number:
        """Return U exactly."""
        return dp_mean.utility(levels)

    def table(self, levels: Sequence[Level]) -> Array:
        """Return U of every coalition: exact for few users."""
        n = len(levels)
        if n <= EXACT_USERS:
            known: dict[tuple[Level, ...], Number] = {}
            return as_objects(
                [_evaluate_once(known, restrict_levels(levels, m)) for m in range(1 << n)]
            )
        return dp_mean.tabulate(as_floats(levels))

    def group_users(self, levels: Sequence[Level]) -> UserTypes:
        """Return the types: users of equal level are alike."""
        n = len(levels)
        keys, sizes, type_of = sort_into_types([x or None for x in levels])
        epsilons = as_floats(keys)

        def exact(counts: tuple[int, ...]) -> Fraction:
            present = [x for x, k in zip(keys, counts, strict=True) for _ in range(k)]
            return Fraction(dp_mean.utility([*present, *[NOTHING] * (n - len(present))]))

        return UserTypes(
            tuple(sizes),
            tuple(type_of),
            lambda counts: dp_mean.tabulate_counts(epsilons, n, counts),
            exact,
        )

    def tabulate_states(
        self,
        members: Sequence[Sequence[int]],
        levels: Sequence[Level],
        counts: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return U of many states at once; all users are of one kind."""
        users = sum(map(len, members))
        return dp_mean.tabulate_counts(as_floats(levels), users, counts.sum(axis=1))

    def walk_orders(
        self, levels: Sequence[Level], orders: NDArray[np.int64], credit: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Add up over orders of arrival what each user adds; see `orders`."""
        return dp_mean.walk_orders(as_floats(levels), orders, credit)


def _evaluate_once(known: dict[tuple[Level, ...], Number], levels: tuple[Level, ...]) -> Number:
    """Return U; it does not depend on who has which level, so each multiset is valued once."""
    key = tuple(sorted(levels))
    if key not in known:
        known[key] = dp_mean.utility(key)
    return known[key]


@dataclass(frozen=True)
class FederatedMean:
    """Each user's own mean from shared data; see `federated_mean`.

    Parameters
    ----------
    population
        s2 and t2.
    samples, weights
        By user: how many samples it has, and how much the platform cares about it.

    Raises
    ------
    ValueError
        If there are not as many weights as numbers of samples, or one is out of its range.

    Examples
    --------
    >>> from aboveboard.valuation.utilities.federated_mean import Population
    >>> population = Population(Fraction(1), Fraction(4))
    >>> utility = FederatedMean(population, (Fraction(4),) * 2, (Fraction(1),) * 2)
    >>> utility.worth((2, 2)), utility.worth((1, 1)), utility.worth((0, 0))
    (4.1588830833596715, 3.58351893845611, 0.0)
    """

    population: Population
    samples: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        if len(self.samples) != len(self.weights):
            raise ValueError(
                f"there are {len(self.samples)} numbers of samples and {len(self.weights)} weights"
            )
        if not all(n > 0 for n in self.samples) or not all(w >= 0 for w in self.weights):
            raise ValueError("numbers of samples are more than 0, and weights 0 or more")

    KIND: ClassVar[str] = "federated-mean"

    @staticmethod
    def check_level(level: Level) -> Level:
        """Return 0, 1 or 2; no restriction ("inf") is 2.

        Raises
        ------
        ValueError
            If the level is another.
        """
        if level == inf:
            return Fraction(2)
        if level not in (0, 1, 2):
            raise ValueError(
                f"level is {encode_level(level)}; it is 0 (nothing), 1 (federated) or 2 (direct)"
            )
        return level

    @staticmethod
    def list_levels() -> tuple[Level, ...]:
        """Return all three levels."""
        return (Fraction(0), Fraction(1), Fraction(2))

    def worth(self, levels: Sequence[Level]) -> float:
        """Return U of these levels."""
        whole = [int(x) for x in levels]
        return federated_mean.utility(self.population, whole, self.samples, self.weights)

    def table(self, levels: Sequence[Level]) -> Array:
        """Return U of every coalition."""
        return federated_mean.tabulate(
            self.population,
            np.array([int(x) for x in levels], dtype=np.int64),
            as_floats(self.samples),
            as_floats(self.weights),
        )

    def group_users(self, levels: Sequence[Level]) -> UserTypes:
        """Return the types: users of equal level, samples and weight are alike."""
        each = list(zip(levels, self.samples, self.weights, strict=True))
        keys, sizes, type_of = sort_into_types([key if key[0] else None for key in each])
        types = federated_mean.Types(
            np.array(sizes, dtype=np.int64),
            np.array([int(key[0]) for key in keys], dtype=np.int64),
            as_floats([key[1] for key in keys]),
            as_floats([key[2] for key in keys]),
            float(sum(weight for level, _, weight in each if not level)),
        )
        return UserTypes(
            tuple(sizes),
            tuple(type_of),
            lambda counts: federated_mean.tabulate_counts(self.population, types, counts),
        )

    def tabulate_states(
        self,
        members: Sequence[Sequence[int]],
        levels: Sequence[Level],
        counts: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return U of many states at once; users of a type have equal samples and weights."""
        # A row for each type and level; those who are at no level of it count as silent once.
        sizes = np.zeros((len(members), len(levels)), dtype=np.int64)
        sizes[:, 0] = [len(users) for users in members]
        first = [users[0] for users in members for _ in levels]
        types = federated_mean.Types(
            sizes.ravel(),
            np.array([int(x) for _ in members for x in levels], dtype=np.int64),
            as_floats([self.samples[i] for i in first]),
            as_floats([self.weights[i] for i in first]),
        )
        flat = np.ascontiguousarray(counts.reshape(len(counts), -1))
        return federated_mean.tabulate_counts(self.population, types, flat)

    def walk_orders(
        self, levels: Sequence[Level], orders: NDArray[np.int64], credit: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Add up over orders of arrival what each user adds; see `orders`."""
        return federated_mean.walk_orders(
            self.population,
            np.array([int(x) for x in levels], dtype=np.int64),
            as_floats(self.samples),
            as_floats(self.weights),
            orders,
            credit,
        )


def evaluate_all(utility: Utility, several: Sequence[tuple[Level, ...]]) -> Sequence[Number]:
    """Return U of several tuples of levels, all at once where the utility takes long."""
    if isinstance(utility, BatchUtility):
        return utility.evaluate(several)
    return [utility.worth(levels) for levels in several]


def tabulate_two_levels(utility: Utility, n: int, low: Level, high: Level) -> Array:
    """Return U by the mask of the users at the high level, the others at the low one; (2^N,)."""
    if not low:
        return utility.table((high,) * n)
    masks = range(1 << n)
    several = [tuple(high if m >> i & 1 else low for i in range(n)) for m in masks]
    return as_values(evaluate_all(utility, several))


def as_values(values: Sequence[Number]) -> Array:
    """Return numbers as float64 if one of them is a float, else as exact objects."""
    if any(isinstance(x, float) for x in values):
        return np.array([float(x) for x in values])
    return as_objects(list(values))
