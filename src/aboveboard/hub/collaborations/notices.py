"""Notices: who is to hear that it is their turn. They hold nothing else."""

from __future__ import annotations

from sqlalchemy import Connection

from aboveboard.evidence.rounds import Round, State
from aboveboard.hub.database.tables import notice

STEPS = {
    State.OFFERED: "agree",
    State.COMMITTING: "commit",
    State.SUBMITTING: "submit",
    State.RESULT: "accept",
    State.DISPUTED: "accept",
}
"""The kind of statement that a round waits for, by its state."""


def list_awaited(round_: Round) -> tuple[str, ...]:
    """Return the members whose turn it is."""
    step = STEPS.get(round_.state)
    return () if step is None else round_.list_awaited(step)


def notify_awaited(
    connection: Connection, identifier: str, before: Round | None, after: Round, now: int
) -> None:
    """Write a notice for each member whose turn it became."""
    if before is not None and before.state is after.state:
        return
    step = STEPS.get(after.state)
    text = f"it is your turn: {step}" if step else f"the round is {after.state}"
    recipients = list_awaited(after) if step else after.present
    for name in recipients:
        connection.execute(
            notice.insert().values(collaboration=identifier, recipient=name, text=text, created=now)
        )
