"""Smaller counterexamples: fewer deviators, fewer others off their truth, a smaller lie.

Each pass keeps what it has as long as the smaller row still pays; together they end at a row that
no single pass can shrink. The ideas are those of hypothesis' shrinkers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from math import inf
from time import perf_counter
from typing import Any

from aboveboard.auditing.gains import compute_gains
from aboveboard.auditing.payoff_reader import PayoffReader
from aboveboard.auditing.rows import Deviation
from aboveboard.games.actions import Action, Codes, Grid, encode_all, find_position
from aboveboard.games.capabilities import HasBatches, OneOutcome
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number, from_units

FIRST_ROWS = 8  # rows valued in the first batch of a pass
FIRST_IN_ONE_OUTCOME = 2  # the same where each row is compared for itself
SIMPLER = 64  # smaller reports tried for one player in one pass

Shrinker = Callable[[Deviation], Deviation | None]
"""A smaller row made of a row; None where it changes nothing."""

Simplification = Callable[[Action], Action | None]
"""A simpler report made of a report; None where it is not one."""


def shrink(
    game: Game, deviation: Deviation, threshold: Number, tolerance: float, end: float = inf
) -> Deviation:
    """Return the smallest row reached from `deviation` that still pays more than `threshold`.

    No smaller one is looked for after `end`, as `perf_counter` counts.

    Cost: for a vector of d entries that differ from the truth, of which r must, some d log d rows,
    and r log d in the last pass; rows are valued in batches where the game can.
    """
    valuation = PayoffReader(game)
    valuation.end = end
    smallest: Deviation = deviation
    before = None
    while smallest is not before:
        before = smallest
        smallest = _take_steps(
            valuation, smallest, _list_leaves(valuation, smallest), (threshold, tolerance)
        )
        smallest = _take_steps(
            valuation, smallest, _list_simplifications(valuation, smallest), (threshold, tolerance)
        )
    return smallest


def _take_steps(
    valuation: PayoffReader,
    row: Deviation,
    steps: Iterable[Shrinker],
    limit: tuple[Number, float],
) -> Deviation:
    """Return the row after all steps that leave it paying, each as often as it does.

    Steps are tried several at once, as if none of them paid; batches grow, and begin anew after
    one that does, with what the steps behind it make of the row then.
    """
    first = FIRST_IN_ONE_OUTCOME if isinstance(valuation.game, OneOutcome) else FIRST_ROWS
    left, waiting, width = iter(steps), list[Shrinker](), first
    while waiting := [*waiting, *islice(left, max(0, width - len(waiting)))]:
        if valuation.end < inf and perf_counter() > valuation.end:
            return row
        made = [(k, after) for k, step in enumerate(waiting[:width]) if (after := step(row))]
        paying = _find_first_that_pays(valuation, [after for _, after in made], *limit)
        if paying is None:
            waiting, width = waiting[width:], 2 * width
        else:
            place, row = paying
            waiting, width = waiting[made[place][0] :], first
    return row


def _find_first_that_pays(
    valuation: PayoffReader, rows: list[Deviation], threshold: Number, tolerance: float
) -> tuple[int, Deviation] | None:
    """Return the first of some rows that still pays, valued, and where it stands."""
    for k, valued in enumerate(_value_rows(valuation, rows)):
        if exceeds(valued.gain, threshold, tolerance):
            return k, valued
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


def _list_leaves(valuation: PayoffReader, row: Deviation) -> Iterator[Shrinker]:
    """Yield the steps in which one member leaves the coalition."""
    for i in row.part.members:
        yield partial(_remove_member, i=i, truth=valuation.game.truth(i))


def _list_simplifications(valuation: PayoffReader, row: Deviation) -> Iterator[Shrinker]:
    """Yield the steps in which one report is nearer to the truth, the others' reports first."""
    game, members = valuation.game, row.part.members
    truth = [game.truth(i) for i in range(len(valuation.spaces))]
    others = [j for j in range(len(truth)) if j not in members and row.lying[j] != truth[j]]
    for j in others:
        yield partial(_change_report, j=j, simplify=partial(_take_truth, truth=truth[j]))
    for j in (*(members if row.part.outside is None else ()), *others):
        for simplify in _list_simpler_reports(valuation.spaces[j], row.lying[j], truth[j]):
            yield partial(_change_report, j=j, simplify=simplify)


def _change_report(row: Deviation, j: int, simplify: Simplification) -> Deviation | None:
    """Return the row with a simpler report of player j; None without one, or if it is not a lie."""
    action = simplify(row.lying[j])
    members = row.part.members
    if action is None or (j in members and action not in row.part.lies[members.index(j)]):
        return None
    return _replace_action(row, j, action)


def _take_truth(action: Action, truth: Action) -> Action | None:
    """Return the truth, where the report is another."""
    return None if action == truth else truth


def _remove_member(row: Deviation, i: int, truth: Any) -> Deviation | None:
    """Return the row in which a member leaves the coalition and tells the truth."""
    part = row.part
    if part.members == (i,) or i not in part.members:
        return None
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
) -> Iterator[Simplification]:
    """Yield what makes reports nearer to the truth (vectors) or earlier in the list."""
    if not isinstance(space, Grid):
        for k in range(min(find_position(space, action), SIMPLER)):
            if space[k] != truth:
                yield partial(_take_earlier, space=space, truth=truth, k=k)
        return
    lies = [k for k, (entry, goal) in enumerate(zip(action, truth, strict=True)) if entry != goal]
    # Of a thousand entries few matter: first all of a half at once, of a quarter, ..
    width = len(lies) // 2
    while width > 1:
        for start in range(0, len(lies), width):
            yield partial(_correct_entries, truth=truth, entries=lies[start : start + width])
        width //= 2
    for k in lies:
        # Cuts by all, a half, a quarter, .. and one: an entry settles in as many rounds as it
        # has digits, wherever the smallest that pays lies.
        for halvings in range(abs(action[k] - truth[k]).bit_length()):
            yield partial(_cut_entry, truth=truth, k=k, halvings=halvings)


def _take_earlier(action: Action, space: Sequence[Action], truth: Action, k: int) -> Action | None:
    """Return the action at position k, where it comes before this one, which is a lie."""
    return space[k] if action != truth and k < find_position(space, action) else None


def _correct_entries(
    action: tuple[int, ...], truth: tuple[int, ...], entries: Sequence[int]
) -> tuple[int, ...] | None:
    """Return the vector with the truth in these entries, where it has more lies."""
    nearer = list(action)
    for k in entries:
        nearer[k] = truth[k]
    return _unless_trivial(tuple(nearer), action, truth)


def _cut_entry(
    action: tuple[int, ...], truth: tuple[int, ...], k: int, halvings: int
) -> tuple[int, ...] | None:
    """Return the vector with one entry nearer to the truth, by so small a part of the way."""
    gap = action[k] - truth[k]
    cut = (abs(gap) >> halvings) * (1 if gap > 0 else -1)
    return _unless_trivial((*action[:k], action[k] - cut, *action[k + 1 :]), action, truth)


def _unless_trivial(
    nearer: tuple[int, ...], action: tuple[int, ...], truth: tuple[int, ...]
) -> tuple[int, ...] | None:
    return None if nearer in (action, truth) else nearer
