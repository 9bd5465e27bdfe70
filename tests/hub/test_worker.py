"""Jobs: done once, whoever dies, whoever is late, however many submit at the same moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from houses import House, Table
from sqlalchemy import func, select
from test_agreements import read as read_round_of

from aboveboard.evidence.keys import generate_keys
from aboveboard.evidence.member_statements import make_rotation
from aboveboard.hub.collaborations.notices import OPERATOR
from aboveboard.hub.collaborations.steps import state_own
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import job, log_entry, notice, reply
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs import archiving, inputs, settling
from aboveboard.hub.jobs import worker as worker_module
from aboveboard.hub.jobs.queue import LostLeaseError, claim, finish, renew
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.operations.checking import check_hub
from aboveboard.hub.operations.overview import look

slow = pytest.mark.slow


def count_results(hub: Hub) -> int:
    with read(hub.engine) as connection:
        query = select(func.count()).where(log_entry.c.kind == "result")
        return int(connection.execute(query).scalar_one())


def read_result(hub: Hub) -> bytes:
    with read(hub.engine) as connection:
        query = select(log_entry.c.content).where(log_entry.c.kind == "result")
        return bytes(connection.execute(query).scalar_one())


def seal(house: House, tmp_path: Path) -> Table:
    table = house.open(tmp_path)
    table.until_sealed()
    return table


@pytest.mark.deep
def test_a_worker_that_lost_its_lease_changes_nothing(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    seal(house, tmp_path)
    now = hub.now
    with write(hub.engine) as connection:
        first = claim(connection, "one", now, 60)
    with write(hub.engine) as connection:
        assert claim(connection, "two", now, 60) is None
        second = claim(connection, "two", now + 61, 60)
    assert first is not None
    assert second is not None
    assert second.fence == first.fence + 1
    for late in (lambda c: renew(c, first, now, 60), lambda c: finish(c, first)):
        with pytest.raises(LostLeaseError), write(hub.engine) as connection:
            late(connection)
    with write(hub.engine) as connection:
        finish(connection, second)


@pytest.mark.deep
def test_a_result_is_not_written_by_a_worker_that_was_replaced_meanwhile(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = seal(house, tmp_path)

    def lose(*_: object) -> None:  # another worker takes the job while this one computes
        with write(hub.engine) as connection:
            assert claim(connection, "two", hub.now + 10_000, 60) is not None

    Worker(hub, tamper=lose).work()
    assert count_results(hub) == 0
    assert table.view("acme")["state"] == "sealed"


@pytest.mark.deep
def test_two_settlements_of_one_round_give_the_same_bytes(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    from aboveboard.hub.jobs.spawning import ChildError

    seal(house, tmp_path)
    bodies = []

    def remember(folder: Path, outcome: dict[str, object]) -> None:
        bodies.append((outcome["body"], outcome["private"]))
        if len(bodies) == 1:
            raise ChildError("killed")

    worker = Worker(hub, tamper=remember)
    worker.work()
    worker.work()
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    assert count_results(hub) == 1


def test_two_last_submitters_at_once_start_one_settlement(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.agree()
    table.commit()
    prepared = {}
    for name in table.names:
        sealed = table.seal(name)
        table.upload(name, sealed)
        prepared[name] = table.submission(name, sealed)
    barrier = threading.Barrier(len(prepared))
    statuses = []

    def submit(name: str) -> None:
        barrier.wait(60)
        statuses.append(table.post(name, prepared[name]).status_code)

    threads = [threading.Thread(target=submit, args=(name,)) for name in prepared]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert statuses == [201] * len(prepared)
    assert table.view("acme")["state"] == "sealed"
    with read(hub.engine) as connection:
        assert connection.execute(select(func.count()).select_from(job)).scalar_one() == 1


@pytest.mark.deep
def test_a_job_that_fails_again_and_again_is_given_up_and_told(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    from aboveboard.hub.jobs.spawning import ChildError

    table = seal(house, tmp_path)

    def fail(*_: object) -> None:
        raise ChildError("no memory")

    worker = Worker(hub, tamper=fail)
    limits = hub.configuration.worker
    tried = 0
    while worker.work():
        tried += 1
    assert tried == limits.attempts
    assert "failed" in table.view("acme")["fault"]


def test_a_member_whose_part_ends_each_child_is_named_and_may_send_it_again(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aboveboard.commands.rounds import outcomes
    from aboveboard.hub.jobs.child import settle_folder
    from aboveboard.hub.jobs.spawning import ChildError

    table = seal(house, tmp_path)
    check = outcomes.check_part

    def take_all_memory(round_: Any, name: str, part: Any) -> None:
        if name == "bolt":
            raise MemoryError
        check(round_, name, part)

    def die(_: Hub, __: object, folder: Path) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(outcomes, "check_part", take_all_memory)
            with pytest.raises(MemoryError):
                settle_folder(folder)
        raise ChildError("the child ended with status -6: ")

    worker = Worker(hub)
    with monkeypatch.context() as patched:
        patched.setattr(settling, "spawn_child", die)
        assert worker.work()
        assert table.view("bolt")["fault"] is None  # it may have ended for another reason
        while worker.work():
            pass
    assert "send the same in a plainer form" in table.view("bolt")["fault"]
    assert table.view("bolt")["next"] == "submit"
    assert "the settlement failed" in table.view("acme")["fault"]
    assert table.view("acme")["next"] is None
    assert "reading the part of bolt" in look(hub)["failed"][0]["problem"]
    table.submit("bolt")
    assert worker.work()
    assert table.view("bolt")["state"] == "result"


def fail_until_given_up(worker: Worker, monkeypatch: pytest.MonkeyPatch, act: Any = None) -> None:
    """Let every child end while it reads a part; `act` happens while each of them runs."""
    from aboveboard.hub.jobs.spawning import ChildError

    def die(_: Hub, __: object, folder: Path) -> None:
        (folder / "reading.txt").write_text("bolt")
        if act is not None:
            act()
        raise ChildError("the child ended")

    with monkeypatch.context() as patched:
        patched.setattr(settling, "spawn_child", die)
        for _ in range(worker.hub.configuration.worker.attempts):
            assert worker.work()


def test_what_a_child_has_read_is_no_fault_once_there_is_a_result(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, worker = seal(house, tmp_path), Worker(hub)
    fail_until_given_up(worker, monkeypatch)
    assert table.view("bolt")["fault"]
    table.submit("acme")  # its part took the memory
    assert worker.work()
    assert [table.view(name)["fault"] for name in table.names] == [None] * 3


def test_a_job_that_fails_says_nothing_of_what_was_sent_meanwhile(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, worker = seal(house, tmp_path), Worker(hub)
    monkeypatch.setattr(worker, "hub", with_attempts(hub, 1))
    fail_until_given_up(worker, monkeypatch, lambda: table.submit("bolt"))
    assert [table.view(name)["fault"] for name in table.names] == [None] * 3
    assert table.view("bolt")["next"] is None


@pytest.mark.deep
def test_a_result_that_cannot_be_sealed_anew_is_no_settlement_that_failed(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, worker = seal(house, tmp_path), Worker(hub)
    assert worker.work()
    exchange_own_keys(table, "acme")
    fail_until_given_up(worker, monkeypatch)
    assert "could not be sealed to your new keys" in table.view("acme")["fault"]
    assert [table.view(name)["fault"] for name in ("bolt", "core")] == [None, None]
    exchange_own_keys(table, "acme")
    assert worker.work()
    assert table.view("acme")["fault"] is None


def with_attempts(hub: Hub, attempts: int) -> Hub:
    limits = hub.configuration.worker.model_copy(update={"attempts": attempts})
    return replace(hub, configuration=hub.configuration.model_copy(update={"worker": limits}))


def exchange_own_keys(table: Table, name: str) -> None:
    """Let a member name new keys, signed with its old ones."""
    fresh, person = generate_keys(), table.house.people[name]
    rotated = make_rotation(read_round_of(table, name), name, person.keys, fresh)
    assert table.post(name, rotated.content).status_code == 201
    person.keys = fresh


def test_a_child_that_takes_too_much_memory_ends_alone(tmp_path: Path) -> None:
    code = (
        "from aboveboard.hub.jobs.isolation import limit_process\n"
        "limit_process(2**28, 60, 2**20)\n"
        "x = bytearray(2**29)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, timeout=120
    )
    assert b"MemoryError" in done.stderr


def test_a_child_has_no_network_where_the_system_can_take_it_away() -> None:
    code = (
        "import socket\n"
        "from aboveboard.hub.jobs.isolation import leave_network\n"
        "if leave_network():\n"
        "    try:\n"
        "        socket.create_connection(('127.0.0.1', 9), 1)\n"
        "    except OSError as error:\n"
        "        print(error.errno)\n"
        "else:\n"
        "    print('kept')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, timeout=120
    )
    assert done.stdout.split() in ([b"101"], [b"kept"])  # 101: the network is unreachable


WORK = """
import sys
from dataclasses import replace
from pathlib import Path
from aboveboard.hub.home import open_hub
from aboveboard.hub.jobs.worker import Worker
hub = open_hub(Path(sys.argv[1]))
print("ready", flush=True)
while not Worker(replace(hub, clock=lambda: 1_800_000_000 + float(sys.argv[2]))).work():
    pass
"""


@pytest.mark.child
@pytest.mark.deep
@pytest.mark.parametrize(
    "delay",
    [0.0, pytest.param(0.3, marks=slow), 1.0, pytest.param(2.0, marks=slow),
     3.0, pytest.param(4.0, marks=slow)],
)  # fmt: skip
def test_a_worker_killed_at_any_moment_leaves_one_result(
    hub: Hub, house: House, tmp_path: Path, delay: float
) -> None:
    table = seal(house, tmp_path)
    command = [sys.executable, "-c", WORK, str(hub.folder)]
    with subprocess.Popen([*command, "0"], stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        killed.stdout.readline()
        time.sleep(delay)
        os.kill(killed.pid, signal.SIGKILL)
    house.clock.seconds += 120  # its lease runs out
    while Worker(hub).work():
        pass
    assert count_results(hub) == 1
    assert table.view("acme")["state"] == "result"
    with read(hub.engine) as connection:
        assert connection.execute(select(func.count()).select_from(reply)).scalar_one() == 3
    assert not list((hub.folder / "scratch").iterdir())
    for name in table.names:
        assert table.fetch(name)


class KilledError(BaseException):
    """What ends a worker between two of its functions; nothing takes it for an error."""


def work_until(worker: Worker, calls: int) -> bool:
    """Let a worker do a job until so many functions of the hub were called; return whether."""
    seen = 0

    def count(frame: Any, event: str, _: object) -> None:
        nonlocal seen
        if event == "call" and "/aboveboard/hub/" in frame.f_code.co_filename:
            seen += 1
            if seen == calls:
                raise KilledError

    sys.setprofile(count)
    try:
        worker.work()
    except KilledError:
        return True
    finally:
        sys.setprofile(None)
    return False


@pytest.mark.deep
def test_a_worker_that_ends_between_any_two_functions_leaves_one_result_and_its_hashes(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = True
    for calls in range(40, 10_000, 60):
        table = house.open(tmp_path, more={"repeats": {"added": 1}})
        table.until_sealed()
        with monkeypatch.context() as patched:
            patched.setattr(inputs, "remove_folder", lambda _: None)
            ended = work_until(Worker(hub), calls)
        house.clock.seconds += 61  # its lease runs out
        while Worker(hub).work():
            pass
        assert table.view("acme")["state"] == "result", calls
        assert all(table.fetch(name) for name in table.names), calls
        assert len(list((hub.folder / "series").glob(f"*/{table.id}/*.bin"))) == 3, calls
        if not ended:
            break
    assert calls > 100
    assert not ended
    assert count_results(hub) == calls // 60 + 1
    assert check_hub(hub).faults == ()


def test_a_worker_goes_on_once_the_database_answers_again(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from sqlalchemy.exc import OperationalError

    from aboveboard.hub.jobs import worker as module

    monkeypatch.setattr(module, "PAUSE", 0.01)
    stop, calls = threading.Event(), []

    class Shaken(Worker):
        def end_steps(self) -> int:
            calls.append(1)
            if len(calls) == 1:
                raise OperationalError("select", {}, Exception("gone"))
            stop.set()
            return 0

    Shaken(hub).run(stop)
    assert len(calls) == 2


@pytest.mark.parametrize("outcome", ["[]", "{}", '{"replies": 3}', "no JSON"])
def test_an_outcome_of_another_shape_is_a_failed_job_and_the_worker_goes_on(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    from aboveboard.hub.jobs import settling

    def write_it(hub: Hub, lease: object, folder: Path) -> None:
        (folder / "outcome.json").write_text(outcome)

    monkeypatch.setattr(settling, "spawn_child", write_it)
    table = seal(house, tmp_path)
    worker = Worker(hub)
    for _ in range(hub.configuration.worker.attempts):
        assert worker.work()
    assert not worker.work()
    assert table.view("acme")["state"] == "sealed"
    assert "operator" in table.view("acme")["fault"]


def test_a_damaged_round_does_not_keep_the_steps_of_others_open(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    from sqlalchemy import update

    from aboveboard.hub.database.engine import write

    deadlines = {"agree": "2027-01-15T09:00:00Z"}
    tables = [house.open(tmp_path, deadlines=deadlines) for _ in range(3)]
    damaged = tables[1].id
    with write(hub.engine) as connection:
        where = log_entry.c.collaboration == damaged
        connection.execute(update(log_entry).where(where).values(content=b"{}"))
    house.clock.seconds += 3601
    assert Worker(hub).end_steps() == 2
    states = {table.view("acme")["state"] for table in (tables[0], tables[2])}
    assert states == {"cancelled"}


def test_what_a_child_writes_is_signed_as_a_result_or_not_at_all(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    seal(house, tmp_path)

    def choose_the_statement(_: Path, outcome: dict[str, Any]) -> None:
        outcome["body"] |= {"kind": "cancel", "terms": "ab" * 32}

    Worker(hub, tamper=choose_the_statement).work()
    assert count_results(hub) == 1


def read_failures(hub: Hub) -> list[tuple[str, str]]:
    with read(hub.engine) as connection:
        rows = connection.execute(select(job.c.kind, job.c.problem).where(job.c.state == "failed"))
        return [(kind, problem) for kind, problem in rows]


def count_told(hub: Hub) -> int:
    with read(hub.engine) as connection:
        where = (notice.c.recipient == OPERATOR, notice.c.kind == "given-up")
        return int(connection.execute(select(func.count()).where(*where)).scalar_one())


def test_whatever_goes_wrong_with_one_round_the_worker_goes_on_and_tells_the_operator(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines = {"agree": "2027-01-15T09:00:00Z"}
    tables = [house.open(tmp_path, deadlines=deadlines, more={"keep_days": 0}) for _ in range(3)]
    real, damaged = worker_module.make_own, tables[1].terms

    def make(hub: Hub, round_: Any, *given: Any) -> Any:
        if round_.terms_digest == damaged:
            raise RecursionError("too deep")
        return real(hub, round_, *given)

    monkeypatch.setattr(worker_module, "make_own", make)
    monkeypatch.setattr(archiving, "make_own", make)
    house.clock.seconds += 3601
    worker = Worker(hub)
    assert worker.end_steps() == 2
    assert worker.end_steps() == 0
    assert read_failures(hub) == [("step", "RecursionError: too deep")]
    state_own(hub, damaged_id := tables[1].id, "cancel", {"reason": "it is damaged"})
    house.clock.seconds += 1
    for _ in range(2):
        worker.keep_house()
        worker._next = 0.0
    assert [kind for kind, _ in read_failures(hub)] == ["step", "archive"]
    assert count_told(hub) == 2
    assert {table.view("acme")["state"] for table in tables if table.id != damaged_id} == {
        "archived"
    }


def test_a_step_that_failed_and_is_ended_later_stands_on_no_board(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.open(tmp_path, deadlines={"agree": "2027-01-15T09:00:00Z"})
    house.clock.seconds += 3601

    def fail(*_: object) -> Any:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(worker_module, "make_own", fail)
        assert Worker(hub).end_steps() == 0
    assert read_failures(hub) == [("step", "MemoryError: ")]
    assert Worker(hub).end_steps() == 1
    assert read_failures(hub) == []


def test_a_child_says_no_more_of_a_refused_part_than_members_can_read(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = seal(house, tmp_path)
    said = {"acme": "x" * 5000, "": 5, "nobody": "y"}
    monkeypatch.setattr(settling, "_compute", lambda *_: {"refused": said})
    assert Worker(hub).work()
    assert table.view("acme")["fault"] == "x" * settling.MOST_FAULT
    with read(hub.engine) as connection:
        told = set(connection.execute(select(notice.c.recipient)).scalars())
    assert "nobody" not in told


def test_a_worker_does_the_rest_whatever_one_task_raises(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, done = threading.Event(), list[str]()

    def fail(_: Hub) -> int:
        raise MemoryError

    class Busy(Worker):
        def end_steps(self) -> int:
            raise ValueError("none")

        def work(self) -> bool:
            done.append("work")
            stop.set()
            return True

    monkeypatch.setattr(worker_module, "archive_ended", fail)
    monkeypatch.setattr(worker_module, "remind", lambda _: done.append("remind"))
    Busy(hub).run(stop)
    assert done == ["remind", "work"]


def test_a_job_that_ends_each_worker_is_given_up(hub: Hub, house: House, tmp_path: Path) -> None:
    table = seal(house, tmp_path)
    attempts = hub.configuration.worker.attempts
    for _ in range(attempts):
        with write(hub.engine) as connection:
            assert claim(connection, "killed", hub.now, 60) is not None
        house.clock.seconds += 61
    worker = Worker(hub)
    assert worker.work()
    assert not worker.work()
    assert read_failures(hub) == [("settle", "each worker that has begun it has ended")]
    assert "operator" in table.view("acme")["fault"]
    assert count_told(hub) == 1


@pytest.mark.deep
def test_what_a_killed_worker_left_is_removed_however_deep_it_is(hub: Hub) -> None:
    folder = hub.scratch / "job-7-1"
    folder.mkdir(parents=True)
    place = os.open(folder, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("deeper", dir_fd=place)
        inner = os.open("deeper", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(os.open("part.bin", os.O_CREAT | os.O_WRONLY, dir_fd=place))
    os.close(place)
    (folder / "link").symlink_to(hub.folder)
    assert not Worker(hub).work()
    assert not folder.exists()
    assert (hub.folder / "hub.toml").is_file()
