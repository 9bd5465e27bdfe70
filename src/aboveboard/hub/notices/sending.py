"""Sending what waits in the table of notices, and reminding before deadlines.

Each recipient gets one message for all that waits. A message that cannot be sent is tried again,
later each time. Two workers do not send the same one: whoever moves its time first, sends it, and
moves it again before each message, so that no other worker takes what waits behind a slow one. A
message is sent twice only if its worker is killed before it has noted that it was sent; both then
have the same key, which a webhook gets as Idempotency-Key, and a mail as its Message-ID.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, select, update

from aboveboard.hub.collaborations.notices import OPERATOR, TURNS, write_notice
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import collaboration, member, notice, organization
from aboveboard.hub.home import Hub
from aboveboard.hub.notices.messages import NotSentError, deliver, say

logger = logging.getLogger(__name__)

AT_ONCE = 200
"""Notices that are looked at in one go."""

LEASE = 300
"""Seconds for which nobody else sends what is being sent; sending one message takes less."""

FIRST_PAUSE, LONGEST_PAUSE = 60, 24 * 3600
"""Seconds until a message is tried again: twice as long each time."""

REMINDER = "reminder"


@dataclass(frozen=True)
class Waiting:
    """A notice that is due.

    Parameters
    ----------
    id
        Of the row.
    kind
        What it is about.
    attempts
        How often it was tried.
    due
        Until when it is this worker's.
    """

    id: int
    kind: str
    attempts: int
    due: int


def send_notices(hub: Hub) -> int:
    """Send what is due; return how many messages were sent."""
    configuration = hub.configuration
    sent = 0
    for contact, waiting in _claim(hub).items():
        if not _renew(hub, waiting):
            continue  # another worker has it
        kinds = {each.kind for each in waiting}
        try:
            deliver(
                configuration,
                dict(contact),
                say(kinds, TURNS | {REMINDER}),
                _derive_key(hub, waiting),
            )
        except NotSentError as error:
            logger.warning("a notice could not be sent: %s", error)
            _put_off(hub, waiting, str(error))
            continue
        with write(hub.engine) as connection:
            connection.execute(
                update(notice)
                .where(notice.c.id.in_([each.id for each in waiting]))
                .values(sent=hub.now, problem="")
            )
        sent += 1
    return sent


def _renew(hub: Hub, waiting: list[Waiting]) -> bool:
    """Keep other workers from a message for as long again; return whether it is still ours."""
    ids = [each.id for each in waiting]
    with write(hub.engine) as connection:
        kept = connection.execute(
            select(notice.c.id)
            .where(notice.c.id.in_(ids), notice.c.due == waiting[0].due, notice.c.sent.is_(None))
            .with_for_update()
        ).all()
        if len(kept) < len(ids):
            return False
        connection.execute(update(notice).where(notice.c.id.in_(ids)).values(due=hub.now + LEASE))
    return True


def _derive_key(hub: Hub, waiting: list[Waiting]) -> str:
    """Return what is the same for a message that is sent again, and tells nothing of it."""
    named = ",".join(str(each.id) for each in waiting)
    return hub.derive_secret(f"notices {named}").hex()[:32]


Contact = tuple[tuple[str, str], ...]


def _claim(hub: Hub) -> dict[Contact, list[Waiting]]:
    """Return what is due by recipient, and keep other workers from it for a while."""
    with read(hub.engine) as connection:
        if not _is_due(connection, hub):
            return {}
    with write(hub.engine) as connection:
        return _claim_rows(connection, hub)


def _claim_rows(connection: Connection, hub: Hub) -> dict[Contact, list[Waiting]]:
    found: dict[Contact, list[Waiting]] = {}
    rows = _read_waiting(connection, hub)
    for row in rows:
        contact = _find_contact(hub, row.recipient, row.mail, row.webhook)
        if contact is not None:
            each = Waiting(row.id, row.kind, row.attempts, hub.now + LEASE)
            found.setdefault(contact, []).append(each)
    named = [each.id for several in found.values() for each in several]
    nobody = [row.id for row in rows if row.id not in named]
    for ids, values in (
        (named, {"due": hub.now + LEASE}),
        (nobody, {"due": hub.now + LONGEST_PAUSE, "problem": "there is no address"}),
    ):
        connection.execute(update(notice).where(notice.c.id.in_(ids)).values(values))
    return found


def _read_waiting(connection: Connection, hub: Hub) -> list[Any]:
    """Return notices that are due, each with where its recipient is."""
    return list(
        connection.execute(
            select(
                notice.c.id,
                notice.c.kind,
                notice.c.attempts,
                notice.c.recipient,
                organization.c.mail,
                organization.c.webhook,
            )
            .select_from(notice)
            .outerjoin(
                member,
                and_(
                    member.c.collaboration == notice.c.collaboration,
                    member.c.name == notice.c.recipient,
                ),
            )
            .outerjoin(organization, organization.c.id == member.c.organization)
            .where(*_waits(hub))
            .order_by(notice.c.id)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True, of=notice)
        )
    )


def _waits(hub: Hub) -> tuple[Any, ...]:
    return (
        notice.c.sent.is_(None),
        notice.c.due <= hub.now,
        notice.c.attempts < hub.configuration.notices.attempts,
    )


def _is_due(connection: Connection, hub: Hub) -> bool:
    row = connection.execute(select(notice.c.id).where(*_waits(hub)).limit(1)).first()
    return row is not None


def _find_contact(
    hub: Hub, recipient: str, mail: str | None, webhook: str | None
) -> Contact | None:
    """Return where to send: the operator's place stands in the configuration."""
    settings = hub.configuration.notices
    if recipient == OPERATOR:
        mail, webhook = settings.operator_mail, settings.operator_webhook
    usable = mail if settings.mail.host else ""
    if not usable and not webhook:
        return None
    return (("mail", usable or ""), ("webhook", webhook or ""))


def _put_off(hub: Hub, waiting: list[Waiting], problem: str) -> None:
    """Try a message again later; one that is given up is due for nothing any more."""
    most = hub.configuration.notices.attempts
    with write(hub.engine) as connection:
        for each in waiting:
            last = each.attempts + 1 >= most
            pause = 0 if last else min(FIRST_PAUSE * 2**each.attempts, LONGEST_PAUSE)
            connection.execute(
                update(notice)
                .where(notice.c.id == each.id)
                .values(attempts=each.attempts + 1, due=hub.now + pause, problem=problem[:200])
            )


def remind(hub: Hub) -> int:
    """Write a reminder for everybody who is awaited soon before a deadline; return how many.

    There is one for each step; a deadline that is moved brings another one.
    """
    soon = hub.now + hub.configuration.notices.remind_hours * 3600
    where = (
        collaboration.c.until > hub.now,
        collaboration.c.until <= soon,
        collaboration.c.reminded.is_(None),
    )
    with read(hub.engine) as connection:
        rows = connection.execute(select(collaboration.c.id).where(*where).limit(AT_ONCE)).scalars()
        waiting = list(rows)
    count = 0
    for identifier in waiting:
        with write(hub.engine) as connection:
            row = connection.execute(
                select(collaboration)
                .where(collaboration.c.id == identifier, *where)
                .with_for_update()
            ).first()
            if row is None:
                continue  # another worker was quicker
            connection.execute(
                update(collaboration)
                .where(collaboration.c.id == identifier)
                .values(reminded=hub.now)
            )
            for name in json.loads(row.turns):
                write_notice(connection, identifier, name, REMINDER, hub.now)
                count += 1
    return count
