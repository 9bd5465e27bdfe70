"""The overview of a round at the desk: where it stands, and what the member does next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aboveboard.desk.new_keys import has_lost_keys, has_named_keys, list_waiting
from aboveboard.desk.pages import render_place
from aboveboard.evidence.round_states import BEFORE_RESULT
from aboveboard.evidence.round_turns import list_turns
from aboveboard.formatting import join_names
from aboveboard.report.rounds import describe_deadline, describe_step, tabulate_members

if TYPE_CHECKING:
    from aboveboard.desk.application import Answer, Visit

PAGES = {
    "agree": "terms",
    "change": "terms",
    "commit": "data",
    "submit": "send",
    "count": "count",
    "answer": "question",
    "accept": "result",
    "open": "open",
    "ruling": "ruling",
    "vouch": "vouch",
    "recover": "recovery",
}
"""The page of each step."""


def show_round(visit: Visit, identifier: str) -> Answer:
    """Return where a round stands, and what the member does next."""
    place = visit.desk.look(identifier)
    turns = list_turns(place.round)
    lost = has_lost_keys(visit, place)
    named = lost and has_named_keys(visit, place)
    step = place.view.get("next") or turns.get(place.name)
    if lost:
        step = None if named else "recover"
    waiting = [] if lost else list_waiting(visit, place)
    return render_place(
        visit,
        place,
        "round",
        turn=_describe(step) if step else None,
        vouching=_describe("vouch") if waiting else None,
        waiting=join_names(waiting),
        named=named,
        deadline=describe_deadline(place.view.get("deadline"), visit.now),
        fault=place.view.get("fault"),
        awaited=join_names([name for name in turns if name != place.name]),
        cancelled=place.round.cancelled,
        progress=tabulate_members(place.round, turns),
        can_leave=place.has_agreed and place.round.state in BEFORE_RESULT,
        missing=place.round.terms.missing,
    )


def _describe(kind: str) -> dict[str, str | None]:
    """Return what a step is, and the page on which it is done."""
    step = describe_step(kind)
    return {"title": step.title, "what": step.what, "page": PAGES.get(kind), "kind": kind}
