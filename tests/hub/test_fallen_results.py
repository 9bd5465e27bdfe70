"""What a ruling lets fall is owed by nobody, whatever had become of the transfers before."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from houses import LISTS, House, Person, Table

from aboveboard.errors import InputError
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.evidence.statements import sign_statement
from aboveboard.hub.collaborations.deadlines import DAY
from aboveboard.hub.collaborations.logs import lock, read_round
from aboveboard.hub.database.engine import write
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.archiving import archive_ended
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.members import money
from aboveboard.hub.money.exports import export_csv, export_journal
from aboveboard.hub.money.ledger import (
    enter_payments,
    list_transfers,
    net_transfers,
    note_payment,
)

MONEY = {"currency": "EUR", "rounding": "whole cents", "keep_days": 1}


@pytest.fixture
def owing(hub: Hub, house: House, tmp_path: Path) -> Table:
    """A round with a result, an auditor and three transfers; acme has paid."""
    auditor = Person("judge", house.people["acme"].client, house.clock)
    assert auditor.join(hub).status_code == 200
    house.people["judge"] = auditor
    table = house.open(tmp_path, list(LISTS), auditor="judge", more=MONEY)
    table.until_sealed()
    assert Worker(hub).work()
    with write(hub.engine) as connection:
        row = lock(connection, table.id)
        cents = {"acme": 1000, "bolt": -400, "core": -600}
        enter_payments(connection, row, read_round(connection, row), cents, hub.now)
    note_payment(hub, list_transfers(hub, table.id)[0].id, "2027-02-03")
    return table


def read(table: Table) -> Round:
    page = table.house.people["judge"].send("GET", f"{table.path}/log?limit=1000").json()
    return replay_log([entry.encode() for entry in page["entries"]], "log")


def dispute(table: Table) -> str:
    result = read(table).find("result")
    assert result is not None
    assert table.say("acme", "dispute", result=result.digest, reason="short").status_code == 201
    return result.digest


def rule(table: Table, result: str, *, stands: bool) -> None:
    body = {"kind": "ruling", "terms": read(table).terms_digest, "result": result,
            "stands": stands, "reason": "looked at"}  # fmt: skip
    judge = table.house.people["judge"]
    statement = sign_statement(body, "auditor", judge.keys)
    answer = judge.send("POST", f"{table.path}/statements", statement.content)
    assert answer.status_code == 201, answer.text


def test_what_is_pending_becomes_void_and_what_was_paid_is_turned_back(
    hub: Hub, owing: Table
) -> None:
    rule(owing, dispute(owing), stands=False)
    states = [(each.name, each.cents, each.state) for each in list_transfers(hub, owing.id)]
    assert states == [
        ("acme", 1000, "settled"), ("bolt", -400, "void"), ("core", -600, "void"),
        ("acme", -1000, "pending"),
    ]  # fmt: skip
    assert export_csv(list_transfers(hub, owing.id)).count(",void,") == 2
    assert "bolt" not in export_journal(list_transfers(hub, owing.id), "round")


def test_a_result_that_stands_is_owed_as_before(hub: Hub, owing: Table) -> None:
    before = list_transfers(hub, owing.id)
    rule(owing, dispute(owing), stands=True)
    assert list_transfers(hub, owing.id) == before


@pytest.mark.deep
def test_nothing_of_a_disputed_round_is_paid_or_netted(hub: Hub, owing: Table) -> None:
    pending = next(each for each in list_transfers(hub, owing.id) if each.name == "bolt")
    dispute(owing)
    with pytest.raises(InputError, match="disputed"):
        note_payment(hub, pending.id, "2027-02-03")
    assert net_transfers(hub, owing.id) == []
    assert [each.state for each in list_transfers(hub, owing.id)].count("pending") == 2


@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.deep
def test_members_hold_transfers_of_a_fallen_round_to_be_void_when_it_is_archived_too(
    hub: Hub, owing: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archived: bool
) -> None:
    rule(owing, dispute(owing), stands=False)
    if archived:
        owing.house.clock.seconds += 2 * DAY
        assert archive_ended(hub) == 1
    path = f"{owing.path}/transfers"
    shown: dict[str, Any] = {}
    due = {"acme": 10, "bolt": -4}
    monkeypatch.setattr(money, "read_keys", lambda *_: None)
    monkeypatch.setattr(money, "HubConnection", lambda *_: SimpleNamespace(get_json=shown.get))
    monkeypatch.setattr(money, "_read_round", lambda *_: (read(owing), None))
    monkeypatch.setattr(money, "_find_payment", lambda _, __, name, ___: Fraction(due[name]))

    def see(name: str, found: list[Any]) -> list[tuple[str, bool]]:
        shown[path] = {"transfers": found}
        known = SimpleNamespace(address="http://hub.example", name=name)
        monkeypatch.setattr(money, "find_collaboration", lambda *_: (known, owing.id))
        return [(x["state"], x["verified"]) for x in money.list_own_transfers(owing.id, tmp_path)]

    true = {n: owing.house.people[n].send("GET", path).json()["transfers"] for n in due}
    assert see("bolt", true["bolt"]) == [("void", True)]
    assert see("acme", true["acme"]) == [("settled", True), ("pending", True)]
    with pytest.raises(InputError, match="is pending, and a ruling has let the result fall"):
        see("bolt", [{**true["bolt"][0], "state": "pending"}])
    paid, back = true["acme"]
    for lie in ([paid], [paid, {**back, "currency": "USD"}], [paid, {**back, "state": "void"}]):
        with pytest.raises(InputError, match="do not add up"):
            see("acme", lie)
    monkeypatch.setattr(money, "_find_payment", lambda *_: None)  # it is hidden
    assert see("acme", true["acme"]) == [("settled", False), ("pending", False)]
    with pytest.raises(InputError, match="is pending, and a ruling"):
        see("bolt", [{**true["bolt"][0], "state": "pending"}])
