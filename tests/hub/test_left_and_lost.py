"""Who has left reads on, and one member's bad keys or notices are in nobody else's way."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from houses import HOST, House, Person, Table
from sqlalchemy import select, update

from aboveboard.errors import InputError
from aboveboard.evidence.folders import read_log
from aboveboard.evidence.keys import PrivateKeys, generate_keys
from aboveboard.evidence.member_statements import make_rotation, prove_keys
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.hub.collaborations.deadlines import DAY
from aboveboard.hub.collaborations.notices import TURNS, write_notice
from aboveboard.hub.collaborations.steps import state_own
from aboveboard.hub.configuration import check_configuration
from aboveboard.hub.database.engine import read as read_database
from aboveboard.hub.database.engine import write
from aboveboard.hub.database.tables import notice
from aboveboard.hub.home import Hub
from aboveboard.hub.members import KnownHub, membership, recovering, sharing
from aboveboard.hub.members import mirror as mirrors
from aboveboard.hub.members.places import Mirror
from aboveboard.hub.notices import sending
from aboveboard.hub.notices.messages import NEWS, NotSentError, say
from aboveboard.hub.notices.sending import send_notices
from aboveboard.hub.organizations.contacts import set_contact
from aboveboard.hub.series.repeating import propose_change


class Caller:
    """A member's connection to a hub in this process."""

    def __init__(self, person: Person) -> None:
        self.person = person

    def get_json(self, path: str) -> Any:
        answer = self.person.send("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put_bytes(self, path: str, content: bytes) -> None:
        raise AssertionError(f"{path} takes nothing of who has left")


def read(table: Table, name: str) -> Round:
    log = Caller(table.house.people[name]).get_json(f"{table.path}/log?limit=1000")["entries"]
    return replay_log([entry.encode() for entry in log], "log")


def follow(
    table: Table, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Mirror, dict[str, Any]]:
    caller = Caller(table.house.people[name])
    monkeypatch.setattr(mirrors, "HubConnection", lambda *_: caller)
    mirror = Mirror(folder, f"http://{HOST}", table.id)
    folder.mkdir(exist_ok=True)
    return mirror, mirrors.pull(mirror, table.house.people[name].keys)


@pytest.mark.parametrize("speaks", [True, False])
def test_whom_a_change_of_terms_leaves_out_reads_on(
    speaks: bool, hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = house.open(tmp_path, more={"missing": "continue"})
    if speaks:
        assert table.say("core", "leave").status_code == 201
    else:
        state_own(hub, table.id, "missing", {"members": ["core"]})
    mirror, _ = follow(table, "core", tmp_path / "core", monkeypatch)
    (mirror.folder / "cosignatures").mkdir()
    (mirror.folder / "cosignatures" / "core.note").write_text("what core had cosigned")
    change = propose_change(hub, table.id, {"members": ["acme", "bolt"]}).digest
    for name in ("acme", "bolt"):
        assert table.say(name, "change", change=change).status_code == 201
    _, view = follow(table, "core", tmp_path / "core", monkeypatch)
    assert (view["member"], view["state"]) == ("core", "committing")
    round_ = read(table, "core")
    entries = list(read_log(mirror.folder, "").entries)
    for name in ("mallory", "center"):
        with pytest.raises(InputError, match="nobody in the round is called that"):
            mirrors._refuse_stranger(mirror, round_, name, entries)


def test_tokens_are_fetched_by_those_that_take_part(tmp_path: Path) -> None:
    terms = SimpleNamespace(counts="members")
    round_: Any = SimpleNamespace(terms=terms, tokens={"acme": ["0" * 64]}, present=("acme",))
    asked: list[str] = []

    def get(path: str) -> bytes:
        asked.append(path)
        return b""

    hub: Any = SimpleNamespace(get=get)
    mirror = Mirror(tmp_path, f"http://{HOST}", "0" * 16)
    sharing.fetch_shared(mirror, hub, round_, "core")  # the hub has none for who has left
    assert asked == []
    with pytest.raises(InputError, match="another file"):
        sharing.fetch_shared(mirror, hub, round_, "acme")
    assert len(asked) == 1


def test_pages_without_an_entry_are_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = iter(f"{k:016x}" for k in range(1, 10))

    def get_json(_: str) -> Any:
        return {"collaborations": [], "next": next(pages)}

    monkeypatch.setattr(membership, "HubConnection", lambda *_: SimpleNamespace(get_json=get_json))
    known = KnownHub(f"http://{HOST}", "acme", "hub", {}, "")
    with pytest.raises(InputError, match="has no end"):
        membership._list_views(known, generate_keys())
    assert next(pages) == f"{2:016x}"


def list_due(hub: Hub, recipient: str, kind: str) -> list[int]:
    """Return in how many seconds somebody's notices of a kind are due."""
    with read_database(hub.engine) as connection:
        found = connection.execute(
            select(notice.c.due).where(notice.c.recipient == recipient, notice.c.kind == kind)
        ).scalars()
        return sorted(each - hub.now for each in found)


def test_a_notice_that_was_given_up_is_not_waited_for(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = house.open(tmp_path)
    notices = {"attempts": 2, "webhooks": {"chat": "http://127.0.0.1:1/"}}
    changed = {**hub.configuration.model_dump(), "notices": notices}
    told = replace(hub, configuration=check_configuration(changed, "test"))
    set_contact(told, "acme", webhook="chat")

    def ask() -> None:
        with write(hub.engine) as connection:
            write_notice(connection, table.id, "acme", "accept", hub.now)

    def refuse(*_: object) -> None:
        raise NotSentError("webhook: it answers 500")

    monkeypatch.setattr(sending, "deliver", refuse)
    ask()
    for pause in (61, 121, 3600):
        assert send_notices(told) == 0
        if pause == 61:
            ask()  # the first one is tried again
            assert len(list_due(hub, "acme", "accept")) == 1
        house.clock.seconds += pause
    ask()
    due = list_due(hub, "acme", "accept")
    assert len(due) == 2
    assert 0 < due[1] <= DAY
    ask()  # and that one waits
    assert len(list_due(hub, "acme", "accept")) == 2
    monkeypatch.setattr(sending, "deliver", lambda *_: None)
    house.clock.seconds += DAY
    assert send_notices(told) == 1


def name_keys(table: Table, name: str, keys: PrivateKeys) -> None:
    body = json.dumps(prove_keys(read(table, name), name, keys)).encode()
    sent = table.house.people[name].send("PUT", f"{table.path}/recovery", body)
    assert sent.status_code == 204, sent.text


def mark_sent(hub: Hub) -> None:
    with write(hub.engine) as connection:
        connection.execute(update(notice).values(sent=hub.now))


def test_who_names_junk_keys_puts_off_nobody_elses_notice(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path, more={"lost_key": "majority"})
    table.agree()
    name_keys(table, "bolt", generate_keys())
    mark_sent(hub)
    for _ in range(3):
        name_keys(table, "bolt", generate_keys())
    assert list_due(hub, "core", "vouch") == [0, DAY]
    house.clock.seconds += 60
    name_keys(table, "acme", generate_keys())
    assert list_due(hub, "core", "vouch") == [-60, 0, DAY - 60]
    for keys in (generate_keys(), generate_keys()):  # who rotates, and names keys again
        rotated = make_rotation(read(table, "acme"), "acme", house.people["acme"].keys, keys)
        assert table.post("acme", rotated.content).status_code == 201
        house.people["acme"].keys = keys
        name_keys(table, "acme", generate_keys())
    assert list_due(hub, "core", "vouch") == [-60, 0, DAY - 60]  # of acme one waits already


def test_whose_keys_were_replaced_before_is_vouched_for_as_soon_as_others(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path, more={"lost_key": "majority"})
    table.agree()
    fresh = generate_keys()
    rotated = make_rotation(read(table, "acme"), "acme", house.people["acme"].keys, fresh)
    assert table.post("acme", rotated.content).status_code == 201
    house.people["acme"].keys = fresh
    name_keys(table, "bolt", generate_keys())
    mark_sent(hub)
    name_keys(table, "bolt", generate_keys())
    house.clock.seconds += 60
    name_keys(table, "acme", generate_keys())
    assert list_due(hub, "core", "vouch") == [-60, 0, DAY - 60]


def test_a_member_hears_at_once_that_new_keys_are_named_for_it(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path, more={"lost_key": "majority"})
    table.agree()
    name_keys(table, "bolt", generate_keys())
    name_keys(table, "acme", generate_keys())
    assert [list_due(hub, name, "new-keys") for name in table.names] == [[0], [0], []]
    assert say({"new-keys"}, TURNS) == NEWS


def test_keys_that_another_member_has_taken_meanwhile_wait_no_more(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path, more={"lost_key": "majority"})
    table.agree()
    shared = generate_keys()
    name_keys(table, "acme", shared)
    name_keys(table, "core", generate_keys())
    rotated = make_rotation(read(table, "bolt"), "bolt", house.people["bolt"].keys, shared)
    assert table.post("bolt", rotated.content).status_code == 201
    waiting = Caller(house.people["core"]).get_json(f"{table.path}/recovery")["recoveries"]
    assert [each["name"] for each in waiting] == ["core"]


def test_one_members_bad_keys_keep_nobody_from_vouching_for_another(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = house.open(tmp_path, more={"lost_key": "majority"})
    table.agree()
    name_keys(table, "acme", generate_keys())
    bolt = house.people["bolt"]
    mirror, _ = follow(table, "bolt", tmp_path / "bolt", monkeypatch)
    round_, fresh = read(table, "bolt"), generate_keys()
    shown = Caller(bolt).get_json(f"{table.path}/recovery")["recoveries"]
    shown[0]["proof"] = "00" * 64
    shown.append({"name": "core", "fingerprint": "0" * 16, **prove_keys(round_, "core", fresh)})
    hostile = SimpleNamespace(get_json=lambda _: {"recoveries": shown})
    monkeypatch.setattr(recovering, "HubConnection", lambda *_: hostile)
    monkeypatch.setattr(recovering, "read_keys", lambda *_: bolt.keys)
    (found,) = recovering.list_recoveries(mirror, tmp_path)
    assert (found["name"], found["fingerprint"]) == ("core", fresh.public.fingerprint)
    assert recovering._find_recovery(mirror, round_, bolt.keys, "core") == found
    with pytest.raises(InputError, match="new keys of 'acme' that have not signed"):
        recovering._find_recovery(mirror, round_, bolt.keys, "acme")
