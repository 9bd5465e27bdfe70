"""What a rule asks while it runs: forms for votes, announcements and bits, and what is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aboveboard.collaborations.party_names import simplify_name
from aboveboard.commands.rounds.questions import answer_question, read_question
from aboveboard.desk.counting import require_seen
from aboveboard.desk.member import Place, require_attendance
from aboveboard.desk.pages import ShownError, render_place
from aboveboard.errors import InputError
from aboveboard.evidence.asking import MOST_BITS, parse_answer
from aboveboard.evidence.folders import read_limited
from aboveboard.evidence.round_turns import list_turns
from aboveboard.evidence.verifiers.market import parse_fraction
from aboveboard.formatting import describe_action, format_count, format_decimal, join_names

if TYPE_CHECKING:
    from aboveboard.desk.application import Answer, Visit
    from aboveboard.desk.forms import Form

MOST_TEXT = 2**20
"""Bytes of a file of bits."""

DESTROYED = "destroyed"

VOTES = (
    ("step_2", "The vote that all cast: do you agree to what is announced?"),
    ("step_3", "If the rule asks you alone, so that only your answer counts: do you agree then?"),
)


def show_question(visit: Visit, identifier: str) -> Answer:
    """Return the form in which the member answers."""
    place = visit.desk.look(identifier)
    asked = read_question(place.round)
    mine = list_turns(place.round).get(place.name) == "answer"
    if asked is None or not mine:
        return render_place(visit, place, "question", question=None)
    return render_place(
        visit,
        place,
        "question",
        question=asked["question"],
        announced=describe_announcement(place.name, asked["shows"]),
        votes=VOTES,
        names=place.round.present,
        most=format_count(MOST_BITS),
        number=f"{asked['step'] + 1} of {len(place.round.terms.asks)}",
    )


LABELS = ("You", "Nobody gets")
"""Rows that are no member's: a center could write a second one by a player of this name."""


def describe_announcement(own: str, shows: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what each member would get and pay, as a question shows it; one's own first.

    Parameters
    ----------
    own
        The name of the member who reads it.
    shows
        What the question shows. What cannot be read as an announcement is given as it came.

    Examples
    --------
    >>> shown = {"players": ["anna", "bert"], "goods": ["x"], "allocation": [0], "prices": [1, -1]}
    >>> describe_announcement("bert", shown)
    [('You', 'nothing, and receive 1'), ('anna', 'x, and pays 1')]

    Prices are shown as money; in the question they are in steps of the market, such as cents:

    >>> describe_announcement("bert", shown | {"step": "1/100"})
    [('You', 'nothing, and receive 0.01'), ('anna', 'x, and pays 0.01')]
    """
    if not shows:
        return []
    try:
        players, goods = list(shows["players"]), list(shows["goods"])
        seen = {simplify_name(name) for name in (*players, *LABELS)}
        are_told_apart = len(seen) == len(players) + len(LABELS)
        owned = list(zip(goods, shows["allocation"], strict=True))
        held = {name: [g for g, owner in owned if owner == k] for k, name in enumerate(players)}
        step = parse_fraction(shows.get("step", 1))
        prices = {
            name: parse_fraction(price) * step
            for name, price in zip(players, shows["prices"], strict=True)
        }
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        are_told_apart = False
    if not are_told_apart:
        return [("It shows", describe_action(shows))]
    rows = [
        (
            "You" if name == own else name,
            f"{join_names(held[name]) or 'nothing'}, and "
            + _describe_price(prices[name], own=name == own),
        )
        for name in sorted(players, key=lambda name: (name != own, players.index(name)))
    ]
    lost = [g for g, owner in owned if owner not in range(len(players))]
    return [*rows, *([("Nobody gets", join_names(lost))] if lost else [])]


def _describe_price(price: Fraction, *, own: bool) -> str:
    """Return who pays: "pay 2.5", "receives 1", "pays nothing"."""
    shown = "nothing" if price == 0 else format_decimal(abs(price))
    verb = "receive" if price < 0 else "pay"
    return f"{verb if own else f'{verb}s'} {shown}"


def check_answer(visit: Visit, form: Form, identifier: str) -> str:
    """Show the answer that the form holds, and what will leave; nothing is sent yet.

    Raises
    ------
    ShownError
        Always, unless it is no answer: the page on which it is sent.
    InputError
        If it is not an answer.
    """
    place = visit.desk.look(identifier)
    asked = _require_question(place)
    value = read_answer(asked["question"], form, place.round.present)
    parse_answer(asked["question"], value, "your answer")
    raise ShownError(
        "answer",
        path=f"/round/{identifier}",
        name=place.round.terms.name or place.id,
        rows=describe_answer(asked["question"], value),
        opened=asked["question"] != "bits" or place.round.terms.opened == "all",
        answer=json.dumps(value, sort_keys=True),
        step=asked["step"],
    )


def _require_question(place: Place) -> dict[str, Any]:
    asked = read_question(place.round)
    if asked is None or list_turns(place.round).get(place.name) != "answer":
        raise InputError("your answer", "no question waits for you", "look at the round again")
    return asked


def send_answer(visit: Visit, form: Form, identifier: str) -> str:
    """Seal the answer that was shown to the center, and send it.

    Raises
    ------
    InputError
        If it is not an answer, the member has not seen what leaves, or the question is another.
    """
    require_seen(form)
    place = visit.desk.look(identifier)
    asked = _require_question(place)
    if form.fields.get("step") != str(asked["step"]):
        raise InputError("your answer", "another question waits now", "answer that one")
    attendance = require_attendance(place)
    attendance.hand_over(answer_question(attendance.member, _read_json(form)))
    return "Your answer is sealed and sent."


def _read_json(form: Form) -> Any:
    try:
        return json.loads(form.fields.get("answer", ""))
    except (ValueError, RecursionError) as error:
        raise InputError("your answer", "it is not the one shown", "answer once more") from error


def read_answer(question: str, form: Form, names: tuple[str, ...]) -> Any:
    """Return the answer that the fields of a form hold.

    Parameters
    ----------
    question
        Which kind.
    form
        What was sent.
    names
        The members that take part.

    Raises
    ------
    InputError
        If a field is not filled in as it is to be.
    """
    if question == "votes":
        return {key: form.fields.get(key, "") for key, _ in VOTES}
    if question == "proposal":
        return _read_proposal(form, names)
    return _read_bits(form)


def _read_proposal(form: Form, names: tuple[str, ...]) -> Any:
    """Return an announcement; None: the rule announces the proposer's best."""
    if form.fields.get("best") == "yes":
        return None
    allocation = {name: _split(form.fields.get(f"goods {name}", "")) for name in names}
    if lost := _split(form.fields.get("goods of nobody", "")):
        allocation[DESTROYED] = lost
    given = {name: form.fields.get(f"price {name}", "").strip() for name in names}
    prices = {name: price for name, price in given.items() if price}
    return {"allocation": allocation, **({"prices": prices} if prices else {})}


def _split(text: str) -> list[str]:
    """Return the goods in a text, by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _read_bits(form: Form) -> list[int]:
    """Return the bits that were typed, or are in the file that was chosen."""
    text = form.fields.get("bits", "")
    for path in form.files[:1]:
        text = _read_text(path)
    words = [word for word in re.split(r"[\s,;]+", text) if word]
    if words and words[0].isalpha():
        words = words[1:]  # the heading of a column
    if len(words) == 1 and set(words[0]) <= {"0", "1"}:
        words = list(words[0])  # such as 0110
    for place, word in enumerate(words, 1):
        if word not in ("0", "1"):
            raise InputError("your bits", f"number {place} is {word[:20]!r}", "a bit is 0 or 1")
    return [int(word) for word in words]


def _read_text(path: Path) -> str:
    return read_limited(path, MOST_TEXT, "choose a text file of bits").decode("utf-8", "replace")


def describe_answer(question: str, value: Any) -> list[tuple[str, str]]:
    """Return an answer in words, as labels and sentences."""
    if question == "votes":
        return [(text, str(value[key])) for key, text in VOTES]
    if question == "bits":
        ones = f"{format_count(sum(value))} of them 1"
        shown = " ".join(map(str, value[:40])) + (" .." if len(value) > 40 else "")
        return [("Your bits", f"{format_count(len(value))}, {ones}: {shown}")]
    if value is None:
        return [("You announce", "nothing: the rule takes what is best for you")]
    prices = {name: parse_fraction(price) for name, price in value.get("prices", {}).items()}
    return [
        (
            "Nobody gets" if name == DESTROYED else name,
            (join_names(goods) or "nothing")
            + (f", and {_describe_price(prices[name], own=False)}" if name in prices else ""),
        )
        for name, goods in value["allocation"].items()
    ]
