"""What the checks of all statements have in common: who says it, which fields, in which state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aboveboard.evidence.round_states import RefusedStatementError, State
from aboveboard.evidence.statements import Statement
from aboveboard.evidence.terms import CENTER

if TYPE_CHECKING:
    from aboveboard.evidence.rounds import Round


def require_member(round_: Round, statement: Statement) -> None:
    """Raise `RefusedStatementError` unless a member says it."""
    if statement.by not in round_.terms.members:
        raise RefusedStatementError(f"only a member says {statement.kind!r}")


def require_center(statement: Statement) -> None:
    """Raise `RefusedStatementError` unless the center says it."""
    if statement.by != CENTER:
        raise RefusedStatementError(f"only the center says {statement.kind!r}")


def require_fields(statement: Statement, **kinds: type) -> None:
    """Raise `RefusedStatementError` unless the body has exactly these fields, of these types."""
    body = {key: value for key, value in statement.body.items() if key not in ("kind", "terms")}
    for name, kind in kinds.items():
        if type(body.get(name)) is not kind:
            raise RefusedStatementError(f"{statement.kind!r} needs {name!r}")
    if unknown := sorted(set(body) - set(kinds)):
        raise RefusedStatementError(f"{statement.kind!r} has no {unknown[0]!r}")


def require_state(round_: Round, statement: Statement, *states: State) -> None:
    """Raise `RefusedStatementError` unless the round is in one of these states."""
    if round_.state not in states:
        raise RefusedStatementError(f"the round is {round_.state}; it takes no {statement.kind!r}")


def require_result(round_: Round, statement: Statement) -> None:
    """Raise `RefusedStatementError` unless the statement names the result of the round."""
    result = round_.find("result")
    if result is None or statement.body["result"] != result.digest:
        raise RefusedStatementError("it names another result")


def require_number(round_: Round, statement: Statement) -> None:
    """Raise `RefusedStatementError` unless the statement has the number that it gets in the log.

    The number tells apart statements that are said several times in the same words.
    """
    if statement.body["number"] != len(round_.leaves):
        raise RefusedStatementError(f"the next entry of the log has number {len(round_.leaves)}")


def is_digest(value: Any) -> bool:
    """Return whether a value is a SHA-256 hash in hexadecimal."""
    return isinstance(value, str) and len(value) == 64 and not set(value) - set("0123456789abcdef")
