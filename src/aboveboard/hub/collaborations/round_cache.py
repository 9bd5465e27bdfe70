"""Rounds that a process has read of the database, kept as long as there is room for them."""

from __future__ import annotations

import threading
from collections import OrderedDict

from aboveboard.evidence.rounds import Round

MOST_ROUNDS = 256
"""Rounds that a process keeps."""

MOST_LEAVES = 50_000
"""Entries of all logs that a process keeps: some 10 MB; fewer rounds where logs are long."""


class RoundCache:
    """Rounds as they were read last, by collaboration."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Round] = OrderedDict()
        self._lock = threading.Lock()
        self._leaves = 0

    def find(self, key: tuple[str, str], size: int) -> Round | None:
        """Return the round, unless it is longer than the log is now."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or len(found.leaves) > size:
                return None
            self._kept.move_to_end(key)
            return found

    def keep(self, key: tuple[str, str], round_: Round) -> None:
        """Keep a round; the one used longest ago makes room."""
        with self._lock:
            self._leaves += len(round_.leaves) - self._count(key)
            self._kept[key] = round_
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and (
                len(self._kept) > MOST_ROUNDS or self._leaves > MOST_LEAVES
            ):
                _, old = self._kept.popitem(last=False)
                self._leaves -= len(old.leaves)

    def _count(self, key: tuple[str, str]) -> int:
        found = self._kept.get(key)
        return 0 if found is None else len(found.leaves)

    def clear(self) -> None:
        """Forget all rounds."""
        with self._lock:
            self._kept.clear()
            self._leaves = 0
