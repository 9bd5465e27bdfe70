"""The two solvers of integer programmes: SciPy's HiGHS, and CP-SAT of OR-Tools.

Each is handed an `IntegerProgramme` and a time limit and gives back what it found and what it
proved, as integers. HiGHS calculates in floats: its bound is rounded down with a margin that grows
with its size, so that a bound is never better than what was proved; who calls recomputes welfare
in integers. CP-SAT calculates in integers of 64 bits. HiGHS is deterministic unless the limit cuts
it short; CP-SAT with several workers is not. What is proved is the same for both.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from math import floor, isfinite
from typing import Any, Protocol

import numpy as np

from aboveboard.errors import InputError
from aboveboard.market.optimum.integer_programme import IntegerProgramme

MARGIN, RELATIVE_MARGIN = 1e-6, 1e-9
"""How far HiGHS's bound may lie below the truth: its own tolerance, and the rounding of floats."""

FLOAT_ROUNDING = 2.0**-50
"""How far an integer of 64 bits may be from the float that stands for it, and some more."""

FEW_VARIABLES = 200
"""Up to which CP-SAT works on one processor: it is done before others have begun."""

LARGEST_SUM = 2**61
"""CP-SAT refuses sums that may not fit into 64 bits."""


@dataclass(frozen=True)
class SolverResult:
    """What a solver found.

    Parameters
    ----------
    solution
        By variable, 0 or 1; None where nothing was found in time, or there is nothing.
    bound
        No solution has a larger objective; None where nothing was proved.
    infeasible
        Proved: there is no solution.
    optimal
        Proved in integers: no solution has a larger objective than this one.
    """

    solution: tuple[int, ...] | None
    bound: int | None
    infeasible: bool = False
    optimal: bool = False


Incumbent = Callable[[int, int], None]
"""Called with the objective and the bound whenever a better solution is found."""


class Solver(Protocol):
    """Maximises an integer programme within some seconds (None: until it is proved)."""

    def __call__(
        self,
        programme: IntegerProgramme,
        seconds: float | None,
        *,
        on_incumbent: Incumbent | None = None,
    ) -> SolverResult:
        """Solve."""
        ...


def solve_with_highs(
    programme: IntegerProgramme, seconds: float | None, *, on_incumbent: Incumbent | None = None
) -> SolverResult:
    """Solve with SciPy's HiGHS, relative gap 0.

    `on_incumbent` is never called: SciPy hands nothing on while HiGHS works.

    Raises
    ------
    InputError
        If SciPy is not installed.
    """
    try:
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array
    except ImportError:
        raise make_missing_error("SciPy", "highs") from None
    if not programme.objective:  # no goods and no bids: SciPy refuses an empty programme
        return SolverResult((), 0)
    rows = programme.rows
    starts = np.cumsum([0, *(len(row.terms) for row in rows)])
    columns = np.array([v for row in rows for v, _ in row.terms], dtype=np.int64)
    entries = np.array([float(c) for row in rows for _, c in row.terms])
    matrix = csr_array((entries, columns, starts), shape=(len(rows), len(programme.objective)))
    lower = np.array([-np.inf if row.lower is None else float(row.lower) for row in rows])
    upper = np.array([np.inf if row.upper is None else float(row.upper) for row in rows])
    options = {"mip_rel_gap": 0.0} | ({} if seconds is None else {"time_limit": float(seconds)})
    result = milp(
        -np.array([float(c) for c in programme.objective]),
        integrality=np.ones(len(programme.objective)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, lower, upper),
        options=options,
    )
    solution = None if result.x is None else tuple(int(x) for x in np.rint(result.x))
    dual = result.mip_dual_bound
    proved = dual is not None and isfinite(dual)
    bound = floor(-dual + MARGIN + RELATIVE_MARGIN * abs(dual)) if proved else None
    return SolverResult(solution, bound, infeasible=result.status == 2)


def solve_with_cp_sat(
    programme: IntegerProgramme,
    seconds: float | None,
    *,
    on_incumbent: Incumbent | None = None,
    on_start: Callable[[Callable[[], None]], None] | None = None,
) -> SolverResult:
    """Solve with CP-SAT, one worker a processor where the programme is not small.

    `on_start` is called with what ends the search from another thread.

    Raises
    ------
    InputError
        If OR-Tools is not installed, or numbers are too large for 64 bits.
    """
    try:
        from ortools.sat.python import cp_model
    except ImportError:
        raise make_missing_error("OR-Tools", "cp-sat") from None
    if sum(abs(c) for c in programme.objective) > LARGEST_SUM:
        raise InputError(
            "solver", "CP-SAT sums in 64 bits and the values are larger", "use fewer bits"
        )
    model = cp_model.CpModel()
    x = [model.new_bool_var("") for _ in programme.objective]
    for row in programme.rows:
        terms = cp_model.LinearExpr.weighted_sum(
            [x[v] for v, _ in row.terms], [c for _, c in row.terms]
        )
        lower = cp_model.INT_MIN if row.lower is None else row.lower
        upper = cp_model.INT_MAX if row.upper is None else row.upper
        model.add_linear_constraint(terms, lower, upper)
    model.maximize(cp_model.LinearExpr.weighted_sum(x, list(programme.objective)))

    class Listener(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            if on_incumbent is not None:
                on_incumbent(round(self.objective_value), _round_bound(self.best_objective_bound))

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = count_processors()
    if len(x) <= FEW_VARIABLES:
        _search_at_once(solver.parameters)
    solver.parameters.relative_gap_limit = 0.0
    if seconds is not None:
        solver.parameters.max_time_in_seconds = float(seconds)
    if on_start is not None:
        on_start(solver.stop_search)
    status = solver.solve(model, Listener() if on_incumbent is not None else None)
    if status == cp_model.INFEASIBLE:
        return SolverResult(None, None, infeasible=True)
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    solution = tuple(int(solver.boolean_value(v)) for v in x) if found else None
    if status == cp_model.OPTIMAL and solution is not None:
        best = sum(c for c, chosen in zip(programme.objective, solution, strict=True) if chosen)
        return SolverResult(solution, best, optimal=True)
    bound = solver.best_objective_bound
    return SolverResult(solution, _round_bound(bound) if isfinite(bound) else None)


def count_processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _search_at_once(parameters: Any) -> None:
    """Set CP-SAT to one worker that leans on linear relaxations and prepares little."""
    parameters.num_workers = 1
    parameters.linearization_level = 2
    parameters.cp_model_probing_level = 0
    parameters.symmetry_level = 0


def _round_bound(bound: float) -> int:
    """Return the integer that CP-SAT hands on as a float, or a little more where floats round."""
    return floor(bound + MARGIN + abs(bound) * FLOAT_ROUNDING)


SOLVERS: dict[str, Solver] = {"highs": solve_with_highs, "cp-sat": solve_with_cp_sat}
"""By the name in a collaboration file."""


def make_missing_error(package: str, solver: str) -> InputError:
    """Return the error that a solver's package is not installed."""
    return InputError(
        f"solver {solver!r}", f"{package} is not installed", 'pip install "aboveboard[market]"'
    )


def is_installed(module: str) -> bool:
    """Return whether a module can be imported, without importing it."""
    from importlib.util import find_spec

    return find_spec(module) is not None
