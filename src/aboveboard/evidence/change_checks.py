"""A change of terms: the center proposes, everybody signs, and only then it is in force.

Until then the old terms hold. Who signs: all that take part, and all that are to take part. Once
the changed terms are in force, each member commits anew: what was committed under the old ones is
void. What no change may touch is what makes the log the same one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aboveboard.errors import InputError
from aboveboard.evidence.round_states import BEFORE_RESULT, RefusedStatementError
from aboveboard.evidence.statement_checks import require_fields, require_number, require_state
from aboveboard.evidence.statements import Statement
from aboveboard.evidence.terms import CENTER, Terms, parse_terms

if TYPE_CHECKING:
    from aboveboard.evidence.rounds import Round

FIXED = ("protocol", "serial", "previous")
"""What a change leaves as it is; besides the keys that are in force, and the log's name."""


def check_change(round_: Round, statement: Statement) -> None:
    """Raise `RefusedStatementError` if a change cannot be proposed, or signed, now."""
    require_state(round_, statement, *BEFORE_RESULT)
    if statement.by == CENTER:
        require_fields(statement, proposal=dict, number=int)
        require_number(round_, statement)
        _check_proposal(round_, statement)
        return
    require_fields(statement, change=str)
    if round_.pending is None or statement.body["change"] != round_.pending.digest:
        raise RefusedStatementError("it names no change that waits for signatures")
    if statement.by not in round_.list_unsigned():
        raise RefusedStatementError(f"the change does not wait for {statement.by!r}")


def _check_proposal(round_: Round, statement: Statement) -> None:
    try:
        terms = parse_terms(statement.body["proposal"], "change")
    except InputError as error:
        raise RefusedStatementError(f"its proposal is not valid: {error.problem}") from error
    for key in FIXED:
        if getattr(terms, key) != getattr(round_.terms, key):
            raise RefusedStatementError(f"a change leaves {key!r} as it is")
    log = (round_.terms.log.origin, round_.list_log_keys()[-1])
    if (terms.log.origin, terms.log.signing) != log:
        raise RefusedStatementError("a change leaves the log as it is")
    _check_keys(round_, terms)
    if terms == round_.terms:
        raise RefusedStatementError("it changes nothing")


def _check_keys(round_: Round, terms: Terms) -> None:
    """Refuse a proposal with other keys than those that are in force."""
    if terms.center.public != round_.find_keys(CENTER):
        raise RefusedStatementError("a change leaves the center's keys as they are")
    for name, member in terms.members.items():
        known = round_.find_keys(name)
        if known is not None and (member.keys is None or member.keys.public != known):
            raise RefusedStatementError(f"a change leaves the keys of {name!r} as they are")
