"""Fair shares from a sample of the coalitions, with standard errors.

What: estimates of all users' shares where 2^N evaluations are too many, by one of shapiq's samplers
(see `samplers`). Cost: at most `budget` evaluations of distinct coalitions, those of nobody and of
everybody counted; which they are follows from the seed alone, so they are evaluated together,
several at a time where there is an executor. Which method "auto" takes was measured at equal
numbers of evaluations: python -m benchmarks sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import fsum
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.formatting import format_count, join_names
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.mechanism import Work
from aboveboard.mechanisms.user_calls import call
from aboveboard.mechanisms.user_functions import quiet
from aboveboard.valuation.evaluation.evaluations import map_unordered
from aboveboard.valuation.shares.adjustment import adjust_to_sum, shrink_errors
from aboveboard.valuation.shares.samplers import SAMPLERS, Coalitions, SpentError, TooFewError

Method = Literal["auto", "permutation", "stratified", "svarm", "kernelshap"]
Members = tuple[bool, ...]
"""By user: whether it is in."""

AUTOMATIC: tuple[tuple[str, str], ...] = (
    ("svarm", "the smallest errors on most games at equal evaluations"),
    ("kernelshap", "the budget is too small for svarm's strata"),
)
"""What "auto" tries in turn, and why."""
FEWEST_PLAYERS = 4
"""Fewer have so few coalitions that all are evaluated."""
SMALLEST_BUDGET = 16
"""All coalitions of that many users."""
LARGEST_BUDGET = 1_000_000
"""Evaluations; more would take hours with the cheapest utility."""


@dataclass(frozen=True)
class Sampling:
    """How shares are sampled.

    Parameters
    ----------
    method
        A sampler's name, or "auto".
    budget
        How many distinct coalitions are evaluated at most.
    seed
        Of the draws.

    Raises
    ------
    InputError
        If there is no such method, or the budget is out of its range.

    Examples
    --------
    >>> Sampling(budget=500).in_force(users=20), Sampling(budget=500).in_force(users=5)
    (True, False)
    """

    method: Method = "auto"
    budget: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            known = join_names(get_args(Method))
            raise InputError("method", f"there is no {self.method!r}", f"known are {known}")
        if isinstance(self.budget, bool) or not 1 <= self.budget <= LARGEST_BUDGET:
            raise InputError(
                "budget",
                f"it is {self.budget}",
                f"give a number from 1 to {format_count(LARGEST_BUDGET)}",
            )

    def in_force(self, users: int) -> bool:
        """Return whether shares of so many users are sampled; else all are evaluated."""
        if users < FEWEST_PLAYERS:
            return False
        return self.method != "auto" or self.budget < 1 << users


@dataclass(frozen=True)
class SampledShares:
    """Estimated shares and how they were got.

    Parameters
    ----------
    shares, standard_errors
        By user, of U - U(nobody).
    platform, platform_error
        The platform's, where it is a member; else None.
    total, at_nothing
        U of everybody and of nobody.
    method
        The sampler's name.
    why
        Why it was taken; empty where the user named it.
    drawn
        What was drawn, in words.
    evaluations
        How many distinct coalitions were evaluated.
    sums
        The method itself makes shares that sum to U.
    missing
        What the estimates lacked of the sum before they were adjusted to it; see `adjustment`.

    Examples
    --------
    >>> found = sample_shares(len, 6, "permutation", budget=60)
    >>> found.total, found.evaluations <= 60, round(sum(found.shares), 9)
    (6, True, 6.0)
    """

    shares: tuple[float, ...]
    standard_errors: tuple[float, ...]
    platform: float | None
    platform_error: float | None
    total: Number
    at_nothing: Number
    method: str
    why: str
    drawn: str
    evaluations: int
    sums: bool
    missing: float = 0.0


def estimate_shares(
    worths: Callable[[Sequence[Members]], Sequence[Number]],
    users: int,
    sampling: Sampling,
    *,
    platform: bool = False,
) -> SampledShares:
    """Estimate the shares of a utility that evaluates many coalitions at once.

    Parameters
    ----------
    worths
        Gives U of several coalitions; called once.
    users
        How many there are, at least 4.
    sampling
        The method, its budget and its seed.
    platform
        The platform is a member without whom nothing is earned (Theorem 1).

    Raises
    ------
    InputError
        If the budget is too small for the method, or shapiq is not installed.
    """
    if users < FEWEST_PLAYERS:
        raise InputError("sampling", f"{users} users are too few", "evaluate all coalitions")
    _refuse_without_shapiq()
    name, why, plan = _plan_draws(users, sampling, platform=platform)
    members = list(plan.kept)
    known = dict(zip(members, worths(members), strict=True))
    answers = _ValueTable(known, plan)
    estimate = SAMPLERS[name].estimate(plan.players, sampling.seed, answers)
    errors = estimate.standard_errors.tolist()
    total, nothing = known[(True,) * users], known[(False,) * users]
    estimated = estimate.shares.tolist()
    whole = float(total) if platform else float(total) - float(nothing)
    shares = adjust_to_sum(estimated, errors, whole)
    if SAMPLERS[name].independent:
        errors = shrink_errors(errors)
    return SampledShares(
        tuple(shares[:users]),
        tuple(errors[:users]),
        shares[users] if platform else None,
        errors[users] if platform else None,
        total,
        nothing,
        name,
        why,
        estimate.drawn,
        len(members),
        SAMPLERS[name].sums,
        whole - fsum(estimated),
    )


def sample_shares(
    worth: Callable[[tuple[int, ...]], Number],
    n: int,
    method: Method = "auto",
    budget: int = 2000,
    seed: int = 0,
    work: Work | None = None,
) -> SampledShares:
    """Estimate the shares of any game from a sample of its coalitions.

    Parameters
    ----------
    worth
        Gives the value of a coalition, a tuple of the numbers of its members, ascending from 0;
        called once for each. For executors of other processes it must be picklable.
    n
        How many users there are, at least 4.
    method, budget, seed
        As in `Sampling`.
    work
        Where evaluations are done, and what reports progress; its cache is for functions that a
        collaboration file names.

    Raises
    ------
    InputError
        If the method is none, the budget is too small for it, a value is not a finite number, or
        shapiq is not installed.

    Examples
    --------
    >>> found = sample_shares(len, 6, "permutation", budget=60)
    >>> [round(share, 9) for share in found.shares]
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    if method not in get_args(Method):
        raise InputError(
            "method", f"there is no {method!r}", f"known are {', '.join(get_args(Method))}"
        )
    worths = partial(_evaluate_coalitions, worth, work or Work())
    return estimate_shares(worths, n, Sampling(method, budget, seed))


def _evaluate_coalitions(
    worth: Callable[[tuple[int, ...]], Number], work: Work, several: Sequence[Members]
) -> list[Number]:
    """Return the values of coalitions, each evaluated once, as `work` says."""
    named = {tuple(i for i, there in enumerate(each) if there): each for each in several}
    found: dict[Members, Number] = {}
    with quiet:
        for each, outcome in map_unordered(partial(call, worth), named, work.executor):
            if outcome.value is None:
                raise InputError(f"coalition {each}", outcome.problem, "give a finite number")
            found[named[each]] = outcome.value
            if work.progress is not None:
                work.progress(len(found), len(named))
    return [found[each] for each in several]


@dataclass
class _DrawPlan:
    """Records of which coalitions values are needed; their worth is not known yet.

    Parameters
    ----------
    users, platform
        Players are the users, and the platform after them if it is one.
    budget
        How many coalitions of users may be kept.
    """

    users: int
    platform: bool
    budget: int
    kept: dict[Members, None] = field(default_factory=dict)
    asked: dict[Members, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kept = dict.fromkeys([(False,) * self.users, (True,) * self.users])

    @property
    def players(self) -> int:
        return self.users + self.platform

    def __call__(self, coalitions: Coalitions, /) -> NDArray[np.float64]:
        for row in self.list_paid_users(coalitions):
            if row not in self.kept:
                self.asked[row] = None
        if len(self.kept) + len(self.asked) > self.budget:
            self.asked.clear()
            raise SpentError
        return np.zeros(len(coalitions))

    def keep(self) -> None:
        self.kept.update(self.asked)
        self.asked.clear()

    def sizes(self) -> Iterator[int]:
        # Coalitions without the platform earn nothing and cost nothing: some half of all.
        for percent in range(200, 99, -2) if self.platform else (100,):
            yield min(self.budget * percent // 100, 1 << self.players)

    def list_paid_users(self, coalitions: Coalitions) -> Iterator[Members]:
        """Return the users of each coalition that may earn something."""
        for row in coalitions.tolist():
            if not self.platform:
                yield tuple(row)
            elif row[-1]:
                yield tuple(row[:-1])


@dataclass
class _ValueTable:
    """The values of the coalitions of a plan."""

    known: dict[Members, Number]
    plan: _DrawPlan

    @property
    def users(self) -> int:
        return self.plan.users

    def __call__(self, coalitions: Coalitions, /) -> NDArray[np.float64]:
        earning = coalitions[:, -1] if self.plan.platform else np.ones(len(coalitions), dtype=bool)
        values = np.zeros(len(coalitions))
        try:
            values[earning] = [
                float(self.known[row]) for row in self.plan.list_paid_users(coalitions)
            ]
        except KeyError:
            raise SpentError from None
        return values

    def keep(self) -> None:
        pass

    def sizes(self) -> Iterator[int]:
        return self.plan.sizes()


def _plan_draws(users: int, sampling: Sampling, *, platform: bool) -> tuple[str, str, _DrawPlan]:
    """Draw with the first method that the budget suffices for."""
    tried = AUTOMATIC if sampling.method == "auto" else ((sampling.method, ""),)
    needs = ""
    for name, why in tried:
        plan = _DrawPlan(users, platform, sampling.budget)
        try:
            SAMPLERS[name].estimate(plan.players, sampling.seed, plan)
        except TooFewError as error:
            needs = f"{name} needs {error}"
        else:
            return name, why, plan
    raise InputError(
        "sampling.budget",
        f"{sampling.budget} evaluations of coalitions of {users} users are too few: {needs}",
        'raise it, or leave the choice to method = "auto"'
        if sampling.method != "auto"
        else "raise it",
    )


def _refuse_without_shapiq() -> None:
    try:
        import shapiq  # noqa: F401 - whether it is there
    except ImportError as error:
        raise InputError(
            "sampling",
            "sampling shares needs shapiq, which is not installed",
            'pip install "aboveboard[approximate]"',
        ) from error
