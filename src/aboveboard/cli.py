"""`aboveboard ..`: each command is a thin shell over a documented function.

Exit status: 0 done, 1 a property fails (or a replay differs), 2 the input is wrong.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aboveboard.errors import AboveboardError, InputError

if TYPE_CHECKING:
    from aboveboard.choosing import Answer
    from aboveboard.collaboration import Collaboration

app = typer.Typer(
    name="aboveboard",
    help="Run data collaborations under rules that make honesty pay, and audit that they do.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="Print text, or JSON for programs.")]
FileArgument = Annotated[Path, typer.Argument(help="The collaboration file (TOML).")]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace an existing settlement folder.")
]


# Click's, wherever this release of typer keeps it: newer ones carry a copy of their own.
USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]

ExecutorOption = Annotated[
    str | None,
    typer.Option(help="Where long evaluations are done: threads:4, processes:2, dask://HOST:PORT."),
]
CacheOption = Annotated[
    Path | None, typer.Option(help="Folder that keeps long evaluations for the next run.")
]


class _Ended(BaseException):
    """The process was asked to end: a run takes its half-written folder away first.

    No SystemExit, which is what a stranger's function raises when it gives up.
    """


def _end(_: int, __: object) -> None:
    raise _Ended


def main() -> None:
    """Run the command line; errors on purpose are one line and exit status 2."""
    signal.signal(signal.SIGTERM, _end)
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except AboveboardError as error:
        _say(f"aboveboard: {error}")
        sys.exit(2)
    except USAGE_ERROR as error:
        _say(_usage(error))
        sys.exit(2)
    except (typer.Abort, KeyboardInterrupt):
        _say("aboveboard: interrupted")
        sys.exit(128 + signal.SIGINT)
    except _Ended:
        sys.exit(128 + signal.SIGTERM)
    except BrokenPipeError:
        # Whoever read our output has what it wanted; Python must not complain at exit.
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - this is the edge


def _usage(error: Any) -> str:
    """Put a wrong command line into one line; no command at all gets the help."""
    if error.ctx is None or not sys.argv[1:]:
        return str(error.format_message())
    command = error.ctx.command_path
    message = " ".join(str(error.format_message()).split()).rstrip(".")
    return f"{command}: {message}; see '{command} --help'"


def _print(data: Any) -> None:
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))


def _version(value: bool) -> None:
    if value:
        from aboveboard._version import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    name: Annotated[str, typer.Argument(help="Which demonstration: exchange.")] = "exchange",
    out: Annotated[Path, typer.Option(help="Folder for lists, replies and report.")] = Path(
        "aboveboard-demo"
    ),
    output: FormatOption = Format.TEXT,
) -> None:
    """Exchange five real lists of disposable e-mail domains and audit it; offline."""
    from aboveboard.commands import demo as demonstrate
    from aboveboard.text import demo_text

    if name != "exchange":
        raise InputError(f"demo {name!r}", "there is no such demonstration", "known is: exchange")
    result = demonstrate(out)
    _print(result.as_dict()) if output is Format.JSON else typer.echo(demo_text(result))


@app.command()
def init(
    mechanism: Annotated[str, typer.Argument(help="For example exchange.union.")],
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("collaboration.toml"),
    output: FormatOption = Format.TEXT,
) -> None:
    """Write a commented collaboration file that runs."""
    from aboveboard.collaboration import mechanism_named
    from aboveboard.commands import write_starting_file

    rule = mechanism_named(mechanism, f"init {mechanism!r}")
    write_starting_file(rule, out)
    if output is Format.JSON:
        _print({"mechanism": rule.NAME, "file": str(out)})
    else:
        typer.echo(f"wrote {out}; run it with: aboveboard run {out} --out settlement")


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


@app.command()
def choose(
    shared: Annotated[
        Shared | None, typer.Option(help="What the parties would share; asked for if left out.")
    ] = None,
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
    """Find the mechanisms whose assumptions hold; on a terminal it asks what is left out."""
    from aboveboard.choosing import QUESTIONS
    from aboveboard.commands import chosen
    from aboveboard.text import choices_text

    flags = {
        "money": money,
        "disclosure": disclosure,
        "rivals": rivals,
        "collusion": collusion,
        "values": values,
        "hiding": hiding,
    }
    asked = sys.stdin.isatty() and sys.stdout.isatty() and not any(flags.values())
    if shared is None and not asked:
        raise InputError(
            "--shared", "it is missing", f"say what is shared: {', '.join(x.value for x in Shared)}"
        )
    what = shared or Shared(
        typer.prompt("What would the parties share? " + ", ".join(x.value for x in Shared))
    )
    answers: dict[str, Answer] = {
        key: _asked(QUESTIONS[key]) if asked else (None if given is None else ANSWERS[given])
        for key, given in flags.items()
    }
    found = chosen(what.value, answers, out)
    _print(found.as_dict()) if output is Format.JSON else typer.echo(choices_text(found))


def _asked(question: str) -> Answer:
    """Ask on the terminal; an empty answer means that it is not known."""
    meant: dict[str, Answer] = {"": None, "y": "yes", "n": "no", "yes": "yes", "no": "no"}
    while True:
        said = typer.prompt(f"{question} yes, no, or empty", default="", show_default=False)
        if said.lower() in meant:
            return meant[said.lower()]


@app.command()
def mechanisms(output: FormatOption = Format.TEXT) -> None:
    """List the mechanisms: what each assumes and guarantees."""
    from aboveboard.choosing import row_of
    from aboveboard.collaboration import mechanisms as installed
    from aboveboard.text import mechanism_table

    found = installed()
    if output is Format.JSON:
        _print(
            [
                {
                    "name": rule.NAME,
                    "summary": rule.SUMMARY,
                    "assumes": rule.ASSUMES,
                    "guarantees": rule.GUARANTEES,
                    "source": rule.SOURCE,
                    "cannot": None if (row := row_of(rule.NAME)) is None else row.cannot,
                }
                for rule in found.values()
            ]
        )
    else:
        typer.echo(mechanism_table(found))


@app.command()
def check(file: FileArgument, output: FormatOption = Format.TEXT) -> None:
    """Check a collaboration file and the data it names, without running it."""
    from aboveboard.collaboration import load

    collaboration = load(file)
    sizes = {
        name: len(report) if hasattr(report, "frame") else None
        for name, report in collaboration.reports.items()
    }
    if output is Format.JSON:
        _print({"file": str(file), "mechanism": collaboration.mechanism.NAME, "parties": sizes})
        return
    typer.echo(f"{file}: {collaboration.mechanism.NAME}, {len(sizes)} parties; nothing is wrong")
    for name, size in sizes.items():
        typer.echo(f"  {name}" + ("" if size is None else f": {size:,} elements"))


@app.command()
def run(
    file: FileArgument,
    out: Annotated[Path, typer.Option(help="The settlement folder to make.")],
    force: ForceOption = False,
    executor: ExecutorOption = None,
    cache: CacheOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Run a collaboration: a reply for each party, the manifest, and a report."""
    from aboveboard.collaboration import load
    from aboveboard.commands import settle
    from aboveboard.settlement import summary
    from aboveboard.text import settlement_table

    collaboration = load(file)
    with (
        _evaluations() as progress,
        _at_work(collaboration, executor, cache, progress) as working,
    ):
        settlement, _ = settle(working, out, force=force)
    if output is Format.JSON:
        _print(summary(settlement))
    else:
        typer.echo(settlement_table(settlement, collaboration.mechanism.UNIT))
        typer.echo(f"\nreplies, manifest and report: {out}")


@app.command()
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
    """Audit a collaboration: who gains by lying, by how much, or nobody, and how sure that is."""
    from aboveboard.auditing import Budget
    from aboveboard.collaboration import load
    from aboveboard.commands import audited, properties_named
    from aboveboard.text import audit_text

    budget = Budget(rows=rows, samples=samples, beyond="refuse" if refuse else "sample")
    collaboration = load(file)
    properties = properties_named(claims)
    with (
        _progress(collaboration.mechanism.NAME) as progress,
        _at_work(collaboration, executor, cache) as working,
    ):
        result = audited(working, properties, budget, progress)
    if report is not None:
        result.write_report(report)
    if output is Format.JSON:
        _print(result.as_dict())
    else:
        typer.echo(audit_text(result))
        if report is not None:
            typer.echo(f"\nreport: {report}")
    if result.verdicts.any_fails():
        raise typer.Exit(1)


@contextmanager
def _at_work(
    collaboration: Collaboration,
    executor: str | None,
    cache: Path | None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Collaboration]:
    """Say where long evaluations are done."""
    from aboveboard.mechanism import Expensive, Work
    from aboveboard.valuation.executors import executor as executor_of

    rule = collaboration.mechanism
    if not (isinstance(rule, Expensive) and rule.SPREADS):
        for option, given in (("--executor", executor), ("--cache", cache)):
            if given is not None:
                raise InputError(
                    option, f"{rule.NAME} has no evaluations to spread or keep", "leave it out"
                )
    with nullcontext() if executor is None else executor_of(executor) as pool:
        yield collaboration.with_work(Work(pool, cache, progress))


@contextmanager
def _evaluations() -> Iterator[Callable[[int, int], None] | None]:
    """Show how many long evaluations are done, on a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    columns = ("evaluations", MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", visible=False)
        yield lambda done, most: bar.update(task, completed=done, total=most, visible=True)


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int], None] | None]:
    """Show a bar on a terminal, and nothing in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"auditing {label}", total=None)
        checked = 0

        def advance(rows: int) -> None:
            nonlocal checked
            checked += rows
            bar.update(task, description=f"auditing {label}: {checked:,} checks")

        yield advance


@app.command()
def design(
    file: FileArgument,
    plot: Annotated[
        Path | None, typer.Option(help="Write what was found as an SVG picture here.")
    ] = None,
    executor: ExecutorOption = None,
    cache: CacheOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Find the best parameters, or what must be known before one begins.

    valuation: the platform's offer to its users. learning.desirable: how far the parties' data may
    differ. curation: whether truth is the only equilibrium, and what would make it so.
    """
    from aboveboard.collaboration import load
    from aboveboard.commands import designed
    from aboveboard.text import offer_text

    collaboration = load(file)
    with (
        _evaluations() as progress,
        _at_work(collaboration, executor, cache, progress) as working,
    ):
        offer = designed(working)
    if plot is not None:
        from aboveboard.plot import write_offer

        write_offer(offer, plot)
    _print(offer.as_dict()) if output is Format.JSON else typer.echo(offer_text(offer.as_dict()))


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(help="A settlement folder.")],
    file: Annotated[
        Path | None, typer.Option(help="The collaboration file, if it has moved.")
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Run a settlement again from its inputs and compare every byte."""
    from aboveboard.commands import settle
    from aboveboard.settlement import replay as run_again

    result = run_again(folder, settle, file)
    if output is Format.JSON:
        _print(result.as_dict())
    elif result.differ:
        typer.echo(f"{folder}: {len(result.differ)} of {result.files} files differ:")
        for name in result.differ:
            typer.echo(f"  {name}")
    else:
        typer.echo(f"{folder}: all {result.files} files are the same, byte for byte")
    if result.differ:
        raise typer.Exit(1)


@app.command()
def reproduce(
    claim: Annotated[
        str | None,
        typer.Argument(
            help="One claim, such as exchange/theorem-2.1, or one figure; default: all claims."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random instances.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for a figure's table (CSV) and picture (PNG).")
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Check the papers' claims, or compute one of their figures."""
    from aboveboard.papers.claims import claims, find
    from aboveboard.papers.claims import reproduce as check_claim
    from aboveboard.text import claims_text

    if _figure(claim, seed, out, output):
        return
    chosen = claims() if claim is None else (find(claim),)
    with _progress("claims") as progress:
        results = []
        for each in chosen:
            results.append(check_claim(each, seed))
            if progress is not None:
                progress(1)
    if output is Format.JSON:
        _print([result.as_dict() for result in results])
    else:
        typer.echo(claims_text(results))


def _figure(name: str | None, seed: int, out: Path | None, output: Format) -> bool:
    """Compute a figure, if the name is one's; say whether it was."""
    from aboveboard.commands import figure_of
    from aboveboard.papers.figures import figures
    from aboveboard.text import figure_text

    found = None if name is None else figure_of(name, seed, out)
    if found is None:
        if out is not None:
            known = ", ".join(figure.id for figure in figures())
            raise InputError("--out", "it goes with one figure", f"name one of {known}")
        return False
    _print(found.as_dict()) if output is Format.JSON else typer.echo(figure_text(found))
    return True


if __name__ == "__main__":
    main()
