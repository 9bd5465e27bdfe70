"""Options that several commands share, and JSON for programs."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from aboveboard.formatting.plain_json import format_json


class YesNo(StrEnum):
    """An answer to a question."""

    YES = "yes"
    NO = "no"


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[
    Format, typer.Option("--format", "-f", help="Print text, or JSON for programs.")
]
FileArgument = Annotated[
    Path, typer.Argument(help="The collaboration file (TOML); '-' reads standard input.")
]
GameArgument = Annotated[
    Path,
    typer.Argument(
        help="The collaboration file (TOML), or a game of Gambit (.nfg, .efg); '-' reads standard "
        "input."
    ),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace an existing settlement folder.")
]


ExecutorOption = Annotated[
    str | None,
    typer.Option(help="Where long evaluations run: threads:4, processes:2, dask://HOST:PORT."),
]
CacheOption = Annotated[
    Path | None, typer.Option(help="Folder that keeps long evaluations for the next run.")
]

TrustOption = Annotated[
    str | None,
    typer.Option(
        "--trust-code",
        metavar="SHA256",
        help="Run the code that comes with the file if this is its digest ('check' shows it).",
    ),
]
OutsideOption = Annotated[
    bool,
    typer.Option("--allow-outside", help="Let the file name files outside of its folder."),
]


def echo_json(data: Any) -> None:
    """Print plain data as JSON; what cannot be written or shown is escaped, as JSON does."""
    text = format_json(data, indent=2)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(data, indent=2)
    typer.echo(text)


MEMBER_STEPS = ("agree", "commit", "submit", "accept")
"""What members do in a round; each may have a deadline."""


def parse_deadlines(given: list[str]) -> dict[str, str]:
    """Return deadlines by step, from texts such as commit=2026-12-01T12:00:00Z.

    Raises
    ------
    InputError
        If a text names no step, or one that another names too.
    """
    from aboveboard.errors import InputError

    deadlines: dict[str, str] = {}
    for text in given:
        step, gap, moment = text.partition("=")
        if not gap or step not in MEMBER_STEPS or step in deadlines:
            problem = "it stands twice" if step in deadlines else "it names no step"
            raise InputError(
                f"--deadline {text!r}",
                problem,
                f"write STEP=TIME once for each: {', '.join(MEMBER_STEPS)}",
            )
        deadlines[step] = moment
    return deadlines
