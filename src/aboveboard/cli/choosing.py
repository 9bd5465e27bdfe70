"""`choose`: which mechanism fits, by options or by questions."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aboveboard.cli.layout import print_text
from aboveboard.cli.options import Format, FormatOption, YesNo, echo_json
from aboveboard.errors import InputError

if TYPE_CHECKING:
    from aboveboard.commands.choosing import YesNoUnknown


ANSWERS: dict[YesNo, YesNoUnknown] = {YesNo.YES: "yes", YesNo.NO: "no"}


class SharedData(StrEnum):
    """What parties may share."""

    RECORDS = "records"
    NUMBER = "number"
    BITS = "bits"
    MODELS = "models"
    GOODS = "goods"


def choose(
    shared: Annotated[SharedData | None, typer.Option(help="What the parties would share.")] = None,
    money: Annotated[YesNo | None, typer.Option(help="May money change hands?")] = None,
    disclosure: Annotated[
        YesNo | None, typer.Option(help="Is disclosure costly, even to the center alone?")
    ] = None,
    rivals: Annotated[
        YesNo | None, typer.Option(help="Does a party lose if its rivals gain?")
    ] = None,
    collusion: Annotated[YesNo | None, typer.Option(help="May parties collude?")] = None,
    values: Annotated[
        YesNo | None, typer.Option(help="Is it known what things are worth to each party?")
    ] = None,
    hiding: Annotated[YesNo | None, typer.Option(help="Can a party hide part of its data?")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write the first fitting mechanism's starting file here."),
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Find the mechanisms whose assumptions hold.

    Without options, asks interactively.
    """
    from aboveboard.commands.choosing import QUESTIONS

    options = {
        "money": money,
        "disclosure": disclosure,
        "rivals": rivals,
        "collusion": collusion,
        "values": values,
        "hiding": hiding,
    }
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if shared is None and (any(options.values()) or not terminal):
        raise InputError(
            "--shared", "it is missing", f"name what is shared: {', '.join(SharedData)}"
        )
    # Asked before the rest is imported: polars would keep Ctrl-C from the prompt.
    what = shared or _ask_shared()
    answers: dict[str, YesNoUnknown] = {
        key: _ask(QUESTIONS[key])
        if shared is None
        else (None if option is None else ANSWERS[option])
        for key, option in options.items()
    }
    from aboveboard.cli.text import choices_text
    from aboveboard.commands import recommend

    found = recommend(what.value, answers, out)
    echo_json(found.as_dict()) if output is Format.JSON else print_text(choices_text(found))


def _ask_shared() -> SharedData:
    """Ask on the terminal until the answer is one of those offered."""
    question = f"What would the parties share? {', '.join(SharedData)}"
    while (reply := typer.prompt(question).strip().lower()) not in set(SharedData):
        print_text(f"{reply!r} is none of them.", error=True)
    return SharedData(reply)


def _ask(question: str) -> YesNoUnknown:
    """Ask on the terminal; an empty answer means unknown."""
    meanings: dict[str, YesNoUnknown] = {"": None, "y": "yes", "n": "no", "yes": "yes", "no": "no"}
    while True:
        reply = typer.prompt(f"{question} yes, no, or empty", default="", show_default=False)
        if reply.strip().lower() in meanings:
            return meanings[reply.strip().lower()]
