"""`aboveboard hub ..`: later rounds, changes of terms, lost and new keys, money, notices."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from aboveboard.cli.hub import (
    AddressOption,
    FolderArgument,
    IdArgument,
    echo_result,
    hub,
    open_folder,
)
from aboveboard.cli.layout import print_text
from aboveboard.cli.options import Format, FormatOption, parse_deadlines
from aboveboard.errors import InputError

MissingOption = Annotated[
    str | None, typer.Option(help="If a member is late: 'cancel' the round, or 'continue'.")
]
DeadlineOption = Annotated[
    list[str] | None,
    typer.Option(help="STEP=TIME, such as commit=2026-12-01T12:00:00Z; once for each step."),
]


__all__ = ["hub"]


class Export(StrEnum):
    """How transfers are printed."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    JOURNAL = "journal"


def _run(identifier: str, act: Any) -> Any:
    """Return what an action returns; one that finds no collaboration is wrong input."""
    from aboveboard.hub.collaborations.logs import NoCollaborationError

    try:
        return act()
    except NoCollaborationError as error:
        raise InputError(
            identifier, "there is no such collaboration", "see 'hub status'"
        ) from error


@hub.command("next")
def open_next(
    folder: FolderArgument,
    identifier: IdArgument,
    days: Annotated[
        int | None, typer.Option(min=1, help="Days by which each deadline is later than before.")
    ] = None,
    deadline: DeadlineOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Begin the next round with the terms of the last one. Members agree to it anew."""
    opened = open_folder(folder)
    from aboveboard.hub.series.repeating import open_next as begin_next

    given = parse_deadlines(deadline) if deadline else None
    fresh, round_ = _run(
        identifier, lambda: begin_next(opened, identifier, deadlines=given, days=days)
    )
    text = (
        f"collaboration {fresh}: round {round_.terms.serial}\neach runs: aboveboard agree {fresh}"
    )
    data = {"id": fresh, "serial": round_.terms.serial, "terms": round_.terms_digest}
    echo_result(output, text, data)
    opened.close()


@hub.command("change")
def change(
    folder: FolderArgument,
    identifier: IdArgument,
    member: Annotated[
        list[str] | None, typer.Option(help="Who takes part from then on; give it once for each.")
    ] = None,
    missing: MissingOption = None,
    deadline: DeadlineOption = None,
    keep_days: Annotated[
        int | None, typer.Option(min=0, help="Days after the end until inputs are deleted.")
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Propose other terms. They are in force once everybody has signed; then all commit anew."""
    opened = open_folder(folder)
    from aboveboard.hub.series.repeating import propose_change

    given = {
        "members": list(member or []) or None,
        "missing": missing,
        "deadlines": parse_deadlines(deadline) if deadline else None,
        "keep_days": keep_days,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise InputError(
            "change", "it changes nothing", "use --member, --missing, --deadline or --keep-days"
        )
    position = _run(identifier, lambda: propose_change(opened, identifier, changes))
    text = f"proposed as entry {position.index}; each runs: aboveboard sign-change {identifier}"
    echo_result(output, text, {"id": identifier, "change": position.digest})
    opened.close()


@hub.command("recover")
def recover(
    folder: FolderArgument,
    name: Annotated[str, typer.Argument(help="The organisation that has lost its keys.")],
    days: Annotated[int, typer.Option(min=1, max=365, help="Days until the link expires.")] = 14,
    address: AddressOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Print a link that registers new keys in place of lost ones.

    First make sure, such as by a call, that the request is this organisation's own.
    """
    opened = open_folder(folder)
    from aboveboard.hub.organizations import invite_again

    made = invite_again(opened, name, address=address, days=days)
    until = datetime.fromtimestamp(made.expires, UTC).strftime("%Y-%m-%d %H:%M UTC")
    text = (
        f"{made.link}\nonce it is used, the keys that {name} has now open nothing more; "
        f"it works until {until}"
    )
    echo_result(output, text, {"name": name, "link": made.link, "expires": until})
    opened.close()


@hub.command("vouch")
def vouch(
    folder: FolderArgument,
    identifier: IdArgument,
    name: Annotated[str, typer.Argument(help="The member whose new keys these are.")],
    fingerprint: Annotated[
        str,
        typer.Argument(
            help="Fingerprint of its new keys, as it told you itself, such as in a call; spaces "
            "need quotes."
        ),
    ],
    output: FormatOption = Format.TEXT,
) -> None:
    """Vouch for a member's new keys in a round, as the center."""
    opened = open_folder(folder)
    from aboveboard.hub.collaborations.vouching import vouch_as_center

    position = _run(identifier, lambda: vouch_as_center(opened, identifier, name, fingerprint))
    echo_result(output, f"vouched as entry {position.index}", {"id": identifier, "name": name})
    opened.close()


@hub.command("rotate")
def rotate(
    folder: FolderArgument,
    log_only: Annotated[
        bool, typer.Option("--log-only", help="Exchange the log's key alone.")
    ] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Exchange the hub's keys, and state that in every round. Stop serve and worker before."""
    open_folder(folder).close()
    from aboveboard.hub.operations.rotation import rotate_keys

    fresh = rotate_keys(folder, center=not log_only)
    text = f"the hub's keys are {fresh.fingerprint} now; the old ones are kept in old-keys"
    echo_result(output, text, {"fingerprint": fresh.fingerprint})
    fresh.close()


@hub.command("contact")
def contact(
    folder: FolderArgument,
    name: Annotated[str, typer.Argument(help="The organisation's name.")],
    mail: Annotated[str | None, typer.Option(help="Mail address for notices; '' for none.")] = None,
    webhook: Annotated[
        str | None, typer.Option(help="A name under [notices.webhooks] in hub.toml; '' for none.")
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Set where an organisation hears that it is its turn."""
    opened = open_folder(folder)
    from aboveboard.hub.organizations.contacts import set_contact

    set_contact(opened, name, mail=mail, webhook=webhook)
    echo_result(output, f"notices for {name} are set", {"name": name})
    opened.close()


@hub.command("transfers")
def show_transfers(
    folder: FolderArgument,
    identifier: IdArgument,
    output: Annotated[
        Export, typer.Option("--format", "-f", help="text, json, csv, or a journal for Beancount.")
    ] = Export.TEXT,
) -> None:
    """Print what members pay and receive, in all rounds of a series."""
    opened = open_folder(folder)
    from aboveboard.hub.money.exports import describe_transfer, export_csv, export_journal
    from aboveboard.hub.money.ledger import list_transfers

    found = _run(identifier, lambda: list_transfers(opened, identifier))
    if output is Export.JSON:
        echo_result(Format.JSON, "", [asdict(each) for each in found])
    elif output is Export.CSV:
        typer.echo(export_csv(found), nl=False)  # a file, byte for byte
    elif output is Export.JOURNAL:
        typer.echo(export_journal(found, opened.configuration.name), nl=False)
    else:
        print_text("\n".join(map(describe_transfer, found)) or "there are no transfers")
    opened.close()


@hub.command("net")
def net(folder: FolderArgument, identifier: IdArgument, output: FormatOption = Format.TEXT) -> None:
    """Net the pending transfers of a series: one for each member."""
    opened = open_folder(folder)
    from aboveboard.hub.money.exports import describe_transfer
    from aboveboard.hub.money.ledger import net_transfers

    made = _run(identifier, lambda: net_transfers(opened, identifier))
    text = "\n".join(map(describe_transfer, made)) or "there is nothing to net"
    echo_result(output, text, [asdict(each) for each in made])
    opened.close()


@hub.command("paid")
def note_paid(
    folder: FolderArgument,
    transfer: Annotated[
        int, typer.Argument(min=1, help="The transfer's number; see 'hub transfers'.")
    ],
    day: Annotated[str, typer.Argument(help="The day of the payment, such as 2026-12-24.")],
    reference: Annotated[str, typer.Option(help="The bank's reference for the payment.")] = "",
    output: FormatOption = Format.TEXT,
) -> None:
    """Record that a transfer was paid."""
    opened = open_folder(folder)
    from aboveboard.hub.money.exports import describe_transfer
    from aboveboard.hub.money.ledger import note_payment

    paid = note_payment(opened, transfer, day, reference)
    echo_result(output, describe_transfer(paid), asdict(paid))
    opened.close()
