"""Members, worker and clock in any order: nothing is settled twice, nothing is lost.

A state machine under hypothesis drives one hub: statements on time, late, repeated, out of order
and of another collaboration; members that leave; workers that die while they work.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from houses import LISTS, House, Table
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from aboveboard.errors import InputError
from aboveboard.evidence.member_statements import make_commitment
from aboveboard.evidence.own_part import list_elements
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.round_turns import list_turns
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.hub.collaborations.logs import fold_round
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.collaborations.standing import StoredLog, describe_round, restore_round
from aboveboard.hub.database.engine import read
from aboveboard.hub.database.tables import collaboration, log_entry
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.archiving import archive_ended
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.money.ledger import list_transfers
from aboveboard.hub.operations.checking import check_hub
from aboveboard.hub.series.repeating import propose_change

NAMES = st.sampled_from(sorted(LISTS))
DEADLINE = "2027-01-15T09:00:00+00:00"
DEADLINES = {"agree": DEADLINE, "commit": DEADLINE}
MARKET = (
    'name = "slots"\nmechanism = "market.propose_and_agree"\nproposer = "acme"\nbits = 3\n'
    'currency = "EUR"\n[parties.acme]\n[parties.bolt]\n[parties.core]\n'
)
PARTS: dict[str, dict[str, Any]] = {
    "acme": {
        "endowment": ["x"],
        "values": [{"goods": ["x"], "value": 1}, {"goods": ["x", "y"], "value": 3}],
    },
    "bolt": {"endowment": ["y"], "values": [{"goods": ["y"], "value": 1}]},
    "core": {"values": [{"goods": ["x"], "value": 1}]},
}


class Killed(BaseException):
    """What a worker dies of."""


def die(*_: object) -> None:
    raise Killed


class AnyOrder(RuleBasedStateMachine):
    """One collaboration, from its terms to wherever it comes."""

    house: ClassVar[House]
    folder: ClassVar[Path]
    reached: ClassVar[set[str]]
    paid: ClassVar[list[bool]]

    def __init__(self) -> None:
        super().__init__()
        self.house.clock.seconds = 1_800_000_000.0
        self.table: Table = self.open(
            missing="continue", deadlines=DEADLINES, more={"keep_days": 0}
        )
        self.other: Table = self.house.open(self.folder)
        self.said: list[tuple[str, bytes]] = []
        self.sealed: dict[str, bytes] = {}

    def open(self, **options: Any) -> Table:
        return self.house.open(self.folder, **options)

    def commitment(self, name: str) -> bytes:
        return self.table.commitment(name)

    def post(self, name: str, content: bytes) -> int:
        answer = self.table.post(name, content)
        assert answer.status_code in (200, 201, 409), answer.text
        if answer.status_code == 201:
            self.said.append((name, content))
        return int(answer.status_code)

    @property
    def state(self) -> str:
        return str(self.table.view("acme")["state"])

    @rule(name=NAMES)
    def agree(self, name: str) -> None:
        self.agree_as(name)

    @rule(name=NAMES)
    def commit(self, name: str) -> None:
        self.post(name, self.commitment(name))

    @precondition(lambda self: self.table.payloads)
    @rule(data=st.data())
    def submit(self, data: Any) -> None:
        self.submit_as(data.draw(st.sampled_from(sorted(self.table.payloads))))

    @rule()
    def all_go_on(self) -> None:
        """Take the round a step further, so that late states are reached, too."""
        view = self.table.view("acme")
        for name in view["awaited"]:
            if view["state"] == "offered":
                self.agree_as(name)
            elif view["state"] == "committing":
                self.post(name, self.commitment(name))
            elif view["state"] == "submitting":
                self.submit_as(name)

    def agree_as(self, name: str) -> None:
        self.post(name, self.table.sign(name, "agree"))

    def submit_as(self, name: str) -> None:
        sealed = self.sealed.setdefault(name, self.table.seal(name))
        assert self.table.upload(name, sealed).status_code in (200, 201, 409)
        self.post(name, self.table.submission(name, sealed))

    @rule()
    def propose(self) -> None:
        """Let the center propose the other rule for who is missing."""
        terms = self.round.terms
        other = "cancel" if terms.missing == "continue" else "continue"
        with contextlib.suppress(InputError):
            propose_change(self.house.hub, self.table.id, {"missing": other})

    @rule(name=NAMES)
    def sign_change(self, name: str) -> None:
        pending = self.round.pending
        digest = pending.digest if pending else "ab" * 32
        self.post(name, self.table.sign(name, "change", change=digest))
        self.table.terms = self.round.terms_digest  # others sign under the new terms from here on

    @property
    def round(self) -> Round:
        log = self.house.people["acme"].send("GET", f"{self.table.path}/log?limit=1000").json()
        return replay_log([x.encode() for x in log["entries"]], "log")

    @rule(name=NAMES)
    def dispute(self, name: str) -> None:
        result = self.round.find("result")
        digest = result.digest if result else "ab" * 32
        self.post(name, self.table.sign(name, "dispute", result=digest, reason="short"))

    @rule()
    def archive(self) -> None:
        self.house.clock.seconds += 1
        archive_ended(self.house.hub)

    @rule(name=NAMES)
    def answer(self, name: str) -> None:
        result = self.round.find("result")
        digest = result.digest if result else "ab" * 32
        self.post(name, self.table.sign(name, "accept", result=digest))

    @rule(name=st.just("core"))
    def leave(self, name: str) -> None:
        self.post(name, self.table.sign(name, "leave"))

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def repeat(self, data: Any) -> None:
        name, content = data.draw(st.sampled_from(self.said))
        kind = json.loads(content)["body"]["kind"]
        allowed = {200, 409} if kind in ("accept", "dispute") else {200}
        assert self.table.post(name, content).status_code in allowed

    @rule(name=NAMES)
    def send_to_the_wrong_round(self, name: str) -> None:
        assert self.table.post(name, self.other.sign(name, "agree")).status_code == 409

    @rule()
    def work(self) -> None:
        Worker(self.house.hub).work()

    @rule()
    def die_at_work(self) -> None:
        try:
            Worker(self.house.hub, tamper=die).work()
        except Killed:
            self.house.clock.seconds += 61

    @rule(seconds=st.sampled_from([1, 600, 3601]))
    def wait(self, seconds: int) -> None:
        self.house.clock.seconds += seconds
        Worker(self.house.hub).end_steps()

    @invariant()
    def there_is_one_result_at_most(self) -> None:
        with read(self.house.hub.engine) as connection:
            query = select(func.count()).where(
                log_entry.c.kind == "result", log_entry.c.collaboration == self.table.id
            )
            assert connection.execute(query).scalar_one() <= 1

    @invariant()
    def what_stands_is_what_the_log_tells(self) -> None:
        ids = (self.table.id, self.other.id)
        with read(self.house.hub.engine) as connection:
            for row in connection.execute(select(collaboration).where(collaboration.c.id.in_(ids))):
                stored = StoredLog(connection, row.id)
                found = restore_round(stored, row)
                assert found is not None
                told = fold_round(connection, row)
                assert (found.state, found.terms) == (told.state, told.terms)
                assert list_turns(found) == list_turns(told)
                root, find_place = told.root_at(row.size), stored.find_place
                places = (describe_round(each, root, find_place) for each in (found, told))
                assert len({json.dumps(each) for each in places}) == 1

    def teardown(self) -> None:
        hub = self.house.hub
        self.house.clock.seconds += 61
        while Worker(hub).work():
            pass
        self.reached.add(self.state)
        assert self.state != "sealed"  # whatever died: what could be settled is settled
        assert check_hub(hub).faults == ()
        log = self.ask("log?limit=1000")["entries"]
        assert {content.decode() for _, content in self.said} <= set(log)
        for index, entry in enumerate(log):
            receipt = self.ask(f"receipts/{index}")
            path = [bytes.fromhex(node) for node in receipt["path"]]
            root = compute_root_by_path(entry.encode(), index, len(log), path)
            assert receipt["checkpoint"].split("\n")[2] == base64.b64encode(root).decode()
        cents = [each.cents for each in list_transfers(hub, self.table.id)]
        assert sum(cents) == 0
        self.paid.append(any(cents))

    def ask(self, path: str) -> Any:
        return self.house.people["acme"].send("GET", f"{self.table.path}/{path}").json()


def compute_root_by_path(entry: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root of a tree of this size, as RFC 9162 says in 2.1.3.2, word by word."""

    def join(left: bytes, right: bytes) -> bytes:
        return hashlib.sha256(b"\x01" + left + right).digest()

    at, last, root = index, size - 1, hashlib.sha256(b"\x00" + entry).digest()
    for node in path:
        assert last != 0
        if at & 1 or at == last:
            root = join(node, root)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            root = join(root, node)
        at, last = at >> 1, last >> 1
    assert last == 0
    return root


class AnyOrderWithMoney(AnyOrder):
    """The same with a market, whose members pay each other."""

    def open(self, **options: Any) -> Table:
        file = self.folder / "market.toml"
        file.write_text(MARKET)
        identifier, round_ = open_collaboration(self.house.hub, file, **options)
        return Table(self.house, identifier, round_.terms_digest, sorted(PARTS))

    def commitment(self, name: str) -> bytes:
        key, nonce = (hashlib.sha256(f"{name} {what}".encode()).digest() for what in ("k", "n"))
        payload = self.table.payloads.setdefault(name, Payload(PARTS[name], {}, key, nonce))
        round_ = replace(self.round, terms_digest=self.table.terms)
        elements = list_elements(round_.terms, name, payload)
        keys = self.house.people[name].keys
        return make_commitment(round_, name, keys, payload, elements).content


def run(
    house: House, folder: Path, examples: int, steps: int, machine: type[AnyOrder] = AnyOrder
) -> type[AnyOrder]:
    """Drive many collaborations; return the machine, which knows in what states they ended."""
    bound = type("Bound", (machine,), {})
    bound.house, bound.folder, bound.reached, bound.paid = house, folder, set(), []
    run_state_machine_as_test(
        bound,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return bound


def test_nothing_is_lost_or_settled_twice_in_a_few_orders(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    if hub.engine.dialect.name == "sqlite":
        assert run(house, tmp_path, examples=4, steps=15).reached
    else:
        assert run(house, tmp_path, examples=10, steps=20).reached


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_nothing_is_lost_or_settled_twice_in_many_orders(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    assert {"result", "cancelled"} <= run(house, tmp_path, examples=40, steps=40).reached


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_money_sums_to_the_cent_in_many_orders(hub: Hub, house: House, tmp_path: Path) -> None:
    found = run(house, tmp_path, examples=20, steps=30, machine=AnyOrderWithMoney)
    assert any(found.paid)
