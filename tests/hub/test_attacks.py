"""What an attacker sends: floods, bombs, repeats, statements of other rounds and of tomorrow."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from houses import HOST, House, Person, Table

from aboveboard.evidence.commitments import commit_elements
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.seeds import commit_nonce
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.operations.checking import check_hub
from aboveboard.hub.organizations import invite
from aboveboard.hub.signatures import Target, sign_request


@pytest.mark.deep
def test_a_flood_of_invitations_that_are_guessed_is_slowed_and_members_are_served(
    hub: Hub, house: House
) -> None:
    thief = Person("thief", house.people["acme"].client, house.clock)
    statuses = []
    for k in range(130):
        body = json.dumps({"token": f"guess-{k:020}", **thief.keys.public.as_dict()}).encode()
        statuses.append(thief.send("POST", "/api/v1/invitations/accept", body).status_code)
    assert set(statuses) == {422, 429}
    assert statuses[-1] == 429
    assert house.people["acme"].send("GET", "/api/v1/me").status_code == 200


def test_a_member_that_floods_is_slowed_and_the_others_are_served(hub: Hub, house: House) -> None:
    from aboveboard.hub.api import create_application
    from aboveboard.hub.configuration import check_configuration

    table = hub.configuration.model_dump()
    table["limits"]["requests_per_minute"] = 20
    slow = replace(hub, configuration=check_configuration(table, "test"))
    from starlette.testclient import TestClient

    client = TestClient(create_application(slow, (HOST,)), raise_server_exceptions=False)
    for person in house.people.values():
        person.client = client
    statuses = [house.people["acme"].send("GET", "/api/v1/me").status_code for _ in range(25)]
    assert statuses.count(429) == 5
    refused = house.people["acme"].send("GET", "/api/v1/me")
    assert refused.headers["Retry-After"] == "60"
    assert house.people["bolt"].send("GET", "/api/v1/me").status_code == 200


def test_a_member_fills_neither_the_others_logs_nor_the_disk(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    from aboveboard.hub.configuration import check_configuration

    settings = hub.configuration.model_dump()
    settings["limits"] |= {"statements_per_round": 10, "uploads_per_round": 2, "upload_bytes": 5000}
    house.app.state.hub = replace(hub, configuration=check_configuration(settings, "test"))
    table = house.open(tmp_path)
    table.agree()
    table.commit()
    statuses = [table.upload("acme", b"%d" % k).status_code for k in range(7)]
    assert statuses == [201] * 5 + [409] * 2  # two, and one for each member
    large = [table.upload("bolt", bytes([k]) * 4999).status_code for k in range(5)]
    assert large == [201] * 4 + [409]
    table.submit("core")
    most = 10 + 2 * 3
    for k in range(2 * most):
        sealed = b"again"
        if not k:
            assert table.upload("core", sealed).status_code == 201
        answer = table.post("core", table.submission("core", sealed))
        if answer.status_code == 409:
            break
    log = house.people["acme"].send("GET", f"{table.path}/log?limit=1000").json()["entries"]
    by = [json.loads(entry)["by"] for entry in log]
    assert answer.status_code == 409
    assert by.count("core") == most
    assert table.view("bolt")["next"] == "submit"


def list_files(hub: Hub) -> set[str]:
    return set(hub.files.list_digests())


def test_uploads_at_once_leave_no_more_on_the_disk_than_one_after_the_other(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aboveboard.hub.collaborations import statements
    from aboveboard.hub.configuration import check_configuration

    settings = hub.configuration.model_dump()
    settings["limits"] |= {"uploads_per_round": 2}
    house.app.state.hub = replace(hub, configuration=check_configuration(settings, "test"))
    table = house.open(tmp_path)
    table.agree()
    table.commit()
    # All of them were let in before the first one had arrived.
    monkeypatch.setattr(statements, "refuse_upload", lambda *_: None)
    contents = [b"%d" % k for k in range(8)]
    statuses = [table.upload("acme", each).status_code for each in contents]
    assert statuses == [201] * 5 + [409] * 3
    assert list_files(hub) == {hashlib.sha256(each).hexdigest() for each in contents[:5]}
    stranger = Person("thief", house.people["acme"].client, house.clock)
    assert stranger.join(hub).status_code == 200
    house.people["thief"] = stranger
    assert table.upload("thief", contents[0]).status_code == 404  # named by acme: it stays
    assert len(list_files(hub)) == 5


@pytest.mark.deep
def test_an_upload_ends_once_others_have_filled_the_disk(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    from aboveboard.hub.api import uploads

    table = house.open(tmp_path)
    table.agree()
    table.commit()
    free = iter([1, 1, -1])
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: SimpleNamespace(free=next(free)))
    assert table.upload("acme", bytes(2 * uploads.BLOCK)).status_code == 507
    assert not list_files(hub)
    assert not list((hub.folder / "files" / "incoming").iterdir())


def test_what_a_killed_server_was_writing_is_removed_after_a_day(hub: Hub) -> None:
    import os

    from aboveboard.hub.collaborations.deadlines import DAY
    from aboveboard.hub.jobs.archiving import archive_ended

    place = hub.folder / "files" / "incoming"
    place.mkdir(parents=True)
    for name, age in (("old", DAY + 1), ("new", DAY - 1)):
        (place / name).write_bytes(b"half of it")
        os.utime(place / name, (hub.now - age,) * 2)
    archive_ended(hub)
    assert [path.name for path in place.iterdir()] == ["new"]


def test_a_page_of_a_log_has_no_more_bytes_than_a_server_has_memory_for(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aboveboard.hub.collaborations import logs

    table = house.open(tmp_path)
    table.agree()
    whole = house.people["acme"].send("GET", f"{table.path}/log").json()["entries"]
    monkeypatch.setattr(logs, "MOST_PAGE_BYTES", len(whole[0]) + len(whole[1]))
    got: list[str] = []
    sizes = []
    while len(got) < len(whole):
        path = f"{table.path}/log?start={len(got)}"
        page = house.people["acme"].send("GET", path).json()["entries"]
        sizes.append(len(page))
        got += page
    assert got == whole
    assert sizes[0] == 2
    monkeypatch.setattr(logs, "MOST_PAGE_BYTES", 1)
    first = house.people["acme"].send("GET", f"{table.path}/log").json()["entries"]
    assert first == whole[:1]


def test_who_submits_nonsense_again_and_again_keeps_the_worker_once(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aboveboard.hub.jobs import settling

    table = house.open(tmp_path)
    table.until_sealed()
    for k in range(3):
        sealed = b"nonsense %d" % k
        assert table.upload("acme", sealed).status_code == 201
        assert table.post("acme", table.submission("acme", sealed)).status_code == 201
    computed: list[object] = []
    real = settling.prepare_inputs

    def prepare(*given: Any) -> Any:
        computed.append(given)
        return real(*given)

    monkeypatch.setattr(settling, "prepare_inputs", prepare)
    worker, jobs = Worker(hub), 0
    while worker.work():
        jobs += 1
    assert (jobs, len(computed)) == (4, 1)
    assert table.view("acme")["fault"]
    table.submit("acme")
    assert worker.work()
    assert table.view("acme")["state"] == "result"


def test_a_recorded_request_that_is_repeated_changes_nothing(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    acme, content = house.people["acme"], table.sign("acme", "agree")
    path = f"{table.path}/statements"
    digest = hashlib.sha256(content).hexdigest()
    headers = sign_request(Target("POST", HOST, path), digest, acme.keys, int(house.clock()))
    answers = [
        acme.client.post(f"http://{HOST}{path}", content=content, headers=headers) for _ in range(3)
    ]
    assert [each.status_code for each in answers] == [201, 200, 200]
    assert table.view("acme")["size"] == 2
    other = acme.client.post(f"http://{HOST}{path}", content=content + b" ", headers=headers)
    assert other.status_code == 401  # the signature is of other bytes
    house.clock.seconds += 301
    late = acme.client.post(f"http://{HOST}{path}", content=content, headers=headers)
    assert late.status_code == 401


def test_statements_of_another_round_or_series_are_refused(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    from aboveboard.hub.collaborations.steps import state_own
    from aboveboard.hub.series.repeating import open_next

    first = house.open(tmp_path)
    agreed = first.sign("acme", "agree")
    assert first.post("acme", agreed).status_code == 201
    state_own(hub, first.id, "cancel", {"reason": "the next one"})
    identifier, round_ = open_next(hub, first.id)
    second = Table(house, identifier, round_.terms_digest, first.names)
    assert second.post("acme", agreed).status_code == 409
    assert second.view("acme")["size"] == 1


def until_sealed(table: Table, name: str, file: str, content: bytes) -> None:
    """Take a round to where it is settled, one member with a file of its own."""
    table.agree()
    key, nonce = bytes(32), bytes(range(32))
    for each in table.names:
        if each != name:
            assert table.post(each, table.commitment(each)).status_code == 201
    table.payloads[name] = Payload({"data": file}, {file: content}, key, nonce)
    committed = commit_elements([b"a.example"], key)
    statement = table.sign(
        name, "commit", root=committed.root.hex(), size=1, nonce=commit_nonce(nonce, name)
    )
    assert table.post(name, statement).status_code == 201
    table.submit()


def make_parquet_bomb() -> bytes:
    """Return a small Parquet file of many long equal texts."""
    import io

    import polars as pl

    target = io.BytesIO()
    frame = pl.select(pl.repeat("x" * 4000, 300_000).alias("domain"))
    frame.write_parquet(target, compression="zstd")
    return target.getvalue()


@pytest.mark.deep
@pytest.mark.child
@pytest.mark.parametrize("kind", ["gzip", pytest.param("parquet", marks=pytest.mark.slow)])
def test_a_bomb_is_named_to_its_member_and_harms_nobody(
    hub: Hub, house: House, tmp_path: Path, kind: str
) -> None:
    if hub.engine.dialect.name != "sqlite":
        pytest.skip("the database does not matter")
    block = gzip.compress(b"\0" * 2**24)
    file, content = {
        "gzip": ("list.txt.gz", block * 512),  # 8 GB in 8 MB
        "parquet": ("list.parquet", make_parquet_bomb() if kind == "parquet" else b""),
    }[kind]
    table = house.open(tmp_path)
    until_sealed(table, "acme", file, content)
    worker = Worker(hub)
    assert worker.work()
    fault = table.view("acme")["fault"]
    assert fault, "nobody is told"
    assert table.view("acme")["state"] == "sealed"
    assert table.view("bolt")["fault"] in (None, fault)
    assert check_hub(hub).faults == ()


@pytest.mark.deep
def test_a_payload_that_lies_about_its_files_is_named(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.agree()
    table.commit()
    for name in ("bolt", "core"):
        table.submit(name)
    for content in (
        b"no line", b"{}\n", b'{"files":[["../x",1]],"key":"","nonce":"","table":{}}\nx',
        b'{"files":[["a",999999999]],"key":"' + b"00" * 32 + b'","nonce":"' + b"00" * 32
        + b'","table":{}}\nx',
    ):  # fmt: skip
        from aboveboard.evidence.sealing import encode_context, seal_message

        context = encode_context(table.terms, "acme", "center", "submit")
        sealed = seal_message(content, hub.keys.center.public.sealing, context)
        assert table.upload("acme", sealed).status_code == 201
        assert table.post("acme", table.submission("acme", sealed)).status_code == 201
        assert Worker(hub).work()
        assert table.view("acme")["fault"]
        assert table.view("bolt")["fault"] is None
    table.submit("acme")
    assert Worker(hub).work()
    assert table.view("acme")["state"] == "result"


@pytest.mark.deep
def test_a_ciphertext_sealed_for_another_member_or_round_does_not_open(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    from aboveboard.evidence.sealing import encode_context, seal_message

    table, other = house.open(tmp_path), house.open(tmp_path)
    table.agree()
    table.commit()
    for name in ("bolt", "core"):
        table.submit(name)
    for terms, who in ((other.terms, "acme"), (table.terms, "bolt")):
        context = encode_context(terms, who, "center", "submit")
        content = table.payloads["acme"].encode()
        sealed = seal_message(content, hub.keys.center.public.sealing, context)
        table.upload("acme", sealed)
        assert table.post("acme", table.submission("acme", sealed)).status_code == 201
        assert Worker(hub).work()
        assert "cannot be opened" in table.view("acme")["fault"]


def test_a_disk_that_is_full_takes_no_upload_and_says_so(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    from aboveboard.hub.configuration import check_configuration

    table = house.open(tmp_path)
    table.agree()
    table.commit()
    settings = hub.configuration.model_dump()
    settings["limits"]["free_bytes"] = 2**62
    house.app.state.hub = replace(hub, configuration=check_configuration(settings, "test"))
    assert table.upload("acme", table.seal("acme")).status_code == 507
    assert not list((hub.folder / "files").rglob("*/[0-9a-f]*"))


def test_an_invitation_by_a_name_that_looks_like_anothers_is_refused(
    hub: Hub, house: House
) -> None:
    from aboveboard.errors import InputError

    for name in ("ACME", "Acme", "acme ", "acme\u200b", "\u0430cme"):
        with pytest.raises(InputError):
            invite(hub, name)
