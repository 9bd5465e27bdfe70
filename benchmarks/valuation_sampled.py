"""Errors of sampled shares at equal numbers of evaluations, method by method.

Four games whose exact shares are known: the mean under differential privacy (`dp-mean`), each
user's own mean (`federated-mean`), weighted voting (what jumps), and covering (users own some of
forty items, a coalition is worth the items that it has, as data are that overlap). The error is the
root mean square over users and seeds, in percent of the mean absolute share; z is the root mean
square of error over standard error, 1 where standard errors are honest.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aboveboard.errors import InputError
from aboveboard.valuation import (
    Population,
    among_users,
    dp_mean,
    federated_mean,
    sampled_shares,
)

METHODS = ("permutation", "stratified", "svarm", "kernelshap", "auto")
SIZES = ((12, 300), (12, 1000), (14, 1000), (16, 2000))
SEEDS = 10
ITEMS = 40


def sampled() -> None:
    """Measure and print."""
    for n, budget in SIZES:
        for name, table in games(n):
            exact = among_users(table).users
            scale = float(np.abs(exact).mean())
            told = [f"{m} {_error(table, exact, n, m, budget, scale)}" for m in METHODS]
            print(f"N = {n}, {budget} evaluations, {name}: {', '.join(told)}", flush=True)


def _error(
    table: np.ndarray, exact: np.ndarray, n: int, method: str, budget: int, scale: float
) -> str:
    def worth(members: tuple[int, ...]) -> float:
        return float(table[sum(1 << i for i in members)])

    gaps, z = [], []
    for seed in range(SEEDS):
        try:
            found = sampled_shares(worth, n, method, budget, seed)
        except InputError:
            return "too few"
        gap = np.array(found.shares) - exact
        gaps.append(gap)
        errors = np.array(found.standard_errors)
        z.extend((gap[errors > 0] / errors[errors > 0]).tolist())
    error = 100 * float(np.sqrt(np.mean(np.square(gaps)))) / scale
    return f"{error:.2f} % (z {float(np.sqrt(np.mean(np.square(z)))):.2f})"


def games(n: int) -> Iterator[tuple[str, np.ndarray]]:
    """Give the games' tables."""
    rng = np.random.default_rng(n)
    members = (np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(bool)
    yield "dp-mean", dp_mean.table(rng.random(n) * 8)
    yield (
        "federated-mean",
        federated_mean.table(
            Population(1.0, 10.0),
            rng.integers(1, 3, n),
            rng.integers(1, 100, n).astype(float),
            np.ones(n),
        ),
    )
    weights = rng.random(n)
    yield "voting", (members @ weights > weights.sum() / 2).astype(float)
    yield "covering", (members @ (rng.random((n, ITEMS)) < 0.25)).sum(axis=1).astype(float)


if __name__ == "__main__":
    sampled()
