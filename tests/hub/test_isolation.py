"""What a child cannot do: read the hub, keep rights, point at our files, outlive its worker."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from houses import House

from aboveboard.errors import InputError
from aboveboard.hub.configuration import check_configuration
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs import inputs, settling, spawning
from aboveboard.hub.jobs.child import settle_folder
from aboveboard.hub.jobs.isolation import (
    drop_rights,
    find_user,
    give_folder,
    remove_folder,
    require_own_file,
    take_folder_back,
)
from aboveboard.hub.jobs.packing import name_reply
from aboveboard.hub.jobs.queue import Lease
from aboveboard.hub.jobs.spawning import ChildError, spawn_child
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.series import elements

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def configure(hub: Hub, **worker: object) -> Hub:
    table = hub.configuration.model_dump()
    changed = {**table, "worker": {**table["worker"], **worker}}
    return replace(hub, configuration=check_configuration(changed, "test"))


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@needs_root
def test_a_child_of_another_user_reads_neither_keys_nor_files_and_gets_no_rights_back(
    hub: Hub,
) -> None:
    code = (
        "import os, sys\n"
        "from aboveboard.hub.jobs.isolation import drop_rights\n"
        "drop_rights(65534, 65534)\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n        open(path).read()\n        print('read', path)\n"
        "    except PermissionError:\n        pass\n"
        "try:\n    os.setuid(0)\n    print('root')\nexcept PermissionError:\n    pass\n"
        "print(open('/proc/self/status').read().split('NoNewPrivs:')[1].split()[0])\n"
    )
    done = run(code, str(hub.folder / "keys" / "signing.pem"), str(hub.folder / "hub.toml"))
    assert done.stdout.strip() == "1", done.stdout + done.stderr


@needs_root
def test_what_a_child_leaves_running_cannot_exchange_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    inner = folder / "settlement" / "acme"
    inner.mkdir(parents=True)
    (inner / "reply.txt").write_text("own")
    (folder / "away").symlink_to(tmp_path)
    give_folder(folder, 65534, 65534)
    inside = os.open(inner, os.O_RDONLY)
    take_folder_back(folder, 65534)
    child = os.fork()
    if not child:
        os.fchdir(inside)
        drop_rights(65534, 65534)
        try:
            Path("reply.txt").unlink()
        except PermissionError:
            os._exit(0)
        os._exit(1)
    os.close(inside)
    assert os.waitpid(child, 0)[1] == 0
    assert (inner / "reply.txt").read_text() == "own"


def test_a_user_that_is_root_or_nobody_at_all_is_refused() -> None:
    if os.geteuid() != 0:
        assert find_user("nobody") == (-1, -1)
        return
    for name in ("root", "there-is-no-such-user"):
        with pytest.raises(InputError, match=r"worker\.user"):
            find_user(name)


def test_a_link_that_a_child_leaves_names_none_of_our_files(tmp_path: Path) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "job"
    secret.write_text("key")
    folder.mkdir()
    (folder / "link").symlink_to(secret)
    (folder / "sub").symlink_to(tmp_path)
    (folder / "own").write_text("reply")
    for path in ("link", "sub/secret", "../secret", str(secret), "missing"):
        with pytest.raises(InputError):
            require_own_file(folder, path)
    assert require_own_file(folder, "own").read_text() == "reply"


@pytest.mark.deep
def test_an_outcome_that_points_elsewhere_is_no_result(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = house.open(tmp_path)
    table.until_sealed()

    def lie(hub: Hub, lease: object, folder: Path) -> None:
        import json

        outcome = settle_folder(folder)
        outcome["replies"]["acme"] = "../../keys/signing.pem"
        (folder / "outcome.json").write_text(json.dumps(outcome))

    monkeypatch.setattr(settling, "spawn_child", lie)
    worker = Worker(hub)
    for _ in range(4):
        worker.work()
    assert table.view("acme")["state"] == "sealed"
    assert table.view("acme")["reply"] is None


def test_a_folder_of_jobs_that_somebody_else_made_is_refused(hub: Hub, tmp_path: Path) -> None:
    other = configure(hub, scratch=str(tmp_path / "open"))
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(InputError, match="belongs to somebody else"):
        inputs._make_scratch(other)


@pytest.fixture
def job_folder(tmp_path: Path) -> Path:
    """The folder of a job, beside which the child's output lies."""
    folder = tmp_path / "scratch" / "job-1-1"
    folder.mkdir(parents=True)
    return folder


def act_as_child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    """Let a script of the shell run in a child's place."""
    command = tmp_path / "child.sh"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o700)
    monkeypatch.setattr(spawning.sys, "executable", str(command))


LEASE = Lease(1, "settle", "x", 1, 1)


@pytest.mark.parametrize(("network", "settles"), [("true", False), ("false", True)])
def test_a_child_that_has_the_network_settles_nothing_where_that_is_required(
    hub: Hub, job_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    network: str, *, settles: bool,
) -> None:  # fmt: skip
    strict = configure(hub, require_isolation=True)
    act_as_child(monkeypatch, tmp_path, f"""echo '{{"network": {network}}}' > outcome.json""")
    spawn_child(hub, LEASE, job_folder)
    if settles:
        spawn_child(strict, LEASE, job_folder)
        return
    with pytest.raises(ChildError, match="does not let the child leave the network"):
        spawn_child(strict, LEASE, job_folder)


def test_what_a_child_writes_and_prints_is_its_own_whatever_the_workers_umask(
    hub: Hub, job_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as_child(
        monkeypatch,
        tmp_path,
        "mkdir settlement; echo reply > settlement/acme.txt; echo '{}' > outcome.json\n"
        f"stat -c %a ../{job_folder.name}.txt settlement settlement/acme.txt outcome.json > modes",
    )
    before = os.umask(0)
    try:
        spawn_child(hub, LEASE, job_folder)
    finally:
        os.umask(before)
    assert (job_folder / "modes").read_text().split() == ["600", "700", "600", "600"]


def test_a_folder_that_cannot_be_taken_back_leaves_no_descriptor_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    opened: list[int] = []
    real = os.open

    def fail_at_the_third(*given: object, **options: object) -> int:
        if len(opened) == 3:
            raise OSError(errno.ELOOP, "a link took its place")
        opened.append(real(*given, **options))
        return opened[-1]

    monkeypatch.setattr(os, "open", fail_at_the_third)
    with pytest.raises(OSError, match="a link took its place"):
        take_folder_back(tmp_path, os.geteuid())
    assert len(opened) == 3
    for descriptor in opened:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_a_link_of_a_child_is_neither_a_part_nor_hashes_that_are_kept(tmp_path: Path) -> None:
    (tmp_path / "signing.pem").write_text("key")
    folder = tmp_path / "job"
    for place in ("parts", "elements"):
        (folder / place).mkdir(parents=True)
        (folder / place / "acme.bin").symlink_to(tmp_path / "signing.pem")
    with pytest.raises(InputError, match="not a file of the child"):
        name_reply(folder, "acme", tmp_path / "reply")
    terms = SimpleNamespace(repeats=SimpleNamespace(limits_lists=True), serial=1)
    round_: Any = SimpleNamespace(terms=terms, present=("acme",))
    hub: Any = SimpleNamespace(folder=tmp_path / "hub", engine=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elements, "read", lambda _: nullcontext())
        patch.setattr(elements, "_find_series", lambda *_: "series")
        with pytest.raises(InputError, match="not a file of the child"):
            elements.keep_elements(hub, "round", round_, folder)
    assert not (tmp_path / "hub").exists()


def test_what_cannot_be_removed_keeps_nothing_else_of_a_child_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "job"
    (folder / "parts" / "closed").mkdir(parents=True)
    (folder / "parts" / "stuck").write_text("x")
    (folder / "parts" / "closed" / "alpha.bin").write_text("opened")
    (folder / "parts" / "closed").chmod(0)
    real = os.unlink

    def fail_at_one(name: str, **options: int) -> None:
        if name == "stuck":
            raise PermissionError(errno.EPERM, "it is immutable")
        real(name, **options)

    monkeypatch.setattr(os, "unlink", fail_at_one)
    with pytest.raises(PermissionError, match="it is immutable"):
        remove_folder(folder)
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["stuck"]
