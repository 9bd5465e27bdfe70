"""What members and the operator find on their pages, step by step through a round."""

from __future__ import annotations

import hashlib
from html import unescape
from pathlib import Path

import pytest
from houses import LISTS, House, Table
from readers import Reader, on_both, read_as, read_as_operator

from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.organizations import invite


@pytest.fixture
def table(house: House, tmp_path: Path) -> Table:
    return house.open(tmp_path, deadlines={"agree": "2027-02-01T12:00:00Z"})


def test_a_stranger_finds_how_to_log_in_and_the_fingerprint(house: House) -> None:
    shown = Reader(house).get("/")
    assert shown.status_code == 200
    assert "aboveboard login" in shown.text
    assert house.hub.fingerprint in shown.text


def test_an_invitation_that_is_opened_in_a_browser_says_what_to_do(house: House) -> None:
    shown = Reader(house).get("/join")
    assert shown.status_code == 200
    assert "aboveboard desk" in shown.text


def test_the_first_page_says_whose_turn_it_is_and_until_when(house: House, table: Table) -> None:
    acme = read_as(house, "acme")
    shown = acme.get("/").text
    assert "Read the terms and agree" in shown
    assert "2027-02-01 12:00 UTC, in 17 days" in shown
    assert table.say("acme", "agree").status_code == 201
    shown = acme.get("/").text
    assert "nothing: waiting for 2 of the others" in shown


@pytest.mark.deep
@on_both
def test_the_overview_follows_the_round(hub: Hub, house: House, table: Table) -> None:
    acme = read_as(house, "acme")
    path = f"/collaborations/{table.id}"
    shown = acme.get(path).text
    assert f"aboveboard agree {table.id}" in shown
    table.agree()
    shown = acme.get(path).text
    assert "Your turn: Commit to your data" in shown
    table.commit()
    assert "Your turn: Send your sealed data" in acme.get(path).text
    table.submit("acme", "bolt")
    shown = acme.get(path).text
    assert "Nothing for you to do now" in shown
    assert "Awaited: core" in shown
    table.submit("core")
    assert "The center computes the result" in acme.get(path).text
    Worker(hub).work()
    assert "Your turn: Verify your result" in acme.get(path).text
    shown = acme.get(f"{path}/result").text
    assert "What each member gets" in shown
    assert "Your reply" in shown


def test_the_terms_are_told_in_plain_words_beside_their_file(house: House, table: Table) -> None:
    acme = read_as(house, "acme")
    path = f"/collaborations/{table.id}"
    assert "the audit is being computed" in acme.get(f"{path}/terms").text
    thread = house.app.state.rules._thread
    if thread is not None:
        thread.join(60)
    shown = acme.get(f"{path}/terms").text
    assert table.terms in shown
    assert "the round is cancelled, and nobody gets a result" in shown
    assert "The rule keeps its promises" in shown
    assert "not yet" in shown
    file = acme.get(f"{path}/terms.json")
    assert hashlib.sha256(file.content).hexdigest() == table.terms
    audit = acme.get(f"{path}/audit").text
    assert "No party gains by hiding data or staying away while the others tell the truth." in audit


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        ({}, "which the center keeps as long as what members send"),
        (
            {"keep_days": 90},
            "which the center deletes 90 days after that round's end, with what members sent in "
            "it; a list that comes later may be any",
        ),
    ],
)
def test_the_terms_say_until_when_hashes_of_lists_are_kept(
    house: House, tmp_path: Path, more: dict[str, int], kept: str
) -> None:
    table = house.open(tmp_path, more={"repeats": {"added": 5}, **more})
    shown = read_as(house, "acme").get(f"/collaborations/{table.id}/terms").text
    assert "a list gains at most 5 elements each time; each is compared with that of" in shown
    assert kept in unescape(shown)


@pytest.mark.deep
@on_both
def test_the_log_shows_every_statement_with_its_receipt(house: House, table: Table) -> None:
    table.agree()
    acme = read_as(house, "acme")
    path = f"/collaborations/{table.id}/log"
    shown = acme.get(path).text
    assert shown.count("agreed to the terms") == len(LISTS)
    assert table.house.hub.configuration.authority in shown
    entry = acme.get(f"{path}/1").text
    assert "The receipt" in entry
    assert "&#34;checkpoint&#34;" in entry
    assert acme.get(f"{path}/99").status_code == 404


@pytest.mark.deep
def test_a_long_log_is_shown_page_by_page(
    house: House, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aboveboard.hub.pages import collaborations, reading

    monkeypatch.setattr(reading, "ENTRIES_PER_PAGE", 2)
    monkeypatch.setattr(collaborations, "ENTRIES_PER_PAGE", 2)
    table.agree()
    acme = read_as(house, "acme")
    path = f"/collaborations/{table.id}/log"
    assert "?start=2" in acme.get(path).text
    shown = acme.get(f"{path}?start=2").text
    assert "Receipt of 3" in shown
    assert "Receipt of 1" not in shown


@pytest.mark.deep
def test_the_keys_are_shown_with_those_of_the_hub(house: House) -> None:
    shown = read_as(house, "acme").get("/keys").text
    assert house.people["acme"].keys.public.signing in shown
    assert house.people["bolt"].keys.public.signing not in shown
    assert house.hub.fingerprint in shown


@on_both
def test_the_operator_sees_who_is_late_what_failed_and_who_has_joined(
    hub: Hub, house: House, table: Table
) -> None:
    invite(hub, "newcomer")
    operator = read_as_operator(house)
    table.say("acme", "agree")
    shown = operator.get("/").text
    assert "bolt and core" in shown
    assert "newcomer" in shown
    assert "disk free" in shown
    house.clock.seconds += 40 * 24 * 3600
    late = read_as_operator(house).get("/").text
    assert "1 step is past the deadline" in late


@pytest.mark.deep
def test_the_operator_sees_why_a_settlement_was_refused(
    hub: Hub, house: House, table: Table
) -> None:
    table.agree()
    table.commit()
    table.submit("acme", "bolt")
    sealed = b"\0" * 100
    table.upload("core", sealed)
    assert table.post("core", table.submission("core", sealed)).status_code == 201
    Worker(hub).work()
    shown = read_as_operator(house).get("/").text
    assert "What went wrong" in shown
    assert "core" in shown
    mine = read_as(house, "core").get(f"/collaborations/{table.id}").text
    assert "You can send your data again" in mine
    other = read_as(house, "acme").get(f"/collaborations/{table.id}").text
    assert "You can send your data again" not in other


@pytest.mark.deep
def test_the_operator_reads_all_collaborations_and_members_do_not(
    house: House, table: Table
) -> None:
    operator = read_as_operator(house)
    assert table.id in operator.get("/collaborations").text
    assert operator.get(f"/collaborations/{table.id}").status_code == 200
    assert read_as(house, "acme").get("/collaborations").status_code == 404


@pytest.mark.deep
def test_a_round_that_was_cancelled_says_why(hub: Hub, house: House, table: Table) -> None:
    from aboveboard.hub.collaborations.steps import state_own

    state_own(hub, table.id, "cancel", {"reason": "<b>no budget</b>"})
    acme = read_as(house, "acme")
    shown = acme.get(f"/collaborations/{table.id}").text
    assert "&lt;b&gt;no budget&lt;/b&gt;" in shown
    assert "There is no result" in acme.get(f"/collaborations/{table.id}/result").text


@pytest.mark.deep
@on_both
def test_transfers_are_shown_to_their_member_and_to_the_operator(
    hub: Hub, house: House, table: Table
) -> None:
    from aboveboard.hub.database.engine import write
    from aboveboard.hub.database.tables import transfer

    table.until_sealed()
    Worker(hub).work()
    with write(hub.engine) as connection:
        for name, cents in (("acme", 1250), ("bolt", -987)):
            connection.execute(
                transfer.insert().values(
                    series=table.id,
                    collaboration=table.id,
                    serial=1,
                    name=name,
                    cents=cents,
                    currency="EUR",
                    state="pending",
                    created=hub.now,
                )
            )
    path = f"/collaborations/{table.id}/result"
    mine = read_as(house, "acme").get(path).text
    assert "12.50" in mine
    assert "9.87" not in mine
    board = read_as_operator(house).get(path).text
    assert "12.50" in board
    assert "9.87" in board


@pytest.mark.deep
def test_rounds_of_a_series_lead_to_one_another_for_those_who_take_part(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    from sqlalchemy import update

    from aboveboard.hub.database.engine import write
    from aboveboard.hub.database.tables import collaboration

    first, second = house.open(tmp_path), house.open(tmp_path, names=["acme", "bolt"])
    with write(hub.engine) as connection:
        connection.execute(update(collaboration).values(series=first.id))
        number = update(collaboration).where(collaboration.c.id == second.id)
        connection.execute(number.values(serial=2))
    path = f"/collaborations/{first.id}"
    assert f'href="/collaborations/{second.id}">Round 2' in read_as(house, "acme").get(path).text
    assert second.id not in read_as(house, "core").get(path).text
    assert second.id in read_as_operator(house).get(path).text
