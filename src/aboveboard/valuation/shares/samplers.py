"""The samplers of shapiq for Shapley values, each with the standard errors of its estimates.

None of them looks at a value before it has drawn all coalitions, so each runs twice: once to see
which coalitions it asks for, which are then evaluated together, and once to estimate.

- permutation (Castro et al. 2009): marginal contributions along random orders. The shares of one
  order sum to U; the standard error is that of a mean over orders, which are independent.
- stratified (Maleki et al. 2013): marginal contributions of each user to random coalitions of each
  size. One sweep draws each stratum once; the standard error adds up the strata's variances.
  In both a user who matters in few coalitions may draw none of them, and seem sure: every variance
  counts as if two more draws had varied as the most varied user's (see `_variance_of_mean`).
- svarm (Kolpaczki et al. 2024): the mean value of coalitions of each size with and without a user.
  The standard error adds up the variances within these strata; sizes of which all coalitions are
  evaluated have none.
- kernelshap (Lundberg and Lee 2017, with the complement of each coalition as Covert and Lee 2021):
  a weighted regression of values on membership. The standard error is that of a regression whose
  residuals differ in size (White 1980), with a coalition and its complement as one draw, and with
  draws / (draws - users) for what the fit has used up. Its bias is of order 1 / draws.

Cost: that of the evaluations; of ours, O(draws N) beside shapiq's own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import FloatArray

Coalitions = NDArray[np.bool_]
"""Who is in, shape (m, users)."""

FEWEST_ORDERS = 8
"""A mean over fewer has a standard error that says little."""
FEWEST_SWEEPS = 4
"""With fewer the variances of the strata come out too small where first users add most."""
MORE_DRAWS = 2
"""Draws as varied as the most varied user's that are added to each variance. Over ten games of nine
users, errors divided by standard errors had root mean squares of 0.5 to 1.4, and without of 1 to
65; with one draw, twice standard errors covered the exact share too seldom where few orders are
drawn."""
FEWEST_FOR_EACH_USER = 4
"""Coalitions for each coefficient of the regression."""
OVERDRAWN = 4
"""Draws for each evaluation that the budget allows: those that come again cost nothing, but on a
game of few users they would never use the budget up."""


@dataclass(frozen=True)
class Estimate:
    """Estimated shares.

    Parameters
    ----------
    shares, standard_errors
        By user.
    drawn
        What was drawn, in words.
    """

    shares: FloatArray
    standard_errors: FloatArray
    drawn: str


class TooFewError(ValueError):
    """The budget is too small for the method; the text says what it needs."""


class SpentError(Exception):
    """The next draw would cost more than is left of the budget."""


class ValueSource(Protocol):
    """A source of what coalitions are worth, as far as the budget allows."""

    @property
    def users(self) -> int:
        """How many of the players are users: the first; behind them may stand the platform."""
        ...

    def __call__(self, coalitions: Coalitions, /) -> FloatArray:
        """Return their values, or raise `SpentError`."""
        ...

    def sizes(self) -> Iterable[int]:
        """Return how many coalitions a sampler may draw, the largest number first."""
        ...

    def keep(self) -> None:
        """Keep the values since the last call for the estimate."""
        ...


ShareEstimator = Callable[[int, int, ValueSource], Estimate]
"""Estimates all shares of a game of so many players, from a seed, by asking; or raises
`TooFewError`."""


@dataclass(frozen=True)
class Sampler:
    """A method.

    Parameters
    ----------
    estimate
        Does it.
    sums
        The shares sum to U up to rounding, whatever is drawn.
    independent
        Draws for different users are independent: the estimates' errors are not correlated.
    """

    estimate: ShareEstimator
    sums: bool
    independent: bool = False


def sample_permutations(n: int, seed: int, ask: ValueSource) -> Estimate:
    """Average over random orders.

    Raises
    ------
    TooFewError
        If the budget allows fewer than `FEWEST_ORDERS`.
    """
    from shapiq.approximator import PermutationSamplingSV

    # Empty, all, and the n - 1 coalitions between them along one order.
    each = [shares for shares, _ in _repeat(PermutationSamplingSV, n, n + 1, seed, ask)]
    if len(each) < FEWEST_ORDERS:
        raise TooFewError(f"{FEWEST_ORDERS} random orders")
    found = np.array(each)
    error = np.sqrt(_variance_of_mean(found, ask.users))
    return Estimate(found.mean(axis=0), error, f"{len(found)} random orders")


def sample_strata(n: int, seed: int, ask: ValueSource) -> Estimate:
    """Average within each user's strata by size.

    Raises
    ------
    TooFewError
        If the budget allows fewer than `FEWEST_SWEEPS`.
    """
    from shapiq.approximator import StratifiedSamplingSV

    # Empty, all, those next to them, and two for each user and each size between.
    sweeps = list(_repeat(StratifiedSamplingSV, n, 2 + 2 * n + 2 * n * (n - 2), seed, ask))
    if len(sweeps) < FEWEST_SWEEPS:
        raise TooFewError(f"{FEWEST_SWEEPS} sweeps over all sizes")
    marginals = np.array([_read_marginals(n, log) for _, log in sweeps])
    error = np.sqrt(_variance_of_mean(marginals, ask.users).sum(axis=0)) / n
    shares = np.array([found for found, _ in sweeps]).mean(axis=0)
    return Estimate(shares, error, f"{len(sweeps)} sweeps over all users and sizes")


def _variance_of_mean(draws: FloatArray, users: int) -> FloatArray:
    """Return the variance of the mean of m independent draws, (m, .., players) to (.., players).

    Draws of one user that are all alike, as those of a vote that seldom turns on it, would say that
    it is known for sure; what the others' draws look like says how far that may be chance. The
    platform as a member gets the whole of U or nothing: it is not a measure for users.
    """
    m, variance = len(draws), draws.var(axis=0, ddof=1)
    largest = np.maximum(variance, variance[..., :users].max(axis=-1, keepdims=True))
    pooled = ((m - 1) * variance + MORE_DRAWS * largest) / (m - 1 + MORE_DRAWS)
    found: FloatArray = pooled / m
    return found


def _read_marginals(n: int, log: Sequence[FloatArray]) -> FloatArray:
    """Return what a sweep has drawn, shape (size, user), from the values in the order of asking."""
    values = [float(x[0]) for x in log]
    empty, full, rest = values[0], values[1], values[2:]
    between = n + 2 * n * (n - 2)
    first = np.array(rest[:n]) - empty
    middle = np.array(rest[n:between]).reshape(n - 2, n, 2)
    last = full - np.array(rest[between:])
    return np.concatenate([first[None], middle[:, :, 1] - middle[:, :, 0], last[None]])


def _repeat(
    sampler: Any, n: int, cost: int, seed: int, ask: ValueSource
) -> Iterator[tuple[FloatArray, list[FloatArray]]]:
    """Run a sampler of independent repetitions until the next would exceed the budget."""
    for k in range(OVERDRAWN * max(ask.sizes()) // cost):
        stream = np.random.SeedSequence([seed, k]).generate_state(1)
        log: list[FloatArray] = []
        try:
            found = sampler(n=n, random_state=int(stream[0])).approximate(
                cost, _log_values(ask, log)
            )
        except SpentError:
            return
        ask.keep()
        yield _read_shares(found, n), log


def _log_values(ask: ValueSource, log: list[FloatArray]) -> Callable[[Coalitions], FloatArray]:
    def read_values(coalitions: Coalitions) -> FloatArray:
        log.append(ask(np.atleast_2d(np.asarray(coalitions, dtype=bool))))
        return log[-1]

    return read_values


def sample_svarm(n: int, seed: int, ask: ValueSource) -> Estimate:
    """Average within each user's strata by size and membership.

    Raises
    ------
    TooFewError
        If a stratum stays empty.
    """
    from shapiq.approximator import SVARM

    shares, drawn, _ = _run_once(lambda: SVARM(n=n, random_state=seed), n, ask)
    missing = [k for k in range(n + 1) if not (drawn.sizes == k).any()]
    if missing:
        raise TooFewError(f"coalitions of every size, and draws none of {missing[0]} users")
    variance = np.zeros(n)
    for size in np.unique(drawn.sizes[drawn.sampled]):
        here = drawn.sizes == size
        inside, values = drawn.coalitions[here], drawn.values[here]
        counts = drawn.counts[here, None] * np.stack([inside, ~inside])
        total = counts.sum(axis=1)
        more = np.maximum(total - 1, 0)
        if not total.all() or not more.any(axis=1).all():
            raise TooFewError("coalitions of each size with and without each user")
        mean = (counts * values[:, None]).sum(axis=1) / total
        spread = (counts * (values[:, None] - mean[:, None, :]) ** 2).sum(axis=1)
        # A single draw tells no variance: it is taken to be that of the other users' strata.
        common = (spread.sum(axis=1) / more.sum(axis=1))[:, None]
        each = np.where(more > 0, spread / np.maximum(more, 1), common)
        variance += (each / total).sum(axis=0) / n**2
    return Estimate(shares, np.sqrt(variance), drawn.describe())


def fit_kernelshap(n: int, seed: int, ask: ValueSource) -> Estimate:
    """Fit values by membership.

    Raises
    ------
    TooFewError
        If there are fewer than `FEWEST_FOR_EACH_USER` coalitions for each user, or as few draws as
        users.
    """
    from shapiq.approximator import KernelSHAP

    if max(ask.sizes()) < FEWEST_FOR_EACH_USER * n:
        raise TooFewError(f"{FEWEST_FOR_EACH_USER} coalitions for each user")
    shares, drawn, adjustment = _run_once(
        lambda: KernelSHAP(n=n, random_state=seed, pairing_trick=True), n, ask
    )
    if not drawn.sampled.any():
        return Estimate(shares, np.zeros(n), drawn.describe())
    # shapiq's own weights: of the kernel, the ends as good as exact, and of the sampling.
    kernel = [1 / ((n - 1) * comb(n - 2, k - 1)) if 0 < k < n else _ENDS for k in range(n + 1)]
    weights = np.array(kernel)[drawn.sizes] * adjustment
    members = drawn.coalitions.astype(np.float64)
    bread = np.linalg.inv(members.T @ (weights[:, None] * members))
    residuals = drawn.values - drawn.values[drawn.sizes == 0] - members @ shares
    pulls = (weights / drawn.counts * residuals)[:, None] * members
    pairs, counts = _add_pairs(drawn, pulls)
    draws = counts.sum()
    if draws <= n:
        raise TooFewError("more draws than users")
    around = pairs - (counts[:, None] * pairs).sum(axis=0) / draws
    meat = (counts[:, None] * around).T @ around * draws / (draws - n)
    error = np.sqrt(np.maximum(np.diag(bread @ meat @ bread), 0))
    return Estimate(shares, error, drawn.describe())


_ENDS = 1e8
"""shapiq's weight of the empty coalition and of all."""


def _add_pairs(drawn: _DrawnCoalitions, pulls: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Add up the pulls of each sampled coalition and its complement, which are one draw."""
    place: dict[bytes, int] = {}
    sums: list[FloatArray] = []
    counts: list[float] = []
    for row, pull, count in zip(
        drawn.coalitions[drawn.sampled],
        pulls[drawn.sampled],
        drawn.counts[drawn.sampled],
        strict=True,
    ):
        other = place.get(bytes(~row))
        if other is None:
            place[bytes(row)] = len(sums)
            sums.append(pull)
            counts.append(float(count))
        else:
            sums[other] = sums[other] + pull
            counts[other] = min(counts[other], float(count))
    return np.array(sums), np.array(counts)


@dataclass(frozen=True)
class _DrawnCoalitions:
    """What shapiq's sampler of coalitions has drawn.

    Parameters
    ----------
    coalitions, values
        Each distinct one once, and what it is worth.
    counts
        How often it was drawn; 1 where all of its size are evaluated.
    sizes
        How many members it has.
    sampled
        Which were drawn by chance.
    """

    coalitions: Coalitions
    values: FloatArray
    counts: FloatArray
    sizes: NDArray[np.int64]
    sampled: NDArray[np.bool_]

    def describe(self) -> str:
        """Return what was drawn."""
        by_chance = int(self.counts[self.sampled].sum())
        every = sorted(set(self.sizes[~self.sampled].tolist()))
        return f"{by_chance} draws, and all coalitions of {', '.join(map(str, every))} users"


def _run_once(
    sampler: Callable[[], Any], n: int, ask: ValueSource
) -> tuple[FloatArray, _DrawnCoalitions, FloatArray]:
    """Run a sampler of distinct coalitions as large as the budget allows."""
    for size in ask.sizes():
        log: list[FloatArray] = []
        approximator = sampler()
        try:
            with warnings.catch_warnings():
                # That few coalitions are left to draw is known, and costs time only.
                warnings.simplefilter("ignore", UserWarning)
                found = approximator.approximate(size, _log_values(ask, log))
        except SpentError:
            continue
        ask.keep()
        there = approximator._sampler  # the only way to what was drawn
        coalitions = there.coalitions_matrix.astype(bool)
        drawn = _DrawnCoalitions(
            coalitions,
            log[-1],
            there.coalitions_counter.astype(np.float64),
            coalitions.sum(axis=1),
            there.is_coalition_sampled,
        )
        return _read_shares(found, n), drawn, there.sampling_adjustment_weights
    raise TooFewError("more coalitions")


def _read_shares(found: Any, n: int) -> FloatArray:
    return np.array([float(found[(i,)]) for i in range(n)])


SAMPLERS: Mapping[str, Sampler] = {
    "permutation": Sampler(sample_permutations, sums=True),
    "stratified": Sampler(sample_strata, sums=False, independent=True),
    "svarm": Sampler(sample_svarm, sums=False),
    "kernelshap": Sampler(fit_kernelshap, sums=True),
}
