"""What members see of each other: cosigned checkpoints, two logs, old backups, tokens."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from houses import LISTS, House, Table
from test_members import Town, town

from aboveboard.commands import rounds
from aboveboard.commands.rounds.changes import consent
from aboveboard.commands.rounds.counting import take_counting_step
from aboveboard.errors import InputError
from aboveboard.evidence.keys import generate_keys
from aboveboard.evidence.notes import cosign_note, name_key, read_note, sign_note
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.home import Hub, open_hub
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.members import agree, list_standings, preview, push
from aboveboard.hub.operations.backup import back_up, restore
from aboveboard.hub.operations.checking import check_hub
from aboveboard.hub.series.repeating import propose_change
from aboveboard.hub.serving import bind, make_server

__all__ = ["town"]


def cosign(table: Table, name: str, note: str | None = None) -> int:
    """Cosign the hub's checkpoint, or another note, and hand it in."""
    person = table.house.people[name]
    text = note or person.send("GET", f"{table.path}/log").json()["checkpoint"]
    content = cosign_note(
        read_note(text.encode(), "note"), name_key(name), person.keys, 1_800_000_000
    ).content
    return int(person.send("PUT", f"{table.path}/cosignatures", content).status_code)


def test_a_cosigned_checkpoint_reaches_the_others(hub: Hub, house: House, tmp_path: Path) -> None:
    table = house.open(tmp_path)
    assert cosign(table, "acme") == 200
    notes = house.people["bolt"].send("GET", f"{table.path}/cosignatures").json()["notes"]
    assert list(notes) == ["acme"]
    old = house.people["acme"].send("GET", f"{table.path}/log").json()["checkpoint"]
    table.agree()
    assert cosign(table, "acme") == 200
    assert cosign(table, "acme", old) == 200  # an older one does not take its place
    notes = house.people["bolt"].send("GET", f"{table.path}/cosignatures").json()["notes"]
    assert notes["acme"].split("\n")[1] == "4"


def test_a_hub_keeps_no_cosignature_of_another_log_or_signer(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    page = house.people["acme"].send("GET", f"{table.path}/log").json()["checkpoint"]
    origin, size, root, *_ = page.split("\n")
    for other in (f"{origin}\n9\n{root}\n", f"{origin}\n{size}\n{'A' * 43}=\n"):
        forged = sign_note(other, origin, hub.keys.log).content.decode()
        assert cosign(table, "acme", forged) == 409
    bolt = house.people["bolt"]
    note = cosign_note(read_note(page.encode(), "x"), name_key("acme"), bolt.keys, 1)
    assert bolt.send("PUT", f"{table.path}/cosignatures", note.content).status_code == 422
    stranger = cosign_note(read_note(page.encode(), "x"), name_key("bolt"), generate_keys(), 1)
    assert bolt.send("PUT", f"{table.path}/cosignatures", stranger.content).status_code == 422
    assert bolt.send("PUT", f"{table.path}/cosignatures", b"x" * 70_000).status_code == 413


def test_two_logs_shown_to_two_members_come_to_light(town: Town) -> None:
    from aboveboard.evidence.log import Log
    from aboveboard.hub.database.engine import write
    from aboveboard.hub.database.tables import cosignature

    town.join()
    identifier = town.open()
    agree(identifier, town.home("acme"))
    agree(identifier, town.home("bolt"))
    member, _ = town.follow("bolt")
    entries = (member.folder / "log.jsonl").read_bytes().split(b"\n")[:-1]
    terms = json.loads(entries[0])["body"]["log"]
    other = Log(terms["origin"], (*entries[:2], entries[0]))  # what acme was shown
    note = other.sign_checkpoint(town.hub.keys.log)
    acme, _ = town.follow("acme")
    cosigned = cosign_note(note, name_key("acme"), acme.keys, 1).content.decode()
    with write(town.hub.engine) as connection:
        connection.execute(
            cosignature.update().where(cosignature.c.name == "acme").values(size=3, note=cosigned)
        )
    with pytest.raises(InputError, match="acme has seen another log of 3 entries"):
        town.follow("bolt")


@contextmanager
def served_again(town: Town, backup: Path, folder: Path) -> Iterator[Hub]:
    """Serve what a backup holds where the town's hub was."""
    port = int(town.server.address.rpartition(":")[2])
    town.server.close()
    restore(backup, folder)
    again, started = open_hub(folder), threading.Event()
    assert check_hub(again).faults == ()  # the hub itself cannot know
    bound = bind("127.0.0.1", port)
    server = make_server(again, bound, lambda _: started.set())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    assert started.wait(20)
    try:
        yield again
    finally:
        server.should_exit = True
        thread.join(10)
        bound.close()
        again.close()


def read_fault(town: Town, name: str) -> str:
    """Return what `status` says is wrong with a member's only round."""
    (standing,) = list_standings(town.home(name))
    return standing.view["fault"] or ""


@pytest.mark.deep
def test_members_notice_a_hub_that_was_restored_from_an_old_backup(
    town: Town, tmp_path: Path
) -> None:
    town.join()
    identifier = town.open()
    back_up(town.hub, tmp_path / "backup")
    agree(identifier, town.home("acme"))
    town.follow("acme")
    assert read_fault(town, "acme") == ""
    with served_again(town, tmp_path / "backup", tmp_path / "again"):
        with pytest.raises(InputError, match="not the one that it showed you before"):
            town.follow("acme")
        said = read_fault(town, "acme")
        assert "shows 1 statement of this round, and you have seen 2: it may be an old" in said
        assert read_fault(town, "bolt") == ""  # it has seen nothing yet
        # Others go on: the log is as long as the one that was seen, then longer, and another one.
        for name in ("bolt", "core"):
            agree(identifier, town.home(name))
            assert "is not the one that it showed you before" in read_fault(town, "acme")
            assert read_fault(town, name) == ""


def test_status_looks_at_what_the_hub_adds_to_a_log_that_was_seen(town: Town) -> None:
    town.join()
    identifier = town.open()
    agree(identifier, town.home("acme"))
    agree(identifier, town.home("bolt"))
    assert read_fault(town, "acme") == ""  # the longer log has what it has seen
    before = (town.follow("acme")[0].folder / "log.jsonl").read_bytes()
    agree(identifier, town.home("core"))
    assert read_fault(town, "acme") == ""
    folder = next((town.home("acme") / "hubs").glob(f"*/{identifier}"))
    assert (folder / "log.jsonl").read_bytes() == before  # it has looked, and kept nothing


@pytest.mark.deep
def test_members_notice_a_round_of_which_the_hub_says_nothing_more(
    town: Town, tmp_path: Path
) -> None:
    town.join()
    back_up(town.hub, tmp_path / "backup")
    identifier = town.open()
    agree(identifier, town.home("acme"))
    with served_again(town, tmp_path / "backup", tmp_path / "again"):
        (standing,) = list_standings(town.home("acme"))
        assert (standing.view["id"], standing.view["state"]) == (identifier, "offered")
        assert "the hub shows this round to you no more" in standing.view["fault"]
        assert list_standings(town.home("bolt")) == []  # it has seen nothing yet


def test_whom_another_change_leaves_out_reads_that_it_may_be_so(town: Town) -> None:
    town.join()
    file = town.folder / "two.toml"
    file.write_text('mechanism = "exchange.union"\n[parties.acme]\n[parties.bolt]\n')
    identifier, _ = open_collaboration(town.hub, file)
    for name in ("acme", "bolt"):
        agree(identifier, town.home(name))
    change = propose_change(town.hub, identifier, {"members": list(LISTS)}).digest
    for name in ("acme", "bolt"):
        member, mirror = town.follow(name, identifier)
        push(mirror, consent(member, change), member.keys)
    preview(identifier, town.home("core"))
    assert read_fault(town, "core") == ""
    propose_change(town.hub, identifier, {"missing": "continue"})
    assert "another change of the terms may have left you out" in read_fault(town, "core")


def test_who_saw_less_notices_by_what_another_has_cosigned(town: Town) -> None:
    from aboveboard.hub.database.engine import write
    from aboveboard.hub.database.tables import cosignature

    town.join()
    identifier = town.open()
    agree(identifier, town.home("acme"))
    agree(identifier, town.home("bolt"))
    with write(town.hub.engine) as connection:
        row = connection.execute(cosignature.select()).first()
        assert row is not None
    member, _ = town.follow("acme")
    origin, _, root = (member.folder / "checkpoint.note").read_text().split("\n")[:3]
    longer = sign_note(f"{origin}\n9\n{root}\n", origin, town.hub.keys.log)
    cosigned = cosign_note(longer, name_key("acme"), member.keys, 1).content.decode()
    with write(town.hub.engine) as connection:
        connection.execute(
            cosignature.update().where(cosignature.c.name == "acme").values(note=cosigned)
        )
    with pytest.raises(InputError, match="acme has seen a log of 9 entries"):
        town.follow("bolt")


@pytest.mark.deep
def test_members_count_their_regions_by_tokens_over_the_hub(town: Town) -> None:
    pytest.importorskip("nacl")
    town.join()
    file = town.folder / "lists.toml"
    head = 'name = "lists"\nmechanism = "exchange.union"\nkind = "domain"\n'
    file.write_text(head + "".join(f"[parties.{name}]\n" for name in LISTS))
    identifier, _ = open_collaboration(town.hub, file, more={"counts": "members"})
    for name in LISTS:
        agree(identifier, town.home(name))
    town.commit()
    town.submit()
    assert not Worker(town.hub).work()  # it waits for the members' counts
    for _ in range(len(LISTS) + 1):
        for name in LISTS:
            member, mirror = town.follow(name)
            for statement in take_counting_step(member).statements:
                push(mirror, statement, member.keys)
    assert Worker(town.hub).work()
    for name in LISTS:
        member, _ = town.follow(name)
        rounds.fetch(member, town.home(name) / "result")
        found = rounds.verify(town.home(name) / "result", town.home(name) / "list.txt", member)
        assert found.exit_status == 0, str(found)
        assert any("count" in each for each in found.verified)


def test_tokens_are_for_members_alone(hub: Hub, house: House, tmp_path: Path) -> None:
    table = house.open(tmp_path, ["acme", "bolt"], more={"counts": "members"})
    table.agree()
    table.commit()
    tokens = b"t" * 32 * 12
    import hashlib

    digest = hashlib.sha256(tokens).hexdigest()
    assert table.upload("acme", tokens).status_code == 201
    path = f"{table.path}/shared/{digest}"
    assert house.people["bolt"].send("GET", path).status_code == 404  # nobody has named them yet
    assert table.say("acme", "tokens", owner="acme", step=0, sha256=digest).status_code == 201
    assert house.people["bolt"].send("GET", path).content == tokens
    assert house.people["core"].send("GET", path).status_code == 404


@pytest.mark.deep
def test_the_bundle_over_the_hub_names_who_has_cosigned(town: Town) -> None:
    town.join()
    identifier = town.open()
    for name in LISTS:
        agree(identifier, town.home(name))
    town.commit()
    town.submit()
    assert Worker(town.hub).work()
    member, _ = town.follow("acme")
    rounds.fetch(member, town.home("acme") / "result")
    found = rounds.verify(town.home("acme") / "result", town.home("acme") / "list.txt", member)
    assert any(each.startswith("this log was cosigned by acme") for each in found.verified)
