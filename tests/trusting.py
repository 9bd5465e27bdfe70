"""The option that lets the code beside a collaboration file run."""

from __future__ import annotations

from pathlib import Path

from aboveboard.collaborations.source_file import read_source


def trust(file: Path) -> list[str]:
    """Return `--trust-code` with the digest of the code that the file names now."""
    digest = read_source(file).code.digest
    assert digest is not None
    return ["--trust-code", digest]
