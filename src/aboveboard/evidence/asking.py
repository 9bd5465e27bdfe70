"""Rules that ask their parties while they run: which questions there are, and what an answer is.

A market's proposer announces, the others vote; a curation goes through its bits batch by batch. The
terms name the questions in order. The center asks one after the other; each member commits to its
answer and seals it to the center, and nobody sees one before all are in. Answers of votes are then
opened to all, with what opens the commitments: so everybody sees whose votes they were. Bits of a
curation are opened to nobody.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from aboveboard.errors import InputError
from aboveboard.evidence.canonical import decode_canonical, decode_hex, encode_canonical
from aboveboard.evidence.terms import Terms
from aboveboard.formatting import format_count

if TYPE_CHECKING:
    from aboveboard.evidence.rounds import Round

SALT = 32
"""Bytes that hide an answer until it is opened."""

MOST_BITS = 4000
"""Bits of one answer of a curation: it stands sealed in the log."""

_CONTEXT = b"aboveboard answer v1\n"

Fill = Callable[[dict[str, Any], Mapping[str, Any]], None]


@dataclass(frozen=True)
class QuestionKind:
    """A kind of question.

    Parameters
    ----------
    mechanisms
        Beginnings of the names of the mechanisms that may ask it.
    opened
        Whether all see the answers once they are in.
    asks
        Who answers: "proposer", "others" or "all".
    check
        Raises `InputError` or another error if a value is not an answer.
    fill
        Writes answers by member into the table of a collaboration file.
    """

    mechanisms: tuple[str, ...]
    opened: bool
    asks: str
    check: Callable[[object], None]
    fill: Fill


def _check_proposal(answer: object) -> None:
    from aboveboard.market.model.market_file import Proposal

    if answer is not None:
        Proposal.model_validate(answer)


def _check_votes(answer: object) -> None:
    from aboveboard.market.model.market_file import Ballot

    Ballot.model_validate(answer)


def _check_bits(answer: object) -> None:
    if not isinstance(answer, list) or not 0 < len(answer) <= MOST_BITS:
        raise ValueError(f"write a list of 1 to {format_count(MOST_BITS)} bits")
    if any(type(bit) is not int or bit not in (0, 1) for bit in answer):
        raise ValueError("a bit is 0 or 1")


def _fill_proposal(table: dict[str, Any], answers: Mapping[str, Any]) -> None:
    for answer in answers.values():
        if answer is not None:
            table["proposal"] = answer


def _fill_votes(table: dict[str, Any], answers: Mapping[str, Any]) -> None:
    table["votes"] = {**table.get("votes", {}), **answers}


def _fill_bits(table: dict[str, Any], answers: Mapping[str, Any]) -> None:
    for name, bits in answers.items():
        party = table["parties"][name]
        party["bits"] = [*party.get("bits", []), *bits]


QUESTIONS: Mapping[str, QuestionKind] = {
    "proposal": QuestionKind(
        ("market.propose_and_agree", "market.naive_"),
        True,
        "proposer",
        _check_proposal,
        _fill_proposal,
    ),
    "votes": QuestionKind(
        ("market.propose_and_agree", "market.naive_"), True, "others", _check_votes, _fill_votes
    ),
    "bits": QuestionKind(("curation.",), False, "all", _check_bits, _fill_bits),
}
"""Questions by name, as the terms write it."""


def refuse_unknown_questions(terms: Terms, place: str) -> None:
    """Raise `InputError` if the terms ask what their mechanism does not ask."""
    for name in terms.asks:
        question = QUESTIONS.get(name)
        if question is None or not terms.mechanism.startswith(question.mechanisms):
            raise InputError(
                place,
                f"{terms.mechanism} does not ask for {name[:40]!r}",
                "markets ask for proposal and votes, curation for bits",
            )
    if (
        any(QUESTIONS[name].opened for name in terms.asks)
        and terms.parameters.get("proposer") == "random"
    ):
        raise InputError(
            place,
            "it asks in a market whose proposer is drawn when all data are in",
            "name the proposer, or leave its best proposal and the dominant votes to the rule",
        )
    once = [name for name in terms.asks if QUESTIONS[name].opened]
    if len(set(once)) < len(once) or once != sorted(once):
        raise InputError(
            place, "it asks twice, or for votes before the proposal", "ask in order, once each"
        )


def find_asked(terms: Terms, present: Sequence[str], question: str) -> tuple[str, ...]:
    """Return the members that answer a question, in order."""
    asks = QUESTIONS[question].asks
    if asks == "all":
        return tuple(present)
    proposer = terms.parameters.get("proposer") or next(iter(terms.order or present), "")
    return tuple(name for name in present if (name == proposer) is (asks == "proposer"))


def parse_answer(question: str, answer: object, place: str) -> Any:
    """Return an answer in plain data.

    Raises
    ------
    InputError
        If it answers another question, or none.
    """
    try:
        QUESTIONS[question].check(answer)
        encode_canonical(answer)  # half a character, which JSON can hold, could not be sealed
    except (ValueError, TypeError) as error:
        raise InputError(
            place,
            f"this does not answer the question for {question} ({_describe(error)})",
            ANSWER_EXAMPLES[question],
        ) from error
    return answer


def _describe(error: ValueError | TypeError) -> str:
    """Return what is wrong with an answer, and which part of it."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    what = first["msg"].removeprefix("Value error, ").replace("Input ", "it ")
    part = ".".join(map(str, first["loc"]))
    return f"{part}: {what}" if part else what


ANSWER_EXAMPLES = {
    "proposal": 'write {"allocation": {"anna": ["good"]}, "prices": {"anna": 1}}, or null',
    "votes": 'write {"step_2": "yes", "step_3": "no"}',
    "bits": "write a list of bits, such as [0, 1, 1]",
}
"""How each question is answered."""


@dataclass(frozen=True)
class Answer:
    """A member's answer, as it seals it to the center.

    Parameters
    ----------
    value
        Plain data.
    salt
        Hides it until it is opened, 32 bytes.
    """

    value: object
    salt: bytes

    def encode(self) -> bytes:
        """Return the bytes that are sealed."""
        return encode_canonical(self.as_dict())

    def as_dict(self) -> dict[str, object]:
        """Return plain data."""
        return {"salt": self.salt.hex(), "value": self.value}

    def commit(self, terms: str, name: str, step: int) -> str:
        """Return what the member commits to, in hexadecimal.

        Examples
        --------
        >>> Answer([0, 1], bytes(32)).commit("ab", "acme", 0)[:16]
        'f011d0661cd01c95'
        """
        content = encode_canonical([terms, name, step, self.as_dict()])
        return hashlib.sha256(_CONTEXT + content).hexdigest()

    @classmethod
    def from_dict(cls, data: object, place: str) -> Answer:
        """Return the answer in plain data.

        Raises
        ------
        InputError
            If they hold none.
        """
        if not isinstance(data, dict) or set(data) != {"value", "salt"}:
            raise InputError(place, "this is not an answer", "answer anew")
        try:
            salt = decode_hex(data["salt"])
        except (TypeError, ValueError) as error:
            raise InputError(place, "this is not an answer", "answer anew") from error
        if len(salt) != SALT:
            raise InputError(place, "this is not an answer", "answer anew")
        return cls(data["value"], salt)


def make_answer_with_salt(value: object) -> Answer:
    """Return an answer with a new salt."""
    return Answer(value, secrets.token_bytes(SALT))


def decode_answer(content: bytes, place: str) -> Answer:
    """Return the answer in some bytes.

    Raises
    ------
    InputError
        If they hold none.
    """
    return Answer.from_dict(decode_canonical(content, place), place)


def encode_answer_context(step: int) -> str:
    """Return what kind of sealed message an answer is."""
    return f"answer {step}"


def check_opened(round_: Round, step: int, name: str, answer: Answer) -> Any:
    """Return what a member has answered.

    Raises
    ------
    InputError
        If it is not what it has committed to, or does not answer the question.
    """
    place = f"answer of {name}"
    statement = round_.answers.get((step, name))
    try:
        due = answer.commit(round_.terms_digest, name, step)
    except ValueError as error:  # a number that no answer can hold
        raise InputError(place, str(error), "answer again") from error
    if statement is None or statement.body["commitment"] != due:
        raise InputError(place, "it is another answer than the committed one", "answer again")
    return parse_answer(round_.terms.asks[step], answer.value, place)


def fill_answers(
    terms: Terms, table: dict[str, Any], answers: Mapping[int, Mapping[str, Answer]]
) -> None:
    """Write all answers into the table of a collaboration file, question by question."""
    for step in sorted(answers):
        values = {name: each.value for name, each in answers[step].items()}
        QUESTIONS[terms.asks[step]].fill(table, values)


def is_published(terms: Terms, step: int) -> bool:
    """Return whether all see the answers to a question once there is a result."""
    return QUESTIONS[terms.asks[step]].opened or terms.opened == "all"


def publish_answers(terms: Terms, answers: Mapping[int, Mapping[str, Answer]]) -> list[list[Any]]:
    """Return the answers that all may see: step, member, value and salt."""
    return [
        [step, name, each.as_dict()]
        for step in sorted(answers)
        if is_published(terms, step)
        for name, each in sorted(answers[step].items())
    ]


def read_published(round_: Round, facts: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """Return the values of published answers by step and member, each checked.

    See `read_answers`, which also returns their salts.
    """
    answers = read_answers(round_, facts)
    return {step: {n: each.value for n, each in x.items()} for step, x in answers.items()}


def read_answers(round_: Round, facts: Mapping[str, Any]) -> dict[int, dict[str, Answer]]:
    """Return published answers by step and member, each checked.

    Raises
    ------
    InputError
        If one is not what its member has committed to, or one is missing.
    """
    found: dict[int, dict[str, Answer]] = {
        step: {} for step in range(len(round_.terms.asks)) if is_published(round_.terms, step)
    }
    listed = facts.get("answers", [])
    for each in listed if isinstance(listed, list) else ():
        try:
            step, name, data = each
            values = found[step]
        except (TypeError, ValueError, KeyError) as error:
            raise InputError("answers", "they are not a list of answers", _DISPUTE) from error
        if not isinstance(name, str):
            raise InputError("answers", "they are not a list of answers", _DISPUTE)
        answer = Answer.from_dict(data, f"answer of {name}")
        check_opened(round_, step, name, answer)
        values[name] = answer
    due = {key for key in round_.answers if key[0] in found}
    if missing := due - {(step, name) for step, values in found.items() for name in values}:
        step, name = min(missing)
        raise InputError("answers", f"the answer of {name} is not among them", _DISPUTE)
    return found


_DISPUTE = "dispute the round"

__all__ = [
    "QUESTIONS",
    "Answer",
    "check_opened",
    "decode_answer",
    "encode_answer_context",
    "fill_answers",
    "find_asked",
    "make_answer_with_salt",
    "parse_answer",
    "publish_answers",
    "read_answers",
    "read_published",
    "refuse_unknown_questions",
]
