"""Whether Flower is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from aboveboard.errors import InputError

EXTRA = "pip install 'aboveboard[flower]'"

SERIES = "1.42"
"""Flower's interface between machines is its own, and changes: this is the one that is tested."""


def require_flower(place: str = "training.engine") -> None:
    """Raise `InputError` unless Flower is installed, in the series that we speak with.

    Parameters
    ----------
    place
        What needs it.

    Examples
    --------
    >>> require_flower.__name__
    'require_flower'
    """
    if find_spec("flwr") is None:
        raise InputError(
            place, "parties on their own machines need Flower, which is not installed", EXTRA
        )
    try:
        installed = version("flwr")
    except PackageNotFoundError:
        installed = "unknown"
    if not installed.startswith(f"{SERIES}."):
        raise InputError(
            place, f"version {installed} of Flower is installed, and {SERIES} is needed", EXTRA
        )
