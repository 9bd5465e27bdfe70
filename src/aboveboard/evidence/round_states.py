"""Where a round stands, and the refusal of what cannot follow."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a round stands.

    Examples
    --------
    >>> State("settled") is State.SETTLED, str(State.DISPUTED)
    (True, 'disputed')
    """

    OFFERED = "offered"
    DECLINED = "declined"
    COMMITTING = "committing"
    SUBMITTING = "submitting"
    SEALED = "sealed"
    ASKING = "asking"
    RESULT = "result"
    SETTLED = "settled"
    DISPUTED = "disputed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ARCHIVED = "archived"


BEFORE_RESULT = (
    State.OFFERED,
    State.DECLINED,
    State.COMMITTING,
    State.SUBMITTING,
    State.SEALED,
    State.ASKING,
)
"""States in which nobody has seen a result."""

ENDED = (State.SETTLED, State.FAILED, State.CANCELLED)
"""States in which nothing more is awaited."""


class RefusedStatementError(Exception):
    """Raised when a statement cannot follow; the text says why."""
