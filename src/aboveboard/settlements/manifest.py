"""A settlement folder read back; nothing in it is trusted.

A folder may come from anywhere: the names in it are checked before they are used, its links are not
followed, and no path in its manifest leads out of it.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path, PurePosixPath
from typing import Any

from aboveboard.errors import InputError
from aboveboard.mechanisms.settlement import MANIFEST
from aboveboard.storage.formats.content import open_regular_file

SOURCE_FILE = "source.json"
"""Says where the collaboration file lies; the one file that depends on the place."""

LONGEST_SEED = 100
"""Characters of a seed in a manifest: 2^256 has 78 digits."""

VERSION_KEYS = ("version", "versions", "found_by")
"""Keys of a manifest that say what computed it: a replay names the difference, or, of two solvers
that race, may see the other one win."""

REMEDY = "name a folder that 'run' wrote"


def locate_bundle(name: str) -> str:
    """Return where a party's bundle lies in the settlement folder."""
    return f"parties/{name}/bundle.json"


def is_bundle(place: str) -> bool:
    """Return whether a path is that of a party's bundle, which no replay makes again."""
    parts = PurePosixPath(place).parts
    return len(parts) == 3 and parts[0] == "parties" and place == locate_bundle(parts[1])


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a settlement folder.

    Returns
    -------
    Plain data; `inputs` and `outputs` are fingerprints by name, `unrepeatable` is a list of names.

    Raises
    ------
    InputError
        If there is none, it is not one, or it names a file outside of the folder.
    """
    place = folder / MANIFEST
    if not os.path.lexists(place):
        raise InputError(str(folder), f"there is no {MANIFEST} in it", REMEDY)
    manifest = _read_json(place)
    if not _is_manifest(manifest):
        raise InputError(str(place), "it is not a settlement's manifest", REMEDY)
    for name in (*manifest["outputs"], *manifest["unrepeatable"]):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\0" in name or not path.parts:
            raise InputError(
                str(place), f"it names {name!r}, which does not lie in the folder", REMEDY
            )
    return dict(manifest)


def find_collaboration_file(folder: Path) -> Path:
    """Return where the collaboration file lies; `InputError` if the folder does not say."""
    source = _read_json(folder / SOURCE_FILE)
    path = source.get("collaboration") if isinstance(source, dict) else None
    if not isinstance(path, str) or not path or "\0" in path:
        raise InputError(
            str(folder / SOURCE_FILE),
            "it does not say where the collaboration file lies",
            "name the collaboration file with --file",
        )
    return Path(path)


def list_files(folder: Path) -> set[str]:
    """Return the files of a settlement folder, links included, without `SOURCE_FILE`."""
    found = {
        (Path(root) / name).relative_to(folder).as_posix()
        for root, folders, names in os.walk(folder)
        for name in (*names, *(x for x in folders if (Path(root) / x).is_symlink()))
    }
    return found - {SOURCE_FILE}


def fingerprint_file(folder: Path, name: str) -> str | None:
    """Return the SHA-256 of a file; None if there is none, or if it is not a regular file.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    path = folder / name
    if path.is_symlink() or not path.is_file():
        return None
    try:
        with open_regular_file(path, str(path)) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            str(path), f"it cannot be read ({error.strerror})", "make it readable"
        ) from error


def drop_outputs(folder: Path, names: frozenset[str]) -> Any:
    """Return a manifest without versions and some files' fingerprints; None if it is not one."""
    manifest = _read_json(folder / MANIFEST)
    if not _is_manifest(manifest):
        return None
    kept = {name: print_ for name, print_ in manifest["outputs"].items() if name not in names}
    told = {key: value for key, value in manifest.items() if key not in VERSION_KEYS}
    # Whom a file may be handed to is left out with the file.
    audiences = _drop_names(manifest.get("audiences", {}), names)
    return told | {"outputs": kept, "audiences": audiences}


def _drop_names(listed: Any, names: frozenset[str]) -> Any:
    """Return lists of files, perhaps nested by audience, without some of the files."""
    if isinstance(listed, dict):
        return {key: _drop_names(each, names) for key, each in listed.items()}
    if isinstance(listed, list):
        return [name for name in listed if not isinstance(name, str) or name not in names]
    return listed


def _read_json(path: Path) -> Any:
    """Return the data of a JSON file; None if it is not JSON, or a link."""
    if path.is_symlink():
        return None
    try:
        with open_regular_file(path, str(path)) as stream:
            return json.loads(stream.read())
    except (OSError, ValueError, RecursionError, InputError):
        return None


def is_recorded_seed(seed: Any) -> bool:
    """Return whether a manifest's seed is one that a run records."""
    if isinstance(seed, bool):
        return False
    return isinstance(seed, int) or (isinstance(seed, str) and len(seed) <= LONGEST_SEED)


def _is_manifest(data: Any) -> bool:
    return (
        isinstance(data, dict)
        and isinstance(data.get("inputs"), dict)
        and isinstance(data.get("outputs"), dict)
        and isinstance(data.get("unrepeatable"), list)
        and all(isinstance(name, str) for name in data["unrepeatable"])
        and is_recorded_seed(data.get("seed"))
        and isinstance(data.get("date", ""), str)
    )
