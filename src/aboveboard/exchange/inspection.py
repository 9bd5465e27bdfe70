"""Inspection: a sample of the reported elements is compared with what is real.

Each element that anybody reports is inspected with the same probability, by a hash under the
collaboration's seed. Where one of a party's elements turns out to be invented, its whole list is
inspected, and those of all others that report an element that this brings to light. Whoever
invented something is handed nothing and forfeits its deposit; the others exchange with its true
part. Who inspects: a file of real elements, a user's function, or people, who are asked by a file
of questions that they answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import polars as pl

from aboveboard.errors import AnswersMissing, InputError
from aboveboard.exchange.handout import hash_elements
from aboveboard.formatting import format_quantity
from aboveboard.mechanisms.user_functions import find_function
from aboveboard.storage.cells import mark_name
from aboveboard.storage.records import ELEMENT, Records

REAL_COLUMN = "real"
"""The column of a file of answers."""


def ask_for_answers(path: Path, answers: Mapping[str, bool | None]) -> AnswersMissing:
    """Return the error with the file of questions that people are to answer."""
    missing = sum(answer is None for answer in answers.values())
    return AnswersMissing(
        "inspection.answers",
        f"{format_quantity(missing, 'element')} must be inspected by hand",
        f"write yes or no into the column {REAL_COLUMN} of {path.name}, and run again",
        path=path,
        content=format_answers(answers),
    )


class Inspector(Protocol):
    """Who knows which elements are real."""

    def judge(self, elements: Sequence[str]) -> Mapping[str, bool]:
        """Return of each element whether it is real."""
        ...


@dataclass(frozen=True, eq=False)
class ListInspector:
    """Whatever is not among the known elements was invented.

    Examples
    --------
    >>> ListInspector(frozenset({"x"})).judge(["x", "y"])
    {'x': True, 'y': False}
    """

    known: frozenset[str] = field(repr=False)

    def judge(self, elements: Sequence[str]) -> Mapping[str, bool]:
        """Return of each element whether it is known."""
        return {element: element in self.known for element in elements}


@dataclass(frozen=True, eq=False)
class FunctionInspector:
    """A user's function says of one element whether it is real; it is asked once about each."""

    function: str
    _answers: dict[str, bool] = field(default_factory=dict, repr=False)

    def judge(self, elements: Sequence[str]) -> Mapping[str, bool]:
        """Return what the function says.

        Raises
        ------
        InputError
            If it fails, or returns something else than True or False.
        """
        place = "inspection.function"
        is_real = find_function(self.function, place)
        for element in elements:
            if element not in self._answers:
                try:
                    answer = is_real(element)
                except Exception as error:
                    raise InputError(
                        place,
                        f"{self.function} failed with {type(error).__name__}: {error}",
                        "it takes the text of one element and returns True or False",
                    ) from error
                if not isinstance(answer, bool):
                    raise InputError(
                        place,
                        f"{self.function} returned {answer!r} of {element!r}",
                        "return True or False",
                    )
                self._answers[element] = answer
        return {element: self._answers[element] for element in elements}


@dataclass(frozen=True, eq=False)
class HandInspector:
    """People inspect: a file has a row for each question, and their answers.

    Parameters
    ----------
    path
        The file.
    answers
        What it says so far; None where it says nothing yet.
    """

    path: Path
    answers: Mapping[str, bool | None] = field(repr=False)

    def judge(self, elements: Sequence[str]) -> Mapping[str, bool]:
        """Return the answers.

        Raises
        ------
        AnswersMissing
            If some are missing: with all that is to be asked.
        """
        known = {e: a for e in elements if (a := self.answers.get(e)) is not None}
        if len(known) < len(elements):
            raise ask_for_answers(
                self.path, {**self.answers, **{e: known.get(e) for e in elements}}
            )
        return known


def read_answers(path: Path) -> dict[str, bool | None]:
    """Return the answers of a file that people fill in; none where there is no file yet.

    Raises
    ------
    InputError
        If it cannot be read, or an answer is neither yes nor no.
    """
    if not path.is_file():
        return {}
    try:
        table = pl.read_csv(path, infer_schema=False)
        rows = table.select(ELEMENT, REAL_COLUMN).rows()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            "inspection.answers",
            f"{path.name} cannot be read ({str(error).splitlines()[0]})",
            f"it is a CSV file with the columns {ELEMENT} and {REAL_COLUMN}",
        ) from None
    answers: dict[str, bool | None] = {}
    for number, (element, text) in enumerate(rows, 2):
        if element is None:
            raise InputError(
                f"inspection.answers: {path.name}, line {number}",
                f"the column {ELEMENT} is empty",
                "leave the questions as they are; write only the answers",
            )
        said = (text or "").strip().casefold()
        if said not in _ANSWERS:
            raise InputError(
                f"inspection.answers: {path.name}, line {number}",
                f"the answer about {element} is {text!r}",
                "write yes or no",
            )
        answers[element.removeprefix("'")] = _ANSWERS[said]
    return answers


_ANSWERS = {"": None, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def format_answers(answers: Mapping[str, bool | None]) -> str:
    """Return the file of questions and answers as text.

    Examples
    --------
    >>> print(format_answers({"x": True, "y": None}), end="")
    element,real
    x,yes
    y,
    """
    words = {True: "yes", False: "no", None: None}
    frame = pl.DataFrame(
        {
            ELEMENT: [_mark(element) for element in answers],
            REAL_COLUMN: [words[answer] for answer in answers.values()],
        },
        schema={ELEMENT: pl.String, REAL_COLUMN: pl.String},
    )
    return frame.write_csv()


def _mark(element: str) -> str:
    """Return an element as people open it in a spreadsheet, which computes nothing of it."""
    return f"'{element}" if element.startswith("'") else mark_name(element)


@dataclass(frozen=True)
class Inspection:
    """How reported elements are inspected.

    Parameters
    ----------
    rate
        How likely each element is; None: not decided yet, as in `design`.
    deposit
        What a party forfeits that invented elements, in elements; None: not decided yet.
    miss
        How likely an inspector takes an invented element for real.
    coalitions
        Whether parties may invent the same elements together.
    inspector
        Says what is real; None: nobody does yet.

    Examples
    --------
    >>> lists = {"a": Records(pl.DataFrame({"element": ["x", "fake"]}))}
    >>> inspection = Inspection(Fraction(1), inspector=ListInspector(frozenset({"x"})))
    >>> inspection.conduct(lists, seed=1).found
    {'a': ('fake',)}
    """

    rate: Fraction | None
    deposit: Fraction | None = None
    miss: Fraction = Fraction(0)
    coalitions: bool = False
    inspector: Inspector | None = None

    def conduct(self, reports: Mapping[str, Records], seed: int) -> InspectionResult:
        """Inspect the reports.

        Raises
        ------
        InputError
            If there is no rate or nobody who inspects; if an inspector fails.
        """
        if self.rate is None:
            raise InputError(
                "inspection.rate",
                "it is missing",
                "'aboveboard design' prints the least rate that is enough for these lists",
            )
        if self.inspector is None:
            raise InputError(
                "inspection",
                "nobody says which elements are real",
                'write known = "FILE", function = "module:function" or answers = "FILE.csv"',
            )
        listed = {name: records.frame[ELEMENT] for name, records in reports.items()}
        elements = pl.concat(list(listed.values())).unique().sort()
        sample = elements.filter(pl.Series(draw_sample(elements, self.rate, seed)))
        asked = dict(self.inspector.judge(sample.to_list()))
        caught: set[str] = set()
        while True:
            invented = [element for element, real in asked.items() if not real]
            more = {
                name
                for name, own in listed.items()
                if name not in caught and bool(own.is_in(invented).any())
            }
            if not more:
                break
            caught |= more
            whole = pl.concat([listed[name] for name in sorted(more)])
            asked |= self.inspector.judge(
                [e for e in whole.unique().sort().to_list() if e not in asked]
            )
        true_parts = dict(reports)
        found = {}
        for name in reports:
            if name in caught:
                frame = reports[name].frame
                made_up = frame[ELEMENT].is_in(invented)
                true_parts[name] = reports[name].with_frame(frame.filter(~made_up))
                found[name] = tuple(frame[ELEMENT].filter(made_up))
        return InspectionResult(true_parts, found, asked, sample.len())


def draw_sample(elements: pl.Series, rate: Fraction, seed: int) -> list[bool]:
    """Return of each element whether it is inspected: its hash under the seed decides.

    Examples
    --------
    >>> draw_sample(pl.Series(["x", "y"]), Fraction(1), seed=7)
    [True, True]
    """
    if rate >= 1:
        return [True] * len(elements)
    own = int.from_bytes(hashlib.sha256(f"aboveboard inspection {seed}".encode()).digest())
    below = -(-rate.numerator * 2**64 // rate.denominator)
    return [int(h) < below for h in hash_elements(elements, own)]


@dataclass(frozen=True)
class InspectionResult:
    """What an inspection found.

    Parameters
    ----------
    reports
        By party: its list, without what it invented if it was caught.
    found
        By party that was caught: what it invented.
    asked
        Of each element that was inspected whether it is real.
    sampled
        How many elements the sample has; the others belong to parties that were caught.
    """

    reports: Mapping[str, Records] = field(repr=False)
    found: Mapping[str, tuple[str, ...]]
    asked: Mapping[str, bool] = field(repr=False)
    sampled: int

    def to_frame(self) -> pl.DataFrame:
        """Return the elements that were inspected, and what was found."""
        return pl.DataFrame(
            {
                ELEMENT: list(self.asked),
                REAL_COLUMN: ["yes" if a else "no" for a in self.asked.values()],
            },
            schema={ELEMENT: pl.String, REAL_COLUMN: pl.String},
        )
