"""After a dispute: a member opens its part to the auditor, and the auditor rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aboveboard.commands.rounds.disputes import open_to_auditor
from aboveboard.desk.counting import require_seen
from aboveboard.desk.member import require_attendance
from aboveboard.desk.pages import ShownError, render_place
from aboveboard.errors import InputError
from aboveboard.evidence.members import list_own_answers
from aboveboard.evidence.round_states import State
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.terms import AUDITOR, CENTER
from aboveboard.formatting import describe_action, join_names
from aboveboard.hub.members.auditing import compute_at_hub, rule_at_hub

if TYPE_CHECKING:
    from aboveboard.desk.application import Answer, Visit
    from aboveboard.desk.forms import Form

DECISIONS = {"computed": None, "stands": True, "falls": False}
"""What the auditor states, by the field of its form."""


def show_opening(visit: Visit, identifier: str) -> Answer:
    """Return what leaves when the member opens its part to the auditor, and the form for it."""
    place = visit.desk.look(identifier)
    auditor, found = place.round.terms.auditor, None
    answers: list[tuple[str, str]] = []
    if place.attendance is not None:
        found = visit.desk.check_committed_part(place)
        kept = list_own_answers(place.attendance.member.private, place.round)
        asks = place.round.terms.asks
        answers = [
            (f"Your answer to the question for {asks[int(step)]}", describe_action(each["value"]))
            for step, each in sorted(kept.items())
        ]
    disputed = place.round.state is State.DISPUTED
    return render_place(
        visit,
        place,
        "opening",
        found=found,
        answers=answers,
        auditor=None if auditor is None else auditor.public.fingerprint,
        disputed=disputed,
        opened=place.round.find("open", place.name) is not None,
        reasons=_list_reasons(place.round),
        can_open=disputed and found is not None and auditor is not None,
    )


def _list_reasons(round_: Round) -> list[tuple[str, str]]:
    """Return who disputes the result, and why."""
    return [
        (by, str(each.body["reason"]))
        for (kind, by), each in round_.said.items()
        if kind == "dispute"
    ]


def open_part(visit: Visit, form: Form, identifier: str) -> str:
    """Seal the member's part to the auditor, and send it."""
    require_seen(form)
    attendance = require_attendance(visit.desk.look(identifier))
    attendance.hand_over(open_to_auditor(attendance.member))
    return "Your part is open to the auditor, and to nobody else."


def show_ruling(visit: Visit, identifier: str) -> Answer:
    """Return what the auditor has to rule on, and who has opened its part."""
    place = visit.desk.look(identifier)
    round_ = place.round
    closed = [name for name in round_.present if round_.find("open", name) is None]
    if round_.terms.files and round_.find("open") is None:
        closed.append(CENTER)
    ruling = round_.find("ruling", AUDITOR)
    return render_place(
        visit,
        place,
        "ruling",
        mine=place.name == AUDITOR,
        disputed=round_.state is State.DISPUTED,
        reasons=_list_reasons(round_),
        closed=join_names(closed),
        ruling=None if ruling is None else ruling.body,
    )


def compute_ruling(visit: Visit, _: Form, identifier: str) -> str:
    """Compute the round again, and show what comes out; nothing is stated yet.

    Raises
    ------
    ShownError
        Always, unless it cannot be computed: the page on which the auditor rules.
    """
    place = visit.desk.look(identifier)
    computed = compute_at_hub(identifier, visit.desk.home, visit.desk.passphrase)
    findings, statement = computed[2:]
    raise ShownError(
        "findings",
        path=f"/round/{identifier}",
        name=place.round.terms.name or place.id,
        findings=findings,
        ruling=None if statement is None else statement.body,
    )


def rule(visit: Visit, form: Form, identifier: str) -> str:
    """State the auditor's ruling.

    Raises
    ------
    InputError
        If it is not said which one, or parts are missing and the auditor does not decide itself.
    """
    require_seen(form)
    decision = form.fields.get("decision", "")
    if decision not in DECISIONS:
        raise InputError("the ruling", "you have not said which one", "choose one")
    findings, taken = rule_at_hub(
        identifier, visit.desk.home, visit.desk.passphrase, stands=DECISIONS[decision]
    )
    if taken is None:
        missing = join_names([str(each) for each in findings.missing]) or "a part is not as sealed"
        raise InputError("the ruling", missing, "wait for the parts, or decide yourself")
    return f"You have ruled. The round is {taken['state']}."
