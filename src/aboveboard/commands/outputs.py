"""Outputs that cannot be written, refused before the work begins and never after it."""

from __future__ import annotations

import os
from pathlib import Path

from aboveboard.errors import InputError
from aboveboard.settlements.writing import refuse_existing


def refuse_file(option: str, path: Path | None) -> None:
    """Raise `InputError` if a file that an option names cannot be written; None is not a file."""
    if path is None:
        return
    if path.is_dir():
        raise InputError(option, f"{path} is a folder", "name a file")
    if path.exists() and not os.access(path, os.W_OK):
        raise InputError(option, f"{path} cannot be written", "name another file")
    if not path.exists():
        _refuse_parent(option, path)


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
