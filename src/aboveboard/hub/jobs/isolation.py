"""What a child gives up before it reads anything: network, rights, memory, time, output.

On Linux a child leaves the network for a namespace of its own; where the system does not let an
unprivileged worker do that, the child says so, and a hub may refuse to settle then. A worker that
runs as root gives the child to a user of the configuration, who can read neither the hub's keys nor
its files. Other systems have the limits, and neither of these.
"""

from __future__ import annotations

import ctypes
import os
import resource
import secrets
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from aboveboard.errors import InputError

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
"""Flags of Linux, from <linux/sched.h>."""

_DIE_WITH_PARENT, _NO_NEW_RIGHTS = 1, 38
"""Options of Linux: PR_SET_PDEATHSIG and PR_SET_NO_NEW_PRIVS of <linux/prctl.h>."""

OTHERS = 0o077
"""Rights that nobody but the child itself has on what it writes: its umask."""


@dataclass(frozen=True)
class ChildLimits:
    """What a child may take.

    Parameters
    ----------
    parent
        The worker's process: the child ends with it.
    memory
        Bytes of address space.
    seconds
        Of processor time on all cores.
    output
        Bytes of each file it writes.
    user, group
        Whom the child becomes; -1: it stays who it is.
    """

    parent: int
    memory: int
    seconds: int
    output: int
    user: int = -1
    group: int = -1


def limit_process(memory: int, seconds: int, output: int) -> None:
    """Limit what this process may take; see `ChildLimits`."""
    cores = os.cpu_count() or 1
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds * cores),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if hard < 0 else min(most, hard),) * 2)


def leave_network() -> bool:
    """Return whether this process could be put where there is no network."""
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None, use_errno=True)
    flags = (_NEW_NETWORK,) if os.geteuid() == 0 else (_NEW_USER | _NEW_NETWORK,)
    return any(library.unshare(flag) == 0 for flag in flags)


def drop_rights(user: int, group: int) -> None:
    """Become another user for good; nothing this process starts has more rights either."""
    if user >= 0:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
        if os.geteuid() != user or os.getuid() != user:
            os._exit(1)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_NO_NEW_RIGHTS, 1, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """Let the system end this process with the worker that started it, however that ends.

    Parameters
    ----------
    parent
        The worker's process; if it is gone already, this one ends at once.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def isolate(limits: ChildLimits) -> bool:
    """Drop all that a settlement does not need; return whether the network is gone.

    In this order: a namespace needs rights that are dropped afterwards, and a change of user takes
    back that the child dies with its parent.
    """
    alone = leave_network()  # before any thread starts: the system refuses it later
    drop_rights(limits.user, limits.group)
    die_with_parent(limits.parent)
    limit_process(limits.memory, limits.seconds, limits.output)
    os.umask(OTHERS)
    return alone


def find_user(name: str) -> tuple[int, int]:
    """Return the numbers of the user that settlements run as; -1 where the worker is not root.

    Raises
    ------
    InputError
        If there is no such user, or it is root.
    """
    if not name or os.geteuid() != 0:
        return -1, -1
    import pwd

    try:
        entry = pwd.getpwnam(name)
    except KeyError as error:
        raise InputError(
            "key 'worker.user'", f"there is no user {name!r}", "make one that owns nothing"
        ) from error
    if entry.pw_uid == 0:
        raise InputError("key 'worker.user'", "it is root", "name a user that owns nothing")
    return entry.pw_uid, entry.pw_gid


def give_folder(folder: Path, user: int, group: int) -> None:
    """Let the user that a child becomes own its folder, and all that is in it."""
    if user < 0:
        return
    for place, _, files in os.walk(folder):
        os.chown(place, user, group)
        for name in files:
            os.chown(Path(place) / name, user, group, follow_symlinks=False)


def take_folder_back(folder: Path, user: int) -> None:
    """Let nobody else change what is in a child's folder, before any of it is looked at.

    A process that a child started and that has left its group may still run: it could exchange a
    file for a link to our keys between a look and a read. Folders are taken one by one, each before
    what is in it is listed, and no link is followed. One is open at a time: a child may have made
    more than a process can open.
    """
    if user < 0:
        return
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        place = os.open(path, flags)  # what leads there is ours already
        try:
            os.fchown(place, os.geteuid(), os.getegid())
            os.fchmod(place, 0o700)
            with os.scandir(place) as found:
                waiting += [
                    path / each.name for each in found if each.is_dir(follow_symlinks=False)
                ]
        finally:
            os.close(place)


def remove_folder(folder: Path) -> None:
    """Remove a child's folder, however deep it is; no link is followed.

    Each folder in it is moved to the top before it is looked into.

    Raises
    ------
    OSError
        If something in it cannot be removed; all else is.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        top = os.open(folder, flags)
    except FileNotFoundError:
        return
    failed: list[OSError] = []
    try:
        waiting = _unpack(top, top, failed)
        while waiting:
            name = waiting.pop()
            try:
                place = os.open(name, flags, dir_fd=top)
                try:
                    waiting += _unpack(place, top, failed)
                finally:
                    os.close(place)
                os.rmdir(name, dir_fd=top)
            except OSError as error:
                failed.append(error)
    finally:
        os.close(top)
    if failed:
        raise failed[0]
    folder.rmdir()


def _unpack(place: int, top: int, failed: list[OSError]) -> list[str]:
    """Remove the files of an open folder, and move its folders to the top; return their names.

    What cannot be removed is noted in `failed`: the rest, such as opened submissions, must go.
    """
    os.fchmod(place, 0o700)
    with os.scandir(place) as found:
        inside = [(each.name, each.is_dir(follow_symlinks=False)) for each in found]
    moved = []
    for name, is_folder in inside:
        try:
            if is_folder:
                moved.append(_move_up(name, place, top))
            else:
                os.unlink(name, dir_fd=place)
        except OSError as error:
            failed.append(error)
    return moved


def _move_up(name: str, place: int, top: int) -> str:
    """Move a folder to the top; return its name there."""
    os.chmod(name, 0o700, dir_fd=place)  # it may be closed to its owner, too
    if place == top:
        return name
    moved = secrets.token_hex(16)
    os.rename(name, moved, src_dir_fd=place, dst_dir_fd=top)
    return moved


def require_own_file(folder: Path, path: str) -> Path:
    """Return a file that a child has written in its folder.

    Raises
    ------
    InputError
        If the path leads elsewhere: a link of a child that was taken over could name our keys.
    """
    found = folder / path
    if found.is_symlink() or not found.is_file():
        raise InputError(path[:100], "it is not a file of the child", "look at its data")
    if not found.resolve().is_relative_to(folder.resolve()):
        raise InputError(path[:100], "it lies outside the child's folder", "look at its data")
    return found
