"""The pages of the desk: what lies on it, and one page for each step of a round."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aboveboard.commands.rounds.changes import describe_change
from aboveboard.desk.member import Place
from aboveboard.errors import InputError
from aboveboard.evidence.folders import read_log
from aboveboard.evidence.members import PAYLOAD_FILE
from aboveboard.evidence.round_turns import list_turns
from aboveboard.evidence.statements import Statement, read_statement
from aboveboard.formatting import format_bytes, join_names
from aboveboard.formatting.plain_json import format_json
from aboveboard.report.rounds import (
    compare_sections,
    describe_deadline,
    describe_entry,
    describe_shares,
    describe_state,
    describe_step,
    describe_terms,
    find_terms,
    list_promises,
    list_stations,
)

if TYPE_CHECKING:
    from aboveboard.desk.application import Answer, Visit

MOST_LINES = 20
"""Lines of a reply that its page shows."""

LONGEST_LINE = 200
"""Characters of a line that its page shows: an element, not a whole file."""

READ_AT_ONCE = 1 << 16
"""Bytes of a line that are read; a line of a reply may be as long as its whole file."""


def show_first(visit: Visit) -> Answer:
    """Return the member's collaborations, and where an invitation is pasted."""
    rows = [_describe(each.hub.hub, each.view, visit.now) for each in visit.desk.list_standings()]
    rows.sort(key=lambda row: (not row["mine"], row["deadline"] or "~"))
    return visit.render("first", rows=rows, hubs=visit.desk.hubs)


def _describe(hub: str, view: dict[str, Any], now: float) -> dict[str, Any]:
    step = view["next"]
    waiting = f"nothing: waiting for {join_names(view['awaited'], 5)}"
    return {
        "id": view["id"],
        "name": view["name"] or view["id"],
        "state": describe_state(view["state"])[0],
        "mine": step is not None,
        "action": describe_step(step).title if step else waiting if view["awaited"] else "nothing",
        "deadline": describe_deadline(view["deadline"], now),
        "fault": view["fault"],
        "hub": hub,
    }


def show_keys(visit: Visit) -> Answer:
    """Return the member's public keys, and where they lie."""
    return visit.render("keys", keys=visit.desk.keys, home=visit.desk.home, hubs=visit.desk.hubs)


class ShownError(Exception):
    """Raised in place of going back to a page: this page is shown.

    Parameters
    ----------
    template
        Of the page.
    values
        What it shows.
    """

    def __init__(self, template: str, **values: Any) -> None:
        super().__init__(template)
        self.template, self.values = template, values


def render_place(visit: Visit, place: Place, template: str, **values: Any) -> Answer:
    """Return a page of a round, with what all of them show."""
    path = f"/round/{place.id}"
    tabs = [
        (path, "Overview"),
        (f"{path}/terms", "Terms"),
        (f"{path}/data", "Your data"),
        (f"{path}/result", "Your result"),
        (f"{path}/log", "Log"),
    ]
    state = str(place.round.state)
    title, sentence = describe_state(state)
    return visit.render(
        template,
        path=path,
        tabs=tabs,
        name=place.round.terms.name or place.id,
        member=place.name,
        state=title,
        sentence=sentence,
        stations=list_stations(state),
        **values,
    )


def show_terms(visit: Visit, identifier: str) -> Answer:
    """Return the terms in plain words with the audit of their rule, and the form that signs them.

    While a change waits for the member's signature, the changed terms are shown.
    """
    place = visit.desk.look(identifier)
    change = describe_change(place.round)
    unsigned = change and place.name in place.round.list_unsigned()
    pending = place.round.pending
    terms, digest = place.round.terms, place.round.terms_digest
    file: Any = find_terms(place.round).body
    if unsigned and pending is not None and place.round.pending_terms is not None:
        terms, digest, file = place.round.pending_terms, pending.digest, pending.body
    rule = visit.desk.describe_rule(terms)
    sections = describe_terms(terms, digest, now=visit.now, rule=rule)
    return render_place(
        visit,
        place,
        "terms",
        sections=sections,
        rule=rule,
        digest=digest,
        change=change,
        differences=_list_differences(visit, place) if change else [],
        unsigned=unsigned and list_turns(place.round).get(place.name) == "change",
        agreed=place.has_agreed,
        can_agree=list_turns(place.round).get(place.name) == "agree",
        file=format_json(file, indent=2),
    )


def _list_differences(visit: Visit, place: Place) -> list[tuple[str, str, str]]:
    """Return what a change that waits changes, in plain words: label, before and after."""
    old, new = place.round.terms, place.round.pending_terms
    if new is None:
        return []
    before, after = (
        describe_terms(each, "", now=visit.now, rule=visit.desk.describe_rule(each))
        for each in (old, new)
    )
    return compare_sections(before, after)


def show_data(visit: Visit, identifier: str) -> Answer:
    """Return the form for the member's file, what the check finds in it, and what will leave."""
    place = visit.desk.look(identifier)
    file = visit.desk.find_own_file(place)
    found = None
    if place.attendance is not None:
        if place.has_committed:
            found = visit.desk.check_committed_part(place)
        elif file is not None:
            found = visit.desk.check_own_file(place, file)
    return render_place(
        visit,
        place,
        "data",
        agreed=place.has_agreed,
        committed=place.has_committed,
        can_commit=list_turns(place.round).get(place.name) == "commit",
        file=None if file is None else (file.name, format_bytes(file.stat().st_size)),
        found=found,
        keys=sorted(place.round.terms.members[place.name].parameters.items()),
        elements=place.round.terms.mechanism == "exchange.union",
    )


def show_sending(visit: Visit, identifier: str) -> Answer:
    """Return what leaves now, and the form that sends it."""
    place = visit.desk.look(identifier)
    step = place.view.get("next") or list_turns(place.round).get(place.name)
    found = visit.desk.check_committed_part(place)
    return render_place(
        visit,
        place,
        "send",
        found=found,
        can_send=step == "submit",
        waiting=join_names(place.round.list_awaited("commit")),
    )


def show_result(visit: Visit, identifier: str) -> Answer:
    """Return the member's reply, why it is what it is, and what was verified."""
    place = visit.desk.look(identifier)
    result = place.round.find("result")
    if result is None or place.attendance is None:
        return render_place(visit, place, "result", opened=None, cancelled=place.round.cancelled)
    opened = visit.desk.open_result(place)
    terms, body = place.round.terms, result.body
    if opened.share is not None:
        body = {**body, "shares": {**body["shares"], place.name: opened.share}}
    rule = visit.desk.describe_rule(terms)
    answered = next(
        (kind for kind in ("accept", "dispute") if place.round.find(kind, place.name)), None
    )
    return render_place(
        visit,
        place,
        "result",
        opened=opened,
        cancelled=place.round.cancelled,
        shares=describe_shares(terms, body),
        rule=rule,
        promises=list_promises(rule),
        lines=list(_read_lines(opened.reply)),
        size=format_bytes(opened.reply.stat().st_size),
        findings=opened.findings,
        answered=answered,
        can_answer=list_turns(place.round).get(place.name) == "accept",
        has_data=(place.attendance.member.private / PAYLOAD_FILE).is_file(),
        suggestion="; ".join(each.what for each in opened.findings.contradicted)[:500],
    )


def _read_lines(path: Path) -> Iterator[str]:
    """Yield the first lines of a reply; none of a file that is not text."""
    with path.open("rb") as file:
        for _ in range(MOST_LINES):
            line = file.readline(READ_AT_ONCE)
            if not line:
                return
            try:
                yield line.decode("utf-8").rstrip("\n")[:LONGEST_LINE]
            except UnicodeDecodeError:
                return
            if len(line) == READ_AT_ONCE:
                return  # the line is too long to read to its end


def show_log(visit: Visit, identifier: str) -> Answer:
    """Return all statements of the round, as this machine has them, and the checkpoint."""
    place = visit.desk.look(identifier)
    log = read_log(place.mirror.folder, place.round.terms.log.origin)
    statements = [read_statement(entry, "log") for entry in log.entries]
    checkpoint = (place.mirror.folder / "checkpoint.note").read_text(encoding="utf-8")
    return render_place(
        visit,
        place,
        "log",
        entries=[_tell(k, said) for k, said in enumerate(statements)],
        checkpoint=checkpoint,
        folder=place.mirror.folder,
    )


def _tell(index: int, said: Statement) -> tuple[int, str, str, str]:
    return index, said.by, describe_entry(said), said.digest[:16]


def send_terms(visit: Visit, identifier: str) -> Answer:
    """Return the signed terms that are in force, byte for byte."""
    from aboveboard.desk.application import Answer

    statement = find_terms(visit.desk.look(identifier).round)
    name = f"terms-{statement.digest[:16]}.json"
    headers = (
        ("Content-Type", "application/json"),
        ("Content-Disposition", f'attachment; filename="{name}"'),
    )
    return Answer(statement.content, headers=headers)


def send_reply(visit: Visit, identifier: str) -> Answer:
    """Return the member's reply, to be saved.

    Raises
    ------
    InputError
        If there is none yet.
    """
    place = visit.desk.look(identifier)
    if not place.has_result:
        raise InputError("your reply", "there is none yet", "wait for the center")
    return visit.send_file(visit.desk.open_result(place).reply)
