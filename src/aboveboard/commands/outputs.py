"""Outputs that cannot be written, refused before the work begins and never after it."""

from __future__ import annotations

import os
from pathlib import Path

from aboveboard.errors import InputError
from aboveboard.settlements.writing import refuse_existing

OURS = (b"<!doctype html", b"<?xml", b"<svg", b"%pdf", b"\x89png")
"""How pages and pictures begin, in small letters."""


def refuse_file(option: str, path: Path | None) -> None:
    """Raise `InputError` if a page or picture cannot be written to a path; None is not a path.

    A file that is there is replaced only by what it is itself: else an option that names a party's
    list would be the end of that list.
    """
    if path is None:
        return
    if path.is_dir():
        raise InputError(option, f"{path} is a folder", "name a file")
    if path.exists() and not os.access(path, os.W_OK):
        raise InputError(option, f"{path} cannot be written", "name another file")
    if path.is_file() and not _is_ours(path):
        problem = f"{path} is there already, and is neither a page nor a picture"
        raise InputError(option, problem, "name another file")
    if not path.exists():
        _refuse_parent(option, path)


def _is_ours(path: Path) -> bool:
    """Return whether a file is empty, a page or a picture, as far as can be read."""
    try:
        with path.open("rb") as file:
            start = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    except OSError:
        return False
    return not start or start.startswith(OURS)


def refuse_folder(option: str, path: Path, *, force: bool) -> None:
    """Raise `InputError` if a settlement folder cannot be made, or must not be replaced."""
    refuse_existing(path, force=force)
    _refuse_parent(option, path)


def _refuse_parent(option: str, path: Path) -> None:
    above = Path(os.path.abspath(path)).parent  # noqa: PTH100 - resolve() would follow links
    while not os.path.lexists(above):
        above = above.parent
    if not above.is_dir():
        raise InputError(option, f"{above} is not a folder", "name a path in a folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise InputError(
            option, f"nothing can be written in {above}", "name a path in another folder"
        )
