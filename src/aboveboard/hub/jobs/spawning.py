"""Running the child of a settlement: a process without our secrets, within limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO

from aboveboard.evidence.keys import write_private
from aboveboard.hub.database.engine import write
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.child import OUTCOME_FILE
from aboveboard.hub.jobs.isolation import OTHERS, find_user, give_folder, take_folder_back
from aboveboard.hub.jobs.queue import Lease, renew
from aboveboard.hub.jobs.relay import SOCKET_FILE
from aboveboard.mechanisms.child_processes import SAFE_PATH, end_group

MOST_TAIL = 2000
"""Bytes of a child's output that an error shows."""

MOST_OUTCOME = 2**30
"""Bytes of an outcome: what is public stands in the log."""


class ChildError(Exception):
    """Raised when the child ended without an outcome.

    Parameters
    ----------
    problem
        Why, as far as it is known.
    member
        Whose part it was reading then; empty: none, or it is not known.
    """

    def __init__(self, problem: str, member: str = "") -> None:
        super().__init__(f"{problem}{f' (it was reading the part of {member})' if member else ''}")
        self.member = member


def spawn_child(hub: Hub, lease: Lease, folder: Path) -> None:
    """Run the child and wait for it; no secret of ours is in its environment.

    Raises
    ------
    ChildError
        If it leaves no outcome.
    """
    limits = hub.configuration.worker
    user, group = find_user(limits.user)
    give_folder(folder, user, group)
    numbers = (
        os.getpid(),
        limits.memory_bytes,
        limits.seconds,
        limits.output_bytes,
        user,
        group,
    )
    command = [sys.executable, "-m", "aboveboard.hub.jobs.child", *map(str, numbers)]
    with _open_output(folder) as output:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=_make_environment(folder, own=user < 0),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=OTHERS,
        )
        try:
            _wait(hub, lease, child)
        finally:
            end_group(child)
            take_folder_back(folder, user)
    _check(hub, folder, child.returncode)


def _open_output(folder: Path) -> BinaryIO:
    """Return a new private file for what the child prints: it may quote what members sent."""
    place = folder.parent / f"{folder.name}.txt"
    place.unlink(missing_ok=True)
    write_private(place, b"")
    return place.open("wb")


def _make_environment(folder: Path, *, own: bool) -> dict[str, str]:
    """Return the child's environment: no secret of ours is in it.

    Parameters
    ----------
    folder
        The child's.
    own
        Whether it may write where this process may, such as compiled kernels.
    """
    kept = ["PATH", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "SYSTEMROOT"]
    kept += ["NUMBA_CACHE_DIR"] if own else []
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    if (folder / SOCKET_FILE).is_socket():
        from aboveboard.learning.flower.requirement import QUIET, SECRET, SUPERLINK_SOCKET

        # A relative path: the one from the root may be closed to the child, or too long.
        environment |= {SUPERLINK_SOCKET: SOCKET_FILE, **QUIET}
        environment |= {name: os.environ[name] for name in (SECRET,) if name in os.environ}
    return environment | {"HOME": str(folder), "TMPDIR": str(folder), **SAFE_PATH}


def _check(hub: Hub, folder: Path, status: int | None) -> None:
    """Raise `ChildError` if the child left no outcome, or had the network where it must not."""
    output = folder.parent / f"{folder.name}.txt"
    with output.open("rb") as file:
        file.seek(max(0, output.stat().st_size - MOST_TAIL))
        tail = file.read().decode("utf-8", "replace")
    output.unlink()
    outcome = folder / OUTCOME_FILE
    if status != 0 or outcome.is_symlink() or not outcome.is_file():
        raise ChildError(f"the child ended with status {status}: {tail}")
    if outcome.stat().st_size > MOST_OUTCOME:
        raise ChildError("the child's outcome is too large for a log")
    alone = not json.loads(outcome.read_text(encoding="utf-8")).get("network", True)
    if hub.configuration.worker.require_isolation and not alone:
        raise ChildError("the system does not let the child leave the network")


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
