"""SQLite files of the tests' hubs: thrown away, so that none waits for a disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy import Engine, event

from aboveboard.hub import home
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.database import engine as engines
from aboveboard.hub.database.engine import SQLITE_FILE, open_engine, upgrade
from aboveboard.hub.home import Hub, make_hub


@contextmanager
def wait_for_no_disk() -> Iterator[None]:
    """Open SQLite files so that a power failure could ruin them; all else stays as it is."""
    opened = engines._open_sqlite

    def open_sqlite(url: str) -> Engine:
        made = opened(url)
        event.listen(made, "connect", _forget)
        return made

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(engines, "_open_sqlite", open_sqlite)
        yield


def _forget(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


@cache
def migrate_once() -> bytes:
    """Return the SQLite file of a new hub, as all migrations make it."""
    with TemporaryDirectory() as folder:
        engine = open_engine("", Path(folder))
        upgrade(engine)
        engine.dispose()
        return (Path(folder) / SQLITE_FILE).read_bytes()


def start_hub(folder: Path, configuration: Configuration) -> Hub:
    """Make a hub; a SQLite file is a copy of the one that was migrated."""

    def copy_or_upgrade(engine: Engine) -> None:
        if engine.dialect.name == "sqlite":
            Path(str(engine.url.database)).write_bytes(migrate_once())
        else:
            upgrade(engine)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(home, "upgrade", copy_or_upgrade)
        return make_hub(folder, configuration)
