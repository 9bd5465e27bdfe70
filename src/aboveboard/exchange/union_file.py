"""What a collaboration file of `exchange.union` may hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from aboveboard.errors import InputError
from aboveboard.exchange.exclusivity import (
    ExclusiveFile,
    ExclusiveParty,
    resolve_exclusivity,
)
from aboveboard.exchange.inspection_file import InspectionTable
from aboveboard.exchange.participation import MOST_PARTIES
from aboveboard.exchange.rules import RULES, Rule, choose_rule
from aboveboard.storage.options import DataKeys, DataOptions, merge_options

Hiding = Literal["partial", "all-or-nothing"]


class UnionParty(ExclusiveParty, DataKeys):
    """One party of a set union."""

    data: Path | None = Field(
        default=None, description="file of lines, a table, or JSON; see the page on data files"
    )
    key: str | None = Field(
        default=None, description="of a table: the column that holds the elements"
    )
    elements: tuple[str, ...] | None = Field(
        default=None, description="instead of data: the elements themselves"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.data is None) == (self.elements is None):
            raise ValueError('write either data = "FILE" or elements = [..]')
        return self


class UnionFile(ExclusiveFile, DataKeys):
    """The collaboration file of `exchange.union`."""

    mechanism: Literal["exchange.union"]
    key: str | None = Field(
        default=None, description="of parties' tables: the column that holds the elements"
    )
    hiding: Hiding = Field(
        default="partial", description="what a party can do: hide any part, or only stay away"
    )
    rule: Literal[
        "two-party", "three-party", "three-party-pareto", "equal-gain", "all-or-nothing",
        "best-group", "best-group-inside", "everything",
    ] | None = Field(
        default=None,
        description="how much is handed out; if left out, a rule that is truthful for `hiding` "
        "and every exclusivity the parties may have: the page says which",
    )  # fmt: skip  # read as a table
    inspection: InspectionTable | None = Field(
        default=None,
        description="makes inventing elements unprofitable; see the page on inspection",
    )
    parties: dict[str, UnionParty] = Field(min_length=1, description="by name: one table per party")

    @model_validator(mode="after")
    def _rule_fits(self) -> Self:
        rule = self.find_rule() if self.rule is None else RULES[self.rule]
        try:
            check_number_of_parties(rule, self.hiding, len(self.parties))
        except InputError as error:
            raise ValueError(f"{error.place}: {error.problem}; {error.remedy}") from None
        return self

    @model_validator(mode="after")
    def _keeps_its_sample(self) -> Self:
        by_hand = self.inspection is not None and self.inspection.answers is not None
        if by_hand and "seed" not in self.model_fields_set:
            raise ValueError(
                "inspection.answers: by hand takes several runs, and each must draw the same "
                'sample; write a seed, such as seed = "draw of 3 May"'
            )
        return self

    def read_options(self, party: str) -> DataOptions:
        """Return how a party's data are read: its own keys go before those of the file."""
        own = self.parties[party]
        return replace(merge_options(own, self), shared_key=own.key is None)

    def find_rule(self) -> Rule:
        """Return the rule that the file names, or the default for what it states."""
        if self.rule is not None:
            return RULES[self.rule]
        exclusivity = resolve_exclusivity(self, self.parties)
        stated = self.exclusivity is not None or all(
            party.exclusivity is not None for party in self.parties.values()
        )
        return choose_rule(list(exclusivity.values()), self.hiding, stated=stated)


def check_number_of_parties(rule: Rule, hiding: Hiding, n: int) -> None:
    """Raise `InputError` if there are more or fewer parties than rule and hiding allow."""
    rule.check_parties(n)
    if hiding == "all-or-nothing" and n > MOST_PARTIES:
        raise InputError(
            'hiding = "all-or-nothing"',
            f"it takes at most {MOST_PARTIES} parties and there are {n}",
            'hiding = "partial" takes up to 63',
        )
