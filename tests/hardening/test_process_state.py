"""A command gives its process back as it was: signals, log, environment, folder, streams."""

from __future__ import annotations

import logging
import os
import resource
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from aboveboard.cli import app, run_app
from aboveboard.exit_statuses import INTERRUPTED

UNION = (
    'mechanism = "exchange.union"\nseed = 1\n[parties.a]\nelements = ["x"]\n'
    '[parties.b]\nelements = ["y"]\n'
)


def read_state() -> dict[str, Any]:
    umask = os.umask(0o77)
    os.umask(umask)
    root = logging.getLogger()
    opened = Path("/proc/self/fd")
    return {
        "signals": [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)],
        "environment": dict(os.environ),
        "path": list(sys.path),
        "folder": Path.cwd(),
        "umask": umask,
        "log": (list(root.handlers), root.level),
        "limits": [resource.getrlimit(n) for n in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE)],
        "warnings": [entry[:3] for entry in warnings.filters],
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "threads": {t.name for t in threading.enumerate()},
        "databases": {
            name for each in (opened.iterdir() if opened.is_dir() else ())
            if each.is_symlink() and ".sqlite" in (name := str(each.readlink()))
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("nonsense",), 2),
        (("check", "missing.toml"), 2),
        (("run", "c.toml", "--out", "out", "--force"), 0),
        (("hub", "worker", "hub", "--once"), 0),
    ],
)
def test_a_command_leaves_its_process_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], status: int
) -> None:
    (tmp_path / "c.toml").write_text(UNION)
    monkeypatch.chdir(tmp_path)
    if arguments[1:2] == ("worker",):
        run("hub", "init", "hub", monkeypatch=monkeypatch)
    run(*arguments, monkeypatch=monkeypatch)  # libraries that load set variables of their own
    before = read_state()
    assert run(*arguments, monkeypatch=monkeypatch) == status
    assert read_state() == before


def run(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(sys, "argv", ["aboveboard", *arguments])
    with pytest.raises(SystemExit) as ended:
        run_app(app, "aboveboard")
    return ended.value.code


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Handle SIGINT as a shell in front does: one in the background starts with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_second_interrupt_does_not_stop_what_cleans_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cleaned = []

    def work() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGTERM)
            cleaned.append("all")

    stopping = typer.Typer()
    stopping.command()(work)
    monkeypatch.setattr(sys, "argv", ["aboveboard"])
    with pytest.raises(SystemExit) as ended:
        run_app(stopping, "aboveboard")
    assert (ended.value.code, cleaned) == (INTERRUPTED, ["all"])
    assert capsys.readouterr().err.endswith("aboveboard: interrupted\n")


class Finalized:
    """Ends the process from a finalizer, where Python can raise to nobody."""

    def __init__(self, by: signal.Signals) -> None:
        self.by = by

    def __del__(self) -> None:
        signal.raise_signal(self.by)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_during_a_finalizer_ends_the_command_silently(
    by: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cleaned = []

    def work() -> None:
        Finalized(by)
        try:
            time.sleep(60)
        finally:
            cleaned.append("all")

    stopping = typer.Typer()
    stopping.command()(work)
    monkeypatch.setattr(sys, "argv", ["aboveboard"])
    begin = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        run_app(stopping, "aboveboard")
    assert time.monotonic() - begin < 60
    assert (ended.value.code, cleaned) == (128 + by, ["all"])
    assert "Exception ignored" not in capsys.readouterr().err


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("interruptible")
def test_a_signal_that_comes_while_a_class_is_made_ends_the_command(
    by: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Member:
        def __set_name__(self, owner: type, name: str) -> None:
            signal.raise_signal(by)

    def work() -> None:
        type("Made", (), {"member": Member()})

    stopping = typer.Typer()
    stopping.command()(work)
    monkeypatch.setattr(sys, "argv", ["aboveboard"])
    with pytest.raises(SystemExit) as ended:
        run_app(stopping, "aboveboard")
    assert ended.value.code == 128 + by


def test_a_command_runs_in_a_thread_that_handles_no_signals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[object] = []
    thread = threading.Thread(
        target=lambda: seen.append(run("check", "missing.toml", monkeypatch=monkeypatch))
    )
    thread.start()
    thread.join(60)
    assert seen == [2]


def test_a_demonstration_that_is_stopped_leaves_no_half_of_a_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(folder: Path, **_: object) -> None:
        (folder / "hub").mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr("aboveboard.hub.demonstration.demonstrate_hub", stop)
    out = tmp_path / "demo"
    status = run("hub", "demo", "--no-browser", "--out", str(out), monkeypatch=monkeypatch)
    assert status == INTERRUPTED
    assert not out.exists()
