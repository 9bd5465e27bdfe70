"""Smaller counterexamples: fewer deviators, fewer others off their truth, a smaller lie.

Each pass keeps what it has as long as the smaller row still pays; together they end at a row that
no single pass can shrink. The ideas are those of hypothesis' shrinkers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from math import inf
from time import perf_counter
from typing import Any

from aboveboard.auditing.gains import compute_gains
from aboveboard.auditing.payoff_reader import PayoffReader
from aboveboard.auditing.rows import Deviation
from aboveboard.games.actions import Action, Codes, Grid, encode_all, find_position
from aboveboard.games.capabilities import HasBatches
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number, from_units

FIRST = 8  # rows valued in the first batch of a pass
SIMPLER = 64  # smaller reports tried for one player in one pass


def shrink(
    game: Game, deviation: Deviation, threshold: Number, tolerance: float, end: float = inf
) -> Deviation:
    """Return the smallest row reached from `deviation` that still pays more than `threshold`.

    No smaller one is looked for after `end`, as `perf_counter` counts.

    Cost: for a vector of d entries that differ from the truth, of which r must, some r log d
    rounds, each of at most d log d rows; rows are valued in batches where the game can.
    """
    valuation = PayoffReader(game)
    valuation.end = end
    current: Deviation | None = deviation
    while current is not None:
        smallest = current
        current = _find_first_that_pays(
            valuation, _list_smaller_coalitions(valuation, smallest), threshold, tolerance
        )
        if current is None:
            rows = _list_simpler_rows(valuation, smallest)
            current = _find_first_that_pays(valuation, rows, threshold, tolerance)
    return smallest


def _find_first_that_pays(
    valuation: PayoffReader, rows: Iterable[Deviation], threshold: Number, tolerance: float
) -> Deviation | None:
    """Return the first of some rows that still pays, valued; None if none does.

    Batches grow, since the first that pays often comes early.
    """
    left, width = iter(rows), FIRST
    while batch := list(islice(left, width)):
        if valuation.end < inf and perf_counter() > valuation.end:
            return None
        for valued in _value_rows(valuation, batch):
            if exceeds(valued.gain, threshold, tolerance):
                return valued
        width *= 2
    return None


def _value_rows(valuation: PayoffReader, rows: list[Deviation]) -> Iterator[Deviation]:
    """Value rows: in one call if they have one part and the game values profiles in batches."""
    game = valuation.game
    together = isinstance(game, HasBatches) and len(rows) > 1
    if not together or any(
        row.part != rows[0].part or row.part.outside is not None for row in rows
    ):
        yield from (value_deviation(valuation, row) for row in rows)
        return
    joint, unclear = compute_gains(
        valuation,
        rows[0].part,
        _stack(valuation, [row.honest for row in rows]),
        _stack(valuation, [row.lying for row in rows]),
    )
    for row, gain, open_ in zip(rows, joint, unclear, strict=True):
        yield replace(row, gain=from_units(0 if open_ else gain, valuation.unit))


def _stack(valuation: PayoffReader, profiles: list[tuple[Action, ...]]) -> list[Codes]:
    if all(profile is profiles[0] for profile in profiles):
        return valuation.columns(profiles[0])
    return [
        encode_all(space, [profile[i] for profile in profiles])
        for i, space in enumerate(valuation.spaces)
    ]


def exceeds(gain: Number, threshold: Number, tolerance: float) -> bool:
    """Return whether a gain exceeds the threshold by more than rounding could."""
    excess = gain - threshold
    return excess > 0 if tolerance == 0 else excess > tolerance


def value_deviation(valuation: PayoffReader, deviation: Deviation) -> Deviation:
    """Value one row: the same deviation with its gain."""
    part = deviation.part
    there = deviation.honest if part.outside is not None else deviation.lying
    joint, unclear = compute_gains(
        valuation, part, valuation.columns(deviation.honest), valuation.columns(there)
    )
    raw = 0 if unclear[0] else joint[0]
    return replace(deviation, gain=from_units(raw, valuation.unit))


def _list_smaller_coalitions(valuation: PayoffReader, row: Deviation) -> list[Deviation]:
    """Return the rows in which one member has left the coalition."""
    members = row.part.members
    if len(members) == 1:
        return []
    return [_remove_member(row, i, valuation.game.truth(i)) for i in members]


def _list_simpler_rows(valuation: PayoffReader, row: Deviation) -> Iterator[Deviation]:
    """Return the rows in which one report is nearer to the truth, the others' reports first."""
    game, members = valuation.game, row.part.members
    truth = tuple(game.truth(i) for i in range(len(valuation.spaces)))
    others = [j for j in range(len(truth)) if j not in members and row.lying[j] != truth[j]]
    for j in others:
        yield _replace_action(row, j, truth[j])
    if row.part.outside is None:
        for i, lies in zip(members, row.part.lies, strict=True):
            for action in _list_simpler_reports(valuation.spaces[i], row.lying[i], truth[i]):
                if action in lies:
                    yield _replace_action(row, i, action)
    for j in others:
        for action in _list_simpler_reports(valuation.spaces[j], row.lying[j], truth[j]):
            yield _replace_action(row, j, action)


def _remove_member(row: Deviation, i: int, truth: Any) -> Deviation:
    """Return the row in which a member leaves the coalition and tells the truth."""
    part = row.part
    kept = [k for k, member in enumerate(part.members) if member != i]
    smaller = replace(
        part,
        members=tuple(part.members[k] for k in kept),
        lies=tuple(part.lies[k] for k in kept),
    )
    lying = (*row.lying[:i], truth, *row.lying[i + 1 :])
    return Deviation(smaller, row.honest, lying, row.gain)


def _replace_action(row: Deviation, i: int, action: Any) -> Deviation:
    """Return the row with one player's action changed."""
    lying = (*row.lying[:i], action, *row.lying[i + 1 :])
    honest = row.honest
    if i not in row.part.members:
        honest = (*honest[:i], action, *honest[i + 1 :])
    return Deviation(row.part, honest, lying, row.gain)


def _list_simpler_reports(
    space: Sequence[Action], action: Action, truth: Action
) -> Iterator[Action]:
    """Yield reports that are nearer to the truth (vectors) or earlier in the list."""
    if not isinstance(space, Grid):
        for k in range(min(find_position(space, action), SIMPLER)):
            if space[k] != truth:
                yield space[k]
        return
    lies = [k for k, (entry, goal) in enumerate(zip(action, truth, strict=True)) if entry != goal]
    # Of a thousand entries few matter: first all of a half at once, of a quarter, ..
    width = len(lies) // 2
    while width > 1:
        for start in range(0, len(lies), width):
            nearer = list(action)
            for k in lies[start : start + width]:
                nearer[k] = truth[k]
            yield tuple(nearer)
        width //= 2
    for k in lies:
        entry, goal = action[k], truth[k]
        # Cuts by all, a half, a quarter, .. and one: an entry settles in as many rounds as it
        # has digits, wherever the smallest that pays lies.
        step = 1 if entry > goal else -1
        cut = abs(entry - goal)
        while cut:
            simpler = (*action[:k], entry - step * cut, *action[k + 1 :])
            if simpler != truth:
                yield simpler
            cut //= 2
