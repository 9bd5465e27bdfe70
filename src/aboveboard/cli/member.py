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
    "change": "sign-change {id}",
    "open": "open-part",
    "ruling": "rule {id}",
    "agree": "agree {id}",
    "answer": "answer ANSWER",
    "commit": "commit FILE",
    "accept": "fetch --out result",
}
"""Commands that are called otherwise than the statement that they make, or come before it."""

AFTERWARDS = {
    "accept": "; then 'verify result --mine FILE', and 'accept{named}' or 'dispute{named}'"
}
"""What else a step takes; `verify` finds the round in the result."""


def name_command(view: dict[str, Any], *, is_only: bool = True) -> str:
    """Return the command that makes what is awaited of a member.

    Parameters
    ----------
    view
        The hub's view of a collaboration.
    is_only
        Whether the member takes part in no other, so that commands need not name it.

    Examples
    --------
    >>> name_command({"id": "ab", "next": "change"})
    'sign-change ab'
    >>> name_command({"id": "ab", "next": "submit"}, is_only=False)
    'submit --terms ab'
    >>> name_command({"id": "ab", "next": "accept"})
    "fetch --out result; then 'verify result --mine FILE', and 'accept' or 'dispute'"
    """
    step = str(view["next"])
    command = COMMANDS.get(step, step).format(id=view["id"])
    named = "" if is_only else f" --terms {view['id']}"
    if view["id"] not in command:
        command += named
    return command + AFTERWARDS.get(step, "").format(named=named)


def status(output: FormatOption = Format.TEXT) -> None:
    """Member: print your collaborations at all hubs."""
    from aboveboard.hub.members import list_standings

    standings = list_standings(passphrase=find_passphrase())
    lines = []
    for each in standings:
        view = each.view
        named = [view["id"], view["state"], *([view["name"]] if view["name"] else [])]
        lines.append("  ".join([*named, f"at {each.hub.address}"]))
        if view["fault"]:
            lines.append(f"  {view['fault']}")
        if view["next"]:
            until = f", until {view['deadline']}" if view["deadline"] else ""
            what = name_command(view, is_only=len(standings) == 1)
            lines.append(f"  your turn{until}: aboveboard {what}")
        elif view["awaited"]:
            lines.append(f"  awaited: {', '.join(view['awaited'])}")
    data = [{"hub": each.hub.address, **each.view} for each in standings]
    echo_result(output, "\n".join(lines) or "you take part in no collaboration yet", data)
