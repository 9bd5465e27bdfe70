"""`check`, `run`, `audit`, `design`, `replay`: what is done with a collaboration file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aboveboard.cli.options import (
    CacheOption,
    ExecutorOption,
    FileArgument,
    ForceOption,
    Format,
    FormatOption,
    echo_json,
)
from aboveboard.cli.progress import checks, evaluations
from aboveboard.errors import InputError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from aboveboard.collaborations.collaboration import Collaboration


def check(file: FileArgument, output: FormatOption = Format.TEXT) -> None:
    """Check a collaboration file and its data, without a run."""
    from aboveboard.collaborations.collaboration import load
    from aboveboard.formatting import format_quantity

    collaboration = load(file)
    sizes = {
        name: len(report) if hasattr(report, "frame") else None
        for name, report in collaboration.reports.items()
    }
    if output is Format.JSON:
        echo_json({"file": str(file), "mechanism": collaboration.mechanism.NAME, "parties": sizes})
        return
    parties = format_quantity(len(sizes), "party", "parties")
    typer.echo(f"{file}: {collaboration.mechanism.NAME}, {parties}; nothing is wrong")
    for name, size in sizes.items():
        typer.echo(f"  {name}" + ("" if size is None else f": {format_quantity(size, 'element')}"))


def run(
    file: FileArgument,
    out: Annotated[Path, typer.Option(help="The settlement folder to make.")],
    force: ForceOption = False,
    executor: ExecutorOption = None,
    cache: CacheOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Run a collaboration: replies, manifest, report.

    Writes one folder: a reply for each party, settlement.json, and report.html.
    """
    from aboveboard.cli.text import settlement_table
    from aboveboard.collaborations.collaboration import load
    from aboveboard.commands import settle
    from aboveboard.settlements.writing import summarize

    collaboration = load(file)
    with (
        evaluations() as progress,
        _at_work(collaboration, executor, cache, progress) as working,
    ):
        settlement, _ = settle(working, out, force=force)
    if output is Format.JSON:
        echo_json(summarize(settlement))
    else:
        typer.echo(settlement_table(settlement, collaboration.mechanism.UNIT))
        typer.echo(f"\nreplies, manifest and report: {out}")


def audit(
    file: FileArgument,
    claims: Annotated[
        list[str] | None,
        typer.Option(
            "--property",
            help="What to audit, repeatable: ex-post-ic, dsic, ir, ir=every, epsilon-ic=1/2, "
            "coalition-proof=3, coalition-proof-with-transfers=2, pareto, "
            "pareto=no-less, efficient, symmetric, strong-dominance, weak-budget, "
            "strong-budget, unique-equilibrium.",
        ),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Most checks of an exhaustive audit.")
    ] = None,
    samples: Annotated[
        int, typer.Option(min=1, help="Checks drawn for each party or coalition past that.")
    ] = 5_000,
    refuse: Annotated[
        bool, typer.Option("--refuse", help="Refuse what is too large instead of sampling.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report page here.")] = None,
    executor: ExecutorOption = None,
    cache: CacheOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Find who gains by lying, by how much, and how sure it is.

    Exit status 1 if a property fails.
    """
    from aboveboard.auditing import Budget
    from aboveboard.cli.text import audit_text
    from aboveboard.collaborations.collaboration import load
    from aboveboard.commands import audit_collaboration, parse_properties

    budget = Budget(rows=rows, samples=samples, beyond="refuse" if refuse else "sample")
    collaboration = load(file)
    properties = parse_properties(claims)
    with (
        checks(f"auditing {collaboration.mechanism.NAME}") as progress,
        _at_work(collaboration, executor, cache) as working,
    ):
        result = audit_collaboration(working, properties, budget, progress)
    if report is not None:
        result.write_report(report)
    if output is Format.JSON:
        echo_json(result.as_dict())
    else:
        typer.echo(audit_text(result))
        if report is not None:
            typer.echo(f"\nreport: {report}")
    if result.fails:
        raise typer.Exit(1)


@contextmanager
def _at_work(
    collaboration: Collaboration,
    executor: str | None,
    cache: Path | None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Collaboration]:
    """Say where long evaluations are done."""
    from aboveboard.mechanisms.mechanism import LongRunning, Work

    rule = collaboration.mechanism
    if not (isinstance(rule, LongRunning) and rule.SPREADS):
        for option, given in (("--executor", executor), ("--cache", cache)):
            if given is not None:
                raise InputError(
                    option, f"{rule.NAME} has no evaluations to spread or keep", "leave it out"
                )
    with _pool(executor) as pool:
        yield collaboration.with_work(Work(pool, cache, progress))


def _pool(executor: str | None) -> AbstractContextManager[Executor | None]:
    """Start what an option names; only then is it imported."""
    if executor is None:
        return nullcontext()
    from aboveboard.valuation.evaluation.executors import executor as executor_of

    return executor_of(executor)


def design(
    file: FileArgument,
    plot: Annotated[
        Path | None, typer.Option(help="Write what was found as an SVG picture here.")
    ] = None,
    executor: ExecutorOption = None,
    cache: CacheOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Find the best parameters, or what must be known first.

    valuation: the platform's offer to its users. learning.desirable: how far the parties' data may
    differ. curation: whether truth is the only equilibrium, and what would make it so.
    """
    from aboveboard.cli.text import offer_text
    from aboveboard.collaborations.collaboration import load
    from aboveboard.commands import design

    collaboration = load(file)
    with (
        evaluations() as progress,
        _at_work(collaboration, executor, cache, progress) as working,
    ):
        offer = design(working)
    if plot is not None:
        from aboveboard.report.plot import write_offer

        write_offer(offer, plot)
    echo_json(offer.as_dict()) if output is Format.JSON else typer.echo(offer_text(offer))


def replay(
    folder: Annotated[Path, typer.Argument(help="A settlement folder.")],
    file: Annotated[
        Path | None, typer.Option(help="The collaboration file, if it has moved.")
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Run a settlement again and compare every byte.

    Exit status 1 if a file differs.
    """
    from aboveboard.commands import settle
    from aboveboard.settlements.replaying import replay as run_again

    result = run_again(folder, settle, file)
    if output is Format.JSON:
        echo_json(result.as_dict())
    elif result.differ:
        typer.echo(f"{folder}: {len(result.differ)} of {result.files} files differ:")
        for name in result.differ:
            typer.echo(f"  {name}")
    else:
        typer.echo(f"{folder}: all {result.files} files are the same, byte for byte")
    if result.differ:
        raise typer.Exit(1)
