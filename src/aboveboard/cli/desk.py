"""A member's desk, its log-in to the pages of a hub, and the terms in plain words."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from aboveboard.cli.evidence import PASSPHRASE, find_passphrase
from aboveboard.cli.hub import FolderArgument, hub
from aboveboard.cli.layout import print_text, wrap
from aboveboard.cli.options import Format, FormatOption, echo_json
from aboveboard.cli.rounds import locate_round
from aboveboard.errors import InputError

BrowserOption = Annotated[
    bool, typer.Option("--browser/--no-browser", help="Whether to open a browser.")
]


def desk(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: a free one.")] = 0,
    browser: BrowserOption = True,
) -> None:
    """Member: take part with a browser.

    On your own machine, from the invitation to the verified reply, until Ctrl-C. Only this
    machine reaches the pages, and only with the link that is printed.
    """
    from aboveboard.desk import Desk, serve_desk
    from aboveboard.evidence.members import find_home

    mine = Desk(find_home(), _unlock(find_home()))

    def announce(link: str) -> None:
        print_text(f"your desk: {link}\nit is yours alone: give the link to nobody. Ctrl-C ends it")
        sys.stdout.flush()

    serve_desk(mine, port=port, browser=browser, announce=announce)


def _unlock(home: Path) -> bytes | None:
    """Return the passphrase of the member's keys, asked for on a terminal if they need one.

    Raises
    ------
    InputError
        If they need one, and it is neither set nor asked for, or it is wrong.
    """
    from aboveboard.commands.rounds import KEYS
    from aboveboard.evidence.keys import read_keys

    passphrase = find_passphrase()
    if not (home / KEYS).is_dir():
        return passphrase
    try:
        read_keys(home / KEYS, passphrase)
    except InputError:
        if passphrase is not None or not sys.stdin.isatty():
            raise
        asked: str = typer.prompt(f"passphrase of {home / KEYS} ({PASSPHRASE})", hide_input=True)
        passphrase = asked.encode()
        read_keys(home / KEYS, passphrase)
    return passphrase


def login(
    address: Annotated[
        str | None, typer.Argument(help="The hub; default: the only one that you have joined.")
    ] = None,
    browser: BrowserOption = True,
    output: FormatOption = Format.TEXT,
) -> None:
    """Member: open the hub's pages. Your key makes a link that works once."""
    from aboveboard.hub.members import ask_for_link

    link = ask_for_link(address, passphrase=find_passphrase())
    _show_link(link.name, link.address, link.seconds, browser, output)


@hub.command("login")
def log_in_operator(
    folder: FolderArgument,
    address: Annotated[
        str | None, typer.Option(help="Where the hub is served; default: as configured.")
    ] = None,
    browser: BrowserOption = True,
    output: FormatOption = Format.TEXT,
) -> None:
    """Open the operator's board of a hub that is served. The link works once."""
    from aboveboard.cli.hub import open_folder

    opened = open_folder(folder)
    from aboveboard.hub.pages.sessions import LINK_SECONDS, OPERATOR, make_operator_link

    link = make_operator_link(opened, address)
    opened.close()
    _show_link(OPERATOR, link, LINK_SECONDS, browser, output)


def _show_link(name: str, link: str, seconds: int, browser: bool, output: Format) -> None:
    """Print a link, and open it in a browser."""
    if output is Format.JSON:
        echo_json({"name": name, "link": link, "seconds": seconds})
    else:
        print_text(f"{link}\nopens the hub's pages as {name}, once, within {seconds // 60} minutes")
    if browser and sys.stdout.isatty() and output is Format.TEXT:
        from aboveboard.desk.serving import open_privately

        with open_privately(link) as opened:
            time.sleep(3 if opened else 0)  # a browser reads the file that leads to the link


def terms(
    reference: Annotated[
        str, typer.Argument(help="The round's id at its hub, or the folder of a round.")
    ],
    audit: Annotated[
        bool, typer.Option("--audit/--no-audit", help="Audit the rule on an example.")
    ] = True,
    output: FormatOption = Format.TEXT,
) -> None:
    """Member: print the terms of a round in plain words.

    Shows the audit of their rule, too.
    """
    from aboveboard.commands.rounds.rules import describe_rule
    from aboveboard.evidence.members import read_round
    from aboveboard.hub.members import is_reference, preview
    from aboveboard.report.rounds import describe_terms

    if is_reference(reference) and not Path(reference).exists():
        folder = preview(reference, passphrase=find_passphrase())[0].folder
    else:
        folder = locate_round(reference)
    round_ = read_round(folder).round
    rule = describe_rule(round_.terms.mechanism, round_.terms.parameters) if audit else {}
    sections = describe_terms(round_.terms, round_.terms_digest, now=time.time(), rule=rule)
    data = {
        "terms": round_.terms_digest,
        "sections": {each.title: dict(each.rows) for each in sections},
        "rule": rule,
    }
    if output is Format.JSON:
        echo_json(data)
        return
    lines = []
    for section in sections:
        lines += [
            section.title,
            *(wrap(text, label=f"  {label}: ") for label, text in section.rows),
        ]
    print_text("\n".join([*lines, *_list_verdicts(rule)]))


def _list_verdicts(rule: dict[str, Any]) -> list[str]:
    """Return the verdicts of an audit on an example, one line each."""
    if not rule:
        return []
    lines = [f"The rule, audited {rule['note']}" if rule["audit"] else rule["note"]]
    audit = rule["audit"] or {"verdicts": ()}
    for group in audit["verdicts"]:
        lines += [f"  {group['title']}"]
        lines += [
            f"    {row['sign']} {row['status']}: {row['claim'] or row['property']}"
            for row in group["rows"]
        ]
    return lines
