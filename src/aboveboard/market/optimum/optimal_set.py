"""All socially optimal allocations of a market, and the truthful outcomes that belong to them.

What: the allocations of the largest welfare, found one after the other: each search forbids those
found before. Source: Azar, Chen, Micali (2011), section 3.3, and Definition 7 for the outcomes.
"""

from __future__ import annotations

from aboveboard.market.model.market_file import SolverName
from aboveboard.market.model.markets import Allocation, Market, Outcome, truthful_prices
from aboveboard.market.optimum.exhaustive import list_optimal
from aboveboard.market.optimum.integer_programme import Constraint, build_programme
from aboveboard.market.optimum.social_optimum import check_players, choose_solver, find_optimum
from aboveboard.market.optimum.solvers import SOLVERS
from aboveboard.market.optimum.tie_weights import weigh_ties


def list_optimal_allocations(
    market: Market, limit: int = 100, *, solver: SolverName = "auto"
) -> tuple[tuple[Allocation, ...], bool]:
    """Return the optimal allocations in canonical order, at most `limit`, and whether that is all.

    Parameters
    ----------
    market
        As for `find_optimum`.
    limit
        Where there are more, which of them are given depends on the solver.
    solver
        Which search.

    Examples
    --------
    >>> from aboveboard.market import Additive, Market
    >>> values = Additive((1,)), Additive((3,)), Additive((3,))
    >>> list_optimal_allocations(Market(("ann", "bob", "cy"), ("book",), (0,), values, bits=3))
    (((1,), (2,)), True)
    """
    check_players(market)
    chosen = choose_solver(market) if solver == "auto" else solver
    if chosen == "exhaustive":
        return list_optimal(market, limit)
    solve = SOLVERS[chosen]
    best = find_optimum(market, solver=solver)
    programme = build_programme(market, every_owner=True)
    enough = Constraint(
        tuple((v, c) for v, c in enumerate(programme.objective) if c), best.welfare, None
    )
    programme, found = programme.with_rows([enough]), [best.allocation]
    while len(found) <= limit:
        taken = tuple((v, 1) for v in programme.choices(found[-1]))
        programme = programme.with_rows([Constraint(taken, None, market.m - 1)])
        another = solve(programme, None)
        if another.solution is None:
            break
        found.append(programme.allocation(another.solution))
    found.sort(key=weigh_ties(market).weigh_allocation)
    return tuple(found[:limit]), len(found) <= limit


def list_truthful_outcomes(market: Market, limit: int = 100) -> tuple[tuple[Outcome, ...], bool]:
    """Return the truthful outcomes (Definition 7), at most `limit`, and whether that is all.

    Each is an optimal allocation at which everybody but the proposer pays what it gains. Where the
    endowment is optimal, (E, 0) alone is the best announcement (Lemma 3).

    Examples
    --------
    >>> from aboveboard.market import Additive, Market
    >>> values = Additive((1,)), Additive((3,))
    >>> market = Market(("ann", "bob"), ("book",), (0,), values, bits=3)
    >>> outcomes, complete = list_truthful_outcomes(market)
    >>> outcomes[0].allocation, outcomes[0].prices, complete
    ((1,), (-3, 3), True)
    """
    allocations, complete = list_optimal_allocations(market, limit)
    if market.endowment in allocations[:1]:
        return (market.nothing,), True
    return tuple(Outcome(a, truthful_prices(market, a)) for a in allocations), complete
