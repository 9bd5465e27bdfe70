"""`check`: a collaboration file and its data, before a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aboveboard.cli.layout import print_text, wrap
from aboveboard.cli.options import Format, FormatOption, OutsideOption, echo_json
from aboveboard.errors import InputError
from aboveboard.formatting import format_count, format_quantity, join_names

if TYPE_CHECKING:
    from aboveboard.commands.checking import CheckReport


KINDS = {
    "domain": "domains",
    "address": "addresses",
    "url": "URLs",
    "email": "mail addresses",
    "hash": "hashes",
    "text": "other texts",
}
"""Kinds of elements, as a sentence counts them."""


def check(
    file: Annotated[
        Path | None,
        typer.Argument(help="The collaboration file (TOML); '-' reads standard input."),
    ] = None,
    mine: Annotated[Path | None, typer.Option(help="Check your own data file alone.")] = None,
    terms: Annotated[Path | None, typer.Option(help="With --mine: the collaboration file.")] = None,
    party: Annotated[str | None, typer.Option(help="With --mine: your name in it.")] = None,
    allow_outside: OutsideOption = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings, too.")] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Check a collaboration file and its data, without a run.

    Reads everything, trains nothing, executes no code of yours, and reports all faults at once.
    Exit status 2 if there is one.
    """
    from aboveboard.commands.checking import check_collaboration, check_own_data

    if mine is not None:
        where = terms or file
        if where is None or party is None:
            missing = [name for name, x in (("--terms", where), ("--party", party)) if x is None]
            raise InputError(
                "--mine", f"it needs {join_names(missing)}, too", "name what is missing"
            )
        report = check_own_data(mine, where, party)
    elif terms is not None or party is not None:
        given = "--terms" if terms is not None else "--party"
        raise InputError(given, "it goes with --mine", "name your own data file with --mine")
    elif file is None:
        raise InputError("check", "there is no collaboration file", "name one")
    else:
        report = check_collaboration(file, allow_outside=allow_outside)
    _print_report(report, output)
    status = report.exit_status(strict=strict)
    if status:
        raise typer.Exit(status)
    if output is Format.TEXT:
        print_text(format_check(report))


def _print_report(report: CheckReport, output: Format) -> None:
    """Print JSON, or faults and warnings to standard error."""
    if output is Format.JSON:
        echo_json(report.as_dict())
        return
    for fault in report.faults:
        print_text(f"aboveboard: {fault}", error=True)
    for warning in report.warnings:
        print_text(f"warning: {warning}", error=True)


def format_check(report: CheckReport) -> str:
    """Return what a check without a fault found: the parties, and what a run will execute."""
    parties = format_quantity(len(report.parties), "party", "parties")
    counted = f", {parties}" if report.parties else ""
    lines = [f"{report.file}: {report.mechanism}{counted}; no fault"]
    for name, party in report.parties.items():
        sizes = [] if party.elements is None else [format_quantity(party.elements, "element")]
        if len(party.kinds) > 1 or set(party.kinds) - {"text"}:
            counted = join_names(
                f"{format_count(n)} {KINDS[kind]}" for kind, n in party.kinds.items()
            )
            only = KINDS[next(iter(party.kinds))]
            sizes.append(counted if len(party.kinds) > 1 else f"all {only}")
        if party.left_out:
            sizes.append(f"{format_count(party.left_out)} left out")
        lines.append(f"  {name}" + (f": {', '.join(sizes)}" if sizes else ""))
    if report.cost:
        lines.append(wrap(report.cost, label="cost: "))
    if report.code:
        lines.append("a run executes code that comes with this file; read it first:")
        lines += [f"  {file}  {digest}" for file, digest in sorted(report.code.items())]
        lines.append(f"to let it run: --trust-code {report.trust}")
    return "\n".join(lines)
