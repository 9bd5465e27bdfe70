"""`aboveboard join` and `status`: a member's side of a hub."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from aboveboard.cli.evidence import find_passphrase
from aboveboard.cli.hub import echo_result
from aboveboard.cli.options import Format, FormatOption


def join(
    link: Annotated[str, typer.Argument(help="The invitation, in quotes.")],
    output: FormatOption = Format.TEXT,
) -> None:
    """Member: register your keys at a hub. Your keys are made if you have none."""
    from dataclasses import asdict

    from aboveboard.hub.members import join as join_hub

    known = join_hub(link, passphrase=find_passphrase())
    text = f"you are {known.name} at {known.hub}, {known.address}\nnext: aboveboard status"
    echo_result(output, text, asdict(known))


COMMANDS = {
    "change": "sign-change",
    "open": "open-part",
    "ruling": "rule {id}",
    "agree": "agree {id}",
    "answer": "answer ANSWER",
    "commit": "commit FILE",
}
"""Commands that are called otherwise than the statement that they make."""


def name_command(view: dict[str, Any]) -> str:
    """Return the command that makes what is awaited of a member.

    Examples
    --------
    >>> name_command({"id": "ab", "next": "change"}), name_command({"id": "ab", "next": "submit"})
    ('sign-change', 'submit')
    """
    step = str(view["next"])
    return COMMANDS.get(step, step).format(id=view["id"])


def status(output: FormatOption = Format.TEXT) -> None:
    """Member: print your collaborations at all hubs."""
    from aboveboard.hub.members import list_standings

    standings = list_standings(passphrase=find_passphrase())
    lines = []
    for each in standings:
        view = each.view
        lines.append(f"{view['id']}  {view['state']}  {view['name']}  at {each.hub.address}")
        if view["fault"]:
            lines.append(f"  {view['fault']}")
        if view["next"]:
            until = f", until {view['deadline']}" if view["deadline"] else ""
            what = name_command(view)
            lines.append(f"  your turn{until}: aboveboard {what}")
        elif view["awaited"]:
            lines.append(f"  awaited: {', '.join(view['awaited'])}")
    data = [{"hub": each.hub.address, **each.view} for each in standings]
    echo_result(output, "\n".join(lines) or "you take part in no collaboration yet", data)
