"""`aboveboard party`: a party of a training, on its own machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aboveboard.cli.layout import print_text
from aboveboard.errors import InputError

if TYPE_CHECKING:
    from aboveboard.commands.training_party import Agreement


def party(
    superlink: Annotated[
        str | None, typer.Option(help="Address of the center's SuperLink, HOST:PORT.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="File of this machine's private key; see --new-key.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="The file of your rows.")] = None,
    label: Annotated[
        str | None, typer.Option(help="Your file's name for the column that is predicted.")
    ] = None,
    certificates: Annotated[
        Path | None,
        typer.Option(help="PEM file of the authority behind the SuperLink's certificate."),
    ] = None,
    terms: Annotated[
        str | None,
        typer.Option(
            help="What you agreed to: the collaboration file, or the beginning of the terms' hash."
        ),
    ] = None,
    app: Annotated[
        str | None, typer.Option(help="Hash of the app that you agreed to; see --show-app.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Exit when a training is over.")] = False,
    new_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a new private key, print the public one, and exit."
        ),
    ] = None,
    show_app: Annotated[
        bool, typer.Option("--show-app", help="Print the hash of the installed app, and exit.")
    ] = False,
) -> None:
    """Take part in a training with rows that stay on your machine.

    Needs Flower: pip install 'aboveboard[flower]'. Runs no code that arrives, and refuses
    trainings of another app than the installed one. Ctrl+C leaves.
    """
    from aboveboard.learning.flower import compute_app_hash, make_node_key

    if new_key is not None:
        print_text(make_node_key(new_key))
        return
    if show_app:
        print_text(compute_app_hash())
        return
    from aboveboard.commands.training_party import serve_party
    from aboveboard.learning.flower import require_flower

    require_flower("party")
    if key is None:
        raise InputError("--key", "it is missing", "make one with --new-key FILE")
    if data is None:
        raise InputError("--data", "it is missing", "name the file of your rows")
    serve_party(
        data,
        key,
        superlink=superlink,
        certificates=certificates,
        label=label,
        app=app,
        agreement=None if terms is None else _find_agreement(terms),
        once=once,
        tell=lambda text: print_text(text, error=True),
    )


def _find_agreement(terms: str) -> Agreement:
    from aboveboard.cli.rounds import attend_round
    from aboveboard.commands.training_party import read_agreement, read_round_agreement

    path = Path(terms)
    if path.suffix != ".toml":
        return read_round_agreement(attend_round(terms).member)
    try:
        return read_agreement(path.read_bytes(), terms)
    except OSError as error:
        raise InputError(
            f"--terms: {terms}", f"it cannot be read ({error.strerror})", "name another"
        ) from None
