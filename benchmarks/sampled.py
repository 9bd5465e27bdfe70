"""Errors of sampled shares at equal numbers of evaluations, method by method.

Four games whose exact shares are known: the mean under differential privacy (`dp-mean`), each
user's own mean (`federated-mean`), weighted voting (what jumps), and covering (users own some of
forty items, a coalition is worth the items that it has, as data are that overlap).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.valuation import Population, sample_shares, shapley_among_users
from aboveboard.valuation.utilities import dp_mean, federated_mean
from benchmarks.comparison import ErrorCase, Scale, Section

METHODS = ("permutation", "stratified", "svarm", "kernelshap", "auto")
SEEDS = 10
ITEMS = 40
Table = NDArray[np.float64]


def section(scale: Scale) -> Section:
    """Return the section."""
    full = scale == "full"
    sizes = ((12, 300), (12, 1000), (14, 1000), (16, 2000)) if full else ((6, 60),)
    seeds = SEEDS if full else 2
    return Section(
        "sampled",
        "Sampled shares: errors at equal numbers of evaluations",
        f"Root mean square over users and {seeds} seeds, in percent of the mean absolute share; "
        "in brackets z, the root mean square of error over standard error, 1 where standard "
        'errors are honest. "Too few": refused for at least one seed. All draw by shapiq\'s '
        "samplers; `permutation` is the textbook's method, `auto` what a collaboration file gets "
        "that names none.",
        methods=METHODS,
        errors=tuple(
            ErrorCase(
                f"N = {n}, {budget} evaluations, {name}", partial(errors, game, n, budget, seeds)
            )
            for n, budget in sizes
            for name, game in GAMES.items()
        ),
    )


def errors(game: Callable[[int], Table], n: int, budget: int, seeds: int) -> tuple[str, ...]:
    """Return each method's error."""
    table = game(n)
    exact = shapley_among_users(table).users
    return tuple(_error(table, exact, method, budget, seeds) for method in METHODS)


def _error(table: Table, exact: Table, method: str, budget: int, seeds: int) -> str:
    def worth(members: tuple[int, ...]) -> float:
        return float(table[sum(1 << i for i in members)])

    gaps, z = [], []
    for seed in range(seeds):
        try:
            found = sample_shares(worth, len(exact), method, budget, seed)
        except InputError:
            return "too few"
        gap = np.array(found.shares) - exact
        gaps.append(gap)
        standard = np.array(found.standard_errors)
        z.extend((gap[standard > 0] / standard[standard > 0]).tolist())
    error = 100 * float(np.sqrt(np.mean(np.square(gaps)))) / float(np.abs(exact).mean())
    return f"{error:.1f} ({float(np.sqrt(np.mean(np.square(z)))):.2f})" if z else f"{error:.1f}"


def _members(n: int) -> NDArray[np.bool_]:
    return (np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(bool)


def _dp_mean(n: int) -> Table:
    return dp_mean.tabulate(np.random.default_rng(n).random(n) * 8)


def _federated_mean(n: int) -> Table:
    rng = np.random.default_rng(n)
    levels, samples = rng.integers(1, 3, n), rng.integers(1, 100, n).astype(float)
    return federated_mean.tabulate(Population(1.0, 10.0), levels, samples, np.ones(n))


def _voting(n: int) -> Table:
    weights = np.random.default_rng(n).random(n)
    return (_members(n) @ weights > weights.sum() / 2).astype(float)


def _covering(n: int) -> Table:
    owned = np.random.default_rng(n).random((n, ITEMS)) < 0.25
    return (_members(n) @ owned).sum(axis=1).astype(float)


GAMES: dict[str, Callable[[int], Table]] = {
    "dp-mean": _dp_mean,
    "federated-mean": _federated_mean,
    "voting": _voting,
    "covering": _covering,
}
