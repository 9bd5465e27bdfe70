"""Fair shares: against the definition, shapiq, pyDVL, and reading the table once.

Tables of random values from a seed, float64. pyDVL runs in an environment of its own: `pydvl.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.valuation import FederatedMean, Population, shapley_among_users
from aboveboard.valuation.shares.few_types import TypeValues, shapley_by_type
from aboveboard.valuation.utilities import dp_mean, federated_mean
from benchmarks import pydvl
from benchmarks.comparison import Case, Measured, NotMeasuredError, Scale, Section, Timing, agree
from benchmarks.page import size as amount
from benchmarks.timing import peak_of, timed
from oracles import valuation as definition

SEED = 7
EXACT = 1e-9
"""Relative difference of shares that are sums of up to 2^26 float64 values in another order."""

MINIMISED = 1e-6
"""The definition of the private mean minimises a risk numerically, to about this."""

LOST = 1e-6
"""Relative efficiency error of shares of which states of negligible probability are left out."""

SHARES = "exact shares of a table of all coalitions"
PRIVATE = "table of the mean under differential privacy"
FEDERATED = "table of each user's own mean"
TYPES = "shares of users of few types"

Table = NDArray[np.float64]


def section(scale: Scale) -> Section:
    """Return the section."""
    full = scale == "full"
    plain, private, federated = (12, 5, 10) if full else (5, 3, 4)
    peers = (12, 14, 16) if full else (5,)
    floor = (20, 22, 24, 26) if full else (10,)
    in_file = 30 if full else 10
    alike = (20, 2) if full else (6, 2)
    many = ((3334, 3333, 3333), (250, 250, 250, 250)) if full else ((20, 20, 20),)
    return Section(
        "valuation",
        "Shares of a joint value",
        "N users, 2^N coalitions.",
        (
            Case(
                SHARES,
                f"N = {plain}",
                "Theorem 2 in plain Python",
                "Theirs is the printed sum over subsets, in fractions. The same shares but for "
                "rounding.",
                partial(against_definition, plain),
            ),
            *(
                Case(
                    SHARES,
                    f"N = {n}",
                    "shapiq",
                    "`ExactComputer` looks all coalitions up in the same table, a batch at a time. "
                    "The same shares but for rounding.",
                    partial(against_shapiq, n),
                )
                for n in peers
            ),
            *(
                Case(
                    SHARES,
                    f"N = {n}",
                    "pyDVL",
                    "`combinatorial_exact_shapley` asks for every coalition N times over, one at a "
                    "time, so its time is mostly that of its look-ups. It runs in an environment "
                    f"of its own, because {pydvl.WHY}. The same shares but for rounding.",
                    partial(against_pydvl, n, full),
                )
                for n in peers
            ),
            *(
                Case(
                    SHARES,
                    f"N = {n}",
                    "reading the table once",
                    "Theirs is `table.sum()`: no exact method can do without that. Ours must sum "
                    "to what theirs says of everybody's value. Memory is beyond the table.",
                    partial(against_reading, n),
                )
                for n in floor
            ),
            Case(
                SHARES,
                f"N = {in_file}, in a file",
                "reading the table once",
                "The table is a memory-mapped file of float32 values; both read it there, ours "
                "on two cores. Memory is beyond the file.",
                partial(against_reading_a_file, in_file),
            ),
            *(
                Case(
                    what,
                    f"N = {n}",
                    "the definition in plain Python",
                    "Theirs minimises the estimator's error numerically for each coalition. The "
                    f"same values to {MINIMISED:g}.",
                    measure,
                )
                for what, n, measure in (
                    (PRIVATE, private, partial(private_table, private)),
                    (FEDERATED, federated, partial(federated_table, federated)),
                )
            ),
            Case(
                TYPES,
                _kinds([alike[0] // alike[1]] * alike[1]),
                "division of the whole table",
                "Theirs divides a table of all coalitions by `shapley_among_users`, making the "
                f"table included. The same shares to {LOST:g}.",
                partial(types_against_table, alike[0] // alike[1], alike[1]),
            ),
            *(
                Case(
                    TYPES,
                    _kinds(sizes),
                    "",
                    f"Shares sum to the value to {LOST:g}.",
                    partial(many_users, sizes),
                )
                for sizes in many
            ),
        ),
    )


def _kinds(sizes: Any) -> str:
    return f"{sum(sizes):,} users of {len(sizes)} types"


def random_table(n: int) -> Table:
    """Make values of all coalitions; that of nobody is 0."""
    table = np.random.default_rng(SEED).random(1 << n)
    table[0] = 0.0
    return table


def _close(ours: Any, theirs: Any, tolerance: float, what: str) -> str:
    gap = float(np.abs(np.asarray(ours) - np.asarray(theirs, dtype=np.float64)).max())
    agree(gap <= tolerance * max(1.0, float(np.abs(np.asarray(ours)).max())), what=what)
    return f"largest difference {gap:.0e}"


def against_definition(n: int, repeat: int) -> Measured:
    table = random_table(n)
    whole = [Fraction(x) for x in table.tolist()]
    (ours, found), (theirs, shares) = timed(
        repeat, lambda: shapley_among_users(table).users, lambda: definition.theorem_2(whole)
    )
    return Measured(ours, theirs, _close(found, [float(x) for x in shares], EXACT, SHARES))


def against_shapiq(n: int, repeat: int) -> Measured:
    from shapiq import ExactComputer, Game

    class Lookup(Game):
        """A table, by rows of members."""

        def __init__(self, table: Table) -> None:
            self.table, self.bits = table, 1 << np.arange(n)
            super().__init__(n_players=n, normalize=False, normalization_value=float(table[0]))

        def value_function(self, coalitions: NDArray[np.bool_]) -> Table:
            found: Table = self.table[coalitions @ self.bits]
            return found

    table = random_table(n)

    def theirs() -> list[float]:
        values = ExactComputer(game=Lookup(table), n_players=n)("SV")
        return [float(values[(i,)]) for i in range(n)]

    (ours, found), (peer, shares) = timed(repeat, lambda: shapley_among_users(table).users, theirs)
    return Measured(ours, peer, _close(found, shares, EXACT, SHARES))


def against_pydvl(n: int, install: bool, repeat: int) -> Measured:
    table = random_table(n)
    ((ours, found),) = timed(repeat, lambda: shapley_among_users(table).users)
    try:
        told = pydvl.shapley(table, repeat, install=install)
    except NotMeasuredError as reason:
        return Measured(ours, None, f"pyDVL was not measured: {reason}")
    gap = _close(found, told.shares, EXACT, SHARES)
    lookups = f"its look-ups alone take {1e3 * told.lookups:,.0f} ms"
    return Measured(ours, told.timing, f"{told.versions}; {lookups}; {gap}")


def against_reading(n: int, repeat: int) -> Measured:
    table = random_table(n)
    (ours, found), (theirs, total) = timed(repeat, lambda: shapley_among_users(table), table.sum)
    agree(bool(np.isfinite(total)), what=SHARES)
    _close(found.users.sum(), table[-1], EXACT, SHARES)
    peak = peak_of(lambda: shapley_among_users(table))
    ours = Timing(ours.wall, ours.cpu, ours.slowest, ours.rounds, peak)
    return Measured(ours, theirs, f"the table takes {amount(table.nbytes)}")


def against_reading_a_file(n: int, repeat: int) -> Measured:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        rng, block = np.random.default_rng(SEED), 1 << min(n, 22)
        with path.open("wb") as file:
            for _ in range((1 << n) // block):
                file.write(rng.random(block, dtype=np.float32).tobytes())
        table = np.memmap(path, np.float32, "r")
        (ours, found), (theirs, total) = timed(
            repeat, lambda: shapley_among_users(table), lambda: table.sum(dtype=np.float64)
        )
        agree(bool(np.isfinite(total)), what=SHARES)
        _close(found.users.sum(), float(table[-1]) - float(table[0]), EXACT, SHARES)
        peak = peak_of(lambda: shapley_among_users(table))
        ours = Timing(ours.wall, ours.cpu, ours.slowest, ours.rounds, peak)
        return Measured(ours, theirs, f"the file takes {amount(table.nbytes)}")


def private_table(n: int, repeat: int) -> Measured:
    epsilons = np.random.default_rng(SEED).random(n) * 8

    def theirs() -> list[float]:
        # A level of 0 is a user who is not there.
        return [
            definition.dp_utility([e if mask >> i & 1 else 0.0 for i, e in enumerate(epsilons)])
            for mask in range(1 << n)
        ]

    return _tables(repeat, lambda: dp_mean.tabulate(epsilons), theirs, PRIVATE)


def federated_table(n: int, repeat: int) -> Measured:
    rng = np.random.default_rng(SEED)
    levels, samples = rng.integers(1, 3, n), rng.integers(1, 100, n).astype(float)

    def theirs() -> list[float]:
        return [
            definition.federated_utility(
                1.0,
                10.0,
                [int(b) if mask >> i & 1 else 0 for i, b in enumerate(levels)],
                samples.tolist(),
                [1.0] * n,
            )
            for mask in range(1 << n)
        ]

    return _tables(
        repeat,
        lambda: federated_mean.tabulate(Population(1.0, 10.0), levels, samples, np.ones(n)),
        theirs,
        FEDERATED,
    )


def _tables(
    repeat: int, ours: Callable[[], Table], theirs: Callable[[], list[float]], what: str
) -> Measured:
    (mine, found), (plain, values) = timed(repeat, ours, theirs)
    return Measured(mine, plain, _close(found, values, MINIMISED, what))


def of_types(sizes: Any) -> tuple[FederatedMean, list[Fraction]]:
    """Make the federated mean of users of few types, and their levels."""
    levels, samples = [], []
    for t, count in enumerate(sizes):
        levels += [Fraction(1 if t < len(sizes) / 2 else 2)] * count
        samples += [Fraction(10 * (t + 1))] * count
    weights = (Fraction(1),) * len(samples)
    return FederatedMean(Population(Fraction(1), Fraction(10)), tuple(samples), weights), levels


def _by_type(sizes: Any) -> Callable[[], TypeValues]:
    utility, levels = of_types(sizes)
    grouped = utility.group_users(levels)
    return lambda: shapley_by_type(grouped.sizes, grouped.worth, smooth=True)


def types_against_table(count: int, types: int, repeat: int) -> Measured:
    sizes = [count] * types
    utility, levels = of_types(sizes)
    numbers = np.array([int(b) for b in levels])
    samples = np.array([float(m) for m in utility.samples])

    def theirs() -> list[float]:
        table = federated_mean.tabulate(
            Population(1.0, 10.0), numbers, samples, np.ones(len(samples))
        )
        return shapley_among_users(table).users[::count].tolist()

    (ours, found), (peer, shares) = timed(repeat, _by_type(sizes), theirs)
    return Measured(ours, peer, _close(sorted(found.users), sorted(shares), LOST, TYPES))


def many_users(sizes: tuple[int, ...], repeat: int) -> Measured:
    ((ours, found),) = timed(repeat, _by_type(sizes))
    agree(found.error <= LOST * abs(found.total), what=TYPES)
    return Measured(
        ours,
        None,
        f"{found.states:.1e} states; efficiency error {found.error:.0e}; a share may be off by "
        f"{found.uncertainty:.0e}",
    )
