"""`aboveboard hub ..`: the center as a service."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from aboveboard.cli.layout import print_text
from aboveboard.cli.options import Format, FormatOption, echo_json, parse_deadlines
from aboveboard.cli.process_state import handle_signals, log_to_stderr
from aboveboard.errors import InputError
from aboveboard.formatting import format_quantity

hub = typer.Typer(
    help="Run a hub: rounds between organisations over HTTP. Needs aboveboard[hub].",
    no_args_is_help=True,
    rich_markup_mode=None,
)

FolderArgument = Annotated[Path, typer.Argument(help="The hub's folder.")]
AddressOption = Annotated[
    str | None,
    typer.Option(
        help="Where members reach the hub, such as http://127.0.0.1:8901 after '--port 0'; "
        "default: as configured."
    ),
]
IdArgument = Annotated[str, typer.Argument(help="The collaboration's id; 'hub status' shows it.")]


def open_folder(folder: Path) -> Any:
    """Return the hub in a folder.

    Raises
    ------
    InputError
        If it is none, or the server's packages are not installed.
    """
    try:
        from aboveboard.hub.home import open_hub
    except ModuleNotFoundError as error:
        raise _explain_missing(error) from error
    return open_hub(folder)


def _explain_missing(error: ModuleNotFoundError) -> Exception:
    if (error.name or "").startswith("aboveboard"):
        return error
    return InputError("hub", f"{error.name} is not installed", "pip install 'aboveboard[hub]'")


def echo_result(output: Format, text: str, data: Any) -> None:
    """Print a text, or plain data as JSON."""
    echo_json(data) if output is Format.JSON else print_text(text)


@hub.command("init")
def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
    name: Annotated[str, typer.Option(help="The hub's name, as members see it.")] = "hub",
    address: Annotated[
        str, typer.Option(help="Where members reach it, such as https://hub.example.")
    ] = "http://127.0.0.1:8000",
    database: Annotated[
        str, typer.Option(help="postgresql+psycopg://USER@HOST/NAME; default: SQLite.")
    ] = "",
    output: FormatOption = Format.TEXT,
) -> None:
    """Make a hub: its keys, its configuration, its tables."""
    try:
        from aboveboard.hub.configuration import check_configuration
        from aboveboard.hub.home import make_hub
    except ModuleNotFoundError as error:
        raise _explain_missing(error) from error
    given = {"name": name, "address": address, "database": database}
    made = make_hub(folder, check_configuration(given, "hub init"))
    text = f"wrote {folder}; its keys are {made.fingerprint}\nnext: aboveboard hub serve {folder}"
    echo_result(output, text, {"folder": str(folder), "fingerprint": made.fingerprint})
    made.close()


@hub.command("upgrade")
def upgrade(folder: FolderArgument, output: FormatOption = Format.TEXT) -> None:
    """Upgrade the tables to this version. Make a backup first."""
    try:
        from aboveboard.hub.home import upgrade_hub
    except ModuleNotFoundError as error:
        raise _explain_missing(error) from error
    upgrade_hub(folder)
    echo_result(output, f"the tables of {folder} are of this version", {"folder": str(folder)})


@hub.command("invite")
def invite(
    folder: FolderArgument,
    name: Annotated[str, typer.Argument(help="The organisation's name in collaborations.")],
    days: Annotated[int, typer.Option(min=1, max=365, help="Days until the link expires.")] = 14,
    address: AddressOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Print a link by which an organisation registers its keys, once."""
    opened = open_folder(folder)
    from aboveboard.hub.organizations import invite as make_invitation

    made = make_invitation(opened, name, address=address, days=days)
    until = datetime.fromtimestamp(made.expires, UTC).strftime("%Y-%m-%d %H:%M UTC")
    text = f"{made.link}\nsend it to {name} by a way that only {name} reads; it works until {until}"
    echo_result(output, text, {"name": name, "link": made.link, "expires": until})
    opened.close()


@hub.command("open")
def open_(
    folder: FolderArgument,
    file: Annotated[Path, typer.Argument(help="The collaboration file, without members' data.")],
    missing: Annotated[
        str, typer.Option(help="If a member is late: 'cancel' the round, or 'continue'.")
    ] = "cancel",
    shown: Annotated[
        str,
        typer.Option("--opened", help="What all members see afterwards: nothing, center, or all."),
    ] = "nothing",
    deadline: Annotated[
        list[str] | None,
        typer.Option(help="STEP=TIME, such as commit=2026-12-01T12:00:00Z; once for each step."),
    ] = None,
    auditor: Annotated[
        str | None, typer.Option(help="The organisation that rules after a dispute.")
    ] = None,
    counts: Annotated[
        str, typer.Option(help="Who counts overlaps: the 'center', or 'members' by tokens.")
    ] = "center",
    lost_key: Annotated[
        str,
        typer.Option(
            help="Who vouches for lost keys: 'nobody'; the 'center'; or the center with a "
            "'majority' or 'all' of the others."
        ),
    ] = "nobody",
    keep_days: Annotated[
        int | None, typer.Option(min=0, help="Days after the end until inputs are deleted.")
    ] = None,
    ask: Annotated[
        list[str] | None,
        typer.Option(help="What the rule asks while it runs: proposal, votes, bits; in order."),
    ] = None,
    answer_hours: Annotated[
        int | None, typer.Option(min=1, help="Hours that members have for each answer.")
    ] = None,
    most_rounds: Annotated[
        int | None, typer.Option(min=1, help="How many rounds these terms allow.")
    ] = None,
    most_added: Annotated[
        int | None, typer.Option(min=0, help="Elements that a list may gain from round to round.")
    ] = None,
    most_dropped: Annotated[
        int | None, typer.Option(min=0, help="Elements that a list may lose from round to round.")
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Begin a round with organisations that have joined."""
    opened = open_folder(folder)
    from aboveboard.commands.rounds.drafting import draft_table
    from aboveboard.hub.collaborations.opening import open_collaboration

    more = {
        "counts": counts,
        "lost_key": lost_key,
        "keep_days": keep_days,
        "asks": list(ask or []),
        "answer_hours": answer_hours,
        "repeats": {"most": most_rounds, "added": most_added, "dropped": most_dropped},
    }
    draft = draft_table(file)
    identifier, round_ = open_collaboration(
        opened,
        draft,
        missing=missing,
        deadlines=parse_deadlines(deadline or []),
        opened=shown,
        auditor=auditor,
        more=more,
    )
    names = list(round_.terms.names)
    text = (
        f"collaboration {identifier}: terms {round_.terms_digest[:16]} for {', '.join(names)}\n"
        f"each runs: aboveboard agree {identifier}"
    )
    text = f"{text}\n{draft.left_out}" if draft.left_out else text
    data = {
        "id": identifier,
        "terms": round_.terms_digest,
        "members": names,
        "left_out": draft.left_out,
    }
    echo_result(output, text, data)
    opened.close()


@hub.command("cancel")
def cancel(
    folder: FolderArgument,
    identifier: IdArgument,
    reason: Annotated[str, typer.Option(help="Why, in a sentence; it goes in the log.")],
    output: FormatOption = Format.TEXT,
) -> None:
    """End a round that has no result yet."""
    opened = open_folder(folder)
    from aboveboard.hub.collaborations.logs import NoCollaborationError
    from aboveboard.hub.collaborations.steps import state_own

    try:
        position = state_own(opened, identifier, "cancel", {"reason": reason})
    except NoCollaborationError as error:
        raise InputError(
            identifier, "there is no such collaboration", "see 'hub status'"
        ) from error
    echo_result(
        output, f"the round is {position.state}", {"id": identifier, "state": position.state}
    )
    opened.close()


@hub.command("status")
def show(folder: FolderArgument, output: FormatOption = Format.TEXT) -> None:
    """Print organisations and collaborations.

    Shows who is awaited, and what went wrong.
    """
    opened = open_folder(folder)
    from aboveboard.hub.collaborations.faults import name_fault
    from aboveboard.hub.operations.overview import look

    seen = look(opened)
    lines = [f"organisations: {', '.join(seen['organizations']) or 'none'}"]
    for each in seen["collaborations"]:
        awaited = f"; awaited: {', '.join(each['awaited'])}" if each["awaited"] else ""
        lines.append(f"{each['id']}  {each['state']}  {each['name']}{awaited}")
        lines += [f"  {name_fault(key)}: {what}" for key, what in each["faults"].items()]
    lines += [f"job {each['job']} failed: {each['problem']}" for each in seen["failed"]]
    echo_result(output, "\n".join(lines), seen)
    opened.close()


@hub.command("serve")
def serve(
    folder: FolderArgument,
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: a free one.")] = 8000,
) -> None:
    """Serve the hub. The first line of output is its address, in JSON; the log goes to stderr."""
    opened = open_folder(folder)
    from aboveboard.hub.serving import serve as run_server

    with closing(opened), log_to_stderr():
        run_server(opened, host, port)


@hub.command("worker")
def work(
    folder: FolderArgument,
    once: Annotated[bool, typer.Option("--once", help="Do the work that waits, and exit.")] = False,
) -> None:
    """Settle sealed rounds, and end steps after their deadlines."""
    opened = open_folder(folder)
    from aboveboard.hub.jobs.worker import Worker

    with closing(opened), log_to_stderr():
        worker = Worker(opened)
        if once:
            worker.run_once()
            return
        stop = threading.Event()
        both = (signal.SIGTERM, signal.SIGINT)
        with handle_signals(dict.fromkeys(both, lambda *_: stop.set())):
            worker.run(stop)


@hub.command("check")
def check(folder: FolderArgument, output: FormatOption = Format.TEXT) -> None:
    """Check the database against its logs and files.

    Checks signatures, too. Exit status 1 if anything is wrong.
    """
    opened = open_folder(folder)
    from aboveboard.hub.operations.checking import check_hub

    found = check_hub(opened)
    counted = [
        format_quantity(found.collaborations, "collaboration"),
        format_quantity(found.entries, "statement"),
        format_quantity(found.files, "file"),
    ]
    outcome = format_quantity(len(found.faults), "fault") if found.faults else "all right"
    text = f"{', '.join(counted)}: {outcome}"
    echo_result(output, "\n".join([text, *found.faults]), found.as_dict())
    opened.close()
    raise typer.Exit(1 if found.faults else 0)


@hub.command("backup")
def back_up(
    folder: FolderArgument,
    out: Annotated[Path, typer.Argument(help="The folder to make.")],
    output: FormatOption = Format.TEXT,
) -> None:
    """Copy the whole hub, keys and all, while it runs."""
    opened = open_folder(folder)
    from aboveboard.hub.operations.backup import back_up as write_backup

    numbers = write_backup(opened, out)
    text = f"wrote {out}: {_count(numbers)}; it holds the hub's keys: guard it"
    echo_result(output, text, {"folder": str(out), **numbers})
    opened.close()


@hub.command("restore")
def restore(
    backup: Annotated[Path, typer.Argument(help="What 'hub backup' wrote.")],
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
    database: Annotated[
        str | None, typer.Option(help="Another database than the backup's; it must be empty.")
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Make a hub from a backup. Members notice if it is older than what they have seen."""
    try:
        from aboveboard.hub.operations.backup import restore as read_backup
    except ModuleNotFoundError as error:
        raise _explain_missing(error) from error
    numbers = read_backup(backup, folder, database=database)
    echo_result(output, f"wrote {folder}: {_count(numbers)}", {"folder": str(folder), **numbers})


def _count(numbers: dict[str, int]) -> str:
    """Return how many rows and files a backup has."""
    return f"{format_quantity(numbers['rows'], 'row')}, {format_quantity(numbers['files'], 'file')}"


@contextmanager
def _remove_if_stopped(folder: Path) -> Iterator[None]:
    """Remove a folder that is made in here if it is not finished; one that was there stays."""
    was_there = folder.exists()
    try:
        yield
    except BaseException:
        if not was_there:
            shutil.rmtree(folder, ignore_errors=True)
        raise


@hub.command("demo")
def demonstrate(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Keep the hub and all files in this folder.")
    ] = None,
    cheat: Annotated[
        str | None, typer.Option(help="Let the hub cheat, and see members find it: short-reply.")
    ] = None,
    browser: Annotated[
        bool,
        typer.Option(
            "--browser/--no-browser",
            help="On a terminal: open the operator's board and a member's desk, until Ctrl-C.",
        ),
    ] = True,
    output: FormatOption = Format.TEXT,
) -> None:
    """Run a whole round over a hub, offline.

    Five members exchange real lists. Exit status: 0 every member verified its reply; 1 one found
    that the hub cheats.
    """
    try:
        from aboveboard.cli.demonstrating import Onlooker
        from aboveboard.hub.demonstration import demonstrate_hub
    except ModuleNotFoundError as error:
        raise _explain_missing(error) from error
    stays = browser and output is Format.TEXT and sys.stdout.isatty()
    with TemporaryDirectory() as scratch:
        onlooker = Onlooker() if stays else None
        place = out or Path(scratch) / "demo"
        with _remove_if_stopped(place):
            result = demonstrate_hub(place, cheat=cheat, audience=onlooker)
    if onlooker is None:
        echo_result(output, describe_demonstration(result), result.as_dict())
    raise typer.Exit(result.exit_status)


def describe_demonstration(result: Any) -> str:
    """Return what came out of the demonstration of a hub, as text."""
    lines = [f"the hub was {result.address}; the round is {result.state}"]
    for name, findings in result.findings.items():
        lines += ["", name, str(findings)]
    for name, found in result.found.items():
        lines += ["", f"{name} found: {'; '.join(found)}"]
    return "\n".join(lines)
