"""What stays in memory to the end: Python's garbage collector need not go through it each time."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (5_000, 10, 10)
"""After how many new objects the collector looks, and how often at older ones. Python's 700 look
at all that tests have made and keep, such as modules imported on first use, thirty times a run."""


@contextmanager
def keep_to_the_end() -> Iterator[None]:
    """Make things that stay, such as modules and trees of the source, and never look for garbage.

    Else the collector walks all that is there whenever that has grown by a quarter: a third of the
    time that imports take, seconds for trees, and a second at a time in later tests.
    What tests before have left is collected first: frozen, it would hold its files and sockets,
    and nobody would hear of an error as it goes.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*SELDOM)
        gc.enable()
