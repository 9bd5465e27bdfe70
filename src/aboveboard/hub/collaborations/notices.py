"""Notices: who is to hear that it is their turn. They hold nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from aboveboard.evidence.round_states import State
from aboveboard.evidence.round_turns import list_turns
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.terms import CENTER
from aboveboard.hub.collaborations.deadlines import DAY
from aboveboard.hub.database.tables import notice

OPERATOR = CENTER
"""Who hears of what the center has to do: by a name that no member can have."""


def list_awaited(round_: Round) -> tuple[str, ...]:
    """Return the members whose turn it is."""
    return tuple(sorted(set(list_turns(round_)) & set(round_.terms.names)))


def notify_awaited(
    connection: Connection, identifier: str, before: Round | None, after: Round, now: int
) -> None:
    """Write a notice for everybody whose turn it became, or whose round has ended."""
    turns = list_turns(after)
    old = {} if before is None else list_turns(before)
    told = [(name, kind) for name, kind in turns.items() if old.get(name) != kind]
    if before is not None and before.state is not after.state and not turns:
        told += [(name, after.state.value) for name in after.present]
    _write(connection, identifier, told, now)


def write_notice(
    connection: Connection, identifier: str, recipient: str, kind: str, now: int, *, about: str = ""
) -> None:
    """Write a notice: a kind of statement that is awaited, or the state that the round is in.

    One that is about a member waits for no other that is about somebody else.
    """
    _write(connection, identifier, [(recipient, kind)], now, about)


def _write(
    connection: Connection,
    identifier: str,
    told: Sequence[tuple[str, str]],
    now: int,
    about: str = "",
) -> None:
    """Write notices by recipient and kind: of `RARE` ones one a day, and none while one waits."""
    rare = {kind for _, kind in told} & RARE
    last: dict[tuple[str, str], Any] = {}
    if rare:
        rows = connection.execute(
            select(notice.c.recipient, notice.c.kind, notice.c.due, notice.c.sent, notice.c.problem)
            .where(
                notice.c.collaboration == identifier,
                notice.c.kind.in_(rare),
                notice.c.about == about,
            )
            .order_by(notice.c.due)
        )
        last = {(row.recipient, row.kind): row for row in rows}
    due = {each: _find_due(last.get(each), now) for each in told}
    fresh = [
        _describe(identifier, *each, now, at) | {"about": about}
        for each, at in due.items()
        if at is not None
    ]
    if fresh:
        connection.execute(notice.insert(), fresh)


def _find_due(last: Any, now: int) -> int | None:
    """Return when a notice may be sent, after the last one like it; None: that one still waits."""
    if last is None or not now - DAY < last.due <= now + DAY:
        return now
    failed = bool(last.problem) and last.due <= now  # given up, where nobody tries it again
    return None if last.sent is None and not failed else int(last.due) + DAY


def _describe(identifier: str, recipient: str, kind: str, now: int, due: int) -> dict[str, Any]:
    """Return the row of a notice."""
    text = f"it is your turn: {kind}" if kind in TURNS else _TEXTS.get(kind, _STATE + kind)
    return {
        "collaboration": identifier,
        "recipient": recipient,
        "kind": kind,
        "text": text,
        "created": now,
        "due": due,
    }


_STATE = "the round is "
_TEXTS = {
    "refused": "a settlement was refused",
    "given-up": "something could not be done, and waits for you",
    "resealed": "your result is sealed to your new keys",
    "reminder": "it is your turn: the deadline is near",
    "new-keys": "new keys are named for you",
}

TURNS = frozenset(
    ["agree", "change", "commit", "submit", "count", "answer", "accept", "open", "ruling", "vouch"]
)
"""Kinds of notices that ask for something."""

RARE = frozenset(["accept", "open", "ruling", "vouch", "new-keys", "refused", *State])
"""Kinds of notices that one member can bring about as often as it likes.

It disputes a result and withdraws that, sends data that the rule refuses, or names new keys.
"""
