"""Questions while a rule runs: a member answers, the center opens the answers and asks the next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aboveboard.commands.rounds.member import Membership, note_seen
from aboveboard.errors import InputError
from aboveboard.evidence.asking import (
    Answer,
    check_opened,
    decode_answer,
    encode_answer_context,
    make_answer_with_salt,
    parse_answer,
)
from aboveboard.evidence.canonical import MOST_BYTES, decode_hex, decode_json
from aboveboard.evidence.folders import read_limited, write_statement
from aboveboard.evidence.keys import PrivateKeys
from aboveboard.evidence.member_statements import make_sealed_answer
from aboveboard.evidence.members import keep_answer, read_round
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.sealing import encode_context, open_message
from aboveboard.evidence.terms import CENTER


def read_question(round_: Round) -> dict[str, Any] | None:
    """Return the question that waits for answers: step, question, members, what it shows, until."""
    return dict(round_.asked[-1].body) if round_.list_unanswered() else None


def read_answer_file(text: str) -> Any:
    """Return the answer in a file of JSON, or in the text itself.

    Raises
    ------
    InputError
        If it is not JSON.
    """
    path = Path(text)
    if path.suffix == ".json":
        content = read_limited(path, MOST_BYTES, "name a file with your answer, or write it")
        return decode_json(content, str(path))
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            "answer", f"it is not JSON ({error})", "write it in quotes, or name a .json file"
        ) from error


def answer_question(member: Membership, value: Any) -> Path:
    """Answer the question that waits for the member; return the statement's file.

    Raises
    ------
    InputError
        If nothing waits for it, or the value does not answer the question.
    """
    seen = read_round(member.folder, member.private)
    round_ = seen.round
    if member.name not in round_.list_unanswered():
        raise InputError(str(member.folder), "no question waits for you", "look at the log")
    body = round_.asked[-1].body
    parse_answer(body["question"], value, "answer")
    answer = make_answer_with_salt(value)
    keep_answer(member.private, round_, answer)
    note_seen(member, seen)
    statement = make_sealed_answer(round_, member.name, member.keys, answer)
    return write_statement(member.folder, statement, f"-{body['step']}")


def open_answers(
    round_: Round, keys: Sequence[PrivateKeys]
) -> tuple[dict[int, dict[str, Answer]], dict[str, str]]:
    """Return all answers by step and member, and by member what is wrong with its last one.

    Parameters
    ----------
    round_
        The round.
    keys
        The center's, with those that it has replaced.
    """
    answers: dict[int, dict[str, Answer]] = {step: {} for step in range(len(round_.asked))}
    faults = {}
    for (step, name), statement in sorted(round_.answers.items()):
        try:
            answer = _open_answer(round_, step, name, statement.body["sealed"], keys)
            check_opened(round_, step, name, answer)
        except InputError as error:
            faults[name] = f"{error.problem}; {error.remedy}"
            continue
        answers[step][name] = answer
    return answers, faults


def _open_answer(
    round_: Round, step: int, name: str, sealed: str, keys: Sequence[PrivateKeys]
) -> Answer:
    place = f"answer of {name}"
    context = encode_context(round_.terms_digest, name, CENTER, encode_answer_context(step))
    for each in keys[:-1]:
        try:
            return decode_answer(open_message(decode_hex(sealed), each, context, place), place)
        except InputError:
            continue
    return decode_answer(open_message(decode_hex(sealed), keys[-1], context, place), place)


def ask_again(round_: Round, faults: Mapping[str, str]) -> dict[str, Any]:
    """Return the body of "ask" by which members whose answers are not valid are asked again."""
    last = {k: x for k, x in round_.asked[-1].body.items() if k not in ("kind", "terms")}
    return {**last, "members": sorted(faults)}
