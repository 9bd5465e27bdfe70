"""Mechanisms chosen, and the file that one begins with."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.choosing import Answer, Choice, Choices, choose, row_of, settings_of
from aboveboard.collaboration import mechanism_named
from aboveboard.errors import InputError
from aboveboard.mechanism import Mechanism
from aboveboard.whole import whole_file


@dataclass(frozen=True)
class Chosen:
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
        said = described(self.rules[choice.row.name])
        return {
            "mechanism": said.pop("name"),
            **said,
            "provided": list(choice.conditions),
            "broken": list(choice.broken),
        }


def described(rule: type[Mechanism]) -> dict[str, str | None]:
    """Give what a mechanism says of itself, and what the table of choices says it cannot do.

    `cannot` is None for a mechanism that is not in the table: one that only serves to compare.
    """
    row = row_of(rule.NAME)
    return {
        "name": rule.NAME,
        "summary": rule.SUMMARY,
        "assumes": rule.ASSUMES,
        "guarantees": rule.GUARANTEES,
        "cannot": None if row is None else row.cannot,
        "cost": rule.COST,
        "source": rule.SOURCE,
    }


def chosen(shared: str, answers: Mapping[str, Answer], out: Path | None = None) -> Chosen:
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
    rules = {c.row.name: mechanism_named(c.row.name, f"choose {c.row.name!r}") for c in each}
    if out is not None:
        if not choices.fitting:
            near = choices.nearest[0]
            raise InputError(
                "--out",
                "no mechanism fits, so there is no file to write",
                f"{near.row.name} comes nearest, but {'; '.join(near.broken)}",
            )
        name = choices.fitting[0].row.name
        write_starting_file(rules[name], out, settings_of(name, answers))
    return Chosen(choices, rules, out)


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
    with whole_file(out) as file:
        file.write_text(text, encoding="utf-8", newline="\n")
