"""What a command changes of its process, and gives back: handlers of signals, and the log."""

from __future__ import annotations

import logging
import signal
import sys
import threading
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
