"""A member's own pages: its collaborations with what is next, and its keys."""

from __future__ import annotations

import re
from math import inf
from typing import Any

from starlette.responses import Response

from aboveboard.formatting import format_moment
from aboveboard.hub.collaborations import membership
from aboveboard.hub.pages.reading import PER_PAGE, list_keys
from aboveboard.hub.pages.visits import Visit
from aboveboard.report.rounds import describe_deadline, describe_state, describe_step


def show_collaborations(visit: Visit) -> Response:
    """Return the member's collaborations: those in which it is its turn first."""
    organization = visit.reader.organization
    assert organization is not None
    after = visit.read_query("after")
    if not re.fullmatch("[0-9a-f]{0,16}", after):
        after = ""
    found = membership.list_own_rows(visit.connection, organization, after, PER_PAGE + 1)
    more = found[PER_PAGE - 1].id if len(found) > PER_PAGE else None
    now = visit.hub.now
    rows = [_describe(row, now) for row in sorted(found[:PER_PAGE], key=_rank)]
    return visit.render("collaborations", rows=rows, more=more, turns=sum(row[2] for row in rows))


def _rank(row: Any) -> tuple[bool, float]:
    """Return where a row stands: the member's own turns first, then by their deadlines."""
    return membership.find_next(row) is None, inf if row.until is None else row.until


Line = tuple[str, str, bool, str, str | None, str, str]


def _describe(row: Any, now: int) -> Line:
    """Return the cells of a line: a tuple, which a template unpacks faster than it looks up."""
    title, _ = describe_state(row.state)
    step = membership.find_next(row)
    if step:
        action = describe_step(step).title
    elif awaited := membership.list_awaited(row):
        action = f"nothing: waiting for {len(awaited)} of the others"
    else:
        action = "nothing"
    return (
        row.id,
        row.name or row.id,
        step is not None,
        action,
        membership.find_fault(row),
        describe_deadline(row.until, now),
        title,
    )


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
