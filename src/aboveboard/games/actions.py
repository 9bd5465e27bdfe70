"""Actions of players as arrays: positions in a list, or vectors of a `Grid`.

Whole batches of profiles travel as one column of codes for each player; nothing here makes a
Python object for each row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypeVar

ActionT = TypeVar("ActionT", default=Any)
"""What a player of one game may do: whatever it lists, from a number or a text to a report."""

Action = Any
"""An action of a game of which nothing is known, as where the audit reads it."""

Codes = NDArray[np.int64]
"""Actions of one player in m profiles: positions, shape (m,); for a `Grid` vectors, (m, d)."""

AWAY = "stays away"
"""What witnesses call the report that means staying away."""

_POSITIONS = 2**63  # what 64 bits cannot count


class Grid(Sequence[tuple[int, ...]]):
    """Actions that are vectors of whole numbers: entry k runs from 0 to sizes[k].

    The number of actions, `size`, may exceed what `len` can say.

    Parameters
    ----------
    sizes
        The largest value of each entry.

    Raises
    ------
    ValueError
        If one is negative.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = tuple(int(size) for size in sizes)
        if any(size < 0 for size in self.sizes):
            raise ValueError(f"sizes are {self.sizes}; each entry runs from 0 to its size")
        self.shape = tuple(size + 1 for size in self.sizes)
        self.size = prod(self.shape)

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, k: int) -> tuple[int, ...]: ...
    @overload
    def __getitem__(self, k: slice) -> Sequence[tuple[int, ...]]: ...
    def __getitem__(self, k: int | slice) -> tuple[int, ...] | Sequence[tuple[int, ...]]:
        if isinstance(k, slice):
            return [self[j] for j in range(*k.indices(self.size))]
        if k < 0:
            k += self.size
        if not 0 <= k < self.size:
            raise IndexError(k)
        digits = []
        for extent in reversed(self.shape):
            k, digit = divmod(k, extent)
            digits.append(digit)
        return tuple(reversed(digits))

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return (self[k] for k in range(self.size))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grid) and self.sizes == other.sizes

    def __hash__(self) -> int:
        return hash(self.sizes)

    def __contains__(self, action: object) -> bool:
        return (
            isinstance(action, tuple)
            and len(action) == len(self.sizes)
            and all(0 <= x <= size for x, size in zip(action, self.sizes, strict=True))
        )

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Return the position of a vector, without a search.

        Raises
        ------
        ValueError
            If it is not among the vectors, or not between `start` and `stop`.
        """
        if tuple(value) not in self:
            raise ValueError(f"{value} is not among the vectors up to {self.sizes}")
        position = 0
        for x, extent in zip(value, self.shape, strict=True):
            position = position * extent + int(x)
        if position < start or (stop is not None and position >= stop):
            raise ValueError(f"{value} is not between the positions {start} and {stop}")
        return position


def count_actions(actions: Sequence[Action]) -> int:
    """Count the actions; a `Grid` may have more than `len` can say."""
    return actions.size if isinstance(actions, Grid) else len(actions)


def find_position(actions: Sequence[Action], action: Action) -> int:
    """Return the position of an action among the actions.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    searchable = actions if isinstance(actions, Grid | range | list | tuple) else list(actions)
    try:
        return searchable.index(action)
    except ValueError:
        raise ValueError(f"{action!r} is not among the player's actions") from None


def encode(actions: Sequence[Action], action: Action) -> Codes:
    """Return one action as a column of length 1."""
    if isinstance(actions, Grid):
        return np.array([action], dtype=np.int64).reshape(1, len(actions.sizes))
    return np.array([find_position(actions, action)], dtype=np.int64)


def encode_all(actions: Sequence[Action], chosen: Sequence[Action]) -> Codes:
    """Return several actions as a column; one that they all are is looked up once."""
    if all(action is chosen[0] for action in chosen):
        return np.repeat(encode(actions, chosen[0]), len(chosen), axis=0)
    if isinstance(actions, Grid):
        return np.array(chosen, dtype=np.int64).reshape(len(chosen), len(actions.sizes))
    return np.array([find_position(actions, action) for action in chosen], dtype=np.int64)


def decode(actions: Sequence[Action], code: Any) -> Action:
    """Return the action that an entry of a column stands for."""
    if isinstance(actions, Grid):
        return tuple(int(x) for x in code)
    return actions[int(code)]


def unravel(positions: NDArray[np.int64], extents: Sequence[int]) -> list[NDArray[np.int64]]:
    """Return positions in row-major order as one column of digits for each extent.

    As `np.unravel_index`, for any number of extents of any size.
    """
    columns = []
    for extent in reversed(extents):
        if extent >= _POSITIONS:
            columns.append(positions)
            positions = np.zeros_like(positions)
        else:
            positions, digits = np.divmod(positions, np.int64(extent))
            columns.append(digits)
    return columns[::-1]


def encode_positions(actions: Sequence[Action], positions: NDArray[np.int64]) -> Codes:
    """Return the actions at these positions as a column."""
    if isinstance(actions, Grid):
        if not actions.shape:
            return np.zeros((len(positions), 0), dtype=np.int64)
        return np.stack(unravel(positions, actions.shape), axis=1)
    return positions.astype(np.int64)


def draw(actions: Sequence[Action], m: int, generator: np.random.Generator) -> Codes:
    """Draw m actions uniformly, as a column."""
    if isinstance(actions, Grid):
        extents = np.array(actions.shape, dtype=np.int64)
        return generator.integers(0, extents, size=(m, len(extents)), dtype=np.int64)
    return generator.integers(0, len(actions), size=m, dtype=np.int64)
