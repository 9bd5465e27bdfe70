"""`demo`, `init`, `mechanisms`: the first steps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aboveboard.cli.layout import print_text
from aboveboard.cli.options import Format, FormatOption, echo_json
from aboveboard.errors import InputError
from aboveboard.formatting import format_count


def demo(
    name: Annotated[str, typer.Argument(help="Which demonstration: exchange.")] = "exchange",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder for lists, replies and report; default: aboveboard-demo, or"
            " aboveboard-round between organisations.",
            show_default=False,
        ),
    ] = None,
    between: Annotated[
        bool,
        typer.Option(
            "--between-organisations",
            help="A whole round: each member signs, commits, submits under seal, and verifies.",
        ),
    ] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Exchange five real lists and audit the exchange; offline.

    The lists are of disposable e-mail domains, from installed packages.
    """
    if between:
        _demonstrate_round(out or Path("aboveboard-round"), output)
        return
    from aboveboard.cli.text import demo_text
    from aboveboard.commands import demo as run_demo

    if name != "exchange":
        raise InputError(f"demo {name!r}", "there is no such demonstration", "write: exchange")
    result = run_demo(out or Path("aboveboard-demo"))
    echo_json(result.as_dict()) if output is Format.JSON else print_text(demo_text(result))


def _demonstrate_round(out: Path, output: Format) -> None:
    from aboveboard.commands.round_demonstration import demonstrate_round

    result = demonstrate_round(out)
    if output is Format.JSON:
        echo_json(result.as_dict())
    else:
        lines = [f"the round is {result.state}; everything lies in {result.folder}"]
        for name, found in result.findings.items():
            lines += [
                "",
                f"{name} received {format_count(result.received[name])} domains",
                str(found),
            ]
        print_text("\n".join(lines))
    raise typer.Exit(result.exit_status)


def _complete_mechanism(incomplete: str) -> list[str]:
    """Return the installed mechanisms whose names begin so, for the shell."""
    from importlib.metadata import entry_points

    from aboveboard.collaborations.registry import GROUP

    names = sorted(entry.name for entry in entry_points(group=GROUP))
    return [name for name in names if name.startswith(incomplete)]


def init(
    mechanism: Annotated[
        str,
        typer.Argument(
            help="Its name, such as exchange.union; 'aboveboard mechanisms' prints all.",
            autocompletion=_complete_mechanism,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")] = Path(
        "collaboration.toml"
    ),
    output: FormatOption = Format.TEXT,
) -> None:
    """Write a commented collaboration file that runs.

    A mechanism of your own is named as module:Class; its module lies in this folder.
    """
    from aboveboard.collaborations.loading import find_named_rule
    from aboveboard.commands import write_starting_file

    rule = find_named_rule(mechanism, f"init {mechanism!r}")
    write_starting_file(rule, out)
    if output is Format.JSON:
        echo_json({"mechanism": rule.NAME, "file": str(out)})
    else:
        run = f"run it with: aboveboard run {out} --out settlement"
        then = run if rule.STARTING_FILE else "fill in its keys, then check it"
        print_text(f"wrote {out}; {then}")


def mechanisms(
    name: Annotated[
        str | None,
        typer.Argument(
            help="One mechanism, such as exchange.union, or module:Class; default: all.",
            autocompletion=_complete_mechanism,
        ),
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Print what each mechanism assumes, guarantees and costs."""
    from aboveboard.cli.text import describe_text
    from aboveboard.collaborations.loading import find_named_rule
    from aboveboard.collaborations.registry import load_mechanisms
    from aboveboard.commands import describe_mechanism

    if name is None:
        found = [describe_mechanism(rule) for rule in load_mechanisms().values()]
    else:
        found = [describe_mechanism(find_named_rule(name, f"mechanisms {name!r}"))]
    if output is Format.JSON:
        echo_json(found if name is None else found[0])
    else:
        print_text("\n\n".join(describe_text(each) for each in found))
