"""The rows of an audit: who deviates, to what, against what; all of them or a sample.

A row is one check: a coalition, what it should report, what it reports instead, and what everybody
else reports. The rows of a property come in parts, one for each coalition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing.payoff_reader import CHUNK, PayoffReader
from aboveboard.games.actions import (
    AWAY,
    Action,
    Codes,
    Grid,
    count_actions,
    draw,
    encode_positions,
    find_position,
    unravel,
)
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number

WIDE = 256
"""Entries of a row from which on a sample is drawn and valued in several batches."""

CELLS = 1 << 17
"""Entries of such rows held at once: in the cache, and a limit of time is kept."""


@dataclass(frozen=True)
class DeviationSet:
    """All deviations of one coalition.

    Parameters
    ----------
    members
        Positions of the players who deviate together.
    lies
        For each member the actions it may turn to (the truth among them is not a deviation).
    others_free
        True: against every report of the others; False: against their truth.
    transfers
        True: a deviation pays if the members gain together; False: if each of them gains.
    outside
        What the only member has when it stays away, where that is not an action: then this is
        its one deviation, and `lies` is not looked at.
    """

    members: tuple[int, ...]
    lies: tuple[Sequence[Action], ...]
    others_free: bool = False
    transfers: bool = False
    outside: Number | None = None


@dataclass(frozen=True)
class Deviation:
    """One row, valued.

    Parameters
    ----------
    part
        The rows that it is one of: who deviates.
    honest, lying
        What everybody reports without and with the deviation.
    gain
        What it brings; for a coalition what each member gains at least, or all with transfers.
    """

    part: DeviationSet
    honest: tuple[Action, ...]
    lying: tuple[Action, ...]
    gain: Number


def count_rows(game: Game, part: DeviationSet) -> int:
    """Count the rows of a part: deviations times what the others may report."""
    if part.outside is not None:
        rows = 1
    else:
        rows = prod(count_actions(actions) for actions in part.lies)
        if all(game.truth(i) in lies for i, lies in zip(part.members, part.lies, strict=True)):
            rows -= 1
    if part.others_free:
        others = (j for j in range(len(game.players)) if j not in part.members)
        rows *= prod(count_actions(game.actions(j)) for j in others)
    return rows


def iterate_blocks(valuation: PayoffReader, part: DeviationSet) -> Iterator[list[Codes]]:
    """Yield all lying profiles of a part, a chunk at a time."""
    free = _list_free(valuation, part)
    counts = [count_actions(actions) for _, actions in free]
    total = prod(counts)
    for start in range(0, total, CHUNK):
        positions = unravel(np.arange(start, min(start + CHUNK, total)), counts)
        columns = list(valuation.truth)
        for (j, actions), where in zip(free, positions, strict=True):
            columns[j] = _translate(valuation, j, actions, encode_positions(actions, where))
        yield _drop_truth(valuation, part, columns)


def list_lies(valuation: PayoffReader, part: DeviationSet) -> list[Codes]:
    """Return each member's actions in all rows of a part, the others truthful."""
    counts = [count_actions(actions) for actions in part.lies]
    positions = unravel(np.arange(prod(counts)), counts)
    columns = [
        _translate(valuation, i, actions, encode_positions(actions, where))
        for i, actions, where in zip(part.members, part.lies, positions, strict=True)
    ]
    return _keep_lies(valuation, part, columns, columns)


def draw_rows(
    valuation: PayoffReader,
    part: DeviationSet,
    samples: int,
    generator: np.random.Generator,
    *,
    extreme: bool,
) -> Iterator[list[Codes]]:
    """Yield lying profiles drawn uniformly, or, of vectors, among the extreme ones."""
    free = _list_free(valuation, part)
    if extreme and not any(isinstance(actions, Grid) for _, actions in free):
        return
    step = _find_step(free)
    for start in range(0, samples, step):
        m = min(step, samples - start)
        columns = list(valuation.truth)
        wide = step < samples
        quiet = generator.random(m) * (generator.random(m) < 0.5) if wide and extreme else None
        for j, actions in free:
            if extreme and isinstance(actions, Grid):
                columns[j] = _draw_extremes(actions, m, generator)
                if quiet is not None:
                    truth = valuation.truth[j]
                    if j in part.members:
                        _simplify_half(columns[j], actions, truth[0], generator)
                    else:
                        columns[j][generator.random(m) < quiet] = truth
            else:
                columns[j] = _translate(valuation, j, actions, draw(actions, m, generator))
        yield _drop_truth(valuation, part, columns)


def _find_step(free: Sequence[tuple[int, Sequence[Action]]]) -> int:
    """Return how many rows are drawn at once: a power of two where rows are wide."""
    width = sum(len(a.sizes) if isinstance(a, Grid) else 1 for _, a in free)
    return CHUNK if width <= WIDE else max(1, 1 << (CELLS // width).bit_length())


def are_split(valuation: PayoffReader, part: DeviationSet, samples: int) -> bool:
    """Return whether a sample of a part comes in several batches, because its rows are wide."""
    return _find_step(_list_free(valuation, part)) < min(samples, CHUNK)


def count_profiles_in(columns: Sequence[Codes]) -> int:
    """Count the rows of columns, of which some may have length 1 and stand for all rows."""
    lengths = [len(column) for column in columns]
    return 0 if 0 in lengths else max(lengths)


def _list_free(valuation: PayoffReader, part: DeviationSet) -> list[tuple[int, Sequence[Action]]]:
    """Return the players whose action varies in a part, with what it varies over."""
    free: list[tuple[int, Sequence[Action]]] = []
    if part.outside is None:
        free += zip(part.members, part.lies, strict=True)
    if part.others_free:
        free += [(j, s) for j, s in enumerate(valuation.spaces) if j not in part.members]
    return free


def _translate(valuation: PayoffReader, j: int, actions: Sequence[Action], codes: Codes) -> Codes:
    """Translate positions in a list of lies to positions in the player's own actions."""
    space = valuation.spaces[j]
    if isinstance(space, Grid):
        if isinstance(actions, Grid):
            return codes
        vectors = np.array([actions[int(c)] for c in codes], dtype=np.int64)
        return vectors.reshape(len(codes), len(space.sizes))
    if count_actions(actions) == count_actions(space):
        return codes
    return np.array([find_position(space, action) for action in actions], dtype=np.int64)[codes]


def _drop_truth(valuation: PayoffReader, part: DeviationSet, columns: list[Codes]) -> list[Codes]:
    """Drop the rows in which every member tells the truth."""
    if part.outside is not None:
        return columns
    return _keep_lies(valuation, part, [columns[i] for i in part.members], columns)


def _keep_lies(
    valuation: PayoffReader, part: DeviationSet, own: Sequence[Codes], columns: list[Codes]
) -> list[Codes]:
    """Return columns without the rows in which the members' own columns all have the truth."""
    lying: NDArray[np.bool_] | None = None
    for i, column in zip(part.members, own, strict=True):
        differs = column != valuation.truth[i]
        lies = differs.any(axis=1) if differs.ndim == 2 else differs
        lying = lies if lying is None else lying | lies
    if lying is None or bool(lying.all()):
        return columns
    keep = np.flatnonzero(lying)
    return [c[keep] if len(c) == len(lying) else c for c in columns]


def _draw_extremes(grid: Grid, m: int, generator: np.random.Generator) -> Codes:
    """Draw vectors whose entries are at or next to their ends: lies are rarely lukewarm."""
    sizes = np.array(grid.sizes, dtype=np.int64)
    ends = np.stack([0 * sizes, np.minimum(1, sizes), np.maximum(sizes - 1, 0), sizes])
    # Each row leans to the truth-like end or away from it, so that rows with one or two entries
    # off the ends come up among many entries.
    lean = generator.random((m, 1))
    away = generator.random((m, len(sizes))) < lean
    nudge = generator.random((m, len(sizes))) < 0.25
    picked: Codes = ends[2 * away + (nudge ^ away), np.arange(len(sizes))]
    return picked


def _simplify_half(
    rows: Codes, grid: Grid, truth: NDArray[np.int64], generator: np.random.Generator
) -> None:
    """Turn half of the vectors into lies that differ from the truth by one in one entry."""
    chosen = np.flatnonzero(generator.random(len(rows)) < 0.5)
    entries = generator.integers(0, len(truth), size=len(chosen))
    sizes = np.array(grid.sizes, dtype=np.int64)
    rows[chosen] = truth
    up = truth[entries] < sizes[entries]
    rows[chosen, entries] += np.where(up, 1, -1)


def name_row(game: Game, name: str, row: Deviation) -> str:
    """Return the name of a row: property, who deviates, and the profile's positions."""
    who = "+".join(game.players[i] for i in row.part.members)
    return f"{name}/{who}/{name_profile(game, row.lying)}"


def name_profile(game: Game, profile: Sequence[Action]) -> str:
    """Return the name of a profile: the positions of its actions, vectors as they are."""
    names = []
    for i, action in enumerate(profile):
        space = game.actions(i)
        if isinstance(space, Grid):
            names.append(str(action).replace(" ", ""))
        elif action is AWAY and action not in space:
            names.append("away")
        else:
            names.append(str(find_position(space, action)))
    return f"({','.join(names)})"
