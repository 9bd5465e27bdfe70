"""What `choose` recommends, with each mechanism's own texts and the first one's starting file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.collaborations.registry import find_mechanism
from aboveboard.commands.choosing import (
    NOTES,
    Choice,
    Choices,
    YesNoUnknown,
    choose,
    find_row,
    select_settings,
)
from aboveboard.commands.starting import write_starting_file
from aboveboard.errors import InputError
from aboveboard.formatting.plain_json import Json
from aboveboard.mechanisms.mechanism import AnyMechanism


@dataclass(frozen=True)
class Recommendation:
    """The result of `choose`, with the description of each mechanism.

    Parameters
    ----------
    choices
        The mechanisms that fit, or the nearest.
    rules
        The mechanisms by name.
    file
        The starting file that was written; None if none was.

    Examples
    --------
    >>> recommend("bits", {}).as_dict()["fitting"][0]["mechanism"]
    'curation.fair'
    """

    choices: Choices
    rules: Mapping[str, type[AnyMechanism]]
    file: Path | None

    def as_dict(self) -> dict[str, Json]:
        """Return plain data."""
        return {
            "fitting": [self._describe(choice) for choice in self.choices.fitting],
            "nearest": [self._describe(choice) for choice in self.choices.nearest],
            "file": None if self.file is None else str(self.file),
        }

    def _describe(self, choice: Choice) -> dict[str, Any]:
        description = describe_mechanism(self.rules[choice.row.name])
        return {
            "mechanism": description.pop("name"),
            **description,
            "provided": list(choice.conditions),
            "broken": list(choice.broken),
            "notes": [NOTES[choice.row.name]] if choice.row.name in NOTES else [],
        }


def describe_mechanism(rule: type[AnyMechanism]) -> dict[str, str | None]:
    """Return a mechanism's texts, and from the table of choices what it cannot do.

    `cannot` is None for a mechanism that is not in the table, such as one that only serves to
    compare.

    Examples
    --------
    >>> from aboveboard.collaborations.registry import find_mechanism
    >>> describe_mechanism(find_mechanism("exchange.union", "here"))["summary"]
    'parties exchange elements of their lists; no money moves'
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
    shared: str, answers: Mapping[str, YesNoUnknown], out: Path | None = None
) -> Recommendation:
    """Return the mechanisms that fit, and write the first one's starting file if `out` is named.

    Parameters
    ----------
    shared
        What the parties would share: one of `choosing.SHARED`.
    answers
        By question of `choosing.QUESTIONS`.
    out
        The file to write, or None.

    Raises
    ------
    InputError
        If a file is named and nothing fits, or it exists or cannot be written.

    Examples
    --------
    >>> found = recommend("records", {"money": "no", "rivals": "yes"})
    >>> [choice.row.name for choice in found.choices.fitting]
    ['exchange.union', 'exchange.contribution']
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
