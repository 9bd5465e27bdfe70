"""Files and folders that appear whole or not at all, whatever happens while they are written.

They are written in a hidden folder beside their place, brought to the disk, and renamed; what is
replaced is exchanged with the new in one step where the system can (Linux; elsewhere in two, and
the next writer puts back what a kill between them left aside). The hidden folder goes away however
the writing ends. Only a kill that no program hears of leaves it behind; it is locked while its
writer lives, so that the next one to write the same place tells it from one in use and removes it.
Cost: a flush of the file system, or of each file where they are large and few.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from aboveboard.errors import InputError

NAME = 40
"""Characters of a name that its hidden folder repeats: file systems take 255 bytes."""
LARGE = 1 << 24
"""Bytes of files that are brought to the disk each by itself; fewer with all that is unwritten."""
MOST_FLUSHED = 256
"""Files and folders up to which that is so."""
FLUSHED_TOGETHER = 8
"""Files that are brought to the disk at a time."""
RENAME_NOREPLACE, RENAME_EXCHANGE, HERE = 1, 2, -100
"""Flags of Linux, from <linux/fs.h>, and AT_FDCWD."""
STREAMS = ("/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")
"""Names of what the process has open already, a file perhaps that others are writing to."""


@contextmanager
def atomic_folder(out: Path, *, replace: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """Yield a folder to fill, which takes the place of `out` if all goes well.

    Parameters
    ----------
    out
        The place. Folders on the way to it are made.
    replace
        Raises `InputError` if what is at a place must not be replaced; it is asked when the new
        folder is ready, for the writing takes a while. None: nothing is ever replaced.

    Raises
    ------
    InputError
        If it cannot be written, or what is there must not be replaced; that is still there.
    """
    out = Path(os.path.abspath(out))  # noqa: PTH100 - resolve() would follow a link at the end
    with _scratch(out) as scratch:
        new = scratch / "new"
        new.mkdir()
        yield new
        _flush(new)
        _replace(new, out, scratch / "old", replace)
        flush_file(out.parent)


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield the path of a file to write, which takes the place of `path` if all goes well.

    Parameters
    ----------
    path
        The place; a regular file there is replaced, one that a link leads to where it lies, and
        its mode is kept. A device or a pipe is written to. So is a file in a folder in which
        nothing can be made: it alone may be left half-written.

    Raises
    ------
    InputError
        If it cannot be written, or there is something else than a file.
    """
    place = Path(os.path.realpath(path))  # resolve() raises where links go round in a circle
    if _is_stream(path) or _can_only_be_written_to(place):
        with _refuse(path):
            yield path
        return
    if os.path.lexists(place) and not place.is_file():
        raise InputError(str(path), "it exists and is not a file", "name another file")
    with _scratch(place) as scratch:
        new = scratch / place.name
        yield new
        _keep_mode(place, new)
        _flush(scratch)
        new.replace(place)
        flush_file(place.parent)


def _is_stream(path: Path) -> bool:
    """Return whether what is written goes through: a device, a pipe, or what is open already."""
    if str(path).startswith(STREAMS):
        return True
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def _can_only_be_written_to(place: Path) -> bool:
    return (
        place.is_file()
        and os.access(place, os.W_OK)
        and not os.access(place.parent, os.W_OK | os.X_OK)
    )


def _keep_mode(place: Path, new: Path) -> None:
    """Let nobody read the new who could not read what it replaces."""
    with suppress(FileNotFoundError):
        new.chmod(stat.S_IMODE(place.stat().st_mode))


@contextmanager
def atomic_files(folder: Path) -> Iterator[Path]:
    """Yield a folder for several files, which take their places in `folder` if all goes well.

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
            _keep_mode(folder / name, new / name)
            (new / name).replace(folder / name)
        flush_file(folder)


@contextmanager
def remove_on_failure(folder: Path) -> Iterator[None]:
    """Take a folder that was not there away again if filling it fails."""
    fresh = not os.path.lexists(folder)
    try:
        yield
    except BaseException:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def recover(out: Path) -> None:
    """Put back what a writer that was killed had put aside, and remove what it left behind.

    Costs a listing of the folder in which `out` lies. What cannot be done is left as it is.
    """
    left_behind = re.compile(re.escape(_stem(out)) + "[0-9a-f]{16}")
    with suppress(OSError):
        for left in os.scandir(out.parent):
            if left_behind.fullmatch(left.name) and left.is_dir(follow_symlinks=False):
                _remove_unless_in_use(Path(left.path), out)


def _stem(out: Path) -> str:
    # The digest is of the whole name: long names may begin alike.
    whole = hashlib.sha256(os.fsencode(out.name)).hexdigest()[:12]
    return f".{out.name[:NAME]}-aboveboard-{whole}-"


def _fresh(out: Path) -> Path:
    return out.with_name(_stem(out) + secrets.token_hex(8))


@contextmanager
def _refuse(out: Path) -> Iterator[None]:
    """Return in one line what the operating system refuses."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.errno == errno.ENOMEM:
            raise  # no file is to blame: a library could not be loaded, or memory does not suffice
        reason = error.strerror or " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            str(out), f"writing it failed ({reason})", "make room, or name another place"
        ) from error


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """Make a hidden folder beside `out`, locked while it is in use, and take it away."""
    recover(out)
    missing = [folder for folder in out.parents if not folder.exists()]
    scratch, lock, done, ours = _fresh(out), None, False, False
    try:
        with _refuse(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            while not ours:
                scratch.mkdir(mode=0o700)
                lock, free = _lock(scratch)
                ours = free and os.path.lexists(scratch)
                if not ours:
                    # Before it was locked another writer took it for left behind, and removes it.
                    if lock is not None:
                        os.close(lock)
                    scratch, lock = _fresh(out), None
            yield scratch
            done = True
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


def _lock(folder: Path) -> tuple[int | None, bool]:
    """Lock a folder until its handle is closed.

    Returns
    -------
    tuple
        The handle, None where there is no lock; and whether no other process has one.
    """
    try:
        import fcntl
    except ImportError:
        return None, True
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None, folder.exists()
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        return None, not isinstance(error, BlockingIOError)
    return handle, True


def _remove_unless_in_use(left: Path, out: Path) -> None:
    lock, free = _lock(left)
    if not free:
        return  # its writer lives
    try:
        # Where there are no locks its writer may live too: then it finds the place taken, and ends.
        if (left / "old").is_dir() and not os.path.lexists(out):
            (left / "old").rename(out)
        if lock is not None:
            shutil.rmtree(left, ignore_errors=True)
    finally:
        if lock is not None:
            os.close(lock)


def _replace(new: Path, out: Path, old: Path, replace: Callable[[Path], None] | None) -> None:
    if not os.path.lexists(out) and _move(new, out):
        return
    if replace is None:
        raise _has_appeared(out)
    replace(out)
    # The writer's own rights stay: without them the folder could not be moved.
    new.chmod(stat.S_IMODE(out.stat().st_mode) | stat.S_IRWXU)
    if _exchange(new, out):
        return
    try:
        out.rename(old)
        if not _move(new, out):
            raise _has_appeared(out)
    finally:
        if old.exists() and not os.path.lexists(out):
            old.rename(out)


def _has_appeared(out: Path) -> InputError:
    return InputError(str(out), "it exists, since a moment ago", "name another folder")


def _move(new: Path, out: Path) -> bool:
    """Rename where nothing is; say whether nothing was."""
    done = _rename(new, out, RENAME_NOREPLACE)
    if done is None:
        # Two steps. A file that appears between them stays: no system puts a folder in its place.
        if os.path.lexists(out):
            return False
        new.rename(out)
    return done is not False


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step; say whether that could be done."""
    return _rename(one, other, RENAME_EXCHANGE) is True


def _rename(one: Path, other: Path, how: int) -> bool | None:
    """Rename as Linux can; False where something is in the way, None where it cannot be done."""
    if sys.platform != "linux":
        return None
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return None
    if rename(HERE, os.fsencode(one), HERE, os.fsencode(other), how) == 0:
        return True
    failed = ctypes.get_errno()
    if failed == errno.EEXIST:
        return False
    if failed in (errno.EINVAL, errno.ENOSYS, errno.EPERM):
        return None  # this file system, or this kernel, cannot
    raise OSError(failed, os.strerror(failed), str(other))


def _flush(folder: Path) -> None:
    """Bring what was written to the disk before its name appears, in case of a power failure."""
    if os.name != "posix":
        return
    found = [Path(root) / name for root, _, names in os.walk(folder) for name in ("", *names)]
    states = {path: path.lstat() for path in found}
    kept = [path for path, it in states.items() if stat.S_ISREG(it.st_mode) or path.is_dir()]
    if len(kept) <= MOST_FLUSHED and sum(it.st_size for it in states.values()) >= LARGE:
        # The file system may hold more that is not written, ours in scratch folders or others'.
        with suppress(PermissionError), ThreadPoolExecutor(FLUSHED_TOGETHER) as pool:
            deque(pool.map(flush_file, kept), maxlen=0)  # raises what one of them raises
            return
    _flush_file_system(folder)


def _flush_file_system(folder: Path) -> None:
    """Bring all to the disk that anybody has written to a file system.

    One call, whatever the number of files: fsync takes milliseconds for each.
    """
    system = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    flush = getattr(system, "syncfs", None)
    if flush is None:
        os.sync()
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        if flush(handle) != 0:
            failed = ctypes.get_errno()
            raise OSError(failed, os.strerror(failed), str(folder))
    finally:
        os.close(handle)


def flush_file(path: Path) -> None:
    """Bring a file to the disk now, or the names in a folder; nothing where that cannot be done."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
