"""How contestants are timed: in turns, in one process, wall and processor time.

Each is called once first, which loads compiled code and warms the caches; that call does not count.
Then they take turns for some rounds, and the fastest round of each counts. A call shorter than
`ROUND` is repeated within its round. A first call longer than `LONG` counts itself, and is the only
one: what is compiled or imported has been loaded by then, by runs at the smallest size.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

from benchmarks.comparison import Timing

ROUND = 0.01
"""Seconds that a round lasts at least: far more than a clock's tick."""

LONG = 3.0
"""Seconds above which one call says enough, and three would take too long."""


@dataclass(frozen=True)
class Call:
    """One call: its answer, seconds by the clock and of all threads."""

    value: Any
    wall: float
    cpu: float


def called(contestant: Callable[[], Any], times: int = 1) -> Call:
    """Call a contestant some times in a row; seconds are those of one call."""
    value, cpu, wall = None, time.process_time(), time.perf_counter()
    for _ in range(times):
        value = contestant()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Call(value, wall / times, cpu / times)


def timed(repeat: int, *contestants: Callable[[], Any]) -> list[tuple[Timing, Any]]:
    """Time contestants in turns.

    Parameters
    ----------
    repeat
        Rounds.
    contestants
        Each gives its answer.

    Returns
    -------
    list
        For each its time and its answer.
    """
    calls = [[called(contestant)] for contestant in contestants]
    short = [k for k, (first,) in enumerate(calls) if first.wall <= LONG]
    times = {k: max(1, ceil(ROUND / max(calls[k][0].wall, 1e-9))) for k in short}
    for k in short:
        calls[k].clear()
    for _ in range(repeat):
        for k in short:
            calls[k].append(called(contestants[k], times[k]))
    return [(timing_of(each), each[-1].value) for each in calls]


def timing_of(calls: list[Call]) -> Timing:
    """Return the time of the fastest of several calls, and how far they spread."""
    fastest = min(calls, key=lambda call: call.wall)
    return Timing(fastest.wall, fastest.cpu, max(call.wall for call in calls), len(calls))


def peak_of(contestant: Callable[[], Any]) -> int:
    """Return the most bytes that a call allocates at once; it runs slower meanwhile."""
    tracemalloc.start()
    try:
        contestant()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
