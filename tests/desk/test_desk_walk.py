"""An analyst who never used a terminal: from the invitation to the verified reply."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from browsers import LISTS, Town, Visitor
from sqlalchemy import update

from aboveboard.hub.database.engine import write
from aboveboard.hub.database.tables import collaboration
from aboveboard.hub.jobs.worker import Worker


def test_a_new_desk_asks_for_the_invitation(tmp_path: Path) -> None:
    shown = Visitor(tmp_path / "new").get("/")
    assert shown.status_code == 200
    assert "Paste the whole address" in shown.text


@pytest.mark.deep
def test_the_desks_take_members_from_the_invitation_to_the_verified_reply(town: Town) -> None:
    town.join()
    identifier = town.open(deadlines={"accept": "2035-01-01T00:00:00Z"})
    path, acme = f"/round/{identifier}", town.desks["acme"]

    assert "Read the terms and agree" in acme.get("/").text
    terms = acme.get(f"{path}/terms").text
    assert "The rule keeps its promises" in terms
    assert "No party gains by hiding data or staying away while the others tell the truth." in terms
    assert "First read the terms" in acme.get(f"{path}/data").text
    assert "You have agreed to the terms." in acme.agree(identifier).text
    assert "bolt and core" in acme.get(path).text
    for name in ("bolt", "core"):
        town.desks[name].agree(identifier)

    checked = acme.drop(f"{path}/file", ("my list.txt", b"a.example\nb.example\nno domain!\n"))
    assert "my-list.txt is on your desk. Nothing of it has left." in checked.text
    data = checked.text
    assert "It fits the terms" in data
    assert "1 entry left out" in data
    assert "2 elements, such as a.example and b.example" in data
    committed = acme.bring(identifier, "acme").text
    assert "You have committed to your data. Nothing of them has left." in committed
    assert "You send once all have committed" in acme.get(f"{path}/send").text
    for name in ("bolt", "core"):
        town.desks[name].bring(identifier, name)

    assert "This leaves now" in acme.get(f"{path}/send").text
    for desk in town.desks.values():
        assert "Your sealed data are at the hub." in desk.press(f"{path}/submit", seen="yes").text
    assert "There is no result yet" in acme.get(f"{path}/result").text
    assert Worker(town.hub).work()

    result = acme.get(f"{path}/result").text
    assert "Your result is verified" in result
    assert "What it cannot check is named below" in result
    reply = acme.get(f"{path}/reply")
    assert reply.headers["content-disposition"].startswith("attachment")
    assert set(reply.text.split()) <= {x for each in LISTS.values() for x in each}
    bolt = town.desks["bolt"]
    assert "you have not verified it" in bolt.press(f"{path}/accept").text
    for desk in town.desks.values():
        assert "Your result is verified" in desk.get(f"{path}/result").text
        assert "You have accepted the result." in desk.press(f"{path}/accept").text
    assert "All members have accepted the result" in acme.get(path).text
    log = acme.get(f"{path}/log").text
    assert log.count("accepted the result") == len(LISTS)
    file = acme.get(f"{path}/terms.json")
    assert hashlib.sha256(file.content).hexdigest() in acme.get(f"{path}/terms").text


@pytest.mark.deep
def test_a_hub_that_cuts_a_reply_is_found_out_and_disputed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(folder: Path, outcome: dict[str, Any]) -> None:
        file = folder / outcome["replies"]["acme"]
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(lines[:-1]))

    town.join()
    identifier = town.open()
    town.until_sealed(identifier)
    Worker(town.hub, tamper=cut).work()
    path, acme = f"/round/{identifier}", town.desks["acme"]
    shown = acme.get(f"{path}/result").text
    assert "Your result is not what the terms say" in shown
    assert "are due to you" in shown
    answer = acme.press(f"{path}/dispute", reason="one element is missing")
    assert "You have disputed the result." in answer.text
    assert "disputed the result: one element is missing" in acme.get(f"{path}/log").text


@pytest.mark.deep
def test_a_member_leaves_from_its_desk(town: Town) -> None:
    town.join()
    identifier = town.open()
    path, acme = f"/round/{identifier}", town.desks["acme"]
    acme.agree(identifier)
    refused = acme.press(f"{path}/leave")
    assert refused.status_code == 422
    assert "tick the box" in refused.text
    assert "Nothing was signed" not in refused.text  # a step that has begun may have signed
    assert f'{path}/log">the round' in refused.text
    assert "You have left the round." in acme.press(f"{path}/leave", sure="yes").text


@pytest.mark.deep
def test_a_file_that_does_not_fit_is_refused_before_anything_is_signed(town: Town) -> None:
    town.join()
    identifier = town.open()
    path, acme = f"/round/{identifier}", town.desks["acme"]
    for desk in town.desks.values():
        desk.agree(identifier)
    nothing = acme.press(f"{path}/commit")
    assert nothing.status_code == 422
    assert "choose your file first" in nothing.text
    acme.drop(f"{path}/file", ("list.csv", b"a,b\n1,2\n"))
    data = acme.get(f"{path}/data").text
    assert "What to do:" in data
    assert "Commit to this file" not in data
    assert acme.press(f"{path}/commit").status_code == 422
    log = acme.get(f"{path}/log").text
    assert "committed to its data" not in log
    several = acme.drop(f"{path}/file", ("a.txt", b"a.example\n"), ("b.txt", b"b.example\n"))
    assert several.status_code == 422
    assert "there are 2" in several.text


def test_what_was_not_read_is_not_signed(town: Town) -> None:
    town.join()
    identifier = town.open()
    path, acme = f"/round/{identifier}", town.desks["acme"]
    digest = acme.find_digest(f"{path}/terms")
    assert acme.press(f"{path}/agree", digest=digest).status_code == 422
    other = acme.press(f"{path}/agree", digest="0" * 64, read="yes")
    assert "they are others than you were shown" in other.text
    assert "agreed to the terms" not in acme.get(f"{path}/log").text


def test_the_desk_opens_the_pages_of_the_hub(town: Town) -> None:
    town.join()
    shown = town.desks["acme"].press("/hub", hub=town.server.address).text
    assert f"{town.server.address}/login?token=" in shown
    refused = town.desks["acme"].press("/hub", hub="http://evil.example")
    assert refused.status_code == 422


def test_wrong_invitations_are_named(town: Town) -> None:
    acme = town.desks["acme"]
    for link in ("", "hello", town.link("acme")[:-16] + "0" * 16):
        answer = acme.press("/join", link=link)
        assert answer.status_code == 422
        assert "Nothing was signed" not in answer.text  # the keys may have been sent


@pytest.mark.deep
def test_a_hub_that_is_down_is_named_and_comes_back(town: Town) -> None:
    town.join()
    identifier = town.open()
    town.server.close()
    from aboveboard.hub.members import transport

    before, transport.ATTEMPTS = transport.ATTEMPTS, 1
    try:
        for path in ("/", f"/round/{identifier}"):
            answer = town.desks["acme"].get(path)
            assert answer.status_code == 422
            assert "cannot be reached" in answer.text
    finally:
        transport.ATTEMPTS = before


@pytest.mark.deep
def test_what_was_committed_on_the_command_line_is_verified_at_the_desk(town: Town) -> None:
    from aboveboard.commands import rounds
    from aboveboard.hub.members import attend

    town.join()
    identifier = town.open()
    acme = town.desks["acme"]
    for desk in town.desks.values():
        desk.agree(identifier)
    file = town.folder / "mine.txt"
    file.write_text("".join(f"{x}\n" for x in LISTS["acme"]))
    here = attend(home=acme.application.desk.home)
    here.hand_over(rounds.commit(here.member, file))
    for name in ("bolt", "core"):
        town.desks[name].bring(identifier, name)
    for desk in town.desks.values():
        desk.press(f"/round/{identifier}/submit", seen="yes")
    Worker(town.hub).work()
    shown = acme.get(f"/round/{identifier}/result").text
    assert "Your result is verified" in shown
    assert "your own data are what was committed, whole" in shown


@pytest.mark.deep
def test_the_file_that_was_committed_is_the_one_that_is_verified(town: Town) -> None:
    town.join()
    identifier = town.open()
    path, acme = f"/round/{identifier}", town.desks["acme"]
    for desk in town.desks.values():
        desk.agree(identifier)
    keys = b'data = "list.txt"\n'
    content = "".join(f"{x}\n" for x in LISTS["acme"]).encode()
    acme.drop(f"{path}/file", ("keys.toml", keys), ("list.txt", content))
    acme.press(f"{path}/commit")
    refused = acme.drop(f"{path}/file", ("other.txt", b"other.example\n"))
    assert refused.status_code == 422
    assert "you have committed to a file" in refused.text
    for name in ("bolt", "core"):
        town.desks[name].bring(identifier, name)
    for desk in town.desks.values():
        desk.press(f"{path}/submit", seen="yes")
    Worker(town.hub).work()
    own = acme.application.desk.home / "desk" / identifier / "own"
    (own / "list.txt").write_bytes(b"other.example\n")  # whatever lies on the desk by now
    shown = acme.get(f"{path}/result").text
    assert "Your result is verified" in shown
    assert "your own data are what was committed, whole" in shown
    assert acme.drop(f"{path}/file", ("other.txt", b"other.example\n")).status_code == 422
    assert [each.name for each in own.iterdir() if each.name == "other.txt"] == []


@pytest.mark.deep
def test_a_machine_without_the_committed_data_opens_the_reply_and_says_what_is_missing(
    town: Town,
) -> None:
    town.join()
    identifier = town.open()
    town.until_sealed(identifier)
    Worker(town.hub).work()
    acme = town.desks["acme"]
    (payload,) = (acme.application.desk.home / "rounds").glob("*/payload.bin")
    payload.unlink()
    path = f"/round/{identifier}"
    shown = acme.get(f"{path}/result").text
    assert "Something is missing to verify all of it" in shown
    assert "You committed on another machine" in shown
    assert acme.get(f"{path}/reply").status_code == 200


@pytest.mark.deep
def test_who_is_not_asked_to_send_again_is_not_told_to(town: Town) -> None:
    town.join()
    identifier = town.open()
    town.until_sealed(identifier)
    again = "You can send your data again"
    for faults, said, told in (
        ({"": "parties.bolt: it is 77"}, "The settlement failed", False),
        ({"acme": "it is another list"}, "It is another list", True),
    ):
        with write(town.hub.engine) as connection:
            connection.execute(update(collaboration).values(faults=json.dumps(faults)))
        shown = town.desks["acme"].get(f"/round/{identifier}").text
        assert said.lower() in shown.lower()
        assert (again in shown) is told
