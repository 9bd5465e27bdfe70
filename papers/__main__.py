"""`python -m papers`: check the papers' claims and compute their figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aboveboard.cli import run_app
from aboveboard.cli.options import Format, FormatOption, echo_json
from aboveboard.cli.progress import checks
from aboveboard.errors import InputError

HERE = Path("docs")
"""Where this repository keeps the table of claims."""


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def reproduce(
    name: Annotated[
        str | None,
        typer.Argument(
            help="One claim, such as exchange/theorem-2.1, or one figure; default: all claims."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All claims and all figures; some minutes.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random instances.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for claims.md and for figures' tables (CSV) and pictures (PNG); default "
            "for all claims: docs, where it holds a claims.md."
        ),
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Check the papers' claims, or compute their figures.

    All claims take about a minute, with --all the figures another.
    """
    if name is None:
        _reproduce_all(seed, out, output, with_figures=everything)
    elif everything:
        raise InputError("--all", f"{name} is named as well", "leave one of the two out")
    else:
        _reproduce_one(name, seed, out, output)


def _reproduce_all(seed: int, out: Path | None, output: Format, *, with_figures: bool) -> None:
    from papers.reproduction import reproduction_of
    from papers.text import reproduction_text

    if out is None and seed == 0 and _ours(HERE / "claims.md"):
        out = HERE  # in a checkout of this repository
    with checks("claims") as told:
        found = reproduction_of(seed, out, with_figures=with_figures, told=told)
    if output is Format.TEXT:
        typer.echo(reproduction_text(found))
    elif with_figures:
        echo_json(found.as_dict())
    else:
        echo_json(found.as_dict()["claims"])  # a list, as of one claim


def _ours(page: Path) -> bool:
    """Say whether this is a table of claims that was written here, and no other file."""
    from papers.claims import HEADING

    try:
        with page.open(encoding="utf-8") as stream:
            return stream.readline().rstrip("\n") == HEADING
    except (OSError, UnicodeDecodeError):
        return False


def _reproduce_one(name: str, seed: int, out: Path | None, output: Format) -> None:
    from papers.claims import find
    from papers.claims import reproduce as check_claim
    from papers.reproduction import figure_of
    from papers.text import claims_text, figure_text

    figure = figure_of(name, seed, out)
    if figure is not None:
        echo_json(figure.as_dict()) if output is Format.JSON else typer.echo(figure_text(figure))
        return
    claim = find(name)
    if out is not None:
        raise InputError("--out", f"{name} is one claim", "leave it out, or name a figure or none")
    result = check_claim(claim, seed)
    echo_json([result.as_dict()]) if output is Format.JSON else typer.echo(claims_text([result]))


if __name__ == "__main__":
    run_app(app, "papers")
