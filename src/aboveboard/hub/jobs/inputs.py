"""What a child reads: the log, opened submissions and answers, and the center's own files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from aboveboard.commands.rounds.questions import open_answers
from aboveboard.errors import InputError
from aboveboard.evidence.keys import PRIVATE_FOLDER, PrivateKeys, write_private
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.sealing import MAGIC, encode_context, open_frames, open_message
from aboveboard.evidence.terms import CENTER
from aboveboard.hub.collaborations.logs import fold_round, read_entries
from aboveboard.hub.collaborations.opening import derive_file_key, locate_center_files
from aboveboard.hub.database.engine import read
from aboveboard.hub.database.tables import collaboration, cosignature
from aboveboard.hub.home import Hub, read_ring
from aboveboard.hub.jobs.child import (
    ANSWERS_FILE,
    CENTER_FILES,
    FILE_KEYS,
    LOG_FILE,
    ORDER_FILE,
    PARTS,
)
from aboveboard.hub.jobs.isolation import remove_folder
from aboveboard.hub.jobs.queue import Lease
from aboveboard.hub.series.elements import copy_last_elements


@dataclass(frozen=True)
class SealedRound:
    """A round as it was when a job began.

    Parameters
    ----------
    round
        The round.
    entries
        Of its log.
    cosigned
        Checkpoints that members have cosigned, as text.
    """

    round: Round
    entries: tuple[bytes, ...]
    cosigned: tuple[str, ...] = ()

    @property
    def submissions(self) -> dict[str, str]:
        """The hash of each member's ciphertext."""
        found = {name: self.round.find("submit", name) for name in self.round.present}
        return {name: each.body["sealed"] for name, each in found.items() if each is not None}


@dataclass(frozen=True)
class Inputs:
    """What is wrong with the inputs of a child.

    Parameters
    ----------
    faults
        By member: its submission does not open.
    unclear
        By member: its last answer does not open, or is none.
    """

    faults: dict[str, str]
    unclear: dict[str, str]


@contextmanager
def fresh_folder(hub: Hub, lease: Lease) -> Iterator[Path]:
    """Yield a new folder for one lease of a job; it is removed afterwards."""
    folder = hub.scratch / f"job-{lease.job}-{lease.fence}"
    remove_folder(folder)
    _make_scratch(hub)
    folder.mkdir(mode=PRIVATE_FOLDER)
    (folder / PARTS).mkdir(mode=PRIVATE_FOLDER)
    try:
        yield folder
    finally:
        with suppress(OSError):  # the next worker with nothing to do tries again
            remove_folder(folder)


def _make_scratch(hub: Hub) -> None:
    """Make the folder of all jobs; where it lies in a folder of everybody it must be our own.

    Raises
    ------
    InputError
        If somebody else has made it.
    """
    place = hub.scratch
    place.mkdir(mode=0o711, parents=True, exist_ok=True)
    found = place.lstat()
    if place.is_symlink() or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise InputError(
            str(place), "it belongs to somebody else", "name another folder in 'worker.scratch'"
        )


def read_sealed_round(hub: Hub, identifier: str) -> SealedRound:
    """Return a round as it is now."""
    with read(hub.engine) as connection:
        row = connection.execute(
            select(collaboration).where(collaboration.c.id == identifier)
        ).one()
        round_ = fold_round(connection, row)  # it outlives this transaction
        entries = read_entries(connection, identifier, 0, row.size)
        notes = list_cosigned_notes(connection, identifier)
    return SealedRound(round_, tuple(entries), notes)


def list_cosigned_notes(connection: Connection, identifier: str) -> tuple[str, ...]:
    """Return the members' last cosigned checkpoints, in the order of their names."""
    rows = connection.execute(
        select(cosignature.c.note)
        .where(cosignature.c.collaboration == identifier)
        .order_by(cosignature.c.name)
    )
    return tuple(rows.scalars())


def prepare_inputs(hub: Hub, sealed: SealedRound, folder: Path) -> Inputs:
    """Write all that a child reads into its folder; return what is wrong with it."""
    keys = [each.center for each in read_ring(hub.folder)]
    faults = _open_submissions(hub, sealed, folder, keys)
    answers, unclear = open_answers(sealed.round, keys)
    if faults or unclear:
        return Inputs(faults, unclear)
    plain = {
        step: {name: each.as_dict() for name, each in found.items()}
        for step, found in answers.items()
    }
    write_private(folder / ANSWERS_FILE, json.dumps(plain).encode())
    write_private(folder / LOG_FILE, b"".join(entry + b"\n" for entry in sealed.entries))
    order = hub.derive_secret("order", sealed.round.terms_digest)
    write_private(folder / ORDER_FILE, order)
    identifier = sealed.round.terms.log.origin.rpartition("/")[2]
    _copy_center_files(hub, identifier, folder)
    copy_last_elements(hub, identifier, sealed.round, folder)
    return Inputs({}, {})


def _open_submissions(
    hub: Hub, sealed: SealedRound, folder: Path, keys: Sequence[PrivateKeys]
) -> dict[str, str]:
    """Write each member's opened submission; return what is wrong, by member."""
    faults = {}
    for name, digest in sealed.submissions.items():
        context = encode_context(sealed.round.terms_digest, name, CENTER, "submit")
        try:
            _open_submission(hub.files.locate(digest), folder, name, keys, context)
        except OSError as error:
            faults[name] = f"its ciphertext cannot be read ({error.strerror}); send it again"
        except InputError as error:
            faults[name] = f"{error.problem}; {error.remedy}"
    return faults


def _open_submission(
    path: Path, folder: Path, name: str, keys: Sequence[PrivateKeys], context: bytes
) -> None:
    target, place = folder / PARTS / f"{name}.bin", f"submission of {name}"
    for each in reversed(keys):
        try:
            _open_with(path, target, each, context, place)
        except InputError:
            if each is keys[0]:
                raise
        else:
            return


def _open_with(path: Path, target: Path, keys: PrivateKeys, context: bytes, place: str) -> None:
    """Open a ciphertext into a private file; one that was sealed in frames takes no memory."""
    target.unlink(missing_ok=True)
    write_private(target, b"")
    with path.open("rb") as source, target.open("wb") as opened:
        framed = source.read(len(MAGIC)) == MAGIC
        source.seek(0)
        if framed:
            open_frames(source, opened, keys, context, place)
        else:
            opened.write(open_message(source.read(), keys, context, place))


def _copy_center_files(hub: Hub, identifier: str, folder: Path) -> None:
    """Let the child read the center's own files, with the keys that hide their hashes."""
    place = locate_center_files(hub, identifier)
    names = sorted(path.name for path in place.iterdir()) if place.is_dir() else []
    if names:
        shutil.copytree(place, folder / CENTER_FILES)
    keys = {name: derive_file_key(hub, identifier, name).hex() for name in names}
    write_private(folder / FILE_KEYS, json.dumps(keys).encode())
