"""Rounds that follow from the one before, and changes of terms: what the operator proposes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from aboveboard._version import __version__
from aboveboard.errors import InputError
from aboveboard.evidence.keys import PublicKeys
from aboveboard.evidence.round_states import BEFORE_RESULT, State
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.terms import AUDITOR, CENTER
from aboveboard.hub.collaborations.logs import Position, lock, read_round
from aboveboard.hub.collaborations.opening import (
    Opening,
    begin,
    keep_center_files,
    locate_center_files,
)
from aboveboard.hub.collaborations.steps import make_own, take_own
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import collaboration, member, organization
from aboveboard.hub.home import Hub
from aboveboard.hub.organizations.registry import Organization, find_keys


def open_next(
    hub: Hub,
    identifier: str,
    *,
    deadlines: Mapping[str, str] | None = None,
    days: int | None = None,
) -> tuple[str, Round]:
    """Begin the next round of a series with the terms of the last one; return its id and the round.

    Members, rule, parameters and limits stay; serial, log and deadlines are new, and the terms name
    those of the round before. Each member agrees anew. Who left and has no keys now stays away.

    Parameters
    ----------
    hub
        The hub.
    identifier
        Of the last round.
    deadlines
        By step; None: see `days`.
    days
        How much later the deadlines of the last round are; None: there are none.

    Raises
    ------
    InputError
        If the round has not ended, another one follows it already, the terms allow no more rounds,
        a member that stayed has no keys any more, or files of the center that the terms name are
        deleted.
    NoCollaborationError
        If there is no such collaboration.
    """
    fresh = secrets.token_hex(8)
    files = {
        path.name: path.read_bytes()
        for path in sorted(locate_center_files(hub, identifier).glob("*"))
    }
    with keep_center_files(hub, fresh, files) as digests, write(hub.engine) as connection:
        row = lock(connection, identifier)
        last = read_round(connection, row)
        _refuse_early(connection, row, last)
        _refuse_deleted_files(identifier, last, digests)
        found = _find_members(connection, identifier, last)
        body = _draft_next(hub, fresh, last, {name: keys for name, (_, keys) in found.items()})
        body |= {"files": digests, "deadlines": _find_deadlines(last, deadlines, days)}
        owners = {name: owner for name, (owner, _) in found.items()}
        place = f"the round after {identifier}"
        opening = Opening(fresh, body, owners, place, row.series or identifier, identifier)
        return fresh, begin(connection, hub, opening)


def _draft_next(
    hub: Hub, identifier: str, last: Round, keys: Mapping[str, PublicKeys]
) -> dict[str, Any]:
    """Return the body of the next round's terms: what they have in common with the last ones."""
    body = last.terms.model_dump()
    origin = f"{hub.configuration.authority}/{identifier}"
    body |= {
        "serial": last.terms.serial + 1,
        "previous": last.first_terms,
        "engine": f"aboveboard {__version__}",
        "center": hub.keys.center.public.as_dict(),
        "log": {"origin": origin, "signing": hub.keys.log.public.signing},
        "members": {
            name: {**each.model_dump(), "keys": keys[name].as_dict()}
            for name, each in last.terms.members.items()
            if name in keys
        },
        "order": [name for name in body["order"] if name in keys],
    }
    if AUDITOR in keys:
        body["auditor"] = keys[AUDITOR].as_dict()
    return body


def _find_members(
    connection: Connection, identifier: str, last: Round
) -> dict[str, tuple[Organization, PublicKeys]]:
    """Return who takes part in the next round, with its keys.

    Whom a change of terms has left out does not, nor who left the last round and has no keys now.

    Raises
    ------
    InputError
        If somebody who has stayed, or the auditor, has no keys any more.
    """
    found = {}
    for name, owner in _read_names(connection, identifier).items():
        if name not in last.terms.members and name != AUDITOR:
            continue
        try:
            found[name] = find_keys(connection, owner)
        except InputError:
            if name not in last.missing:
                raise
    return found


def _read_names(connection: Connection, identifier: str) -> dict[str, str]:
    """Return the organisation's name of each member, and of the auditor."""
    rows = connection.execute(
        select(member.c.name, organization.c.name.label("owner"))
        .join(organization, organization.c.id == member.c.organization)
        .where(member.c.collaboration == identifier)
    )
    return {row.name: row.owner for row in rows}


def _refuse_early(connection: Connection, row: Any, last: Round) -> None:
    place = f"collaboration {row.id}"
    if last.state in BEFORE_RESULT:
        raise InputError(place, f"it is {last.state}", "wait for its result, or cancel it")
    later = connection.execute(
        select(collaboration.c.id, collaboration.c.state).where(collaboration.c.previous == row.id)
    ).all()
    going = [each.id for each in later if each.state != State.CANCELLED.value]
    if going:
        raise InputError(place, f"{going[0]} follows it already", "begin the one after that")


def _refuse_deleted_files(identifier: str, last: Round, kept: Mapping[str, str]) -> None:
    gone = sorted(set(last.terms.files) - set(kept))
    if gone:
        raise InputError(
            f"collaboration {identifier}",
            f"its terms name {', '.join(gone)}, which the hub no longer has",
            "begin a new one with 'aboveboard hub open'",
        )


def _find_deadlines(
    last: Round, deadlines: Mapping[str, str] | None, days: int | None
) -> dict[str, str | None]:
    if deadlines is not None:
        return dict(deadlines)
    if days is None:
        return {}
    return {
        step: None
        if moment is None
        else (datetime.fromisoformat(moment) + timedelta(days=days)).isoformat()
        for step, moment in last.terms.deadlines.model_dump().items()
    }


def propose_change(hub: Hub, identifier: str, changes: Mapping[str, Any]) -> Position:
    """Propose other terms for a round; they are in force once everybody has signed.

    Parameters
    ----------
    hub
        The hub.
    identifier
        Of the round, which has no result yet.
    changes
        New values of fields of the terms. "members" are names: those that take part from then on;
        the parameters of those that do already stay.

    Raises
    ------
    InputError
        If the change cannot be proposed, or an organisation that it names has not joined.
    NoCollaborationError
        If there is no such collaboration.
    """
    with write(hub.engine) as connection:
        row = lock(connection, identifier)
        before = read_round(connection, row)
        proposal = before.terms.model_dump()
        center = before.find_keys(CENTER)
        proposal["center"] = (center or before.terms.center.public).as_dict()
        proposal["log"]["signing"] = before.list_log_keys()[-1]
        names = changes.get("members") or list(before.present)
        if proposal["order"]:
            kept = [name for name in proposal["order"] if name in names]
            proposal["order"] = [*kept, *(name for name in names if name not in kept)]
        proposal["members"] = {
            name: _describe_member(connection, before, name) for name in sorted(names)
        }
        proposal |= {key: value for key, value in changes.items() if key != "members"}
        body = {"proposal": proposal, "number": len(before.leaves)}
        statement = make_own(hub, before, "change", body)
        return take_own(connection, hub, row, before, statement)


def _describe_member(connection: Connection, round_: Round, name: str) -> dict[str, Any]:
    known, keys = round_.terms.members.get(name), round_.find_keys(name)
    if known is not None and keys is not None:
        return {"keys": keys.as_dict(), "parameters": dict(known.parameters)}
    return {"keys": find_keys(connection, name)[1].as_dict(), "parameters": {}}


def list_series(hub: Hub, series: str) -> list[Any]:
    """Return the rows of all rounds of a series, the first one first."""
    with read(hub.engine) as connection:
        return list(
            connection.execute(
                select(collaboration)
                .where(collaboration.c.series == series)
                .order_by(collaboration.c.serial, collaboration.c.created)
            )
        )
