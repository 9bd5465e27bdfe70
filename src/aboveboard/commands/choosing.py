"""Which mechanism fits a situation: one table, which `choose` and `mechanisms` read.

Each row says what a mechanism is for and what it takes into account. A mechanism fits if no answer
breaks one of its assumptions; where an answer is unknown, it fits on that condition. A mechanism
that is not in the table, such as a user's own, is never proposed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

SHARED = ("records", "number", "bits", "models", "goods")
"""What parties may share: lists and tables; a point or interval; one bit per round; a model trained
on their data; goods that only one party can own."""

YesNoUnknown = Literal["yes", "no"] | None
"""None: unknown."""


@dataclass(frozen=True)
class Purpose:
    """What one mechanism is for, and what it takes into account.

    Parameters
    ----------
    name
        The mechanism.
    shares
        What the parties share, of `SHARED`.
    money
        Whether payments are part of it.
    disclosure
        Whether it takes into account that disclosure is costly.
    rivals
        Whether it takes into account that the gains of rivals hurt.
    collusion
        Whether parties that collude gain nothing.
    values
        Whether the center or the other parties must know what things are worth.
    hiding
        Whether a party that can hide part of its data gains nothing by it.
    cannot
        What it does not promise.
    """

    name: str
    shares: tuple[str, ...]
    money: bool
    disclosure: bool
    rivals: bool
    collusion: bool
    values: bool
    hiding: bool
    cannot: str


TABLE: tuple[Purpose, ...] = (
    Purpose("exchange.union", ("records",), money=False, disclosure=False, rivals=True,
        collusion=False, values=False, hiding=True,
        cannot="truth is not dominant if several parties hide at once; inventing elements can pay, "
        "unless a sample of them is inspected ([inspection])"),
    Purpose("exchange.interval", ("number",), money=False, disclosure=False, rivals=True,
        collusion=False, values=False, hiding=False,
        cannot="a wider interval can pay if a unit of length is worth less the longer it is"),
    Purpose("exchange.average", ("number",), money=False, disclosure=False, rivals=True,
        collusion=False, values=False, hiding=False,
        cannot="joining is an equilibrium; with three or more parties it is not dominant"),
    Purpose("exchange.contribution", ("records", "number", "models"), money=False, disclosure=False,
        rivals=True, collusion=False, values=True, hiding=False,
        cannot="it does not find out what each coalition's information is worth; drawn rewards can "
        "make staying away pay"),
    Purpose("valuation.payments", ("records", "number", "models"), money=True, disclosure=True,
        rivals=False, collusion=False, values=True, hiding=False,
        cannot="a platform's best offer need not make every user share"),
    Purpose("learning.payments", ("models",), money=True, disclosure=False, rivals=True,
        collusion=False, values=True, hiding=True,
        cannot="the center may have to pay; no party gains or loses by joining"),
    Purpose("learning.desirable", ("models",), money=True, disclosure=False, rivals=True,
        collusion=False, values=True, hiding=True,
        cannot="such a mechanism may not exist; then it says so and proves it"),
    Purpose("market.propose_and_agree", ("goods",), money=True, disclosure=True, rivals=False,
        collusion=True, values=True, hiding=True,
        cannot="with a small probability goods are destroyed; all but the proposer gain little"),
    Purpose("market.vcg", ("goods",), money=True, disclosure=False, rivals=False,
        collusion=False, values=False, hiding=True,
        cannot="the center may lose money, and all parties reveal their values"),
    Purpose("curation.fair", ("bits", "number"), money=False, disclosure=True, rivals=False,
        collusion=False, values=True, hiding=True,
        cannot="no protocol moves a fanatic agent, or helps if the center's bit has no value"),
    Purpose("curation.indicator", ("bits",), money=False, disclosure=True, rivals=False,
        collusion=False, values=False, hiding=True,
        cannot="off equilibrium the truthful may receive nothing; fixed costs of joining break it"),
)  # fmt: skip  # read as a table
"""Mechanisms in the order in which they are proposed, without those that only compare."""

SETTINGS: Mapping[str, tuple[tuple[Mapping[str, YesNoUnknown], str], ...]] = {
    "exchange.union": (
        ({"rivals": "no"}, "exclusivity = 0"),
        ({"hiding": "no"}, 'hiding = "all-or-nothing"'),
    ),
    "exchange.interval": (({"rivals": "no"}, "exclusivity = 0"),),
    "exchange.average": (({"rivals": "no"}, "exclusivity = 0"),),
    "exchange.contribution": (({"rivals": "no"}, "exclusivity = 0"),),
}
"""By mechanism: answers, and the line that they imply together for its file."""

NOTES: Mapping[str, str] = {
    "exchange.union": "if exclusivity is not stated, the rule is equal-gain, which is truthful for "
    "every exclusivity from 0 to 1; if each party's is 1, it is best-group, which hands out more; "
    "if a range is stated, such as [0.6, 1], best-group-inside, which hands out as much as that; "
    "with [inspection], design finds the least rate at which inventing elements does not pay",
    "exchange.average": "power sets how fast a distance hurts, and metric how it is measured",
    "exchange.contribution": "where only what some group of parties knows can be handed out, "
    'replies = "coalitions" draws it, with the reward as its expected value',
    "valuation.payments": "aboveboard design takes two or more privacy levels with a cost for each "
    "level and user, a budget for all payments together, and a floor for each",
    "market.propose_and_agree": 'the proposer keeps most gains; proposer = "random" draws it, '
    "so that each party has the same chance",
    "curation.fair": 'numbers in the place of bits: kind = "median" or "average" with thresholds; '
    'score = "any-word" rules out mixed equilibria too, and replies = "two-bits" hands on no '
    "message of the others",
}
"""By mechanism: what decides between its rules."""

QUESTIONS: Mapping[str, str] = {
    "money": "May money change hands?",
    "disclosure": "Is disclosure costly to a party, even to the center alone?",
    "rivals": "Does a party lose if its rivals gain?",
    "collusion": "May parties collude?",
    "values": "Does the center, or do the other parties, know what things are worth to each party?",
    "hiding": "Can a party hide part of its data?",
}
"""By the field of `Purpose` that an answer is compared with."""


@dataclass(frozen=True)
class Clash:
    """An answer that contradicts an assumption of a mechanism.

    Parameters
    ----------
    answer, property
        The answer, and the value of the row's field that it contradicts.
    why
        What is wrong if both hold.
    unless
        What must hold if the question has no answer.
    """

    answer: YesNoUnknown
    property: bool
    why: str
    unless: str


CLASHES: Mapping[str, Clash] = {
    "money": Clash("no", True, "payments are part of it", "money may change hands"),
    "disclosure": Clash(
        "yes", False, "it assumes disclosure is costless", "disclosure is costless"
    ),
    "rivals": Clash(
        "yes", False, "it assumes that the gains of rivals do not hurt",
        "the gains of rivals do not hurt",
    ),
    "collusion": Clash(
        "yes", False, "parties that collude can gain", "parties do not collude"
    ),
    "values": Clash(
        "no", True, "it must be known what things are worth", "it is known what things are worth"
    ),
    "hiding": Clash(
        "yes", False, "it assumes that a party reports all its data or none",
        "a party reports all its data or none",
    ),
}  # fmt: skip  # read as a table
"""By question of `QUESTIONS`, which is also the field of `Purpose`."""


@dataclass(frozen=True)
class Choice:
    """How a mechanism fits.

    Parameters
    ----------
    row
        The mechanism.
    broken
        Assumptions that the answers break; empty if it fits.
    conditions
        What must hold, for questions without an answer.
    """

    row: Purpose
    broken: tuple[str, ...]
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class Choices:
    """The mechanisms that fit; if none does, the nearest.

    Parameters
    ----------
    fitting
        The mechanisms whose assumptions hold, in the order of the table.
    nearest
        If none fits, those with the fewest broken assumptions; else empty.
    """

    fitting: tuple[Choice, ...]
    nearest: tuple[Choice, ...]


def choose(shared: str, answers: Mapping[str, YesNoUnknown]) -> Choices:
    """Return the mechanisms whose assumptions hold.

    Parameters
    ----------
    shared
        One of `SHARED`.
    answers
        By question of `QUESTIONS`: "yes", "no", or None if unknown.

    Returns
    -------
    Choices
        In the order of the table; the nearest are those with the fewest broken assumptions.
    """
    judged = [_judge(row, answers) for row in TABLE if shared in row.shares]
    fitting = tuple(choice for choice in judged if not choice.broken)
    fewest = min((len(choice.broken) for choice in judged), default=0)
    nearest = tuple(choice for choice in judged if len(choice.broken) == fewest)
    return Choices(fitting, () if fitting else nearest)


def _judge(row: Purpose, answers: Mapping[str, YesNoUnknown]) -> Choice:
    broken, conditions = [], []
    for question, clash in CLASHES.items():
        if getattr(row, question) != clash.property:
            continue
        given = answers.get(question)
        if given == clash.answer:
            broken.append(clash.why)
        elif given is None:
            conditions.append(clash.unless)
    return Choice(row, tuple(broken), tuple(conditions))


def select_settings(name: str, answers: Mapping[str, YesNoUnknown]) -> list[str]:
    """Return the lines of a mechanism's file that follow from the answers."""
    return [
        line
        for meant, line in SETTINGS.get(name, ())
        if all(answers.get(question) == answer for question, answer in meant.items())
    ]


def find_row(name: str) -> Purpose | None:
    """Return a mechanism's row; None for one that is never proposed."""
    return next((row for row in TABLE if row.name == name), None)
