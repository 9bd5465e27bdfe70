"""Names of a package's face that are imported when they are first used: start-up stays quick."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any


def load_name(package: str, places: Mapping[str, str], name: str) -> Any:
    """Return what a package exports under a name, and keep it there for the next time.

    Parameters
    ----------
    package
        The package's `__name__`.
    places
        The module of each name.
    name
        What is looked up.

    Raises
    ------
    AttributeError
        If the package exports no such name.

    Examples
    --------
    >>> load_name("aboveboard", {"run": "aboveboard.collaborations.collaboration"}, "run").__name__
    'run'
    """
    if name not in places:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    value = getattr(import_module(places[name]), name)
    setattr(sys.modules[package], name, value)
    return value
