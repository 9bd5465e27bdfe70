"""A member that has lost its keys, and the others that vouch for its new ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aboveboard.commands.rounds import KEYS, find_membership
from aboveboard.commands.rounds.changes import vouch as sign_voucher
from aboveboard.errors import InputError
from aboveboard.evidence.folders import read_log
from aboveboard.evidence.key_checks import encode_rotation
from aboveboard.evidence.keys import PrivateKeys, PublicKeys, read_keys, verify_signature
from aboveboard.evidence.member_statements import prove_keys
from aboveboard.evidence.members import begin_membership, find_home, locate_private
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.evidence.terms import CENTER
from aboveboard.hub.members.answers import RecoveriesAnswer, RecoveryAnswer, read_answer
from aboveboard.hub.members.membership import find_collaboration, preview
from aboveboard.hub.members.mirror import find_mirror, pull, push
from aboveboard.hub.members.places import Mirror
from aboveboard.hub.members.transport import HubConnection

_REMEDY = "vouch for nobody yet: look again in a minute, and if it stays so tell the others"


def ask_for_vouchers(
    reference: str, home: Path | None = None, passphrase: bytes | None = None
) -> tuple[Mirror, PublicKeys]:
    """Name the member's new keys in a round, for the others to vouch; return their public half.

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
    known, identifier = find_collaboration(reference, home, keys)
    mirror, view = preview(f"{known.address}/collaborations/{identifier}", home, passphrase)
    round_ = replay_log(read_log(mirror.folder, "").entries, mirror.address)
    name = str(view["member"])
    if name != known.name or name not in round_.present:
        raise InputError(
            mirror.address,
            f"it calls you {name!r} in this round, and {known.name!r} when you joined",
            "only a member of the round has keys in it: look at its log",
        )
    private = locate_private(home, round_.first_terms, name)
    begin_membership(private, name, mirror.folder)
    body = json.dumps(prove_keys(round_, name, keys)).encode()
    HubConnection(mirror.address, keys).put_bytes(f"{mirror.path}/recovery", body)
    return mirror, keys.public


def list_recoveries(
    mirror: Mirror, home: Path, passphrase: bytes | None = None
) -> list[dict[str, str]]:
    """Return the new keys that wait for others to vouch, as far as their owners have signed them.

    Others are passed over: one member's bad keys keep nobody from vouching for another's.

    Parameters
    ----------
    mirror
        The round, whose log is here.
    home
        The member's folder.
    passphrase
        Of its keys.

    Raises
    ------
    InputError
        If the hub does not answer as one.
    """
    keys = read_keys(home / KEYS, passphrase)
    round_ = replay_log(read_log(mirror.folder, "").entries, mirror.address)
    found = _fetch_recoveries(mirror, keys)
    return [_add_fingerprint(each) for each in found if _has_signed(round_, each)]


def _fetch_recoveries(mirror: Mirror, keys: PrivateKeys) -> list[RecoveryAnswer]:
    sent = HubConnection(mirror.address, keys).get_json(f"{mirror.path}/recovery")
    found = read_answer(RecoveriesAnswer, sent, mirror.address).recoveries
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        raise InputError(mirror.address, "it shows two new pairs of keys of one member", _REMEDY)
    return found


def _has_signed(round_: Round, shown: RecoveryAnswer) -> bool:
    """Return whether new keys say themselves that they are a member's in this round.

    A key of this round's own is nobody's new one.
    """
    public = PublicKeys(shown.signing, shown.sealing)
    taken = {x for name in (*round_.terms.names, CENTER) for x in round_.list_keys(name)}
    return (
        shown.name in round_.terms.names
        and shown.signing not in taken
        and verify_signature(
            shown.signing,
            bytes.fromhex(shown.proof),
            encode_rotation(round_.terms_digest, shown.name, public),
        )
    )


def _add_fingerprint(shown: RecoveryAnswer) -> dict[str, str]:
    return {
        **shown.model_dump(),
        "fingerprint": PublicKeys(shown.signing, shown.sealing).fingerprint,
    }


def _find_recovery(mirror: Mirror, round_: Round, keys: PrivateKeys, name: str) -> dict[str, str]:
    """Return a member's new keys with their fingerprint.

    Raises
    ------
    InputError
        If the hub has none, or some that have not signed themselves.
    """
    found = [each for each in _fetch_recoveries(mirror, keys) if each.name == name]
    if not found:
        raise InputError(f"member {name!r}", "no new keys of it wait", "ask it to name them")
    if not _has_signed(round_, found[0]):
        raise InputError(
            mirror.address,
            f"it shows new keys of {name!r} that have not signed that they are its keys in "
            "this round",
            _REMEDY,
        )
    return _add_fingerprint(found[0])


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
        If the hub has no such new keys, or others, or some that have not signed themselves.
    """
    home = home or find_home()
    member = find_membership(terms, home, passphrase)
    mirror = find_mirror(member.folder)
    if mirror is None:
        raise InputError(str(member.folder), "it is no mirror of a hub", "vouch at the hub")
    pull(mirror, member.keys)
    round_ = replay_log(read_log(mirror.folder, "").entries, mirror.address)
    found = _find_recovery(mirror, round_, read_keys(home / KEYS, passphrase), name)
    proved = {key: found[key] for key in ("signing", "sealing", "proof")}
    if not PublicKeys(found["signing"], found["sealing"]).has_fingerprint(fingerprint):
        # What the hub shows is not named: whoever could copy it would compare nothing.
        raise InputError(
            f"member {name!r}",
            "the hub shows keys of another fingerprint than the one that you were told",
            "have it read out once more; if it stays so do not vouch: somebody may stand between "
            "you",
        )
    return push(mirror, sign_voucher(member, name, proved), member.keys)
