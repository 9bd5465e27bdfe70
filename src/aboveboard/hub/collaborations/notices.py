"""Notices: who is to hear that it is their turn. They hold nothing else."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from aboveboard.evidence.round_turns import list_turns
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.terms import CENTER
from aboveboard.hub.database.tables import notice

OPERATOR = "operator"
"""Who hears of what the center has to do."""


def list_awaited(round_: Round) -> tuple[str, ...]:
    """Return the members whose turn it is."""
    return tuple(sorted(set(list_turns(round_)) & set(round_.terms.names)))


def notify_awaited(
    connection: Connection, identifier: str, before: Round | None, after: Round, now: int
) -> None:
    """Write a notice for everybody whose turn it became, or whose round has ended."""
    turns = list_turns(after)
    old = {} if before is None else list_turns(before)
    told = [
        (OPERATOR if name == CENTER else name, kind)
        for name, kind in turns.items()
        if old.get(name) != kind
    ]
    if before is not None and before.state is not after.state and not turns:
        told += [(name, after.state.value) for name in after.present]
    if told:
        rows = [_describe(identifier, recipient, kind, now) for recipient, kind in told]
        connection.execute(notice.insert(), rows)


def write_notice(
    connection: Connection, identifier: str, recipient: str, kind: str, now: int
) -> None:
    """Write a notice: a kind of statement that is awaited, or the state that the round is in."""
    connection.execute(notice.insert(), _describe(identifier, recipient, kind, now))


def _describe(identifier: str, recipient: str, kind: str, now: int) -> dict[str, Any]:
    """Return the row of a notice."""
    text = f"it is your turn: {kind}" if kind in TURNS else _TEXTS.get(kind, _STATE + kind)
    return {
        "collaboration": identifier,
        "recipient": recipient,
        "kind": kind,
        "text": text,
        "created": now,
        "due": now,
    }


_STATE = "the round is "
_TEXTS = {
    "refused": "a settlement was refused",
    "resealed": "your result is sealed to your new keys",
    "reminder": "it is your turn: the deadline is near",
}

TURNS = frozenset(
    ["agree", "change", "commit", "submit", "count", "answer", "accept", "open", "ruling", "vouch"]
)
"""Kinds of notices that ask for something."""
