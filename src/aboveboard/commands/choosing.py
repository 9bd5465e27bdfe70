"""Which mechanism fits a situation: one table, from which `choose` and `mechanisms` speak.

Each row says what a mechanism is about and what it takes into account. A mechanism fits if no
answer breaks an assumption of its own; where an answer is not known, it fits on that condition. A
mechanism that is not in the table, a stranger's, is never proposed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aboveboard.collaborations.registry import find_mechanism
from aboveboard.errors import InputError
from aboveboard.mechanisms.mechanism import Mechanism
from aboveboard.storage.atomic import atomic_file

SHARED = ("records", "number", "bits", "models", "goods")
"""What parties may share: lists and tables; a point or interval; a bit a round; what a model learns
from their data; things that only one can have."""

Answer = Literal["yes", "no"] | None
"""None: not known."""


@dataclass(frozen=True)
class Row:
    """What one mechanism is about.

    Parameters
    ----------
    name
        The mechanism.
    shares
        What it is for.
    money
        Whether payments are part of it.
    disclosure
        Whether it takes into account that being seen hurts.
    rivals
        Whether it takes into account that what rivals gain hurts.
    collusion
        Whether parties who act in concert gain nothing.
    values
        Whether what things are worth must be known to the center or the other parties.
    hiding
        Whether a party that can hide a part of what it has gains nothing by it.
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


TABLE: tuple[Row, ...] = (
    Row("exchange.union", ("records",), money=False, disclosure=False, rivals=True,
        collusion=False, values=False, hiding=True,
        cannot="truth is no dominant strategy where several hide at once"),
    Row("exchange.interval", ("number",), money=False, disclosure=False, rivals=True,
        collusion=False, values=False, hiding=False,
        cannot="an interval that is reported too wide is not looked at"),
    Row("exchange.average", ("number",), money=False, disclosure=False, rivals=True,
        collusion=False, values=False, hiding=False,
        cannot="joining is an equilibrium, not dominant from three parties on"),
    Row("exchange.contribution", ("records", "number", "models"), money=False, disclosure=False,
        rivals=True, collusion=False, values=True, hiding=False,
        cannot="what each coalition's information is worth must be given"),
    Row("valuation.payments", ("records", "number", "models"), money=True, disclosure=True,
        rivals=False, collusion=False, values=True, hiding=False,
        cannot="a platform's best offer need not make everybody share"),
    Row("learning.payments", ("models",), money=True, disclosure=False, rivals=True,
        collusion=False, values=True, hiding=True,
        cannot="the center may have to pay; nobody gains by joining, nobody loses"),
    Row("learning.desirable", ("models",), money=True, disclosure=False, rivals=True,
        collusion=False, values=True, hiding=True,
        cannot="it may not exist; then it says so and proves it"),
    Row("market.propose_and_agree", ("goods",), money=True, disclosure=True, rivals=False,
        collusion=True, values=True, hiding=True,
        cannot="with a small probability goods are destroyed; all gain little but the proposer"),
    Row("market.vcg", ("goods",), money=True, disclosure=False, rivals=False,
        collusion=False, values=False, hiding=True,
        cannot="the center may lose money, and all reveal their values"),
    Row("curation.fair", ("bits",), money=False, disclosure=True, rivals=False,
        collusion=False, values=True, hiding=True,
        cannot="no protocol moves a fanatic agent, or helps a center whose bit does not matter"),
    Row("curation.indicator", ("bits",), money=False, disclosure=True, rivals=False,
        collusion=False, values=False, hiding=True,
        cannot="off equilibrium the truthful may be told nothing; fixed costs of joining break it"),
)  # fmt: skip
"""In the order in which they are proposed. Those that only serve to compare are not among them."""

SETTINGS: Mapping[str, tuple[tuple[Mapping[str, Answer], str], ...]] = {
    "exchange.union": (
        ({"rivals": "no"}, "exclusivity = 0"),
        ({"hiding": "no"}, 'hiding = "all-or-nothing"'),
        # The default for partial hiding, best-group, is truthful at exclusivity 1 only.
        ({"rivals": "no", "hiding": "yes"}, 'rule = "equal-gain"'),
        ({"rivals": "no", "hiding": None}, 'rule = "equal-gain"'),
    ),
    "exchange.interval": (({"rivals": "no"}, "exclusivity = 0"),),
    "exchange.average": (({"rivals": "no"}, "exclusivity = 0"),),
    "exchange.contribution": (({"rivals": "no"}, "exclusivity = 0"),),
}
"""By mechanism: answers, and what they mean together for a key of its file."""

QUESTIONS: Mapping[str, str] = {
    "money": "May money change hands?",
    "disclosure": "Does it hurt a party that its own data are seen, if only by the center?",
    "rivals": "Does it hurt a party that its rivals gain?",
    "collusion": "May parties act in concert?",
    "values": "Does the center, or do the others, know what things are worth to each party?",
    "hiding": "Can a party hide a part of what it has?",
}
"""By the field of `Row` that an answer is held against."""


@dataclass(frozen=True)
class Clash:
    """An answer that does not go together with a property of a mechanism.

    Parameters
    ----------
    answer, property
        The two.
    why
        What is wrong where both hold.
    unless
        What must hold where the question was not answered.
    """

    answer: Answer
    property: bool
    why: str
    unless: str


CLASHES: Mapping[str, Clash] = {
    "money": Clash("no", True, "payments are part of it", "money may change hands"),
    "disclosure": Clash(
        "yes", False, "it takes it that being seen hurts nobody", "being seen hurts nobody"
    ),
    "rivals": Clash(
        "yes", False, "it takes it that nobody minds what rivals gain",
        "nobody minds what rivals gain",
    ),
    "collusion": Clash(
        "yes", False, "parties who act in concert can gain", "nobody acts in concert"
    ),
    "values": Clash(
        "no", True, "what things are worth must be known", "what things are worth is known"
    ),
    "hiding": Clash(
        "yes", False, "it takes it that all is reported or nothing",
        "a party reports all that it has or nothing",
    ),
}  # fmt: skip
"""By question of `QUESTIONS`, which is also the field of `Row`."""


@dataclass(frozen=True)
class Choice:
    """How a mechanism fits.

    Parameters
    ----------
    row
        The mechanism.
    broken
        Assumptions that the answers break; empty where it fits.
    conditions
        What must hold, of the questions that were not answered.
    """

    row: Row
    broken: tuple[str, ...]
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class Choices:
    """What fits, and if nothing does, what comes nearest.

    Parameters
    ----------
    fitting
        The mechanisms whose assumptions hold, in the order of the table.
    nearest
        Where none fits, those with the fewest broken assumptions; else empty.
    """

    fitting: tuple[Choice, ...]
    nearest: tuple[Choice, ...]


def choose(shared: str, answers: Mapping[str, Answer]) -> Choices:
    """Give the mechanisms whose assumptions hold.

    Parameters
    ----------
    shared
        One of `SHARED`.
    answers
        By question of `QUESTIONS`: "yes", "no", or None where it is not known.

    Returns
    -------
    Choices
        In the order of the table; the nearest are those with the fewest broken assumptions.
    """
    judged = [_judged(row, answers) for row in TABLE if shared in row.shares]
    fitting = tuple(choice for choice in judged if not choice.broken)
    fewest = min((len(choice.broken) for choice in judged), default=0)
    nearest = tuple(choice for choice in judged if len(choice.broken) == fewest)
    return Choices(fitting, () if fitting else nearest)


def _judged(row: Row, answers: Mapping[str, Answer]) -> Choice:
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


def select_settings(name: str, answers: Mapping[str, Answer]) -> list[str]:
    """Give the lines of a mechanism's file that follow from the answers."""
    return [
        line
        for meant, line in SETTINGS.get(name, ())
        if all(answers.get(question) == answer for question, answer in meant.items())
    ]


def find_row(name: str) -> Row | None:
    """Give a mechanism's row; None for one that is not proposed."""
    return next((row for row in TABLE if row.name == name), None)


@dataclass(frozen=True)
class Recommendation:
    """What `choose` found, with what each mechanism says of itself.

    Parameters
    ----------
    choices
        What fits, or comes nearest.
    rules
        The mechanisms by name.
    file
        The starting file that was written; None where none was.
    """

    choices: Choices
    rules: Mapping[str, type[Mechanism]]
    file: Path | None

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "fitting": [self._said(choice) for choice in self.choices.fitting],
            "nearest": [self._said(choice) for choice in self.choices.nearest],
            "file": None if self.file is None else str(self.file),
        }

    def _said(self, choice: Choice) -> dict[str, Any]:
        said = describe_mechanism(self.rules[choice.row.name])
        return {
            "mechanism": said.pop("name"),
            **said,
            "provided": list(choice.conditions),
            "broken": list(choice.broken),
        }


def describe_mechanism(rule: type[Mechanism]) -> dict[str, str | None]:
    """Give what a mechanism says of itself, and what the table of choices says it cannot do.

    `cannot` is None for a mechanism that is not in the table: one that only serves to compare.
    """
    row = find_row(rule.NAME)
    return {
        "name": rule.NAME,
        "summary": rule.SUMMARY,
        "assumes": rule.ASSUMES,
        "guarantees": rule.GUARANTEES,
        "cannot": None if row is None else row.cannot,
        "cost": rule.COST,
        "source": rule.SOURCE,
    }


def recommend(
    shared: str, answers: Mapping[str, Answer], out: Path | None = None
) -> Recommendation:
    """Give the mechanisms that fit, and write the first one's starting file where one is named.

    Parameters
    ----------
    shared
        What the parties would share: one of `choosing.SHARED`.
    answers
        By question of `choosing.QUESTIONS`.
    out
        The file to write; None: none.

    Raises
    ------
    InputError
        If a file is named and nothing fits, or it exists or cannot be written.
    """
    choices = choose(shared, answers)
    each = (*choices.fitting, *choices.nearest)
    rules = {c.row.name: find_mechanism(c.row.name, f"choose {c.row.name!r}") for c in each}
    if out is not None:
        if not choices.fitting:
            near = choices.nearest[0]
            raise InputError(
                "--out",
                "no mechanism fits, so there is no file to write",
                f"{near.row.name} comes nearest, but {'; '.join(near.broken)}",
            )
        name = choices.fitting[0].row.name
        write_starting_file(rules[name], out, select_settings(name, answers))
    return Recommendation(choices, rules, out)


def write_starting_file(rule: type[Mechanism], out: Path, settings: Sequence[str] = ()) -> None:
    """Write a mechanism's commented collaboration file.

    Parameters
    ----------
    rule
        The mechanism.
    out
        The file.
    settings
        Lines, "key = value", that stand in place of the file's own of the same keys.

    Raises
    ------
    InputError
        If it exists or cannot be written.
    """
    if os.path.lexists(out):
        raise InputError(str(out), "it exists", "name another file with --out")
    text = rule.STARTING_FILE
    for line in settings:
        key = re.escape(line.partition(" = ")[0])
        theirs = re.compile(rf"^(# )?{key} = [^#\n]*?(?=  +#|$)", re.MULTILINE)
        head = re.compile(r"^mechanism = .*$", re.MULTILINE)
        if theirs.search(text):
            text = theirs.sub(line, text, count=1)
        else:
            text = head.sub(rf"\g<0>\n{line}", text, count=1)
    with atomic_file(out) as file:
        file.write_text(text, encoding="utf-8", newline="\n")
