"""A hub on SQLite that is served, with three members that have desks; settled in this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")
sys.path.insert(0, str(Path(__file__).parent))

from browsers import LISTS, Town, Visitor

from aboveboard.commands.rounds.rules import describe_rule_here
from aboveboard.desk import member
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs import settling
from aboveboard.hub.jobs.child import settle_folder, write_outcome
from aboveboard.hub.serving import BackgroundServer
from databases import start_hub, wait_for_no_disk


@pytest.fixture(autouse=True, scope="session")
def _wait_for_no_disk() -> Iterator[None]:
    with wait_for_no_disk():
        yield


@pytest.fixture(autouse=True)
def _compute_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def settle_here(hub: Hub, lease: object, folder: Path) -> None:
        write_outcome(folder, settle_folder(folder))

    monkeypatch.setattr(settling, "spawn_child", settle_here)
    monkeypatch.setattr(member, "describe_rule", describe_rule_here)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    hub = start_hub(tmp_path / "hub", Configuration.model_validate({"limits": {"free_bytes": 0}}))
    with BackgroundServer(hub) as server:
        desks = {name: Visitor(tmp_path / name) for name in LISTS}
        yield Town(hub, server, tmp_path, desks)
    hub.close()
