"""Entries of a round's log in plain words."""

from __future__ import annotations

from aboveboard.evidence.statements import Statement
from aboveboard.formatting import join_names

_WORDS = {
    "terms": "offered these terms",
    "agree": "agreed to the terms",
    "commit": "committed to its data",
    "submit": "sent its sealed data",
    "result": "stated the result",
    "accept": "accepted the result",
    "leave": "left the round",
    "rotate": "took new keys",
    "tokens": "passed on blinded tokens",
    "counted": "counted the overlaps",
    "answer": "answered the question",
    "open": "opened its part to the auditor",
    "archive": "deleted what the members had sent",
}


def describe_entry(statement: Statement) -> str:
    """Return what a statement says, as the rest of a sentence about its signer.

    Examples
    --------
    >>> from aboveboard.evidence import generate_keys, sign_statement
    >>> body = {"kind": "dispute", "reason": "a list is missing"}
    >>> describe_entry(sign_statement(body, "acme", generate_keys()))
    'disputed the result: a list is missing'
    """
    kind, body = statement.kind, statement.body
    if kind == "dispute":
        return f"disputed the result: {body.get('reason', '')}"
    if kind == "cancel":
        return f"ended the round: {body.get('reason', '')}"
    if kind == "missing":
        return f"ended the step without {join_names(body.get('members', ()))}"
    if kind == "change":
        return "proposed a change of the terms" if "proposal" in body else "signed the change"
    if kind == "ask":
        return f"asked {join_names(body.get('members', ()))}"
    if kind == "vouch":
        return f"vouched for new keys of {body.get('member', '')}"
    if kind == "ruling":
        return f"ruled that the result {'stands' if body.get('stands') else 'does not stand'}"
    return _WORDS.get(kind) or f"made a statement of the kind {kind!r}"
