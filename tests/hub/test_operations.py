"""Check, backup, restore, migrations: an operator's tools, on both databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from houses import House
from sqlalchemy import delete, select, update
from test_agreements import read

from aboveboard.errors import InputError
from aboveboard.evidence.keys import generate_keys
from aboveboard.evidence.statements import sign_statement
from aboveboard.hub import home
from aboveboard.hub.collaborations import logs
from aboveboard.hub.collaborations.logs import lock
from aboveboard.hub.collaborations.opening import locate_center_files
from aboveboard.hub.database.engine import write
from aboveboard.hub.database.tables import (
    checkpoint,
    collaboration,
    log_entry,
    metadata,
    transfer,
)
from aboveboard.hub.home import Hub, open_hub
from aboveboard.hub.jobs.archiving import archive_ended
from aboveboard.hub.jobs.failures import STEP, note_failure
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.money.ledger import list_transfers
from aboveboard.hub.operations import backup
from aboveboard.hub.operations.backup import back_up, restore
from aboveboard.hub.operations.checking import check_hub
from aboveboard.hub.operations.overview import look
from aboveboard.hub.organizations import invite


def test_migrations_make_the_tables_that_the_code_has(hub: Hub) -> None:
    with hub.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_hub_in_order_has_no_faults(hub: Hub, house: House, tmp_path: Path) -> None:
    table = house.open(tmp_path)
    table.until_sealed()
    Worker(hub).work()
    found = check_hub(hub)
    assert found.faults == ()
    assert (found.collaborations, found.entries, found.files) == (1, 11, 6)
    seen = look(hub)
    assert seen["collaborations"][0]["awaited"] == ["acme", "bolt", "core"]


def test_what_was_changed_behind_the_hubs_back_is_named(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.until_sealed()
    Worker(hub).work()
    damaged = next(p for p in (hub.folder / "files").glob("??/*"))
    damaged.write_bytes(b"other")
    with write(hub.engine) as connection:
        connection.execute(update(collaboration).values(state="settled"))
    found = check_hub(hub)
    assert len(found.faults) == 2
    assert any("the database states state settled, the log result" in x for x in found.faults)
    assert any(damaged.name in fault for fault in found.faults)


def test_a_log_that_was_changed_behind_the_hubs_back_is_not_folded(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.agree()
    with write(hub.engine) as connection:
        where = (log_entry.c.collaboration == table.id, log_entry.c.index == 2)
        row = connection.execute(select(log_entry).where(*where)).one()
        forged = sign_statement(json.loads(row.content)["body"], row.signer, generate_keys())
        connection.execute(update(collaboration).values(standing=None))
        assert len(logs.read_round(connection, lock(connection, table.id)).leaves) == 4
        connection.execute(update(log_entry).where(*where).values(content=forged.content))
        with pytest.raises(InputError, match="entry 2: it is not signed"):
            logs.read_round(connection, lock(connection, table.id))
        for damaged in (b"no JSON", b"[]", b'{"body": 1, "by": 2, "sig": 3}'):
            connection.execute(update(log_entry).where(*where).values(content=damaged))
            with pytest.raises(InputError, match="entry 2: "):
                logs.read_round(connection, lock(connection, table.id))
        connection.execute(update(log_entry).where(*where).values(content=row.content))
        connection.execute(delete(checkpoint).where(checkpoint.c.size == 4))
        assert len(logs.read_round(connection, lock(connection, table.id)).leaves) == 4


def test_keys_are_read_from_the_disk_only_where_others_are_in_force(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = house.open(tmp_path)
    monkeypatch.delattr(home, "read_ring")
    table.agree()
    assert table.view("acme")["state"] == "committing"


def test_a_restored_hub_goes_on_where_the_backup_was_made(
    hub: Hub, house: House, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    table = house.open(tmp_path)
    table.until_sealed()
    numbers = back_up(hub, tmp_path / "backup")
    assert numbers["files"] == 3
    database: Any = None
    if hub.engine.dialect.name == "postgresql":
        from new_database import make_database

        database = make_database(request.getfixturevalue("postgresql"))
    assert restore(tmp_path / "backup", tmp_path / "again", database=database) == numbers
    again = open_hub(tmp_path / "again")
    assert check_hub(again).faults == ()
    assert Worker(again).work()
    assert look(again)["collaborations"][0]["state"] == "result"
    assert invite(again, "more").name == "more"  # counters go on behind the restored rows
    again.close()


def test_a_hub_with_netted_transfers_is_restored(
    hub: Hub, house: House, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    table = house.open(tmp_path)
    shared = {"series": table.id, "serial": 1, "name": "acme", "currency": "EUR", "created": 1}
    paid = {**shared, "collaboration": table.id, "state": "netted", "cents": 5, "netted_into": 2}
    net = {**shared, "collaboration": None, "state": "pending", "cents": 5, "netted_into": None}
    with write(hub.engine) as connection:
        connection.execute(transfer.insert(), [{**net, "id": 2}])
        connection.execute(transfer.insert(), [{**paid, "id": 1}])
    before = list_transfers(hub, table.id)
    numbers = back_up(hub, tmp_path / "backup")
    database: Any = None
    if hub.engine.dialect.name == "postgresql":
        from new_database import make_database

        database = make_database(request.getfixturevalue("postgresql"))
    assert restore(tmp_path / "backup", tmp_path / "again", database=database) == numbers
    again = open_hub(tmp_path / "again")
    assert list_transfers(again, table.id) == before
    assert [each.netted_into for each in before] == [2, None]
    again.close()


def test_what_members_or_the_operator_write_makes_no_backup_that_cannot_be_restored(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    odd = "a\u2028b\u0085c\u2029d\x1ce"
    table = house.open(tmp_path, more={"name": odd})
    note_failure(hub, table.id, STEP, ValueError(f"{odd}\x00"))  # as a child may quote a list
    numbers = back_up(hub, tmp_path / "backup")
    assert restore(tmp_path / "backup", tmp_path / "again", database="") == numbers
    again = open_hub(tmp_path / "again")
    assert check_hub(again).faults == ()
    seen = look(again)
    assert seen["collaborations"][0]["name"] == odd
    assert seen["failed"][0]["problem"].isprintable()
    again.close()


def test_what_the_worker_deletes_while_a_backup_is_made_breaks_none(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = house.open(tmp_path, more={"keep_days": 0, "repeats": {"added": 1}})
    table.until_sealed()
    Worker(hub).work()
    own = locate_center_files(hub, table.id)
    own.mkdir(parents=True)
    (own / "test.csv").write_text("rows")
    result = read(table).find("result")
    assert result is not None
    for name in table.names:
        table.say(name, "accept", result=result.digest)
    house.clock.seconds += 1
    copy = backup.shutil.copyfile

    def delete_first(source: Any, target: Any, **options: Any) -> Any:
        archive_ended(hub)
        return copy(source, target, **options)

    monkeypatch.setattr(backup.shutil, "copyfile", delete_first)
    assert back_up(hub, tmp_path / "backup")["files"] == len(table.names)
    restore(tmp_path / "backup", tmp_path / "again", database="")
    again = open_hub(tmp_path / "again")
    assert check_hub(again).faults == ()
    again.close()
    for path in (hub.folder / "files").glob("??/*"):
        path.unlink()
    with pytest.raises(InputError, match="it is missing; run 'aboveboard hub check'"):
        back_up(hub, tmp_path / "broken")


def test_nobody_else_looks_into_a_hub_while_it_is_restored(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if hub.engine.dialect.name == "postgresql":
        pytest.skip("it is about the folder alone")
    back_up(hub, tmp_path / "backup")
    (tmp_path / "backup").chmod(0o755)  # as a copy may be
    modes, copy = [], backup.shutil.copyfile

    def watch(source: Any, target: Any, **options: Any) -> Any:
        modes.append((tmp_path / "again").stat().st_mode & 0o777)
        return copy(source, target, **options)

    monkeypatch.setattr(backup.shutil, "copyfile", watch)
    restore(tmp_path / "backup", tmp_path / "again")
    assert set(modes) == {0o700}
    assert (tmp_path / "again").stat().st_mode & 0o777 == 0o700


def test_a_backup_is_restored_into_nothing_but_an_empty_place(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    back_up(hub, tmp_path / "backup")
    with pytest.raises(InputError, match="it exists"):
        restore(tmp_path / "backup", hub.folder)
    with pytest.raises(InputError, match="no backup"):
        restore(tmp_path, tmp_path / "again")


def test_a_restore_that_fails_leaves_no_folder_that_passes_for_a_hub(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    house.open(tmp_path)
    back_up(hub, tmp_path / "backup")
    rows = tmp_path / "backup" / "tables" / "member.jsonl"
    rows.write_text("".join(rows.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(InputError):
        restore(tmp_path / "backup", tmp_path / "restored")
    assert not (tmp_path / "restored").exists()
