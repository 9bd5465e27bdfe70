"""The ledger: a transfer for each member and result, pending until it is paid or netted.

Members pay the center or are paid by it, in whole cents by largest remainder, as the terms say.
Netting replaces the pending transfers of a series by one for each member; nothing is lost: a
transfer that was netted names the one that took its place. A result that a ruling lets fall is owed
by nobody: what is pending becomes void, what was paid or netted is turned back by another transfer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select, update

from aboveboard.errors import InputError
from aboveboard.evidence.round_states import State
from aboveboard.evidence.rounds import Round
from aboveboard.hub.collaborations.logs import NoCollaborationError, lock
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import collaboration, member, transfer
from aboveboard.hub.home import Hub
from aboveboard.hub.organizations.registry import Organization

PENDING, SETTLED, NETTED, VOID = "pending", "settled", "netted", "void"

MOST_REFERENCE = 200
"""Characters by which a payment is found again."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Transfer:
    """What one member pays to the center, or receives from it.

    Parameters
    ----------
    id
        Its number.
    series
        The id of the first round.
    collaboration
        The round that it comes from; None: it nets several.
    serial
        Of that round, or of the last one that is netted.
    name
        The member.
    cents
        What it pays, in whole cents; negative: what it receives.
    currency
        Three letters.
    state
        "pending", "settled", "netted" or "void".
    netted_into
        The number of the transfer that took its place.
    created
        When it came up, in seconds since 1970.
    paid_on
        The day on which it was paid, such as "2026-12-24".
    reference
        By which it is found in the bank's statement.
    """

    id: int
    series: str
    collaboration: str | None
    serial: int
    name: str
    cents: int
    currency: str
    state: str
    netted_into: int | None
    created: int
    paid_on: str | None
    reference: str


def enter_payments(
    connection: Connection, row: Any, round_: Round, cents: Mapping[str, int], now: int
) -> None:
    """Enter what a result makes members pay, in the transaction that writes it."""
    currency = round_.terms.currency
    if currency is None:
        return
    for name, amount in cents.items():
        if amount:
            connection.execute(
                transfer.insert().values(
                    series=row.series or row.id,
                    collaboration=row.id,
                    serial=round_.terms.serial,
                    name=name,
                    cents=amount,
                    currency=currency,
                    state=PENDING,
                    created=now,
                )
            )


def void_payments(connection: Connection, row: Any, now: int) -> None:
    """Undo what a result made members pay, in the transaction that says that it falls."""
    of_round = transfer.c.collaboration == row.id
    for each in _read(connection, of_round, transfer.c.state.in_([SETTLED, NETTED])):
        connection.execute(
            transfer.insert().values(
                series=each.series,
                serial=each.serial,
                name=each.name,
                cents=-each.cents,
                currency=each.currency,
                state=PENDING,
                created=now,
            )
        )
    connection.execute(
        update(transfer).where(of_round, transfer.c.state == PENDING).values(state=VOID)
    )


def _is_disputed(connection: Connection, identifier: str | None) -> bool:
    state = select(collaboration.c.state).where(collaboration.c.id == identifier)
    return bool(connection.execute(state).scalar() == State.DISPUTED)


def list_transfers(hub: Hub, identifier: str) -> list[Transfer]:
    """Return all transfers of the series that a round belongs to, in the order they came up.

    Raises
    ------
    NoCollaborationError
        If there is no such round.
    """
    with read(hub.engine) as connection:
        series = _find_series(connection, identifier)
        return _read(connection, transfer.c.series == series)


def list_own_transfers(
    connection: Connection, organization: Organization, identifier: str
) -> list[Transfer]:
    """Return an organisation's own transfers in the series of one of its rounds.

    Raises
    ------
    NoCollaborationError
        If it takes part in no such round.
    """
    own = connection.execute(
        select(member.c.name).where(
            member.c.collaboration == identifier, member.c.organization == organization.id
        )
    ).scalar()
    if own is None:
        raise NoCollaborationError(identifier)
    series = _find_series(connection, identifier)
    return _read(connection, transfer.c.series == series, transfer.c.name == own)


def _find_series(connection: Connection, identifier: str) -> str:
    series: str | None = connection.execute(
        select(collaboration.c.series).where(collaboration.c.id == identifier)
    ).scalar()
    if series is None:
        raise NoCollaborationError(identifier)
    return series or identifier  # a round that is older than series is one by itself


def _read(connection: Connection, *where: Any) -> list[Transfer]:
    rows = connection.execute(select(transfer).where(*where).order_by(transfer.c.id))
    return [Transfer(**row) for row in rows.mappings()]


def net_transfers(hub: Hub, identifier: str) -> list[Transfer]:
    """Replace the pending transfers of a series by one for each member; return these.

    A member with one pending transfer keeps it. What nets to nothing leaves no new transfer. Those
    of a disputed round wait for the ruling.

    Raises
    ------
    NoCollaborationError
        If there is no such round.
    """
    made = []
    with write(hub.engine) as connection:
        series = _find_series(connection, identifier)
        connection.execute(
            select(collaboration.c.id)
            .where(collaboration.c.series == series)
            .order_by(collaboration.c.id)
            .with_for_update()
        ).all()
        pending: dict[tuple[str, str], list[Transfer]] = {}
        for each in _read(connection, transfer.c.series == series, transfer.c.state == PENDING):
            if not _is_disputed(connection, each.collaboration):
                pending.setdefault((each.name, each.currency), []).append(each)
        for _, several in sorted(pending.items()):
            if len(several) > 1:
                made += _net(connection, several, hub.now)
    return made


def _net(connection: Connection, several: list[Transfer], now: int) -> list[Transfer]:
    """Replace a member's pending transfers by one; return it, or nothing if they cancel out."""
    first, total = several[0], sum(each.cents for each in several)
    values = {
        "series": first.series,
        "serial": max(each.serial for each in several),
        "name": first.name,
        "cents": total,
        "currency": first.currency,
        "state": PENDING,
        "created": now,
    }
    number = None
    if total:
        number = connection.execute(
            transfer.insert().values(**values).returning(transfer.c.id)
        ).scalar_one()
    connection.execute(
        update(transfer)
        .where(transfer.c.id.in_([each.id for each in several]))
        .values(state=NETTED, netted_into=number)
    )
    return _read(connection, transfer.c.id == number) if number is not None else []


def note_payment(hub: Hub, number: int, day: str, reference: str = "") -> Transfer:
    """Record that a transfer was paid; return it.

    Raises
    ------
    InputError
        If there is no such transfer, it is not pending, its round is disputed, or the day is none.
    """
    if not _DAY.fullmatch(day):
        raise InputError(f"day {day!r}", "it is not a day", 'write it as "2026-12-24"')
    try:
        date.fromisoformat(day)
    except ValueError as error:
        raise InputError(f"day {day!r}", str(error), 'write it as "2026-12-24"') from error
    if len(reference) > MOST_REFERENCE or any(ord(c) < 32 for c in reference):
        raise InputError("reference", "it is too long, or has unusual characters", "shorten it")
    with write(hub.engine) as connection:
        of_round = select(transfer.c.collaboration).where(transfer.c.id == number)
        identifier = connection.execute(of_round).scalar()
        if identifier is not None:  # first, as a ruling does that lets the round fall
            lock(connection, identifier)
        row = connection.execute(
            select(transfer).where(transfer.c.id == number).with_for_update()
        ).first()
        if row is None or row.state != PENDING:
            raise InputError(
                f"transfer {number}",
                "there is none" if row is None else f"it is {row.state}",
                "see 'aboveboard hub transfers'",
            )
        if _is_disputed(connection, row.collaboration):
            raise InputError(
                f"transfer {number}", "its round is disputed", "wait for the auditor's ruling"
            )
        connection.execute(
            update(transfer)
            .where(transfer.c.id == number)
            .values(state=SETTLED, paid_on=day, reference=reference)
        )
        return _read(connection, transfer.c.id == number)[0]
