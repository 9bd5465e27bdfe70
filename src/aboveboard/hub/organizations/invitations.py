"""Invitations: one-time links by which an organisation registers its public keys.

The link holds a token and the fingerprint of the hub's keys behind a "#", which browsers do not
send: no server's log of addresses has them. The database holds the token's hash alone.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from aboveboard.collaborations.party_names import PARTY_NAME
from aboveboard.errors import InputError
from aboveboard.evidence.keys import PublicKeys
from aboveboard.evidence.terms import CENTER
from aboveboard.hub.addresses import split_address
from aboveboard.hub.database.engine import write
from aboveboard.hub.database.tables import invitation, key, organization
from aboveboard.hub.home import Hub
from aboveboard.hub.organizations.registry import Organization, find_keys

DAYS = 14
"""How long an invitation lasts."""


@dataclass(frozen=True)
class Invitation:
    """An invitation.

    Parameters
    ----------
    name
        Of the organisation.
    link
        What it is sent; it works once.
    expires
        In seconds since 1970.

    Examples
    --------
    >>> Invitation("acme", "https://hub.example/join#SECRET.FINGERPRINT", 0).name
    'acme'
    """

    name: str
    link: str
    expires: int


def invite(hub: Hub, name: str, *, address: str | None = None, days: int = DAYS) -> Invitation:
    """Return a new invitation for an organisation.

    Parameters
    ----------
    hub
        The hub.
    name
        Of the organisation, as collaborations call it.
    address
        Where members reach the hub; None: as configured.
    days
        How long it lasts.

    Raises
    ------
    InputError
        If the name is none, or taken, or the address is none.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from aboveboard.hub.configuration import Configuration
    >>> from aboveboard.hub.home import make_hub
    >>> with TemporaryDirectory() as folder:
    ...     hub = make_hub(Path(folder) / "hub", Configuration())
    ...     invite(hub, "acme").link.startswith("http://127.0.0.1:8000/join#")
    True
    """
    if not PARTY_NAME.fullmatch(name) or name.casefold() in (CENTER, "auditor"):
        raise InputError(
            f"name {name[:80]!r}",
            "it is not a name of a member",
            "use letters, digits, ' ', '.', '_' and '-', at most 64; not 'center' or 'auditor'",
        )
    with write(hub.engine) as connection:
        taken = connection.execute(
            select(organization.c.id).where(organization.c.folded == name.casefold())
        ).first()
        if taken is not None:
            raise InputError(f"name {name!r}", "it has joined already", "use another name")
        return _record(hub, connection, name, address, days)


def invite_again(
    hub: Hub, name: str, *, address: str | None = None, days: int = DAYS
) -> Invitation:
    """Return an invitation by which an organisation that has lost its keys registers new ones.

    The keys that it has now are refused from then on. In rounds that go on the new ones are in
    force once the others have vouched for them, as the terms say. The operator has made sure, by a
    way that shows who answers, that it is this organisation.

    Parameters
    ----------
    hub
        The hub.
    name
        Of the organisation.
    address
        Where members reach the hub; None: as configured.
    days
        How long it lasts.

    Raises
    ------
    InputError
        If no organisation of this name has joined, or the address is none.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from aboveboard.evidence.keys import generate_keys
    >>> from aboveboard.hub.configuration import Configuration
    >>> from aboveboard.hub.home import make_hub
    >>> with TemporaryDirectory() as folder:
    ...     hub = make_hub(Path(folder) / "hub", Configuration())
    ...     token = invite(hub, "acme").link.partition("#")[2].partition(".")[0]
    ...     lost = accept_invitation(hub, token, generate_keys().public)
    ...     invite_again(hub, "acme").name
    'acme'
    """
    with write(hub.engine) as connection:
        owner, _ = find_keys(connection, name)
        return _record(hub, connection, name, address, days, recovers=owner.id)


def _record(
    hub: Hub,
    connection: Connection,
    name: str,
    address: str | None,
    days: int,
    recovers: int | None = None,
) -> Invitation:
    """Record a new invitation; the hub keeps only the digest of its secret."""
    token, now = secrets.token_urlsafe(32), hub.now
    expires = now + days * 24 * 3600
    values = {"name": name, "created": now, "expires": expires, "recovers": recovers}
    connection.execute(invitation.insert().values(token=_digest(token), **values))
    place = hub.configuration.address if address is None else address
    parts = split_address(place)
    if parts is None or place != f"{parts.scheme}://{parts.netloc}":
        raise InputError(
            f"address {place[:80]!r}", "it is not the address of a hub", "write https://HUB"
        )
    return Invitation(name, f"{place}/join#{token}.{hub.fingerprint}", expires)


def accept_invitation(hub: Hub, token: str, keys: PublicKeys) -> Organization:
    """Register an organisation's keys; the same keys with the same token are one registration.

    The caller has shown that it holds the private keys.

    Parameters
    ----------
    hub
        The hub.
    token
        The secret of the invitation.
    keys
        The organisation's public keys.

    Raises
    ------
    InputError
        If the invitation is none, spent or too old, or the keys belong to another organisation.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from aboveboard.evidence.keys import generate_keys
    >>> from aboveboard.hub.configuration import Configuration
    >>> from aboveboard.hub.home import make_hub
    >>> with TemporaryDirectory() as folder:
    ...     hub = make_hub(Path(folder) / "hub", Configuration())
    ...     token = invite(hub, "acme").link.partition("#")[2].partition(".")[0]
    ...     accept_invitation(hub, token, generate_keys().public).name
    'acme'
    """
    refused = InputError(
        "invitation", "it is unknown, spent or too old", "ask the operator for a new one"
    )
    now = hub.now
    with write(hub.engine) as connection:
        row = connection.execute(
            select(invitation).where(invitation.c.token == _digest(token)).with_for_update()
        ).first()
        if row is None:
            raise refused
        if row.used is not None:
            known = _find_registered(connection, row, keys)
            if known is None:
                raise refused
            return known
        if row.expires < now:
            raise refused
        try:
            made = _find_or_make(connection, row, now)
            connection.execute(
                key.insert().values(
                    organization=made, signing=keys.signing, sealing=keys.sealing, created=now
                )
            )
        except IntegrityError as error:
            raise InputError(
                "invitation",
                "this name or these keys are registered already",
                "make new keys with 'aboveboard keys new', or ask the operator",
            ) from error
        connection.execute(
            update(invitation).where(invitation.c.id == row.id).values(used=now, organization=made)
        )
    return Organization(made, row.name)


def _find_registered(connection: Connection, row: Any, keys: PublicKeys) -> Organization | None:
    """Return what a spent invitation has registered, if it was with these keys."""
    known = connection.execute(
        select(organization.c.id, organization.c.name)
        .join(key, key.c.organization == organization.c.id)
        .where(
            organization.c.id == row.organization,
            key.c.signing == keys.signing,
            key.c.sealing == keys.sealing,
        )
    ).first()
    return None if known is None else Organization(known.id, known.name)


def _find_or_make(connection: Connection, row: Any, now: int) -> int:
    """Return the organisation that an invitation is for; the keys that it has lost are revoked."""
    if row.recovers is not None:
        connection.execute(
            update(key)
            .where(key.c.organization == row.recovers, key.c.revoked.is_(None))
            .values(revoked=now)
        )
        found: int = row.recovers
        return found
    made: int = connection.execute(
        organization.insert()
        .values(name=row.name, folded=row.name.casefold(), created=now)
        .returning(organization.c.id)
    ).scalar_one()
    return made


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
