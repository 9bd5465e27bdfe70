"""The log of a collaboration in the database, and the round that it tells.

A round is restored from what of its log stands, and folded from all entries where that is missing
or of another log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, func, select, update

from aboveboard.errors import InputError
from aboveboard.evidence.keys import PrivateKeys
from aboveboard.evidence.log import verify_checkpoint
from aboveboard.evidence.notes import Checkpoint, read_note, sign_note
from aboveboard.evidence.round_states import ENDED, RefusedStatementError, State
from aboveboard.evidence.round_turns import list_turns
from aboveboard.evidence.rounds import Round, begin_round
from aboveboard.evidence.statements import Statement, read_statement
from aboveboard.evidence.trees import InvalidProofError, hash_leaf
from aboveboard.hub.collaborations.deadlines import STEPS, find_until
from aboveboard.hub.collaborations.nodes import (
    Node,
    extend_frontier,
    fold_frontier,
    split_frontier,
)
from aboveboard.hub.collaborations.standing import (
    Place,
    StoredLog,
    describe_round,
    encode_standing,
    read_taken,
    restore_round,
)
from aboveboard.hub.database.tables import checkpoint, collaboration, log_entry, tree_node

MOST_PAGE_BYTES = 2**22
"""Bytes of a page of a log: a member may have filled its entries to their limit."""


class NoCollaborationError(Exception):
    """Raised when there is no such collaboration, or the caller takes no part in it."""


@dataclass(frozen=True)
class Position:
    """Where a statement stands.

    Parameters
    ----------
    index
        In the log.
    digest
        Its SHA-256.
    fresh
        Whether it was added just now; False: it stood there already.
    state
        Of the round afterwards.
    """

    index: int
    digest: str
    fresh: bool
    state: str


def lock(connection: Connection, identifier: str) -> Any:
    """Return a collaboration's row; no other transaction changes it before this one ends.

    Raises
    ------
    NoCollaborationError
        If there is none.
    """
    row = connection.execute(
        select(collaboration).where(collaboration.c.id == identifier).with_for_update()
    ).first()
    if row is None:
        raise NoCollaborationError(identifier)
    return row


def read_round(
    connection: Connection, row: Any, known: Mapping[str, bytes] = MappingProxyType({})
) -> Round:
    """Return the round that a collaboration's log tells; it is good for this transaction alone.

    Parameters
    ----------
    connection
        A transaction.
    row
        Of the collaboration.
    known
        Contents of entries that were read already, by their hash.

    Raises
    ------
    InputError
        If the database was changed: an entry cannot follow.
    """
    restored = restore_round(StoredLog(connection, row.id, known), row)
    return restored or fold_round(connection, row)


def fold_round(connection: Connection, row: Any) -> Round:
    """Return the round that all entries of a collaboration's log tell.

    They are neither compared with their canonical form nor with their signatures where this hub has
    signed just this log: one signature and the hash of each entry say as much as the signatures of
    all entries, which were checked when they came.

    Raises
    ------
    InputError
        If the database was changed: an entry cannot follow.
    """
    entries = connection.execute(
        select(log_entry.c.index, log_entry.c.content)
        .where(log_entry.c.collaboration == row.id)
        .order_by(log_entry.c.index)
    ).all()
    round_ = _fold_known(row, entries)
    if round_ is None or not _has_signed(connection, row, round_):
        round_ = _fold(row, entries)
    if round_ is None or len(round_.leaves) != row.size:
        raise InputError(
            f"collaboration {row.id}",
            "its log has not the length that the database states",
            "restore the database from a backup",
        )
    return round_


def _fold_known(row: Any, entries: Sequence[Any]) -> Round | None:
    """Return the round of entries that were checked when they came.

    None: they are no statements at all, and `_fold` says which.
    """
    round_: Round | None = None
    try:
        for index, content in entries:
            if round_ is None:
                round_ = begin_round(content, f"collaboration {row.id}: entry {index}")
            else:
                round_ = round_.accept(read_taken(content), checked=True)
    except (ValueError, LookupError, TypeError, AttributeError, InputError, RefusedStatementError):
        return None
    return round_


def _fold(row: Any, entries: Sequence[Any]) -> Round | None:
    """Return the round of some entries; None: there are none at all.

    Raises
    ------
    InputError
        If one cannot follow.
    """
    round_: Round | None = None
    for index, content in entries:
        place = f"collaboration {row.id}: entry {index}"
        if round_ is None:
            round_ = begin_round(content, place)
            continue
        try:
            round_ = round_.accept(read_statement(content, place))
        except RefusedStatementError as error:
            raise InputError(place, str(error), "restore the database from a backup") from error
    return round_


def _has_signed(connection: Connection, row: Any, round_: Round) -> bool:
    """Return whether this hub has signed just this log: it did so when it took the last entry."""
    size, place = len(round_.leaves), f"collaboration {row.id}"
    text = connection.execute(_NOTE, {"identifier": row.id, "length": size}).scalar()
    if text is None or size != row.size:
        return False
    origin, key = round_.terms.log.origin, round_.find_log_key(size)
    try:
        found = verify_checkpoint(read_note(text.encode("utf-8"), place), origin, key)
    except (InvalidProofError, InputError):
        return False
    return found.size == size and found.root == round_.root_at(size)


def append(
    connection: Connection, row: Any, after: Round, statement: Statement, log: PrivateKeys, now: int
) -> Position:
    """Write a statement that the round has accepted, the log's new nodes, and what stands of it.

    Parameters
    ----------
    connection
        The transaction that has locked the row.
    row
        Of the collaboration.
    after
        The round with the statement.
    statement
        What was said.
    log
        The log's keys.
    now
        Seconds since 1970.
    """
    index = len(after.leaves) - 1
    known = split_frontier(row.frontier or b"")
    frontier, nodes = extend_frontier(known, index, hash_leaf(statement.content))
    connection.execute(
        log_entry.insert(),
        {
            "collaboration": row.id,
            "index": index,
            "digest": statement.digest,
            "kind": statement.kind,
            "signer": statement.by,
            "content": statement.content,
            "created": now,
        },
    )
    write_nodes(connection, row.id, nodes)
    origin, root = after.terms.log.origin, fold_frontier(frontier)
    note = sign_root(origin, index + 1, root, log)
    connection.execute(
        checkpoint.insert(), {"collaboration": row.id, "size": index + 1, "note": note}
    )
    stored = StoredLog(connection, row.id)

    def find_place(said: Statement) -> Place:
        return (index, now) if said is statement else stored.find_place(said)

    state = after.state.value
    connection.execute(
        _CHANGE,
        {
            "which": row.id,
            "state": state,
            "size": index + 1,
            "updated": now,
            "terms": after.terms_digest,
            "frontier": b"".join(frontier),
            "standing": encode_standing(describe_round(after, root, find_place)),
            **describe_standing(row, after, now),
        },
    )
    return Position(index, statement.digest, True, state)


_CHANGE = (
    update(collaboration)
    .where(collaboration.c.id == bindparam("which"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "state",
                "size",
                "updated",
                "terms",
                "frontier",
                "standing",
                "turns",
                "until",
                "keep_days",
                "ended",
                "reminded",
            )
        }
    )
)


def describe_standing(row: Any, round_: Round, now: int) -> dict[str, Any]:
    """Return what the row of a collaboration repeats of its log, so that lists need not read it."""
    ended, until = None, find_until(round_, now)
    same = row is not None and row.state == round_.state.value
    if round_.state in ENDED:
        ended = row.ended if same and row.ended else now
    if same and row.until and round_.state is State.RESULT and row.keep_days is not None:
        until = row.until  # it does not begin anew with each member that accepts
    kept = (
        row is not None
        and until == row.until
        and STEPS.get(State(row.state)) == STEPS.get(round_.state)
    )
    return {
        "turns": json.dumps(list_turns(round_)),
        "until": until,
        "keep_days": round_.terms.keep_days,
        "ended": ended,
        "reminded": row.reminded if kept else None,
    }


def write_nodes(connection: Connection, identifier: str, nodes: Mapping[Node, bytes]) -> None:
    """Write nodes of a log's tree."""
    connection.execute(
        tree_node.insert(),
        [
            {"collaboration": identifier, "level": level, "index": index, "hash": content}
            for (level, index), content in nodes.items()
        ],
    )


def sign_root(origin: str, size: int, root: bytes, log: PrivateKeys) -> str:
    """Return the signed checkpoint of a log, as text."""
    return sign_note(Checkpoint(origin, size, root).text, origin, log).content.decode("utf-8")


def sign_checkpoint(round_: Round, log: PrivateKeys) -> str:
    """Return the signed checkpoint of a round's whole log, as text."""
    size = len(round_.leaves)
    return sign_root(round_.terms.log.origin, size, round_.root_at(size), log)


def find_statements(
    connection: Connection, identifier: str, digest: str, other: str
) -> dict[str, tuple[int, bytes]]:
    """Return where two statements stand in a log, and their content, by their hash."""
    asked = {"identifier": identifier, "digest": digest, "other": other}
    rows = connection.execute(_FIND, asked)
    return {digest: (index, bytes(content)) for digest, index, content in rows}


_FIND = select(log_entry.c.digest, log_entry.c.index, log_entry.c.content).where(
    log_entry.c.collaboration == bindparam("identifier"),
    log_entry.c.digest.in_([bindparam("digest"), bindparam("other")]),
)
"""Made once: each statement asks it."""


def read_entries(connection: Connection, identifier: str, start: int, limit: int) -> list[bytes]:
    """Return some entries of a log, in order."""
    rows = connection.execute(
        select(log_entry.c.content)
        .where(log_entry.c.collaboration == identifier, log_entry.c.index >= start)
        .order_by(log_entry.c.index)
        .limit(limit)
    )
    return [bytes(content) for (content,) in rows]


def read_page(connection: Connection, identifier: str, start: int, limit: int) -> list[bytes]:
    """Return some entries of a log, at least one, and no more than a server has memory for."""
    sizes = connection.execute(
        select(func.length(log_entry.c.content))
        .where(log_entry.c.collaboration == identifier, log_entry.c.index >= start)
        .order_by(log_entry.c.index)
        .limit(limit)
    ).scalars()
    fitting = sum(total <= MOST_PAGE_BYTES for total in accumulate(sizes))
    return read_entries(connection, identifier, start, max(1, fitting))


def read_checkpoint(connection: Connection, identifier: str, size: int) -> str:
    """Return the signed checkpoint of a log when it had this many entries."""
    note: str = connection.execute(_NOTE, {"identifier": identifier, "length": size}).scalar_one()
    return note


_NOTE = select(checkpoint.c.note).where(
    checkpoint.c.collaboration == bindparam("identifier"),
    checkpoint.c.size == bindparam("length", type_=Integer),
)
"""Made once: pages ask it every time."""
