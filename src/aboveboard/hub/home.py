"""The folder of a hub, and everything that its parts share: keys, database, files."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine, select

from aboveboard.errors import InputError
from aboveboard.evidence.center_keys import CenterKeys
from aboveboard.evidence.keys import PRIVATE_FOLDER, generate_keys, read_keys, write_keys
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.terms import CENTER
from aboveboard.hub.configuration import Configuration, read_configuration, write_configuration
from aboveboard.hub.database.engine import open_engine, refuse_old_tables, upgrade, write
from aboveboard.hub.files import FileStore

KEYS = "keys"
LOG_KEYS = "log-keys"
OLD_KEYS = "old-keys"
FRESH_KEYS = "fresh"
"""Folder of the new keys, inside that of the old ones, until they are in force."""

ROTATIONS_FILE = "rotations.jsonl"
FILES = "files"
CENTER_FILES = "center"
SCRATCH = "scratch"
SERIES = "series"
"""Keyed hashes of the elements of last rounds, where the terms limit what a list may change."""


@dataclass(frozen=True)
class Hub:
    """A hub.

    Parameters
    ----------
    folder
        Where it lies.
    configuration
        What its operator set.
    keys
        The center's and the log's.
    engine
        Its database.
    clock
        Returns seconds since 1970; tests set another one.
    retired
        Keys that were replaced, the first ones first: they open what was sealed to them.
    """

    folder: Path
    configuration: Configuration
    keys: CenterKeys
    engine: Engine = field(repr=False)
    clock: Callable[[], float] = field(default=time.time, repr=False)
    retired: tuple[CenterKeys, ...] = field(default=(), repr=False)

    @property
    def now(self) -> int:
        """The time, in seconds since 1970."""
        return int(self.clock())

    @cached_property
    def files(self) -> FileStore:
        """Ciphertexts and replies."""
        return FileStore(self.folder / FILES)

    @property
    def scratch(self) -> Path:
        """Where settlements work: the user that they run as must be able to reach it."""
        settings = self.configuration.worker
        if settings.scratch:
            return Path(settings.scratch)
        if settings.user and os.geteuid() == 0:
            name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]
            return Path(tempfile.gettempdir()) / f"aboveboard-{name}"
        return self.folder / SCRATCH

    @property
    def fingerprint(self) -> str:
        """What members compare: of the center's keys."""
        return self.keys.center.public.fingerprint

    @property
    def ring(self) -> tuple[CenterKeys, ...]:
        """All keys that the hub has had, the first ones first."""
        return (*self.retired, self.keys)

    @property
    def first_keys(self) -> CenterKeys:
        """The hub's first keys: what is derived from them stays, whatever is replaced."""
        return self.ring[0]

    @cached_property
    def rotations(self) -> tuple[str, ...]:
        """Statements by which the hub's old keys name the new ones, the first ones first."""
        path = self.folder / ROTATIONS_FILE
        return tuple(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else ()

    def find_signer(self, round_: Round) -> CenterKeys:
        """Return the keys that are in force in a round.

        Raises
        ------
        InputError
            If the hub has none of them.
        """
        center, log = round_.find_keys(CENTER), round_.list_log_keys()[-1]
        for ring in self._find_rings():
            centers = [each.center for each in ring if each.center.public == center]
            logs = [each.log for each in ring if each.log.public.signing == log]
            if centers and logs:
                break
        else:
            raise InputError(
                f"the round {round_.terms.log.origin}",
                "this hub has not the keys that its terms name",
                "restore the folder of the hub's old keys",
            )
        return CenterKeys(centers[0], logs[0])

    def _find_rings(self) -> Iterator[tuple[CenterKeys, ...]]:
        """Yield the keys that are known, then those of the folder: another process may rotate."""
        yield self.ring
        yield read_ring(self.folder)

    def derive_secret(self, purpose: str, *parts: str) -> bytes:
        """Return 32 bytes that only this hub knows, the same each time for the same parts."""
        secret = self.first_keys.center.signing.private_bytes_raw()
        content = "\n".join([purpose, *parts]).encode()
        return hashlib.blake2b(
            content, key=secret, digest_size=32, person=b"aboveboard hub"
        ).digest()

    def close(self) -> None:
        """Close all connections to the database."""
        self.engine.dispose()


def make_hub(folder: Path, configuration: Configuration) -> Hub:
    """Make a hub in a new folder: keys, configuration, tables.

    Raises
    ------
    InputError
        If the folder exists, or the database cannot be reached.
    """
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True)
    except FileExistsError as error:
        raise InputError(str(folder), "it exists", "name a folder that is new") from error
    except OSError as error:
        raise InputError(
            str(folder), f"it cannot be made ({error.strerror})", "name another folder"
        ) from error
    write_keys(generate_keys(), folder / KEYS)
    write_keys(generate_keys(), folder / LOG_KEYS)
    token = configuration.metrics_token or secrets.token_urlsafe(24)
    write_configuration(configuration.model_copy(update={"metrics_token": token}), folder)
    hub = _open(folder)
    upgrade(hub.engine)
    return hub


def open_hub(folder: Path) -> Hub:
    """Return the hub in a folder.

    Raises
    ------
    InputError
        If it is none, its keys or its configuration are wrong, or its tables are old.
    """
    hub = _open(folder)
    refuse_old_tables(hub.engine)
    return hub


def upgrade_hub(folder: Path) -> None:
    """Bring a hub's tables to this version's."""
    hub = _open(folder)
    upgrade(hub.engine)
    from aboveboard.hub.collaborations.steps import refresh
    from aboveboard.hub.database.tables import collaboration

    with write(hub.engine) as connection:
        old = select(collaboration).where(collaboration.c.standing.is_(None))
        for row in connection.execute(old).all():
            with suppress(InputError):  # `hub check` names a damaged log; others are brought along
                refresh(connection, row, hub.now)
    hub.close()


def _open(folder: Path) -> Hub:
    configuration = read_configuration(folder)
    *retired, keys = read_ring(folder)
    engine = open_engine(configuration.database, folder)
    return Hub(folder.resolve(), configuration, keys, engine, retired=tuple(retired))


def read_ring(folder: Path) -> tuple[CenterKeys, ...]:
    """Return all keys that a hub has had, the first ones first.

    An exchange of keys that was interrupted once it had begun is finished before.
    """
    old = sorted((folder / OLD_KEYS).glob("[0-9]*"))
    if old and not (_has_both(folder) and _has_both(old[-1])):
        exchange_keys(folder, old[-1])
    return tuple(_read_pair(each) for each in (*old, folder))


def exchange_keys(folder: Path, kept: Path) -> None:
    """Move a hub's keys into the folder `kept`, and the fresh ones into their place.

    It may have been interrupted at any moment before: what was moved stays where it is.
    """
    fresh = folder / OLD_KEYS / FRESH_KEYS
    for name in (KEYS, LOG_KEYS):
        if not (kept / name).is_dir():
            (folder / name).rename(kept / name)
        if not (folder / name).is_dir():
            (fresh / name).rename(folder / name)
    fresh.rmdir()


def _has_both(folder: Path) -> bool:
    return all((folder / name).is_dir() for name in (KEYS, LOG_KEYS))


def _read_pair(folder: Path) -> CenterKeys:
    return CenterKeys(read_keys(folder / KEYS), read_keys(folder / LOG_KEYS))
