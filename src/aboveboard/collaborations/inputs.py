"""The inputs of a run: the data files and the code that a collaboration file names, fingerprinted.

A file may lie anywhere, also outside the collaboration's folder, and may be reached over symbolic
links: the operator's own file names it. But it must be a regular file: it is read twice and must be
the same twice, and a pipe or a device may never end.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aboveboard.collaborations.faults import list_faults
from aboveboard.errors import InputError
from aboveboard.mechanisms.user_code import fingerprint_own_code
from aboveboard.storage.options import DataOptions
from aboveboard.storage.party_data import read_elements, read_records
from aboveboard.storage.paths import locate_file
from aboveboard.storage.records import Records
from aboveboard.storage.tabular_files import open_regular_file

FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
FUNCTIONS = 64
"""Entries of a list that may name functions, one per party; longer lists hold data."""


class Reader:
    """Reads data files relative to the collaboration file and remembers their fingerprints.

    Parameters
    ----------
    path
        The collaboration file.
    faults
        Where the faults of files go, so that the next file is read too; None: they are raised. A
        party whose file is at fault has no records then.
    allow_outside
        Whether files may lie outside of the collaboration's folder.
    """

    def __init__(
        self, path: Path, faults: list[InputError] | None = None, *, allow_outside: bool = True
    ) -> None:
        self.path, self.allow_outside = path, allow_outside
        self.inputs: dict[str, str] = {}
        self._faults = faults

    @property
    def folder(self) -> Path:
        """Where the collaboration file lies."""
        return self.path.parent

    def __call__(
        self,
        party: str,
        *,
        data: Path | None,
        elements: Sequence[str] | None,
        options: DataOptions | None = None,
    ) -> Records:
        """Return the party's records from a file or a list; see `Read`."""
        try:
            return self._read(party, data, elements, options)
        except InputError as error:
            self.record(error)
            return read_elements((), place="")

    def file(self, place: str, data: Path) -> Path:
        """Return the path of a data file and remember its fingerprint; see `Read`."""
        place = f"{self.path}: {place}"
        try:
            source = self._locate(place, data)
            self._remember(place, data)
        except InputError as error:
            self.record(error)
            return self.path.parent / data
        return source

    def record(self, error: InputError) -> None:
        """Remember a fault, or raise it where nobody collects them."""
        if self._faults is None:
            raise error
        self._faults.extend(list_faults(error))

    def _read(
        self,
        party: str,
        data: Path | None,
        elements: Sequence[str] | None,
        options: DataOptions | None,
    ) -> Records:
        place = f"{self.path}: parties.{party}"
        if data is None:
            return read_elements(elements or (), place=f"{place}.elements", options=options)
        place = f"{place}.data"
        # The record's own reader says what is wrong with a file, in its own words.
        records = read_records(self._locate(place, data), place=place, options=options)
        self._remember(place, data)
        return records

    def _locate(self, place: str, data: Path) -> Path:
        return locate_file(self.path.parent, data, place, allow_outside=self.allow_outside)

    def _remember(self, place: str, data: Path) -> None:
        source = self.path.parent / data
        try:
            if source.is_dir():
                raise InputError(place, f"{data} is a folder", "name a file")
            with open_regular_file(source, place) as stream:
                self.inputs[data.as_posix()] = hashlib.file_digest(stream, "sha256").hexdigest()
        except FileNotFoundError:
            raise InputError(
                place, f"there is no file {data}", "paths are relative to the collaboration file"
            ) from None
        except OSError as error:
            raise InputError(
                place, f"{data} cannot be read ({error.strerror})", "make it readable"
            ) from error


def list_functions(table: Mapping[str, Any]) -> list[str]:
    """Return the functions, "module:function", that a parsed file names.

    Examples
    --------
    >>> list_functions({"utility": {"function": "mine:score"}, "seed": 7})
    ['mine:score']
    """
    found: list[str] = []
    for value in table.values():
        names = value if isinstance(value, list) and len(value) <= FUNCTIONS else [value]
        for name in names:
            if isinstance(name, Mapping):
                found += list_functions(name)
            elif isinstance(name, str) and FUNCTION.fullmatch(name):
                found.append(name)
    return found


def fingerprint_code(table: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of the user's own functions that a file names, by "module:function".

    Parameters
    ----------
    table
        The file, parsed; the modules beside it must be importable.
    """
    codes = {name: fingerprint_own_code(name) for name in list_functions(table)}
    return {name: code for name, code in codes.items() if code is not None}
