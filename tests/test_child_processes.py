"""A child that is asked something, and what it leaves behind."""

from __future__ import annotations

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
