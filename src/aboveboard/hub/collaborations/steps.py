"""One step of a round: a statement that may follow, with all that follows from it.

Log entry, checkpoint, state, notices, jobs, registered keys and transfers change together, in the
transaction that holds the lock on the collaboration's row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update

from aboveboard.errors import InputError
from aboveboard.evidence.round_states import RefusedStatementError, State
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.statements import Statement, sign_statement
from aboveboard.evidence.terms import AUDITOR, CENTER
from aboveboard.evidence.trees import hash_leaf
from aboveboard.hub.collaborations.logs import (
    Position,
    append,
    describe_standing,
    fold_round,
    lock,
    read_entries,
    read_round,
    write_nodes,
)
from aboveboard.hub.collaborations.nodes import extend_frontier, fold_frontier
from aboveboard.hub.collaborations.notices import notify_awaited
from aboveboard.hub.collaborations.standing import StoredLog, describe_round, encode_standing
from aboveboard.hub.database.engine import write
from aboveboard.hub.database.tables import collaboration, log_entry, member, recovery, tree_node
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.queue import enqueue_resealing, enqueue_settlement
from aboveboard.hub.money.ledger import void_payments
from aboveboard.hub.organizations.registry import add_key, find_keys, find_organization


def take(
    connection: Connection, hub: Hub, row: Any, before: Round, after: Round, statement: Statement
) -> Position:
    """Write a statement that the round has accepted, and all that follows from it.

    Parameters
    ----------
    connection
        The transaction that has locked the row.
    hub
        The hub.
    row
        Of the collaboration.
    before, after
        The round without and with the statement.
    statement
        What was said.
    """
    log = hub.find_signer(after).log
    position = append(connection, row, after, statement, log, hub.now)
    notify_awaited(connection, row.id, before, after, hub.now)
    enqueue_settlement(connection, row.id, after, hub.now)
    if after.state is State.FAILED and before.state is not State.FAILED:
        void_payments(connection, row, hub.now)
    if before.rotated != after.rotated:
        _register_keys(connection, hub, row.id, before, after)
    if before.terms_digest != after.terms_digest:
        _register_terms(connection, row, after)
    if after.pending is not None:
        _admit_newcomers(connection, row.id, after)
    return position


def _admit_newcomers(connection: Connection, identifier: str, after: Round) -> None:
    """Let those whom a change lets in read the log, once all that take part have signed it.

    Before that the log is nobody's but the members'. Whom another change then leaves out reads no
    more, unless it has signed something there.
    """
    terms = after.pending_terms
    ready = terms is not None and not set(after.list_unsigned()) & set(after.present)
    invited = set(terms.members) if terms is not None and ready else set()
    known = list_member_rows(connection, identifier)
    signers = select(log_entry.c.signer).where(log_entry.c.collaboration == identifier)
    connection.execute(
        delete(member).where(
            member.c.collaboration == identifier,
            member.c.name.not_in([*after.terms.members, *invited, AUDITOR]),
            member.c.name.not_in(signers),
        )
    )
    for name in sorted(invited - set(known)):
        owner, _ = find_keys(connection, name)
        connection.execute(
            member.insert().values(collaboration=identifier, organization=owner.id, name=name)
        )


def _register_keys(
    connection: Connection, hub: Hub, identifier: str, before: Round, after: Round
) -> None:
    """Let members sign requests with their new keys, and seal their results to these anew.

    Nobody else's keys wait for vouchers with one of these: it can be no other's any more.
    """
    for name in after.terms.names:
        keys = after.find_keys(name)
        if keys is None or keys == before.find_keys(name):
            continue
        owner = find_organization(connection, identifier, name)
        if owner is not None:
            add_key(connection, owner, keys, hub.now)
        connection.execute(
            delete(recovery).where(
                recovery.c.collaboration == identifier,
                or_(recovery.c.name == name, recovery.c.signing == keys.signing),
            )
        )
        if after.find("result") is not None:
            enqueue_resealing(connection, identifier, name, after, hub.now)


def _register_terms(connection: Connection, row: Any, after: Round) -> None:
    """Bring a collaboration's row to changed terms; who left may still read what it has signed.

    New keys that wait for vouchers have signed for the terms before: their owner names them anew.
    """
    connection.execute(delete(recovery).where(recovery.c.collaboration == row.id))
    connection.execute(
        update(collaboration)
        .where(collaboration.c.id == row.id)
        .values(name=after.terms.name, faults="{}")
    )


def state_own(hub: Hub, identifier: str, kind: str, body: Mapping[str, object]) -> Position:
    """Append a statement of the center's own, such as "missing" or "cancel".

    Raises
    ------
    InputError
        If it cannot follow.
    NoCollaborationError
        If there is no such collaboration.
    """
    with write(hub.engine) as connection:
        row = lock(connection, identifier)
        before = read_round(connection, row)
        statement = make_own(hub, before, kind, body)
        return take_own(connection, hub, row, before, statement)


def take_own(
    connection: Connection, hub: Hub, row: Any, before: Round, statement: Statement
) -> Position:
    """Append a statement of the center's own.

    Raises
    ------
    InputError
        If it cannot follow.
    """
    try:
        after = before.accept(statement)
    except RefusedStatementError as error:
        raise InputError(
            f"collaboration {row.id}", str(error), "look at 'aboveboard hub status'"
        ) from error
    return take(connection, hub, row, before, after, statement)


def make_own(hub: Hub, round_: Round, kind: str, body: Mapping[str, object]) -> Statement:
    """Return a statement of the center in a round, signed with the key that is in force there."""
    # A result's body comes from the child that read members' data: it chooses no other statement.
    whole = {**body, "kind": kind, "terms": round_.terms_digest}
    return sign_statement(whole, CENTER, hub.find_signer(round_).center)


def refresh(connection: Connection, row: Any, now: int) -> None:
    """Compute again what the database repeats of a log: its nodes, and where the round stands."""
    round_ = fold_round(connection, row)
    frontier: list[bytes] = []
    nodes: dict[tuple[int, int], bytes] = {}
    for index, entry in enumerate(read_entries(connection, row.id, 0, row.size)):
        frontier, fresh = extend_frontier(frontier, index, hash_leaf(entry))
        nodes |= fresh
    connection.execute(delete(tree_node).where(tree_node.c.collaboration == row.id))
    write_nodes(connection, row.id, nodes)
    find_place = StoredLog(connection, row.id).find_place
    stands = describe_round(round_, fold_frontier(frontier), find_place)
    connection.execute(
        update(collaboration)
        .where(collaboration.c.id == row.id)
        .values(
            frontier=b"".join(frontier),
            standing=encode_standing(stands),
            series=row.series or row.id,
            serial=round_.terms.serial,
            **describe_standing(row, round_, now),
        )
    )


def list_member_rows(connection: Connection, identifier: str) -> dict[str, int]:
    """Return the organisation of each name that takes part in a collaboration."""
    rows = connection.execute(
        select(member.c.name, member.c.organization).where(member.c.collaboration == identifier)
    )
    return {row.name: row.organization for row in rows}
