"""Processes that this one starts: no file of the current folder is taken for a library's module.

A new Python puts the current folder in front of `sys.path`, so that `struct.py` in a stranger's
folder would run in every child. A child of ours starts with a safe path, and without the variables
that add folders or code.
"""

from __future__ import annotations

import multiprocessing.context
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

SAFE = {"PYTHONSAFEPATH": "1"}
DROPPED = ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONBREAKPOINT")
_lock = threading.RLock()


def copy_environment() -> dict[str, str]:
    """Return this process's variables for a child of ours, without those that add folders or code.

    Examples
    --------
    >>> copy_environment()["PYTHONSAFEPATH"]
    '1'
    """
    return {name: x for name, x in os.environ.items() if name not in DROPPED} | SAFE


@contextmanager
def safe_environment() -> Iterator[None]:
    """Start processes in here; the environment of this one is as it was afterwards."""
    with _lock:
        before = {name: os.environ.get(name) for name in (*SAFE, *DROPPED)}
        try:
            os.environ.update(SAFE)
            for name in DROPPED:
                os.environ.pop(name, None)
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


class _SafeProcess(multiprocessing.context.SpawnProcess):
    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:  # noqa: N802 - the name that multiprocessing calls
        with safe_environment():
            return multiprocessing.context.SpawnProcess._Popen(process_obj)


class SafeContext(multiprocessing.context.SpawnContext):
    """The context "spawn" of `multiprocessing`, its children started in a safe environment."""

    Process = _SafeProcess
