"""Where compiled kernels are kept: beside the package, in the user's cache, or in a private folder.

Numba refuses to import a kernel whose cache has no place, so this is settled before anything that
has one is imported. Cost: a few questions to the file system.
"""

from __future__ import annotations

import os
from collections.abc import Callable


def can_be_made(place: str) -> bool:
    """Return whether a folder is there, or can be made, and written."""
    while not os.path.lexists(place) and os.path.dirname(place) != place:  # noqa: PTH120 - pathlib is large
        place = os.path.dirname(place)  # noqa: PTH120 - as above
    return os.path.isdir(place) and os.access(place, os.W_OK)  # noqa: PTH112 - as above


def find_kernel_cache() -> None:
    """Let compiled kernels be kept in a private folder where nowhere else can be written.

    Where no folder can be made at all, kernels are compiled anew by each process.
    """
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    package = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is large
    home = os.path.expanduser("~")  # noqa: PTH111 - as above
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")  # noqa: PTH118 - as above
    if os.access(package, os.W_OK) or can_be_made(cache):
        return
    import atexit
    import shutil
    import tempfile

    try:
        folder = tempfile.mkdtemp(prefix="aboveboard-kernels-")
    except OSError:
        _keep_no_kernels()
        return
    os.environ["NUMBA_CACHE_DIR"] = folder
    atexit.register(_remove, os.getpid(), folder, shutil.rmtree)


def _remove(maker: int, folder: str, remove: Callable[..., None]) -> None:
    """Remove the folder when the process that made it ends; not when one that it forked does."""
    if os.getpid() == maker:
        remove(folder, ignore_errors=True)


def _keep_no_kernels() -> None:
    from numba.core.dispatcher import Dispatcher

    def keep_nothing(_: object) -> None:
        """Leave a kernel without a cache."""

    Dispatcher.enable_caching = keep_nothing  # type: ignore[method-assign, assignment]  # theirs
