"""Shortest paths over many small graphs at once, exact; negative cycles, the shortest first.

Node t's distance is the least of its own bound and every other node's distance plus the weight
between them (Bellman and Ford). Numbers are scaled to integers: int64 where they and their sums
fit, Python's integers elsewhere. Cost: O(m) passes over B graphs of m nodes, each B m^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from aboveboard.games.numbers import Array
from aboveboard.implementation.family import UNREACHABLE

FITS = 2**62
"""Integers up to this and their sums are exact in int64."""

LARGEST_POWERS = 400
"""Nodes of a graph up to which the shortest cycle is found by powers of its matrix, O(m^3) each;
beyond, some cycle is found by following predecessors."""


@dataclass(frozen=True)
class IntegerWeights:
    """Weights and bounds as integers.

    Parameters
    ----------
    weights, bounds
        As in `TypeFamily`, times `unit`; `far` stands for no constraint.
    unit
        What the numbers were multiplied by.
    far
        Larger than every path.
    """

    weights: Array
    bounds: Array
    unit: int
    far: int


def scale_to_integers(weights: Array, bounds: Array) -> IntegerWeights:
    """Return exact numbers as integers of one unit, in int64 where every path fits."""
    entries = [x for x in (*weights.ravel(), *bounds.ravel()) if x != UNREACHABLE]
    unit = lcm(*(Fraction(x).denominator for x in entries)) if entries else 1
    largest = max((abs(int(x * unit)) for x in entries), default=0)
    far = (largest + 1) * (weights.shape[-1] + 2)
    dtype = np.int64 if 4 * far < FITS else object

    def convert(array: Array) -> Array:
        flat = [far if x == UNREACHABLE else int(x * unit) for x in array.ravel()]
        whole = np.empty(len(flat), dtype=dtype)
        whole[:] = flat
        return whole.reshape(array.shape)

    return IntegerWeights(convert(weights), convert(bounds), unit, far)


def find_distances(scaled: IntegerWeights) -> tuple[Array, Array]:
    """Return the distance of every node, and which graphs have a negative cycle.

    Returns
    -------
    distances
        Shape (graphs, nodes).
    cyclic
        Shape (graphs,): whether distances still fall after as many passes as there are nodes.
    """
    distances = scaled.bounds.copy()
    alive = np.arange(distances.shape[0])
    for _ in range(distances.shape[1] + 1):
        reached = (distances[alive][:, :, None] + scaled.weights[alive]).min(axis=1)
        shorter = np.minimum(distances[alive], reached)
        changed = (shorter != distances[alive]).any(axis=1).astype(np.bool_)
        distances[alive] = shorter
        alive = alive[changed]
        if alive.size == 0:
            break
    cyclic = np.zeros(distances.shape[0], dtype=np.bool_)
    cyclic[alive] = True
    return distances, cyclic


def find_cycle(weights: Array, far: int) -> list[int] | None:
    """Return the nodes of a negative cycle with the fewest arcs; None if there is none.

    Parameters
    ----------
    weights
        Of one graph, shape (nodes, nodes): [r, t] is the weight of the arc from r to t.
    far
        Weights from here on are not arcs.

    Returns
    -------
    list of int
        Each node once, in the order of the arcs.

    Examples
    --------
    >>> find_cycle(np.array([[9, 1], [-2, 9]]), 9)
    [0, 1]
    """
    m = weights.shape[0]
    step = _without_loops(weights, far)
    power = step
    choices: list[Array] = []
    for _ in range(m if m <= LARGEST_POWERS else 2):
        negative = np.flatnonzero((np.diagonal(power) < 0).astype(np.bool_))
        if negative.size:
            return _unroll(int(negative[0]), choices)
        power, chosen = _multiply(power, step, far)
        choices.append(chosen)
    return None if m <= LARGEST_POWERS else _follow_predecessors(step)


def _without_loops(weights: Array, far: int) -> Array:
    plain = weights.copy()
    np.fill_diagonal(plain, far)
    return plain


def _multiply(power: Array, step: Array, far: int) -> tuple[Array, Array]:
    """Return the least sums over one more arc, and the node before the last of each."""
    best = power[:, :1] + step[:1, :]
    chosen = np.zeros(best.shape, dtype=np.int64)
    for k in range(1, step.shape[0]):
        through = power[:, k : k + 1] + step[k : k + 1, :]
        better = (through < best).astype(np.bool_)
        best = np.where(better, through, best)
        chosen[better] = k
    return np.minimum(best, far), chosen


def _unroll(node: int, choices: list[Array]) -> list[int]:
    """Return the closed walk that ends and begins at a node."""
    walk, last = [], node
    for chosen in reversed(choices):
        last = int(chosen[node, last])
        walk.append(last)
    return [node, *reversed(walk)]


def _follow_predecessors(weights: Array) -> list[int]:
    """Return some negative cycle of a graph that has one."""
    m = weights.shape[0]
    distances = np.zeros(m, dtype=weights.dtype)
    before = np.zeros(m, dtype=np.int64)
    node = 0
    for _ in range(m):
        sums = distances[:, None] + weights
        best = sums.argmin(axis=0)
        shorter = (sums[best, np.arange(m)] < distances).astype(np.bool_)
        if not shorter.any():
            raise ValueError("the graph has no negative cycle")
        distances[shorter] = sums[best, np.arange(m)][shorter]
        before[shorter] = best[shorter]
        node = int(np.flatnonzero(shorter)[0])
    for _ in range(m):
        node = int(before[node])
    cycle = [node]
    while int(before[cycle[-1]]) != node:
        cycle.append(int(before[cycle[-1]]))
    return cycle[::-1]


def trace_path(scaled: IntegerWeights, graph: int, distances: Array, node: int) -> list[int]:
    """Return a shortest path to a node with the fewest arcs, from a node whose bound is met.

    Raises
    ------
    ValueError
        If the distances are not those of this graph.
    """
    own, weights, bounds = distances[graph], scaled.weights[graph], scaled.bounds[graph]
    paths = [[node]]
    seen = {node}
    for path in paths:
        head = path[0]
        if own[head] == bounds[head]:
            return path
        tight = (own + weights[:, head] == own[head]).astype(np.bool_)
        for before in np.flatnonzero(tight).tolist():
            if before not in seen:
                seen.add(before)
                paths.append([before, *path])
    raise ValueError("the distances are not those of this graph")
