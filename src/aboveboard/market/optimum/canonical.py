"""Of all optimal allocations the canonical one: the lightest by `tie_weights`.

What: the same market gives the same allocation whatever the solver, its version and its luck. Two
ways: `weigh_objective` puts welfare and weights into one objective, so that one solve does both,
where such numbers fit into the solver's; `find_lightest` searches the lightest of the allocations
that have the optimum's welfare by a second solve.
"""

from __future__ import annotations

from collections.abc import Callable

from aboveboard.market.model.markets import Allocation, Market, social_welfare
from aboveboard.market.optimum.integer_programme import Constraint, IntegerProgramme
from aboveboard.market.optimum.solvers import Solver
from aboveboard.market.optimum.tie_weights import TieWeights

SecondsLeft = Callable[[], float | None]
"""Gives the seconds that may still be used; None for no limit."""

SLACK = 64
"""How far a bound in floats may lie below a drawn weight that is still called the least.

Another optimal allocation within it has a chance of some 100 V / 2^28 for V variables.
"""


def weigh_objective(programme: IntegerProgramme, weights: TieWeights) -> IntegerProgramme:
    """Return the programme whose optimum is the lightest allocation of the largest welfare.

    Its objective is `weights.most` times the welfare, less the weight.
    """
    scale = weights.most
    return programme.with_objective(
        scale * value - weights.weigh_bundle(*award)
        for value, award in zip(programme.objective, programme.awards, strict=True)
    )


def find_lightest(
    market: Market,
    programme: IntegerProgramme,
    weights: TieWeights,
    optimal: Allocation,
    solve: Solver,
    seconds_left: SecondsLeft,
) -> tuple[Allocation, bool]:
    """Return the canonical allocation, and whether that is proved.

    Parameters
    ----------
    market, programme, weights
        The market, what `build_programme` makes of it, and what `weigh_ties` does.
    optimal
        An optimal allocation.
    solve
        The solver.
    seconds_left
        Of the time limit.
    """
    weight = weights.weigh_allocation(optimal)
    if weight == 0:
        return optimal, True
    left = seconds_left()
    if left is not None and left <= 0:
        return optimal, False
    welfare = social_welfare(market, optimal)
    enough = Constraint(
        tuple((v, c) for v, c in enumerate(programme.objective) if c), welfare, None
    )
    lightest = programme.with_rows([enough]).with_objective(
        -weights.weigh_bundle(*award) for award in programme.awards
    )
    found = solve(lightest, left)
    if found.solution is not None:
        other = programme.allocation(found.solution)
        if social_welfare(market, other) == welfare:  # else a solver's rounding
            optimal = min(optimal, other, key=weights.weigh_allocation)
    slack = 0 if weights.ordered else SLACK
    weight = weights.weigh_allocation(optimal)
    return optimal, found.bound is not None and weight + found.bound <= slack
