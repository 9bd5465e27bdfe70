"""Questions of the rule while it runs, and the members' answers, sealed until all are in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from aboveboard.evidence.asking import find_asked
from aboveboard.evidence.canonical import decode_hex
from aboveboard.evidence.round_states import RefusedStatementError, State
from aboveboard.evidence.statement_checks import (
    is_digest,
    require_center,
    require_fields,
    require_member,
    require_number,
    require_state,
)
from aboveboard.evidence.statements import Statement
from aboveboard.formatting import format_count

if TYPE_CHECKING:
    from aboveboard.evidence.rounds import Round

MOST_ANSWER = 2**15
"""Bytes of a sealed answer: it stands in the log itself."""


def check_ask(round_: Round, statement: Statement) -> None:
    """Raise `RefusedStatementError` if a question is not the next one of the terms.

    A question may be asked again of members whose answers could not be opened, or are not valid.
    """
    require_center(statement)
    require_fields(
        statement, step=int, question=str, members=list, shows=dict, until=str, number=int
    )
    require_state(round_, statement, State.SEALED)
    require_number(round_, statement)
    body, asks = statement.body, round_.terms.asks
    step = body["step"]
    again = bool(round_.asked) and step == len(round_.asked) - 1
    if not (step == len(round_.asked) < len(asks) or again):
        raise RefusedStatementError("it is not the next question of the terms")
    if body["question"] != asks[step]:
        raise RefusedStatementError(f"question {step + 1} of the terms is {asks[step]!r}")
    due = find_asked(round_.terms, round_.present, asks[step])
    if again:
        due = tuple(name for name in due if (step, name) in round_.answers)
    members = body["members"]
    if again and (not members or len(set(map(str, members))) < len(members)):
        raise RefusedStatementError("it names nobody who has answered")
    if set(map(str, members)) - set(due) or (not again and members != list(due)):
        raise RefusedStatementError("it asks others than the terms say")
    if again and body["shows"] != round_.asked[step].body["shows"]:
        raise RefusedStatementError("a question that is asked again shows the same")
    _check_time(round_, body["until"])


def _check_time(round_: Round, until: Any) -> None:
    if round_.terms.answer_hours is None:
        if until:
            raise RefusedStatementError("the terms set no time for answers")
        return
    try:
        zone = datetime.fromisoformat(until).tzinfo
    except ValueError:
        zone = None
    if zone is None:
        raise RefusedStatementError("it does not say until when answers are taken")


def check_answer(round_: Round, statement: Statement) -> None:
    """Raise `RefusedStatementError` if an answer is not awaited."""
    require_member(round_, statement)
    require_fields(statement, step=int, commitment=str, sealed=str)
    require_state(round_, statement, State.ASKING)
    if statement.body["step"] != round_.asked[-1].body["step"]:
        raise RefusedStatementError("it answers another question")
    if statement.by not in round_.list_unanswered():
        raise RefusedStatementError(f"no answer of {statement.by!r} is awaited; an answer stands")
    if not is_digest(statement.body["commitment"]):
        raise RefusedStatementError("an answer is committed to by a SHA-256 hash")
    try:
        size = len(decode_hex(statement.body["sealed"]))
    except ValueError as error:
        raise RefusedStatementError("a sealed answer is hexadecimal") from error
    if size > MOST_ANSWER:
        raise RefusedStatementError(
            f"a sealed answer has at most {format_count(MOST_ANSWER)} bytes"
        )
