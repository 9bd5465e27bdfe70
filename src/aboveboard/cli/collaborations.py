"""`run`, `audit`, `design`, `replay`: what is done with a collaboration file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aboveboard.cli.layout import print_text
from aboveboard.cli.options import (
    CacheOption,
    ExecutorOption,
    FileArgument,
    ForceOption,
    Format,
    FormatOption,
    GameArgument,
    OutsideOption,
    TrustOption,
    echo_json,
)
from aboveboard.cli.progress import show_checks, show_evaluations
from aboveboard.errors import InputError
from aboveboard.formatting import format_rounded

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from aboveboard.auditing import Budget
    from aboveboard.collaborations.collaboration import Collaboration


def run(
    file: FileArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="The settlement folder to make.")],
    force: ForceOption = False,
    spend: Annotated[
        bool,
        typer.Option("--spend", help="Allow releases to spend more privacy than parties allow."),
    ] = False,
    bundles: Annotated[
        bool,
        typer.Option(
            "--bundles/--no-bundles",
            help="Leave each party a signed bundle, by which it verifies its part.",
        ),
    ] = True,
    executor: ExecutorOption = None,
    cache: CacheOption = None,
    trust_code: TrustOption = None,
    allow_outside: OutsideOption = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Run a collaboration: replies, manifest, report.

    Writes one folder: a reply and a bundle for each party, settlement.json, and report.html. Exit
    status 1 if a promise of the mechanism fails; 0 also where the run leaves promises to an audit.
    """
    from aboveboard.cli.evidence import evidence_text, find_operator
    from aboveboard.cli.text import settlement_table
    from aboveboard.collaborations.collaboration import load
    from aboveboard.commands import run_collaboration
    from aboveboard.commands.outputs import refuse_folder

    refuse_folder("--out", out, force=force)  # before the work, not after
    operator = find_operator() if bundles else None
    collaboration = load(file, trust_code=trust_code, allow_outside=allow_outside)
    collaboration = collaboration.with_spending("allow" if spend else "refuse")
    with (
        show_evaluations() as progress,
        _with_work(collaboration, executor, cache, progress) as working,
    ):
        report = run_collaboration(working, out, force=force, operator=operator)
    if output is Format.JSON:
        echo_json(report.as_dict())
    else:
        unit = collaboration.unit
        currency = collaboration.file.currency
        print_text(
            settlement_table(report.settlement, unit, report.verdicts, currency, report.kinds)
        )
        print_text(f"\nreplies, manifest and report: {out}")
        if operator is not None:
            print_text(evidence_text(collaboration))
    if report.verdicts.promises_stand is False:
        raise typer.Exit(1)


def audit(
    file: GameArgument,
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--property",
            help="What to audit, repeatable: ex-post-ic, dsic, ir, ir=every, epsilon-ic=1/2, "
            "coalition-proof=3, coalition-proof-with-transfers=2, pareto, "
            "pareto=no-less, efficient, symmetric, strong-dominance, weak-budget, "
            "strong-budget, unique-equilibrium; or what the mechanism itself promises or "
            "examines, such as root-solvability.",
        ),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Maximum checks in an exhaustive audit.")
    ] = None,
    samples: Annotated[
        int, typer.Option(min=1, help="Samples per party or coalition beyond that limit.")
    ] = 5_000,
    seconds: Annotated[
        float,
        typer.Option(help="Seconds to search; a verdict says if its search was cut short."),
    ] = 10,
    refuse: Annotated[
        bool, typer.Option("--refuse", help="Refuse what is too large instead of sampling.")
    ] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Exit with 1 or 3 also for samples and for examined properties."
        ),
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report page here.")] = None,
    executor: ExecutorOption = None,
    cache: CacheOption = None,
    trust_code: TrustOption = None,
    allow_outside: OutsideOption = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Find who gains by lying, by how much, and how sure that is.

    Exit status: 0 if every promise holds, or no counterexample is found in a sample; 1 if one
    fails; 3 if one is undecided. In a game of Gambit each player's first strategy is the truth.
    """
    from aboveboard.cli.text import audit_text
    from aboveboard.collaborations.collaboration import load
    from aboveboard.collaborations.examination import list_properties
    from aboveboard.commands import audit_collaboration, parse_properties
    from aboveboard.commands.game_files import audit_game_file
    from aboveboard.commands.outputs import refuse_file
    from aboveboard.games.gambit_files import is_game_file

    budget = _make_budget(rows, samples, seconds, refuse=refuse)
    refuse_file("--report", report)
    if is_game_file(file):
        with show_checks(f"auditing {file.name}") as progress:
            result = audit_game_file(file, parse_properties(names), budget, progress)
    else:
        collaboration = load(file, trust_code=trust_code, allow_outside=allow_outside)
        properties = parse_properties(names, list_properties(collaboration) if names else ())
        with (
            show_checks(f"auditing {collaboration.mechanism.NAME}") as progress,
            _with_work(collaboration, executor, cache) as working,
        ):
            result = audit_collaboration(working, properties, budget, progress)
    if report is not None:
        result.write_report(report)
    if output is Format.JSON:
        echo_json(result.as_dict())
    else:
        print_text(audit_text(result))
        if report is not None:
            print_text(f"\nreport: {report}")
    status = result.exit_status(strict=strict)
    if status:
        raise typer.Exit(status)


def _make_budget(rows: int | None, samples: int, seconds: float, *, refuse: bool) -> Budget:
    """Return how much an audit may do, and whether what is more is refused."""
    from aboveboard.auditing import Budget

    if not 0 < seconds < inf:
        raise InputError(
            "--seconds",
            f"it is {format_rounded(seconds)}",
            "write a finite number above 0, such as 10",
        )
    beyond: Literal["refuse", "sample"] = "refuse" if refuse else "sample"
    return Budget(rows=rows, samples=samples, beyond=beyond, seconds=seconds)


def compare(
    file: FileArgument,
    rules: Annotated[
        str,
        typer.Option(
            help="Rules, separated by commas: mechanisms, or values of the file's key 'rule'."
        ),
    ],
    report: Annotated[
        Path | None, typer.Option(help="Write the comparison as one page here.")
    ] = None,
    trust_code: TrustOption = None,
    allow_outside: OutsideOption = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Apply several rules to the same data, side by side."""
    from aboveboard.cli.text import comparison_text
    from aboveboard.commands.comparing import compare_rules, write_comparison
    from aboveboard.commands.outputs import refuse_file

    refuse_file("--report", report)
    named = [rule.strip() for rule in rules.split(",") if rule.strip()]
    results = compare_rules(file, named, trust_code, allow_outside=allow_outside)
    if report is not None:
        write_comparison(results, report)
    if output is Format.JSON:
        echo_json({"rules": [result.as_dict() for result in results]})
    else:
        print_text(comparison_text(results))
        if report is not None:
            print_text(f"\nreport: {report}")


@contextmanager
def _with_work(
    collaboration: Collaboration,
    executor: str | None,
    cache: Path | None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Collaboration]:
    """Yield the collaboration, its long evaluations done where the options say."""
    from aboveboard.mechanisms.mechanism import LongRunning, Work

    rule = collaboration.mechanism
    spreads = isinstance(rule, LongRunning) and rule.SPREADS
    keeps = isinstance(rule, LongRunning) and rule.KEEPS
    keeps = keeps or getattr(rule, "keeps_trainings", False)
    for option, given, taken in (("--executor", executor, spreads), ("--cache", cache, keeps)):
        if given is not None and not taken:
            raise InputError(option, f"{rule.NAME} has no evaluations to spread or keep", "omit it")
    with _start_pool(executor) as pool:
        yield collaboration.with_work(Work(pool, cache, progress))


def _start_pool(executor: str | None) -> AbstractContextManager[Executor | None]:
    """Return the executor that an option names, imported only then."""
    if executor is None:
        return nullcontext()
    from aboveboard.valuation.evaluation.executors import open_executor

    return open_executor(executor)


def design(
    file: FileArgument,
    plot: Annotated[
        Path | None, typer.Option(help="Write the result as an SVG picture here.")
    ] = None,
    executor: ExecutorOption = None,
    cache: CacheOption = None,
    trust_code: TrustOption = None,
    allow_outside: OutsideOption = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Find the best parameters, or what must be known first.

    exchange.union: how often to inspect, and for what deposit. valuation: the platform's offer to
    its users. learning.payments: the rule for parties that stay away. learning.desirable: how far
    the parties' data may differ. curation: whether truth is the only equilibrium, and what would
    make it so.
    """
    from aboveboard.cli.design_text import offer_text
    from aboveboard.collaborations.collaboration import load
    from aboveboard.commands import design
    from aboveboard.commands.outputs import refuse_file

    refuse_file("--plot", plot)
    collaboration = load(file, trust_code=trust_code, allow_outside=allow_outside)
    with (
        show_evaluations() as progress,
        _with_work(collaboration, executor, cache, progress) as working,
    ):
        offer = design(working)
    if plot is not None:
        from aboveboard.report.plot import write_offer

        write_offer(offer, plot)
    echo_json(offer.as_dict()) if output is Format.JSON else print_text(offer_text(offer))


def replay(
    folder: Annotated[Path, typer.Argument(help="A settlement folder.")],
    file: Annotated[
        Path | None, typer.Option(help="The collaboration file, if it has moved.")
    ] = None,
    trust_code: TrustOption = None,
    allow_outside: OutsideOption = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Run a settlement again and compare every byte.

    Exit status 1 if a file differs.
    """
    from aboveboard.commands import settle
    from aboveboard.settlements.replaying import replay as compare_again

    result = compare_again(folder, settle, file, trust_code=trust_code, allow_outside=allow_outside)
    if output is Format.JSON:
        echo_json(result.as_dict())
    elif result.differ:
        print_text(f"{folder}: {len(result.differ)} of {result.files} files differ:")
        for name in result.differ:
            print_text(f"  {name}")
    else:
        same = result.files - len({*result.recorded, *result.charts})
        counted = "all" if same == result.files else f"of {result.files} files"
        what = f"{same} files" if same == result.files else str(same)
        print_text(f"{folder}: {counted} {what} are the same, byte for byte")
    if output is Format.TEXT:
        for title, names in (
            ("as recorded, since no replay can make them", result.recorded),
            ("the same but for the shapes of their charts", result.charts),
        ):
            if names:
                print_text(f"  {len(names)} {title}: {', '.join(names)}")
        for claim in result.unconfirmed:
            print_text(f"  not proved again: {claim}")
        if result.versions:
            print_text(f"  computed by other versions: {', '.join(result.versions)}")
    if result.differ:
        raise typer.Exit(1)
