"""Until when a step must be taken: deadlines of the terms, and times of questions."""

from __future__ import annotations

from datetime import UTC, datetime

from aboveboard.evidence.round_states import State
from aboveboard.evidence.rounds import Round

STEPS = {
    State.OFFERED: "agree",
    State.COMMITTING: "commit",
    State.SUBMITTING: "submit",
    State.ASKING: "answer",
    State.RESULT: "accept",
    State.DISPUTED: "accept",
}
"""The kind of statement that a round waits for, by its state."""

DEADLINES = ("agree", "commit", "submit", "accept")


def find_deadline(round_: Round, kind: str) -> int | None:
    """Return until when a step must be taken, in seconds since 1970; None: no deadline."""
    if kind == "answer":
        moment = round_.asked[-1].body["until"] if round_.asked else None
    else:
        moment = getattr(round_.terms.deadlines, kind, None) if kind in DEADLINES else None
    return int(datetime.fromisoformat(moment).timestamp()) if moment else None


DAY = 24 * 3600
"""Seconds of a day."""

LEAST_DAYS = 14
"""Days to accept or dispute a result, at least, where the terms state no deadline for that."""


def find_until(round_: Round, since: int) -> int | None:
    """Return until when the round's present step must be taken; None: no deadline.

    A result that the terms let nobody accept by some time is accepted by silence after the days
    for which inputs are kept; else they would never be deleted.

    Parameters
    ----------
    round_
        The round.
    since
        When its present state began, in seconds since 1970.
    """
    step = STEPS.get(round_.state)
    until = None if step is None else find_deadline(round_, step)
    days = round_.terms.keep_days
    if until is None and round_.state is State.RESULT and days is not None:
        return since + max(days, LEAST_DAYS) * DAY
    return until


def format_moment(seconds: int | None) -> str | None:
    """Return a time in UTC as text; None for none.

    Examples
    --------
    >>> format_moment(1_796_126_400)
    '2026-12-01T12:00:00Z'
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
