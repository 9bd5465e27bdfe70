"""`hub check`: the database against its logs, the logs against their signatures, and the files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from aboveboard.commands.rounds.outcomes import digest_file
from aboveboard.errors import InputError
from aboveboard.evidence.log import Log, verify_checkpoint
from aboveboard.evidence.notes import read_note
from aboveboard.evidence.round_states import State
from aboveboard.evidence.round_turns import list_turns
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.evidence.trees import InvalidProofError, hash_leaf
from aboveboard.hub.collaborations.logs import read_entries
from aboveboard.hub.collaborations.nodes import extend_frontier, fold_frontier
from aboveboard.hub.collaborations.opening import locate_center_files
from aboveboard.hub.collaborations.standing import StoredLog, describe_round, read_standing
from aboveboard.hub.database.engine import read
from aboveboard.hub.database.tables import checkpoint, collaboration, reply, submission, tree_node
from aboveboard.hub.home import Hub
from aboveboard.hub.series.elements import list_kept_elements


@dataclass(frozen=True)
class HubCheck:
    """What a check found.

    Parameters
    ----------
    collaborations, entries, files
        How many were looked at.
    faults
        What is wrong, a line each.
    """

    collaborations: int
    entries: int
    files: int
    faults: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "collaborations": self.collaborations,
            "entries": self.entries,
            "files": self.files,
            "faults": list(self.faults),
        }


def check_hub(hub: Hub) -> HubCheck:
    """Check every log, checkpoint and file of a hub.

    Cost: one signature per entry, one hash per byte of the files.
    """
    faults: list[str] = []
    entries = 0
    files: set[str] = set()
    with read(hub.engine) as connection:
        rows = connection.execute(select(collaboration).order_by(collaboration.c.id)).all()
        for row in rows:
            entries += _check_log(hub, connection, row, faults)
            files |= _list_files(connection, row.id)
            if row.state == State.ARCHIVED.value:
                _check_deleted(hub, row, faults)
    for digest in sorted(files):
        path = hub.files.locate(digest)
        if not path.is_file():
            faults.append(f"file {digest}: it is missing")
        elif digest_file(path) != digest:
            faults.append(f"file {digest}: its content was changed")
    return HubCheck(len(rows), entries, len(files), tuple(faults))


def _check_log(hub: Hub, connection: Connection, row: Any, faults: list[str]) -> int:
    """Check one log; return how many entries it has."""
    place = f"collaboration {row.id}"
    entries = read_entries(connection, row.id, 0, 2**31 - 1)
    try:
        round_ = replay_log(entries, place)
    except InputError as error:
        faults.append(f"{error.place}: {error.problem}")
        return len(entries)
    for what, stated, found in (
        ("state", row.state, round_.state.value),
        ("size", row.size, len(entries)),
        ("terms", row.terms, round_.terms_digest),
    ):
        if stated != found:
            faults.append(f"{place}: the database states {what} {stated}, the log {found}")
    try:
        hub.find_signer(round_)
    except InputError as error:
        faults.append(f"{place}: {error.problem}")
    _check_nodes(connection, row, round_, entries, faults)
    _check_checkpoints(connection, row.id, round_, entries, faults)
    _check_replies(connection, row.id, round_, faults)
    return len(entries)


def _check_checkpoints(
    connection: Connection,
    identifier: str,
    round_: Round,
    entries: list[bytes],
    faults: list[str],
) -> None:
    """Every size has its signed checkpoint, and each is of this log."""
    query = select(checkpoint.c.size, checkpoint.c.note)
    rows = connection.execute(query.where(checkpoint.c.collaboration == identifier))
    notes: dict[int, str] = {row.size: row.note for row in rows}
    if sorted(notes) != list(range(1, len(entries) + 1)):
        faults.append(f"collaboration {identifier}: a checkpoint is missing, or one too many")
    log = round_.terms.log
    for size, text in sorted(notes.items()):
        place = f"collaboration {identifier}: checkpoint {size}"
        try:
            key = round_.find_log_key(size)
            found = verify_checkpoint(read_note(text.encode(), place), log.origin, key)
        except (InputError, InvalidProofError) as error:
            faults.append(f"{place}: {error}")
            continue
        if found != Log(log.origin, tuple(entries[:size])).checkpoint:
            faults.append(f"{place}: it is of another log")


def _check_nodes(
    connection: Connection, row: Any, round_: Round, entries: list[bytes], faults: list[str]
) -> None:
    """Note where stored nodes, turns, or what stands, are not those of the log."""
    frontier: list[bytes] = []
    due: dict[tuple[int, int], bytes] = {}
    for index, entry in enumerate(entries):
        frontier, fresh = extend_frontier(frontier, index, hash_leaf(entry))
        due |= fresh
    rows = connection.execute(
        select(tree_node.c.level, tree_node.c.index, tree_node.c.hash).where(
            tree_node.c.collaboration == row.id
        )
    )
    found = {(level, index): bytes(content) for level, index, content in rows}
    if found != due or row.frontier != b"".join(frontier):
        faults.append(f"collaboration {row.id}: the nodes of its tree are of another log")
    if json.loads(row.turns) != list_turns(round_):
        faults.append(f"collaboration {row.id}: the database states other turns than the log")
    find_place = StoredLog(connection, row.id).find_place
    if read_standing(row) != describe_round(round_, fold_frontier(frontier), find_place):
        faults.append(f"collaboration {row.id}: what the database says to stand is not of the log")


def _check_replies(
    connection: Connection, identifier: str, round_: Round, faults: list[str]
) -> None:
    """There is a reply for each member once there is a result, and none before."""
    named = set(
        connection.execute(select(reply.c.name).where(reply.c.collaboration == identifier))
        .scalars()
        .all()
    )
    due = set(round_.present) if round_.find("result") is not None else set()
    if named != due:
        faults.append(f"collaboration {identifier}: replies are not those of the members present")


def _check_deleted(hub: Hub, row: Any, faults: list[str]) -> None:
    """Note what is kept of a round besides its results although its inputs are deleted."""
    for what, kept in (
        ("the center's own files", locate_center_files(hub, row.id).is_dir()),
        ("keyed hashes of lists", bool(list_kept_elements(hub, row.series, row.id))),
    ):
        if kept:
            faults.append(f"collaboration {row.id}: {what} are kept, and its inputs are deleted")


def _list_files(connection: Connection, identifier: str) -> set[str]:
    """Return the hashes of the files that a collaboration needs."""
    found: set[str] = set()
    for table in (submission, reply):
        query = select(table.c.digest).where(table.c.collaboration == identifier)
        if table is submission:
            query = query.where(submission.c.deleted.is_(None))
        found |= set(connection.execute(query).scalars().all())
    return found
