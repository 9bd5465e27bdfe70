"""The inputs of a run: the data files and the code that a collaboration file names, fingerprinted.

A file may lie anywhere, also outside of the collaboration's folder, and be reached over symbolic
links: the operator's own file names it. But it must be a regular file: what is read twice must be
the same twice, and a pipe or a device may never end.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.mechanisms.user_functions import own_code
from aboveboard.storage.party_data import read_records, records_of
from aboveboard.storage.records import Records
from aboveboard.storage.tabular_files import opened

FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
FUNCTIONS = 64
"""Entries of a list that may name functions, one a party; longer lists hold data."""


class Reader:
    """Reads data files relative to the collaboration file and remembers their fingerprints.

    Parameters
    ----------
    path
        The collaboration file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inputs: dict[str, str] = {}

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
        key: str | None,
        normalize: frozenset[str],
    ) -> Records:
        """Give the party's records from a file or a list; see `Read`."""
        place = f"{self.path}: parties.{party}"
        if data is None:
            return records_of(elements or (), place=f"{place}.elements", normalize=normalize)
        place = f"{place}.data"
        # The record's own reader says what is wrong with a file, in its own words.
        records = read_records(self._at(place, data), place=place, key=key, normalize=normalize)
        self._remember(place, data)
        return records

    def file(self, place: str, data: Path) -> Path:
        """Find a data file and remember its fingerprint; see `Read`."""
        place = f"{self.path}: {place}"
        source = self._at(place, data)
        self._remember(place, data)
        return source

    def _at(self, place: str, data: Path) -> Path:
        if "\0" in str(data):
            raise InputError(place, "this is not a file", "name a regular file")
        return self.path.parent / data

    def _remember(self, place: str, data: Path) -> None:
        source = self.path.parent / data
        try:
            if source.is_dir():
                raise InputError(place, f"{data} is a folder", "name a file")
            with opened(source, place) as stream:
                self.inputs[data.as_posix()] = hashlib.file_digest(stream, "sha256").hexdigest()
        except FileNotFoundError:
            raise InputError(
                place, f"there is no file {data}", "paths are relative to the collaboration file"
            ) from None
        except OSError as error:
            raise InputError(
                place, f"{data} cannot be read ({error.strerror})", "make it readable"
            ) from error


def fingerprint_code(table: Mapping[str, Any]) -> dict[str, str]:
    """Give the SHA-256 of the user's own functions that a file names, by "module:function".

    Parameters
    ----------
    table
        The file, parsed; the modules beside it must be importable.
    """
    found = {}
    for value in table.values():
        names = value if isinstance(value, list) and len(value) <= FUNCTIONS else [value]
        for name in names:
            if isinstance(name, Mapping):
                found.update(fingerprint_code(name))
            elif isinstance(name, str) and FUNCTION.fullmatch(name):
                code = own_code(name)
                if code is not None:
                    found[name] = code
    return found
