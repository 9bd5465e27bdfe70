"""A change of terms at a hub: whoever is to take part signs it, also those whom it lets in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aboveboard.commands.rounds import KEYS, Membership
from aboveboard.commands.rounds.changes import consent
from aboveboard.errors import InputError
from aboveboard.evidence.keys import read_keys
from aboveboard.evidence.members import begin_membership, find_home, locate_private, read_round
from aboveboard.hub.members.attendance import Attendance, attend_at_hub
from aboveboard.hub.members.membership import preview


def sign_change_at_hub(
    identifier: str, read: str, home: Path | None = None, passphrase: bytes | None = None
) -> tuple[Attendance, dict[str, Any]]:
    """Sign the change of terms that a member has read; return it, and where its signature stands.

    Whom the change lets in has signed nothing in the round yet, and takes part from here on.

    Parameters
    ----------
    identifier
        The round's id at its hub.
    read
        The hash of the change that the member has read.
    home
        The member's folder; None: `find_home()`.
    passphrase
        Of its keys.

    Raises
    ------
    InputError
        If no change waits for the member, or another one, or the hub refuses its signature.
    """
    home = home or find_home()
    here = attend_at_hub(identifier, home, passphrase) or _begin(identifier, home, passphrase)
    return here, here.hand_over(consent(here.member, read)) or {}


def _begin(identifier: str, home: Path, passphrase: bytes | None) -> Attendance:
    """Return a newcomer in the round whose change lets it in.

    Raises
    ------
    InputError
        If no change with its keys waits for it.
    """
    keys = read_keys(home / KEYS, passphrase)
    mirror, view = preview(identifier, home, passphrase)
    round_ = read_round(mirror.folder).round
    name, terms = str(view["member"]), round_.pending_terms
    member = None if terms is None else terms.members.get(name)
    if member is None or member.keys is None or member.keys.public != keys.public:
        raise InputError(
            mirror.address, "no change of terms waits for you", "agree to the terms first"
        )
    private = locate_private(home, round_.first_terms, name)
    begin_membership(private, name, mirror.folder)
    return Attendance(Membership(name, keys, private, mirror.folder), mirror, view)
