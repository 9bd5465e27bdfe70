"""The operator's pages: the board, and all collaborations."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from aboveboard.formatting import format_bytes, format_moment, format_span, join_names
from aboveboard.hub.collaborations.faults import name_fault
from aboveboard.hub.collaborations.logs import NoCollaborationError
from aboveboard.hub.database.tables import OVER
from aboveboard.hub.pages.board import MOST_COUNTED, read_board
from aboveboard.hub.pages.parts import fill_part
from aboveboard.hub.pages.reading import PER_PAGE, list_collaborations
from aboveboard.hub.pages.visits import Visit
from aboveboard.report.rounds import describe_deadline, describe_state, describe_step

MOST_NAMES = 5
"""Members that a line names."""


def show_board(visit: Visit) -> Response:
    """Return the operator's board: who is late, what failed, jobs, disk, who has joined."""
    hub, now = visit.hub, visit.hub.now
    board = read_board(visit.connection, hub)
    limit = hub.configuration.limits.free_bytes
    late = tuple(_describe_late(*each, now) for each in board.late)
    states = tuple((describe_state(state)[0], n) for state, n in board.states.items())
    facts = [
        ("open collaborations", sum(n for state, n in board.states.items() if state not in OVER)),
        ("ended", sum(n for state, n in board.states.items() if state in OVER)),
        ("jobs waiting", board.jobs.get("queued", 0)),
        ("jobs running", board.jobs.get("running", 0)),
        ("disk free", format_bytes(board.free)),
        ("sealed data kept", format_bytes(board.kept)),
    ]
    return visit.render(
        "board",
        facts=facts,
        late=late and visit.parts.find(("late", late), lambda: fill_part("late", late)),
        overdue=sum(overdue for *_, overdue in late),
        full=board.free < limit,
        limit=format_bytes(limit),
        failures=board.failures,
        unsent=board.unsent,
        faults=[(row.id, row.name or row.id, _describe_faults(row.faults)) for row in board.faults],
        states=states
        and visit.parts.find(
            ("states", states),
            lambda: fill_part("rows", "states", ("where they stand", "number"), states, (1,)),
        ),
        organizations=board.organizations
        and visit.parts.find(
            ("organizations", board.organizations),
            lambda: _fill_organizations(board.organizations),
        ),
        invitations=[(name, format_moment(until)) for name, until in board.invitations],
    )


def _describe_late(
    row: Any, step: str, until: int | None, names: tuple[str, ...], now: int
) -> tuple[Any, ...]:
    """Return the cells of a line, and whether its deadline has passed."""
    return (
        row.id,
        row.name or row.id,
        *_tell_awaited(step, names),
        describe_deadline(until, now) or "no deadline",
        format_span(now - row.updated),
        until is not None and until < now,
    )


@lru_cache(maxsize=256)
def _tell_awaited(step: str, names: tuple[str, ...]) -> tuple[str, str]:
    return describe_step(step).title, join_names(names, MOST_NAMES)


def _fill_organizations(found: Sequence[tuple[str, int, int]]) -> Markup:
    """Return the table of those who have joined."""
    rows = [
        (name, format_moment(at), number if number < MOST_COUNTED else f"{MOST_COUNTED} or more")
        for name, at, number in found
    ]
    columns = ("organisation", "joined", "collaborations")
    return fill_part("rows", "organizations", columns, rows, (2,))


def _describe_faults(text: str) -> str:
    """Return what is wrong in a collaboration, by who has to change it."""
    found: dict[str, str] = json.loads(text)
    return "; ".join(f"{name_fault(who)}: {what}" for who, what in found.items())


def show_collaborations(visit: Visit) -> Response:
    """Return all collaborations, page by page.

    Raises
    ------
    NoCollaborationError
        If the reader is not the operator.
    """
    if not visit.reader.is_operator:
        raise NoCollaborationError
    after = visit.request.query_params.get("after", "")
    if not re.fullmatch("[0-9a-f]{0,16}", after):
        after = ""
    found = list_collaborations(visit.connection, after)
    more = found[PER_PAGE - 1].id if len(found) > PER_PAGE else None
    rows = [
        (
            row.id,
            row.name or row.id,
            describe_state(row.state)[0],
            format_moment(row.updated),
            row.size,
        )
        for row in found[:PER_PAGE]
    ]
    return visit.render("all", rows=rows, more=more)
