"""A settlement run again from its inputs, every byte compared."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.collaborations.collaboration import load
from aboveboard.collaborations.loading import TrustCode
from aboveboard.collaborations.toml_file import read_content
from aboveboard.errors import InputError
from aboveboard.mechanisms.settlement import MANIFEST, fingerprint
from aboveboard.settlements.manifest import (
    drop_outputs,
    fingerprint_file,
    is_bundle,
    list_files,
    read_manifest,
    read_source,
)
from aboveboard.settlements.writing import COPY


@dataclass(frozen=True)
class Replay:
    """The result of running a settlement again.

    Parameters
    ----------
    folder
        The settlement folder.
    files
        How many files were compared.
    differ
        Those whose bytes differ, are missing, or were added.
    """

    folder: Path
    files: int
    differ: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "folder": str(self.folder),
            "same": not self.differ,
            "files": self.files,
            "differ": list(self.differ),
        }


def replay(
    folder: Path,
    settle_again: Callable[..., object],
    source: Path | None = None,
    *,
    trust_code: TrustCode = None,
    allow_outside: bool = False,
) -> Replay:
    """Run a settlement again from its inputs, with its recorded seed, and compare every byte.

    Parameters
    ----------
    folder
        A settlement folder.
    settle_again
        Runs a collaboration into a folder on a given `date`, as `commands.settle` does.
    source
        The collaboration file, if it is no longer where it was.
    trust_code
        As in `aboveboard.load`: the digest of the code that comes with the collaboration file.
    allow_outside
        As in `aboveboard.load`.

    Raises
    ------
    InputError
        If the folder is not a settlement folder, or an input is missing or has changed.
    """
    manifest = read_manifest(folder)
    path = source or read_source(folder)
    # Before any file that it names is read: it may not be the file that was run.
    if fingerprint(read_content(path)) != manifest["inputs"].get(COPY):
        raise _changed_error(path)
    collaboration = load(
        path,
        seed=manifest["seed"],
        trust_code=trust_code,
        allow_outside=allow_outside,
        caches=False,  # somebody may have written what a cache holds
    ).with_spending("none")
    for name, digest in manifest["inputs"].items():
        if name != COPY and name not in collaboration.inputs:
            raise InputError(
                str(folder / MANIFEST),
                f"it names an input {name!r} that the collaboration file does not",
                "name the folder as 'run' wrote it",
            )
        if name != COPY and collaboration.inputs[name] != digest:
            raise _changed_error(path.parent / name)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            again = Path(scratch) / "again"
            settle_again(collaboration, again, date=manifest.get("date", ""))
            return _compare(folder, again, manifest)
    except OSError as error:
        raise InputError(
            tempfile.gettempdir(),
            f"no folder can be written there ({error.strerror})",
            "make room, or name another place in the environment variable TMPDIR",
        ) from error


def _changed_error(path: Path) -> InputError:
    return InputError(
        str(path),
        "it has changed since the run",
        "a replay needs the same inputs; restore it, or run it again",
    )


def _compare(folder: Path, again: Path, manifest: dict[str, Any]) -> Replay:
    bundles = {name for name in manifest["outputs"] if is_bundle(name)}
    names = sorted(list_files(folder) | list_files(again) | bundles)
    drawn = frozenset(manifest["unrepeatable"]) | bundles
    differ = tuple(n for n in names if not _is_repeated(n, folder, again, manifest, drawn))
    return Replay(folder, len(names), differ)


def _is_repeated(
    name: str, folder: Path, again: Path, manifest: dict[str, Any], drawn: frozenset[str]
) -> bool:
    """Return whether a file is as it should be: made again, or, if drawn, as recorded."""
    found = fingerprint_file(folder, name)
    if found is None:
        return False
    if name in drawn:
        return bool(found == manifest["outputs"].get(name))
    if name == MANIFEST and drawn:
        return bool(drop_outputs(folder, drawn) == drop_outputs(again, drawn))
    return found == fingerprint_file(again, name)
