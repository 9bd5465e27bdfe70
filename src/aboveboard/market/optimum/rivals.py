"""A race of two solvers: CP-SAT in this process, and HiGHS in one of its own, after a head start.

Which of them proves an optimum sooner depends on the instance where markets are large. The optimum
is the same, the canonical one, whoever finds it; the result says who did. The other process ends
with the search, and with this process, however that ends.
"""

from __future__ import annotations

import json
import os
import pickle  # only from this process to its own child, never from a file
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aboveboard.market.model.markets import Allocation, Market
from aboveboard.mechanisms.child_processes import safe_environment

HEAD_START = 2.0
"""Seconds after which the rival begins: most searches are over, and its start takes one second."""


@dataclass(frozen=True)
class RivalResult:
    """What the rival found.

    Parameters
    ----------
    allocation
        The best that it found.
    bound
        No allocation has more; None if nothing was proved.
    canonical
        Whether it is proved to be the lightest of all optimal allocations.
    """

    allocation: Allocation
    bound: int | None
    canonical: bool


class Rival:
    """HiGHS at work on the same market, within a `with` block.

    Parameters
    ----------
    market
        What is searched.
    seconds
        The time limit; None: until it is proved.
    """

    def __init__(self, market: Market, seconds: float | None) -> None:
        self.market, self.seconds = market, seconds
        self.found: RivalResult | None = None
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stop: Callable[[], None] | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Rival:
        """Let the rival begin, after the head start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the rival's process."""
        self._over.set()
        with self._lock:
            if self._process is not None:
                self._process.kill()
        self._thread.join(timeout=10)

    @property
    def has_won(self) -> bool:
        """Whether it has proved the canonical optimum."""
        return self.found is not None and self.found.canonical

    def stop_when_won(self, stop: Callable[[], None]) -> None:
        """Call `stop` once the rival has won, at once if it has."""
        with self._lock:
            self._stop = stop
        if self.has_won:
            stop()

    def _work(self) -> None:
        """Start the process, hand it the market, and read what it found."""
        if self._over.wait(HEAD_START):
            return
        with self._lock:
            if self._over.is_set():
                return
            try:
                with safe_environment():
                    self._process = subprocess.Popen(
                        [sys.executable, "-c", _make_command()],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL,
                        start_new_session=True,
                    )
            except OSError:
                return  # no second process can be had: then there is no race
        self._read(self._process)

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        left = None if self.seconds is None else max(0.0, self.seconds - HEAD_START)
        try:
            with process:
                assert process.stdin is not None
                assert process.stdout is not None
                pickle.dump((self.market, left), process.stdin)
                process.stdin.flush()  # it stays open: the child ends when it closes
                found = json.loads(process.stdout.readline())
        except (OSError, ValueError):
            return  # it was ended, or could not do it
        finally:
            process.kill()
        allocation = tuple(int(owner) for owner in found["allocation"])
        self.found = RivalResult(allocation, found["bound"], bool(found["canonical"]))
        with self._lock:
            stop = self._stop
        if self.has_won and stop is not None:
            stop()


def _make_command() -> str:
    return f"import {__name__} as rivals; rivals.{search_for_parent.__name__}()"


def search_for_parent() -> None:
    """Search the market that stands in standard input by HiGHS, and print what was found."""
    market, seconds = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from aboveboard.market.optimum.social_optimum import search_optimum

    best = search_optimum(market, solver="highs", seconds=seconds)
    found: dict[str, Any] = {
        "allocation": list(best.allocation),
        "bound": best.bound,
        "canonical": best.canonical,
    }
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    os._exit(0)


def _end_with_parent() -> None:
    """End this process when the other end of standard input closes."""
    os.read(0, 1)
    os._exit(1)
