"""Learning: payments for a model, and desirable mechanisms as shortest paths.

The plain way to a desirable mechanism makes, for each party and each size of the other, the graph
of all constraints and hands it to scipy's Bellman-Ford (weights are negative, so Dijkstra will not
do). Ours goes once through each column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.learning.desirable.growth_boundary import FIGURE_3, trace_figure_3
from aboveboard.learning.desirable.growth_market import MarketColumn, compute_all_payments
from aboveboard.learning.desirable.search import BY_COLUMNS, search_desirable, sizes_array
from aboveboard.learning.market.allocation import Market
from aboveboard.learning.market.quality import Identity
from aboveboard.learning.market.valuations import Growth, Linear
from aboveboard.learning.payments.exploitation_payment import exploitation_payments
from benchmarks.comparison import Case, Measured, Scale, Section, Timing, agree
from benchmarks.learning_engine import BEFORE, measure_airlines
from benchmarks.page import size as amount
from benchmarks.timing import peak_of, timed
from oracles import desirable, learning

SEED = 7
ALPHA = Fraction(-7, 10)
EDGE = Fraction(-668, 1000)
"""A market growth rate near the boundary, where a desirable mechanism barely fails to exist."""

EXACT = 1e-9
"""Relative difference of payments that are sums of powers in another order."""

SEARCHED = 100
"""Sizes up to which a boundary is searched for a second time, through every profile."""

ENGINE = "federated training, parties in process"
EXPLOITATION = "maximal exploitation payments, linear market"
GENERAL = "largest desirable payments, any market"
GROWTH = "largest desirable payments, growth market of two"
COLUMN = "one column of the growth market"
ALIKE = "search for a desirable mechanism among parties alike"
FIGURE = "boundaries of figure 3"

Payments = NDArray[np.float64]


def section(scale: Scale) -> Section:
    """Return the section."""
    full = scale == "full"
    parties, reports = (4, 4) if full else (2, 3)
    sizes = (50, 100, 200) if full else (6,)
    threads = 3000 if full else 20
    plain, longest = (2000, 1_000_000) if full else (20, 100)
    groups = ((3, 20), (4, 10)) if full else ((3, 4),)
    larger = ((3, 50), (4, 24)) if full else ()
    rates = FIGURE_3 if full else FIGURE_3[1:4]
    return Section(
        "learning",
        "Learning together",
        "",
        (
            *(
                [
                    Case(
                        ENGINE,
                        "six airlines, 14,948 flights, 13 joint trainings",
                        f"a process for each party, at {BEFORE}",
                        "The same joint quality, to the last bit. Memory is that of all processes, "
                        "interpreters and libraries included.",
                        measure_airlines,
                    )
                ]
                if full
                else []
            ),
            Case(
                EXPLOITATION,
                f"{parties} parties, all {(reports + 1) ** parties:,} profiles of reports",
                "Definition 9 in plain Python",
                "Theirs tries all sets of parties that could be served, at each profile and once "
                "more without each party, in fractions. The same payments.",
                partial(exploitation, parties, reports),
            ),
            *(
                Case(
                    what,
                    f"{m} sizes each",
                    "scipy's Bellman-Ford",
                    f"Theirs builds the graph of all constraints of each column. {both} The same "
                    "payments but for rounding.",
                    partial(measure, m),
                )
                for what, both, measure in (
                    (
                        GENERAL,
                        "It does so for one party's columns, ours for both parties'.",
                        any_market,
                    ),
                    (GROWTH, "One party's columns on both sides; ours on one thread.", growth),
                )
                for m in sizes
            ),
            Case(
                GROWTH,
                f"{threads} sizes each, two threads",
                "ours on one thread",
                "The same payments.",
                partial(two_threads, threads),
            ),
            Case(
                COLUMN,
                f"{plain:,} sizes",
                "every lie in plain Python",
                "Theirs looks at all pairs of a truth and a lie. The same payments but for "
                "rounding.",
                partial(column, plain),
            ),
            Case(
                COLUMN,
                f"{longest:,} sizes",
                "",
                "Its first payments are those of a column that ends there.",
                partial(long_column, longest),
            ),
            *(
                Case(
                    ALIKE,
                    f"{n} parties of {m} sizes",
                    "every party and column",
                    "Ours goes through profiles up to permutation, and looks at the budget too. "
                    "The same payments but for rounding.",
                    partial(alike, n, m),
                )
                for n, m in groups
            ),
            *(
                Case(
                    ALIKE,
                    f"{n} parties of {m} sizes",
                    "",
                    "Its payments up to a third of the sizes are those of the search that ends "
                    "there.",
                    partial(alike_only, n, m),
                )
                for n, m in larger
            ),
            Case(
                FIGURE,
                f"{2 * len(rates)} boundaries",
                "",
                f"Boundaries up to {SEARCHED} sizes are those of the search of every profile, "
                "which is not in the time.",
                partial(figure, rates),
            ),
        ),
    )


def _same(ours: Any, theirs: Any, what: str) -> str:
    gap = float(np.abs(np.asarray(ours) - np.asarray(theirs)).max())
    agree(gap <= EXACT * max(1.0, float(np.abs(np.asarray(ours)).max())), what=what)
    return f"largest difference {gap:.0e}"


def exploitation(n: int, reports: int, repeat: int) -> Measured:
    # Every column sums to 0 or more for some parties and to less for others.
    matrix = np.random.default_rng(SEED).integers(-3, 4, (n, n))
    np.fill_diagonal(matrix, 3)
    rows = tuple(tuple(Fraction(int(x)) for x in row) for row in matrix)
    market = Market(Identity(), Linear(rows), n)
    profiles = list(product([learning.ABSENT, *range(1, reports + 1)], repeat=n))
    present = np.array([[t != learning.ABSENT for t in profile] for profile in profiles])
    sizes = np.array([[0 if t == learning.ABSENT else t for t in p] for p in profiles])
    value = learning.linear(rows)

    def quality(size: int) -> int:
        return size

    def serves(sent: Sequence[Any]) -> set[int]:
        return learning.served_by(sent, value, quality, "all")

    def theirs() -> list[list[Fraction]]:
        return [
            [learning.payment(i, list(p), value, quality, serves) for i in range(n)]
            for p in profiles
        ]

    (ours, found), (plain, paid) = timed(
        repeat, lambda: exploitation_payments(market, sizes, present), theirs
    )
    agree(found.tolist() == paid, what=EXPLOITATION)
    return Measured(ours, plain)


def by_graphs(m: int) -> Payments:
    """Build every column's graph and find its shortest paths; the market is symmetric."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import bellman_ford

    alpha = float(ALPHA)
    sizes = np.arange(1.0, m + 1)
    report, truth = np.triu_indices(m)
    table = np.empty((m, m))
    for at, other in enumerate(sizes):
        joint = sizes + other
        honest = (2 * joint) ** alpha * joint
        own = np.maximum(joint[report], sizes[truth])
        lie = (own + joint[report]) ** alpha * own
        strict = report < truth
        # Node 0 is the base; parallel to the lies, staying away leads to every size.
        tails = np.concatenate([np.zeros(m, dtype=np.int64), report[strict] + 1])
        heads = np.concatenate([np.arange(m), truth[strict]]) + 1
        away = honest - joint**alpha * sizes
        weights = np.concatenate([away, (honest[truth] - lie)[strict]])
        graph = csr_array((weights, (tails, heads)), shape=(m + 1, m + 1))
        table[:, at] = bellman_ford(graph, indices=0)[1:]
    return table


GRAPHS: dict[int, tuple[Timing, Payments]] = {}
"""By the number of sizes: the two rows of a size share one run of scipy's, which takes long."""


def _against_graphs(m: int, repeat: int, contestant: Callable[[], Payments]) -> Measured:
    if m in GRAPHS:
        ((ours, found),) = timed(repeat, contestant)
    else:
        (ours, found), GRAPHS[m] = timed(repeat, contestant, lambda: by_graphs(m))
    theirs, table = GRAPHS[m]
    return Measured(ours, theirs, _same(found, table, GENERAL))


def any_market(m: int, repeat: int) -> Measured:
    market = Market(Identity(), Growth(ALPHA), 2)
    grid = sizes_array(range(1, m + 1), exact=False)
    return _against_graphs(m, repeat, lambda: BY_COLUMNS.payments(market, grid).payments[0])


def growth(m: int, repeat: int) -> Measured:
    return _against_graphs(m, repeat, lambda: compute_all_payments(float(ALPHA), m, 1, threads=1))


def two_threads(m: int, repeat: int) -> Measured:
    (two, found), (one, same) = timed(
        repeat,
        lambda: compute_all_payments(float(EDGE), m, 1, threads=2),
        lambda: compute_all_payments(float(EDGE), m, 1, threads=1),
    )
    agree(bool((found == same).all()), what=GROWTH)
    market = Market(Identity(), Growth(EDGE), 2)
    peak = peak_of(lambda: search_desirable(market, range(1, m + 1)))
    return Measured(two, one, f"with the budget tested at {m * m:,} profiles: {amount(peak)}")


def extended(count: int) -> Payments:
    """Make a column of the growth market at the other's smallest size."""
    column = MarketColumn(float(EDGE), 1, 1)
    column.extend(count)
    return column.payments


def column(count: int, repeat: int) -> Measured:
    (ours, found), (theirs, paid) = timed(
        repeat,
        lambda: extended(count),
        lambda: desirable.growth_column(float(EDGE), 1, range(1, count + 1)),
    )
    return Measured(ours, theirs, _same(found, paid, COLUMN))


def long_column(count: int, repeat: int) -> Measured:
    ((ours, found),) = timed(repeat, lambda: extended(count))
    part = count // 10
    return Measured(ours, None, _same(found[:part], extended(part), COLUMN))


def alike(n: int, m: int, repeat: int) -> Measured:
    market = Market(Identity(), Growth(ALPHA), n)
    grid = sizes_array(range(1, m + 1), exact=False)
    (ours, found), (theirs, paid) = timed(
        repeat,
        lambda: search_desirable(market, range(1, m + 1)),
        lambda: BY_COLUMNS.payments(market, grid),
    )
    tables = np.stack(found.payments) * found.scale
    return Measured(
        ours, theirs, f"{found.answer}; {_same(tables, np.stack(paid.payments), ALIKE)}"
    )


def alike_only(n: int, m: int, repeat: int) -> Measured:
    market = Market(Identity(), Growth(ALPHA), n)
    ((ours, found),) = timed(repeat, lambda: search_desirable(market, range(1, m + 1)))
    part = m // 3
    smaller = search_desirable(market, range(1, part + 1))
    within = (slice(None), *(slice(part),) * n)
    _same(np.stack(found.payments)[within], np.stack(smaller.payments), ALIKE)
    return Measured(ours, None, found.answer)


def figure(rates: Sequence[Fraction], repeat: int) -> Measured:
    ((ours, found),) = timed(repeat, lambda: list(trace_figure_3(rates)))
    largest = max(b.boundary for b in found if b.boundary is not None)
    for one in found:
        if one.boundary is not None and 2 <= one.boundary <= SEARCHED:
            market = Market(Identity(), Growth(one.alpha), 2)
            for top, answer in ((one.boundary, "exists"), (one.boundary + 1, "none")):
                sizes = range(0 if one.zero else 1, top + 1)
                agree(search_desirable(market, sizes).answer == answer, what=FIGURE)
    return Measured(ours, None, f"the largest is {largest:,}")
