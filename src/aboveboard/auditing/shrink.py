"""Smaller counterexamples: fewer deviators, fewer others off their truth, a smaller lie.

Each pass keeps what it has as long as the smaller row still pays; together they end at a row that
no single pass can shrink. The ideas are those of hypothesis' shrinkers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from aboveboard.auditing.gains import exact_gain, gains
from aboveboard.auditing.rows import Deviation
from aboveboard.auditing.valuation import Valuation, settles_ties
from aboveboard.game import Action, Exact, Game, Grid, Number, position_of, worth

SIMPLER = 64  # smaller reports tried for one player in one pass


def shrink(game: Game, deviation: Deviation, threshold: Number, tolerance: float) -> Deviation:
    """Give the smallest row reached from `deviation` that still pays more than `threshold`.

    Cost: a few hundred profiles valued.
    """
    valuation = Valuation(game)
    current, shrunk = deviation, True
    while shrunk:
        shrunk = False
        for candidate in _candidates(valuation, current):
            valued = value(valuation, candidate)
            if pays(valued.gain, threshold, tolerance):
                current, shrunk = valued, True
                break
    return current


def pays(gain: Number, threshold: Number, tolerance: float) -> bool:
    """Say whether a gain exceeds the threshold by more than rounding could."""
    excess = gain - threshold
    return excess > 0 if tolerance == 0 else excess > tolerance


def value(valuation: Valuation, deviation: Deviation) -> Deviation:
    """Value one row: the same deviation with its gain."""
    game, part = valuation.game, deviation.part
    if settles_ties(game) and isinstance(game, Exact):
        return replace(deviation, gain=exact_gain(game, part, deviation.honest, deviation.lying))
    there = deviation.honest if part.outside is not None else deviation.lying
    joint, unclear = gains(
        valuation, part, valuation.columns(deviation.honest), valuation.columns(there)
    )
    raw = 0 if unclear[0] else joint[0]
    return replace(deviation, gain=worth(raw, valuation.unit))


def _candidates(valuation: Valuation, row: Deviation) -> Iterator[Deviation]:
    game, members = valuation.game, row.part.members
    truth = tuple(game.truth(i) for i in range(len(valuation.spaces)))
    if len(members) > 1:
        for i in members:
            yield _leaving(row, i, truth[i])
    others = [j for j in range(len(truth)) if j not in members and row.lying[j] != truth[j]]
    for j in others:
        yield _with(row, j, truth[j])
    if row.part.outside is None:
        for i, lies in zip(members, row.part.lies, strict=True):
            for action in _simpler(valuation.spaces[i], row.lying[i], truth[i]):
                if action in lies:
                    yield _with(row, i, action)
    for j in others:
        for action in _simpler(valuation.spaces[j], row.lying[j], truth[j]):
            yield _with(row, j, action)


def _leaving(row: Deviation, i: int, truth: Any) -> Deviation:
    """Give the row in which a member leaves the coalition and tells the truth."""
    part = row.part
    kept = [k for k, member in enumerate(part.members) if member != i]
    smaller = replace(
        part,
        members=tuple(part.members[k] for k in kept),
        lies=tuple(part.lies[k] for k in kept),
    )
    lying = (*row.lying[:i], truth, *row.lying[i + 1 :])
    return Deviation(smaller, row.honest, lying, row.gain)


def _with(row: Deviation, i: int, action: Any) -> Deviation:
    """Give the row with one player's action changed."""
    lying = (*row.lying[:i], action, *row.lying[i + 1 :])
    honest = row.honest
    if i not in row.part.members:
        honest = (*honest[:i], action, *honest[i + 1 :])
    return Deviation(row.part, honest, lying, row.gain)


def _simpler(space: Sequence[Action], action: Action, truth: Action) -> Iterator[Action]:
    """Yield reports that are nearer to the truth (vectors) or earlier in the list."""
    if not isinstance(space, Grid):
        for k in range(min(position_of(space, action), SIMPLER)):
            if space[k] != truth:
                yield space[k]
        return
    for k, (entry, goal) in enumerate(zip(action, truth, strict=True)):
        if entry == goal:
            continue
        halfway = goal + int((entry - goal) / 2)
        for nearer in dict.fromkeys((goal, halfway, entry - (1 if entry > goal else -1))):
            simpler = (*action[:k], nearer, *action[k + 1 :])
            if nearer != entry and simpler != truth:
                yield simpler
