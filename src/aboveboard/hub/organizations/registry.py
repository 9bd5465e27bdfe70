"""Which organisation a key belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from aboveboard.errors import InputError
from aboveboard.evidence.keys import PublicKeys
from aboveboard.hub.database.tables import key, member, organization


@dataclass(frozen=True)
class Organization:
    """A member organisation.

    Parameters
    ----------
    id
        Of its row.
    name
        Its name, in every collaboration.

    Examples
    --------
    >>> Organization(1, "acme").name
    'acme'
    """

    id: int
    name: str


def find_by_key(connection: Connection, signing: str) -> Organization | None:
    """Return the organisation that a signing key belongs to; None for a stranger's.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from aboveboard.hub.configuration import Configuration
    >>> from aboveboard.hub.home import make_hub
    >>> from aboveboard.hub.database.engine import read
    >>> with TemporaryDirectory() as folder:
    ...     hub = make_hub(Path(folder) / "hub", Configuration())
    ...     with read(hub.engine) as connection:
    ...         print(find_by_key(connection, "ed25519:" + "00" * 32))
    None
    """
    row = connection.execute(
        select(organization.c.id, organization.c.name)
        .join(key, key.c.organization == organization.c.id)
        .where(key.c.signing == signing, key.c.revoked.is_(None))
    ).first()
    return None if row is None else Organization(row.id, row.name)


def find_organization(connection: Connection, identifier: str, name: str) -> Organization | None:
    """Return the organisation behind a name in a collaboration; None where there is none."""
    row = connection.execute(
        select(organization.c.id, organization.c.name)
        .join(member, member.c.organization == organization.c.id)
        .where(member.c.collaboration == identifier, member.c.name == name)
    ).first()
    return None if row is None else Organization(row.id, row.name)


def add_key(connection: Connection, owner: Organization, keys: PublicKeys, now: int) -> None:
    """Let an organisation sign requests with one more key, unless somebody has that key."""
    known = connection.execute(select(key.c.id).where(key.c.signing == keys.signing)).first()
    if known is None:
        connection.execute(
            key.insert().values(
                organization=owner.id, signing=keys.signing, sealing=keys.sealing, created=now
            )
        )


def find_keys(connection: Connection, name: str) -> tuple[Organization, PublicKeys]:
    """Return an organisation and the keys that it has registered.

    Raises
    ------
    InputError
        If no organisation of this name has registered.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from aboveboard.hub.configuration import Configuration
    >>> from aboveboard.hub.home import make_hub
    >>> from aboveboard.hub.database.engine import read
    >>> with TemporaryDirectory() as folder:
    ...     hub = make_hub(Path(folder) / "hub", Configuration())
    ...     with read(hub.engine) as connection:
    ...         find_keys(connection, "acme")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    aboveboard.errors.InputError: party 'acme': no organisation of this name has joine...
    """
    row = connection.execute(
        select(organization.c.id, organization.c.name, key.c.signing, key.c.sealing)
        .join(key, key.c.organization == organization.c.id)
        .where(organization.c.name == name, key.c.revoked.is_(None))
        .order_by(key.c.id)  # the first: later ones are of single rounds
    ).first()
    if row is None:
        raise InputError(
            f"party {name!r}",
            "no organisation of this name has joined",
            "run 'aboveboard hub invite', and wait until it has joined",
        )
    return Organization(row.id, row.name), PublicKeys(row.signing, row.sealing)
