"""All profiles of levels of users of few types, numbered so that a potential is one sweep.

What: users of one type are interchangeable, so a profile is how many users of each type are at each
level. A state also lets users be absent; the potential of a state follows from states with one user
less, which have smaller numbers. Users who all differ are types of one user each: two levels, one
of them 0, then have a state for each mask of those who share. Cost: as many states as there are
profiles (of users who may be absent), a few numbers for each type's states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import comb, inf, prod

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import FloatArray, IntArray
from aboveboard.valuation.levels import NOTHING, Level


def count_states(sizes: Sequence[int], levels: int) -> int:
    """Return how many states there are, given each type's users and the levels above 0."""
    return prod(comb(size + levels, levels) for size in sizes)


@dataclass(frozen=True, eq=False)
class ProfileSpace:
    """The profiles of some users on some levels.

    Parameters
    ----------
    members
        By type: its users. Where two levels are on offer, the first ones are those whom the less
        private level costs least.
    levels
        The levels on offer, ascending.
    costs
        Shape (users, levels): what each level costs each user. With more than two levels the users
        of a type have equal costs.

    Examples
    --------
    >>> space = ProfileSpace(((0,), (1,)), (0, 1), np.array([[0.0, 1.0], [0.0, 2.0]]))
    >>> [tuple(map(int, space.find_levels(state))) for state in range(space.size)]
    [(0, 0), (1, 0), (0, 1), (1, 1)]
    """

    members: tuple[tuple[int, ...], ...]
    levels: tuple[Level, ...]
    costs: FloatArray

    @property
    def positive(self) -> tuple[Level, ...]:
        """The levels above 0."""
        return tuple(x for x in self.levels if x)

    @cached_property
    def states(self) -> tuple[NDArray[np.int64], ...]:
        """By type: how many of its users are at each level above 0, shape (states, levels)."""
        return tuple(_list_counts(len(each), len(self.positive)) for each in self.members)

    @cached_property
    def radix(self) -> IntArray:
        """How many states each type has; the first type moves fastest."""
        return np.array([len(each) for each in self.states], dtype=np.int64)

    @cached_property
    def strides(self) -> IntArray:
        """By type: how far its next state lies."""
        return np.concatenate([[1], np.cumprod(self.radix[:-1])]).astype(np.int64)

    @property
    def size(self) -> int:
        """How many states there are."""
        return int(np.prod(self.radix))

    def find_counts(self, states: IntArray) -> IntArray:
        """Return how many users of each type are at each level above 0; (states, types, levels)."""
        each = [
            counts[(states // stride) % len(counts)]
            for counts, stride in zip(self.states, self.strides, strict=True)
        ]
        return np.stack(each, axis=1)

    def find_levels(self, state: int) -> tuple[Level, ...]:
        """Return the level of each user in a state; who is absent is at level 0.

        Of a type's users, those whom more costs least are at the less private levels.
        """
        found: list[Level] = [NOTHING] * sum(map(len, self.members))
        counts = self.find_counts(np.array([state]))[0]
        for users, numbers in zip(self.members, counts.tolist(), strict=True):
            free = list(users)
            for level, number in reversed(list(zip(self.positive, numbers, strict=True))):
                for user in free[:number]:
                    found[user] = level
                del free[:number]
        return tuple(found)

    @cached_property
    def count_table(self) -> IntArray:
        """Shape (types, states of a type, levels above 0), padded with 0."""
        return _pad([counts.astype(np.float64) for counts in self.states], 0.0).astype(np.int64)

    @cached_property
    def step_table(self) -> IntArray:
        """The same shape: how far back the state lies in which one user is absent."""
        each = []
        for counts, stride in zip(self.states, self.strides, strict=True):
            number = {tuple(row): k for k, row in enumerate(counts.tolist())}
            steps = np.zeros(counts.shape)
            for k, row in enumerate(counts.tolist()):
                for a, many in enumerate(row):
                    if many:
                        steps[k, a] = stride * (k - number[_shift(row, a, None)])
            each.append(steps)
        return _pad(each, 0.0).astype(np.int64)

    @cached_property
    def is_profile(self) -> NDArray[np.bool_]:
        """Shape (types, states of a type): whether all of its users are at levels on offer."""
        each = [
            (counts.sum(axis=1) == len(users)) | (self.levels[0] == 0)
            for users, counts in zip(self.members, self.states, strict=True)
        ]
        return _pad([x[:, None].astype(np.float64) for x in each], 0.0)[:, :, 0].astype(np.bool_)

    @cached_property
    def change_tables(self) -> tuple[IntArray, FloatArray]:
        """Return where a user's change of level leads, and what it must bring.

        Both have the shape (types, states of a type, changes): how far away the state lies after
        the change, and by how much more the present level costs the user who would change most
        readily than the other level; -inf where no user can change so.
        """
        offset = len(self.levels) - len(self.positive)
        changes = [(a, b) for a, b in product(range(len(self.levels)), repeat=2) if a != b]
        moves, needs = [], []
        for users, counts, stride in zip(self.members, self.states, self.strides, strict=True):
            number = {tuple(row): k for k, row in enumerate(counts.tolist())}
            move, need = (
                np.zeros((len(counts), len(changes))),
                np.zeros((len(counts), len(changes))),
            )
            for k, row in enumerate(counts.tolist()):
                for c, (a, b) in enumerate(changes):
                    there = row[a - offset] if a >= offset else len(users) - sum(row)
                    after = number.get(_shift(row, a - offset, b - offset)) if there else None
                    need[k, c] = -inf if after is None else self._find_need(users, row, a, b)
                    move[k, c] = 0 if after is None else stride * (after - k)
            moves.append(move)
            needs.append(need)
        return _pad(moves, 0.0).astype(np.int64), _pad(needs, -inf)

    def _find_need(self, users: Sequence[int], row: Sequence[int], a: int, b: int) -> float:
        """Return by how much more level a costs than b the user at a who would change first."""
        if len(self.levels) > 2:
            user = users[0]
        else:
            sharers = row[-1]
            user = users[sharers - 1] if a == 1 else users[sharers]
        return float(self.costs[user, a] - self.costs[user, b])


def _shift(row: Sequence[int], source: int, target: int | None) -> tuple[int, ...]:
    """Return counts with one user moved; -1 and None stand for level 0, or for absence."""
    after = list(row)
    if source >= 0:
        after[source] -= 1
    if target is not None and target >= 0:
        after[target] += 1
    return tuple(after)


def _list_counts(users: int, levels: int) -> NDArray[np.int64]:
    """Return all numbers of users at each level, ascending, so that one less comes before."""
    rows = [row for row in product(range(users + 1), repeat=levels) if sum(row) <= users]
    return np.array(rows, dtype=np.int64).reshape(len(rows), levels)


def _pad(arrays: Sequence[FloatArray], value: float) -> FloatArray:
    """Return arrays of unequal first dimension as one, filled up with a value."""
    longest = max(len(each) for each in arrays)
    out = np.full((len(arrays), longest, *arrays[0].shape[1:]), value)
    for k, each in enumerate(arrays):
        out[k, : len(each)] = each
    return out
