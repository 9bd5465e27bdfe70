"""What of a round's log stands, so that a round is read without folding its whole log.

The column `standing` of a collaboration repeats what its log tells: which entries still count, and
what followed from the others. It is written with each entry, in the same transaction, and says of
which log it is, by size and root; what is of another log is passed over, and the log is folded. A
statement is read from the log once somebody asks what it says, so that such a round is good for its
transaction alone. Cost: a few bytes for each statement that stands, however long the log is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Integer, and_, bindparam, select

from aboveboard.errors import InputError
from aboveboard.evidence.keys import PublicKeys
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.statements import Statement
from aboveboard.evidence.terms import CENTER, Terms, parse_terms
from aboveboard.hub.collaborations.nodes import (
    extend_frontier,
    fold_frontier,
    read_root,
    split_frontier,
)
from aboveboard.hub.database.tables import log_entry

Place = tuple[int, int]
"""Where a statement stands in its log, and when it came, in seconds since 1970."""


class StoredStatement(Statement):
    """A statement that is read from the log once somebody asks what it says.

    Parameters
    ----------
    by
        Who says it.
    place
        Where it stands, and when it came.
    find
        Reads the content of an entry.
    """

    place: Place

    def __init__(self, by: str, place: Place, find: Callable[[int], bytes]) -> None:
        vars(self).update(by=by, place=place, _find=find)

    def __getattr__(self, name: str) -> Any:
        if name not in ("body", "signature"):
            raise AttributeError(name)
        found = read_taken(self.content)
        vars(self).update(body=found.body, signature=found.signature)
        return vars(self)[name]

    @cached_property
    def content(self) -> bytes:
        """The canonical bytes."""
        found: bytes = vars(self)["_find"](self.place[0])
        return found


def read_taken(content: bytes) -> Statement:
    """Return a statement of the hub's own log, which was checked when it was taken in."""
    found = json.loads(content)
    statement = Statement(found["body"], found["by"], found["sig"])
    vars(statement)["content"] = bytes(content)  # whose hash the signed checkpoint has
    return statement


@dataclass(frozen=True)
class StoredLog:
    """A log in the database, as long as a transaction.

    Parameters
    ----------
    connection
        The transaction.
    identifier
        Of the collaboration.
    known
        Contents of entries that were read already, by their hash.
    """

    connection: Connection
    identifier: str
    known: Mapping[str, bytes] = field(default_factory=dict)

    def read_entry(self, index: int) -> bytes:
        """Return the content of an entry."""
        asked = {"identifier": self.identifier, "number": index}
        return bytes(self.connection.execute(_ENTRY, asked).scalar_one())

    def find_place(self, statement: Statement) -> Place:
        """Return where a statement stands in the log."""
        if isinstance(statement, StoredStatement):
            return statement.place
        asked = {"identifier": self.identifier, "digest": statement.digest}
        index, created = self.connection.execute(_PLACE, asked).one()
        return index, created

    def read_root(self, size: int) -> bytes:
        """Return the root of the first `size` entries."""
        return read_root(self.connection, self.identifier, size)

    def read_terms(self, digest: str) -> Terms:
        """Return the terms of the statement with this hash, which was checked when it was taken in.

        Raises
        ------
        InputError
            If the log holds no such statement.
        """
        place = f"collaboration {self.identifier}"
        content = self.known.get(digest)
        if content is None:
            asked = {"identifier": self.identifier, "digest": digest}
            content = self.connection.execute(_TERMS, asked).scalar()
        if content is None or hashlib.sha256(content).hexdigest() != digest:
            raise InputError(
                place, "its terms are not in its log", "restore the database from a backup"
            )
        statement = read_taken(content)
        changed = statement.kind == "change"
        return parse_terms(statement.body["proposal"] if changed else statement.body, place)


@dataclass(frozen=True)
class StoredLeaves:
    """The leaves of a log in the database, and some more.

    Parameters
    ----------
    log
        The log.
    size
        How many are stored.
    frontier
        Hashes of the complete subtrees of these, the largest first.
    added
        Those that follow.
    """

    log: StoredLog
    size: int
    frontier: tuple[bytes, ...]
    added: tuple[bytes, ...] = ()

    def __len__(self) -> int:
        return self.size + len(self.added)

    def add(self, leaf: bytes) -> StoredLeaves:
        """Return them with one more."""
        return replace(self, added=(*self.added, leaf))

    def root_at(self, size: int) -> bytes:
        """Return the root of the first `size` of them."""
        if size < self.size:
            return self.log.read_root(size)
        frontier = list(self.frontier)
        for k, leaf in enumerate(self.added[: size - self.size], self.size):
            frontier, _ = extend_frontier(frontier, k, leaf)
        return fold_frontier(frontier)


class StoredRound(Round):
    """A round whose terms are read from the log once somebody asks for them."""

    @classmethod
    def make(
        cls, log: StoredLog, names: Sequence[str], mechanism: str, **known: Any
    ) -> StoredRound:
        """Return the round with all that is known of it; its terms are not.

        Parameters
        ----------
        log
            Of the round.
        names, mechanism
            What its terms say of members and rule: they need not be read for that.
        known
            The other fields.
        """
        made = cls.__new__(cls)
        vars(made).update(known, _log=log, _names=tuple(names), _mechanism=mechanism)
        return made

    def __getattr__(self, name: str) -> Any:
        if name != "terms":
            raise AttributeError(name)
        terms = vars(self)["_log"].read_terms(self.terms_digest)
        vars(self)["terms"] = terms
        return terms

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names, in order."""
        known: tuple[str, ...] | None = vars(self).get("_names")
        return self.terms.names if known is None else known

    @property
    def mechanism(self) -> str:
        """The name of the rule."""
        known: str | None = vars(self).get("_mechanism")
        return self.terms.mechanism if known is None else known


def restore_round(log: StoredLog, row: Any) -> Round | None:
    """Return the round that a collaboration's `standing` tells; None: it is of another log.

    Parameters
    ----------
    log
        Of the round, which is good as long as the log's transaction.
    row
        Of the collaboration.
    """
    stands, frontier = read_standing(row), split_frontier(row.frontier or b"")
    try:
        if (stands["size"], stands["root"]) != (row.size, fold_frontier(frontier).hex()):
            return None
        leaves = StoredLeaves(log, row.size, tuple(frontier))
        return _restore(stands, log, row.terms, leaves)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def read_standing(row: Any) -> Any:
    """Return what a collaboration's row says to stand; text that is damaged stands for itself."""
    try:
        return json.loads(row.standing)
    except (ValueError, TypeError):
        return row.standing


def _restore(data: Mapping[str, Any], log: StoredLog, digest: str, leaves: StoredLeaves) -> Round:
    """Return the round that `describe_round` has described."""
    find = log.read_entry
    said = {
        (kind, by): StoredStatement(by, (index, created), find)
        for kind, by, index, created in data["said"]
    }
    pending = data.get("pending")
    asked = (StoredStatement(CENTER, (index, at), find) for index, at in data.get("asked", ()))
    return StoredRound.make(
        log,
        data["names"],
        data["mechanism"],
        terms_digest=digest,
        leaves=leaves,
        said=said,
        missing=frozenset(data.get("missing", ())),
        committed_at=data.get("committed_at"),
        cancelled=data.get("cancelled", ""),
        rotated={
            name: tuple(PublicKeys(*pair) for pair in pairs)
            for name, pairs in data.get("rotated", {}).items()
        },
        tokens={name: tuple(each) for name, each in data.get("tokens", {}).items()},
        first_terms=data["first_terms"],
        declined=data.get("declined", ""),
        log_keys=tuple((start, key) for start, key in data["log_keys"]),
        vouches={
            (name, signing, sealing): frozenset(who)
            for name, signing, sealing, who in data.get("vouches", ())
        },
        vouched={name: frozenset(who) for name, who in data.get("vouched", {}).items()},
        pending=None if pending is None else StoredStatement(CENTER, tuple(pending), find),
        consents=frozenset(data.get("consents", ())),
        asked=tuple(asked),
        answers={
            (step, name): StoredStatement(name, (index, created), find)
            for step, name, index, created in data.get("answers", ())
        },
        unanswered=frozenset((step, name) for step, name in data.get("unanswered", ())),
        silent=frozenset(data.get("silent", ())),
        archived=data.get("archived", False),
    )


def describe_round(
    round_: Round, root: bytes, find_place: Callable[[Statement], Place]
) -> dict[str, Any]:
    """Return what stands of a round, plain data: all but its leaves and the text of its terms.

    Parameters
    ----------
    round_
        The round.
    root
        Of its whole log.
    find_place
        Returns where one of its statements stands.
    """
    found = {
        "size": len(round_.leaves),
        "root": root.hex(),
        "names": list(round_.names),
        "mechanism": round_.mechanism,
        "said": [[kind, by, *find_place(each)] for (kind, by), each in round_.said.items()],
        "missing": sorted(round_.missing),
        "committed_at": round_.committed_at,
        "cancelled": round_.cancelled,
        "rotated": {
            name: [[each.signing, each.sealing] for each in keys]
            for name, keys in round_.rotated.items()
        },
        "tokens": {name: list(each) for name, each in round_.tokens.items()},
        "first_terms": round_.first_terms,
        "declined": round_.declined,
        "log_keys": [list(each) for each in round_.log_keys],
        "vouches": [[*case, sorted(who)] for case, who in round_.vouches.items()],
        "vouched": {name: sorted(who) for name, who in round_.vouched.items()},
        "pending": None if round_.pending is None else list(find_place(round_.pending)),
        "consents": sorted(round_.consents),
        "asked": [list(find_place(each)) for each in round_.asked],
        "answers": [[*key, *find_place(each)] for key, each in round_.answers.items()],
        "unanswered": sorted(map(list, round_.unanswered)),
        "silent": sorted(round_.silent),
        "archived": round_.archived,
    }
    return {key: value for key, value in found.items() if value}


def encode_standing(stands: Mapping[str, Any]) -> str:
    """Return what `describe_round` returns as text."""
    return json.dumps(stands, separators=(",", ":"), sort_keys=True)


_ENTRY = select(log_entry.c.content).where(
    log_entry.c.collaboration == bindparam("identifier"),
    log_entry.c.index == bindparam("number", type_=Integer),
)
_NAMED = and_(
    log_entry.c.collaboration == bindparam("identifier"),
    log_entry.c.digest == bindparam("digest"),
)
_PLACE = select(log_entry.c.index, log_entry.c.created).where(_NAMED)
_TERMS = select(log_entry.c.content).where(_NAMED)
"""Made once: pages and writers ask them every time."""
