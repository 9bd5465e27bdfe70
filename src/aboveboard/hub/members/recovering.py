"""A member that has lost its keys, and the others that vouch for its new ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aboveboard.commands.rounds import KEYS, find_membership
from aboveboard.commands.rounds.changes import vouch as sign_voucher
from aboveboard.errors import InputError
from aboveboard.evidence.folders import read_log
from aboveboard.evidence.keys import PublicKeys, read_keys
from aboveboard.evidence.member_statements import prove_keys
from aboveboard.evidence.members import begin_membership, find_home, locate_private
from aboveboard.evidence.rounds import replay_log
from aboveboard.hub.members.membership import preview
from aboveboard.hub.members.mirror import find_mirror, pull, push
from aboveboard.hub.members.places import Mirror
from aboveboard.hub.members.transport import HubConnection


def ask_for_vouchers(
    reference: str, home: Path | None = None, passphrase: bytes | None = None
) -> tuple[Mirror, str]:
    """Name the member's new keys in a round, for the others to vouch; return their fingerprint.

    The member has joined again with new keys, by an invitation for that. What it kept of the round
    besides, such as its committed part, stays where it is.

    Parameters
    ----------
    reference
        The collaboration's id, or its address at the hub.
    home
        The member's folder; None: `find_home()`.
    passphrase
        Of its new keys.

    Raises
    ------
    InputError
        If the hub cannot be reached, or by the terms nobody vouches.
    """
    home = home or find_home()
    keys = read_keys(home / KEYS, passphrase)
    mirror, view = preview(reference, home, passphrase)
    round_ = replay_log(read_log(mirror.folder, "").entries, mirror.address)
    name = str(view["member"])
    private = locate_private(home, round_.first_terms, name)
    begin_membership(private, name, mirror.folder)
    body = json.dumps(prove_keys(round_, name, keys)).encode()
    HubConnection(mirror.address, keys).put_bytes(f"{mirror.path}/recovery", body)
    return mirror, keys.public.fingerprint


def list_recoveries(mirror: Mirror, home: Path, passphrase: bytes | None = None) -> list[Any]:
    """Return the new keys that wait for others to vouch, as the hub has them."""
    keys = read_keys(home / KEYS, passphrase)
    data = HubConnection(mirror.address, keys).get_json(f"{mirror.path}/recovery")
    return list(data["recoveries"])


def vouch_for(
    name: str,
    fingerprint: str,
    terms: str | None = None,
    home: Path | None = None,
    passphrase: bytes | None = None,
) -> dict[str, Any]:
    """Vouch for another member's new keys; return where the statement stands.

    Parameters
    ----------
    name
        Who has lost its keys.
    fingerprint
        Of its new keys, as it told you itself, by a way that shows who answers.
    terms
        The beginning of the terms' hash; None: the only round there is.
    home
        The member's folder; None: `find_home()`.
    passphrase
        Of its keys.

    Raises
    ------
    InputError
        If the hub has no such new keys, or others.
    """
    home = home or find_home()
    member = find_membership(terms, home, passphrase)
    mirror = find_mirror(member.folder)
    if mirror is None:
        raise InputError(str(member.folder), "it is no mirror of a hub", "vouch at the hub")
    pull(mirror, member.keys)
    data = HubConnection(mirror.address, member.keys).get_json(f"{mirror.path}/recovery")
    found = [each for each in data["recoveries"] if each["name"] == name]
    if not found:
        raise InputError(f"member {name!r}", "no new keys of it wait", "ask it to name them")
    proved = {key: str(found[0][key]) for key in ("signing", "sealing", "proof")}
    shown = PublicKeys(proved["signing"], proved["sealing"]).fingerprint
    if shown != fingerprint.strip().lower():
        raise InputError(
            f"member {name!r}",
            f"the hub shows keys of {shown}, and you were told {fingerprint}",
            "do not vouch: somebody may stand between you",
        )
    return push(mirror, sign_voucher(member, name, proved), member.keys)
