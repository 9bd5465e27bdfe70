"""How often somebody may ask within a minute, counted in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

MINUTE = 60
"""Seconds of a window."""

MOST_KEYS = 20_000
"""Keys that are counted at a time: some megabytes."""


class RateWindow:
    """Counts requests by key in a sliding minute.

    Two numbers for each key: those of this minute, and of the one before, of which the part counts
    that is less than a minute ago if they came evenly. Memory grows neither with the requests nor
    with the keys: of more than `MOST_KEYS` the one that has asked longest ago is forgotten.

    Parameters
    ----------
    most
        Requests of one key in a minute.
    clock
        Returns seconds that only grow.

    Examples
    --------
    >>> window = RateWindow(2, clock=lambda: 0.0)
    >>> [window.hit("acme") for _ in range(3)], window.hit("bolt")
    ([True, True, False], True)
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._counts: dict[str, tuple[int, int, int]] = {}
        self._swept, self._lock = 0, threading.Lock()

    def hit(self, key: str) -> bool:
        """Count a request; return whether it is within the limit."""
        now = self._clock()
        minute = int(now // MINUTE)
        with self._lock:
            if minute > self._swept:
                self._sweep(minute)
            at, before, current = self._counts.pop(key, (minute, 0, 0))
            if minute > at:
                before, current = (current, 0) if minute == at + 1 else (0, 0)
            left = 1 - (now / MINUTE - minute)
            allowed = before * left + current < self._most
            if len(self._counts) >= MOST_KEYS:
                del self._counts[next(iter(self._counts))]
            self._counts[key] = (minute, before, current + allowed)
            return allowed

    def _sweep(self, minute: int) -> None:
        """Forget keys that have not asked in this minute or the one before."""
        self._swept = minute
        self._counts = {k: found for k, found in self._counts.items() if found[0] >= minute - 1}
