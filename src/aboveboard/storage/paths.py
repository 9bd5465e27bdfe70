"""Where the files that a collaboration names may lie: in its folder, unless more is allowed."""

from __future__ import annotations

import os
from pathlib import Path, PosixPath, WindowsPath
from typing import TYPE_CHECKING, Any

from aboveboard.errors import InputError
from aboveboard.storage.options import DataOptions

if TYPE_CHECKING:
    NativePath = Path
else:
    NativePath = WindowsPath if os.name == "nt" else PosixPath


class DataPath(NativePath):
    """The path of a data file, with what the collaboration says of it.

    Our readers refuse the file if its SHA-256 is no longer `digest`, and read it as `options` say.
    """

    digest: str = ""
    options: DataOptions | None = None

    def __eq__(self, other: object) -> bool:
        """Return whether the other is the same path, read in the same way."""
        differ = isinstance(other, DataPath) and other.options != self.options
        return not differ and super().__eq__(other)

    def __hash__(self) -> int:
        return super().__hash__()

    def __reduce__(self) -> tuple[Any, ...]:
        return describe_path, (Path(self), self.digest, self.options)

    def resolve(self, strict: bool = False) -> DataPath:
        """Return the path without links; its digest and options stay."""
        return describe_path(Path(self).resolve(strict), self.digest, self.options)


def describe_path(path: Path, digest: str, options: DataOptions | None = None) -> DataPath:
    """Return the path of a data file with its SHA-256, and how it is to be read.

    Examples
    --------
    >>> describe_path(Path("a.csv"), "12ab").digest
    '12ab'
    """
    found = DataPath(path)
    found.digest, found.options = digest, options
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
        If it lies outside, links followed, and that is not allowed; or if it is not a path.

    Examples
    --------
    >>> locate_file(Path("/shared"), Path("lists/a.txt"), "parties.a.data").as_posix()
    '/shared/lists/a.txt'
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
                place, problem, "copy the file into the folder, or pass --allow-outside"
            )
    return path
