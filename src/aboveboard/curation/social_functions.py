"""g: what the center and the agents want to know, a bit of all their bits.

The center's bit is bit 0 of a mask, agent i's bit is bit i. A function that depends on the center's
bit and on how many agents have a 1 is symmetric; then values are needed by count only, 2 (N + 1) of
them instead of 2^(N + 1). Source: "Data Curation from Privacy-Aware Agents", section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError

Bits = NDArray[np.bool_]

MOST_AGENTS = 24
"""A table of 2^25 bits takes 32 MiB, and what is computed from it eight times that."""


class SocialFunction(Protocol):
    """A function of the bits of the center and N agents."""

    KIND: ClassVar[str]

    def by_count(self, agents: int) -> Bits | None:
        """Give g where it is symmetric, shape (2, N + 1): by the center's bit and the ones.

        None where agents are told apart.
        """
        ...

    def table(self, agents: int) -> Bits:
        """Give g by bit mask, the center's bit first, shape (2^(N + 1),)."""
        ...


@dataclass(frozen=True)
class Threshold:
    """1 iff at least k of the bits are 1, the center's bit counted w times.

    Parameters
    ----------
    k
        How many.
    center_weight
        How often the center's bit counts.
    """

    k: int
    center_weight: int = 1

    KIND: ClassVar[str] = "threshold"

    def by_count(self, agents: int) -> Bits:
        """Give g by the center's bit and the ones among the agents."""
        ones = np.arange(agents + 1)
        return np.stack([ones >= self.k, ones + self.center_weight >= self.k])

    def table(self, agents: int) -> Bits:
        """Give g by bit mask."""
        return spread(self.by_count(agents))


@dataclass(frozen=True)
class Mean:
    """1 iff the mean of the bits is above a level, the center's bit counted w times.

    Majority is the mean above 1/2: of an even number of votes a tie gives 0.

    Parameters
    ----------
    level
        From 0 to 1.
    center_weight
        How often the center's bit counts.
    """

    level: Fraction = Fraction(1, 2)
    center_weight: int = 1

    KIND: ClassVar[str] = "mean"

    def by_count(self, agents: int) -> Bits:
        """Give g by the center's bit and the ones among the agents."""
        ones = np.arange(agents + 1, dtype=object)
        least = self.level * (agents + self.center_weight)
        return np.stack([ones > least, ones + self.center_weight > least]).astype(np.bool_)

    def table(self, agents: int) -> Bits:
        """Give g by bit mask."""
        return spread(self.by_count(agents))


@dataclass(frozen=True)
class Parity:
    """1 iff an odd number of bits is 1."""

    KIND: ClassVar[str] = "parity"

    def by_count(self, agents: int) -> Bits:
        """Give g by the center's bit and the ones among the agents."""
        odd = np.arange(agents + 1) % 2 == 1
        return np.stack([odd, ~odd])

    def table(self, agents: int) -> Bits:
        """Give g by bit mask."""
        return spread(self.by_count(agents))


@dataclass(frozen=True)
class Conjunction:
    """1 iff every bit is 1 ("and")."""

    KIND: ClassVar[str] = "and"

    def by_count(self, agents: int) -> Bits:
        """Give g by the center's bit and the ones among the agents."""
        full = np.arange(agents + 1) == agents
        return np.stack([np.zeros_like(full), full])

    def table(self, agents: int) -> Bits:
        """Give g by bit mask."""
        return spread(self.by_count(agents))


@dataclass(frozen=True)
class Disjunction:
    """1 iff some bit is 1 ("or")."""

    KIND: ClassVar[str] = "or"

    def by_count(self, agents: int) -> Bits:
        """Give g by the center's bit and the ones among the agents."""
        some = np.arange(agents + 1) > 0
        return np.stack([some, np.ones_like(some)])

    def table(self, agents: int) -> Bits:
        """Give g by bit mask."""
        return spread(self.by_count(agents))


@dataclass(frozen=True)
class Table:
    """Given value by value.

    Parameters
    ----------
    values
        2^(N + 1) bits by mask, the center's bit first.
    """

    values: tuple[bool, ...]

    KIND: ClassVar[str] = "table"

    def by_count(self, agents: int) -> Bits | None:
        """Give g by count if all agents are alike in it."""
        table = self.table(agents)
        found = np.zeros((2, agents + 1), dtype=np.bool_)
        ones = ones_of(agents)
        for center in (0, 1):
            found[center, ones] = table[center::2]
        return found if np.array_equal(spread(found), table) else None

    def table(self, agents: int) -> Bits:
        """Give g by bit mask.

        Raises
        ------
        InputError
            If there are not as many values as sets of bits.
        """
        if len(self.values) != 2 << agents:
            raise InputError(
                "function.values",
                f"there are {len(self.values)} values",
                f"give {2 << agents}, one for each set of bits of the center and {agents} agents",
            )
        return np.array(self.values, dtype=np.bool_)


@dataclass(frozen=True)
class Called:
    """Any Python function of the bits.

    Parameters
    ----------
    name
        "module:function", for messages.
    function
        Takes a tuple of N + 1 bits, the center's first, and gives 0 or 1; called once for each.
    """

    name: str
    function: Callable[[tuple[int, ...]], Any]

    KIND: ClassVar[str] = "callable"

    def by_count(self, agents: int) -> Bits | None:
        """Give g by count if all agents are alike in it."""
        return Table(tuple(self.table(agents).tolist())).by_count(agents)

    def table(self, agents: int) -> Bits:
        """Give g by bit mask: 2^(N + 1) calls.

        Raises
        ------
        InputError
            If there are too many agents, or the function fails or gives no bit.
        """
        refuse_many(agents)
        size = agents + 1
        return np.array(
            [self._called(tuple(m >> i & 1 for i in range(size))) for m in range(1 << size)],
            dtype=np.bool_,
        )

    def _called(self, bits: tuple[int, ...]) -> bool:
        place = f"function {self.name!r}"
        try:
            value = self.function(bits)
            is_bit = bool(value in (0, 1))
        except Exception as error:
            raise InputError(
                place,
                f"it failed with {type(error).__name__}: {error} (bits {bits})",
                "take a tuple of bits, the center's first, and give 0 or 1",
            ) from error
        if not is_bit:
            raise InputError(place, f"it gives {value!r} for the bits {bits}", "give 0 or 1")
        return bool(value)


def spread(by_count: Bits) -> Bits:
    """Give the table of a symmetric function from its values by count."""
    agents = by_count.shape[1] - 1
    refuse_many(agents)
    found: Bits = by_count[:, ones_of(agents)].T.reshape(-1)
    return found


def ones_of(agents: int) -> NDArray[np.int64]:
    """Give the number of ones in each of the 2^N masks of the agents' bits."""
    ones = np.zeros(1, dtype=np.int64)
    for _ in range(agents):
        ones = np.concatenate([ones, ones + 1])
    return ones


def refuse_many(agents: int) -> None:
    """Raise `InputError` where a table would be too large."""
    if agents > MOST_AGENTS:
        raise InputError(
            "parties",
            f"{agents} agents and the center have 2^{agents + 1} sets of bits",
            f"have up to {MOST_AGENTS} agents, or take a function that treats agents alike and "
            "commitments of few kinds",
        )


def weighted(function: SocialFunction, weight: int) -> SocialFunction | None:
    """Give the same function with the center's bit counted differently; None if it has no weight.

    Parameters
    ----------
    function
        A threshold or a mean.
    weight
        How often the center's bit counts.
    """
    if isinstance(function, Threshold):
        return Threshold(function.k, weight)
    if isinstance(function, Mean):
        return Mean(function.level, weight)
    return None
