"""Progress of long work, on a terminal; a pipe shows nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aboveboard.formatting import format_count

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn


@contextmanager
def show_evaluations() -> Iterator[Callable[[int, int], None] | None]:
    """Show how many long evaluations are done, on a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import MofNCompleteColumn, TimeElapsedColumn

    with _open_bar("evaluations", MofNCompleteColumn(), TimeElapsedColumn()) as bar:
        task = bar.add_task("", visible=False)
        yield lambda done, most: bar.update(task, completed=done, total=most, visible=True)


@contextmanager
def show_checks(what: str) -> Iterator[Callable[[int], None] | None]:
    """Show how many checks are made, on a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    shown = TextColumn("{task.description}", markup=False)
    with _open_bar(SpinnerColumn(), shown, TimeElapsedColumn()) as bar:
        task = bar.add_task(what, total=None)
        done = 0

        def advance(rows: int) -> None:
            nonlocal done
            done += rows
            bar.update(task, description=f"{what}: {format_count(done)}")

        yield advance


def _open_bar(*columns: str | ProgressColumn) -> Progress:
    """Return a bar on standard error that vanishes in the end.

    It takes the place of neither output: a library that is first imported meanwhile would keep what
    stands there, and write to it when the process ends.
    """
    from rich.console import Console
    from rich.progress import Progress

    return Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
