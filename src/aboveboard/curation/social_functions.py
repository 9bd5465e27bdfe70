"""Social functions: what the center and the agents want to know, a bit of all their bits.

The center's bit is bit 0 of a mask, agent i's bit is bit i. A function that depends on the center's
bit and on how many agents have a 1 is symmetric; then its values by count are enough, 2 (N + 1)
instead of 2^(N + 1). Source: "Data Curation from Privacy-Aware Agents", section 2.
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
"""The most agents of a table: 2^25 bits take 32 MiB, and computing with them eight times that."""


class SocialFunction(Protocol):
    """A function of the bits of the center and N agents."""

    KIND: ClassVar[str]

    def by_count(self, agents: int) -> Bits | None:
        """Return g where it is symmetric, shape (2, N + 1): by the center's bit and the ones.

        None where g distinguishes agents.
        """
        ...

    def table(self, agents: int) -> Bits:
        """Return g by bit mask, the center's bit first, shape (2^(N + 1),)."""
        ...


@dataclass(frozen=True)
class Threshold:
    """1 if at least k of the bits are 1, the center's bit counted w times.

    Parameters
    ----------
    k
        How many ones are needed.
    center_weight
        How often the center's bit counts.

    Raises
    ------
    InputError
        If the weight is negative.
    """

    k: int
    center_weight: int = 1

    def __post_init__(self) -> None:
        _refuse_negative_weight(self.center_weight)

    KIND: ClassVar[str] = "threshold"

    def by_count(self, agents: int) -> Bits:
        """Return g by the center's bit and the ones among the agents."""
        ones = np.arange(agents + 1)
        return np.stack([ones >= self.k, ones + self.center_weight >= self.k])

    def table(self, agents: int) -> Bits:
        """Return g by bit mask."""
        return expand_by_count(self.by_count(agents))


@dataclass(frozen=True)
class Mean:
    """1 if the mean of the bits is above a level, the center's bit counted w times.

    Majority is the mean above 1/2: of an even number of votes a tie gives 0.

    Parameters
    ----------
    level
        From 0 to 1.
    center_weight
        How often the center's bit counts.

    Raises
    ------
    InputError
        If the weight is negative, or the level is not from 0 to 1.
    """

    level: Fraction = Fraction(1, 2)
    center_weight: int = 1

    def __post_init__(self) -> None:
        _refuse_negative_weight(self.center_weight)
        if not 0 <= self.level <= 1:
            raise InputError("level", f"it is {self.level}", "use a number from 0 to 1")

    KIND: ClassVar[str] = "mean"

    def by_count(self, agents: int) -> Bits:
        """Return g by the center's bit and the ones among the agents."""
        ones = np.arange(agents + 1, dtype=object)
        least = self.level * (agents + self.center_weight)
        return np.stack([ones > least, ones + self.center_weight > least]).astype(np.bool_)

    def table(self, agents: int) -> Bits:
        """Return g by bit mask."""
        return expand_by_count(self.by_count(agents))


@dataclass(frozen=True)
class Parity:
    """1 if an odd number of bits is 1."""

    KIND: ClassVar[str] = "parity"

    def by_count(self, agents: int) -> Bits:
        """Return g by the center's bit and the ones among the agents."""
        odd = np.arange(agents + 1) % 2 == 1
        return np.stack([odd, ~odd])

    def table(self, agents: int) -> Bits:
        """Return g by bit mask."""
        return expand_by_count(self.by_count(agents))


@dataclass(frozen=True)
class Conjunction:
    """1 if every bit is 1 ("and")."""

    KIND: ClassVar[str] = "and"

    def by_count(self, agents: int) -> Bits:
        """Return g by the center's bit and the ones among the agents."""
        full = np.arange(agents + 1) == agents
        return np.stack([np.zeros_like(full), full])

    def table(self, agents: int) -> Bits:
        """Return g by bit mask."""
        return expand_by_count(self.by_count(agents))


@dataclass(frozen=True)
class Disjunction:
    """1 if some bit is 1 ("or")."""

    KIND: ClassVar[str] = "or"

    def by_count(self, agents: int) -> Bits:
        """Return g by the center's bit and the ones among the agents."""
        some = np.arange(agents + 1) > 0
        return np.stack([some, np.ones_like(some)])

    def table(self, agents: int) -> Bits:
        """Return g by bit mask."""
        return expand_by_count(self.by_count(agents))


@dataclass(frozen=True)
class ListedFunction:
    """A function listed value by value.

    Parameters
    ----------
    values
        2^(N + 1) bits by mask, the center's bit first.
    """

    values: tuple[bool, ...]

    KIND: ClassVar[str] = "table"

    def by_count(self, agents: int) -> Bits | None:
        """Return g by count if it treats all agents alike, else None."""
        table = self.table(agents)
        counts = np.zeros((2, agents + 1), dtype=np.bool_)
        ones = count_ones(agents)
        for center in (0, 1):
            counts[center, ones] = table[center::2]
        return counts if np.array_equal(expand_by_count(counts), table) else None

    def table(self, agents: int) -> Bits:
        """Return g by bit mask.

        Raises
        ------
        InputError
            If the number of values is not that of the sets of bits.
        """
        if len(self.values) != 2 << agents:
            raise InputError(
                "function.values",
                f"there are {len(self.values)} values",
                f"list {2 << agents}, one for each set of bits of the center and {agents} agents",
            )
        return np.array(self.values, dtype=np.bool_)


@dataclass(frozen=True)
class CustomFunction:
    """Any Python function of the bits.

    Parameters
    ----------
    name
        "module:function", for messages.
    function
        Takes a tuple of N + 1 bits, the center's first, and returns 0 or 1; called once for each.
    """

    name: str
    function: Callable[[tuple[int, ...]], Any]

    KIND: ClassVar[str] = "callable"

    def by_count(self, agents: int) -> Bits | None:
        """Return g by count if it treats all agents alike, else None."""
        return ListedFunction(tuple(self.table(agents).tolist())).by_count(agents)

    def table(self, agents: int) -> Bits:
        """Return g by bit mask, after 2^(N + 1) calls.

        Raises
        ------
        InputError
            If there are too many agents, or the function fails or returns no bit.
        """
        refuse_large_table(agents)
        size = agents + 1
        return np.array(
            [self._evaluate(tuple(m >> i & 1 for i in range(size))) for m in range(1 << size)],
            dtype=np.bool_,
        )

    def _evaluate(self, bits: tuple[int, ...]) -> bool:
        place = f"function {self.name!r}"
        try:
            value = self.function(bits)
            is_bit = bool(value in (0, 1))
        except (Exception, SystemExit) as error:
            raise InputError(
                place,
                f"it failed with {type(error).__name__}: {error} (bits {bits})",
                "take a tuple of bits, the center's first, and return 0 or 1",
            ) from error
        if not is_bit:
            raise InputError(place, f"it returns {value!r} for the bits {bits}", "return 0 or 1")
        return bool(value)


def _refuse_negative_weight(weight: int) -> None:
    if weight < 0:
        raise InputError("center_weight", f"it is {weight}", "use 0 or more")


def expand_by_count(by_count: Bits) -> Bits:
    """Return the table of a symmetric function from its values by count."""
    agents = by_count.shape[1] - 1
    refuse_large_table(agents)
    table: Bits = by_count[:, count_ones(agents)].T.reshape(-1)
    return table


def count_ones(agents: int) -> NDArray[np.int64]:
    """Return the number of ones in each of the 2^N masks of the agents' bits."""
    ones = np.zeros(1, dtype=np.int64)
    for _ in range(agents):
        ones = np.concatenate([ones, ones + 1])
    return ones


def refuse_large_table(agents: int) -> None:
    """Raise `InputError` if a table would be too large."""
    if agents > MOST_AGENTS:
        raise InputError(
            "parties",
            f"{agents} agents and the center have 2^{agents + 1} sets of bits",
            f"use at most {MOST_AGENTS} agents, or a function that treats agents alike with few "
            "kinds of commitments",
        )


def with_center_weight(function: SocialFunction, weight: int) -> SocialFunction | None:
    """Return the same function with another weight of the center's bit; None if it has no weight.

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
