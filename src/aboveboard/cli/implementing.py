"""`implement`: payments that would make a rule honest, or the proof that there are none."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from aboveboard.cli.layout import print_text
from aboveboard.cli.options import (
    FileArgument,
    Format,
    FormatOption,
    OutsideOption,
    TrustOption,
    echo_json,
)


class ShownConcept(StrEnum):
    """When truth must be best."""

    EX_POST = "ex-post"
    DOMINANT = "dominant"


class ShownPayments(StrEnum):
    """Which payments are shown."""

    GREATEST = "greatest"
    LEAST = "least"


def implement(
    file: FileArgument,
    ic: Annotated[
        ShownConcept,
        typer.Option(help="When truth must be best: if the others are truthful, or always."),
    ] = ShownConcept.EX_POST,
    rational: Annotated[
        bool,
        typer.Option("--rational/--no-rational", help="Require that nobody loses by taking part."),
    ] = True,
    budget: Annotated[
        bool,
        typer.Option("--budget/--no-budget", help="Require that payments never need a subsidy."),
    ] = True,
    payments: Annotated[
        ShownPayments,
        typer.Option(help="Which of all such payments to print: the greatest or the least."),
    ] = ShownPayments.GREATEST,
    trust_code: TrustOption = None,
    allow_outside: OutsideOption = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Find payments that make a rule honest.

    Or prove that there are none.

    Exit status: 0 payments exist, 1 none do, with the proof.
    """
    from aboveboard.cli.implementing_text import format_implementation
    from aboveboard.collaborations.collaboration import load
    from aboveboard.commands.implementing import implement_collaboration

    found = implement_collaboration(
        load(file, trust_code=trust_code, allow_outside=allow_outside),
        ic=ic.value,
        individually_rational=rational,
        budget="weak" if budget else None,
        payments=payments.value,
    )
    if output is Format.JSON:
        echo_json(found.as_dict())
    else:
        print_text(format_implementation(found))
    raise typer.Exit(0 if found.holds else 1)
