"""A function that a collaboration file names."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any

from aboveboard.errors import InputError


def function_named(name: str, place: str, others: Sequence[str] = ()) -> Callable[..., Any]:
    """Find "module:function".

    Parameters
    ----------
    name
        The name.
    place
        The key that has it, for messages.
    others
        What else the key could say.

    Raises
    ------
    InputError
        If it cannot be imported or is not callable.
    """
    known = f"{', '.join(others)}, or " if others else ""
    remedy = f'write {known}"module:function" that can be imported'
    module, colon, attribute = name.partition(":")
    if not colon:
        raise InputError(place, f"there is no {name!r}", remedy)
    try:
        found: Any = _module_named(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(place, str(error), remedy) from error
    except Exception as error:
        # The module is a stranger's: whatever it raises, a syntax error too, is the user's to mend.
        said = str(error).partition("\n")[0]
        raise InputError(
            place, f"module {module!r} fails with {type(error).__name__}: {said}", remedy
        ) from error
    if not callable(found):
        raise InputError(place, f"{name!r} cannot be called", remedy)
    there: Callable[..., Any] = found
    return there


def _module_named(name: str) -> ModuleType:
    """Import a module; one of that name that lies beside another collaboration file is not it."""
    importlib.invalidate_caches()
    spec = PathFinder.find_spec(name) if name.isidentifier() else None
    there = getattr(sys.modules.get(name), "__file__", None)
    if spec is None or spec.loader is None or there in (None, spec.origin):
        return importlib.import_module(name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
