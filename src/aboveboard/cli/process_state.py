"""What a command changes of its process, and gives back: handlers of signals, and the log."""

from __future__ import annotations

import _thread
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Handler = Callable[[int, Any], Any] | int | None


@contextmanager
def handle_signals(
    handlers: Mapping[int, Handler], after: signal.Handlers | None = None
) -> Iterator[None]:
    """Handle signals in another way in here; afterwards they are handled as before.

    Python lets only its main thread do this: in another one nothing changes.

    Parameters
    ----------
    handlers
        By number of a signal: what handles it.
    after
        What handles all of them afterwards; None: what did before.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in handlers}
    try:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        yield
    finally:
        for number, handler in before.items():
            if after is not None or handler is not None:  # None: not set from Python
                signal.signal(number, handler if after is None else after)


@contextmanager
def catch_lost_errors(is_caught: Callable[[type[BaseException]], bool]) -> Iterator[None]:
    """Hand over the errors in here that Python can raise to nobody; it would print and drop them.

    What a signal raises is lost where it comes during a callback of a weak reference or a
    finalizer: the import system has such callbacks, so that a command that is asked to end while it
    imports would go on.

    Parameters
    ----------
    is_caught
        Takes the kind of a lost error and returns whether it was for it; others are printed as
        before.
    """
    before = sys.unraisablehook

    def hand_over(lost: sys.UnraisableHookArgs) -> None:
        if not is_caught(lost.exc_type):
            before(lost)

    sys.unraisablehook = hand_over
    try:
        yield
    finally:
        sys.unraisablehook = before


SOON = 0.01
"""Seconds after which a signal is sent again: the callback in which it was lost has ended by then,
and a person notices no delay."""


def send_soon(number: int) -> None:
    """Send a signal to the main thread in a moment; return at once."""
    # Not threading.Thread: its locks may be held by what the garbage collector interrupted.
    _thread.start_new_thread(_send, (number,))


def _send(number: int) -> None:
    time.sleep(SOON)
    ident = threading.main_thread().ident
    if ident is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(ident, number)  # it also ends a wait
    else:
        signal.raise_signal(number)


@contextmanager
def log_to_stderr() -> Iterator[None]:
    """Write what is logged in here to standard error, a line for each message."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
