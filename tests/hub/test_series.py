"""Rounds that repeat: the next one in one step, netted transfers, lists that change little."""

from __future__ import annotations

import csv
import io
import threading
from pathlib import Path
from typing import Any

import pytest
from houses import LISTS, House, Table
from sqlalchemy import select, update

from aboveboard.errors import InputError
from aboveboard.evidence.rounds import replay_log
from aboveboard.evidence.seeds import derive_seed
from aboveboard.hub.collaborations.deadlines import DAY
from aboveboard.hub.collaborations.logs import lock
from aboveboard.hub.collaborations.opening import locate_center_files, open_collaboration
from aboveboard.hub.collaborations.steps import state_own
from aboveboard.hub.database.engine import write
from aboveboard.hub.database.tables import key, organization
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs import settling
from aboveboard.hub.jobs.archiving import archive_ended
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.money import ledger
from aboveboard.hub.money.exports import export_csv, export_journal
from aboveboard.hub.money.ledger import (
    list_transfers,
    net_transfers,
    note_payment,
    void_payments,
)
from aboveboard.hub.operations.checking import check_hub
from aboveboard.hub.series.lists import HASH
from aboveboard.hub.series.repeating import list_series, open_next, propose_change

deep = pytest.mark.deep


def finish(hub: Hub, table: Table) -> None:
    """Take a round to its end."""
    table.until_sealed()
    assert Worker(hub).work()
    log = table.house.people["acme"].send("GET", f"{table.path}/log").json()["entries"]
    result = replay_log([x.encode() for x in log], "log").find("result")
    assert result is not None, table.view("acme")
    for name in table.names:
        assert table.say(name, "accept", result=result.digest).status_code == 201


def follow(hub: Hub, table: Table, **options: Any) -> Table:
    identifier, round_ = open_next(hub, table.id, **options)
    return Table(table.house, identifier, round_.terms_digest, table.names)


def revoke_keys(hub: Hub, name: str) -> None:
    with write(hub.engine) as connection:
        owner = select(organization.c.id).where(organization.c.name == name).scalar_subquery()
        connection.execute(update(key).where(key.c.organization == owner).values(revoked=hub.now))


def test_the_next_round_begins_without_those_who_left_and_have_no_keys_now(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    first = house.open(tmp_path, missing="continue")
    first.agree()
    assert first.say("core", "leave").status_code == 201
    state_own(hub, first.id, "cancel", {"reason": "the next one follows at once"})
    revoke_keys(hub, "core")
    identifier, round_ = open_next(hub, first.id)
    assert round_.terms.names == ("acme", "bolt")
    state_own(hub, identifier, "cancel", {"reason": "another one follows"})
    revoke_keys(hub, "bolt")  # who has not left is not left out in silence
    with pytest.raises(InputError, match="party 'bolt'"):
        open_next(hub, identifier)


def test_whom_a_change_left_out_need_not_have_keys_in_the_next_round(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    first = house.open(tmp_path)
    first.say("core", "leave")
    change = propose_change(hub, first.id, {"members": ["acme", "bolt"]}).digest
    for name in ("acme", "bolt"):
        assert first.say(name, "change", change=change).status_code == 201
    state_own(hub, first.id, "cancel", {"reason": "the next one follows at once"})
    revoke_keys(hub, "core")
    assert open_next(hub, first.id)[1].terms.names == ("acme", "bolt")


def test_the_next_round_has_the_terms_of_the_last_one(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    first = house.open(tmp_path, deadlines={"commit": "2027-02-01T12:00:00Z"})
    with pytest.raises(InputError, match="wait for its result"):
        open_next(hub, first.id)
    finish(hub, first)
    identifier, round_ = open_next(hub, first.id, days=31)
    log = house.people["acme"].send("GET", f"{first.path}/log").json()["entries"]
    old = replay_log([x.encode() for x in log], "log").terms
    new = round_.terms
    assert (new.serial, new.previous) == (2, first.terms)
    assert new.deadlines.commit == "2027-03-04T12:00:00+00:00"
    assert (new.parameters, new.members, new.missing) == (old.parameters, old.members, old.missing)
    assert new.log.origin != old.log.origin
    view = house.people["acme"].send("GET", f"/api/v1/collaborations/{identifier}").json()
    assert (view["serial"], view["previous"], view["series"]) == (2, first.id, first.id)
    with pytest.raises(InputError, match="follows it already"):
        open_next(hub, first.id)
    assert [row.serial for row in list_series(hub, first.id)] == [1, 2]


def test_a_round_that_does_not_begin_leaves_no_files_of_the_center(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    first = house.open(tmp_path)
    own = locate_center_files(hub, first.id)
    own.mkdir(parents=True)
    (own / "test.csv").write_text("rows")
    before = sorted(own.parent.iterdir())
    with pytest.raises(InputError, match="wait for its result"):
        open_next(hub, first.id)
    with pytest.raises(InputError, match="no organisation"):
        house.open(tmp_path, ["acme", "stranger"])
    assert sorted(own.parent.iterdir()) == before
    state_own(hub, first.id, "cancel", {"reason": "tried"})
    identifier, _ = open_next(hub, first.id)
    assert (locate_center_files(hub, identifier) / "test.csv").read_text() == "rows"


def test_no_round_follows_once_files_of_the_center_are_deleted(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    file = tmp_path / "bits.toml"
    file.write_text(
        'name = "bits"\nmechanism = "curation.fair"\n[function]\nkind = "threshold"\nk = 2\n'
        'center_weight = 1\nprior = 0.5\n[center]\ndata = "center.csv"\n'
        "[parties.acme]\n[parties.bolt]\n[parties.core]\n"
    )
    (tmp_path / "center.csv").write_text("bit\n1\n0\n1\n1\n")
    identifier, _ = open_collaboration(hub, file, more={"keep_days": 0})
    state_own(hub, identifier, "cancel", {"reason": "tried"})
    house.clock.seconds += 1
    assert archive_ended(hub) == 1
    with pytest.raises(InputError, match=r"name center\.csv, which the hub no longer has"):
        open_next(hub, identifier)


def test_terms_limit_how_often_a_round_is_repeated(hub: Hub, house: House, tmp_path: Path) -> None:
    first = house.open(tmp_path, more={"repeats": {"most": 1}})
    state_own(hub, first.id, "cancel", {"reason": "tried"})
    with pytest.raises(InputError, match="allow 1 rounds"):
        open_next(hub, first.id)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("added", "dropped", "limits", "problem"),
    [
        (2, 0, {"added": 1}, "2 elements that the last round's list had not"),
        pytest.param(0, 2, {"dropped": 1}, "2 elements that the last round's list had", marks=deep),
        pytest.param(1, 1, {"added": 1, "dropped": 1}, None, marks=deep),
        pytest.param(5, 5, {}, None, marks=deep),
    ],
)
def test_who_probes_with_another_list_in_each_round_is_stopped_by_the_terms(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    added: int, dropped: int, limits: dict[str, int], problem: str | None,
) -> None:  # fmt: skip
    first = house.open(tmp_path, more={"repeats": limits})
    finish(hub, first)
    probe = [*LISTS["acme"][dropped:], *(f"new{k}.example" for k in range(added))]
    monkeypatch.setitem(LISTS, "acme", probe)
    second = follow(hub, first)
    second.until_sealed()
    assert Worker(hub).work()
    view = second.view("acme")
    if problem is None:
        assert view["state"] == "result"
    else:
        assert view["state"] == "sealed"
        assert problem in view["fault"]
        assert second.view("bolt")["fault"] is None
    assert not list((hub.folder / "series").rglob("*.txt"))


def sizes_of_hashes(hub: Hub, table: Table) -> dict[str, int]:
    """Return of how many elements of each list of a round the hub keeps a hash."""
    found = (hub.folder / "series").glob(f"*/{table.id}/*.bin")
    return {path.stem: path.stat().st_size // HASH for path in found}


@pytest.mark.deep
def test_hashes_of_lists_are_deleted_with_the_inputs_and_the_limit_ends(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = house.open(tmp_path, more={"repeats": {"added": 1}, "keep_days": 30})
    finish(hub, first)
    kept = {name: len(LISTS[name]) for name in first.names}
    monkeypatch.setitem(LISTS, "acme", [*LISTS["acme"], "new1.example", "new2.example"])
    second = follow(hub, first)
    second.until_sealed()
    assert Worker(hub).work()
    assert "the last round's list had not" in second.view("acme")["fault"]
    house.clock.seconds += 29 * DAY
    assert archive_ended(hub) == 0
    assert sizes_of_hashes(hub, first) == kept
    house.clock.seconds += 2 * DAY
    assert archive_ended(hub) == 1
    assert sizes_of_hashes(hub, first) == {}
    assert check_hub(hub).faults == ()
    second.submit("acme")
    assert Worker(hub).work()
    assert second.view("acme")["state"] == "result"


def stop_the_worker(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.deep
def test_a_round_without_a_result_moves_no_limit(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a list could move by as much in each round that is cancelled, and be asked once."""
    first = house.open(tmp_path, more={"repeats": {"added": 1}})
    finish(hub, first)
    table = first
    for k in range(2):
        monkeypatch.setitem(LISTS, "acme", [*LISTS["acme"], f"new{k}.example"])
        table = follow(hub, table)
        table.until_sealed()
        if k == 0:
            with monkeypatch.context() as patched:
                patched.setattr(settling, "enter_payments", stop_the_worker)
                with pytest.raises(KeyboardInterrupt):
                    Worker(hub).work()  # what it hashed is kept, and no result is
            state_own(hub, table.id, "cancel", {"reason": "tried"})
    assert Worker(hub).work()
    assert "2 elements that the last round's list had not" in table.view("acme")["fault"]


def test_hashes_that_are_kept_after_their_time_are_a_fault(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    first = house.open(tmp_path, more={"repeats": {"added": 1}, "keep_days": 0})
    finish(hub, first)
    house.clock.seconds += 1
    assert archive_ended(hub) == 1
    left = hub.folder / "series" / first.id / first.id / "acme.bin"
    left.parent.mkdir()
    left.write_bytes(bytes(HASH))
    assert any("keyed hashes of lists are kept" in fault for fault in check_hub(hub).faults)
    assert archive_ended(hub) == 0  # the next look removes what a killed worker left
    assert check_hub(hub).faults == ()


def enter(hub: Hub, table: Table, **cents: int) -> None:
    """Enter payments as the result of a round would."""
    from aboveboard.hub.collaborations.logs import lock, read_round
    from aboveboard.hub.database.engine import write
    from aboveboard.hub.money.ledger import enter_payments

    with write(hub.engine) as connection:
        row = lock(connection, table.id)
        enter_payments(connection, row, read_round(connection, row), cents, hub.now)


@pytest.fixture
def owing(hub: Hub, house: House, tmp_path: Path) -> Table:
    """Two rounds in which money was earned."""
    first = house.open(tmp_path, more={"currency": "EUR", "rounding": "whole cents"})
    enter(hub, first, acme=1000, bolt=-400, core=-600)
    state_own(hub, first.id, "cancel", {"reason": "the next one follows at once"})
    second = follow(hub, first)
    enter(hub, second, acme=-250, bolt=400, core=-150)
    return second


def test_transfers_are_netted_over_rounds_and_nothing_is_lost(hub: Hub, owing: Table) -> None:
    before = list_transfers(hub, owing.id)
    assert [each.state for each in before] == ["pending"] * 6
    made = net_transfers(hub, owing.id)
    assert {each.name: each.cents for each in made} == {"acme": 750, "core": -750}
    after = list_transfers(hub, owing.id)
    pending = [each for each in after if each.state == "pending"]
    assert sum(each.cents for each in pending) == sum(each.cents for each in before)
    netted = [each for each in after if each.state == "netted"]
    assert len(netted) == 6
    assert {each.netted_into for each in netted if each.name == "bolt"} == {None}
    assert net_transfers(hub, owing.id) == []


def test_who_was_paid_when_is_kept_and_nothing_is_paid_twice(hub: Hub, owing: Table) -> None:
    acme = next(each for each in net_transfers(hub, owing.id) if each.name == "acme")
    paid = note_payment(hub, acme.id, "2027-02-03", "invoice 7")
    assert (paid.state, paid.paid_on, paid.reference) == ("settled", "2027-02-03", "invoice 7")
    for number, day in ((acme.id, "2027-02-04"), (acme.id + 99, "2027-02-03"), (1, "2027-02-03")):
        with pytest.raises(InputError):
            note_payment(hub, number, day)
    with pytest.raises(InputError, match="day"):
        note_payment(hub, acme.id + 1, "2027-02-30")


@deep
def test_what_is_paid_while_a_ruling_lets_the_round_fall_is_turned_back(
    hub: Hub, owing: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = next(x for x in list_transfers(hub, owing.id) if x.collaboration == owing.id)
    begun, may_end = threading.Event(), threading.Event()
    real = ledger._is_disputed

    def look_slowly(*given: Any) -> bool:
        begun.set()
        assert may_end.wait(60)
        return real(*given)

    monkeypatch.setattr(ledger, "_is_disputed", look_slowly)

    def fall() -> None:
        with write(hub.engine) as connection:
            void_payments(connection, lock(connection, owing.id), hub.now)

    paying = threading.Thread(target=note_payment, args=(hub, acme.id, "2027-02-03"))
    falling = threading.Thread(target=fall)
    paying.start()
    assert begun.wait(60)
    falling.start()
    falling.join(0.3)  # it waits, or has not begun: both ends are the same
    may_end.set()
    for thread in (paying, falling):
        thread.join(60)
        assert not thread.is_alive()
    found = [x for x in list_transfers(hub, owing.id) if x.name == acme.name and x.id >= acme.id]
    assert [(x.state, x.cents) for x in found] == [
        ("settled", acme.cents),
        ("pending", -acme.cents),
    ]


@pytest.mark.deep
def test_a_member_sees_its_own_transfers_only(hub: Hub, owing: Table) -> None:
    answer = owing.house.people["bolt"].send("GET", f"{owing.path}/transfers")
    assert answer.status_code == 200
    found = answer.json()["transfers"]
    assert {each["name"] for each in found} == {"bolt"}
    assert [each["cents"] for each in found] == [-400, 400]


def test_transfers_are_exported_as_csv_and_as_a_journal_that_balances(
    hub: Hub, owing: Table
) -> None:
    net_transfers(hub, owing.id)
    acme = next(x for x in list_transfers(hub, owing.id) if x.state == "pending")
    note_payment(hub, acme.id, "2027-02-03", "=cmd()")
    transfers = list_transfers(hub, owing.id)
    rows = list(csv.DictReader(io.StringIO(export_csv(transfers))))
    assert len(rows) == 8
    settled = next(row for row in rows if row["state"] == "settled")
    assert (settled["pays"], settled["paid on"]) == ("7.50", "2027-02-03")
    assert settled["reference"] == "'=cmd()"
    journal = export_journal(transfers, "lists")
    amounts = [line.split()[1] for line in journal.splitlines() if line.startswith("  ")]
    assert sum(round(float(x) * 100) for x in amounts) == 0
    assert "2027-02-03 *" in journal
    assert "!" in journal
    loader = pytest.importorskip("beancount.loader", reason="beancount is GPL: tests only")
    _, errors, _ = loader.load_string(journal)
    assert errors == []


def test_the_seed_of_each_round_is_another_one(hub: Hub, house: House, tmp_path: Path) -> None:
    first = house.open(tmp_path)
    state_own(hub, first.id, "cancel", {"reason": "tried"})
    second = follow(hub, first)
    nonces = {name: bytes(32) for name in LISTS}
    assert derive_seed(first.terms, nonces) != derive_seed(second.terms, nonces)
