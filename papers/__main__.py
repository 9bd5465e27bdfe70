"""`python -m papers`: check the papers' claims and compute their figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aboveboard.cli import run_app
from aboveboard.cli.options import Format, FormatOption, echo_json
from aboveboard.cli.progress import show_checks
from aboveboard.errors import InputError

DOCS = Path("docs")
"""Where this repository keeps the table of claims."""

app = typer.Typer(
    name="papers", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


@app.command()
def check_papers(
    name: Annotated[
        str | None,
        typer.Argument(
            help="One claim, such as exchange/theorem-2.1, or one figure. Default: all claims.",
            metavar="[CLAIM | FIGURE]",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All claims and all figures. Takes some minutes.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random instances.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for claims.md and for the figures' tables (CSV) and pictures (PNG). "
            "Default for all claims: docs, if it holds a claims.md."
        ),
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Check the papers' claims, or compute their figures.

    All claims take about a minute. With --all, the figures take another.
    """
    if name is None:
        _check_all(seed, out, output, with_figures=everything)
    elif everything:
        raise InputError("--all", f"{name} is named as well", "leave one of the two out")
    else:
        _check_one(name, seed, out, output)


def _check_all(seed: int, out: Path | None, output: Format, *, with_figures: bool) -> None:
    from papers.reproduction import reproduce_papers
    from papers.text import format_reproduction

    if out is None and seed == 0 and _is_claims_page(DOCS / "claims.md"):
        out = DOCS  # in a checkout of this repository
    with show_checks("claims") as progress:
        reproduction = reproduce_papers(seed, out, with_figures=with_figures, progress=progress)
    if output is Format.TEXT:
        typer.echo(format_reproduction(reproduction))
    elif with_figures:
        echo_json(reproduction.as_dict())
    else:
        echo_json(reproduction.as_dict()["claims"])  # a list, as for one claim


def _is_claims_page(page: Path) -> bool:
    """Return whether this is a table of claims that we wrote."""
    from papers.claims import HEADING

    try:
        with page.open(encoding="utf-8") as stream:
            return stream.readline().rstrip("\n") == HEADING
    except (OSError, UnicodeDecodeError):
        return False


def _check_one(name: str, seed: int, out: Path | None, output: Format) -> None:
    from papers.claims import check_claim, find_claim
    from papers.reproduction import compute_named_figure
    from papers.text import format_claims, format_figure

    figure = compute_named_figure(name, seed, out)
    if figure is not None:
        echo_json(figure.as_dict()) if output is Format.JSON else typer.echo(format_figure(figure))
        return
    claim = find_claim(name)
    if out is not None:
        raise InputError("--out", f"{name} is one claim", "leave it out, or name a figure or none")
    result = check_claim(claim, seed)
    if output is Format.JSON:
        echo_json([result.as_dict()])
    else:
        typer.echo(format_claims([result]))


if __name__ == "__main__":
    run_app(app, "papers", ends_process=True)
