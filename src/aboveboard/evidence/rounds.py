"""A round as its log tells it: which statement may follow, and what state the round is in.

The log is the only truth. `Round` folds its entries, one by one, and refuses each that is not
signed, not of this round, out of order, or contradicts an earlier one. The center uses it before
it appends, each member when it reads, the verifier at the end: one state machine for all.

In the protocol "run" the center states terms and result alone; nobody else signs.

Order: terms, all agree, all commit, a checkpoint with all commitments, all submit under that
checkpoint, the questions of the rule with their answers, result, each accepts or disputes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from aboveboard.errors import InputError
from aboveboard.evidence.keys import PublicKeys
from aboveboard.evidence.leaves import Leaves, WholeLeaves
from aboveboard.evidence.round_checks import CHECKS
from aboveboard.evidence.round_states import RefusedStatementError, State
from aboveboard.evidence.round_steps import STEPS
from aboveboard.evidence.statements import Statement, read_statement
from aboveboard.evidence.terms import CENTER, Terms, parse_terms, read_terms
from aboveboard.evidence.trees import hash_leaf
from aboveboard.formatting import format_count

MOST_ENTRIES = 2**17
"""Statements of a log: 1,000 members that answer 100 questions make 104,000."""


@dataclass(frozen=True)
class Round:
    """A round up to some entry of its log.

    Parameters
    ----------
    terms
        What was agreed; after a change the changed ones.
    terms_digest
        The hash of the signed statement that holds them, by which every later one names them.
    leaves
        Of the log's tree: one for each entry so far.
    first_terms
        The hash of the terms that opened the log: the name of the round, whatever is changed.
    said
        Statements by kind and signer; the latest where one may be repeated.
    missing
        Members that left or were late, where the terms let the round go on without them.
    committed_at
        How many entries the log had once all had committed; None before.
    cancelled
        Why the round ended without a result; empty if it did not.
    declined
        Who left before all had agreed; empty if nobody did. Other terms may follow.
    rotated
        By member, or "center": the keys that took the place of those of the terms.
    log_keys
        The log's keys: from which size on, and the key.
    vouches
        By member, signing and sealing key: who vouches that these are the member's new keys.
    vouched
        By member that goes on with such keys: who has vouched for them.
    pending
        The change of terms that waits for signatures; None where there is none.
    consents
        Who has signed it.
    tokens
        By member: the hashes of its list's tokens, one for each member that has blinded them.
    asked
        What the center has asked, the last of each step.
    answers
        By step and member.
    unanswered
        Steps and members whose answers were late; the rule does without them.
    silent
        Members that have neither accepted nor disputed the result in time.
    archived
        Whether the center has deleted what the members have sent.

    Examples
    --------
    >>> from aboveboard.commands.rounds.drafting import draft_terms
    >>> from aboveboard.evidence.center_keys import CenterKeys
    >>> from aboveboard.evidence.keys import generate_keys
    >>> from aboveboard.evidence.statements import sign_statement
    >>> center, members = CenterKeys(generate_keys(), generate_keys()), {"acme": {}, "bolt": {}}
    >>> keys = {name: generate_keys() for name in members}
    >>> file = {"mechanism": "exchange.union", "parties": members}
    >>> public = {name: each.public for name, each in keys.items()}
    >>> terms = sign_statement(draft_terms(file, public, center, "a/log"), CENTER, center.center)
    >>> round_ = begin_round(terms.content, "terms.json")
    >>> for name in members:
    ...     said = sign_statement({"kind": "agree", "terms": terms.digest}, name, keys[name])
    ...     round_ = round_.accept(said)
    >>> str(round_.state), round_.list_awaited("commit")
    ('committing', ('acme', 'bolt'))
    """

    terms: Terms
    terms_digest: str
    leaves: Leaves
    said: Mapping[tuple[str, str], Statement] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    committed_at: int | None = None
    cancelled: str = ""
    rotated: Mapping[str, tuple[PublicKeys, ...]] = field(default_factory=dict)
    tokens: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    first_terms: str = ""
    declined: str = ""
    log_keys: tuple[tuple[int, str], ...] = ()
    vouches: Mapping[tuple[str, str, str], frozenset[str]] = field(default_factory=dict)
    vouched: Mapping[str, frozenset[str]] = field(default_factory=dict)
    pending: Statement | None = None
    consents: frozenset[str] = frozenset()
    asked: tuple[Statement, ...] = ()
    answers: Mapping[tuple[int, str], Statement] = field(default_factory=dict)
    unanswered: frozenset[tuple[int, str]] = frozenset()
    silent: frozenset[str] = frozenset()
    archived: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names, in order."""
        return self.terms.names

    @property
    def mechanism(self) -> str:
        """The name of the rule."""
        return self.terms.mechanism

    @property
    def present(self) -> tuple[str, ...]:
        """The members that still take part, in order."""
        return tuple(name for name in self.names if name not in self.missing)

    @property
    def state(self) -> State:
        """Where the round stands."""
        if self.archived:
            return State.ARCHIVED
        if self.cancelled:
            return State.CANCELLED
        if ("result", CENTER) in self.said:
            return self._find_late_state()
        if self.terms.protocol == "run":
            return State.SEALED
        if self.declined:
            return State.DECLINED
        for kind, state in (
            ("agree", State.OFFERED),
            ("commit", State.COMMITTING),
            ("submit", State.SUBMITTING),
        ):
            if self.list_awaited(kind):
                return state
        return State.ASKING if self.list_unanswered() else State.SEALED

    def _find_late_state(self) -> State:
        """Return where the round stands once there is a result."""
        ruling = self.find("ruling", "auditor")
        if ruling is not None:
            return State.SETTLED if ruling.body["stands"] else State.FAILED
        if any(("dispute", name) in self.said for name in self.present):
            return State.DISPUTED
        return State.RESULT if self.list_awaited("accept") else State.SETTLED

    def list_awaited(self, kind: str) -> tuple[str, ...]:
        """Return the members that have not made a statement of this kind."""
        done = self.silent if kind == "accept" else frozenset()
        return tuple(n for n in self.present if (kind, n) not in self.said and n not in done)

    def list_unanswered(self) -> tuple[str, ...]:
        """Return the members that have not answered the last question."""
        if not self.asked:
            return ()
        step, members = self.asked[-1].body["step"], self.asked[-1].body["members"]
        done = self.unanswered | set(self.answers)
        return tuple(n for n in self.present if n in members and (step, n) not in done)

    @property
    def pending_terms(self) -> Terms | None:
        """The terms of the change that waits for signatures; None where there is none."""
        if self.pending is None:
            return None
        return parse_terms(self.pending.body["proposal"], "change")

    def list_unsigned(self) -> tuple[str, ...]:
        """Return the members whose signature the pending change of terms waits for."""
        terms = self.pending_terms
        if terms is None:
            return ()
        return tuple(sorted((set(self.present) | set(terms.members)) - self.consents))

    def find(self, kind: str, by: str = CENTER) -> Statement | None:
        """Return what somebody said, or None."""
        return self.said.get((kind, by))

    def find_keys(self, name: str) -> PublicKeys | None:
        """Return the keys of a member or the center that are in force; None for others."""
        if self.rotated.get(name):
            return self.rotated[name][-1]
        if name == CENTER:
            return self.terms.center.public
        member = self.terms.members.get(name)
        return None if member is None or member.keys is None else member.keys.public

    def find_key(self, name: str) -> str | None:
        """Return the signing key of a signer that is in force; None for strangers."""
        keys = self.find_keys(name)
        return self.terms.find_key(name) if keys is None else keys.signing

    def list_keys(self, name: str) -> list[str]:
        """Return every signing key that a member or the center has had in this round."""
        first = self.terms.find_key(name)
        later = [keys.signing for keys in self.rotated.get(name, ())]
        return later if first is None else [first, *later]

    def find_log_key(self, size: int) -> str:
        """Return the key that signs the checkpoint of a log of this size."""
        return [key for start, key in self.log_keys if start <= size][-1]

    def list_log_keys(self) -> list[str]:
        """Return every key that the log has had."""
        return [key for _, key in self.log_keys]

    def accept(self, statement: Statement, *, checked: bool = False) -> Round:
        """Return the round with one more statement.

        Parameters
        ----------
        statement
            What follows.
        checked
            Whether its signature was checked before: a hub that reads its own log compares the
            root that it signed then, in place of every signature.

        Raises
        ------
        RefusedStatementError
            If it cannot follow.
        """
        self._refuse_foreign(statement, checked=checked)
        kind, by = statement.kind, statement.by
        check = CHECKS.get(kind)
        if check is None:
            raise RefusedStatementError(f"a round has no statement {kind!r} after its terms")
        check(self, statement)
        leaves = self.leaves.add(hash_leaf(statement.content))
        after = replace(self, leaves=leaves, said={**self.said, (kind, by): statement})
        if kind in STEPS:
            after = STEPS[kind](after, statement)
        if after.committed_at is None and after.state in (State.SUBMITTING, State.SEALED):
            after = replace(after, committed_at=len(leaves))
        return after

    def replace_keys(self, name: str, keys: PublicKeys) -> Round:
        """Return the round with new keys of a member or the center."""
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
        return self.leaves.root_at(size)

    def _refuse_foreign(self, statement: Statement, *, checked: bool) -> None:
        if self.archived:
            raise RefusedStatementError("the round is archived")
        if self.cancelled and statement.kind != "archive":
            raise RefusedStatementError("the round was cancelled")
        if statement.body.get("terms") != self.terms_digest:
            raise RefusedStatementError("it is of another round: it names other terms")
        joins = statement.kind == "change" and self._find_joining_key(statement.by)
        signing = joins or self.find_key(statement.by)
        if signing is None:
            raise RefusedStatementError(f"{statement.by!r} is not a member of this round")
        if statement.by in self.missing and not joins:
            raise RefusedStatementError(f"{statement.by!r} is no longer part of this round")
        if not checked and not statement.is_signed_with(signing):
            raise RefusedStatementError(f"it is not signed with the key of {statement.by!r}")

    def _find_joining_key(self, name: str) -> str | None:
        """Return the signing key of somebody whom the pending change lets in, or in again."""
        terms = self.pending_terms
        if terms is None or name in self.present or name not in terms.members:
            return None
        return terms.find_key(name)


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
    return Round(
        terms,
        statement.digest,
        WholeLeaves((hash_leaf(entry),)),
        said,
        first_terms=statement.digest,
        log_keys=((0, terms.log.signing),),
    )


def replay_log(entries: Iterable[bytes], place: str) -> Round:
    """Return the round that a log tells.

    Raises
    ------
    InputError
        If it has no entries, or one that cannot follow; it names which.

    Examples
    --------
    >>> from aboveboard.commands.rounds.drafting import draft_terms
    >>> from aboveboard.evidence.center_keys import CenterKeys
    >>> from aboveboard.evidence.keys import generate_keys
    >>> from aboveboard.evidence.statements import sign_statement
    >>> center, members = CenterKeys(generate_keys(), generate_keys()), {"acme": {}, "bolt": {}}
    >>> keys = {name: generate_keys() for name in members}
    >>> file = {"mechanism": "exchange.union", "parties": members}
    >>> public = {name: each.public for name, each in keys.items()}
    >>> terms = sign_statement(draft_terms(file, public, center, "a/log"), CENTER, center.center)
    >>> agreed = {"kind": "agree", "terms": terms.digest}
    >>> entries = [terms.content, sign_statement(agreed, "acme", keys["acme"]).content]
    >>> round_ = replay_log(entries, "log.jsonl")
    >>> str(round_.state), round_.list_awaited("agree")
    ('offered', ('bolt',))
    """
    rest = iter(entries)
    first = next(rest, None)
    if first is None:
        raise InputError(place, "the log is empty", "its first entry is the terms")
    round_ = begin_round(first, f"{place}: entry 0")
    for k, entry in enumerate(rest, 1):
        where = f"{place}: entry {k}"
        if k >= MOST_ENTRIES:
            raise InputError(
                where,
                f"the log has more than {format_count(MOST_ENTRIES)} entries",
                "no round needs as many: dispute it",
            )
        try:
            round_ = round_.accept(read_statement(entry, where))
        except RefusedStatementError as error:
            raise InputError(
                where, str(error), "a log of the center holds no such statement: dispute the round"
            ) from error
    return round_
