"""Members, worker and clock in any order: nothing is settled twice, nothing is lost.

A state machine under hypothesis drives one hub: statements on time, late, repeated, out of order
and of another collaboration; members that leave; workers that die while they work.
"""

from __future__ import annotations

import contextlib
import json
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
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.hub.database.engine import read
from aboveboard.hub.database.tables import log_entry
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.archiving import archive_ended
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.operations.checking import check_hub
from aboveboard.hub.series.repeating import propose_change

NAMES = st.sampled_from(sorted(LISTS))
DEADLINE = "2027-01-15T09:00:00+00:00"


class Killed(BaseException):
    """What a worker dies of."""


def die(*_: object) -> None:
    raise Killed


class AnyOrder(RuleBasedStateMachine):
    """One collaboration, from its terms to wherever it comes."""

    house: ClassVar[House]
    folder: ClassVar[Path]
    reached: ClassVar[set[str]]

    def __init__(self) -> None:
        super().__init__()
        self.house.clock.seconds = 1_800_000_000.0
        deadlines = {"agree": DEADLINE, "commit": DEADLINE}
        self.table: Table = self.house.open(
            self.folder, missing="continue", deadlines=deadlines, more={"keep_days": 0}
        )
        self.other: Table = self.house.open(self.folder)
        self.said: list[tuple[str, bytes]] = []
        self.sealed: dict[str, bytes] = {}

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
        self.post(name, self.table.commitment(name))

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
                self.post(name, self.table.commitment(name))
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

    def teardown(self) -> None:
        hub = self.house.hub
        self.house.clock.seconds += 61
        while Worker(hub).work():
            pass
        self.reached.add(self.state)
        assert self.state != "sealed"  # whatever died: what could be settled is settled
        assert check_hub(hub).faults == ()
        path = f"{self.table.path}/log?limit=1000"
        log = self.house.people["acme"].send("GET", path).json()["entries"]
        assert {content.decode() for _, content in self.said} <= set(log)


def run(house: House, folder: Path, examples: int, steps: int) -> set[str]:
    """Drive many collaborations; return the states that they ended in."""

    class Bound(AnyOrder):
        pass

    Bound.house, Bound.folder, Bound.reached = house, folder, set()
    run_state_machine_as_test(
        Bound,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Bound.reached


def test_nothing_is_lost_or_settled_twice_in_a_few_orders(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    assert run(house, tmp_path, examples=10, steps=20)


@pytest.mark.slow
def test_nothing_is_lost_or_settled_twice_in_many_orders(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    reached = run(house, tmp_path, examples=40, steps=40)
    assert {"result", "cancelled"} <= reached
