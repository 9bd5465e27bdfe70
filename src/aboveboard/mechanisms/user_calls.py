"""Calling a user's function here or in a worker, and saying where one went wrong."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import Any

from aboveboard.errors import AboveboardError, InputError
from aboveboard.games.numbers import Number, to_number
from aboveboard.mechanisms.user_code import PROCESS_ID, Source
from aboveboard.mechanisms.user_functions import Function, find_here, import_function


@dataclass(frozen=True)
class Outcome:
    """What came of one call.

    Parameters
    ----------
    value
        The number; None where there is none.
    problem
        In words what went wrong; empty where nothing did.
    """

    value: Number | None
    problem: str = ""


def call_named(source: Source, argument: Any) -> Outcome:
    """Call the function in whatever process this is; picklable, for executors."""
    if source.home == PROCESS_ID:
        return call(import_function(source), argument)
    with _quiet:
        try:
            function = import_function(find_here(source))
        except InputError as error:
            return Outcome(None, f"a worker cannot load it: {error.problem}")
        return call(function, argument)


def call(function: Function, argument: Any) -> Outcome:
    """Call a stranger's function; what it raises is an outcome too."""
    try:
        value = function(argument)
    except (Exception, SystemExit) as error:
        return Outcome(None, f"it failed with {type(error).__name__}: {error}")
    try:
        found = to_number(value)
    except ValueError:
        return Outcome(None, f"it gives {value!r}, which is no finite number")
    return Outcome(int(found) if isinstance(found, int) else found)


@contextmanager
def local_imports(source: Source | None) -> Iterator[None]:
    """Run functions in this process: imports beside them are found, prints go to stderr."""
    folder = None if source is None or source.folder in sys.path else source.folder
    if folder is not None:
        sys.path.append(folder)
    try:
        # What a stranger's code prints must not mix with what a command prints for programs.
        with redirect_stdout(sys.stderr):
            yield
    finally:
        if folder in sys.path:
            sys.path.remove(str(folder))


@contextmanager
def attribute_errors(name: str) -> Iterator[None]:
    """Turn errors of a user's own mechanism, "module:Class", into one line that says where.

    Errors of our own mechanisms, which are named without a colon, pass: they are bugs.

    Raises
    ------
    InputError
        In place of what the mechanism raised.
    """
    try:
        yield
    except AboveboardError:
        raise
    except Exception as error:
        if ":" not in name:
            raise
        text = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise InputError(
            f"mechanism {name!r}",
            f"it fails with {text}{_describe_line(error, name)}",
            "fix it; 'ab.run' and 'ab.audit' from Python show the whole traceback",
        ) from error


def _describe_line(error: Exception, name: str) -> str:
    """Return the last line of the mechanism's own module that was at work."""
    file = getattr(sys.modules.get(name.partition(":")[0]), "__file__", None)
    own = [frame for frame in extract_tb(error.__traceback__) if frame.filename == file]
    return f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""


class _Quiet:
    """Standard output goes to standard error while any thread is inside."""

    def __init__(self) -> None:
        self.lock, self.inside, self.before = threading.Lock(), 0, sys.stdout

    def __enter__(self) -> None:
        with self.lock:
            if not self.inside:
                self.before, sys.stdout = sys.stdout, sys.stderr
            self.inside += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                sys.stdout = self.before


_quiet = _Quiet()
