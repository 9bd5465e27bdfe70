"""The first moments of a command: before anything large is imported, signals and streams are safe.

An interrupt while libraries load ends the process in one line. A standard stream that is closed is
opened to nothing, or the next file that is opened would take its place and receive what others
print. Compiled kernels are kept where the user can write, else in a private folder of the process.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

INTERRUPTED = 130
TERMINATED = 143


def _interrupt(number: int, _: Any) -> None:
    if number == signal.SIGINT:
        os.write(2, b"aboveboard: interrupted\n")
    os._exit(INTERRUPTED if number == signal.SIGINT else TERMINATED)


def open_closed_streams() -> None:
    """Open standard input, output and error to nothing where they are closed."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def find_kernel_cache() -> None:
    """Let compiled kernels be kept in a private folder where nowhere else can be written."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    package = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is large
    home = os.path.expanduser("~")  # noqa: PTH111
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")  # noqa: PTH118
    while not os.path.lexists(cache) and os.path.dirname(cache) != cache:  # noqa: PTH120
        cache = os.path.dirname(cache)  # noqa: PTH120
    if os.access(package, os.W_OK) or (os.path.isdir(cache) and os.access(cache, os.W_OK)):  # noqa: PTH112
        return
    import atexit
    import shutil
    import tempfile

    try:
        folder = tempfile.mkdtemp(prefix="aboveboard-kernels-")
    except OSError:
        return
    os.environ["NUMBA_CACHE_DIR"] = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


def main() -> None:
    """Run the command line."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    open_closed_streams()
    find_kernel_cache()
    from aboveboard.cli import main as run

    run()
