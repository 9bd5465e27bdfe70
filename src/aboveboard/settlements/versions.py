"""The versions of what computed a settlement, so that a replay can say which differ."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

LIBRARIES = (
    "aboveboard", "numpy", "scipy", "polars", "numba", "scikit-learn", "skops", "ortools",
    "highspy", "opendp", "matplotlib",
)  # fmt: skip  # read as a table
"""Packages whose results stand in settlements."""


def list_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that are installed."""
    return dict(_read_versions())


@cache  # the worker of a hub writes many settlements
def _read_versions() -> Mapping[str, str]:
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def compare_versions(then: Mapping[str, Any]) -> tuple[str, ...]:
    """Return in words which versions differ from those of a run.

    Examples
    --------
    >>> compare_versions({**list_versions(), "python": "3.0"})[0].startswith("python 3.0 then, ")
    True
    """
    now = list_versions()
    return tuple(
        f"{name} {then.get(name, 'absent')} then, {now.get(name, 'absent')} now"
        for name in sorted({*now, *map(str, then)})
        if then.get(name) != now.get(name)
    )
