"""The registry of mechanisms: installed ones by entry point, others as "module:Class"."""

from __future__ import annotations

import difflib
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points

from aboveboard.errors import InputError
from aboveboard.mechanisms.mechanism import AnyMechanism, Mechanism
from aboveboard.mechanisms.user_functions import find_function, find_module

GROUP = "aboveboard.mechanisms"
"""The entry-point group in which mechanisms, ours and others', are found."""


REQUIRED = ("NAME", "FILE", "from_file", "read_reports", "settle")
"""What a class must have to be a mechanism; the rest of `Mechanism` has defaults."""


def load_mechanisms() -> dict[str, type[AnyMechanism]]:
    """Return every installed mechanism, by name.

    Examples
    --------
    >>> "exchange.union" in load_mechanisms()
    True
    """
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    return {name: _load_entry(found[name], "mechanisms") for name in sorted(found)}


def find_mechanism(name: str, place: str) -> type[AnyMechanism]:
    """Return one mechanism.

    Parameters
    ----------
    name
        The name of an installed mechanism, or "module:Class" where `allow_code` allows it.
    place
        Who names it, for messages.

    Raises
    ------
    InputError
        If there is none; the message suggests the nearest name.

    Examples
    --------
    >>> find_mechanism("exchange.union", "here").NAME
    'exchange.union'
    """
    if ":" in name:
        return _import_mechanism(name, place)
    own = _find_own(name)
    if own is not None:
        return _load_entry(own, place)
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in entries:
        near = difflib.get_close_matches(name, entries, n=1, cutoff=0.5)
        known = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(entries))}"
        raise InputError(place, f"no mechanism is called {name!r}", known)
    return _load_entry(entries[name], place)


def _find_own(name: str) -> EntryPoint | None:
    """Return the entry point of a mechanism of ours: nothing of other packages is read for it."""
    try:
        ours = distribution("aboveboard").entry_points
    except PackageNotFoundError:  # run from a folder of sources
        return None
    return next((entry for entry in ours if entry.group == GROUP and entry.name == name), None)


def _import_mechanism(name: str, place: str) -> type[AnyMechanism]:
    """Import "module:Class"."""
    try:
        rule = find_function(name, place)
    except InputError as error:
        if "--trust-code" in error.remedy:
            raise
        raise InputError(place, error.problem, _suggest_class(name, error)) from error
    lacking = [word for word in REQUIRED if not hasattr(rule, word)]
    if lacking:
        raise InputError(
            place,
            f"{name!r} is not a mechanism: it has no {', '.join(lacking)}",
            "see docs/how-to/own-mechanism.md, or aboveboard.mechanisms.mechanism.Mechanism",
        )
    if not (isinstance(rule, type) and issubclass(rule, Mechanism)):
        raise InputError(
            place,
            f"{name!r} is not a mechanism: it does not inherit from Mechanism",
            f"write class {name.partition(':')[2]}(aboveboard.mechanisms.Mechanism)",
        )
    return rule


def _suggest_class(name: str, error: InputError) -> str:
    """Return the remedy where the class of a user's own mechanism was not found."""
    module, _, attribute = name.partition(":")
    file = f"{module.replace('.', '/')}.py"
    if f"No module named {module!r}" in error.problem:
        return f'write "module:Class"; {file} must lie beside the file'
    classes = [k for k, v in vars(find_module(name) or object).items() if isinstance(v, type)]
    near = difflib.get_close_matches(attribute, classes, n=1, cutoff=0.5)
    if near:
        return f"did you mean '{module}:{near[0]}'?"
    return f'fix {file}, or write "{module}:Class" with a class that it defines'


def _load_entry(entry: EntryPoint, place: str) -> type[AnyMechanism]:
    try:
        loaded: type[AnyMechanism] = entry.load()
    except (ImportError, AttributeError) as error:
        raise InputError(
            place,
            f"mechanism {entry.name!r} cannot be loaded ({error})",
            "reinstall or fix its package",
        ) from error
    return loaded
