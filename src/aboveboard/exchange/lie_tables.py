"""What every lie with invented elements is worth, before and after inspection.

A party hides any part of its list and reports k elements that it invented. As long as none of these
is found, the rule takes all k as real. Once one is found, the whole list is inspected: the party is
handed nothing and the others exchange with what is left of its list, which is its true part and the
invented elements that inspectors miss. Both are judged in the liar's favour over the order in which
elements are handed out.

Cost: one application of the rule for each part that can be hidden and each k; for equal-gain only
how many elements are hidden, and how many of these others own too, makes a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from math import prod

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import BudgetExceeded
from aboveboard.exchange.hiding import HidingGame
from aboveboard.exchange.utility import compute_payoff_rows, find_best_rivals

MOST_LIES = 1 << 21
"""Lies of one party that are tabulated: some seconds."""

ROWS_AT_A_TIME = 1 << 13
"""Lies whose profiles are in memory at a time."""

MOST_MISSED = 1 << 11
"""Invented elements up to which is computed how many inspectors miss: squared, 32 MiB a table."""


KEPT_BYTES = 256 << 20
"""Bytes of merged tables that are kept from one search to the next."""


@dataclass(frozen=True)
class LieTable:
    """The lies of one party, in units of the game.

    Parameters
    ----------
    party
        Its name.
    hidden
        What it hides, a row for each choice: counts by region of its own or, for equal-gain, of
        elements that only it owns and of others.
    truth
        Its utility if it reports its whole list.
    unseen
        Shape (rows, K): its utility if it invents k = 1, .., K elements and none is found.
    caught
        Shape (rows, J): its utility if it is caught and inspectors miss j = 0, .., J - 1 of them.
    unit
        What one unit is worth, in elements.
    """

    party: str
    hidden: NDArray[np.int64]
    truth: int
    unseen: NDArray[np.int64]
    caught: NDArray[np.int64]
    unit: Fraction

    @property
    def size(self) -> int:
        """How many lies there are."""
        return int(self.unseen.size)

    def merge_rows(self) -> LieTable:
        """Return a row for each utility of who is caught: the most that its lies bring unseen.

        Rate and deposit depend on nothing else. What is hidden is left out.
        """
        caught, groups = np.unique(self.caught, axis=0, return_inverse=True)
        order = np.argsort(groups.reshape(-1), kind="stable")
        starts = np.searchsorted(groups.reshape(-1)[order], np.arange(len(caught)))
        unseen = np.maximum.reduceat(self.unseen[order], starts, axis=0)
        nothing = np.zeros((len(caught), 0), np.int64)
        return replace(self, hidden=nothing, unseen=unseen, caught=caught)


class KeptTables:
    """The merged tables of all parties' lies: those that would not fit are made each time.

    Parameters
    ----------
    make
        Returns the tables, but for so many of the first.
    """

    def __init__(self, make: Callable[[int], Iterator[LieTable]]) -> None:
        self._make = make
        self._kept: list[tuple[LieTable, int]] = []
        self.lies = 0
        """How many lies there are, once all tables were made."""

    def __iter__(self) -> Iterator[LieTable]:
        yield from (table for table, _ in self._kept)
        lies = sum(size for _, size in self._kept)
        room = KEPT_BYTES - sum(
            table.unseen.nbytes + table.caught.nbytes for table, _ in self._kept
        )
        for table in self._make(len(self._kept)):
            lies += table.size
            merged = table.merge_rows()
            room -= merged.unseen.nbytes + merged.caught.nbytes
            if room >= 0:
                self._kept.append((merged, table.size))
            yield merged
        self.lies = lies


def count_lies(game: HidingGame, *, whole_lists: bool = False) -> int:
    """Return how many lies the party with the most of them has."""
    if game.rule.name in ("equal-gain", "two-party") and not whole_lists:
        alone = (game.regions.owned * (game.regions.owned.sum(axis=0) == 1)) @ game.regions.counts
        shared = game.regions.sizes - alone
        return int(((alone + 1) * (shared + 1)).max()) * game.regions.union
    parts = [
        2 if whole_lists else prod((game.regions.counts[game.regions.owned[i]] + 1).tolist())
        for i in range(len(game.players))
    ]
    return max(parts) * _count_invented(game)


def _count_invented(game: HidingGame) -> int:
    """Return how many invented elements are worth looking at: with more, nothing changes.

    From |u| on the liar is the largest party whatever it hides, every rival can be handed invented
    elements only, and V cannot be what holds it back. Mechanism 2 compares V of coalitions too.
    """
    return game.regions.union * (2 if game.rule.name == "all-or-nothing" else 1)


def tabulate_lies(
    game: HidingGame, i: int, *, whole_lists: bool = False, misses: bool = False
) -> LieTable:
    """Tabulate the lies of party i, the others truthful.

    Parameters
    ----------
    game
        Lists, rule and exclusivities.
    i
        Who lies.
    whole_lists
        Whether a party reports its whole list or nothing of it, beside what it invents.
    misses
        Whether inspectors can miss invented elements.

    Raises
    ------
    BudgetExceeded
        If there are more lies than `MOST_LIES`, or inspectors can miss more than `MOST_MISSED`.

    Examples
    --------
    >>> from aboveboard.exchange import RULES, Regions
    >>> lists = Regions.from_sets({"a": "xy", "b": "zw"})
    >>> game = HidingGame(lists, RULES["equal-gain"], (Fraction(1, 2),) * 2)
    >>> table = tabulate_lies(game, 0)
    >>> table.truth * table.unit, table.unseen.shape
    (Fraction(1, 1), (3, 4))
    """
    if count_lies(game, whole_lists=whole_lists) > MOST_LIES:
        raise BudgetExceeded(f"{game.players[i]} has too many lies to try them all")
    if misses and _count_invented(game) > MOST_MISSED:
        raise BudgetExceeded(f"{game.players[i]} can invent too many elements to try all misses")
    if game.rule.name in ("equal-gain", "two-party") and not whole_lists:
        return _tabulate_equal_gain(game, i, misses=misses)
    return _tabulate(game, i, whole_lists=whole_lists, misses=misses)


def _tabulate(game: HidingGame, i: int, *, whole_lists: bool, misses: bool) -> LieTable:
    most = _count_invented(game)
    inventing = game.with_inventing(most)
    counts = game.regions.counts[game.regions.owned[i]]
    if whole_lists:
        hidden = np.unique(np.stack([0 * counts, counts]), axis=0)
    else:
        grid = np.indices(tuple(counts + 1), dtype=np.int64)
        hidden = grid.reshape(len(counts), -1).T if len(counts) else np.zeros((1, 0), np.int64)
    truth = int(game.payoff_bounds(_truthful_columns(game))[1][0, i])
    numbers = np.arange(1, most + 1)
    missed = np.arange(most) if misses else np.zeros(1, dtype=np.int64)

    def value_unseen(columns: list[NDArray[np.int64]]) -> NDArray[np.int64]:
        high: NDArray[np.int64] = inventing.payoff_bounds(columns)[1][:, i]
        return high

    unseen = _value_all(inventing, i, hidden, numbers, value_unseen)
    caught = _value_all(inventing, i, hidden, missed, partial(_value_caught, inventing, i))
    return LieTable(game.players[i], hidden, truth, unseen, caught, game.unit)


def _value_all(
    game: HidingGame,
    i: int,
    hidden: NDArray[np.int64],
    invented: NDArray[np.int64],
    value: Callable[[list[NDArray[np.int64]]], NDArray[np.int64]],
) -> NDArray[np.int64]:
    """Return what `value` gives for each row of what i hides and each number that it invents."""
    found = np.empty((len(hidden), len(invented)), np.int64)
    step = max(1, ROWS_AT_A_TIME // max(1, len(invented)))
    for start in range(0, len(hidden), step):
        some = hidden[start : start + step]
        rows = np.repeat(some, len(invented), axis=0)
        columns = _make_columns(game, i, rows, np.tile(invented, len(some)))
        found[start : start + step] = value(columns).reshape(len(some), len(invented))
    return found


def _truthful_columns(game: HidingGame) -> list[NDArray[np.int64]]:
    return [np.array([game.truth(j)], dtype=np.int64) for j in range(len(game.players))]


def _make_columns(
    game: HidingGame, i: int, hidden: NDArray[np.int64], invented: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Return columns in which i hides and invents, and the others are truthful."""
    columns = _truthful_columns(game)
    columns[i] = np.column_stack([hidden, game.invented - invented])
    return columns


def _value_caught(game: HidingGame, i: int, columns: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the utility of party i that is handed nothing; its rivals get as little as can be."""
    n = len(game.players)
    owners, reported, counts = game.segments(columns)
    amounts = game.rule.apply(reported, counts, n)
    amounts[:, i] = 0
    low, _ = game.bound_benefits(owners, reported, counts, amounts)
    low[:, i] = 0
    payoffs: NDArray[np.int64] = compute_payoff_rows(low, find_best_rivals(low), game.exclusivity)
    return payoffs[:, i]


def _tabulate_equal_gain(game: HidingGame, i: int, *, misses: bool) -> LieTable:
    """Tabulate by how many elements are hidden that the party alone owns, and that others own.

    Parties are s_j large, m is the largest of the others, L = |u| - s_i. With a and b elements
    hidden, V' = |u| - a + k - max(m, s_i - a - b + k): the liar has at most min(V', L) of it, and
    its best rival at least V' - k.
    """
    regions = game.regions
    present = regions.sizes > 0
    others = np.delete(regions.sizes, i)
    largest, size, union = int(others.max(initial=0)), int(regions.sizes[i]), regions.union
    alone = int(regions.counts[regions.owned[i] & (regions.owned.sum(axis=0) == 1)].sum())
    a, b = np.meshgrid(np.arange(alone + 1), np.arange(size - alone + 1), indexing="ij")
    a, b = a.reshape(-1, 1), b.reshape(-1, 1)
    k = np.arange(1, union + 1)[None, :]
    j = np.arange(union)[None, :] if misses else np.zeros((1, 1), dtype=np.int64)

    def find_gain(invented: NDArray[np.int64]) -> NDArray[np.int64]:
        reported = np.maximum(largest, size - a - b + invented)
        gain: NDArray[np.int64] = union - a + invented - reported
        return gain

    rivals = bool(np.delete(present, i).any())
    lack = union - size
    scale = game.unit.denominator
    weight = int(game.exclusivity[i] * scale)
    unseen = np.minimum(find_gain(k), lack) * scale
    after = find_gain(j)
    before = union - int(regions.sizes.max(initial=0))
    if rivals:
        unseen = unseen - np.maximum(find_gain(k) - k, 0) * weight
    caught = -np.maximum(after - j, 0) * weight * rivals
    truth = (before * scale if present[i] else 0) - before * weight * rivals
    return LieTable(game.players[i], np.hstack([a, b]), truth, unseen, caught + 0 * a, game.unit)
