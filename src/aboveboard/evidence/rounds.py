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

from aboveboard.errors import InputError
from aboveboard.evidence.keys import PublicKeys
from aboveboard.evidence.round_checks import CHECKS, encode_rotation, read_new_keys
from aboveboard.evidence.round_states import RefusedStatementError, State
from aboveboard.evidence.statements import Statement, read_statement
from aboveboard.evidence.terms import CENTER, Terms, read_terms
from aboveboard.evidence.trees import compute_root, hash_leaf


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
            return State.SETTLED if not self.list_awaited("accept") else State.RESULT
        if self.terms.protocol == "run":
            return State.SEALED
        for kind, state in (
            ("agree", State.OFFERED),
            ("commit", State.COMMITTING),
            ("submit", State.SUBMITTING),
        ):
            if self.list_awaited(kind):
                return state
        return State.SEALED

    def list_awaited(self, kind: str) -> tuple[str, ...]:
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
        check = CHECKS.get(kind)
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
            after = after.replace_keys(by, read_new_keys(statement))
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
            raise RefusedStatementError(f"{statement.by!r} is not a member of this round")
        if statement.by in self.missing:
            raise RefusedStatementError(f"{statement.by!r} is no longer part of this round")
        if not statement.is_signed_with(signing):
            raise RefusedStatementError(f"it is not signed with the key of {statement.by!r}")


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


__all__ = [
    "RefusedStatementError",
    "Round",
    "State",
    "begin_round",
    "encode_rotation",
    "replay_log",
]
