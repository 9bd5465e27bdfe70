"""What a member does at hubs besides a round's steps: join, look, and agree to terms there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aboveboard.commands.rounds import KEYS, make_keys
from aboveboard.commands.rounds import agree as sign_agreement
from aboveboard.errors import InputError
from aboveboard.evidence.folders import read_log
from aboveboard.evidence.keys import FINGERPRINT_DIGITS, PrivateKeys, PublicKeys, read_keys
from aboveboard.evidence.members import find_home
from aboveboard.evidence.round_states import State
from aboveboard.evidence.rounds import replay_log
from aboveboard.evidence.terms import CENTER
from aboveboard.hub.members.answers import (
    MOST_ITEMS,
    FaceAnswer,
    IdentityAnswer,
    PageAnswer,
    read_answer,
)
from aboveboard.hub.members.known_hubs import (
    KnownHub,
    find_known,
    follow_rotations,
    list_hubs,
    locate_hub,
    remember,
)
from aboveboard.hub.members.mirror import make_mirror, pull, push
from aboveboard.hub.members.places import Mirror
from aboveboard.hub.members.seen_logs import compare_with_seen, list_seen
from aboveboard.hub.members.transport import HubConnection

_LINK = re.compile(
    rf"(https?://[^/\s#]+)/join#([A-Za-z0-9_-]{{20,100}})\.([0-9a-f]{{{FINGERPRINT_DIGITS}}})"
)
_REFERENCE = re.compile(r"(?:(https?://[^/\s#]+)/collaborations/)?([0-9a-f]{16})")


@dataclass(frozen=True)
class Standing:
    """A collaboration as its hub shows it to a member.

    Parameters
    ----------
    hub
        Which one.
    view
        What the API says: id, name, terms, state, next, awaited, deadline, fault. Where it is not
        what the member has seen, the fault says so.

    Examples
    --------
    >>> hub = KnownHub("https://hub.example", "acme", "hub", {}, "")
    >>> Standing(hub, {"next": "agree"}).view["next"]
    'agree'
    """

    hub: KnownHub
    view: dict[str, Any]


def is_reference(text: str) -> bool:
    """Return whether a text names a collaboration at a hub: its id, or its address.

    Examples
    --------
    >>> is_reference("https://hub.example/collaborations/0123456789abcdef")
    True
    >>> is_reference("round/terms.json")
    False
    """
    return _REFERENCE.fullmatch(text) is not None


def join(link: str, home: Path | None = None, passphrase: bytes | None = None) -> KnownHub:
    """Register the member's public keys at a hub; keys are made if there are none.

    Parameters
    ----------
    link
        The invitation.
    home
        The member's folder; None: `find_home()`.
    passphrase
        Of its keys.

    Raises
    ------
    InputError
        If the link is none, the hub is another one than the link says, or refuses it.

    Examples
    --------
    >>> join("https://hub.example/join")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    aboveboard.errors.InputError: the link: it is no invitation; put it in quotes, who...
    """
    found = _LINK.fullmatch(link.strip())
    if found is None:
        raise InputError(
            "the link",
            "it is no invitation",
            "put it in quotes, whole: https://HUB/join#TOKEN.FINGERPRINT",
        )
    address, token, fingerprint = found.groups()
    home = home or find_home()
    if not (home / KEYS).exists():
        make_keys(home / KEYS, passphrase)
    keys = read_keys(home / KEYS, passphrase)
    connection = HubConnection(address, keys)
    face = read_answer(FaceAnswer, connection.get_json("/api/v1/hub"), address)
    center = PublicKeys.from_dict(face.center, address)
    if center.fingerprint != fingerprint:
        raise InputError(
            address,
            f"its keys are {center.fingerprint}, not those of the invitation ({fingerprint})",
            "ask whoever invited you: somebody may stand between you and the hub",
        )
    before = find_known(address, home)
    body = json.dumps({"token": token, **keys.public.as_dict()}).encode()
    accepted = connection.post_json("/api/v1/invitations/accept", body)
    name = read_answer(IdentityAnswer, accepted, address).name
    known = KnownHub(address, name, face.name, center.as_dict(), face.log)
    if before is not None:
        known = replace(known, earlier=before.exchange_keys(known.center, known.log).earlier)
    remember(known, home)
    return known


def list_standings(home: Path | None = None, passphrase: bytes | None = None) -> list[Standing]:
    """Return the member's collaborations at all hubs, as these show them.

    Where a hub shows another log than the member has seen, the view's fault says so.

    Raises
    ------
    InputError
        If it has joined none, or one cannot be reached.

    Examples
    --------
    >>> list_standings(Path("nowhere"))
    Traceback (most recent call last):
    aboveboard.errors.InputError: nowhere: you have joined no hub; run 'aboveboard join LINK' first
    """
    home = home or find_home()
    hubs = list_hubs(home)
    if not hubs:
        raise InputError(str(home), "you have joined no hub", "run 'aboveboard join LINK' first")
    keys = read_keys(home / KEYS, passphrase)
    standings = []
    for hub in hubs:
        seen = list_seen(hub, home)
        views = compare_with_seen(seen, hub, keys, _list_views(hub, keys))
        standings += [Standing(hub, view) for view in views]
    return standings


def _list_views(hub: KnownHub, keys: PrivateKeys) -> list[dict[str, Any]]:
    connection = HubConnection(hub.address, keys)
    views: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        sent = connection.get_json(f"/api/v1/collaborations?after={after}")
        page = read_answer(PageAnswer, sent, hub.address)
        views += [each.model_dump() for each in page.collaborations]
        stuck = page.next is not None and (not page.collaborations or page.next <= after)
        if len(views) > MOST_ITEMS or stuck:
            raise InputError(hub.address, "its list has no end", "tell its operator")
        after = page.next
    return views


def agree(
    reference: str, home: Path | None = None, passphrase: bytes | None = None
) -> tuple[Mirror, dict[str, Any]]:
    """Agree to the terms of a collaboration at a hub; return its mirror, and where it stands.

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
        If no hub that the member has joined has it, its terms are of other keys than the hub had
        when the member joined, or the hub refuses the statement.

    Examples
    --------
    >>> agree("0123456789abcdef", Path("nowhere"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    aboveboard.errors.InputError: nowhere/keys/signing.pem: it cannot be read (No such...
    """
    home = home or find_home()
    keys = read_keys(home / KEYS, passphrase)
    mirror, _ = preview(reference, home, passphrase)
    statement = sign_agreement(mirror.folder, home, passphrase)
    taken = push(mirror, statement, keys)
    pull(mirror, keys)
    return mirror, taken


def preview(
    reference: str, home: Path | None = None, passphrase: bytes | None = None
) -> tuple[Mirror, dict[str, Any]]:
    """Fetch the terms and the log of a collaboration at a hub, and its view; nothing is signed.

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
        If no hub that the member has joined has it, or its terms are of other keys than the hub
        had when the member joined.

    Examples
    --------
    >>> preview("0123456789abcdef", Path("nowhere"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    aboveboard.errors.InputError: nowhere/keys/signing.pem: it cannot be read (No such...
    """
    home = home or find_home()
    keys = read_keys(home / KEYS, passphrase)
    known, identifier = find_collaboration(reference, home, keys)
    mirror = make_mirror(locate_hub(home, known.address) / identifier, known.address, identifier)
    view = pull(mirror, keys)
    known = follow_rotations(known, home, keys)
    if not _is_of_hub(mirror, known):  # the hub may have exchanged its keys in between
        view = pull(mirror, keys)
    if not _is_of_hub(mirror, known):
        raise InputError(
            mirror.address,
            "these terms are of other keys than the hub had when you joined",
            "ask the operator why, by other means, before you sign",
        )
    return mirror, view


def find_collaboration(reference: str, home: Path, keys: PrivateKeys) -> tuple[KnownHub, str]:
    """Return the hub that has a collaboration, and its id there.

    Raises
    ------
    InputError
        If the reference is none, or not exactly one hub that was joined has it.
    """
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise InputError(reference, "it names no collaboration", "run 'aboveboard status'")
    address, identifier = found.groups()
    hubs = [hub for hub in list_hubs(home) if address in (None, hub.address)]
    if address is None and len(hubs) > 1:
        views = [(hub, view) for hub in hubs for view in _list_views(hub, keys)]
        hubs = [hub for hub, view in views if view["id"] == identifier]
    if len(hubs) != 1:
        raise InputError(
            reference,
            "no hub that you have joined has it" if not hubs else "several hubs have it",
            "write HUB/collaborations/ID, and join the hub first",
        )
    return hubs[0], identifier


def _is_of_hub(mirror: Mirror, known: KnownHub) -> bool:
    """Return whether a round is one of the hub that the member has joined.

    A hub states its new keys in no round that is over: there its earlier ones stay.
    """
    round_ = replay_log(read_log(mirror.folder, "").entries, mirror.address)
    center, log = round_.find_keys(CENTER), round_.list_log_keys()[-1]
    is_over = round_.state in (State.CANCELLED, State.ARCHIVED)
    return center is not None and known.has_keys(center.as_dict(), log, over=is_over)
