"""A round as its log tells it: which statement may follow, and what state the round is in.

The log is the only truth. `Round` folds its entries, one by one, and refuses each that is not
signed, not of this round, out of order, or contradicts an earlier one. The center uses it before
it appends, each member when it reads, the verifier at the end: one state machine for all.

In the protocol "run" the center states terms and result alone; nobody else signs.

Order: terms, all agree, all commit, a checkpoint with all commitments, all submit under that
checkpoint, result, each accepts or disputes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.blinded_tokens import find_blinder
from aboveboard.evidence.canonical import encode_canonical
from aboveboard.evidence.keys import PublicKeys, verify_signature
from aboveboard.evidence.statements import Statement, read_statement
from aboveboard.evidence.terms import CENTER, Terms, read_terms
from aboveboard.evidence.trees import compute_root, hash_leaf


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


@dataclass(frozen=True)
class Round:
    """A round up to some entry of its log.

    Parameters
    ----------
    terms
        What was agreed.
    terms_digest
        The hash of the signed terms, by which every later statement names them.
    leaves
        Leaf hashes of all entries so far.
    said
        Statements by kind and signer; the latest where one may be repeated.
    missing
        Members that left or were late, where the terms let the round go on without them.
    committed_at
        How many entries the log had once all had committed; None before.
    cancelled
        Why the round ended without a result; empty if it did not.
    rotated
        By member: the keys that took the place of those of the terms, the last one in force.
    tokens
        By member: the hashes of its list's tokens, one for each member that has blinded them.
    """

    terms: Terms
    terms_digest: str
    leaves: tuple[bytes, ...]
    said: Mapping[tuple[str, str], Statement] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    committed_at: int | None = None
    cancelled: str = ""
    rotated: Mapping[str, tuple[PublicKeys, ...]] = field(default_factory=dict)
    tokens: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def present(self) -> tuple[str, ...]:
        """The members that still take part, in order."""
        return tuple(name for name in self.terms.names if name not in self.missing)

    @property
    def state(self) -> State:
        """Where the round stands."""
        if self.cancelled:
            return State.CANCELLED
        if ("result", CENTER) in self.said:
            if any(("dispute", name) in self.said for name in self.present):
                return State.DISPUTED
            return State.SETTLED if not self.awaited("accept") else State.RESULT
        if self.terms.protocol == "run":
            return State.SEALED
        for kind, state in (
            ("agree", State.OFFERED),
            ("commit", State.COMMITTING),
            ("submit", State.SUBMITTING),
        ):
            if self.awaited(kind):
                return state
        return State.SEALED

    def awaited(self, kind: str) -> tuple[str, ...]:
        """Return the members that have not made a statement of this kind."""
        return tuple(name for name in self.present if (kind, name) not in self.said)

    def find(self, kind: str, by: str = CENTER) -> Statement | None:
        """Return what somebody said, or None."""
        return self.said.get((kind, by))

    def find_keys(self, name: str) -> PublicKeys | None:
        """Return the keys of a member that are in force; None for others."""
        if self.rotated.get(name):
            return self.rotated[name][-1]
        member = self.terms.members.get(name)
        return None if member is None or member.keys is None else member.keys.public

    def find_key(self, name: str) -> str | None:
        """Return the signing key of a signer that is in force; None for strangers."""
        keys = self.find_keys(name)
        return self.terms.find_key(name) if keys is None else keys.signing

    def list_keys(self, name: str) -> list[str]:
        """Return every signing key that a member has had in this round."""
        first = self.terms.find_key(name)
        later = [keys.signing for keys in self.rotated.get(name, ())]
        return later if first is None else [first, *later]

    def accept(self, statement: Statement) -> Round:
        """Return the round with one more statement.

        Raises
        ------
        RefusedStatementError
            If it cannot follow.
        """
        self._refuse_foreign(statement)
        kind, by = statement.kind, statement.by
        check = _CHECKS.get(kind)
        if check is None:
            raise RefusedStatementError(f"a round has no statement {kind!r} after its terms")
        check(self, statement)
        leaves = (*self.leaves, hash_leaf(statement.content))
        after = replace(self, leaves=leaves, said={**self.said, (kind, by): statement})
        if kind == "leave":
            after = after.drop(by, "a member left")
        elif kind == "missing":
            for name in statement.body["members"]:
                after = after.drop(name, "a member was late")
        elif kind == "tokens":
            owner = statement.body["owner"]
            passed = (*self.tokens.get(owner, ()), statement.body["sha256"])
            after = replace(after, tokens={**self.tokens, owner: passed})
        elif kind == "rotate":
            after = after.replace_keys(by, _read_new_keys(statement))
        elif kind == "cancel":
            after = replace(after, cancelled=statement.body["reason"] or "the center ended it")
        if after.committed_at is None and after.state in (State.SUBMITTING, State.SEALED):
            after = replace(after, committed_at=len(leaves))
        return after

    def replace_keys(self, name: str, keys: PublicKeys) -> Round:
        """Return the round with new keys of a member."""
        return replace(self, rotated={**self.rotated, name: (*self.rotated.get(name, ()), keys)})

    def drop(self, name: str, reason: str) -> Round:
        """Return the round without a member, or cancelled where the terms say so."""
        if self.terms.missing == "cancel" or len(self.present) <= 1:
            return self if self.cancelled else replace(self, cancelled=f"{reason}: {name}")
        return replace(self, missing=self.missing | {name})

    @property
    def tokens_complete(self) -> bool:
        """Whether every member's tokens have been blinded by all members."""
        names = self.terms.names
        return all(len(self.tokens.get(name, ())) == len(names) for name in names)

    def root_at(self, size: int) -> bytes:
        """Return the root of the log's first `size` entries."""
        return compute_root(self.leaves[:size])

    def _refuse_foreign(self, statement: Statement) -> None:
        if self.cancelled:
            raise RefusedStatementError("the round was cancelled")
        if statement.body.get("terms") != self.terms_digest:
            raise RefusedStatementError("it is of another round: it names other terms")
        signing = self.find_key(statement.by)
        if signing is None:
            raise RefusedStatementError(f"{statement.by!r} is no member of this round")
        if statement.by in self.missing:
            raise RefusedStatementError(f"{statement.by!r} is no longer part of this round")
        if not statement.is_signed_with(signing):
            raise RefusedStatementError(f"it is not signed with the key of {statement.by!r}")


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
    if round_.terms.counts == "members" and (waiting := round_.awaited("counted")):
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
    awaited, members = round_.awaited(step), statement.body["members"]
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


def _read_new_keys(statement: Statement) -> PublicKeys:
    return PublicKeys(statement.body["signing"], statement.body["sealing"])


def _check_rotate(round_: Round, statement: Statement) -> None:
    _check_member(round_, statement)
    _check_fields(statement, signing=str, sealing=str, proof=str)
    try:
        keys = _read_new_keys(statement)
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


_CHECKS = {
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


def begin_round(entry: bytes, place: str) -> Round:
    """Return the round that a log's first entry opens.

    Raises
    ------
    InputError
        If it holds no terms that the center signed.
    """
    statement = read_statement(entry, place)
    terms = read_terms(statement, place)
    said = {("terms", CENTER): statement}
    return Round(terms, statement.digest, (hash_leaf(entry),), said)


def replay_log(entries: Iterable[bytes], place: str) -> Round:
    """Return the round that a log tells.

    Raises
    ------
    InputError
        If it has no entries, or one that cannot follow; it names which.
    """
    rest = iter(entries)
    first = next(rest, None)
    if first is None:
        raise InputError(place, "the log is empty", "its first entry is the terms")
    round_ = begin_round(first, f"{place}: entry 0")
    for k, entry in enumerate(rest, 1):
        where = f"{place}: entry {k}"
        try:
            round_ = round_.accept(read_statement(entry, where))
        except RefusedStatementError as error:
            raise InputError(
                where, str(error), "a log of the center holds no such statement: dispute the round"
            ) from error
    return round_
