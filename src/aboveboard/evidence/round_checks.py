"""Which statement may follow in a round: one check for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aboveboard.evidence.blinded_tokens import find_blinder
from aboveboard.evidence.canonical import encode_canonical
from aboveboard.evidence.keys import PublicKeys, verify_signature
from aboveboard.evidence.round_states import RefusedStatementError, State
from aboveboard.evidence.statements import Statement
from aboveboard.evidence.terms import CENTER

if TYPE_CHECKING:
    from aboveboard.evidence.rounds import Round


def _check_member(round_: Round, statement: Statement) -> None:
    if statement.by not in round_.terms.members:
        raise RefusedStatementError(f"only a member says {statement.kind!r}")


def _check_fields(statement: Statement, **kinds: type) -> None:
    body = {key: value for key, value in statement.body.items() if key not in ("kind", "terms")}
    for name, kind in kinds.items():
        if type(body.get(name)) is not kind:
            raise RefusedStatementError(f"{statement.kind!r} needs {name!r}")
    if unknown := sorted(set(body) - set(kinds)):
        raise RefusedStatementError(f"{statement.kind!r} has no {unknown[0]!r}")


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and not set(value) - set("0123456789abcdef")


def _require(round_: Round, statement: Statement, *states: State) -> None:
    if round_.state not in states:
        raise RefusedStatementError(f"the round is {round_.state}; it takes no {statement.kind!r}")


def _check_agree(round_: Round, statement: Statement) -> None:
    _check_member(round_, statement)
    _check_fields(statement)
    _require(round_, statement, State.OFFERED)
    if ("agree", statement.by) in round_.said:
        raise RefusedStatementError(f"{statement.by!r} has agreed already")


def _check_commit(round_: Round, statement: Statement) -> None:
    _check_member(round_, statement)
    _check_fields(statement, root=str, size=int, nonce=str)
    _require(round_, statement, State.COMMITTING)
    if ("commit", statement.by) in round_.said:
        raise RefusedStatementError(f"{statement.by!r} has committed already; a commitment stands")
    if not _is_digest(statement.body["root"]) or not _is_digest(statement.body["nonce"]):
        raise RefusedStatementError("a commitment's root and nonce are SHA-256 hashes")
    if statement.body["size"] < 0:
        raise RefusedStatementError("a commitment's size is not negative")


def _check_submit(round_: Round, statement: Statement) -> None:
    _check_member(round_, statement)
    _check_fields(statement, sealed=str, size=int, root=str)
    _require(round_, statement, State.SUBMITTING, State.SEALED)
    size, root = statement.body["size"], statement.body["root"]
    least = round_.committed_at
    if least is None or not least <= size <= len(round_.leaves):
        raise RefusedStatementError(
            "a submission names a checkpoint that holds all commitments: submit after they are in"
        )
    if round_.root_at(size).hex() != root:
        raise RefusedStatementError("it names another log: the checkpoint's root differs")
    if not _is_digest(statement.body["sealed"]):
        raise RefusedStatementError("a submission names the SHA-256 hash of its sealed data")


def _check_result(round_: Round, statement: Statement) -> None:
    _check_center(statement)
    _check_fields(statement, nonces=dict, seed=str, facts=dict, shares=dict, replies=dict)
    _require(round_, statement, State.SEALED)
    if round_.terms.counts == "members" and (waiting := round_.list_awaited("counted")):
        raise RefusedStatementError(f"{', '.join(waiting)} have not counted the regions")
    drawn = () if round_.terms.protocol == "run" else round_.present
    for name, named in (("nonces", drawn), ("shares", round_.present), ("replies", round_.present)):
        if set(statement.body[name]) != set(named):
            raise RefusedStatementError(f"the result's {name} are not those of the members present")


def _check_accept(round_: Round, statement: Statement) -> None:
    _check_member(round_, statement)
    _check_fields(statement, result=str)
    _require(round_, statement, State.RESULT, State.DISPUTED)
    _check_names_result(round_, statement)


def _check_dispute(round_: Round, statement: Statement) -> None:
    _check_member(round_, statement)
    _check_fields(statement, result=str, reason=str)
    _require(round_, statement, State.RESULT, State.SETTLED, State.DISPUTED)
    _check_names_result(round_, statement)


def _check_names_result(round_: Round, statement: Statement) -> None:
    result = round_.find("result")
    if result is None or statement.body["result"] != result.digest:
        raise RefusedStatementError("it names another result")


def _check_leave(round_: Round, statement: Statement) -> None:
    _check_member(round_, statement)
    _check_fields(statement)
    _require(round_, statement, State.OFFERED, State.COMMITTING, State.SUBMITTING)


def _check_missing(round_: Round, statement: Statement) -> None:
    _check_center(statement)
    _check_fields(statement, members=list)
    _require(round_, statement, State.OFFERED, State.COMMITTING, State.SUBMITTING)
    step = {State.OFFERED: "agree", State.COMMITTING: "commit"}.get(round_.state, "submit")
    awaited, members = round_.list_awaited(step), statement.body["members"]
    if not members or len(set(map(str, members))) < len(members) or set(members) - set(awaited):
        raise RefusedStatementError("it names others than the members that are awaited")


def _check_tokens(round_: Round, statement: Statement) -> None:
    _check_member(round_, statement)
    _check_fields(statement, owner=str, step=int, sha256=str)
    _require_counting(round_, statement)
    owner, step = statement.body["owner"], statement.body["step"]
    names = round_.terms.names
    if owner not in names or step != len(round_.tokens.get(owner, ())) or step >= len(names):
        raise RefusedStatementError(f"the tokens of {owner!r} are not in this step")
    if find_blinder(names, owner, step) != statement.by:
        raise RefusedStatementError(f"it is not the turn of {statement.by!r}")
    if not _is_digest(statement.body["sha256"]):
        raise RefusedStatementError("tokens are named by their SHA-256 hash")


def _check_counted(round_: Round, statement: Statement) -> None:
    _check_member(round_, statement)
    _check_fields(statement, regions=list)
    _require_counting(round_, statement)
    if not round_.tokens_complete:
        raise RefusedStatementError("not all tokens have been blinded by all members")
    if ("counted", statement.by) in round_.said:
        raise RefusedStatementError(f"{statement.by!r} has counted already")


def _require_counting(round_: Round, statement: Statement) -> None:
    if round_.terms.counts != "members":
        raise RefusedStatementError("by the terms members do not count")
    _require(round_, statement, State.SUBMITTING, State.SEALED)


PROOF = b"aboveboard rotation v1\n"
"""What the new key signs begins with this line."""


def encode_rotation(terms: str, name: str, keys: PublicKeys) -> bytes:
    """Return what a new key signs, so that nobody takes over somebody else's key."""
    return PROOF + encode_canonical({"keys": keys.as_dict(), "name": name, "terms": terms})


def read_new_keys(statement: Statement) -> PublicKeys:
    """Return the keys that a rotation names; ValueError if they are none."""
    return PublicKeys(statement.body["signing"], statement.body["sealing"])


def _check_rotate(round_: Round, statement: Statement) -> None:
    _check_member(round_, statement)
    _check_fields(statement, signing=str, sealing=str, proof=str)
    try:
        keys = read_new_keys(statement)
        proof = bytes.fromhex(statement.body["proof"])
    except ValueError as error:
        raise RefusedStatementError(f"it names no keys: {error}") from error
    taken = {x for name in round_.terms.names for x in round_.list_keys(name)}
    taken |= {round_.terms.center.signing, round_.terms.log.signing}
    if keys.signing in taken:
        raise RefusedStatementError("the new key is in use already")
    rotation = encode_rotation(round_.terms_digest, statement.by, keys)
    if not verify_signature(keys.signing, proof, rotation):
        raise RefusedStatementError("the new key has not signed the rotation")


def _check_cancel(round_: Round, statement: Statement) -> None:
    _check_center(statement)
    _check_fields(statement, reason=str)
    if ("result", CENTER) in round_.said:
        raise RefusedStatementError("a round with a result cannot be cancelled")


def _check_center(statement: Statement) -> None:
    if statement.by != CENTER:
        raise RefusedStatementError(f"only the center says {statement.kind!r}")


CHECKS: Mapping[str, Callable[[Round, Statement], None]] = {
    "agree": _check_agree,
    "commit": _check_commit,
    "submit": _check_submit,
    "result": _check_result,
    "accept": _check_accept,
    "dispute": _check_dispute,
    "tokens": _check_tokens,
    "counted": _check_counted,
    "leave": _check_leave,
    "rotate": _check_rotate,
    "missing": _check_missing,
    "cancel": _check_cancel,
}
"""By kind of statement: raises `RefusedStatementError` if it cannot follow."""
