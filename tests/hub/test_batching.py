"""Many who write at once: all is kept, each has its own answer, one failure is one failure."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from houses import LISTS, House
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError

from aboveboard.evidence.round_states import RefusedStatementError
from aboveboard.hub.collaborations.statements import take_statement
from aboveboard.hub.database import batching
from aboveboard.hub.database.batching import write_together
from aboveboard.hub.database.engine import read
from aboveboard.hub.database.tables import log_entry, organization
from aboveboard.hub.home import Hub
from aboveboard.hub.operations.checking import check_hub
from aboveboard.hub.organizations.registry import find_by_key


def run_all(works: list[Any]) -> list[BaseException]:
    """Run all at once, to their end; return what they raised."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(works))

    def run(work: Any) -> None:
        try:
            barrier.wait(60)
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return errors


def test_statements_at_once_are_all_kept_and_the_log_is_whole(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    tables = [house.open(tmp_path) for _ in range(4)]
    works = []
    for table in tables:
        for name in LISTS:
            with read(hub.engine) as connection:
                owner = find_by_key(connection, house.people[name].keys.public.signing)
            assert owner is not None
            content = table.sign(name, "agree")
            for _ in range(2):  # also twice the same
                works.append(lambda o=owner, t=table, c=content: take_statement(hub, o, t.id, c))
            wrong = table.sign(name, "leave", more=1)
            works.append(lambda o=owner, t=table, c=wrong: take_statement(hub, o, t.id, c))
    errors = run_all(works)
    assert len(errors) == len(tables) * len(LISTS)
    assert all(isinstance(error, RefusedStatementError) for error in errors)
    with read(hub.engine) as connection:
        assert connection.execute(select(func.count()).select_from(log_entry)).scalar_one() == 16
    assert {table.view("acme")["state"] for table in tables} == {"committing"}
    assert check_hub(hub).faults == ()
    for table in tables:
        table.commit()
    assert check_hub(hub).faults == ()


def insert(hub: Hub, name: str, *, fails: bool = False) -> Any:
    def act(connection: Connection) -> str:
        connection.execute(organization.insert().values(name=name, folded=name, created=1))
        if fails:
            raise ValueError(name)
        return name

    return lambda: write_together(hub.engine, act)


def test_what_fails_leaves_nothing_and_stops_nobody_else(hub: Hub) -> None:
    errors = run_all([insert(hub, f"n{k}", fails=k % 3 == 0) for k in range(24)])
    assert sorted(str(error) for error in errors) == sorted(f"n{k}" for k in range(0, 24, 3))
    with read(hub.engine) as connection:
        names = set(connection.execute(select(organization.c.name)).scalars())
    assert names == {f"n{k}" for k in range(24) if k % 3}


def test_nobody_hears_of_success_before_the_commit(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    if hub.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL commits each by itself")
    from contextlib import contextmanager

    real = batching.write

    @contextmanager
    def fail(engine: Any) -> Any:
        with real(engine) as connection:
            yield connection
            raise OperationalError("commit", {}, Exception("disk full"))

    monkeypatch.setattr(batching, "write", fail)
    errors = run_all([insert(hub, f"n{k}") for k in range(5)])
    assert len(errors) == 5
    assert all(isinstance(error, OperationalError) for error in errors)
    with read(hub.engine) as connection:
        assert connection.execute(select(func.count()).select_from(organization)).scalar_one() == 0
    monkeypatch.undo()
    assert insert(hub, "later")() == "later"


def test_who_writes_for_others_has_its_own_answer_and_not_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from contextlib import contextmanager, nullcontext
    from types import SimpleNamespace

    engine: Any = SimpleNamespace()
    batches: list[int] = []

    @contextmanager
    def write(_: Any) -> Any:
        batches.append(len(batches))
        yield SimpleNamespace(begin_nested=nullcontext)
        if len(batches) == 1:
            raise OperationalError("commit", {}, Exception("disk full"))

    monkeypatch.setattr(batching, "write", write)
    monkeypatch.setattr(batching, "MOST", 2)
    line = batching.Line()
    others = [batching.Work(lambda _: "other") for _ in range(2)]
    line._waiting += others
    assert line.take(engine, lambda _: "mine") == "mine"
    assert batches == [0, 1]
    assert all(isinstance(each.error, OperationalError) for each in others)
    assert line._waiting == []


def test_who_is_interrupted_leaves_nothing_to_be_written_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(batching, "write", interrupt)
    monkeypatch.setattr(batching, "MOST", 1)
    line, other = batching.Line(), batching.Work(lambda _: None)
    line._waiting.append(other)
    engine: Any = None
    with pytest.raises(KeyboardInterrupt):
        line.take(engine, lambda _: None)
    assert line._waiting == []
    assert other.done.is_set()
