"""The first moments of a command: before anything large is imported, signals and streams are safe.

An interrupt while libraries load ends the process in one line. A standard stream that is closed is
opened to nothing, or the next file that is opened would take its place and receive what others
print. Compiled kernels are kept where the user can write, else in a private folder of the process.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from typing import Any

from aboveboard.exit_statuses import INTERRUPTED, NO_MEMORY, TERMINATED
from aboveboard.kernel_cache import can_be_made

OBJECTS_BETWEEN = 50_000
"""Objects that may be made before Python looks for unreachable cycles; by itself 700, or 2,000."""
LEAST_MEMORY = 384 << 20
"""Bytes of addresses that libraries take before any data."""


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
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays open
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def look_for_few_cycles() -> None:
    """Let Python seldom look for unreachable cycles of objects, and not at its end.

    What libraries define stays until the end. To go through it again and again, and to take it
    apart when the process ends anyway, takes a third of a small command's processor time.
    """
    gc.set_threshold(OBJECTS_BETWEEN)
    atexit.register(gc.freeze)


def find_plot_folder() -> None:
    """Let matplotlib use a private folder where its own cannot be written; it would warn."""
    if "MPLCONFIGDIR" in os.environ:
        return
    home = os.path.expanduser("~")  # noqa: PTH111 - pathlib is large
    place = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")  # noqa: PTH118 - as above
    if can_be_made(place):
        return
    import shutil
    import tempfile

    try:
        folder = tempfile.mkdtemp(prefix="aboveboard-plots-")
    except OSError:
        return
    os.environ["MPLCONFIGDIR"] = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


def refuse_little_memory() -> None:
    """End where the limit of memory is below what libraries take; keep them modest below others.

    OpenBLAS makes room for a thread of each core while it loads, and sends this process SIGINT
    where it gets none.
    """
    try:
        import resource
    except ImportError:  # no limits on this system
        return
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY:
        return
    if most < LEAST_MEMORY:
        text = "aboveboard: memory does not suffice; allow 384 MiB or more (ulimit -v)\n"
        os.write(2, text.encode())
        os._exit(NO_MEMORY)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def main() -> None:
    """Run the command line."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    open_closed_streams()
    refuse_little_memory()
    look_for_few_cycles()
    # What libraries start, too, takes no file of the current folder for a module.
    os.environ["PYTHONSAFEPATH"] = "1"
    find_plot_folder()
    # Nothing that happens to be installed takes part in reading a file, or is looked for.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from aboveboard.cli import main as run

    run()
