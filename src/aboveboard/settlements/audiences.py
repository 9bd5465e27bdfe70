"""Who may read which file of a settlement: one party, the center, or all.

A party's folder is for that party. Files that a mechanism makes for all are for all. Everything
else is for the center alone: the manifest holds every party's numbers and unsalted fingerprints of
inputs, which can be guessed where inputs are small; the report and the accounts show all parties.
On a disk that others use, a folder is readable to its owner alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from aboveboard.mechanisms.settlement import Settlement

FILE_MODE, FOLDER_MODE = 0o600, 0o700


def find_party(place: str) -> str | None:
    """Return the party whose folder holds a file of a settlement; None if it is not a party's.

    Examples
    --------
    >>> find_party("parties/acme/reply.txt"), find_party("report.html")
    ('acme', None)
    """
    parts = PurePosixPath(place).parts
    return parts[1] if len(parts) > 2 and parts[0] == "parties" else None


def list_audiences(settlement: Settlement, places: Iterable[str]) -> dict[str, Any]:
    """Return who may read each file: `all`, `center`, and `parties` by name.

    Parameters
    ----------
    settlement
        What was settled.
    places
        The paths in its folder.
    """
    public = {f"{name}.{reply.form}" for name, reply in settlement.files.items()}
    parties: dict[str, list[str]] = {name: [] for name in settlement.parties}
    shared, center = [], []
    for place in sorted(places):
        party = find_party(place)
        if party in parties:
            parties[party].append(place)
        elif place in public:
            shared.append(place)
        else:
            center.append(place)
    return {"all": shared, "center": center, "parties": parties}


def protect_folder(folder: Path) -> None:
    """Let only its owner read a settlement folder and what is in it."""
    folder.chmod(FOLDER_MODE)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
