"""Where notices for an organisation go: the operator sets it."""

from __future__ import annotations

from sqlalchemy import update

from aboveboard.errors import InputError
from aboveboard.hub.addresses import MAIL
from aboveboard.hub.database.engine import write
from aboveboard.hub.database.tables import organization
from aboveboard.hub.home import Hub


def set_contact(
    hub: Hub, name: str, *, mail: str | None = None, webhook: str | None = None
) -> None:
    """Set where notices for an organisation go; empty: nowhere.

    Parameters
    ----------
    hub
        The hub.
    name
        Of the organisation.
    mail
        An address; None: as it is.
    webhook
        The name of a webhook in the configuration; None: as it is.

    Raises
    ------
    InputError
        If there is no such organisation or webhook, or the address is none.
    """
    if mail and not MAIL.fullmatch(mail):
        raise InputError(f"mail {mail[:80]!r}", "it is not one address", "write name@example.org")
    if webhook and webhook not in hub.configuration.notices.webhooks:
        raise InputError(
            f"webhook {webhook[:40]!r}",
            "the configuration has none of this name",
            "add it under [notices.webhooks] in hub.toml",
        )
    given = {"mail": mail, "webhook": webhook}
    values = {key: value for key, value in given.items() if value is not None}
    if not values:
        raise InputError("contact", "there is nothing to set", "use --mail or --webhook")
    with write(hub.engine) as connection:
        changed = connection.execute(
            update(organization).where(organization.c.name == name).values(**values)
        )
    if changed.rowcount != 1:
        raise InputError(f"organisation {name!r}", "it has not joined", "see 'hub status'")
