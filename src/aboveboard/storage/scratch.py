"""Private folders for a while in the temporary folder; what a killed process left there goes away.

A folder is locked as long as its process lives. Whoever makes the next one removes those of the
same user that nobody has locked.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "aboveboard-scratch-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield a new folder that only its owner can read, and remove it at the end.

    Raises
    ------
    OSError
        If none can be made.
    """
    folder, lock = make_locked_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def make_locked_folder() -> tuple[Path, int | None]:
    """Return a new private folder and the handle of its lock, None where there are no locks.

    Those that ended processes have left are removed first. Another process may do the same between
    the making of a folder and its lock, and take it for one of those: then another is made.

    Raises
    ------
    OSError
        If none can be made.
    """
    sweep_scratch()
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with suppress(BlockingIOError, FileNotFoundError):
            lock = lock_folder(folder)
            if folder.is_dir():
                return folder, lock
            if lock is not None:
                os.close(lock)


def sweep_scratch() -> None:
    """Remove the scratch folders of this user whose processes have ended."""
    if os.name != "posix":
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            found = folder.lstat()
            if found.st_uid != os.geteuid() or folder.is_symlink() or not folder.is_dir():
                continue
            lock = lock_folder(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def lock_folder(folder: Path) -> int | None:
    """Return a handle that holds the folder's lock; None where there are no locks.

    Raises
    ------
    BlockingIOError
        If another process has it.
    FileNotFoundError
        If there is no such folder.
    """
    try:
        import fcntl
    except ImportError:
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    except OSError:  # a file system without locks
        os.close(handle)
        return None
    return handle
