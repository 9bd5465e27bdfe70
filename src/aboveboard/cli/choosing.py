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
    from aboveboard.commands.choosing import Answer


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
    shared: Annotated[Shared | None, typer.Option(help="What the parties would share.")] = None,
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

    On a terminal, with none of these answers given, it asks.
    """
    from aboveboard.commands.choosing import QUESTIONS

    flags = {
        "money": money,
        "disclosure": disclosure,
        "rivals": rivals,
        "collusion": collusion,
        "values": values,
        "hiding": hiding,
    }
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if shared is None and (any(flags.values()) or not terminal):
        raise InputError("--shared", "it is missing", f"say what is shared: {', '.join(Shared)}")
    # Asked before the rest is imported: sooner, and polars would keep Ctrl-C from the prompt.
    what = shared or _shared()
    answers: dict[str, Answer] = {
        key: _asked(QUESTIONS[key]) if shared is None else (None if said is None else ANSWERS[said])
        for key, said in flags.items()
    }
    from aboveboard.cli.text import choices_text
    from aboveboard.commands import recommend

    found = recommend(what.value, answers, out)
    echo_json(found.as_dict()) if output is Format.JSON else typer.echo(choices_text(found))


def _shared() -> Shared:
    """Ask on the terminal until the answer is one of those offered."""
    question = f"What would the parties share? {', '.join(Shared)}"
    while (said := typer.prompt(question).strip().lower()) not in set(Shared):
        typer.echo(f"{said!r} is none of them.", err=True)
    return Shared(said)


def _asked(question: str) -> Answer:
    """Ask on the terminal; an empty answer means that it is not known."""
    meant: dict[str, Answer] = {"": None, "y": "yes", "n": "no", "yes": "yes", "no": "no"}
    while True:
        said = typer.prompt(f"{question} yes, no, or empty", default="", show_default=False)
        if said.strip().lower() in meant:
            return meant[said.strip().lower()]
