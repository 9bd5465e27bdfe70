"""What stands in a settlement folder, read back; nothing of it is believed.

A folder may come from anywhere: what it names is checked before it is used, its links are not
followed, and no path of its manifest leads out of it.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path, PurePosixPath
from typing import Any

from aboveboard.errors import InputError
from aboveboard.mechanisms.settlement import MANIFEST
from aboveboard.storage.tabular_files import opened

SOURCE = "source.json"
"""Tells where the collaboration file lies; the one file that depends on the place."""

REMEDY = "give a folder that 'run' wrote"


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
    manifest = _json(place)
    if not _is_manifest(manifest):
        raise InputError(str(place), "it is not a settlement's manifest", REMEDY)
    for name in (*manifest["outputs"], *manifest["unrepeatable"]):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\0" in name or not path.parts:
            raise InputError(
                str(place), f"it names {name!r}, which does not lie in the folder", REMEDY
            )
    return dict(manifest)


def read_source(folder: Path) -> Path:
    """Read where the collaboration file lies; `InputError` if the folder does not tell."""
    source = _json(folder / SOURCE)
    path = source.get("collaboration") if isinstance(source, dict) else None
    if not isinstance(path, str) or not path or "\0" in path:
        raise InputError(
            str(folder / SOURCE),
            "it does not tell where the collaboration file lies",
            "name the collaboration file with --file",
        )
    return Path(path)


def list_files(folder: Path) -> set[str]:
    """List the files of a settlement folder, links among them, but `SOURCE`."""
    found = {
        (Path(root) / name).relative_to(folder).as_posix()
        for root, folders, names in os.walk(folder)
        for name in (*names, *(x for x in folders if (Path(root) / x).is_symlink()))
    }
    return found - {SOURCE}


def fingerprint_file(folder: Path, name: str) -> str | None:
    """Give the SHA-256 of a file; None where there is none, or what is there is no regular file.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    path = folder / name
    if path.is_symlink() or not path.is_file():
        return None
    try:
        with opened(path, str(path)) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            str(path), f"it cannot be read ({error.strerror})", "make it readable"
        ) from error


def drop_outputs(folder: Path, names: frozenset[str]) -> Any:
    """Give a manifest without the fingerprints of some files; None where it is no manifest."""
    manifest = _json(folder / MANIFEST)
    if not _is_manifest(manifest):
        return None
    kept = {name: print_ for name, print_ in manifest["outputs"].items() if name not in names}
    return manifest | {"outputs": kept}


def _json(path: Path) -> Any:
    """Read a file of JSON; None for one that is none, or that is a link."""
    if path.is_symlink():
        return None
    try:
        with opened(path, str(path)) as stream:
            return json.loads(stream.read())
    except (OSError, ValueError, RecursionError, InputError):
        return None


def _is_manifest(data: Any) -> bool:
    return (
        isinstance(data, dict)
        and isinstance(data.get("inputs"), dict)
        and isinstance(data.get("outputs"), dict)
        and isinstance(data.get("unrepeatable"), list)
        and all(isinstance(name, str) for name in data["unrepeatable"])
    )
