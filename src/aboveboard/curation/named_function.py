"""A function that a collaboration file names."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
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
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(place, str(error), remedy) from error
    if not callable(found):
        raise InputError(place, f"{name!r} cannot be called", remedy)
    there: Callable[..., Any] = found
    return there
