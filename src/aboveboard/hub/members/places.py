"""Where a member keeps a collaboration of a hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MIRROR_FILE = "hub.json"
REFUSED_FILE = "checkpoint-refused.note"


@dataclass(frozen=True)
class Mirror:
    """A collaboration of a hub, and the folder that mirrors it.

    Parameters
    ----------
    folder
        Where it lies.
    address
        Of the hub.
    id
        Of the collaboration.

    Examples
    --------
    >>> Mirror(Path("round"), "https://hub.example", "0123456789abcdef").path
    '/api/v1/collaborations/0123456789abcdef'
    """

    folder: Path
    address: str
    id: str

    @property
    def path(self) -> str:
        """The collaboration's path at the hub."""
        return f"/api/v1/collaborations/{self.id}"
