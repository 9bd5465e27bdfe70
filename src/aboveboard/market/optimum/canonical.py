"""Of all optimal allocations the canonical one, by lexicographic solves.

What: the first optimal allocation in canonical order (`integer_programme.order_owners`), so that
the same market gives the same allocation whatever the solver, its version and its luck. Three steps
of growing cost, each of which may prove that it is done:

1. Good by good, an earlier owner who leaves the welfare as it is. No solver.
2. The programme again, under the condition that some good goes to an earlier owner than now. In
   most real markets its optimum is lower, which takes about as long to prove as the first.
3. The programme of optimal allocations before this one, as early in the list of goods as can be,
   until there is none: at most one solve a good, each with more goods fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from aboveboard.market.model.markets import (
    DESTROYED,
    Allocation,
    Market,
    bundles_by_player,
    social_welfare,
)
from aboveboard.market.optimum.integer_programme import IntegerProgramme, Row
from aboveboard.market.optimum.solvers import Solver

SecondsLeft = Callable[[], float | None]
"""Gives the seconds that may still be used; None for no limit."""


def find_canonical(
    market: Market,
    programme: IntegerProgramme,
    optimal: Allocation,
    solve: Solver,
    seconds_left: SecondsLeft,
) -> tuple[Allocation, bool]:
    """Return the first optimal allocation in canonical order, and whether that is proved.

    Parameters
    ----------
    market, programme
        The market, and what `build_programme` makes of it.
    optimal
        An optimal allocation.
    solve
        The solver.
    seconds_left
        Of the time limit.
    """
    welfare = social_welfare(market, optimal)
    while True:
        optimal = _move_to_earliest(market, programme, optimal)
        another = _require_earlier_good(programme, optimal)
        if another is None:
            return optimal, True
        left = seconds_left()
        if left is not None and left <= 0:
            return optimal, False
        found = solve(another, left)
        if found.infeasible or (found.bound is not None and found.bound < welfare):
            return optimal, True
        if found.solution is None:
            return optimal, False
        other = programme.allocation(found.solution)
        if social_welfare(market, other) != welfare or _rank_owners(
            programme, other
        ) >= _rank_owners(programme, optimal):
            return _search_step_by_step(programme, optimal, welfare, solve, seconds_left)
        optimal = other


def _move_to_earliest(
    market: Market, programme: IntegerProgramme, optimal: Allocation
) -> Allocation:
    """Move each good to the earliest owner that leaves the welfare as it is."""
    held = list(bundles_by_player(market, optimal))
    owners = list(optimal)

    def value(owner: int, bundle: int) -> int:
        return 0 if owner == DESTROYED else market.valuations[owner].value(bundle)

    for g, options in enumerate(programme.options):
        now = owners[g]
        without = 0 if now == DESTROYED else held[now] & ~(1 << g)
        loss = 0 if now == DESTROYED else value(now, held[now]) - value(now, without)
        for owner, _ in options:
            if owner == now:
                break
            more = 0 if owner == DESTROYED else held[owner] | 1 << g
            gain = 0 if owner == DESTROYED else value(owner, more) - value(owner, held[owner])
            if gain == loss:
                owners[g] = owner
                if now != DESTROYED:
                    held[now] = without
                if owner != DESTROYED:
                    held[owner] = more
                break
    return tuple(owners)


def _rank_owners(programme: IntegerProgramme, allocation: Allocation) -> list[int]:
    """Return each good's place among its options; their lexicographic order is canonical."""
    pairs = zip(programme.options, programme.choices(allocation), strict=True)
    return [[v for _, v in options].index(choice) for options, choice in pairs]


def _require_earlier_good(
    programme: IntegerProgramme, optimal: Allocation
) -> IntegerProgramme | None:
    """Ask for some good at an earlier owner; None if every good is at its first."""
    ranks = _rank_owners(programme, optimal)
    earlier = tuple(
        (variable, 1)
        for options, rank in zip(programme.options, ranks, strict=True)
        for _, variable in options[:rank]
    )
    if not earlier:
        return None
    return programme.with_rows([Row(earlier, 1, None)])


def _search_step_by_step(
    programme: IntegerProgramme,
    optimal: Allocation,
    welfare: int,
    solve: Solver,
    seconds_left: SecondsLeft,
) -> tuple[Allocation, bool]:
    """Return the first of all, fixing one more good with every solve."""
    settled = 0
    while settled < len(optimal):
        left = seconds_left()
        if left is not None and left <= 0:
            return optimal, False
        earlier, moves = _build_earlier_programme(programme, optimal, welfare, settled)
        if not moves:
            return optimal, True
        found = solve(earlier, left)
        if found.infeasible:
            return optimal, True
        if found.solution is None:
            return optimal, False
        optimal = programme.allocation(found.solution)
        pivot = next(good for variable, good in moves.items() if found.solution[variable])
        objective = sum(c * v for c, v in zip(earlier.objective, found.solution, strict=True))
        if found.bound is None or objective < found.bound:
            return optimal, False  # cut short: an earlier one may exist
        settled = pivot + 1
    return optimal, True


def _build_earlier_programme(
    programme: IntegerProgramme, optimal: Allocation, welfare: int, settled: int
) -> tuple[IntegerProgramme, dict[int, int]]:
    """Return the programme of optimal allocations before this one, and the pivots' goods.

    The goods up to `settled` stay. A pivot is a variable that says: this is the first good that
    differs, and it goes to this owner, whom it prefers to the present one.
    """
    present = programme.choices(optimal)
    first = len(programme.objective)
    moves: dict[int, int] = {}
    rows = [
        Row(tuple((v, c) for v, c in enumerate(programme.objective) if c), welfare, None),
        *(Row(((present[g], 1),), 1, None) for g in range(settled)),
    ]
    penalty = []
    for g in range(settled, len(optimal)):
        for rank, (_, variable) in enumerate(programme.options[g]):
            if variable == present[g]:
                break
            pivot = first + len(moves)
            rows.append(Row(((variable, 1), (pivot, -1)), 0, None))
            moves[pivot] = g
            penalty.append(-(g * (1 + max(map(len, programme.options))) + rank))
    rows.append(Row(tuple((pivot, 1) for pivot in moves), 1, 1))
    for g in range(settled, len(optimal)):  # before the pivot nothing changes
        later = tuple((pivot, -1) for pivot, good in moves.items() if good > g)
        if later:
            rows.append(Row(((present[g], 1), *later), 0, None))
    earlier = replace(programme, objective=(*([0] * first), *penalty)).with_rows(rows)
    return earlier, moves
