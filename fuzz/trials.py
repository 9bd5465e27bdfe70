"""One process that brings inputs to the doors, under a limit of time and of memory.

Input k of a seed is the same wherever it is made. A trial that computes for longer than `SECONDS`
is a finding; one that waits, or is in compiled code, which no signal interrupts, is ended by who
started us.
"""

from __future__ import annotations

import functools
import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aboveboard.collaborations import registry
from fuzz.doors import OUT, brought
from fuzz.mutations import mutated
from fuzz.seeds import Seed, seeds

SECONDS = 20.0
"""Of the processor: a busy machine makes no findings."""
MEMORY = 8 << 30
"""Bytes of addresses: compiled code and its threads map some GiB that they never touch."""


MEMORY_DISK = Path("/dev/shm")
"""Where it is there, no disk is worn out by hundreds of thousands of small files."""


class Hung(BaseException):
    """An input took too long; no Exception, which strangers' code may catch."""


def spoilt(seed: int, number: int, folders: list[Seed]) -> tuple[Seed, str, bytes]:
    """Make one input: which folder, which of its files, and what stands there."""
    rng = random.Random(f"{seed}/{number}")
    folder = folders[number % len(folders)]
    name = rng.choice(folder.spoilt)
    return folder, name, mutated(folder.files[name], name, rng)


def main(seed: int, first: int, last: int, step: int) -> None:
    """Bring inputs to the doors; one line of JSON for each to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("error", RuntimeWarning)
    # Every load looks through all installed packages: a half of its time, and always the same.
    registry.entry_points = functools.cache(registry.entry_points)
    talk = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    folders = seeds()
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None) as scratch:
        places = [_laid(Path(scratch) / str(k), folder) for k, folder in enumerate(folders)]
        for number in range(first, last, step):
            talk.write(json.dumps({"number": number}) + "\n")
            talk.flush()
            folder, name, content = spoilt(seed, number, folders)
            place = places[number % len(folders)]
            started = time.perf_counter()
            with _written(place / name, content):
                told = _tried(folder, place, random.Random(f"{seed}/{number}/door"))
            told["seconds"] = time.perf_counter() - started
            talk.write(json.dumps(told) + "\n")
            talk.flush()


def _tried(folder: Seed, place: Path, rng: random.Random) -> dict[str, Any]:
    before = set(place.parent.iterdir())
    try:
        with _watched():
            came = brought(folder.door, place, rng)
        if set(place.parent.iterdir()) != before:
            return {"came": "finding", "what": "something was written elsewhere", "at": folder.name}
    except BaseException as error:
        _clean(place)
        return {"came": "finding", "what": _spoken(error), "at": _at(error), "trace": _trace(error)}
    return {"came": came}


@contextmanager
def _watched() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise Hung

    signal.signal(signal.SIGPROF, ring)
    # Again and again: one that is raised inside a callback of compiled code is lost.
    signal.setitimer(signal.ITIMER_PROF, SECONDS, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _spoken(error: BaseException) -> str:
    said = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {said}"


def _at(error: BaseException) -> str:
    """Return the innermost place in the product, which tells findings apart."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}aboveboard{os.sep}" in frame.filename]
    if not ours:
        return frames[-1].name if frames else "nowhere"
    where = re.sub(r".*/aboveboard/", "", ours[-1].filename)
    return f"{where}:{ours[-1].lineno} ({ours[-1].name})"


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-6_000:]


def _laid(place: Path, folder: Seed) -> Path:
    """Write a folder, and beside its files what leads elsewhere."""
    for name, content in folder.files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    (place / "folder").mkdir()
    (place / "loop").symlink_to("loop")
    (place / "to_zero").symlink_to("/dev/zero")
    (place / "outside").symlink_to("/etc/passwd")
    os.mkfifo(place / "fifo")
    return place


@contextmanager
def _written(path: Path, content: bytes) -> Iterator[None]:
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


def _clean(place: Path) -> None:
    for path in place.glob(f"*{OUT}*"):
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:5]))
