"""What an exhaustive audit would cost, said before it starts."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from time import perf_counter
from typing import Literal

import numpy as np

from aboveboard.formatting import format_count, format_quantity, format_rounded
from aboveboard.games.actions import count_actions, encode
from aboveboard.games.capabilities import HasBatches
from aboveboard.games.game import Game, TabularGame, count_profiles
from aboveboard.games.numbers import as_integer

# What a default audit may cost on each kind of game: a few seconds to half a minute on one core.
# Counted in rows, not seconds, so that the same audit gives the same verdict on every machine.
ROWS_OF_A_TABLE = 10**10
ROWS_IN_BATCHES = 12 * 10**6
ROWS_BY_CALLS = 2 * 10**5

LEAST_SHARE = 0.02
"""Of the time of an audit that each of its searches has, also when the others used it up."""

Progress = Callable[[int], None]
"""Called with the number of checks since the previous call."""


@dataclass(frozen=True)
class Budget:
    """How much an audit may cost, and what to do when exhaustive work would cost more.

    Parameters
    ----------
    rows
        Most rows (single checks) of an exhaustive scan. None: 10^10 for a table in memory,
        12 million for a game that values profiles in batches, 200 thousand for one that is
        called once a profile. Symmetry and strong dominance compare 2^20 profiles at most where
        the game compares many exactly in one call (`compare_rows`), else 200 thousand.
    memory
        Most bytes for a table of payoffs made for the scan.
    samples
        Rows drawn for each deviating party or coalition where the scan is too large.
    beyond
        "sample", or "refuse": raise `BudgetExceeded`.
    seconds
        How long an audit may search, by the clock; None: as long as it takes. What is proved or
        scanned whole comes first; the samples of the properties that are left share what remains.
        Each search has at least a fiftieth of it: what takes no time is never left undone because
        others took long.
        A verdict whose search the time ended says so. With enough seconds the verdicts are those
        without a limit.
    threads
        How many scan a large table at once; None: as many as there are cores.
    clock
        When the audit under way has to end; `start` sets it.

    Raises
    ------
    TypeError
        If a number is not whole, or `seconds` is not a number.
    ValueError
        If `seconds` is not above 0, `rows` or `memory` is negative, `samples` less than 1, or
        `beyond` none of the two.

    Examples
    --------
    >>> from aboveboard import Budget, DSIC, TabularGame, audit
    >>> few = Budget(rows=0, samples=10)
    >>> audit(TabularGame([[5, 1, 2, 3]]), [DSIC()], budget=few)["DSIC"].how
    'sampled'
    """

    rows: int | None = None
    memory: int = 2 * 2**30
    samples: int = 5_000
    beyond: Literal["sample", "refuse"] = "sample"
    seconds: float | None = None
    threads: int | None = None
    clock: Clock | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.rows is not None:
            as_integer(self.rows, "rows", least=0)
        as_integer(self.memory, "memory", least=0)
        as_integer(self.samples, "samples", least=1)
        if self.seconds is not None:
            if isinstance(self.seconds, bool) or not isinstance(self.seconds, int | float):
                raise TypeError(f"seconds is {self.seconds!r}; it must be a number")
            if not 0 < self.seconds < inf:
                raise ValueError(f"seconds is {self.seconds}; it must be a finite number above 0")
        if self.threads is not None:
            as_integer(self.threads, "threads", least=1)
        if self.beyond not in ("sample", "refuse"):
            raise ValueError(f'beyond is {self.beyond!r}; it must be "sample" or "refuse"')

    @property
    def workers(self) -> int:
        """How many threads scan a large table."""
        if self.threads is None and hasattr(os, "sched_getaffinity"):  # of Linux alone
            return len(os.sched_getaffinity(0))
        return self.threads or os.cpu_count() or 1

    def rows_for(self, game: Game) -> int:
        """Return the most rows allowed on this kind of game."""
        if self.rows is not None:
            return self.rows
        if isinstance(game, TabularGame):
            return ROWS_OF_A_TABLE
        return ROWS_IN_BATCHES if isinstance(game, HasBatches) else ROWS_BY_CALLS

    def start(self, searches: int) -> Budget:
        """Return the budget with its clock running; itself if there is no limit, or it runs.

        Parameters
        ----------
        searches
            How many searches share the time.
        """
        if self.seconds is None or self.clock is not None:
            return self
        return replace(self, clock=Clock(perf_counter() + self.seconds, searches))

    def find_end(self, *, sampled: bool) -> float:
        """Return when a search has to end, as `perf_counter` counts: a sample after its share."""
        if self.clock is None:
            return inf if self.seconds is None else perf_counter() + self.seconds
        least = perf_counter() + LEAST_SHARE * (self.seconds or 0)
        return max(least, self.clock.find_end() if sampled else self.clock.end)

    def share(self, searches: int) -> Budget:
        """Return the budget of one search that consists of several."""
        if self.seconds is None:
            return self
        return replace(self, clock=Clock(self.find_end(sampled=True), searches))

    def finish_search(self, searches: int = 1) -> None:
        """Leave what a search, or several, did not use to those that follow."""
        if self.clock is not None:
            self.clock.searches = max(1, self.clock.searches - searches)

    def describe_end(self, checked: int, total: int) -> str:
        """Return in words that the time ended a search."""
        given = "the time" if self.seconds is None else f"{format_rounded(self.seconds, 3)} seconds"
        return (
            f"the limit of {given} ended this search after {format_quantity(checked, 'check')} of "
            f"{format_count(total)}"
        )


@dataclass
class Clock:
    """When an audit has to end, and how many of its searches are still to come.

    Parameters
    ----------
    end
        As `perf_counter` counts.
    searches
        The one under way among them.
    """

    end: float
    searches: int

    def find_end(self) -> float:
        """Return when the search under way has used up its share."""
        now = perf_counter()
        return now + max(0.0, self.end - now) / max(1, self.searches)


@dataclass(frozen=True)
class CostEstimate:
    """What an exhaustive scan would cost.

    Parameters
    ----------
    rows
        Single checks.
    memory
        Bytes of the payoff table that the scan would make; 0 where it makes none.
    seconds
        Time on one core, from valuing a few rows first; rough.

    Examples
    --------
    >>> str(CostEstimate(rows=540, memory=0, seconds=0.25))
    '540 checks, 0 MiB, about 0.25 s'
    """

    rows: int
    memory: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{format_count(self.rows)} checks, {format_count(-(-self.memory // 2**20))} MiB, "
            f"about {format_rounded(self.seconds, 2)} s"
        )


def predict_seconds(rows: int, seconds: float) -> float:
    """Return the time of so many rows; infinite where it is more than a float can say."""
    try:
        return rows * seconds
    except OverflowError:
        return inf


def measure_seconds(game: Game, probe: int = 64) -> float:
    """Measure what valuing one profile costs, from a few of them."""
    if isinstance(game, TabularGame):
        return 1e-8
    count = min(probe, count_profiles(game))
    spaces = [game.actions(i) for i in range(len(game.players))]
    if isinstance(game, HasBatches):
        truth = [encode(space, game.truth(i)) for i, space in enumerate(spaces)]
        columns = [np.repeat(column, count, axis=0) for column in truth]
        game.payoff_rows(truth)  # compile first
        start = perf_counter()
        game.payoff_rows(columns)
    else:
        start = perf_counter()
        for k in range(count):
            game.payoffs([space[k % count_actions(space)] for space in spaces])
    return (perf_counter() - start) / count
