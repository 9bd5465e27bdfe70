"""Running the child of a settlement: a process without our secrets, within limits."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from aboveboard.hub.database.engine import write
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.child import OUTCOME_FILE
from aboveboard.hub.jobs.queue import Lease, renew


class ChildError(Exception):
    """Raised when the child ended without an outcome."""


def spawn_child(hub: Hub, lease: Lease, folder: Path) -> None:
    """Run the child and wait for it; no secret of ours is in its environment.

    Raises
    ------
    ChildError
        If it leaves no outcome.
    """
    limits = hub.configuration.worker
    command = [sys.executable, "-m", "aboveboard.hub.jobs.child", str(folder)]
    numbers = (os.getpid(), limits.memory_bytes, limits.seconds, limits.output_bytes)
    command += [str(number) for number in numbers]
    kept = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "NUMBA_CACHE_DIR", "VIRTUAL_ENV", "SYSTEMROOT")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"HOME": str(folder), "TMPDIR": str(folder)}
    with (folder / "output.txt").open("wb") as output:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(hub, lease, child)
        finally:
            child.kill()
            child.wait()
    if child.returncode != 0 or not (folder / OUTCOME_FILE).is_file():
        tail = (folder / "output.txt").read_bytes()[-2000:].decode("utf-8", "replace")
        raise ChildError(f"the child ended with status {child.returncode}: {tail}")


def _wait(hub: Hub, lease: Lease, child: subprocess.Popen[bytes]) -> None:
    """Wait for the child, and keep the job meanwhile.

    Raises
    ------
    ChildError
        If it takes too long.
    """
    limits = hub.configuration.worker
    end = time.monotonic() + limits.seconds
    while time.monotonic() < end:
        try:
            child.wait(timeout=limits.lease_seconds / 3)
        except subprocess.TimeoutExpired:
            with write(hub.engine) as connection:
                renew(connection, lease, hub.now, limits.lease_seconds)
        else:
            return
    raise ChildError(f"the child took longer than {limits.seconds} seconds")
