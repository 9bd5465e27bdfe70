"""The inputs of a run: the data files and the code that a collaboration file names, fingerprinted.

What is parsed is what is fingerprinted: a party's file is read once, and files that a mechanism
reads itself are refused if they have changed since. Each must be a regular file, for a pipe or a
device may never end.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.faults import list_faults
from aboveboard.mechanisms.reading import ListSource
from aboveboard.mechanisms.user_code import CodeList, is_of_sklearn, name_class
from aboveboard.storage.formats.content import open_regular_file, read_file
from aboveboard.storage.options import DataOptions
from aboveboard.storage.party_data import read_elements, read_records
from aboveboard.storage.paths import describe_path, locate_file
from aboveboard.storage.records import Records
from aboveboard.storage.shelf import Shelf
from aboveboard.storage.streamed_lists import LARGE, stream_records

LONGEST_NAME = 255
"""Bytes of a file's name; a longer one is a fault that is recorded already."""

FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
FUNCTION_KEYS = frozenset({"function", "shape", "own", "others"})
"""Keys of our mechanisms that may name a function, wherever they stand."""
ALONGSIDE = range(1 << 20, LARGE)
"""Bytes of a party's file that is read beside another's: smaller ones are not worth a thread, and
larger ones are read batch by batch, or two of them might not fit into memory."""
THREADS = 2
"""Files that are read at a time."""
FUNCTIONS = 64
"""Entries of a list that is looked through under other keys; longer lists hold data."""


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
    caches
        Whether values that earlier runs have kept may be used.
    whole
        Whether a run follows, so that every party's list gets its fingerprint, and all its columns
        are read; if not, only those of one size do, which may be the same file, and of a plain
        table the key is enough.
    """

    def __init__(
        self,
        path: Path,
        faults: list[InputError] | None = None,
        *,
        allow_outside: bool = False,
        caches: bool = True,
        whole: bool = True,
    ) -> None:
        self.path, self.allow_outside, self.caches = path, allow_outside, caches
        self.whole = whole
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
        return self._finish(party, ListSource(data, elements, options), None)[1]

    def read_lists(
        self, sources: Mapping[str, ListSource], shelf: Shelf | None = None
    ) -> Iterator[tuple[str, Records]]:
        """Yield each party's records, in the order of parties; see `Read`."""
        sizes = {party: self._measure_file(party, source) for party, source in sources.items()}
        of_size = Counter(sizes.values())
        waiting: deque[tuple[str, ListSource, Future[tuple[Records, str]]]] = deque()
        with ThreadPoolExecutor(THREADS) as pool:
            for party, source in sources.items():
                size = sizes[party]
                hashed = self.whole or of_size[size] > 1
                alongside = len(sources) > 1 and size in ALONGSIDE
                while waiting and (not alongside or len(waiting) >= THREADS):
                    yield self._finish(*waiting.popleft())
                if alongside:
                    reading = pool.submit(self._read, party, source, hashed)
                    waiting.append((party, source, reading))
                else:
                    yield self._finish(party, source, None, hashed, shelf)
            while waiting:
                yield self._finish(*waiting.popleft())

    def _finish(
        self,
        party: str,
        source: ListSource,
        reading: Future[tuple[Records, str]] | None,
        hashed: bool = True,
        shelf: Shelf | None = None,
    ) -> tuple[str, Records]:
        """Return what was read of a party, and remember its fingerprint or its faults."""
        try:
            records, digest = (
                self._read(party, source, hashed, shelf) if reading is None else reading.result()
            )
        except InputError as error:
            self.record(error)
            return party, read_elements((), place="")
        if source.data is not None and digest:
            self.inputs[source.data.as_posix()] = digest
        return party, records

    def _measure_file(self, _party: str, source: ListSource) -> int:
        """Return the bytes of a party's file, 0 where there is none."""
        with suppress(OSError, ValueError):
            if source.data is not None:
                return (self.folder / source.data).stat().st_size
        return 0

    def file(self, place: str, data: Path, options: DataOptions | None = None) -> Path:
        """Return the path of a data file and remember its fingerprint; see `Read`."""
        place = f"{self.path}: {place}"
        try:
            source = self._locate(place, data)
            self._remember(place, data)
        except InputError as error:
            self.record(error)
            # Others ask whether it is there; of what is not a name no system says so.
            name = data.as_posix().encode("utf-8", "replace")
            is_name = len(name) <= LONGEST_NAME and b"\0" not in name
            return self.path.parent / (data if is_name else "missing")
        return describe_path(source, self.inputs[data.as_posix()], options)

    def cache(self, place: str, folder: Path) -> Path | None:
        """Return the folder that keeps values of evaluations; see `Read`."""
        if not self.caches:
            return None
        try:
            return self._locate(f"{self.path}: {place}", folder).resolve()
        except InputError as error:
            self.record(error)
            return None

    def record(self, error: InputError) -> None:
        """Remember a fault, or raise it where nobody collects them."""
        if self._faults is None:
            raise error
        for fault in list_faults(error):
            # Its traceback would keep what was read so far: large lists, on disk.
            fault.__traceback__ = fault.__cause__ = fault.__context__ = None
            self._faults.append(fault)

    def _read(
        self, party: str, source: ListSource, hashed: bool, shelf: Shelf | None = None
    ) -> tuple[Records, str]:
        """Return a party's records, and the fingerprint of its file; "" where it has none."""
        place = f"{self.path}: parties.{party}"
        if source.data is None:
            elements = source.elements or ()
            return read_elements(elements, place=f"{place}.elements", options=source.options), ""
        place = f"{place}.data"
        path = self._locate(place, source.data)
        if shelf is not None:
            streamed = stream_records(path, place=place, options=source.options, shelf=shelf)
            if streamed is not None:
                return streamed
        file = read_file(path, f"{place}: {path}", hashed=hashed)
        records = read_records(file, place=place, options=source.options, key_alone=not self.whole)
        return records, file.digest if hashed else ""

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
    """Return the functions and classes, "module:function", that a parsed file names as code.

    An estimator of scikit-learn is not user code: it is installed, and takes data only.

    Examples
    --------
    >>> list_functions({"utility": {"function": "mine:score"}, "elements": ["a:b"], "seed": 7})
    ['mine:score']
    """
    mechanism = table.get("mechanism")
    own = isinstance(mechanism, str) and ":" in mechanism
    names = [str(mechanism)] if own and FUNCTION.fullmatch(str(mechanism)) else []
    training = table.get("training")
    if isinstance(training, Mapping):
        names += _list_classes(training)
    return list(dict.fromkeys([*names, *_list_functions(table, any_key=own)]))


def _list_functions(table: Mapping[str, Any], *, any_key: bool) -> list[str]:
    """Return the names that stand under keys for functions, or under any key."""
    found: list[str] = []
    for key, value in table.items():
        names = value if isinstance(value, list | tuple) else [value]
        listed = key in FUNCTION_KEYS or (any_key and len(names) <= FUNCTIONS)
        for name in names if listed or len(names) <= FUNCTIONS else ():
            if isinstance(name, Mapping):
                found += _list_functions(name, any_key=any_key)
            elif listed and isinstance(name, str) and FUNCTION.fullmatch(name):
                found.append(name)
    return found


def _list_classes(training: Mapping[str, Any]) -> list[str]:
    """Return the classes of a training table that are not scikit-learn's."""
    steps = training.get("steps")
    named = [training.get("estimator"), *(steps if isinstance(steps, list | tuple) else ())]
    paths = [step.get("use") if isinstance(step, Mapping) else step for step in named]
    return [
        name_class(path)
        for path in paths
        if isinstance(path, str) and "." in path and not is_of_sklearn(path)
    ]


def fingerprint_own_code(code: CodeList) -> dict[str, str]:
    """Return the SHA-256 of the user's own functions, by "module:function"; installed ones not."""
    return {name: source.code for name, source in code.sources.items() if not source.installed}
