"""Inputs are deleted after the time of the terms; the log keeps their hashes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from houses import House, Table
from test_agreements import read, rotate

from aboveboard.hub.collaborations.deadlines import DAY
from aboveboard.hub.collaborations.opening import locate_center_files
from aboveboard.hub.collaborations.steps import state_own
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs import archiving
from aboveboard.hub.jobs.archiving import archive_ended
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.operations.backup import back_up
from aboveboard.hub.operations.checking import check_hub


def list_inputs(hub: Hub, table: Table) -> list[Path]:
    digests = [x.body["sealed"] for (k, _), x in read(table).said.items() if k == "submit"]
    return [hub.files.locate(digest) for digest in digests]


def settle(hub: Hub, house: House, folder: Path) -> Table:
    table = house.open(folder, more={"keep_days": 30})
    table.until_sealed()
    Worker(hub).work()
    result = read(table).find("result")
    assert result is not None
    for name in table.names:
        table.say(name, "accept", result=result.digest)
    return table


def test_inputs_are_deleted_after_the_days_of_the_terms_and_results_stay(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = settle(hub, house, tmp_path)
    files = list_inputs(hub, table)
    house.clock.seconds += 29 * DAY
    assert archive_ended(hub) == 0
    assert all(path.is_file() for path in files)
    house.clock.seconds += 2 * DAY
    assert archive_ended(hub) == 1
    assert archive_ended(hub) == 0
    assert not any(path.exists() for path in files)
    assert table.view("acme")["state"] == "archived"
    stated = read(table).find("archive")
    assert stated is not None
    assert sorted(stated.body["deleted"]) == sorted(path.name for path in files)
    assert table.fetch("acme")
    assert check_hub(hub).faults == ()
    assert back_up(hub, tmp_path / "backup")["files"] == 3  # the results


def test_files_that_a_killed_worker_left_are_removed_by_the_next(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = house.open(tmp_path, more={"keep_days": 0})
    table.until_sealed()
    files = list_inputs(hub, table)
    state_own(hub, table.id, "cancel", {"reason": "tried"})
    house.clock.seconds += 1
    with monkeypatch.context() as patched:
        patched.setattr(archiving, "_remove_files", lambda _: None)
        assert archive_ended(hub) == 1
    own = locate_center_files(hub, table.id)
    own.mkdir(parents=True, exist_ok=True)
    (own / "test.csv").write_text("rows")
    assert all(path.is_file() for path in files)
    assert archive_ended(hub) == 0
    assert not any(path.exists() for path in files)
    assert not own.exists()


def test_a_cancelled_round_without_a_time_in_its_terms_is_kept(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    state_own(hub, table.id, "cancel", {"reason": "tried"})
    house.clock.seconds += 10_000 * DAY
    assert archive_ended(hub) == 0
    assert table.view("acme")["state"] == "cancelled"


def test_a_result_that_nobody_accepts_is_archived_all_the_same(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path, more={"keep_days": 3})
    table.until_sealed()
    Worker(hub).work()
    files, result = list_inputs(hub, table), read(table).find("result")
    assert result is not None
    house.clock.seconds += 13 * DAY
    table.say("acme", "accept", result=result.digest)  # the others' time does not begin anew
    assert Worker(hub).end_steps() == 0
    house.clock.seconds += DAY + 1
    assert Worker(hub).end_steps() == 1
    assert table.view("acme")["state"] == "settled"
    assert read(table).silent == {"bolt", "core"}
    house.clock.seconds += 3 * DAY + 1
    assert archive_ended(hub) == 1
    assert not any(path.exists() for path in files)


def test_a_worker_that_runs_once_archives_what_is_over(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = settle(hub, house, tmp_path)
    files = list_inputs(hub, table)
    house.clock.seconds += 31 * DAY
    Worker(hub).run_once()
    assert not any(path.exists() for path in files)


@pytest.mark.deep
def test_a_result_cannot_be_sealed_anew_once_the_inputs_are_gone(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = settle(hub, house, tmp_path)
    rotate(table, "acme")  # in time, but the worker comes late
    for path in list_inputs(hub, table):
        path.unlink()
    worker = Worker(hub)
    for _ in range(4):
        worker.work()
    assert "operator" in table.view("acme")["fault"]


def test_files_that_no_row_names_are_removed_after_a_day(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = settle(hub, house, tmp_path)
    kept = set(hub.files.list_digests())
    assert len(kept) == 6
    orphan, fresh = hub.files.put(b"a submission before its server was killed"), hub.files.put(b"x")
    for digest in {*kept, orphan, fresh}:
        age = DAY - 1 if digest == fresh else 2 * DAY
        os.utime(hub.files.locate(digest), (hub.now - age,) * 2)
    (hub.folder / "files" / orphan[:2] / "notes").write_text("of the operator")
    worker = Worker(hub)
    worker.keep_house()
    assert not hub.files.locate(orphan).exists()
    assert hub.files.locate(fresh).exists()
    assert all(hub.files.locate(digest).exists() for digest in kept)
    house.clock.seconds += 31 * DAY
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(archiving, "_remove_files", lambda _: None)
        assert archive_ended(hub) == 1
    Worker(hub).keep_house()
    assert set(hub.files.list_digests()) & kept == {read_reply(hub, table, n) for n in table.names}


def read_reply(hub: Hub, table: Table, name: str) -> str:
    view = table.view(name)
    assert hub.files.locate(view["reply"]).exists()
    return str(view["reply"])
