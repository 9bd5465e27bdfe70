"""Options that several commands share, and JSON for programs."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


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
        help="Let the code that comes with the file run, if this is its digest ('check' shows it).",
    ),
]
OutsideOption = Annotated[
    bool,
    typer.Option("--allow-outside", help="Let the file name files outside of its folder."),
]


def echo_json(data: Any) -> None:
    """Print plain data as JSON."""
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
