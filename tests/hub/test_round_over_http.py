"""A whole round through the API: every step, its idempotence, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from houses import LISTS, House

from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.keys import generate_keys
from aboveboard.evidence.log import Receipt, verify_receipt
from aboveboard.evidence.member_statements import make_rotation
from aboveboard.evidence.rounds import replay_log
from aboveboard.evidence.verifiers.opened import digest_file
from aboveboard.hub.collaborations.opening import locate_center_files, open_collaboration
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs import child, inputs
from aboveboard.hub.jobs.worker import Worker


def test_the_only_entry_of_a_log_has_a_receipt(hub: Hub, house: House, tmp_path: Path) -> None:
    table = house.open(tmp_path)
    receipt = house.people["acme"].send("GET", f"{table.path}/receipts/0").json()
    assert receipt["path"] == []
    assert receipt["checkpoint"].split("\n")[1] == "1"


@pytest.mark.child
def test_a_round_is_held_and_each_member_fetches_its_own_reply(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    assert table.view("acme")["next"] == "agree"
    table.until_sealed()
    assert table.view("acme")["state"] == "sealed"
    assert Worker(hub).work()
    assert table.view("acme")["state"] == "result"
    log = house.people["acme"].send("GET", f"{table.path}/log").json()
    entries = [entry.encode() for entry in log["entries"]]
    result = replay_log(entries, "log").find("result")
    assert result is not None
    for name, owned in LISTS.items():
        line, _, rest = table.fetch(name).partition(b"\n")
        header = json.loads(line)
        bundle = decode_bundle(rest[: header["bundle"]], name)
        assert list(bundle.entries) == entries
        received = rest[header["bundle"] :].decode().split()
        assert received
        assert not set(received) & set(owned)
        assert table.say(name, "accept", result=result.digest).status_code == 201
    assert table.view("acme")["state"] == "settled"


def test_the_same_statement_twice_is_one(house: House, tmp_path: Path) -> None:
    table = house.open(tmp_path)
    first = table.say("acme", "agree")
    again = table.say("acme", "agree")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert table.view("acme")["size"] == 2


def test_each_statement_has_a_receipt_that_verifies(hub: Hub, house: House, tmp_path: Path) -> None:
    table = house.open(tmp_path)
    table.agree()
    log = house.people["bolt"].send("GET", f"{table.path}/log").json()
    origin = json.loads(log["entries"][0])["body"]["log"]["origin"]
    for index, entry in enumerate(log["entries"]):
        found = house.people["bolt"].send("GET", f"{table.path}/receipts/{index}").json()
        receipt = Receipt.from_dict(found, "receipt")
        verify_receipt(entry.encode(), receipt, origin, hub.keys.log.public.signing)


def test_what_cannot_follow_is_refused_and_leaves_no_trace(house: House, tmp_path: Path) -> None:
    table = house.open(tmp_path)
    answer = table.post("acme", table.commitment("acme"))
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["problem"] == "the round is offered; it takes no 'commit'"
    assert table.view("acme")["size"] == 1


def test_a_submission_without_its_ciphertext_is_refused(house: House, tmp_path: Path) -> None:
    table = house.open(tmp_path)
    table.agree()
    table.commit()
    sealed = table.seal("acme")
    answer = table.post("acme", table.submission("acme", sealed))
    assert answer.status_code == 409
    assert "have not arrived" in answer.json()["problem"]


def test_a_member_cannot_speak_for_another(house: House, tmp_path: Path) -> None:
    table = house.open(tmp_path)
    answer = table.post("bolt", table.sign("acme", "agree"))
    assert answer.status_code == 409
    assert "speak for yourself" in answer.json()["problem"]


def test_a_statement_of_another_collaboration_is_refused(house: House, tmp_path: Path) -> None:
    one, other = house.open(tmp_path), house.open(tmp_path)
    answer = other.post("acme", one.sign("acme", "agree"))
    assert answer.status_code == 409
    assert "another round" in answer.json()["problem"]


def test_a_list_other_than_the_committed_one_is_named_and_may_be_sent_again(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.agree()
    table.commit()
    table.submit("acme", "bolt")
    right = table.payloads["core"]
    wrong = type(right)(right.table, {"list.txt": b"0.example\n"}, right.key, right.nonce)
    sealed = table.seal("core", wrong)
    table.upload("core", sealed)
    assert table.post("core", table.submission("core", sealed)).status_code == 201
    assert Worker(hub).work()
    assert table.view("acme")["state"] == "sealed"
    assert table.view("acme")["fault"] is None
    assert "another list" in table.view("core")["fault"]
    assert table.view("core")["next"] == "submit"
    table.submit("core")
    assert table.view("core")["fault"] is None
    assert Worker(hub).work()
    assert table.view("core")["state"] == "result"


def test_a_submission_may_be_sent_again_until_there_is_a_result_and_the_last_one_counts(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.agree()
    table.commit()
    right = table.payloads["core"]
    table.payloads["core"] = replace(right, files={"list.txt": b"0.example\n"})
    table.submit("core")  # before the others, and not what was committed
    table.payloads["core"] = right
    table.submit("acme", "bolt", "core")  # the same list, sealed once more
    assert table.view("core")["state"] == "sealed"
    table.submit("core")
    worker = Worker(hub)
    while worker.work():
        pass
    assert table.view("core")["state"] == "result"
    assert table.upload("core", table.seal("core")).status_code == 409


def test_a_step_whose_deadline_has_passed_ends_as_the_terms_say(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    house.clock.seconds = 1_800_000_000
    deadline = "2027-01-15T09:00:00+00:00"  # an hour later
    table = house.open(tmp_path, missing="continue", deadlines={"agree": deadline})
    table.say("acme", "agree")
    table.say("bolt", "agree")
    worker = Worker(hub)
    assert worker.end_steps() == 0
    house.clock.seconds += 3601
    late = table.say("core", "agree")
    assert late.status_code == 409
    assert "deadline" in late.json()["problem"]
    assert worker.end_steps() == 1
    assert table.view("acme")["state"] == "committing"
    assert table.view("acme")["awaited"] == ["acme", "bolt"]


@pytest.mark.parametrize("size", [0, 100])
def test_an_upload_is_limited_and_must_be_what_was_signed(
    house: House, tmp_path: Path, size: int
) -> None:
    table = house.open(tmp_path)
    table.agree()
    table.commit()
    path = f"{table.path}/sealed/{'ab' * 32}"
    answer = house.people["acme"].send("PUT", path, b"x" * size, digest="ab" * 32)
    assert answer.status_code == 401
    assert not list((house.hub.folder / "files" / "incoming").glob("*"))


def test_a_member_that_rotates_its_keys_goes_on_with_the_new_ones(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.agree()
    acme = house.people["acme"]
    fresh = generate_keys()
    log = acme.send("GET", f"{table.path}/log").json()["entries"]
    round_ = replay_log([entry.encode() for entry in log], "log")
    answer = table.post("acme", make_rotation(round_, "acme", acme.keys, fresh).content)
    assert answer.status_code == 201, answer.text
    old, acme.keys = acme.keys, fresh
    table.commit()
    table.submit()
    assert Worker(hub).work()
    assert table.fetch("acme")
    acme.keys = old  # other rounds are held with the keys that were registered
    assert house.open(tmp_path).say("acme", "agree").status_code == 201


def test_the_centers_own_files_reach_the_settlement_and_no_member(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    (tmp_path / "center.csv").write_text("bit\n1\n0\n")
    file = tmp_path / "bits.toml"
    file.write_text(
        'mechanism = "curation.fair"\n[function]\nkind = "majority"\n'
        '[center]\ndata = "center.csv"\n[parties.acme]\n[parties.bolt]\n'
    )
    identifier, round_ = open_collaboration(hub, file, opened="center")
    assert set(round_.terms.files) == {"center.csv"}
    assert round_.terms.parameters["center"]["data"] == "center.csv"
    kept = locate_center_files(hub, identifier) / "center.csv"
    assert kept.read_text() == "bit\n1\n0\n"
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    inputs._copy_center_files(hub, identifier, scratch)
    found = child._read_center_files(scratch)
    key, content = found["center.csv"]
    assert digest_file(key, content) == round_.terms.files["center.csv"]
