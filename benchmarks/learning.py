"""Desirable mechanisms: against the shortest paths that the paper's Algorithm 1 builds.

    python -m benchmarks.learning

The plain way makes, for each party and each size of the other, the graph of all constraints and
hands it to scipy's Bellman-Ford (weights are negative, so Dijkstra will not do). Ours goes once
through each column. Both get the same growth market of two parties and must agree. What follows:
every column of the general search against the growth market's own, 3000 sizes each on one and two
threads (target: under 15 s on two cores), one column of 10^4 to 10^6 sizes (target: under 2 s),
three and four parties up to permutation, and all of figure 3 (target: under 30 s).
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from math import inf
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import bellman_ford

from aboveboard.learning.allocation import Market
from aboveboard.learning.desirable_search import BY_COLUMNS, search, sizes_array
from aboveboard.learning.growth_boundary import figure_3, growth_boundary
from aboveboard.learning.growth_market import Column, payments_of_all
from aboveboard.learning.growth_rate import alpha_star
from aboveboard.learning.quality import Identity
from aboveboard.learning.valuations import Growth

ALPHA = -0.7
ROUNDS = 3
MIB = 2**20


def main() -> None:
    """Run everything and print it."""
    payments_of_all(ALPHA, 100, 1)  # compiled
    peers()
    all_columns()
    one_column()
    symmetric()
    figure()


def fastest(*contestants: Callable[[], Any]) -> list[float]:
    """Time each in turns, and give the fastest round of each, in seconds."""
    best = [inf] * len(contestants)
    for _ in range(ROUNDS):
        for k, run in enumerate(contestants):
            start = time.perf_counter()
            run()
            best[k] = min(best[k], time.perf_counter() - start)
    return best


def plain(m: int) -> np.ndarray:
    """Build every column's graph and find its shortest paths; the market is symmetric."""
    sizes = np.arange(1.0, m + 1)
    report, truth = np.triu_indices(m)
    table = np.empty((m, m))
    for column, other in enumerate(sizes):
        joint = sizes + other
        honest = (2 * joint) ** ALPHA * joint
        own = np.maximum(joint[report], sizes[truth])
        lie = (own + joint[report]) ** ALPHA * own
        strict = report < truth
        # Node 0 is the base; parallel to the lies, staying away leads to every size.
        tails = np.concatenate([np.zeros(m, dtype=np.int64), report[strict] + 1])
        heads = np.concatenate([np.arange(m), truth[strict]]) + 1
        away = honest - joint**ALPHA * sizes
        weights = np.concatenate([away, (honest[truth] - lie)[strict]])
        graph = csr_array((weights, (tails, heads)), shape=(m + 1, m + 1))
        table[:, column] = bellman_ford(graph, indices=0)[1:]
    return table


def peers() -> None:
    """Compare with shortest paths on graphs, all columns of the same market."""
    market = Market(Identity(), Growth(Fraction(-7, 10)), 2)
    for m in (50, 100, 200, 400):
        grid = sizes_array(range(1, m + 1), exact=False)
        theirs, general, own = fastest(
            lambda m=m: plain(m),
            lambda grid=grid: BY_COLUMNS.payments(market, grid),
            lambda m=m: payments_of_all(ALPHA, m, 1, threads=1),
        )
        gap = float(np.abs(plain(m) - payments_of_all(ALPHA, m, 1)).max())
        print(
            f"{m} sizes each: scipy's Bellman-Ford {theirs:.3f} s (one party's columns); ours, any "
            f"market (both parties') {general:.4f} s, {theirs / general:,.0f} times; growth market "
            f"{own:.5f} s, {theirs / own:,.0f} times; largest difference {gap:.0e}",
            flush=True,
        )


def all_columns() -> None:
    """Time all columns of 3000 sizes each, and their memory."""
    one, two = fastest(
        lambda: payments_of_all(-0.668, 3000, 1, threads=1),
        lambda: payments_of_all(-0.668, 3000, 1, threads=2),
    )
    tracemalloc.start()
    found = search(Market(Identity(), Growth(Fraction(-668, 1000)), 2), range(1, 3001))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(
        f"3000 sizes each, all columns: {one:.2f} s on one thread, {two:.2f} s on two; with the "
        f"budget at 9 million profiles {peak / MIB:.0f} MiB at most; {found.answer}"
    )


def one_column() -> None:
    """Time one column by the number of sizes."""
    before = None
    for count in (10**4, 10**5, 10**6):

        def run(count: int = count) -> None:
            Column(-0.668, 1, 1).extend(count)

        (seconds,) = fastest(run)
        more = "" if before is None else f", {seconds / before:.1f} times the one before"
        print(f"one column of {count:,} sizes: {seconds:.4f} s{more}")
        before = seconds


def symmetric() -> None:
    """Time three and four alike parties up to permutation, against every column."""
    for n, m, whole in ((3, 20, True), (3, 50, False), (4, 10, True), (4, 24, False)):
        market = Market(Identity(), Growth(Fraction(-7, 10)), n)
        grid = sizes_array(range(1, m + 1), exact=False)
        (seconds,) = fastest(lambda market=market, m=m: search(market, range(1, m + 1)))
        said = ""
        if whole:
            (full,) = fastest(lambda market=market, grid=grid: BY_COLUMNS.payments(market, grid))
            said = f", every column {full:.3f} s, {full / seconds:.1f} times"
        print(f"{n} parties of {m} sizes: {seconds:.3f} s up to permutation{said}")


def figure() -> None:
    """Time figure 3 and what the paper could not reach."""
    start = time.perf_counter()
    rows = list(figure_3())
    print(f"figure 3, {len(rows)} boundaries on both grids: {time.perf_counter() - start:.2f} s")
    for zero in (True, False):
        start = time.perf_counter()
        found = growth_boundary(Fraction(-662, 1000), zero=zero)
        print(
            f"alpha = -0.662, {'with 0' if zero else 'from one step'}: boundary "
            f"{found.boundary:,}, {time.perf_counter() - start:.1f} s"
        )
    print(f"alpha* = {alpha_star()}")


if __name__ == "__main__":
    main()
