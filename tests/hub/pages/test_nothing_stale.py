"""What changes is seen at the next request, whatever parts of pages the hub has kept."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from houses import LISTS, House, Table
from markupsafe import Markup
from readers import Reader, on_both, read_as, read_as_operator
from sqlalchemy import delete, insert, select, update

from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import (
    checkpoint,
    collaboration,
    key,
    log_entry,
    member,
    session,
    transfer,
    tree_node,
)
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.pages import parts
from aboveboard.hub.pages.parts import PartCache
from aboveboard.hub.series.repeating import propose_change

PARTS = ("", "/terms", "/terms.json", "/audit", "/result", "/log", "/log/0")


@pytest.fixture
def table(house: House, tmp_path: Path) -> Table:
    return house.open(tmp_path)


def read_all(reader: Reader, table: Table) -> set[int]:
    """Return the statuses of all pages of a collaboration; each is then kept where it can be."""
    return {reader.get(f"/collaborations/{table.id}{part}").status_code for part in PARTS}


@on_both
def test_who_takes_part_no_more_sees_nothing_from_then_on(
    hub: Hub, house: House, table: Table
) -> None:
    acme, bolt = read_as(house, "acme"), read_as(house, "bolt")
    assert read_all(acme, table) == read_all(bolt, table) == {200}
    with write(hub.engine) as connection:
        own = (member.c.collaboration == table.id, member.c.name == "acme")
        row = connection.execute(select(member).where(*own)).one()
        connection.execute(delete(member).where(*own))
    assert read_all(acme, table) == {404}
    assert table.id not in acme.get("/").text
    assert read_all(bolt, table) == {200}
    with write(hub.engine) as connection:
        connection.execute(insert(member).values(**row._mapping))
    assert read_all(acme, table) == {200}


def test_a_session_that_ended_sees_nothing_from_then_on(
    hub: Hub, house: House, table: Table
) -> None:
    acme, bolt, operator = read_as(house, "acme"), read_as(house, "bolt"), read_as_operator(house)
    assert read_all(acme, table) == read_all(bolt, table) == read_all(operator, table) == {200}
    with write(hub.engine) as connection:
        signing = house.people["acme"].keys.public.signing
        connection.execute(update(key).where(key.c.signing == signing).values(revoked=hub.now))
        connection.execute(delete(session).where(session.c.organization.is_(None)))
    assert read_all(acme, table) == read_all(operator, table) == {401}
    assert read_all(bolt, table) == {200}


@on_both
def test_every_statement_is_on_all_pages_at_once(hub: Hub, house: House, table: Table) -> None:
    path = f"/collaborations/{table.id}"
    readers = [read_as(house, "acme"), read_as(house, "bolt"), read_as_operator(house)]
    for step, name in enumerate(LISTS):
        for reader in readers:
            assert reader.get(path).text.count('<td class="done">') == step
            assert reader.get(f"{path}/terms").text.count("not yet") == len(LISTS) - step
            log = reader.get(f"{path}/log").text
            assert log.count("agreed to the terms") == step
            assert f"{step + 1} statement" in log
        assert table.say(name, "agree").status_code == 201
    assert '<th scope="row">acme (you)</th>' in readers[0].get(path).text
    assert '<th scope="row">bolt (you)</th>' in readers[1].get(path).text
    assert "(you)" not in readers[2].get(path).text


def test_changed_terms_are_told_once_all_have_signed(hub: Hub, house: House, table: Table) -> None:
    path, acme = f"/collaborations/{table.id}", read_as(house, "acme")
    late = "the round goes on without it"
    table.agree()
    before = acme.get(f"{path}/terms").text
    change = propose_change(hub, table.id, {"missing": "continue"}).digest
    for name in LISTS:
        assert "waits for signatures" in acme.get(path).text
        assert late not in acme.get(f"{path}/terms").text
        assert table.say(name, "change", change=change).status_code == 201
    shown = acme.get(f"{path}/terms").text
    assert late in shown
    assert change in shown
    assert change not in before
    assert "waits for signatures" not in acme.get(path).text


def test_the_time_that_is_left_is_told_anew(house: House, tmp_path: Path) -> None:
    table = house.open(tmp_path, deadlines={"agree": "2027-02-01T12:00:00Z"})
    acme = read_as(house, "acme")
    path = f"/collaborations/{table.id}/terms"
    assert "2027-02-01 12:00 UTC, in 17 days" in acme.get(path).text
    house.clock.seconds += 3600 * 3 + 24 * 3600 * 2
    acme = read_as(house, "acme")
    assert "2027-02-01 12:00 UTC, in 15 days" in acme.get(path).text


@pytest.mark.deep
def test_what_was_paid_is_shown_at_once(hub: Hub, house: House, table: Table) -> None:
    table.until_sealed()
    Worker(hub).work()
    path, acme = f"/collaborations/{table.id}/result", read_as(house, "acme")
    with write(hub.engine) as connection:
        owed = {"name": "acme", "cents": 1250, "currency": "EUR", "state": "pending", "serial": 1}
        known = {"series": table.id, "collaboration": table.id, "created": hub.now}
        connection.execute(insert(transfer).values(**known, **owed))
    assert "<td>pending</td>" in acme.get(path).text
    with write(hub.engine) as connection:
        connection.execute(update(transfer).values(state="settled", paid_on="2026-12-24"))
    assert "<td>settled</td><td>2026-12-24</td>" in acme.get(path).text
    assert "Nobody has answered yet" in acme.get(path).text
    result = read_result(hub, table)
    assert table.say("bolt", "dispute", result=result, reason="no").status_code == 201
    assert "<dt>bolt</dt><dd>disputed: no</dd>" in acme.get(path).text


def read_result(hub: Hub, table: Table) -> str:
    with read(hub.engine) as connection:
        where = (log_entry.c.collaboration == table.id, log_entry.c.kind == "result")
        return str(connection.execute(select(log_entry.c.digest).where(*where)).scalar_one())


LOG_TABLES = (log_entry, checkpoint, tree_node)


def test_parts_of_one_log_are_not_taken_for_those_of_another_as_long(
    hub: Hub, house: House, table: Table
) -> None:
    """Somebody may copy an older database back while the server runs."""
    path, acme = f"/collaborations/{table.id}", read_as(house, "acme")
    with read(hub.engine) as connection:
        row = connection.execute(select(collaboration)).mappings().one()
        old = {each: connection.execute(select(each)).mappings().all() for each in LOG_TABLES}
    for name, other in (("bolt", "core"), ("core", "bolt")):
        assert table.say(name, "agree").status_code == 201
        text = acme.get(path).text
        assert f'<th scope="row">{name}</th><td class="done">' in text
        assert f'<th scope="row">{other}</th><td class="awaited">' in text
        assert f"<td>{name}</td><td>agreed" in acme.get(f"{path}/log").text
        with write(hub.engine) as connection:
            for each, rows in old.items():
                connection.execute(delete(each))
                connection.execute(insert(each), [dict(x) for x in rows])
            connection.execute(update(collaboration).values(**row))


def test_parts_that_are_kept_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MOST_CHARACTERS", 100)
    cache, made = PartCache(), list[int]()

    def make(k: int) -> Markup:
        made.append(k)
        return Markup("x") * 30

    for k in (1, 2, 3, 1, 4, 1, 2):  # 2 was used longest ago when 4 came
        cache.find(("part", k), partial(make, k))
    assert made == [1, 2, 3, 4, 2]
    assert cache._characters <= 100
    assert len(cache.find("large", lambda: Markup("y" * 1000))) == 1000
    assert cache._characters == 0
