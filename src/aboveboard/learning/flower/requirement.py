"""Whether Flower is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from aboveboard.errors import InputError

EXTRA = "pip install 'aboveboard[flower]'"

FLOWER_SERIES = "1.42"
"""Flower's interface between machines is its own, and changes: this is the one that is tested."""

SECRET = "ABOVEBOARD_SUPERLINK_SECRET_FILE"
"""Environment variable: the file of `flower-superlink --superexec-auth-secret-file`."""

SUPERLINK_SOCKET = "ABOVEBOARD_SUPERLINK_SOCKET"
"""Environment variable: a Unix socket that leads to the SuperLink, where there is no network."""

POLL = 0.2
"""Seconds between two looks for messages of others."""

QUIET = {"FLWR_TELEMETRY_ENABLED": "0", "FLWR_DISABLE_UPDATE_CHECK": "1"}
"""Environment variables with which Flower sends nothing to anybody else."""


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
    if not installed.startswith(f"{FLOWER_SERIES}."):
        raise InputError(
            place,
            f"version {installed} of Flower is installed, and {FLOWER_SERIES} is needed",
            EXTRA,
        )
