"""Coverage-guided fuzzing: `python -m fuzz.atheris_targets TARGET [libFuzzer flags]`.

atheris (an extra of its own; it has wheels for some Pythons only) watches which code an input
reaches and keeps those that reach more. A finding is whatever a door must not let through; see
`doors`. For example `python -m fuzz.atheris_targets csv -max_total_time=60 -rss_limit_mb=4096`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tomllib", "aboveboard", "csv"]):
    from aboveboard.collaborations.collaboration import load
    from aboveboard.errors import AboveboardError
    from aboveboard.storage.options import FOLDS, DataOptions
    from aboveboard.storage.party_data import read_records
    from fuzz.doors import checked_line
    from fuzz.seeds import MEANS


def _toml(path: Path) -> None:
    load(path)


def _lines(path: Path) -> None:
    read_records(path, place="a", options=DataOptions(normalize=FOLDS))


def _csv(path: Path) -> None:
    read_records(path, place="a", options=DataOptions(key="k"))


def _samples(path: Path) -> None:
    file = path.with_name("c.toml")
    if not file.exists():
        file.write_text(MEANS.replace("samples.csv", path.name), encoding="utf-8")
    load(file)


TARGETS: dict[str, tuple[Callable[[Path], None], str]] = {
    "toml": (_toml, "c.toml"),
    "lines": (_lines, "a.txt"),
    "csv": (_csv, "a.csv"),
    "samples": (_samples, "a.csv"),
}
"""By name: what reads, and the name of the file that it reads."""


def main() -> None:
    """Fuzz one target until libFuzzer stops."""
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        raise SystemExit(f"say which target: {', '.join(TARGETS)}")
    read, file = TARGETS[name]
    scratch = tempfile.TemporaryDirectory()
    path = Path(scratch.name) / file

    def one(content: bytes) -> None:
        path.write_bytes(content)
        try:
            read(path)
        except AboveboardError as error:
            checked_line(error)

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
