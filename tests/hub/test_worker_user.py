"""A worker that runs as root, looked at from outside while its child settles a round."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from houses import House
from test_isolation import configure

from aboveboard.hub.configuration import CONFIGURATION_FILE, write_configuration
from aboveboard.hub.home import Hub

pytestmark = [
    pytest.mark.deep,
    pytest.mark.child,
    pytest.mark.skipif(
        os.geteuid() != 0 or not sys.platform.startswith("linux"),
        reason="only root can become somebody else",
    ),
]

# Python may lie below a folder that is root's alone, such as /root. In a mount namespace of its
# own this process puts another folder in its place, in which there is nothing but Python.
OPEN_PYTHON = """
import ctypes, os, sys
from pathlib import Path
libc = ctypes.CDLL(None, use_errno=True)
BIND, RECURSIVE, PRIVATE, NEW_MOUNTS = 4096, 16384, 1 << 18, 0x20000

def mount(source, target, kind, flags, data=None):
    arguments = [x and str(x).encode() for x in (source, target, kind)]
    if libc.mount(*arguments, ctypes.c_ulong(flags), data):
        sys.exit(77)

prefix = Path(sys.base_prefix).resolve()
closed = [p for p in reversed(prefix.parents) if not p.stat().st_mode & 1]
if closed:
    if libc.unshare(NEW_MOUNTS):
        sys.exit(77)
    aside = Path(sys.argv[3])
    aside.mkdir()
    mount(None, "/", None, RECURSIVE | PRIVATE)
    mount(closed[0], aside, None, BIND | RECURSIVE)
    mount("none", closed[0], "tmpfs", 0, b"mode=755")
    prefix.mkdir(parents=True)
    mount(aside / prefix.relative_to(closed[0]), prefix, None, BIND | RECURSIVE)
"""

WATCH = """
import json, threading, time
from dataclasses import replace

seen = {}

def watch(user):
    net = os.readlink("/proc/self/ns/net")
    while not seen.get("done"):
        for entry in Path("/proc").iterdir():
            try:
                if b"aboveboard.hub.jobs.child" not in (entry / "cmdline").read_bytes():
                    continue
                status = (entry / "status").read_text()
                if f"Uid:\\t{user}\\t{user}\\t{user}\\t{user}" not in status:
                    continue
                if "Max address space     unlimited" in (entry / "limits").read_text():
                    continue
                found = {
                    "status": status,
                    "limits": (entry / "limits").read_text(),
                    "alone": os.readlink(entry / "ns" / "net") != net,
                    "links": (entry / "net" / "dev").read_text(),
                    "environment": (entry / "environ").read_bytes().decode(),
                }
                seen.update(found)
            except OSError:
                pass
        time.sleep(0.002)

from aboveboard.hub.home import open_hub
from aboveboard.hub.jobs.worker import Worker

hub = replace(open_hub(Path(sys.argv[1])), clock=lambda: 1_800_000_000.0)
thread = threading.Thread(target=watch, args=(int(sys.argv[2]),), daemon=True)
thread.start()
worked = Worker(hub).work()
seen["done"] = True
thread.join(10)
print(json.dumps({**seen, "worked": worked}))
"""


@pytest.fixture
def user() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def watch_worker(hub: Hub, user: pwd.struct_passwd, folder: Path) -> dict[str, Any]:
    """Settle what waits in a worker of its own; return what was seen of its child."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN_PYTHON + WATCH, hub.folder, str(user.pw_uid), folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        env={**os.environ, "ABOVEBOARD_TEST_SECRET": "of the worker"},
    )
    if done.returncode == 77:
        pytest.skip("Python lies where only root can read it")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_child_of_a_worker_that_is_root_has_no_rights_no_network_and_limits(
    hub: Hub, house: House, tmp_path: Path, user: pwd.struct_passwd
) -> None:
    limits = {"memory_bytes": 3 * 2**30, "output_bytes": 2**28, "require_isolation": True}
    set_up = configure(hub, user=user.pw_name, **limits)
    table = house.open(tmp_path)
    table.until_sealed()
    (hub.folder / CONFIGURATION_FILE).unlink()
    write_configuration(set_up.configuration, hub.folder)
    seen = watch_worker(hub, user, tmp_path / "python")
    assert seen["worked"]
    status = dict(line.split(":\t", 1) for line in seen["status"].splitlines() if ":\t" in line)
    assert status["Gid"].split() == [str(user.pw_gid)] * 4
    assert status["Groups"].split() == []
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapEff"], 16) == 0
    assert seen["alone"]
    assert [line.split(":")[0].strip() for line in seen["links"].splitlines()[2:]] == ["lo"]
    rows = {line[:26].strip(): line[26:].split() for line in seen["limits"].splitlines()[1:]}
    assert rows["Max address space"][:2] == [str(3 * 2**30)] * 2
    assert rows["Max file size"][:2] == [str(2**28)] * 2
    assert rows["Max core file size"][:2] == ["0", "0"]
    assert "of the worker" not in seen["environment"]
    assert table.view("acme")["state"] == "result", table.view("acme")
    assert table.fetch("acme")
