"""Where a round stands, and the refusal of what cannot follow."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a round stands."""

    OFFERED = "offered"
    COMMITTING = "committing"
    SUBMITTING = "submitting"
    SEALED = "sealed"
    RESULT = "result"
    SETTLED = "settled"
    DISPUTED = "disputed"
    CANCELLED = "cancelled"


class RefusedStatementError(Exception):
    """Raised when a statement cannot follow; the text says why."""
