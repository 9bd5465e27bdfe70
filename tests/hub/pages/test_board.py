"""The operator's board says what is there now, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from houses import House
from readers import on_both, read_as_operator
from sqlalchemy import insert, text, update

from aboveboard.hub.collaborations.membership import _LIST_OWN
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import collaboration, job, notice, submission
from aboveboard.hub.home import Hub
from aboveboard.hub.pages import board, operators
from aboveboard.hub.pages.board import read_board


@on_both
def test_the_board_shows_at_once_what_is_kept_and_what_has_failed(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    operator = read_as_operator(house)
    shown = operator.get("/").text
    assert "<dt>sealed data kept</dt><dd>0 bytes</dd>" in shown
    assert "What went wrong" not in shown
    sent = {"collaboration": table.id, "size": 3000, "created": hub.now}
    with write(hub.engine) as connection:
        for name, digest in (("acme", "a" * 64), ("bolt", "b" * 64)):
            connection.execute(insert(submission).values(name=name, digest=digest, **sent))
        failed = {"kind": "settle", "key": "k", "state": "failed", "problem": "no memory"}
        connection.execute(
            insert(job).values(collaboration=table.id, created=hub.now, attempts=2, **failed)
        )
        unsent = {"recipient": "core", "text": "t", "problem": "no such mailbox"}
        connection.execute(insert(notice).values(collaboration=table.id, created=1, **unsent))
    shown = operator.get("/").text
    assert "<dt>sealed data kept</dt><dd>5.9 KiB</dd>" in shown
    assert "failed after 2 attempts: no memory" in shown
    assert "no such mailbox" in shown
    with write(hub.engine) as connection:
        connection.execute(update(submission).where(submission.c.name == "bolt").values(deleted=1))
        connection.execute(update(job).values(state="done"))
        connection.execute(update(notice).values(sent=1))
    shown = operator.get("/").text
    assert "<dt>sealed data kept</dt><dd>2.9 KiB</dd>" in shown  # what is deleted is not kept
    assert "What went wrong" not in shown


@on_both
def test_who_is_awaited_first_stands_first(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = [house.open(tmp_path) for _ in range(6)]
    # Of each: until when somebody is awaited, and when it was opened.
    standing = [(None, 5), (900, 7), (800, 9), (None, 4), (800, 8), (None, 1)]
    with write(hub.engine) as connection:
        for table, (until, created) in zip(tables, standing, strict=True):
            row = update(collaboration).where(collaboration.c.id == table.id)
            connection.execute(row.values(until=until, created=created))
        ended = update(collaboration).where(collaboration.c.id == tables[5].id)
        connection.execute(ended.values(state="declined"))  # the others wait no more
    with read(hub.engine) as connection:
        late = read_board(connection, hub).late
    assert [row.id for row, *_ in late] == [tables[k].id for k in (4, 2, 1, 3, 0)]
    monkeypatch.setattr(board, "PER_PAGE", 4)
    with read(hub.engine) as connection:
        assert read_board(connection, hub).late == late[:4]


@on_both
def test_many_collaborations_of_an_organisation_are_not_counted_all(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.open(tmp_path)
    house.open(tmp_path, ["acme", "bolt"])
    monkeypatch.setattr(operators, "MOST_COUNTED", 2)
    shown = read_as_operator(house).get("/").text
    assert shown.count('<td class="n">2 or more</td>') == 2
    assert shown.count('<td class="n">1</td>') == 1


def test_no_list_reads_all_collaborations(hub: Hub) -> None:
    """Each question walks an index that has its order, and stops after a page of rows."""
    plans = {}
    with read(hub.engine) as connection:
        for name, query in (
            ("late", board._LATE),
            ("counts", board._COUNTS),
            ("organizations", board._ORGANIZATIONS),
            ("own", _LIST_OWN),
        ):
            known = {"now": 1, "owner": 1, "after": "", "most": 26}
            asked = {key: known[key] for key in query.compile().params if key in known}
            plain = query.params(**asked).compile(
                hub.engine, compile_kwargs={"literal_binds": True}
            )
            rows = connection.execute(text(f"EXPLAIN QUERY PLAN {plain}"))
            plans[name] = [row.detail for row in rows]
    steps = [step for plan in plans.values() for step in plan]
    assert "SEARCH collaboration USING INDEX ix_collaboration_open (until=?)" in plans["late"]
    assert "SEARCH member USING INDEX ix_member_organization" in " ".join(plans["own"])
    assert "ix_collaboration_faulty" in " ".join(plans["counts"])
    assert "ix_notice_failing" in " ".join(plans["counts"])
    assert not [step for step in steps if "TEMP B-TREE" in step]
    bare = ("SCAN collaboration", "SCAN member", "SCAN notice", "SCAN job")
    assert not [step for step in steps if step in bare]
