"""A member's own pages: its collaborations with what is next, and its keys."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from aboveboard.formatting import format_moment
from aboveboard.hub.collaborations import membership
from aboveboard.hub.collaborations.membership import Overview
from aboveboard.hub.pages.reading import PER_PAGE, list_keys
from aboveboard.hub.pages.visits import Visit
from aboveboard.report.rounds import describe_deadline, describe_state, describe_step


def show_collaborations(visit: Visit) -> Response:
    """Return the member's collaborations: those in which it is its turn first."""
    organization = visit.reader.organization
    assert organization is not None
    after = visit.request.query_params.get("after", "")
    if not re.fullmatch("[0-9a-f]{0,16}", after):
        after = ""
    found = membership.list_own(visit.connection, organization, after, PER_PAGE + 1)
    more = found[PER_PAGE - 1].id if len(found) > PER_PAGE else None
    shown = sorted(found[:PER_PAGE], key=lambda each: (each.next is None, each.deadline or "~"))
    rows = [_describe(each, visit.hub.now) for each in shown]
    return visit.render("collaborations", rows=rows, more=more, turns=sum(r["mine"] for r in rows))


def _describe(view: Overview, now: int) -> dict[str, Any]:
    title, _ = describe_state(view.state)
    if view.next:
        action = describe_step(view.next).title
    elif view.awaited:
        action = f"nothing: waiting for {len(view.awaited)} of the others"
    else:
        action = "nothing"
    return {
        "id": view.id,
        "name": view.name or view.id,
        "state": title,
        "mine": view.next is not None,
        "action": action,
        "deadline": describe_deadline(view.deadline, now),
        "fault": view.fault,
    }


def show_keys(visit: Visit) -> Response:
    """Return the reader's own keys, and the hub's."""
    keys = [
        (row.signing, row.sealing, format_moment(row.created), row.revoked)
        for row in list_keys(visit.connection, visit.reader)
    ]
    hub = visit.hub
    center = [
        ("Fingerprint", hub.fingerprint),
        ("Signing key of the center", hub.keys.center.public.signing),
        ("Sealing key of the center", hub.keys.center.public.sealing),
        ("Signing key of the log", hub.keys.log.public.signing),
    ]
    until = format_moment(visit.reader.expires)
    return visit.render(
        "keys", keys=keys, center=center, opened_by=visit.reader.signing, until=until
    )
