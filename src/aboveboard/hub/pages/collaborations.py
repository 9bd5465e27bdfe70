"""The pages of one collaboration: overview, terms, audit, result, log and receipts."""

from __future__ import annotations

import json
import re
from typing import Any

from markupsafe import Markup, escape
from starlette.responses import Response

from aboveboard.evidence.log import Receipt
from aboveboard.evidence.notes import read_note
from aboveboard.evidence.round_states import State
from aboveboard.evidence.rounds import Round
from aboveboard.formatting import format_count, format_moment, join_names
from aboveboard.formatting.plain_json import format_json
from aboveboard.hub.collaborations.logs import NoCollaborationError, read_checkpoint
from aboveboard.hub.collaborations.nodes import prove_stored
from aboveboard.hub.collaborations.standing import StoredLog, read_taken
from aboveboard.hub.pages.parts import fill_part
from aboveboard.hub.pages.reading import (
    ENTRIES_PER_PAGE,
    Seen,
    find_entry,
    find_reply,
    list_cosigned,
    list_entries,
    list_moments,
    list_series,
    list_transfers,
    see,
)
from aboveboard.hub.pages.security import is_encrypted, secure
from aboveboard.hub.pages.visits import Visit
from aboveboard.report.rounds import (
    describe_deadline,
    describe_entry,
    describe_shares,
    describe_state,
    describe_step,
    describe_terms,
    find_terms,
    list_stations,
    tabulate_members,
)
from aboveboard.settlements.money import format_payment

MOST_INDEX = 2**31 - 1
"""Stands for a number that no entry has."""
_CANCELLED = (State.CANCELLED.value, State.ARCHIVED.value)
"""States of rounds that may have ended without a result."""
_IDENTIFIER = re.compile("[0-9a-f]{16}")


def _see(visit: Visit, identifier: str) -> Seen:
    if not _IDENTIFIER.fullmatch(identifier):
        raise NoCollaborationError(identifier)
    return see(visit.connection, visit.reader, identifier)


def _render(visit: Visit, seen: Seen, template: str, **values: Any) -> Response:
    """Return a page of a collaboration, with what all of them show."""
    path = f"/collaborations/{seen.row.id}"
    tabs = [
        (path, "Overview"),
        (f"{path}/terms", "Terms"),
        (f"{path}/audit", "Audit of the rule"),
        (f"{path}/result", "Result"),
        (f"{path}/log", "Log"),
    ]
    title, sentence = describe_state(seen.row.state)
    return visit.render(
        template,
        path=path,
        tabs=tabs,
        name=seen.row.name or seen.row.id,
        member=seen.member,
        state=title,
        sentence=sentence,
        **values,
    )


def show_overview(visit: Visit, identifier: str) -> Response:
    """Return where a collaboration stands, what is next, and what each member has done."""
    seen = _see(visit, identifier)
    if seen.row.state == State.OFFERED.value:  # its members are about to read the terms
        visit.rules.prepare(seen.row.terms, lambda: seen.round.terms)
    turn = None
    mine = _find_turn(seen)
    if mine is not None:
        step = describe_step(mine)
        command = f"aboveboard {step.kind}"
        turn = {
            "title": step.title,
            "what": step.what,
            "command": f"{command} {identifier}" if step.kind == "agree" else command,
        }
    return _render(
        visit,
        seen,
        "overview",
        stations=list_stations(seen.row.state),
        turn=turn,
        deadline=describe_deadline(seen.deadline, visit.hub.now),
        change=_list_changes(seen),
        awaited=join_names(name for name, kind in seen.turns.items() if kind == seen.step),
        awaited_step=describe_step(seen.step).title if seen.step else "",
        faults=seen.faults,
        cancelled=_find_reason(seen),
        series=list_series(visit.connection, visit.reader, seen.row),
        members=visit.parts.find(
            ("members", seen.identity, seen.member), lambda: _fill_members(seen)
        ),
        facts=[
            ("Rule", _find_rule(visit, seen)),
            ("Round", str(seen.row.serial)),
            ("Collaboration", identifier),
            ("Hash of the terms", seen.row.terms),
            ("Begun", format_moment(seen.row.created)),
            ("Last change", format_moment(seen.row.updated)),
        ],
    )


def _find_rule(visit: Visit, seen: Seen) -> Markup:
    """Return the name of the rule that the terms state."""
    return visit.parts.find(("rule", seen.row.terms), lambda: escape(seen.round.mechanism))


def _find_reason(seen: Seen) -> str:
    """Return why the round ended without a result; empty if it did not."""
    return seen.round.cancelled if seen.row.state in _CANCELLED else ""


def _fill_members(seen: Seen) -> Markup:
    """Return the table of the members: it shows what the log says, and nothing else."""
    progress = tabulate_members(seen.round, seen.turns, list_moments(seen))
    return fill_part("members", progress, "members", seen.member or "")


def _list_changes(seen: Seen) -> list[str]:
    """Return what the change of terms that waits for signatures changes."""
    if "change" not in seen.turns.values() or seen.round.pending is None:
        return []
    from aboveboard.commands.rounds.changes import describe_change  # loads what pages need not

    return describe_change(seen.round)


def _find_turn(seen: Seen) -> str | None:
    """Return what the reader is to do next; None: nothing, or it is the operator."""
    if seen.member is None:
        return None
    again = seen.row.state == State.SEALED.value and seen.member in seen.faults
    return "submit" if again else seen.turns.get(seen.member)


def show_terms(visit: Visit, identifier: str) -> Response:
    """Return the terms in plain words, beside the file, its hash and all signatures."""
    seen = _see(visit, identifier)
    terms, digest = seen.round.terms, seen.round.terms_digest
    rule, version = visit.rules.look_up(terms)
    now, audit = visit.hub.now, f"/collaborations/{identifier}/audit"
    left = tuple(describe_deadline(moment, now) for moment in terms.deadlines.model_dump().values())
    told = visit.parts.find(
        ("terms", identifier, digest, version, left),
        lambda: (
            fill_part("promises", rule, audit, "The rule was audited")
            + fill_part("sections", describe_terms(terms, digest, now=now, rule=rule))
        ),
    )
    return _render(
        visit,
        seen,
        "terms",
        told=told,
        digest=digest,
        file=visit.parts.find(
            ("file", digest), lambda: escape(format_json(find_terms(seen.round).body, indent=2))
        ),
        signatures=visit.parts.find(("signatures", seen.identity), lambda: _fill_signatures(seen)),
    )


def _fill_signatures(seen: Seen) -> Markup:
    """Return who has signed the terms, when and with which key."""
    terms, moments = seen.round.terms, list_moments(seen)
    rows = [("center", terms.center.signing, format_moment(seen.row.created))]
    for name in terms.names:
        when = moments.get(("agree", name))
        key = seen.round.find_key(name) or ""
        rows.append((name, key, "not yet" if when is None else format_moment(when)))
    return fill_part("rows", "signatures", ("signer", "key", "signed"), rows)


def send_terms(visit: Visit, identifier: str) -> Response:
    """Return the signed terms, byte for byte: the SHA-256 of this file is the hash of the terms."""
    seen = _see(visit, identifier)
    statement = find_terms(seen.round)
    name = f"terms-{statement.digest[:16]}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    response = Response(statement.content, media_type="application/json", headers=headers)
    return secure(response, transport=is_encrypted(visit.hub))


def show_audit(visit: Visit, identifier: str) -> Response:
    """Return the audit of the rule on example data, with the parameters of the terms."""
    seen = _see(visit, identifier)
    rule, version = visit.rules.look_up(seen.round.terms)
    verdicts = visit.parts.find(("audit", version), lambda: fill_part("audited", rule))
    return _render(visit, seen, "audit", verdicts=verdicts)


def show_result(visit: Visit, identifier: str) -> Response:
    """Return what the center stated: benefits, payments, and the hash of each reply."""
    seen = _see(visit, identifier)
    result = seen.round.find("result")
    reply = None
    if seen.member is not None:
        row = find_reply(visit.connection, identifier, seen.member)
        if row is not None:
            fetched = "not yet" if row.fetched is None else format_moment(row.fetched)
            reply = {"fetched": fetched, "sealed": row.digest}
    return _render(
        visit,
        seen,
        "result",
        shares=""
        if result is None
        else visit.parts.find(
            ("shares", seen.round.terms_digest, result.digest),
            lambda: fill_part("shares", describe_shares(seen.round.terms, result.body)),
        ),
        digest="" if result is None else result.digest,
        seed="" if result is None else str(result.body.get("seed", "")),
        own_hash="" if result is None else result.body.get("replies", {}).get(seen.member, ""),
        reply=reply,
        transfers=_list_transfers(visit, seen),
        answers=visit.parts.find(("answers", seen.identity), lambda: _fill_answers(seen.round)),
        cancelled=_find_reason(seen),
    )


def _fill_answers(round_: Round) -> Markup:
    """Return who has accepted or disputed the result, and why it was disputed."""
    answers = {}
    for name in round_.terms.names:
        if round_.find("accept", name) is not None:
            answers[name] = "accepted"
        if (said := round_.find("dispute", name)) is not None:
            answers[name] = f"disputed: {said.body.get('reason', '')}"
    return fill_part("answers", answers)


def _list_transfers(visit: Visit, seen: Seen) -> list[tuple[str, ...]]:
    """Return what is paid over all rounds of the series: the operator sees all, a member its own.

    A transfer that was netted shows which other one took its place.
    """
    return [
        (
            str(each.id),
            each.name,
            format_payment(each.cents, each.currency),
            f"netted into {each.netted_into}" if each.netted_into else each.state,
            " ".join(filter(None, [each.paid_on, each.reference])),
        )
        for each in list_transfers(visit.connection, seen)
    ]


def show_log(visit: Visit, identifier: str) -> Response:
    """Return entries of the log, page by page, and the signed checkpoint of all of it."""
    seen = _see(visit, identifier)
    start = _read_number(visit.request.query_params.get("start", "0"))
    after = start + ENTRIES_PER_PAGE
    return _render(
        visit,
        seen,
        "log",
        entries=visit.parts.find(
            ("log", identifier, start, _find_root(seen, after)),
            lambda: _fill_entries(visit, identifier, start),
        ),
        size=seen.row.size,
        checkpoint=read_checkpoint(visit.connection, identifier, seen.row.size),
        cosigned=[
            (name, format_count(size), format_moment(when))
            for name, size, when in list_cosigned(visit.connection, identifier)
        ],
        origin=seen.row.origin,
        log_key=visit.parts.find(
            ("log key", seen.identity), lambda: escape(seen.round.list_log_keys()[-1])
        ),
        before=max(0, start - ENTRIES_PER_PAGE) if start else None,
        after=after if after < seen.row.size else None,
    )


def _find_root(seen: Seen, size: int) -> bytes:
    """Return the root of the log's first entries: all that its pages show up to there."""
    if size >= seen.row.size:
        return seen.root
    return StoredLog(seen.connection, seen.row.id).read_root(size)


def _fill_entries(visit: Visit, identifier: str, start: int) -> Markup:
    """Return entries of a log, which nobody can change any more."""
    entries = [
        (row.index, row.signer, describe_entry(read_taken(row.content)), format_moment(row.created))
        for row in list_entries(visit.connection, identifier, start)
    ]
    return fill_part("entries", f"/collaborations/{identifier}", entries)


def _read_number(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0


def show_entry(visit: Visit, identifier: str, index: str) -> Response:
    """Return one statement, and the receipt that proves that it stands in the log.

    Parameters
    ----------
    visit
        Who asks.
    identifier
        Of the collaboration.
    index
        Of the statement, as it stands in the path.

    Raises
    ------
    NoCollaborationError
        If the log has no such entry.
    """
    seen = _see(visit, identifier)
    number = int(index) if re.fullmatch("[0-9]{1,9}", index) else MOST_INDEX
    if number >= min(MOST_INDEX, seen.row.size):
        raise NoCollaborationError(identifier)
    row = find_entry(visit.connection, identifier, number)
    note = read_checkpoint(visit.connection, identifier, seen.row.size)
    return _render(
        visit,
        seen,
        "entry",
        index=number,
        signer=row.signer,
        what=visit.parts.find(
            ("what", row.digest), lambda: escape(describe_entry(read_taken(row.content)))
        ),
        facts=[
            ("Signed by", row.signer),
            ("With the key", _find_key(visit, seen, row.signer)),
            ("Taken in", format_moment(row.created)),
            ("Hash of the statement", row.digest),
        ],
        statement=visit.parts.find(
            ("statement", row.digest),
            lambda: escape(format_json(json.loads(row.content), indent=2)),
        ),
        receipt=visit.parts.find(
            ("receipt", number, note), lambda: _write_receipt(visit, seen, number, note)
        ),
    )


def _find_key(visit: Visit, seen: Seen, signer: str) -> Markup:
    """Return the key of a signer that is in force."""
    return visit.parts.find(
        ("key", seen.identity, signer),
        lambda: escape(seen.round.find_key(signer) or "of earlier"),
    )


def _write_receipt(visit: Visit, seen: Seen, number: int, note: str) -> Markup:
    """Return the proof that an entry stands in the log whose signed checkpoint this is."""
    path = tuple(prove_stored(visit.connection, seen.row.id, number, seen.row.size))
    receipt = Receipt(number, path, read_note(note.encode(), "checkpoint"))
    return escape(format_json(receipt.as_dict(), indent=2))
