"""Where the files that a collaboration names may lie: in its folder, unless more is allowed."""

from __future__ import annotations

import os
from pathlib import Path, PosixPath, WindowsPath
from typing import TYPE_CHECKING

from aboveboard.errors import InputError

if TYPE_CHECKING:
    NativePath = Path
else:
    NativePath = WindowsPath if os.name == "nt" else PosixPath


class FingerprintedPath(NativePath):
    """The path of a file whose SHA-256 is known: our readers refuse it if it has changed since."""

    digest: str = ""


def fingerprint_path(path: Path, digest: str) -> FingerprintedPath:
    """Return the path with the SHA-256 of what it holds."""
    found = FingerprintedPath(path)
    found.digest = digest
    return found


def locate_file(folder: Path, data: Path, place: str, *, allow_outside: bool = False) -> Path:
    """Return the path of a file that a collaboration names.

    Parameters
    ----------
    folder
        The collaboration's folder.
    data
        The path as it is named: relative to the folder, or absolute.
    place
        Where it is named, for messages.
    allow_outside
        Whether it may lie outside of the folder, or be a link that leads out of it.

    Raises
    ------
    InputError
        If it lies outside, links followed, and that is not allowed; or if it is no path.

    Examples
    --------
    >>> locate_file(Path("/shared"), Path("/etc/hosts"), "parties.a.data")
    Traceback (most recent call last):
    aboveboard.errors.InputError: parties.a.data: /etc/hosts lies outside of ...
    """
    if "\0" in str(data):
        raise InputError(place, "this is not a file", "name a regular file")
    path = folder / data
    if not allow_outside:
        # Not resolve(), which raises where links go round in a circle: the reader says so.
        inside, real = os.path.realpath(folder), os.path.realpath(path)
        if real != inside and not real.startswith(inside.rstrip(os.sep) + os.sep):
            problem = f"{data} lies outside of the collaboration's folder"
            raise InputError(
                place, problem, "copy the file into the folder, or allow outside files"
            )
    return path
