"""Better replies: where a game ends if one player after the other moves to what is better for it.

Every profile of a game is a node; a move of one player that raises its payoff is an arc. A walk
that takes each possible move with some chance ends, with probability 1, in a set of profiles that
no move leaves and in which each is reached from each: a single profile, which is then a pure
equilibrium, or profiles that go round for ever. These ends, and from how many starts each is
reached, are found exactly. Cost: linear in profiles and moves. Source: strongly connected
components after Tarjan (1972); the reading is ours, see docs/theory.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing.payoff_reader import PayoffReader
from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import format_count
from aboveboard.games.actions import count_actions, find_position
from aboveboard.games.game import Game
from aboveboard.games.numbers import Array

Moves = Literal["better", "best"]

ProfilePosition = tuple[int, ...]
"""A profile as the position of each player's action."""

MOST_PROFILES = 200_000
"""More take longer than some seconds."""

MOST_MOVES = 4_000_000
"""Arcs that are kept at a time: some hundred megabytes."""

ENDS_AT_ONCE = 4096
"""Ends of which is noted at a time from where they are reached: half a kilobyte a profile."""


@dataclass(frozen=True)
class PlayEnd:
    """Where better replies end: one profile that nobody leaves, or several that go round.

    Parameters
    ----------
    profiles
        How many profiles it has; 1 is a pure equilibrium.
    cycle
        The profile, or a shortest round through its first profile, as positions of actions.
    truthful
        Whether it is the profile in which all are truthful, alone.
    surely
        From how many profiles it is the only end that can be reached.
    possibly
        From how many profiles it can be reached.
    """

    profiles: int
    cycle: tuple[ProfilePosition, ...]
    truthful: bool
    surely: int
    possibly: int

    @property
    def is_equilibrium(self) -> bool:
        """Whether nobody gains by a move."""
        return self.profiles == 1


@dataclass(frozen=True)
class ReplyGraph:
    """All moves of a game.

    Parameters
    ----------
    shape
        How many actions each player has.
    first, targets
        The moves from profile k, in row-major order, are `targets[first[k]:first[k + 1]]`.
    """

    shape: tuple[int, ...]
    first: NDArray[np.int64]
    targets: NDArray[np.int64]

    def unravel(self, k: int) -> ProfilePosition:
        """Return the positions of the actions of profile k."""
        return tuple(int(x) for x in np.unravel_index(k, self.shape))


def find_ends(game: Game, moves: Moves = "better") -> tuple[PlayEnd, ...]:
    """Return where better replies end, those from which most starts cannot escape first.

    Parameters
    ----------
    game
        Any game.
    moves
        "better": every action that raises the player's payoff; "best": only those that raise it
        most.

    Raises
    ------
    BudgetExceeded
        If there are more than `MOST_PROFILES` profiles.

    Examples
    --------
    >>> from aboveboard import TabularGame
    >>> pennies = TabularGame([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> [(end.profiles, end.surely) for end in find_ends(pennies)]
    [(4, 4)]
    """
    refuse_large_game(game)
    reader = PayoffReader(game)
    shape = tuple(count_actions(space) for space in reader.spaces)
    table = reader.table()
    graph = build_graph(table, shape, reader.tolerance, moves)
    truth = tuple(find_position(game.actions(i), game.truth(i)) for i in range(len(game.players)))
    return _find_ends(graph, int(np.ravel_multi_index(truth, shape)))


def refuse_large_game(game: Game) -> None:
    """Raise `BudgetExceeded` if a game has too many profiles."""
    profiles = prod(count_actions(game.actions(i)) for i in range(len(game.players)))
    if profiles > MOST_PROFILES:
        raise BudgetExceeded(
            f"better replies: the game has {format_count(profiles)} profiles; at most "
            f"{format_count(MOST_PROFILES)} can be looked at: use fewer parties or reports"
        )


def build_graph(
    table: Array, shape: tuple[int, ...], tolerance: float, moves: Moves = "better"
) -> ReplyGraph:
    """Return all moves of a game from its payoffs, shape (players, profiles).

    Raises
    ------
    BudgetExceeded
        If there are more than `MOST_MOVES`.
    """
    profiles = prod(shape)
    index = np.arange(profiles).reshape(shape)
    sources, targets, count = [], [], 0
    for i, extent in enumerate(shape):
        # One row for each choice of the others, one column for each action of player i.
        own = np.moveaxis(table[i].reshape(shape), i, -1).reshape(-1, extent)
        where = np.moveaxis(index, i, -1).reshape(-1, extent)
        best = own.max(axis=1)
        for a in range(extent):
            better = own > own[:, [a]] + tolerance if tolerance else own > own[:, [a]]
            if moves == "best":
                # No tolerance of 0.0 is subtracted: it would make exact payoffs floats.
                better = better & (own >= (best - tolerance if tolerance else best)[:, None])
            row, column = np.nonzero(better.astype(bool))
            sources.append(where[row, a])
            targets.append(where[row, column])
            count += len(row)
            if count > MOST_MOVES:
                raise BudgetExceeded(
                    f"better replies: there are more than {format_count(MOST_MOVES)} moves; use "
                    "fewer parties or reports"
                )
    source, target = np.concatenate(sources), np.concatenate(targets)
    order = np.argsort(source, kind="stable")
    first = np.searchsorted(source[order], np.arange(profiles + 1))
    return ReplyGraph(shape, first.astype(np.int64), target[order].astype(np.int64))


def find_components(first: Sequence[int], targets: Sequence[int]) -> list[int]:
    """Return the strongly connected component of each node, numbered so that arcs never go up.

    Tarjan's algorithm without recursion: a component is complete before those that lead to it.
    """
    n = len(first) - 1
    component, seen, low = [-1] * n, [-1] * n, [0] * n
    waiting: list[int] = []
    number = clock = 0
    for root in range(n):
        if seen[root] >= 0:
            continue
        path = [(root, first[root])]
        while path:
            node, arc = path.pop()
            if seen[node] < 0:
                seen[node] = low[node] = clock
                clock += 1
                waiting.append(node)
            for k in range(arc, first[node + 1]):
                other = targets[k]
                if seen[other] < 0:
                    path += [(node, k), (other, first[other])]
                    break
                if component[other] < 0:
                    low[node] = min(low[node], low[other])
            else:
                if low[node] == seen[node]:
                    while component[node] < 0:
                        component[waiting.pop()] = number
                    number += 1
    return component


def _find_ends(graph: ReplyGraph, truth: int) -> tuple[PlayEnd, ...]:
    first, targets = graph.first.tolist(), graph.targets.tolist()
    component = find_components(first, targets)
    members: list[list[int]] = [[] for _ in range(max(component) + 1)]
    for node, c in enumerate(component):
        members[c].append(node)
    # Components come after all that they lead to.
    onward = [
        tuple({component[t] for n in nodes for t in targets[first[n] : first[n + 1]]} - {c})
        for c, nodes in enumerate(members)
    ]
    ends = [c for c, others in enumerate(onward) if not others]
    surely, possibly = _count_starts(onward, [len(nodes) for nodes in members], ends)
    found = [
        PlayEnd(
            len(members[c]),
            tuple(graph.unravel(k) for k in _find_round(first, targets, members[c][0])),
            members[c] == [truth],
            surely[k],
            possibly[k],
        )
        for k, c in enumerate(ends)
    ]
    return tuple(sorted(found, key=lambda end: (-end.surely, -end.possibly, end.cycle)))


def _count_starts(
    onward: Sequence[tuple[int, ...]], sizes: Sequence[int], ends: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Return from how many profiles each end is the only one, and from how many it is one.

    Parameters
    ----------
    onward
        The components that each leads to, all of them earlier ones.
    sizes
        How many profiles each has.
    ends
        Those that lead nowhere.
    """
    surely, possibly = [0] * len(ends), [0] * len(ends)
    reached, only = [0] * len(onward), [0] * len(onward)
    for start in range(0, len(ends), ENDS_AT_ONCE):
        # Bit k stands for end start + k.
        bits = {c: 1 << k for k, c in enumerate(ends[start : start + ENDS_AT_ONCE])}
        reaches: list[int] = []
        starts: dict[int, int] = {}
        for c, others in enumerate(onward):
            mask = bits.get(c, 0)
            for other in others:
                mask |= reaches[other]
            reaches.append(mask)
            if mask:
                starts[mask] = starts.get(mask, 0) + sizes[c]
                reached[c] += mask.bit_count()
                only[c] = start + mask.bit_length() - 1
        for mask, profiles in starts.items():
            left = mask
            while left:
                possibly[start + (left & -left).bit_length() - 1] += profiles
                left &= left - 1
    for c, count in enumerate(reached):
        if count == 1:
            surely[only[c]] += sizes[c]
    return surely, possibly


def _find_round(first: Sequence[int], targets: Sequence[int], start: int) -> list[int]:
    """Return a shortest round through a profile of an end; the profile alone if nobody moves."""
    before: dict[int, int] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for other in targets[first[node] : first[node + 1]]:
            if other == start:
                path = [node]
                while path[-1] != start:
                    path.append(before[path[-1]])
                return path[::-1]
            if other not in before:
                before[other] = node
                queue.append(other)
    return [start]
