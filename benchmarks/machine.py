"""On what was measured: machine, system, versions, load, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[1]

LIBRARIES = (
    "numpy",
    "numba",
    "polars",
    "scipy",
    "mechaudit",
    "quantecon",
    "shapiq",
    "ortools",
)
"""Distributions that take part, ours beneath and peers."""

GIB = 2**30


@dataclass(frozen=True)
class Machine:
    """A machine, as named pairs in the order of the page."""

    facts: tuple[tuple[str, str], ...]


def machine() -> Machine:
    """Describe the machine, the system and the libraries."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    libraries = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    return Machine(
        (
            ("processor", f"{_processor()}, {os.cpu_count()} cores"),
            ("memory", f"{memory:.0f} GiB"),
            ("system", f"{_system()}, Linux {platform.release()}"),
            ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
            ("libraries", libraries),
            ("aboveboard", f"{version('aboveboard')}, commit {_commit()}"),
        )
    )


def load() -> str:
    """Return the load average of the last minute, five, and fifteen."""
    return ", ".join(f"{x:.2f}" for x in os.getloadavg())


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """Name the processor; its family and model too, as virtual machines often hide its name."""
    told = {}
    for line in Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines():
        key, _, value = line.partition(":")
        told[key.strip()] = value.strip()
    name = told.get("model name", platform.machine())
    if "model" not in told:
        return name
    return f"{name} (family {told['cpu family']}, model {told['model']})"


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _commit() -> str:
    """Name the commit, and say whether the code was changed since."""
    try:
        short = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--", "src", "benchmarks", "pyproject.toml")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{short} with changes" if changed else short


def _git(*words: str) -> str:
    run = subprocess.run(("git", *words), cwd=ROOT, check=True, capture_output=True, text=True)
    return run.stdout.strip()
