"""New keys: whose they are, and who says so.

A key that is exchanged is named by the old one, and has itself signed that it takes its place, so
that nobody takes over somebody else's key. A key that was lost is vouched for by others, as the
terms say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aboveboard.evidence.canonical import decode_hex, encode_canonical
from aboveboard.evidence.keys import PublicKeys, verify_signature
from aboveboard.evidence.round_states import RefusedStatementError
from aboveboard.evidence.statement_checks import require_fields, require_member
from aboveboard.evidence.statements import Statement
from aboveboard.evidence.terms import CENTER

if TYPE_CHECKING:
    from aboveboard.evidence.rounds import Round

MOST_KEYS = 100
"""Signing keys that a signer may have in one round, and new ones for which one other vouches.

Each is compared with all others: a log of a hundred thousand would keep its reader for hours.
"""

PROOF = b"aboveboard rotation v1\n"
"""What the new key signs begins with this line."""


def encode_rotation(terms: str, name: str, keys: PublicKeys) -> bytes:
    """Return what a new key signs, so that nobody takes over somebody else's key."""
    return PROOF + encode_canonical({"keys": keys.as_dict(), "name": name, "terms": terms})


def read_new_keys(statement: Statement) -> PublicKeys:
    """Return the keys that a statement names; ValueError if they are not keys."""
    return PublicKeys(statement.body["signing"], statement.body["sealing"])


def check_rotate(round_: Round, statement: Statement) -> None:
    """Raise `RefusedStatementError` if new keys cannot take the place of the signer's.

    The center names the log's key besides, which need not be a new one.
    """
    if statement.by == CENTER:
        require_fields(statement, signing=str, sealing=str, proof=str, log=str, log_proof=str)
    else:
        require_member(round_, statement)
        require_fields(statement, signing=str, sealing=str, proof=str)
    keys = _check_proof(round_, statement, statement.by)
    if statement.by == CENTER:
        _check_log_key(round_, statement, keys)
        same = keys == round_.find_keys(CENTER)
        if same and statement.body["log"] == round_.list_log_keys()[-1]:
            raise RefusedStatementError("it names no new key")


def _check_log_key(round_: Round, statement: Statement, keys: PublicKeys) -> None:
    log = statement.body["log"]
    if log == round_.list_log_keys()[-1]:
        return
    if len(round_.list_log_keys()) >= MOST_KEYS:
        raise RefusedStatementError(f"the log's key has been replaced {MOST_KEYS - 1} times")
    if log in _list_taken(round_) | {keys.signing}:
        raise RefusedStatementError("the log's new key is in use already")
    try:
        proof = decode_hex(statement.body["log_proof"])
    except ValueError:
        proof = b""
    rotation = encode_rotation(round_.terms_digest, "log", PublicKeys(log, keys.sealing))
    if not verify_signature(log, proof, rotation):
        raise RefusedStatementError("the log's new key has not signed the rotation")


def check_vouch(round_: Round, statement: Statement) -> None:
    """Raise `RefusedStatementError` if the terms do not let the signer vouch for these keys."""
    require_fields(statement, member=str, signing=str, sealing=str, proof=str)
    name = statement.body["member"]
    if round_.terms.lost_key == "nobody":
        raise RefusedStatementError("by the terms nobody vouches for a lost key")
    if name not in round_.present or statement.by == name:
        raise RefusedStatementError("one vouches for another member that takes part")
    if statement.by not in (CENTER, *round_.present):
        raise RefusedStatementError("members and the center vouch")
    keys = _check_proof(round_, statement, name)
    case = (name, keys.signing, keys.sealing)
    # Each signer's own are counted: one that vouches for many hinders nobody else's recovery.
    standing = sum(n == name and statement.by in who for (n, *_), who in round_.vouches.items())
    if statement.by not in round_.vouches.get(case, ()) and standing >= MOST_KEYS:
        raise RefusedStatementError(
            f"{statement.by} has vouched for {MOST_KEYS} other keys of {name!r} already"
        )


def _check_proof(round_: Round, statement: Statement, name: str) -> PublicKeys:
    """Return the new keys; refuse those that are in use, or did not sign themselves."""
    try:
        keys = read_new_keys(statement)
        proof = decode_hex(statement.body["proof"])
    except ValueError as error:
        raise RefusedStatementError(f"it names no keys: {error}") from error
    kept = statement.by == CENTER == name and keys == round_.find_keys(CENTER)
    if len(round_.list_keys(name)) >= MOST_KEYS and not kept:
        raise RefusedStatementError(
            f"the keys of {name!r} have been replaced {MOST_KEYS - 1} times"
        )
    if keys.signing in _list_taken(round_) and not kept:
        raise RefusedStatementError("the new key is in use already")
    if not verify_signature(keys.signing, proof, encode_rotation(round_.terms_digest, name, keys)):
        raise RefusedStatementError("the new key has not signed the rotation")
    return keys


def _list_taken(round_: Round) -> set[str]:
    """Return all signing keys that somebody has, or had, in this round."""
    taken = {x for name in (*round_.terms.names, CENTER) for x in round_.list_keys(name)}
    auditor = round_.terms.find_key("auditor")
    return taken | set(round_.list_log_keys()) | ({auditor} if auditor else set())


def is_vouched(round_: Round, name: str, vouchers: frozenset[str]) -> bool:
    """Return whether these vouchers are enough by the terms; the center is always one of them.

    Parameters
    ----------
    round_
        The round.
    name
        The member whose key is lost.
    vouchers
        Who vouches for its new keys.
    """
    others = [each for each in round_.present if each != name]
    have = sum(each in vouchers for each in others)
    least = {"center": 0, "majority": len(others) // 2 + 1, "all": len(others)}
    needed = least.get(round_.terms.lost_key)
    return needed is not None and CENTER in vouchers and have >= min(needed, len(others))
