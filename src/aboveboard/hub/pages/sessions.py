"""Sessions: a signed request makes a one-time link, and the link opens a session of a browser.

No passwords. The database holds hashes of tokens alone. A session ends after some hours, when its
reader logs out, or when the key that opened it is revoked.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.exc import IntegrityError

from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import key, organization, session
from aboveboard.hub.home import Hub
from aboveboard.hub.organizations.registry import Organization
from aboveboard.hub.signatures import RefusedRequestError

LINK_SECONDS = 300
"""How long a link waits to be opened."""

SESSION_SECONDS = 4 * 3600
"""How long a session lasts; nothing prolongs it."""

LINK, SPENT, BROWSER = "link", "spent", "browser"

OPERATOR = "the operator"


@dataclass(frozen=True)
class Viewer:
    """Who reads a page.

    Parameters
    ----------
    name
        Of the organisation; for the operator a word for it.
    organization
        The member; None: the operator.
    signing
        The key that opened the session.
    token
        The hash of the session's token.
    expires
        When the session ends, in seconds since 1970.
    """

    name: str
    organization: Organization | None
    signing: str
    token: str
    expires: int

    @property
    def is_operator(self) -> bool:
        """Whether it is the operator."""
        return self.organization is None


def make_link(hub: Hub, owner: Organization | None, signing: str, nonce: str | None = None) -> str:
    """Return the token of a new one-time link.

    Parameters
    ----------
    hub
        The hub.
    owner
        The member; None: the operator.
    signing
        The key that signed for it.
    nonce
        The random number of the signed request; None: it was not made over HTTP.

    Raises
    ------
    RefusedRequestError
        If this request was made before: whoever recorded it gets no session.
    """
    token, now = secrets.token_urlsafe(32), hub.now
    try:
        with write(hub.engine) as connection:
            connection.execute(delete(session).where(session.c.expires < now))
            connection.execute(
                session.insert().values(
                    token=_digest(token),
                    kind=LINK,
                    organization=None if owner is None else owner.id,
                    signing=signing,
                    nonce=None if nonce is None else _digest(f"{signing} {nonce}"),
                    created=now,
                    expires=now + LINK_SECONDS,
                )
            )
    except IntegrityError as error:
        raise RefusedRequestError("this request was made before: make a new one") from error
    return token


def make_operator_link(hub: Hub, address: str | None = None) -> str:
    """Return a link that opens the operator's board once; who has the hub's keys is the operator.

    Parameters
    ----------
    hub
        The hub.
    address
        Where it is served; None: as configured.
    """
    token = make_link(hub, None, hub.keys.center.public.signing)
    return f"{address or hub.configuration.address}/login?token={token}"


def find_link(hub: Hub, token: str) -> Viewer | None:
    """Return whose session a link would open; None where it is unknown, spent or too old."""
    with read(hub.engine) as connection:
        return _find(connection, hub, token, LINK)


def open_session(hub: Hub, token: str) -> tuple[str, Viewer] | None:
    """Spend a link; return the token of a new session and its reader, or None.

    Only a link that is known waits for the members who write to the database.
    """
    if find_link(hub, token) is None:
        return None
    fresh = secrets.token_urlsafe(32)
    with write(hub.engine) as connection:
        found = _find(connection, hub, token, LINK)
        if found is None:
            return None
        # The row with the nonce stays until it is too old for a signature to be repeated.
        spent = connection.execute(
            session.update()
            .where(session.c.token == found.token, session.c.kind == LINK)
            .values(kind=SPENT, expires=hub.now + 2 * LINK_SECONDS)
        )
        if spent.rowcount != 1:  # somebody else was quicker
            return None
        expires = hub.now + SESSION_SECONDS
        connection.execute(
            session.insert().values(
                token=_digest(fresh),
                kind=BROWSER,
                organization=None if found.organization is None else found.organization.id,
                signing=found.signing,
                created=hub.now,
                expires=expires,
            )
        )
    return fresh, Viewer(found.name, found.organization, found.signing, _digest(fresh), expires)


def find_viewer(connection: Connection, hub: Hub, token: str) -> Viewer | None:
    """Return who reads, by the token of its session; None for a stranger."""
    return _find(connection, hub, token, BROWSER)


def close_session(hub: Hub, viewer: Viewer) -> None:
    """End a session."""
    with write(hub.engine) as connection:
        connection.execute(delete(session).where(session.c.token == viewer.token))


def derive_form_token(hub: Hub, viewer: Viewer) -> str:
    """Return what the forms of a session hold: no other page knows it."""
    return hub.derive_secret("form", viewer.token).hex()


def is_form_token(hub: Hub, viewer: Viewer, text: str) -> bool:
    """Return whether a form is of this session."""
    return hmac.compare_digest(derive_form_token(hub, viewer).encode(), text.encode())


_FIND = (
    select(
        session.c.token,
        session.c.signing,
        session.c.expires,
        session.c.organization,
        organization.c.name,
        key.c.revoked,
        key.c.id.label("key"),
    )
    .outerjoin(organization, organization.c.id == session.c.organization)
    .outerjoin(key, key.c.signing == session.c.signing)
    .where(
        session.c.token == bindparam("token"),
        session.c.kind == bindparam("kind"),
        session.c.expires >= bindparam("now"),
    )
)


def _find(connection: Connection, hub: Hub, token: str, kind: str) -> Viewer | None:
    known = {"token": _digest(token), "kind": kind, "now": hub.now}
    row = connection.execute(_FIND, known).first()
    if row is None:
        return None
    if row.organization is None:
        if not is_operator_key(hub, row.signing):
            return None
        return Viewer(OPERATOR, None, row.signing, row.token, row.expires)
    if row.key is None or row.revoked is not None:
        return None
    owner = Organization(row.organization, row.name)
    return Viewer(row.name, owner, row.signing, row.token, row.expires)


def is_operator_key(hub: Hub, signing: str) -> bool:
    """Return whether a key is the operator's: the center's own, or one that `hub.toml` names."""
    own = hub.keys.center.public.signing
    return signing == own or signing in hub.configuration.operators


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
