"""Processes that this one starts: no file of the current folder is taken for a library's module.

A new Python puts the current folder in front of `sys.path`, so that `struct.py` in a stranger's
folder would run in every child. A child of ours starts with a safe path, and without the variables
that add folders or code.
"""

from __future__ import annotations

import json
import multiprocessing.context
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from typing import Any

SAFE = {"PYTHONSAFEPATH": "1"}
DROPPED = ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONBREAKPOINT")
_lock = threading.RLock()

MEMORY = 4 * 2**30
"""Bytes of address space that a child may take which reads what a stranger wrote."""

MOST_SECONDS = 600
"""Seconds of processor time after which the system ends such a child, whose parent may be gone."""


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


def ask_child(module: str, given: Any, *, patience: float) -> Any:
    """Return what a module prints as JSON where it is run with some plain data as its input.

    Parameters
    ----------
    module
        Its name. It limits itself by `limit_child` before it reads anything.
    given
        What it reads.
    patience
        Seconds after which the child is ended, whatever it does.

    Raises
    ------
    subprocess.TimeoutExpired
        If it was ended.
    ValueError
        If it ended without an answer, such as for want of memory.
    """
    with safe_environment():
        child = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
    try:
        return json.loads(child.communicate(json.dumps(given), timeout=patience)[0])
    except BaseException:
        # What it started may outlive it, and hold its output open.
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        raise


def limit_child() -> None:
    """Limit what this process takes, as far as the system can."""
    import resource

    for kind, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, MOST_SECONDS)):
        with suppress(ValueError, OSError):  # a system that does not limit it, or has it less
            resource.setrlimit(kind, (most, most))


class _SafeProcess(multiprocessing.context.SpawnProcess):
    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:  # noqa: N802 - the name that multiprocessing calls
        with safe_environment():
            return multiprocessing.context.SpawnProcess._Popen(process_obj)


class SafeContext(multiprocessing.context.SpawnContext):
    """The context "spawn" of `multiprocessing`, its children started in a safe environment."""

    Process = _SafeProcess
