"""Files and folders that appear whole or not at all, whatever happens while they are written.

They are written in a hidden folder beside their place, brought to the disk, and renamed; what is
replaced is exchanged with the new in one step where the system can (Linux; elsewhere in two, and
the next writer puts back what a kill between them left aside). The hidden folder goes away however
the writing ends. Only a kill that no program hears of leaves it behind; it is locked while its
writer lives, so that the next one to write the same place tells it from one in use and removes it.
Cost: one flush of the file system.
"""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aboveboard.errors import InputError

NAME = 40
"""Characters of a name that its hidden folder repeats: file systems take 255 bytes."""
RENAME_EXCHANGE, HERE = 2, -100
"""Of Linux: <linux/fs.h> and AT_FDCWD."""


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder to fill, which takes the place of `out` if all goes well.

    Parameters
    ----------
    out
        The place; what is there is replaced. Folders on the way to it are made.

    Raises
    ------
    InputError
        If it cannot be written; what was there before is still there.
    """
    out = Path(os.path.abspath(out))  # noqa: PTH100 - resolve() would follow a link at the end
    with _scratch(out) as scratch:
        new = scratch / "new"
        new.mkdir()
        yield new
        _flush(new)
        _put_in_place(new, out, scratch / "old")
        _flush_names(out.parent)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the path of a file to write, which takes the place of `path` if all goes well.

    Parameters
    ----------
    path
        The place; a regular file there is replaced, one that a link leads to where it lies.

    Raises
    ------
    InputError
        If it cannot be written, or there is something else than a file.
    """
    place = Path(os.path.realpath(path))  # resolve() raises where links go round in a circle
    if os.path.lexists(place) and not place.is_file():
        raise InputError(str(path), "it exists and is not a file", "name another file")
    with _scratch(place) as scratch:
        new = scratch / place.name
        yield new
        _flush(scratch)
        new.replace(place)
        _flush_names(place.parent)


@contextmanager
def whole_files(folder: Path) -> Iterator[Path]:
    """Give a folder for several files, which take their places in `folder` if all goes well.

    Parameters
    ----------
    folder
        Made where it is missing; what else it holds stays. Files of the same names are replaced.

    Raises
    ------
    InputError
        If they cannot be written, or there is something else than a file in a place.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - as above
    with _scratch(folder / "files") as new:
        yield new
        names = sorted(path.name for path in new.iterdir())
        for name in names:
            place = folder / name
            if os.path.lexists(place) and (place.is_symlink() or not place.is_file()):
                raise InputError(str(place), "it exists and is not a file", "move it elsewhere")
        _flush(new)
        for name in names:
            (new / name).replace(folder / name)
        _flush_names(folder)


@contextmanager
def absent_again(folder: Path) -> Iterator[None]:
    """Take a folder that was not there away again if filling it fails."""
    fresh = not os.path.lexists(folder)
    try:
        yield
    except BaseException:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def put_back(out: Path) -> None:
    """Put back what a writer that was killed had put aside, and remove what it left behind.

    Costs a listing of the folder in which `out` lies. What cannot be done is left as it is.
    """
    with suppress(OSError):
        for left in os.scandir(out.parent):
            if left.name.startswith(_stem(out)) and left.is_dir(follow_symlinks=False):
                _remove_unless_in_use(Path(left.path), out)


def _stem(out: Path) -> str:
    return f".{out.name[:NAME]}-aboveboard-"


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """Make a hidden folder beside `out`, locked while it is in use, and take it away."""
    put_back(out)
    missing = [folder for folder in out.parents if not folder.exists()]
    scratch = out.with_name(_stem(out) + secrets.token_hex(8))
    lock, done = None, False
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        scratch.mkdir(mode=0o700)
        lock = _locked(scratch)
        yield scratch
        done = True
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            str(out),
            f"writing it failed ({reason})",
            "nothing was left behind; make room, or name another place",
        ) from error
    finally:
        try:
            shutil.rmtree(scratch, ignore_errors=True)
        finally:
            # Whoever asks the process to end while it tidies up gets it tidied up all the same.
            shutil.rmtree(scratch, ignore_errors=True)
        if lock is not None:
            os.close(lock)
        for folder in () if done else missing:
            with suppress(OSError):
                folder.rmdir()


def _locked(folder: Path) -> int | None:
    """Lock a folder until its handle is closed; None where there are no locks."""
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _remove_unless_in_use(left: Path, out: Path) -> None:
    lock = _locked(left)
    if lock is None:
        return  # its writer lives, or nobody can tell
    try:
        if (left / "old").is_dir() and not os.path.lexists(out):
            (left / "old").rename(out)
        shutil.rmtree(left, ignore_errors=True)
    finally:
        os.close(lock)


def _put_in_place(new: Path, out: Path, old: Path) -> None:
    if not os.path.lexists(out):
        new.rename(out)
    elif not _exchanged(new, out):
        try:
            out.rename(old)
            new.rename(out)
        finally:
            if old.exists() and not os.path.lexists(out):
                old.rename(out)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names in one step; say whether that could be done."""
    if sys.platform != "linux":
        return False
    exchange = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if exchange is None:
        return False
    names = (HERE, os.fsencode(one), HERE, os.fsencode(other))
    if exchange(*names, RENAME_EXCHANGE) == 0:
        return True
    failed = ctypes.get_errno()
    if failed in (errno.EINVAL, errno.ENOSYS, errno.EPERM):
        return False  # this file system, or this kernel, cannot
    raise OSError(failed, os.strerror(failed), str(other))


def _flush(folder: Path) -> None:
    """Bring what was written to the disk before its name appears, in case of a power failure."""
    system = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    flush = getattr(system, "syncfs", None)
    if flush is None:
        if hasattr(os, "sync"):
            os.sync()
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        # One call, whatever the number of files: fsync takes milliseconds for each.
        if flush(handle) != 0:
            failed = ctypes.get_errno()
            raise OSError(failed, os.strerror(failed), str(folder))
    finally:
        os.close(handle)


def _flush_names(folder: Path) -> None:
    """Bring the new name to the disk before what it replaced goes away."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
