"""One settlement: open the submissions, let a child compute, sign, seal, and write it once.

Inputs are fixed by the log, the child is deterministic, and what the hub draws is derived from its
secret and the terms: a worker that is killed at any point leaves nothing but files, and the next
one writes the same result. Only sealed replies differ in their bytes, as every encryption does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, update

from aboveboard.commands.rounds.center import find_until
from aboveboard.commands.rounds.questions import ask_again
from aboveboard.errors import InputError
from aboveboard.evidence.round_states import State
from aboveboard.evidence.rounds import Round
from aboveboard.hub.collaborations.faults import OF_RULE
from aboveboard.hub.collaborations.logs import lock, read_round, sign_checkpoint
from aboveboard.hub.collaborations.notices import OPERATOR, write_notice
from aboveboard.hub.collaborations.steps import make_own, take
from aboveboard.hub.database.engine import write
from aboveboard.hub.database.tables import collaboration, reply
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.child import READING_FILE
from aboveboard.hub.jobs.inputs import (
    SealedRound,
    fresh_folder,
    list_cosigned_notes,
    prepare_inputs,
    read_sealed_round,
)
from aboveboard.hub.jobs.isolation import require_own_file
from aboveboard.hub.jobs.packing import name_reply, seal_results
from aboveboard.hub.jobs.queue import Lease, find_resealed, finish, is_overtaken
from aboveboard.hub.jobs.relay import find_superlink, relay_superlink
from aboveboard.hub.jobs.spawning import ChildError, spawn_child
from aboveboard.hub.money.ledger import enter_payments
from aboveboard.hub.series.elements import keep_elements

MOST_FAULT = 500
"""Characters that say what is wrong with a member's part."""

Tamper = Callable[[Path, dict[str, Any]], None]
"""Changes an outcome before it is signed: how the demonstration cheats, so that it is caught."""


def settle(hub: Hub, lease: Lease, *, tamper: Tamper | None = None) -> None:
    """Settle a round, or ask its next question, and finish the job.

    Parameters
    ----------
    hub
        The hub.
    lease
        The job.
    tamper
        See `Tamper`.

    Raises
    ------
    LostLeaseError
        If another worker has the job: nothing was written.
    ChildError
        If the child ended without an outcome.
    """
    with write(hub.engine) as connection:
        if is_overtaken(connection, lease):
            finish(connection, lease)
            return
    sealed = read_sealed_round(hub, lease.collaboration)
    if sealed.round.state is not State.SEALED:
        with write(hub.engine) as connection:
            finish(connection, lease)
        return
    with fresh_folder(hub, lease) as folder:
        outcome = _compute(hub, lease, sealed, folder)
        if "refused" in outcome:
            _write_faults(hub, lease, sealed, outcome["refused"])
        elif "ask" in outcome:
            _write_question(hub, lease, sealed, outcome["ask"])
        else:
            if tamper is not None:
                tamper(folder, outcome)
            _write_result(hub, lease, sealed, folder, outcome)


def _compute(hub: Hub, lease: Lease, sealed: SealedRound, folder: Path) -> dict[str, Any]:
    """Return the outcome that the child computes from the files it is given."""
    inputs = prepare_inputs(hub, sealed, folder)
    if inputs.faults:
        return {"refused": inputs.faults}
    if inputs.unclear:
        return {"ask": ask_again(sealed.round, inputs.unclear)}
    with relay_superlink(folder, find_superlink(sealed.round.terms.parameters)):
        try:
            spawn_child(hub, lease, folder)
        except ChildError as error:
            raise ChildError(str(error), _find_read(folder, sealed.round)) from error
    outcome: dict[str, Any] = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
    return outcome


def _find_read(folder: Path, round_: Round) -> str:
    """Return whose part a child was reading when it ended; empty: none of this round."""
    try:
        with require_own_file(folder, READING_FILE).open("rb") as file:
            name = file.read(MOST_FAULT).decode("utf-8", "replace")
    except (InputError, OSError):
        return ""
    return name if name in round_.present else ""


def _is_unchanged(now: Round, sealed: SealedRound) -> bool:
    size = len(sealed.entries)
    return (
        now.state is State.SEALED
        and len(now.leaves) == size
        and now.root_at(size) == sealed.round.root_at(size)
    )


def _write_faults(hub: Hub, lease: Lease, sealed: SealedRound, faults: dict[str, str]) -> None:
    """Name what is wrong; the round stays sealed, and a member may submit again.

    A child reads what members sent, so that it is not believed: what it says is short text about
    members of the round, or nobody could read the round's view any more.
    """
    present = sealed.round.present
    known = ("", *present, *(f"{OF_RULE}{name}" for name in present))
    faults = {name: str(text)[:MOST_FAULT] for name, text in faults.items() if name in known}
    if not faults:
        raise ChildError("the child refused the round, and named no member of it")
    with write(hub.engine) as connection:
        row = lock(connection, lease.collaboration)
        if _is_unchanged(read_round(connection, row), sealed):
            keep_faults(connection, row.id, faults)
            for key in faults:
                kind, name = ("submit" if key in present else "refused"), key.removeprefix(OF_RULE)
                write_notice(connection, row.id, name or OPERATOR, kind, hub.now)
        finish(connection, lease, problem=json.dumps(faults, sort_keys=True))


def keep_faults(connection: Connection, identifier: str, faults: dict[str, str]) -> None:
    """Keep what is wrong in a round, by member; "": for the operator."""
    connection.execute(
        update(collaboration)
        .where(collaboration.c.id == identifier)
        .values(faults=json.dumps(faults, sort_keys=True))
    )


def _write_question(hub: Hub, lease: Lease, sealed: SealedRound, body: dict[str, Any]) -> None:
    """Ask the members what the rule asks next."""
    with write(hub.engine) as connection:
        row = lock(connection, lease.collaboration)
        before = read_round(connection, row)
        if _is_unchanged(before, sealed):
            until = find_until(before, hub.clock())
            body = {**body, "until": until, "number": len(before.leaves)}
            statement = make_own(hub, before, "ask", body)
            take(connection, hub, row, before, before.accept(statement), statement)
            keep_faults(connection, row.id, {})
        finish(connection, lease)


def _write_result(
    hub: Hub, lease: Lease, sealed: SealedRound, folder: Path, outcome: dict[str, Any]
) -> None:
    """Sign the result and seal each reply, in the one transaction that ends the job."""
    round_ = sealed.round
    paths = {name: require_own_file(folder, path) for name, path in outcome["replies"].items()}
    replies = {name: name_reply(folder, name, path) for name, path in paths.items()}
    body = {**outcome["body"], "replies": replies}
    statement = make_own(hub, round_, "result", body)
    after = round_.accept(statement)
    note = sign_checkpoint(after, hub.find_signer(after).log)
    whole = SealedRound(after, (*sealed.entries, statement.content), sealed.cosigned)
    stored = seal_results(hub, whole, note, paths, outcome["private"])
    keep_elements(hub, lease.collaboration, after, folder)
    with write(hub.engine) as connection:
        row = lock(connection, lease.collaboration)
        before = read_round(connection, row)
        if _is_unchanged(before, sealed):
            take(connection, hub, row, before, before.accept(statement), statement)
            keep_faults(connection, row.id, {})
            for name, (digest, size) in stored.items():
                connection.execute(
                    reply.insert().values(collaboration=row.id, name=name, digest=digest, size=size)
                )
            enter_payments(connection, row, after, outcome.get("cents", {}), hub.now)
        finish(connection, lease)


def reseal(hub: Hub, lease: Lease) -> None:
    """Seal a member's result to its new keys, and finish the job.

    The result is computed again from the same submissions, and must be the one that was signed.

    Raises
    ------
    LostLeaseError
        If another worker has the job: nothing was written.
    ChildError
        If the child ended without an outcome.
    InputError
        If the inputs are deleted, or another result comes out.
    """
    name = find_resealed(lease)
    sealed = read_sealed_round(hub, lease.collaboration)
    result = sealed.round.find("result")
    with fresh_folder(hub, lease) as folder:
        outcome = _compute(hub, lease, sealed, folder)
        if result is None or name not in outcome.get("replies", {}):
            raise InputError(f"reply of {name}", "it cannot be computed again", "see the job")
        path = require_own_file(folder, outcome["replies"][name])
        if name_reply(folder, name, path) != result.body["replies"][name]:
            raise InputError(
                f"reply of {name}",
                "computed again, it differs",
                "use the version that the terms name",
            )
        with write(hub.engine) as connection:
            notes = list_cosigned_notes(connection, lease.collaboration)
        note = sign_checkpoint(sealed.round, hub.find_signer(sealed.round).log)
        whole = SealedRound(sealed.round, sealed.entries, notes)
        stored = seal_results(hub, whole, note, {name: path}, outcome["private"])
    with write(hub.engine) as connection:
        row = lock(connection, lease.collaboration)
        if read_round(connection, row).find_keys(name) == sealed.round.find_keys(name):
            _replace_reply(connection, row.id, name, stored[name])
            faults = json.loads(row.faults)
            if faults.pop(name, None) is not None:
                keep_faults(connection, row.id, faults)
            write_notice(connection, row.id, name, "resealed", hub.now)
        finish(connection, lease)  # to keys that are newer still another job seals it


def _replace_reply(
    connection: Connection, identifier: str, name: str, stored: tuple[str, int]
) -> None:
    connection.execute(
        update(reply)
        .where(reply.c.collaboration == identifier, reply.c.name == name)
        .values(digest=stored[0], size=stored[1], fetched=None)
    )
