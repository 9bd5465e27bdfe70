"""The proposer's problem: a socially optimal allocation, the same one for the same market.

What: an allocation of the largest welfare, and of these the canonical one (`tie_weights`); or,
where a time limit ends the search, the best that was found, with a bound on what any could reach.
The paper lets the proposer announce such an approximation: its utility grows with the welfare it
finds, so it searches as well as it can (universal approximation, sections 1.4 and 5.3).

Which search: exhaustive while there are at most `FEW_ALLOCATIONS` allocations; then CP-SAT where
OR-Tools is installed and players times goods are at most `SMALL_MARKET`; then HiGHS. Around that
size both search, on two processors (`rivals`), and the first proof counts. Measured by `python -m
benchmarks market`.
Every welfare is recomputed in integers from the valuations, and the endowment is proposed if
nothing better was found. Source: Azar, Chen, Micali (2011), definition of the socially optimal
correspondence, section 3.3.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version

from aboveboard.errors import InputError
from aboveboard.formatting.plain_json import Json
from aboveboard.market.model.market_file import SolverName
from aboveboard.market.model.markets import (
    Allocation,
    Market,
    social_welfare,
)
from aboveboard.market.optimum.canonical import find_lightest, weigh_objective
from aboveboard.market.optimum.exhaustive import MOST_ALLOCATIONS, count_allocations, search_all
from aboveboard.market.optimum.integer_programme import (
    IntegerProgramme,
    UnreadableValuation,
    build_programme,
    refuse_unreadable,
)
from aboveboard.market.optimum.rivals import Rival
from aboveboard.market.optimum.solvers import (
    LARGEST_SUM,
    SOLVERS,
    Solver,
    count_processors,
    is_installed,
    make_missing_error,
    solve_with_cp_sat,
)
from aboveboard.market.optimum.tie_weights import TieWeights, weigh_ties

FEW_ALLOCATIONS = 50_000
"""Allocations below which an exhaustive search takes less time than loading a solver."""

SMALL_MARKET = 20_000
"""Players times goods (100 by 200) above which HiGHS proves more optima than CP-SAT in a minute."""

OPEN_SIZES = (10_000, 40_000)
"""Players times goods between which it depends on the instance who proves the optimum first."""

UNREADABLE_REMEDY = "write the values as a table, additive, xor or or"


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is.

    Parameters
    ----------
    seconds
        Since it began.
    welfare
        Of the best allocation so far.
    bound
        No allocation has more; None while nothing is proved.
    """

    seconds: float
    welfare: int
    bound: int | None


@dataclass(frozen=True)
class Optimum:
    """The best allocation that was found.

    Parameters
    ----------
    allocation
        By good: its owner.
    welfare
        Its social welfare.
    bound
        No allocation has more; None if the time was too short to prove anything.
    canonical
        It is proved to be the lightest of all optimal allocations (`tie_weights`).
    solver
        Which search found it.

    Examples
    --------
    >>> from aboveboard.market import Additive, Market
    >>> values = Additive((1,)), Additive((3,))
    >>> best = find_optimum(Market(("ann", "bob"), ("book",), (0,), values, bits=3))
    >>> best.allocation, best.welfare, best.proved, best.gap
    ((1,), 3, True, 0)
    """

    allocation: Allocation
    welfare: int
    bound: int | None
    canonical: bool
    solver: str

    @property
    def proved(self) -> bool:
        """Whether it is proved to be optimal."""
        return self.bound == self.welfare

    @property
    def gap(self) -> int | None:
        """How much welfare may be missing at most; None if nothing was proved."""
        return None if self.bound is None else self.bound - self.welfare

    @property
    def found_by(self) -> dict[str, Json]:
        """The search that found it, and the package and version of a solver.

        Where it is not the one that every search would find, what it is, for a replay to check.
        """
        found: dict[str, Json] = {"search": self.solver}
        if self.solver in PACKAGES:
            package = PACKAGES[self.solver][0]
            found |= {"package": package, "version": version(package)}
        if not self.canonical:
            found |= {"allocation": list(self.allocation), "bound": self.bound}
        return found


def find_optimum(
    market: Market,
    *,
    solver: SolverName = "auto",
    seconds: float | None = None,
    progress: Callable[[SearchProgress], None] | None = None,
) -> Optimum:
    """Return a socially optimal allocation.

    Parameters
    ----------
    market
        At least two players; valuations in the bidding languages, or so small that an exhaustive
        search will do.
    solver
        Which search; "auto" chooses by size.
    seconds
        After which the best so far is taken; None: until it is proved. An exhaustive search takes
        the time it takes.
    progress
        Called twice a second, and with every better allocation where the solver says so.

    Raises
    ------
    InputError
        If the solver is not installed, or the market is neither readable nor tiny.
    BudgetExceeded
        If an exhaustive search is named and there are too many allocations.

    Examples
    --------
    >>> from aboveboard.market import Additive, Market
    >>> values = Additive((1,)), Additive((3,))
    >>> find_optimum(Market(("ann", "bob"), ("book",), (0,), values, bits=3)).welfare
    3
    """
    check_players(market)
    return search_optimum(market, solver=solver, seconds=seconds, progress=progress)


def check_players(market: Market) -> None:
    """Raise `InputError` if a market has nobody but one player, as a collaboration file may not."""
    if market.n < 2:
        raise InputError("parties", f"there is {market.n}", "have at least two")


def search_optimum(
    market: Market,
    *,
    solver: SolverName = "auto",
    seconds: float | None = None,
    progress: Callable[[SearchProgress], None] | None = None,
) -> Optimum:
    """Return the same for any market, also that of a single player, which VCG's prices need.

    Raises
    ------
    InputError
        If the solver cannot read a valuation.
    """
    chosen = choose_solver(market) if solver == "auto" else solver
    if chosen == "exhaustive":
        allocation, welfare = search_all(market)
        return Optimum(allocation, welfare, welfare, True, chosen)
    try:
        search = _Search(market, build_programme(market), time.monotonic(), seconds, progress)
    except UnreadableValuation as error:
        raise InputError(f"solver {chosen!r}", f"{error}", UNREADABLE_REMEDY) from None
    with search.heartbeat():
        if solver == "auto" and is_open(market):
            return search.race()
        return search.run(chosen, SOLVERS[chosen])


def is_open(market: Market) -> bool:
    """Return whether neither solver is the clear choice, and both and two processors are there."""
    sizes = OPEN_SIZES[0] < market.n * market.m <= OPEN_SIZES[1]
    return (
        sizes
        and count_processors() > 1
        and all(is_installed(name) for name, _ in PACKAGES.values())
    )


PACKAGES = {"highs": ("scipy", "SciPy"), "cp-sat": ("ortools", "OR-Tools")}
"""By solver: the module it needs, and what people call it."""


def require_solver(market: Market, solver: SolverName = "auto") -> None:
    """Refuse a search that needs a solver which is not installed; nothing is loaded.

    Parameters
    ----------
    market
        What would be searched.
    solver
        As in `find_optimum`.

    Raises
    ------
    InputError
        If it is not installed; the message names the extra that brings it.
    """
    if solver in PACKAGES:
        module, package = PACKAGES[solver]
        if not is_installed(module):
            raise make_missing_error(package, solver)
    elif solver == "auto" and count_allocations(market) > FEW_ALLOCATIONS:
        choose_solver(market)


def choose_solver(market: Market) -> str:
    """Return the search to use, by the market's size and by what is installed.

    Raises
    ------
    InputError
        If the market is too large for an exhaustive search and no solver is installed, or none
        could read it.
    """
    if count_allocations(market) <= FEW_ALLOCATIONS:
        return "exhaustive"
    try:
        refuse_unreadable(market)
    except UnreadableValuation as error:
        if count_allocations(market) <= MOST_ALLOCATIONS:
            return "exhaustive"
        raise InputError(
            "solver",
            f"the market is too large for an exhaustive search and {error}",
            UNREADABLE_REMEDY,
        ) from None
    if is_installed("ortools") and market.n * market.m <= SMALL_MARKET:
        return "cp-sat"
    if is_installed("scipy"):
        return "highs"
    if is_installed("ortools"):
        return "cp-sat"
    raise make_missing_error("SciPy", "highs")


@dataclass
class _Search:
    """One search by a solver: the best so far, for whoever watches."""

    market: Market
    programme: IntegerProgramme
    start: float
    seconds: float | None
    progress: Callable[[SearchProgress], None] | None

    def __post_init__(self) -> None:
        self.best = social_welfare(self.market, self.market.endowment)
        self.bound: int | None = None

    def run(self, name: str, solve: Solver) -> Optimum:
        weights = weigh_ties(self.market)
        if name == "cp-sat":
            weighed = weigh_objective(self.programme, weights)
            if sum(abs(c) for c in weighed.objective) <= LARGEST_SUM:
                return self._solve_once(name, solve, weighed, weights.most)
        return self._solve_twice(name, solve, weights)

    def race(self) -> Optimum:
        """Search by CP-SAT and, in another process after a while, by HiGHS: the first proof wins.

        Where the time ends both, the better allocation is taken, and the better bound.
        """
        with Rival(self.market, self.seconds_left()) as rival:
            own = self.run("cp-sat", partial(solve_with_cp_sat, on_start=rival.stop_when_won))
        other = rival.found
        if other is None or own.canonical:
            return own
        welfare = social_welfare(self.market, other.allocation)
        bounds = [bound for bound in (own.bound, other.bound) if bound is not None]
        bound = min(bounds, default=None)
        self.record(max(welfare, own.welfare), bound)
        if welfare > own.welfare or other.canonical:
            return Optimum(other.allocation, welfare, bound, other.canonical, "highs")
        return replace(own, bound=bound)

    def _solve_once(
        self, name: str, solve: Solver, weighed: IntegerProgramme, scale: int
    ) -> Optimum:
        """Search by welfare and weights together: exact integers only."""
        found = solve(
            weighed,
            self.seconds_left(),
            on_incumbent=lambda value, bound: self.record(-(-value // scale), -(-bound // scale)),
        )
        allocation = self._take_better(found.solution)
        welfare = social_welfare(self.market, allocation)
        bound = None if found.bound is None else -(-found.bound // scale)
        if found.optimal:
            bound = welfare
        self.record(welfare, bound)
        return Optimum(allocation, welfare, bound, found.optimal, name)

    def _solve_twice(self, name: str, solve: Solver, weights: TieWeights) -> Optimum:
        """Search by welfare, then the lightest among the best."""
        market, programme = self.market, self.programme
        found = solve(programme, self.seconds_left(), on_incumbent=self.record)
        allocation = self._take_better(found.solution)
        welfare = social_welfare(market, allocation)
        self.record(welfare, found.bound)
        if found.bound is None or welfare < found.bound:
            return Optimum(allocation, welfare, found.bound, False, name)
        lightest, proved = find_lightest(
            market, programme, weights, allocation, solve, self.seconds_left
        )
        return Optimum(lightest, welfare, welfare, proved, name)

    def _take_better(self, solution: tuple[int, ...] | None) -> Allocation:
        """Return a solution's allocation, or the endowment where that is as good."""
        market = self.market
        if solution is None:
            return market.endowment
        # The solver's own figure does not count: floats round, bids may be claimed badly.
        candidate = self.programme.allocation(solution)
        better = social_welfare(market, candidate) > social_welfare(market, market.endowment)
        return candidate if better else market.endowment

    def seconds_left(self) -> float | None:
        if self.seconds is None:
            return None
        return max(0.0, self.seconds - (time.monotonic() - self.start))

    def record(self, welfare: int, bound: int | None) -> None:
        self.best = max(self.best, welfare)
        self.bound = bound if self.bound is None or bound is None else min(self.bound, bound)
        self.report()

    def report(self) -> None:
        if self.progress is not None:
            self.progress(SearchProgress(time.monotonic() - self.start, self.best, self.bound))

    @contextmanager
    def heartbeat(self) -> Iterator[None]:
        """Report twice a second how long it takes, for solvers that say nothing meanwhile."""
        if self.progress is None:
            yield
            return
        over = threading.Event()

        def beat() -> None:
            while not over.wait(0.5):
                self.report()

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
