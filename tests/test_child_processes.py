"""A child that is asked something, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from aboveboard.mechanisms import child_processes
from aboveboard.mechanisms.child_processes import ask_child

LEAVER = """
import subprocess, sys
code = "import time; time.sleep(600)"
left = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
open("left", "w").write(str(left.pid))
"""
"""A module that ends without an answer, while a process that it started goes on."""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let children find modules of a folder, and run in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(child_processes, "safe_environment", nullcontext)
    return tmp_path / "asked.py"


def is_running(pid: int) -> bool:
    """Return whether a process is there, and not just waiting for its end to be noticed."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")
def test_what_a_child_without_an_answer_started_is_ended_too(module: Path) -> None:
    module.write_text(LEAVER)
    with pytest.raises(ValueError, match="Expecting value"):
        ask_child("asked", {}, patience=300)
    left = int((module.parent / "left").read_text())
    for _ in range(300):
        if not is_running(left):
            return
        time.sleep(0.1)
    pytest.fail("it runs still")


def test_a_child_answers_what_it_reads(module: Path) -> None:
    module.write_text("import json, sys\njson.dump([*json.load(sys.stdin), 1], sys.stdout)\n")
    assert ask_child("asked", ["\u00e9"], patience=300) == ["\u00e9", 1]


FLOOD = """
import os, sys
sys.stdin.read()
while True:
    os.write(1, b"1" * 2**20)
"""
"""A module that says more than anybody could keep."""


def test_a_child_that_says_too_much_is_ended(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module.write_text(FLOOD)
    monkeypatch.setattr(child_processes, "MOST_ANSWER", 2**22)
    with pytest.raises(ValueError, match="says more than 4"):
        ask_child("asked", {}, patience=300)


ESCAPED = """
import subprocess, sys
code = "import time; time.sleep(60)"
left = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
open("left", "w").write(str(left.pid))
"""
"""A module whose process outlives it in a session of its own, and holds its output open."""


@pytest.mark.deep
def test_nobody_waits_for_output_that_another_process_holds_open(module: Path) -> None:
    module.write_text(ESCAPED)
    with pytest.raises(subprocess.TimeoutExpired):
        ask_child("asked", {}, patience=3)
    left = module.parent / "left"
    if left.exists():  # on a slow machine it was ended before
        os.kill(int(left.read_text()), signal.SIGKILL)


def test_a_child_that_reads_nothing_may_answer(module: Path) -> None:
    module.write_text("import sys\nsys.stdin.close()\nprint(7)\n")
    assert ask_child("asked", ["x" * 2**20], patience=300) == 7


def test_a_system_without_limits_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_processes.sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "resource", None)  # as if there were no such module
    child_processes.limit_child()
