"""`choose`: which mechanism fits, by flags or by questions."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aboveboard.cli.options import Format, FormatOption, echo_json
from aboveboard.errors import InputError

if TYPE_CHECKING:
    from aboveboard.choosing import Answer


class Known(StrEnum):
    """An answer to a question of `choose`."""

    YES = "yes"
    NO = "no"


ANSWERS: dict[Known, Answer] = {Known.YES: "yes", Known.NO: "no"}


class Shared(StrEnum):
    """What parties may share."""

    RECORDS = "records"
    NUMBER = "number"
    BITS = "bits"
    MODELS = "models"
    GOODS = "goods"


def choose(
    shared: Annotated[
        Shared | None, typer.Option(help="What the parties would share; asked for if left out.")
    ] = None,
    money: Annotated[Known | None, typer.Option(help="May money change hands?")] = None,
    disclosure: Annotated[
        Known | None, typer.Option(help="Does being seen hurt, if only by the center?")
    ] = None,
    rivals: Annotated[Known | None, typer.Option(help="Does it hurt that rivals gain?")] = None,
    collusion: Annotated[Known | None, typer.Option(help="May parties act in concert?")] = None,
    values: Annotated[
        Known | None, typer.Option(help="Is it known what things are worth to each?")
    ] = None,
    hiding: Annotated[Known | None, typer.Option(help="Can a party hide a part?")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the first fitting mechanism's starting file here.")
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Find the mechanisms whose assumptions hold.

    On a terminal, without flags, it asks.
    """
    from aboveboard.choosing import QUESTIONS
    from aboveboard.commands import chosen
    from aboveboard.text import choices_text

    flags = {
        "money": money,
        "disclosure": disclosure,
        "rivals": rivals,
        "collusion": collusion,
        "values": values,
        "hiding": hiding,
    }
    asked = sys.stdin.isatty() and sys.stdout.isatty() and not any(flags.values())
    if shared is None and not asked:
        raise InputError(
            "--shared", "it is missing", f"say what is shared: {', '.join(x.value for x in Shared)}"
        )
    what = shared or Shared(
        typer.prompt("What would the parties share? " + ", ".join(x.value for x in Shared))
    )
    answers: dict[str, Answer] = {
        key: _asked(QUESTIONS[key]) if asked else (None if given is None else ANSWERS[given])
        for key, given in flags.items()
    }
    found = chosen(what.value, answers, out)
    echo_json(found.as_dict()) if output is Format.JSON else typer.echo(choices_text(found))


def _asked(question: str) -> Answer:
    """Ask on the terminal; an empty answer means that it is not known."""
    meant: dict[str, Answer] = {"": None, "y": "yes", "n": "no", "yes": "yes", "no": "no"}
    while True:
        said = typer.prompt(f"{question} yes, no, or empty", default="", show_default=False)
        if said.lower() in meant:
            return meant[said.lower()]
