"""The operator's board says what is there now, on both databases."""

from __future__ import annotations

from pathlib import Path

from houses import House
from readers import on_both, read_as_operator
from sqlalchemy import insert, update

from aboveboard.hub.database.engine import write
from aboveboard.hub.database.tables import job, notice, submission
from aboveboard.hub.home import Hub


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
