"""Calling a user's function here or in a worker, and saying where one went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import Any

from aboveboard.errors import AboveboardError, InputError
from aboveboard.games.numbers import Number, to_number
from aboveboard.mechanisms.file_model import MOST_DIGITS
from aboveboard.mechanisms.user_code import PROCESS_ID, FunctionSource
from aboveboard.mechanisms.user_functions import (
    Function,
    find_here,
    find_module,
    import_function,
    quiet,
)

GREATEST = 10**MOST_DIGITS
"""Largest number, as in a collaboration file: a larger one is not a float and slow to print."""


@dataclass(frozen=True)
class CallOutcome:
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


def call_named(source: FunctionSource, argument: Any) -> CallOutcome:
    """Call the function in whatever process this is; picklable, for executors."""
    if source.home == PROCESS_ID:
        return call(import_function(source), argument)
    with quiet:
        try:
            function = import_function(find_here(source))
        except InputError as error:
            return CallOutcome(None, f"a worker cannot load it: {error.problem}")
        return call(function, argument)


def call(function: Function, argument: Any) -> CallOutcome:
    """Call a stranger's function; what it raises is an outcome too."""
    try:
        value = function(argument)
    except (Exception, SystemExit) as error:
        return CallOutcome(None, f"it failed with {type(error).__name__}: {error}")
    try:
        found = to_number(value)
    except ValueError:
        return CallOutcome(None, f"it gives {value!r}, which is not a finite number")
    if abs(found) > GREATEST:
        return CallOutcome(None, f"it gives a number of more than {MOST_DIGITS} digits")
    return CallOutcome(int(found) if isinstance(found, int) else found)


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
    except (Exception, SystemExit) as error:
        if ":" not in name:
            raise
        text = f"{type(error).__name__}: {error}".removesuffix(": ")
        notes = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
        raise InputError(
            f"mechanism {name!r}",
            f"it fails with {text}{notes}{_describe_line(error, name)}",
            "fix it; 'ab.run' and 'ab.audit' from Python show the whole traceback",
        ) from error


def _describe_line(error: BaseException, name: str) -> str:
    """Return the last line of the mechanism's own module that was at work."""
    file = getattr(find_module(name), "__file__", None)
    own = [frame for frame in extract_tb(error.__traceback__) if frame.filename == file]
    return f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
