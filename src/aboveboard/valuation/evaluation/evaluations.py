"""Evaluations that take long: each done once, kept on disk, several at a time.

What is kept lies in one file for each function and content of its code: a line for each value,
with a checksum under the user's key, appended in one write. A run that is killed leaves at most one
torn line, which is not believed; runs at the same time append to the same file, and where both have
evaluated the same, the earlier line counts. Cost: the file is read once; 100 bytes a value.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import TypeVar

from aboveboard.errors import InputError
from aboveboard.games.numbers import Number
from aboveboard.storage.cache_key import read_cache_key
from aboveboard.valuation.levels import Level, encode_level

Item = TypeVar("Item")
Result = TypeVar("Result")

IN_FLIGHT = 64
"""Evaluations that an executor is handed at a time: enough for every worker of a small cluster, and
few enough to be done again after a kill."""
CHECK = 32
"""Hexadecimal digits of a line's checksum, which nobody else can make."""


def map_unordered(
    task: Callable[[Item], Result], items: Iterable[Item], executor: Executor | None
) -> Iterator[tuple[Item, Result]]:
    """Do a task for every item, and give each item with its result as soon as it is there.

    Parameters
    ----------
    task
        For executors of other processes it must be picklable.
    items
        What it is done for.
    executor
        None: one after the other, in this process.

    Raises
    ------
    InputError
        If the executor fails; what has been given before is done.

    Examples
    --------
    >>> list(map_unordered(abs, [-2, 1], None))
    [(-2, 2), (1, 1)]
    """
    if executor is None:
        for item in items:
            yield item, task(item)
        return
    waiting: dict[Future[Result], Item] = {}
    queue = iter(items)
    try:
        while True:
            for item in islice(queue, IN_FLIGHT - len(waiting)):
                waiting[_submit(executor, task, item)] = item
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                item = waiting.pop(future)
                yield item, _wait_for(future)
    finally:
        for future in waiting:
            future.cancel()


def _submit(executor: Executor, task: Callable[[Item], Result], item: Item) -> Future[Result]:
    try:
        return executor.submit(task, item)
    except Exception as error:
        raise _make_error(error) from error


def _wait_for(future: Future[Result]) -> Result:
    try:
        return future.result()
    except (Exception, CancelledError) as error:
        raise _make_error(error) from error


def _make_error(error: BaseException) -> InputError:
    text = " ".join(str(error).split()) or "no message"
    return InputError(
        "executor",
        f"evaluations failed with {type(error).__name__}: {text[:300]}",
        "results are cached; fix the workers and rerun to resume",
    )


@dataclass
class EvaluationCache:
    """Values by privacy levels, in memory and, where there is a file, on disk.

    Parameters
    ----------
    path
        The file; None keeps in memory only. A file that cannot be written is done without.
    known
        Values in memory.

    Examples
    --------
    >>> cache = EvaluationCache()
    >>> cache.add((1, 0), 5)
    >>> (1, 0) in cache, cache[1, 0], (0, 1) in cache
    (True, 5, False)
    """

    path: Path | None = None
    known: dict[tuple[Level, ...], Number] = field(default_factory=dict)
    _read: bool = field(default=False, repr=False)

    def __contains__(self, levels: tuple[Level, ...]) -> bool:
        self._read_once()
        return levels in self.known

    def __getitem__(self, levels: tuple[Level, ...]) -> Number:
        return self.known[levels]

    def add(self, levels: tuple[Level, ...], value: Number) -> None:
        """Keep a value."""
        self.known[levels] = value
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # A torn line of a run that was killed ends where this one begins.
            _append(self.path, f"\n{_line(levels, value)}\n".encode())
        except (OSError, ValueError):  # ValueError: an integer of thousands of digits
            self.path = None  # the settlement is the same without

    def _read_once(self) -> None:
        if self._read:
            return
        self._read = True
        if self.path is None:
            return
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except (OSError, ValueError):  # ValueError: its path is none
            return  # there is none yet, or it cannot be read
        for line in lines:
            record = _record(line)
            if record is not None:
                self.known.setdefault(*record)


def _append(path: Path, line: bytes) -> None:
    # A link that somebody has put there leads to a file of the user's.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(path, flags, 0o600)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)


def _line(levels: Sequence[Level], value: Number) -> str:
    kind = "fraction" if isinstance(value, Fraction) else type(value).__name__
    text = json.dumps([[str(encode_level(x)) for x in levels], kind, _text(value)])
    return f"{_checksum(text)} {text}"


def _text(value: Number) -> str:
    return value.hex() if isinstance(value, float) else str(value)


def _record(line: str) -> tuple[tuple[Level, ...], Number] | None:
    """Read a line back; None for one that is torn, or is not a value."""
    check, _, text = line.partition(" ")
    if not hmac.compare_digest(check.encode(), _checksum(text).encode()):
        return None
    try:
        levels, kind, value = json.loads(text)
        key = tuple(float(x) if x == "inf" else Fraction(x) for x in levels)
        if kind == "float":
            number = float.fromhex(value)
            return (key, number) if isfinite(number) else None
        return key, Fraction(value) if kind == "fraction" else int(value)
    except (ValueError, TypeError, ArithmeticError, RecursionError):
        return None


def _checksum(text: str) -> str:
    return hmac.digest(read_cache_key(), text.encode(), "sha256").hex()[:CHECK]


def name_cache(folder: Path, name: str, *content: object) -> Path:
    """Return the file of a function with this content of code and data.

    Parameters
    ----------
    folder
        Where the cache lies.
    name
        Of the function.
    *content
        What the values depend on, as data that JSON can hold.

    Examples
    --------
    >>> name_cache(Path("cache"), "earn", "sha256 of its code").name[:16]
    '3ddbe125c802b950'
    """
    digest = hashlib.sha256(json.dumps([name, *content]).encode()).hexdigest()
    return folder / f"{digest}.txt"
