"""A member in one round, with its hub: what is new is fetched, and statements are handed in.

The command line and the desk take every step through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aboveboard.commands.rounds import Membership, find_membership
from aboveboard.evidence.members import find_home, list_memberships, read_membership
from aboveboard.hub.members.mirror import find_mirror, pull, push
from aboveboard.hub.members.places import Mirror


@dataclass(frozen=True)
class Attendance:
    """A member in one round.

    Parameters
    ----------
    member
        Its name, keys and folders.
    mirror
        The round at its hub; None for a round that travels by other means.
    view
        The round as the hub shows it to the member; empty without a hub.

    Examples
    --------
    >>> member = Membership("acme", None, Path("private"), Path("round"))
    >>> Attendance(member, None).hand_over(Path("statement.json")) is None
    True
    """

    member: Membership
    mirror: Mirror | None
    view: Mapping[str, Any] = field(default_factory=dict)

    def hand_over(self, statement: Path) -> dict[str, Any] | None:
        """Hand a statement in at the hub; return where it stands, or None without a hub.

        Raises
        ------
        InputError
            If the hub cannot be reached, or refuses it.
        """
        if self.mirror is None:
            return None
        return push(self.mirror, statement, self.member.keys)


def attend(
    terms: str | None = None, home: Path | None = None, passphrase: bytes | None = None
) -> Attendance:
    """Return a member in a round that it has agreed to, with all that is new at its hub.

    Parameters
    ----------
    terms
        The beginning of the terms' hash; None: the only round there is.
    home
        The member's folder; None: `find_home()`.
    passphrase
        Of its keys.

    Raises
    ------
    InputError
        If there is no such round, or several, or its hub cannot be believed.

    Examples
    --------
    >>> attend(home=Path("nowhere"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    aboveboard.errors.InputError: nowhere/rounds: you have agreed to no such terms; ru...
    """
    member = find_membership(terms, home, passphrase)
    mirror = find_mirror(member.folder)
    view = {} if mirror is None else pull(mirror, member.keys)
    return Attendance(member, mirror, view)


def attend_at_hub(
    identifier: str, home: Path | None = None, passphrase: bytes | None = None
) -> Attendance | None:
    """Return a member in a round of a hub; None where it has not agreed to its terms.

    Parameters
    ----------
    identifier
        The round's id at its hub.
    home, passphrase
        As for `attend`.

    Raises
    ------
    InputError
        If the hub cannot be reached, or cannot be believed.

    Examples
    --------
    >>> attend_at_hub("0123456789abcdef", Path("nowhere")) is None
    True
    """
    home = home or find_home()
    for private in list_memberships(home):
        folder = Path(read_membership(private)["folder"])
        mirror = find_mirror(folder) if folder.is_dir() else None
        if mirror is not None and mirror.id == identifier:
            return attend(private.name, home, passphrase)
    return None
