"""TODO."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from aboveboard.errors import InputError
from aboveboard.mechanisms.mechanism import Mechanism
from aboveboard.mechanisms.user_functions import function_named

GROUP = "aboveboard.mechanisms"
"""The entry-point group in which mechanisms, ours and strangers', are found."""


PARTS = ("NAME", "FILE", "from_file", "read_reports", "settle", "game", "properties")
"""What a class must have to be a mechanism; the rest of `Mechanism` describes it."""


def load_mechanisms() -> dict[str, type[Mechanism]]:
    """Find every installed mechanism, by name."""
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    return {name: _loaded(found[name], "mechanisms") for name in sorted(found)}


def find_mechanism(name: str, place: str) -> type[Mechanism]:
    """Find one mechanism.

    Raises
    ------
    InputError
        If none has this name; the message gives the nearest.
    """
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in entries:
        near = difflib.get_close_matches(name, entries, n=1, cutoff=0.5)
        known = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(entries))}"
        raise InputError(place, f"no mechanism is called {name!r}", known)
    return _loaded(entries[name], place)


def resolve_mechanism(name: str, path: Path, place: str) -> type[Mechanism]:
    """Find the mechanism that a file names: an installed one, or "module:Class" beside the file."""
    if ":" not in name:
        return find_mechanism(name, place)
    with allow_imports_from(path.parent):
        try:
            rule = function_named(name, place)
        except InputError as error:
            raise InputError(place, error.problem, _remedy_of_own(name, error)) from error
    lacking = [word for word in PARTS if not hasattr(rule, word)]
    if lacking:
        raise InputError(
            place,
            f"{name!r} is no mechanism: it has no {', '.join(lacking)}",
            "see docs/how-to/own-mechanism.md, or aboveboard.mechanisms.mechanism.Mechanism",
        )
    found: type[Mechanism] = rule  # type: ignore[assignment]
    return found


def _remedy_of_own(name: str, error: InputError) -> str:
    """Say what would be right where the class of a user's own mechanism was not found."""
    module, _, attribute = name.partition(":")
    file = f"{module.replace('.', '/')}.py"
    if f"No module named {module!r}" in error.problem:
        return f'write "module:Class"; {file} must lie beside the file'
    classes = [k for k, v in vars(sys.modules.get(module, object)).items() if isinstance(v, type)]
    near = difflib.get_close_matches(attribute, classes, n=1, cutoff=0.5)
    if near:
        return f"did you mean '{module}:{near[0]}'?"
    return f'mend {file}, or write "{module}:Class" with a class that stands in it'


def _loaded(entry: EntryPoint, place: str) -> type[Mechanism]:
    try:
        loaded: type[Mechanism] = entry.load()
    except (ImportError, AttributeError) as error:
        raise InputError(
            place,
            f"mechanism {entry.name!r} cannot be loaded ({error})",
            "mend its package",
        ) from error
    return loaded


@contextmanager
def allow_imports_from(folder: Path) -> Iterator[None]:
    """Let a callable named in a collaboration file live beside it; installed modules come first."""
    before = list(sys.path)
    sys.path.append(str(folder.resolve()))
    try:
        # What a stranger's code prints must not mix with what a command prints for programs.
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.path[:] = before
