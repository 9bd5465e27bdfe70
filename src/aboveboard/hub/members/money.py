"""A member's own transfers, as its hub has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aboveboard.commands.rounds import KEYS
from aboveboard.evidence.keys import read_keys
from aboveboard.evidence.members import find_home
from aboveboard.hub.members.membership import find_collaboration
from aboveboard.hub.members.transport import HubConnection


def list_own_transfers(
    reference: str, home: Path | None = None, passphrase: bytes | None = None
) -> list[dict[str, Any]]:
    """Return the member's transfers in the series of a round: plain data, as the API has them.

    Parameters
    ----------
    reference
        The collaboration's id, or its address at the hub.
    home
        The member's folder; None: `find_home()`.
    passphrase
        Of its keys.

    Raises
    ------
    InputError
        If no hub that the member has joined has it.
    """
    home = home or find_home()
    keys = read_keys(home / KEYS, passphrase)
    known, identifier = find_collaboration(reference, home, keys)
    path = f"/api/v1/collaborations/{identifier}/transfers"
    found: list[dict[str, Any]] = HubConnection(known.address, keys).get_json(path)["transfers"]
    return found
