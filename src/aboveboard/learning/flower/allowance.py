"""How many trainings a party answers: some at once, then more as time passes.

Each training tells the center something about rows, and each comparison lets it try whether the
party has certain ones. So what is new costs one from an allowance that fills up with time: a long
federation goes on for years, and a center that asks without end learns little. What was answered
before costs nothing, as its answer is the same: a training starts again when a party fails or the
center was restarted.

The count is kept in a file beside the party's key: a SuperLink that makes the party's process end,
and whatever starts it again, gain nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aboveboard.errors import InputError
from aboveboard.formatting import format_count
from aboveboard.storage.atomic import atomic_file

MOST_NEW = 50
"""New trainings that are answered one after the other."""

ALLOWANCE_SECONDS = 3600.0
"""Seconds after which one more new training is answered."""

MOST_KNOWN = 10_000
"""Trainings and comparisons that are remembered, the latest of them."""

TRAININGS_SUFFIX = ".trainings"
"""How the name of the file beside the key ends."""


@dataclass
class Allowance:
    """Counts what is new to a party.

    Parameters
    ----------
    path
        Where the count is kept; None: in memory only.
    clock
        The time, in seconds.
    """

    path: Path | None = None
    clock: Callable[[], float] = time.time
    _left: float = field(default=MOST_NEW, init=False)
    _at: float | None = field(default=None, init=False)
    _known: dict[str, None] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if self.path is not None and self.path.exists():
            self._read(self.path)

    def spend(self, what: str) -> None:
        """Take one for a training that is new.

        Parameters
        ----------
        what
            A digest of it.

        Raises
        ------
        InputError
            If none is left.
        """
        if what in self._known:
            return
        now = self.clock()
        passed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._left, self._at = min(float(MOST_NEW), self._left + passed / ALLOWANCE_SECONDS), now
        if self._left < 1:
            minutes = format_count(int((1 - self._left) * ALLOWANCE_SECONDS / 60) + 1)
            raise InputError(
                "message",
                f"refused: the center has started {format_count(MOST_NEW)} other trainings, and "
                "this party answers one more each hour",
                f"start it in {minutes} minutes",
            )
        self._left -= 1
        self.remember(what)

    def is_known(self, what: str) -> bool:
        """Return whether this was answered before."""
        return what in self._known

    def remember(self, what: str) -> None:
        """Note that this is answered, so that it costs nothing later."""
        self._known[what] = None
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
        if self.path is not None:
            kept = {"left": self._left, "at": self._at, "known": list(self._known)}
            with atomic_file(self.path) as fresh:
                fresh.write_text(json.dumps(kept))
                fresh.chmod(0o600)

    def _read(self, path: Path) -> None:
        try:
            kept = json.loads(path.read_text())
            self._left, self._at = float(kept["left"]), float(kept["at"])
            self._known = dict.fromkeys(map(str, kept["known"]))
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputError(
                str(path), f"it is not the count of trainings ({error})", "remove it"
            ) from None
        if not 0 <= self._left <= MOST_NEW:
            raise InputError(str(path), "it is not the count of trainings", "remove it")
