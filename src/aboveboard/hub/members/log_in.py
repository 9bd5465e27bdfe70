"""A member, or the operator, opens the hub's pages in a browser: a signed request makes a link."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from aboveboard.commands.rounds import KEYS
from aboveboard.errors import InputError
from aboveboard.evidence.keys import read_keys
from aboveboard.evidence.members import find_home
from aboveboard.hub.members.answers import LinkAnswer, read_answer
from aboveboard.hub.members.known_hubs import list_hubs
from aboveboard.hub.members.transport import HubConnection


@dataclass(frozen=True)
class LogInLink:
    """A link that opens the hub's pages once.

    Parameters
    ----------
    name
        Whose pages.
    address
        To be opened in a browser.
    seconds
        How long it waits.

    Examples
    --------
    >>> link = LogInLink("acme", "https://hub.example/log-in#secret", 60)
    >>> f"{link.name} has {link.seconds} seconds"
    'acme has 60 seconds'
    """

    name: str
    address: str
    seconds: int


def ask_for_link(
    address: str | None = None, home: Path | None = None, passphrase: bytes | None = None
) -> LogInLink:
    """Return a link to a hub's pages.

    Parameters
    ----------
    address
        Of the hub; None: the only one that the member has joined.
    home
        The member's folder; None: `find_home()`.
    passphrase
        Of its keys.

    Raises
    ------
    InputError
        If the hub is not known or cannot be reached, or does not know the keys.
    """
    home = home or find_home()
    if address is None:
        known = [hub.address for hub in list_hubs(home)]
        if len(known) != 1:
            problem = f"you have joined {len(known)} hubs" if known else "you have joined no hub"
            named = f"name one: {', '.join(known)}" if known else "run 'aboveboard join LINK' first"
            raise InputError("login", problem, named)
        address = known[0]
    connection = HubConnection(address, read_keys(home / KEYS, passphrase))
    body = json.dumps({"nonce": secrets.token_hex(32)}).encode()
    answer = read_answer(LinkAnswer, connection.post_json("/api/v1/sessions", body), address)
    return LogInLink(answer.name, f"{connection.address}{answer.path}", answer.seconds)
