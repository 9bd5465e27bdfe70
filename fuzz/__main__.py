"""`python -m fuzz [--inputs 100000] [--seed 0] [--jobs 2] [--findings FOLDER]`.

Every input is a good folder of which one file is spoilt; it must give a result, or one line that
says what is wrong. Findings are told apart by where they come from; the smallest input of each is
kept with its traceback. Exit status: 1 where there is a finding.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fuzz.seeds import Seed, seeds
from fuzz.trials import SECONDS, spoilt

PATIENCE = 6 * SECONDS
"""Seconds after which a process that tells nothing is ended."""
SLOWEST = 5
TELL = 5_000
"""Inputs between two words on how far it is."""


@dataclass
class Found:
    """What came of all inputs so far."""

    came: Counter[str] = field(default_factory=Counter)
    findings: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    slowest: list[tuple[float, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, number: int, told: dict[str, Any]) -> None:
        """Count one input."""
        with self.lock:
            self.came[told["came"]] += 1
            if told["came"] == "finding":
                kind = f"{told['what'].partition(':')[0]} at {told['at']}"
                if kind not in self.findings:
                    _say(f"input {number}: {kind}")
                self.findings.setdefault(kind, []).append({"number": number, **told})
            if self.came.total() % TELL == 0:
                _say(f"{self.came.total():,} inputs, findings of {len(self.findings)} kinds")
            self.slowest = sorted([*self.slowest, (told.get("seconds", 0.0), number)])[-SLOWEST:]


def main() -> int:
    """Fuzz, and say what was found."""
    words = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    words.add_argument("--inputs", type=int, default=100_000)
    words.add_argument("--first", type=int, default=0, help="number of the first input")
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--jobs", type=int, default=2)
    words.add_argument("--findings", type=Path, help="folder for the inputs that were findings")
    told = words.parse_args()
    found, folders, started = Found(), seeds(), time.monotonic()
    last = told.first + told.inputs
    threads = [
        threading.Thread(target=_work, args=(found, told.seed, told.first + k, last, told.jobs))
        for k in range(told.jobs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - started
    counts = ", ".join(f"{count:,} {what}" for what, count in sorted(found.came.items()))
    inputs = found.came.total()
    _say(f"{inputs:,} inputs of {len(folders)} folders in {seconds:.0f} s: {counts}")
    _say("slowest: " + ", ".join(f"input {n} {s:.1f} s" for s, n in reversed(found.slowest)))
    for at, each in sorted(found.findings.items(), key=lambda x: -len(x[1])):
        smallest = min(each, key=lambda x: len(spoilt(told.seed, x["number"], folders)[2]))
        _say(f"{len(each)} x {at}: {smallest['what']} (input {smallest['number']})")
        if told.findings is not None:
            _keep(told.findings, at, smallest, spoilt(told.seed, smallest["number"], folders))
    return 1 if found.findings else 0


def _work(found: Found, seed: int, first: int, last: int, step: int) -> None:
    """Keep a process at work, a new one after each that had to be ended."""
    while first < last:
        first = _process(found, seed, first, last, step)


def _process(found: Found, seed: int, first: int, last: int, step: int) -> int:
    """Run one process to its end; give the number of the input that comes next."""
    command = [sys.executable, "-m", "fuzz.trials", *map(str, (seed, first, last, step))]
    quiet = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    number, seen = first, False
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **quiet},
    ) as child:
        assert child.stdout is not None
        while line := _line(child, child.stdout):
            told = json.loads(line)
            if "number" in told:
                number, seen = told["number"], True
            else:
                found.add(number, told)
                number += step
        if number >= last:
            return number
        if not seen:
            raise SystemExit("the process that brings inputs to the doors does not start")
        ended = child.wait()
    what = f"the process ended with status {ended}" if ended >= 0 else f"ended by signal {-ended}"
    found.add(number, {"came": "finding", "what": what, "at": "compiled code", "trace": ""})
    return number + step


def _line(child: subprocess.Popen[bytes], stream: Any) -> bytes:
    """Wait for a line; end the process if none comes. Empty: it has ended."""
    watch = threading.Timer(PATIENCE, child.kill)
    watch.start()
    try:
        return bytes(stream.readline())
    finally:
        watch.cancel()


def _keep(folder: Path, at: str, finding: dict[str, Any], made: tuple[Seed, str, bytes]) -> None:
    seed, name, content = made
    place = folder / "".join(c if c.isalnum() else "-" for c in at)
    for path, good in {**seed.files, name: content}.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(good)
    told = f"input {finding['number']}: {name}\n{finding['what']}\n\n{finding.get('trace', '')}"
    (place / "finding.txt").write_text(told, encoding="utf-8")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
