"""What stands of a log: it is what the log tells, however a round went and whoever changed it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from houses import LISTS, House, Table
from sqlalchemy import select, update

from aboveboard.evidence.keys import PublicKeys, generate_keys
from aboveboard.evidence.round_states import State
from aboveboard.evidence.rounds import Round, begin_round
from aboveboard.evidence.statements import Statement
from aboveboard.evidence.trees import compute_root, hash_leaf
from aboveboard.hub.collaborations import standing as standing_rounds
from aboveboard.hub.collaborations.logs import lock, read_entries, read_round
from aboveboard.hub.collaborations.standing import (
    Place,
    StoredLeaves,
    StoredLog,
    StoredRound,
    describe_round,
    encode_standing,
    restore_round,
)
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import collaboration, log_entry
from aboveboard.hub.home import Hub, upgrade_hub
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.operations.checking import check_hub
from aboveboard.hub.series.repeating import propose_change

APART = {"terms", "terms_digest", "leaves"}
"""Fields of a round that are read from the log or the collaboration's row."""


def read_stored(hub: Hub, table: Table) -> str:
    with read(hub.engine) as connection:
        asked = select(collaboration.c.standing).where(collaboration.c.id == table.id)
        return str(connection.execute(asked).scalar_one())


def write_stored(hub: Hub, table: Table, text: str | None) -> None:
    with write(hub.engine) as connection:
        where = collaboration.c.id == table.id
        connection.execute(update(collaboration).where(where).values(standing=text))


def find_round(hub: Hub, table: Table) -> tuple[bool, State]:
    """Return whether what stands was believed, and the state of the round."""
    with read(hub.engine) as connection:
        row = connection.execute(select(collaboration).where(collaboration.c.id == table.id)).one()
        believed = restore_round(StoredLog(connection, row.id), row) is not None
        return believed, read_round(connection, row).state


def test_every_field_of_a_round_is_written_and_read_back(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.agree()
    with read(hub.engine) as connection:
        row = connection.execute(select(collaboration)).one()
        log = StoredLog(connection, table.id)
        entries = read_entries(connection, table.id, 0, 9)
        said = [standing_rounds.read_taken(each) for each in entries]
        first = begin_round(entries[0], "log")
        keys = PublicKeys(**generate_keys().public.as_dict())
        whole: dict[str, Any] = {
            "said": {("terms", "center"): said[0], ("agree", "acme"): said[1]},
            "missing": frozenset({"bolt", "core"}),
            "committed_at": 3,
            "cancelled": "a reason",
            "rotated": {"acme": (keys, keys)},
            "tokens": {"acme": ("ab", "cd"), "bolt": ()},
            "first_terms": "ab" * 32,
            "declined": "another",
            "log_keys": ((0, "x"), (3, "y")),
            "vouches": {("acme", "s", "e"): frozenset({"bolt", "center"})},
            "vouched": {"core": frozenset({"bolt"})},
            "pending": said[0],
            "consents": frozenset({"acme"}),
            "asked": (said[0], said[0]),
            "answers": {(1, "acme"): said[1], (1, "core"): said[3]},
            "unanswered": frozenset({(0, "bolt")}),
            "silent": frozenset({"acme"}),
            "archived": True,
        }
        assert {each.name for each in fields(Round)} == set(whole) | APART
        given = Round(first.terms, first.terms_digest, first.leaves, **whole)
        root = compute_root(list(map(hash_leaf, entries)))
        stands = json.loads(encode_standing(describe_round(given, root, log.find_place)))
        assert set(stands) == {"size", "root", "names", "mechanism", *whole}
        leaves = StoredLeaves(log, 4, tuple(standing_rounds.split_frontier(row.frontier)))
        found = standing_rounds._restore(stands, log, row.terms, leaves)
        for name, due in whole.items():
            assert plain(getattr(found, name)) == plain(due), name
        assert (found.names, found.mechanism) == (first.terms.names, first.terms.mechanism)
        assert "terms" not in vars(found)  # nobody has asked for them yet
        assert (found.terms, found.terms_digest) == (first.terms, first.terms_digest)
        assert describe_round(found, root, log.find_place) == stands | {"size": 4}


def plain(value: Any) -> Any:
    """Return a field of a round with each statement as its bytes."""
    if isinstance(value, Statement):
        return (value.content, value.body, value.by, value.signature, value.kind, value.digest)
    if isinstance(value, dict):
        return [(key, plain(each)) for key, each in value.items()]
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


def test_roots_of_a_stored_log_are_those_of_its_entries(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.until_sealed()
    with read(hub.engine) as connection:
        row = connection.execute(select(collaboration)).one()
        hashes = [hash_leaf(each) for each in read_entries(connection, table.id, 0, row.size)]
        leaves = read_round(connection, row).leaves
        assert isinstance(leaves, StoredLeaves)
        for more in (b"x" * 32, b"y" * 32, b"z" * 32):
            hashes.append(more)
            leaves = leaves.add(more)
        assert len(leaves) == len(hashes) == row.size + 3
        for size in range(1, len(hashes) + 1):
            assert leaves.root_at(size) == compute_root(hashes[:size])


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["said"].append(["accept", "acme", 1, 1]),
        lambda data: data["said"].pop(),
        lambda data: data["said"][1].__setitem__(3, 7),
        lambda data: data.update(cancelled="nobody"),
        lambda data: data["names"].pop(),
        lambda data: data.update(mechanism="exchange.interval"),
        lambda data: data.clear(),
    ],
)
def test_a_changed_state_is_found_by_a_check(
    change: Callable[[Any], object], hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.agree()
    assert check_hub(hub).faults == ()
    stands = json.loads(read_stored(hub, table))
    change(stands)
    write_stored(hub, table, json.dumps(stands))
    found = check_hub(hub).faults
    assert found == (
        f"collaboration {table.id}: what the database says to stand is not of the log",
    )


def test_an_older_state_is_passed_over_and_written_anew_with_the_next_statement(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    assert table.say("acme", "agree").status_code == 201
    old = read_stored(hub, table)
    for name in ("bolt", "core"):
        assert table.say(name, "agree").status_code == 201
    write_stored(hub, table, old)
    assert find_round(hub, table) == (False, State.COMMITTING)
    write_stored(hub, table, json.dumps(json.loads(old) | {"size": 4}))  # as long, of another log
    assert find_round(hub, table) == (False, State.COMMITTING)
    assert len(check_hub(hub).faults) == 1
    assert table.say("acme", "agree").status_code == 200
    assert table.say("bolt", "agree").status_code == 200
    assert table.post("acme", table.commitment("acme")).status_code == 201
    assert find_round(hub, table) == (True, State.COMMITTING)
    assert check_hub(hub).faults == ()


@pytest.mark.parametrize("content", [None, "", "no JSON", "[]", "{}", "null", "said"])
def test_a_damaged_state_is_passed_over(
    content: str | None, hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.agree()
    if content == "said":
        content = json.dumps(json.loads(read_stored(hub, table)) | {"said": [[1]]})
    write_stored(hub, table, content)
    assert find_round(hub, table) == (False, State.COMMITTING)
    assert len(check_hub(hub).faults) == 1
    assert table.post("acme", table.commitment("acme")).status_code == 201
    assert find_round(hub, table) == (True, State.COMMITTING)
    assert check_hub(hub).faults == ()


@pytest.mark.deep
def test_an_upgrade_writes_what_stands_and_a_damaged_log_keeps_no_other_from_it(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    tables = [house.open(tmp_path) for _ in range(3)]
    for table in tables:
        table.until_sealed()
    Worker(hub).work()
    with write(hub.engine) as connection:
        connection.execute(update(collaboration).values(standing=None))
        where = (log_entry.c.collaboration == tables[1].id, log_entry.c.index == 2)
        connection.execute(update(log_entry).where(*where).values(content=b"{}"))
    upgrade_hub(hub.folder)
    assert find_round(hub, tables[0]) == (True, State.RESULT)
    assert find_round(hub, tables[2]) == (True, State.SEALED)
    faults = check_hub(hub).faults
    assert faults
    assert all(fault.startswith(f"collaboration {tables[1].id}: ") for fault in faults)


def test_a_round_whose_terms_are_not_in_its_log_is_not_shown(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    with write(hub.engine) as connection:
        connection.execute(update(log_entry).values(content=b'{"body": {}}'))
        row = lock(connection, table.id)
        found = restore_round(StoredLog(connection, row.id), row)
        assert found is not None
        with pytest.raises(Exception, match="its terms are not in its log"):
            assert found.terms
    assert table.say("acme", "agree").status_code == 422
    assert house.people["acme"].send("GET", f"{table.path}/log").status_code == 200


def test_statements_under_changed_terms_follow_from_what_stands(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    """The terms in force are the first change; a second one waits."""
    table = house.open(tmp_path)
    table.agree()
    change = propose_change(hub, table.id, {"missing": "continue"}).digest
    for name in LISTS:
        assert table.say(name, "change", change=change).status_code == 201
    table.terms = change
    propose_change(hub, table.id, {"lost_key": "all"})
    with read(hub.engine) as connection:
        row = connection.execute(select(collaboration)).one()
        found = read_round(connection, row)
        assert isinstance(found, StoredRound)
        assert (found.terms_digest, found.terms.missing) == (change, "continue")
        assert found.said["terms", "center"].digest == change
    table.commit()
    assert check_hub(hub).faults == ()


KILLED = """
import os, signal, sys
from pathlib import Path
from aboveboard.hub.collaborations import logs
from aboveboard.hub.collaborations.statements import take_statement
from aboveboard.hub.database.engine import read
from aboveboard.hub.home import open_hub
from aboveboard.hub.organizations import find_keys
folder, identifier, name, content = sys.argv[1:]
hub = open_hub(Path(folder))
with read(hub.engine) as connection:
    owner, _ = find_keys(connection, name)
logs.encode_standing = lambda _: os.kill(os.getpid(), signal.SIGKILL)
take_statement(hub, owner, identifier, Path(content).read_bytes())
"""
"""Takes a statement, and is killed after it is written and before what stands is."""


def test_a_hub_that_is_killed_between_a_statement_and_what_stands_has_neither(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    before = read_stored(hub, table)
    content = tmp_path / "statement.json"
    content.write_bytes(table.sign("acme", "agree"))
    command = [sys.executable, "-c", KILLED, str(hub.folder), table.id, "acme", str(content)]
    done = subprocess.run(command, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert read_stored(hub, table) == before
    assert check_hub(hub).faults == ()
    assert table.post("acme", content.read_bytes()).status_code == 201
    assert json.loads(read_stored(hub, table))["size"] == 2
    assert check_hub(hub).faults == ()


def test_places_are_those_of_the_log(hub: Hub, house: House, tmp_path: Path) -> None:
    table = house.open(tmp_path)
    house.clock.seconds += 60
    table.agree()
    with read(hub.engine) as connection:
        rows = connection.execute(select(log_entry).order_by(log_entry.c.index)).all()
        round_ = read_round(connection, connection.execute(select(collaboration)).one())
        found: dict[tuple[str, str], Place] = {
            key: each.place for key, each in round_.said.items() if hasattr(each, "place")
        }
    assert found == {(row.kind, row.signer): (row.index, row.created) for row in rows}
    assert {created for _, created in found.values()} == {rows[0].created, rows[0].created + 60}
