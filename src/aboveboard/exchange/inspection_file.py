"""The table `[inspection]` of a collaboration file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from aboveboard.errors import InputError
from aboveboard.exchange.inspection import (
    FunctionInspector,
    HandInspector,
    Inspection,
    Inspector,
    ListInspector,
    read_answers,
)
from aboveboard.mechanisms.file_model import Exact
from aboveboard.mechanisms.reading import Read
from aboveboard.storage.options import DataOptions
from aboveboard.storage.party_data import read_records
from aboveboard.storage.paths import DataPath
from aboveboard.storage.records import ELEMENT


class InspectionTable(BaseModel):
    """How often reported elements are inspected, by whom, and what a party deposits."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    rate: Annotated[Exact, Field(ge=0, le=1)] | None = Field(
        default=None,
        description="how likely each element is inspected; `design` prints the least one",
    )
    deposit: Annotated[Exact, Field(ge=0)] | None = Field(
        default=None,
        description="what a party forfeits that invented elements, in new elements",
    )
    miss: Annotated[Exact, Field(ge=0, lt=1)] = Field(
        default=Fraction(0),
        description="how likely an inspector takes an invented element for real",
    )
    coalitions: bool = Field(
        default=False,
        description="whether inventing must not pay for parties either that invent the same "
        "elements together",
    )
    known: Path | None = Field(
        default=None, description="who inspects: a file of all real elements"
    )
    key: str | None = Field(
        default=None, description="of known, if it is a table: the column that holds the elements"
    )
    function: str | None = Field(
        default=None,
        pattern=r"^[\w.]+:[\w.]+$",
        description='or "module:function": it takes an element and returns whether it is real',
    )
    answers: Path | None = Field(
        default=None,
        description="or a CSV file for answers by hand: a run writes the questions, people fill in "
        "the answers, and the next run goes on",
    )

    _located: Path | None = PrivateAttr(default=None)
    """Where the file of known elements or answers lies; records keep the path as it is written."""

    @model_validator(mode="after")
    def _one_inspector(self) -> Self:
        if sum(x is not None for x in (self.known, self.function, self.answers)) > 1:
            raise ValueError("name one of known, function and answers; they are three inspectors")
        if self.key is not None and self.known is None:
            raise ValueError("key is the column of the file known, which is not named")
        return self

    def locate(self, read: Read, options: DataOptions) -> InspectionTable:
        """Return the table with the places of its files; they become inputs of the run.

        Raises
        ------
        InputError
            If the file of answers does not lie in the collaboration's folder.
        """
        if self.known is not None:
            return self._place(read.file("inspection.known", self.known, options))
        if self.answers is None:
            return self
        if self.answers.is_absolute() or ".." in self.answers.parts:
            raise InputError(
                "inspection.answers",
                f"{self.answers} lies outside of the collaboration's folder",
                "name a file in the folder",
            )
        if (read.folder / self.answers).exists():
            return self._place(read.file("inspection.answers", self.answers))
        return self._place(read.folder / self.answers)

    def _place(self, path: Path) -> InspectionTable:
        located = self.model_copy()
        located._located = path
        return located

    def make_inspection(self) -> Inspection:
        """Return the inspection; known elements and answers are read.

        Raises
        ------
        InputError
            If a file is wrong.
        """
        return Inspection(
            self.rate, self.deposit, self.miss, self.coalitions, self._make_inspector()
        )

    def _make_inspector(self) -> Inspector | None:
        if self.known is not None:
            path = self._located or self.known
            options = path.options if isinstance(path, DataPath) else None
            records = read_records(path, place="inspection.known", options=options)
            return ListInspector(frozenset(records.frame[ELEMENT].to_list()))
        if self.function is not None:
            return FunctionInspector(self.function)
        if self.answers is not None:
            path = self._located or self.answers
            return HandInspector(path, read_answers(path))
        return None
