"""One settlement: open the submissions, let a child compute, sign, seal, and write it once.

Inputs are fixed by the log, the child is deterministic, and what the hub draws is derived from its
secret and the terms: a worker that is killed at any point leaves nothing but files, and the next
one writes the same result. Only sealed replies differ in their bytes, as every encryption does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from aboveboard.commands.rounds.outcomes import digest_file, pack_result
from aboveboard.errors import InputError
from aboveboard.evidence.keys import PRIVATE_FOLDER, write_private
from aboveboard.evidence.rounds import Round, State
from aboveboard.evidence.sealing import encode_context, open_message, seal_message
from aboveboard.evidence.terms import CENTER
from aboveboard.hub.collaborations.logs import append, lock, read_entries, read_round
from aboveboard.hub.collaborations.notices import notify_awaited
from aboveboard.hub.collaborations.opening import (
    derive_file_key,
    locate_center_files,
    make_own,
)
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import collaboration, notice, reply
from aboveboard.hub.home import SCRATCH, Hub
from aboveboard.hub.jobs.child import (
    CENTER_FILES,
    FILE_KEYS,
    LOG_FILE,
    ORDER_FILE,
    OUTCOME_FILE,
    PARTS,
)
from aboveboard.hub.jobs.queue import Lease, finish, renew

OPERATOR = "operator"

Tamper = Callable[[Path, dict[str, Any]], None]
"""Changes an outcome before it is signed: how the demonstration cheats, so that it is caught."""


class ChildError(Exception):
    """Raised when the child ended without an outcome."""


@dataclass(frozen=True)
class SealedResult:
    """A round as it was when its settlement began.

    Parameters
    ----------
    round
        The round.
    entries
        Of its log.
    """

    round: Round
    entries: tuple[bytes, ...]

    @property
    def submissions(self) -> dict[str, str]:
        """The hash of each member's ciphertext."""
        found = {name: self.round.find("submit", name) for name in self.round.present}
        return {name: each.body["sealed"] for name, each in found.items() if each is not None}


def settle(hub: Hub, lease: Lease, *, tamper: Tamper | None = None) -> None:
    """Settle a round and finish the job.

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
    sealed = _read_sealed(hub, lease.collaboration)
    if sealed is None:
        with write(hub.engine) as connection:
            finish(connection, lease)
        return
    folder = hub.folder / SCRATCH / f"job-{lease.job}-{lease.fence}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / PARTS).mkdir(parents=True, mode=PRIVATE_FOLDER)
    try:
        faults = _open_submissions(hub, sealed, folder)
        outcome = {"refused": faults} if faults else _run_child(hub, lease, sealed, folder)
        if "refused" in outcome:
            _write_faults(hub, lease, sealed, outcome["refused"])
            return
        if tamper is not None:
            tamper(folder, outcome)
        _write_result(hub, lease, sealed, folder, outcome)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read_sealed(hub: Hub, identifier: str) -> SealedResult | None:
    """Return the round to settle; None where it is settled or cancelled."""
    with read(hub.engine) as connection:
        row = connection.execute(
            select(collaboration).where(collaboration.c.id == identifier)
        ).one()
        round_ = read_round(connection, row)
        entries = read_entries(connection, identifier, 0, row.size)
    return SealedResult(round_, tuple(entries)) if round_.state is State.SEALED else None


def _open_submissions(hub: Hub, sealed: SealedResult, folder: Path) -> dict[str, str]:
    """Write each member's opened submission; return what is wrong, by member."""
    faults = {}
    for name, digest in sealed.submissions.items():
        context = encode_context(sealed.round.terms_digest, name, CENTER, "submit")
        try:
            ciphertext = hub.files.locate(digest).read_bytes()
        except OSError as error:
            faults[name] = f"its ciphertext cannot be read ({error.strerror}); send it again"
            continue
        try:
            opened = open_message(ciphertext, hub.keys.center, context, f"submission of {name}")
        except InputError as error:
            faults[name] = f"{error.problem}; {error.remedy}"
            continue
        write_private(folder / PARTS / f"{name}.bin", opened)
    return faults


def _run_child(hub: Hub, lease: Lease, sealed: SealedResult, folder: Path) -> dict[str, Any]:
    """Return the outcome that the child computes from the files it is given."""
    write_private(folder / LOG_FILE, b"".join(entry + b"\n" for entry in sealed.entries))
    order = hub.derive_secret("order", sealed.round.terms_digest)
    write_private(folder / ORDER_FILE, order)
    _copy_center_files(hub, lease.collaboration, folder)
    spawn_child(hub, lease, folder)
    outcome: dict[str, Any] = json.loads((folder / OUTCOME_FILE).read_text(encoding="utf-8"))
    return outcome


def _copy_center_files(hub: Hub, identifier: str, folder: Path) -> None:
    """Let the child read the center's own files, with the keys that hide their hashes."""
    place = locate_center_files(hub, identifier)
    names = sorted(path.name for path in place.iterdir()) if place.is_dir() else []
    if names:
        shutil.copytree(place, folder / CENTER_FILES)
    keys = {name: derive_file_key(hub, identifier, name).hex() for name in names}
    write_private(folder / FILE_KEYS, json.dumps(keys).encode())


def spawn_child(hub: Hub, lease: Lease, folder: Path) -> None:
    """Run the child and wait for it; no secret of ours is in its environment.

    Raises
    ------
    ChildError
        If it leaves no outcome.
    """
    limits = hub.configuration.worker
    command = [sys.executable, "-m", "aboveboard.hub.jobs.child", str(folder)]
    numbers = (os.getpid(), limits.memory_bytes, limits.seconds, limits.output_bytes)
    command += [str(number) for number in numbers]
    kept = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "NUMBA_CACHE_DIR", "VIRTUAL_ENV", "SYSTEMROOT")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"HOME": str(folder), "TMPDIR": str(folder)}
    with (folder / "output.txt").open("wb") as output:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(hub, lease, child)
        finally:
            child.kill()
            child.wait()
    if child.returncode != 0 or not (folder / OUTCOME_FILE).is_file():
        tail = (folder / "output.txt").read_bytes()[-2000:].decode("utf-8", "replace")
        raise ChildError(f"the child ended with status {child.returncode}: {tail}")


def _wait(hub: Hub, lease: Lease, child: subprocess.Popen[bytes]) -> None:
    """Wait for the child, and keep the job meanwhile.

    Raises
    ------
    ChildError
        If it takes too long.
    """
    limits = hub.configuration.worker
    end = time.monotonic() + limits.seconds
    while time.monotonic() < end:
        try:
            child.wait(timeout=limits.lease_seconds / 3)
        except subprocess.TimeoutExpired:
            with write(hub.engine) as connection:
                renew(connection, lease, hub.now, limits.lease_seconds)
        else:
            return
    raise ChildError(f"the child took longer than {limits.seconds} seconds")


def _is_unchanged(now: Round, sealed: SealedResult) -> bool:
    return now.state is State.SEALED and now.leaves == sealed.round.leaves


def _write_faults(hub: Hub, lease: Lease, sealed: SealedResult, faults: dict[str, str]) -> None:
    """Name what is wrong; the round stays sealed, and a member may submit again."""
    with write(hub.engine) as connection:
        row = lock(connection, lease.collaboration)
        if _is_unchanged(read_round(connection, row), sealed):
            connection.execute(
                update(collaboration)
                .where(collaboration.c.id == row.id)
                .values(faults=json.dumps(faults, sort_keys=True))
            )
            for name in faults:
                connection.execute(
                    notice.insert().values(
                        collaboration=row.id,
                        recipient=name or OPERATOR,
                        text="it is your turn: submit" if name else "a settlement was refused",
                        created=hub.now,
                    )
                )
        finish(connection, lease, problem=json.dumps(faults, sort_keys=True))


def _write_result(
    hub: Hub, lease: Lease, sealed: SealedResult, folder: Path, outcome: dict[str, Any]
) -> None:
    """Sign the result and seal each reply, in the one transaction that ends the job."""
    round_ = sealed.round
    paths = {name: folder / path for name, path in outcome["replies"].items()}
    body = {**outcome["body"], "replies": {name: digest_file(p) for name, p in paths.items()}}
    statement = make_own(hub, round_, "result", body)
    after = round_.accept(statement)
    from aboveboard.hub.collaborations.logs import sign_checkpoint

    note = sign_checkpoint(after, hub.keys.log)
    entries = (*sealed.entries, statement.content)
    stored = {}
    for name, path in paths.items():
        member = round_.find_keys(name)
        if member is None:
            continue
        content = pack_result(name, path, entries, note, outcome["private"].get(name, {}))
        context = encode_context(round_.terms_digest, CENTER, name, "result")
        message = seal_message(content, member.sealing, context)
        stored[name] = (hub.files.put(message), len(message))
    with write(hub.engine) as connection:
        row = lock(connection, lease.collaboration)
        before = read_round(connection, row)
        if _is_unchanged(before, sealed):
            append(connection, row, after, statement, hub.keys.log, hub.now)
            for name, (digest, size) in stored.items():
                connection.execute(
                    reply.insert().values(collaboration=row.id, name=name, digest=digest, size=size)
                )
            notify_awaited(connection, row.id, before, after, hub.now)
        finish(connection, lease)
