"""Who may see what: every route, asked by everybody who should not get an answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from houses import HOST, LISTS, House, Person, Table

from aboveboard.evidence.keys import generate_keys
from aboveboard.hub.api import routes
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.organizations import invite
from aboveboard.hub.series.repeating import propose_change

OPEN_TO_ALL = {("GET", "/api/v1/hub"), ("GET", "/health"), ("GET", "/api/v1/openapi.json")}
"""Routes that tell a stranger nothing about anybody."""


def list_routes(house: House) -> list[tuple[str, str]]:
    """Return every method and path that the application answers."""
    schema = house.app.openapi()["paths"]
    found = [(method.upper(), path) for path, each in schema.items() for method in each]
    return [*found, ("GET", "/metrics"), ("GET", "/api/v1/openapi.json")]


@pytest.fixture
def settled(hub: Hub, house: House, tmp_path: Path) -> Table:
    table = house.open(tmp_path)
    table.until_sealed()
    Worker(hub).work()
    return table


def fill(path: str, table: Table, victim: str) -> str:
    """Return a path with the ids of a collaboration and of a victim's ciphertext in it."""
    log = table.house.people[victim].send("GET", f"{table.path}/log").json()["entries"]
    said = [json.loads(entry)["body"] | {"by": json.loads(entry)["by"]} for entry in log]
    sealed = next(x["sealed"] for x in said if x["kind"] == "submit" and x["by"] == victim)
    filled = path.replace("{identifier}", table.id).replace("{digest}", sealed)
    return re.sub(r"\{index\}", "0", filled)


def list_strangers(house: House) -> Iterator[Person]:
    """Yield somebody whose key nobody knows, and a member of other collaborations."""
    client, clock = house.people["acme"].client, house.clock
    yield Person("nobody", client, clock)
    other = Person("other", client, clock)
    other.join(house.hub)
    yield other


def test_the_list_of_routes_is_complete(house: House) -> None:
    paths = {path for _, path in list_routes(house)}
    assert {"/api/v1/collaborations/{identifier}/reply", "/health"} <= paths
    assert len(paths) >= 12


def test_no_route_answers_a_request_without_a_signature(settled: Table) -> None:
    house = settled.house
    client = house.people["acme"].client
    for method, path in list_routes(house):
        answer = client.request(method, f"http://{HOST}{fill(path, settled, 'acme')}")
        expected = {200} if (method, path) in OPEN_TO_ALL else {401, 404}
        assert answer.status_code in expected, (method, path, answer.status_code)


@pytest.mark.deep
def test_no_route_shows_a_collaboration_to_those_who_take_no_part(settled: Table) -> None:
    house = settled.house
    for stranger in list_strangers(house):
        for method, path in list_routes(house):
            if "{identifier}" not in path:
                continue
            filled = fill(path, settled, "acme")
            digest = filled.rpartition("/")[2] if "{digest}" in path else None
            answer = stranger.send(method, filled, digest=digest)
            assert answer.status_code in (401, 404, 422), (stranger.name, method, path)
            if answer.status_code != 401:
                assert "acme" not in answer.text
        listed = stranger.send("GET", "/api/v1/collaborations")
        assert listed.status_code == 401 or listed.json()["collaborations"] == []


def test_no_member_reads_anothers_ciphertext_or_reply(hub: Hub, settled: Table) -> None:
    house = settled.house
    replies = {}
    for name in LISTS:
        replies[name] = house.people[name].send("GET", f"{settled.path}/reply").content
        for victim in set(LISTS) - {name}:
            path = fill(f"{settled.path}/sealed/{{digest}}", settled, victim)
            assert house.people[name].send("GET", path).status_code == 404
        own = fill(f"{settled.path}/sealed/{{digest}}", settled, name)
        assert house.people[name].send("GET", own).status_code == 200
        stored = {hashlib.sha256(reply).hexdigest() for reply in replies.values()}
        assert len(stored) == len(replies)


@pytest.mark.deep
def test_every_file_is_shown_to_its_own_readers_alone(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    """All files of a round that has every kind, asked for on every route by everybody."""
    auditor, newcomer = (Person(n, house.people["acme"].client, house.clock) for n in ("j", "new"))
    for person in (auditor, newcomer):
        assert person.join(hub).status_code == 200
        house.people[person.name] = person
    table = house.open(tmp_path, list(LISTS), auditor="j", more={"counts": "members"})
    table.until_sealed()
    names = sorted(LISTS)
    owner: dict[str, str] = {}
    tokens = set()
    for step in range(len(names)):
        for k, name in enumerate(names):
            blinder, content = names[(k + step) % len(names)], f"{name} {step}".encode()
            digest = hashlib.sha256(content).hexdigest()
            assert table.upload(blinder, content).status_code == 201
            said = table.say(blinder, "tokens", owner=name, step=step, sha256=digest)
            assert said.status_code == 201, said.text
            owner[digest] = blinder
            tokens.add(digest)
    change = propose_change(hub, table.id, {"members": [*names, "new"]}).digest
    for name in names:
        assert table.say(name, "change", change=change).status_code == 201
    log = house.people["acme"].send("GET", f"{table.path}/log?limit=1000").json()["entries"]
    said = [json.loads(entry) for entry in log]
    owner |= {x["body"]["sealed"]: x["by"] for x in said if x["body"]["kind"] == "submit"}
    files = sorted(path.name for path in (hub.folder / "files").glob("??/*"))
    assert set(files) == set(owner)
    for person in [*house.people.values(), *list_strangers(house)]:
        for digest in files:
            for route in ("sealed", "shared"):
                status = person.send("GET", f"{table.path}/{route}/{digest}").status_code
                member = person.name in names
                due = owner[digest] == person.name if route == "sealed" else digest in tokens
                expected = {200} if member and due else {404, 401}
                assert status in expected, (person.name, route, digest)


def test_a_request_is_good_for_its_own_path_host_body_and_time_only(house: House) -> None:
    acme = house.people["acme"]
    recorded: dict[str, str] = {}

    def send(path: str, *, host: str = HOST, method: str = "GET", content: bytes = b"") -> int:
        answer = acme.client.request(
            method, f"http://{HOST}{path}", headers={**recorded, "Host": host}, content=content
        )
        return int(answer.status_code)

    from aboveboard.hub.signatures import Target, sign_request

    target = Target("GET", HOST, "/api/v1/me")
    empty = hashlib.sha256(b"").hexdigest()
    recorded |= sign_request(target, empty, acme.keys, int(house.clock()))
    assert send("/api/v1/me") == 200
    assert send("/api/v1/collaborations") == 401
    assert send("/api/v1/me?x=1") == 401
    assert send("/api/v1/me", host="other.example") == 421
    house.clock.seconds += 301
    assert send("/api/v1/me") == 401


def test_an_invitation_works_once_and_for_one_set_of_keys(hub: Hub, house: House) -> None:
    client, clock = house.people["acme"].client, house.clock
    token = invite(hub, "new").link.partition("#")[2].partition(".")[0]
    first, second = (Person("new", client, clock) for _ in range(2))

    def accept(person: Person) -> int:
        body = json.dumps({"token": token, **person.keys.public.as_dict()}).encode()
        return int(person.send("POST", "/api/v1/invitations/accept", body).status_code)

    assert accept(first) == 200
    assert accept(first) == 200  # the same registration, sent twice
    assert accept(second) == 422
    assert second.send("GET", "/api/v1/me").status_code == 401


def test_keys_are_registered_by_whoever_holds_them_only(hub: Hub, house: House) -> None:
    client, clock = house.people["acme"].client, house.clock
    thief = Person("new", client, clock)
    token = invite(hub, "new").link.partition("#")[2].partition(".")[0]
    stolen = generate_keys().public.as_dict()
    body = json.dumps({"token": token, **stolen}).encode()
    assert thief.send("POST", "/api/v1/invitations/accept", body).status_code == 401


@pytest.mark.deep
def test_guessing_without_a_key_is_slowed_down(house: House) -> None:
    client = house.people["acme"].client
    statuses = [client.get(f"http://{HOST}/api/v1/me").status_code for _ in range(130)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert house.people["acme"].send("GET", "/api/v1/me").status_code == 200


def test_a_name_that_is_a_script_is_refused(hub: Hub) -> None:
    from aboveboard.errors import InputError

    for name in ("<script>alert(1)</script>", "../acme", "a\nb", "center", "Auditor"):
        with pytest.raises(InputError):
            invite(hub, name)


def test_metrics_need_the_token_of_the_configuration(hub: Hub, house: House) -> None:
    client = house.people["acme"].client
    address = f"http://{HOST}/metrics"
    assert client.get(address).status_code == 404
    token = hub.configuration.metrics_token
    assert len(token) > 20
    answer = client.get(address, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert "aboveboard_organizations 3" in answer.text


def test_a_defect_is_told_without_what_is_inside(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aboveboard.hub.api import routes

    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(routes.membership, "list_own", fail)
    answer = house.people["acme"].send("GET", "/api/v1/collaborations")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_a_file_that_is_deleted_while_it_is_sent_arrives_whole(
    hub: Hub, settled: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = settled.house.people["acme"].send("GET", f"{settled.path}/reply").content
    send = routes.send_file

    def delete_then(hub: Hub, digest: str) -> Any:
        response = send(hub, digest)
        hub.files.locate(digest).unlink()
        return response

    monkeypatch.setattr(routes, "send_file", delete_then)
    answer = settled.house.people["acme"].send("GET", f"{settled.path}/reply")
    assert (answer.status_code, answer.content) == (200, whole)
    assert answer.headers["content-length"] == str(len(whole))
    gone = settled.house.people["acme"].send("GET", f"{settled.path}/reply")
    assert (gone.status_code, gone.json()["problem"]) == (422, "the hub no longer has it")
