"""How a mechanism reads the data that its collaboration file names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from aboveboard.storage.options import DataOptions
from aboveboard.storage.records import Records
from aboveboard.storage.shelf import Shelf


class ListSource(NamedTuple):
    """Where a party's list comes from, and what the collaboration file says of how it is read.

    Parameters
    ----------
    data
        Its file, relative to the collaboration file; None: the elements are listed.
    elements
        The list, where there is no file.
    options
        How it is read.
    """

    data: Path | None
    elements: Sequence[str] | None = None
    options: DataOptions | None = None


class Read(Protocol):
    """Reads what a collaboration file names, at the edge of the product.

    Examples
    --------
    >>> def read_reports(file, read):
    ...     parties = file.parties.items()
    ...     return {name: read.file(f"parties.{name}.data", p.data) for name, p in parties}
    """

    @property
    def folder(self) -> Path:
        """Where the collaboration file lies."""
        ...

    def __call__(
        self,
        party: str,
        *,
        data: Path | None,
        elements: Sequence[str] | None,
        options: DataOptions | None = None,
    ) -> Records:
        """Return the party's records from a file or a list, or raise `InputError`."""
        ...

    def read_lists(
        self, sources: Mapping[str, ListSource], shelf: Shelf | None = None
    ) -> Iterator[tuple[str, Records]]:
        """Yield each party's records, in the order of parties; files are read side by side.

        Large ones are read batch by batch onto the shelf, where there is one.
        """
        ...

    def file(self, place: str, data: Path, options: DataOptions | None = None) -> Path:
        """Find a data file, relative to the collaboration file; it becomes an input of the run.

        `place` is the key that names it, such as "parties.a.data"; `options` is what the file says
        of how it is read: our readers take it from the path that is returned. Raises `InputError`
        if there is no such regular file.
        """
        ...

    def cache(self, place: str, folder: Path) -> Path | None:
        """Return the folder that keeps values of evaluations, inside the collaboration's folder.

        None: nothing that was kept may be used, as in a replay.
        """
        ...
