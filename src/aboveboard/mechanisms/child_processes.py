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
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from multiprocessing.process import BaseProcess
from typing import IO, Any

from aboveboard.formatting import format_bytes

SAFE_PATH = {"PYTHONSAFEPATH": "1"}
DROPPED_VARIABLES = ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONBREAKPOINT")
_lock = threading.RLock()

MEMORY = 4 * 2**30
"""Bytes of address space that a child may take which reads what a stranger wrote."""

MOST_SECONDS = 600
"""Seconds of processor time after which the system ends such a child, whose parent may be gone."""


MOST_ANSWER = 2**26
"""Bytes that a child may say: what a page shows, or a few numbers."""

_BLOCK = 2**16
"""Bytes that are taken at once."""


@contextmanager
def safe_environment() -> Iterator[None]:
    """Start processes in here; the environment of this one is as it was afterwards."""
    with _lock:
        before = {name: os.environ.get(name) for name in (*SAFE_PATH, *DROPPED_VARIABLES)}
        try:
            os.environ.update(SAFE_PATH)
            for name in DROPPED_VARIABLES:
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
        If it ended without an answer, such as for want of memory, or says too much.
    """
    with safe_environment():
        child = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        return json.loads(_converse(child, json.dumps(given).encode(), patience))
    except BaseException:
        end_group(child)  # what it started may outlive it
        raise


def _converse(child: subprocess.Popen[bytes], given: bytes, patience: float) -> bytes:
    """Return what a child says to what it is given, once it has ended.

    Threads write and read, so that neither waits for the other, nor this one for a process that
    holds the output open.
    """
    if child.stdin is None or child.stdout is None:
        raise ValueError("the child has no pipes")
    ends, heard = time.monotonic() + patience, BytesIO()
    threading.Thread(target=_write, args=(child.stdin, given), daemon=True).start()
    reader = threading.Thread(target=_read, args=(child.stdout, heard), daemon=True)
    reader.start()
    reader.join(patience)
    if reader.is_alive():
        raise subprocess.TimeoutExpired(child.args, patience)
    if heard.tell() > MOST_ANSWER:
        raise ValueError(f"the child says more than {format_bytes(MOST_ANSWER)}")
    child.wait(max(0.0, ends - time.monotonic()))
    return heard.getvalue()


def _write(pipe: IO[bytes], content: bytes) -> None:
    with suppress(OSError), pipe:  # a child may end before it has read all
        pipe.write(content)


def _read(pipe: IO[bytes], heard: BytesIO) -> None:
    """Take what a child says, up to one byte more than it may say."""
    with pipe:
        while heard.tell() <= MOST_ANSWER and (block := pipe.read(_BLOCK)):
            heard.write(block)


def end_group(child: subprocess.Popen[bytes]) -> None:
    """End a child that has a session of its own, with all that it has started, as far as it can."""
    if sys.platform == "win32":
        child.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def limit_child() -> None:
    """Limit what this process takes, as far as the system can."""
    if sys.platform == "win32":
        return  # it has no such limits; whoever asks waits for so long only
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
