"""A run that is killed at any moment: its folder is the old one, the new one, or not there."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.collaborations.collaboration import load
from aboveboard.commands import settle
from aboveboard.settlements.replaying import replay
from aboveboard.storage import atomic as whole
from aboveboard.storage.atomic import atomic_folder, recover

PARTIES = 40
"""Replies and a report enough for the writing to take most of the run."""

POLITE = (signal.SIGTERM, signal.SIGINT)
SIGNALS = (signal.SIGKILL, *POLITE)

# The write starts at once, and a run is known to have begun when it says so: that is inside of
# `main`, which has then taken over what happens on a signal.
RUN = """
import aboveboard.cli, aboveboard.commands, aboveboard.report
app = aboveboard.cli.app

def begun(**options):
    print("begun", flush=True)
    return app(**options)

aboveboard.cli.app = begun
aboveboard.cli.main()
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two collaborations of many parties, for an old settlement and a new one."""
    folder = tmp_path_factory.mktemp("in")
    made = []
    for name, seed in (("old", 1), ("new", 2)):
        path = folder / f"{name}.toml"
        tables = [f'[parties.p{k}]\nelements = ["a{k}", "b{k}"]\n' for k in range(PARTIES)]
        head = f'mechanism = "exchange.union"\nrule = "equal-gain"\nseed = {seed}\n'
        path.write_text(head + "".join(tables))
        made.append(path)
    return made[0], made[1]


def begun(path: Path, out: Path) -> subprocess.Popen[bytes]:
    """Start a run, and wait until all is imported."""
    command = [sys.executable, "-c", RUN, "run", str(path), "--out", str(out), "--force"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout is not None
    assert running.stdout.readline() == b"begun\n"
    return running


def ended(running: subprocess.Popen[bytes]) -> bytes:
    _, said = running.communicate(timeout=120)
    return said


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def kill_at_random_moments(files: tuple[Path, Path], tmp_path: Path, times: int) -> None:
    old, new = files
    settle(load(old), tmp_path / "old")
    running, started = begun(new, tmp_path / "new"), time.monotonic()
    ended(running)
    span = time.monotonic() - started
    whole = [tree(tmp_path / "old"), tree(tmp_path / "new")]
    rng = random.Random(times)
    for k in range(times):
        place = tmp_path / f"runs{k}"
        place.mkdir()
        out, sent, over = place / "out", SIGNALS[k % len(SIGNALS)], k % 2 == 0
        if over:
            shutil.copytree(tmp_path / "old", out)
        running = begun(new, out)
        # Half of the kills fall into the writing, which comes at the end of the span.
        moment = rng.uniform(0.02 if k % 4 < 2 else 0.5, 1.0) * span
        time.sleep(moment)
        running.send_signal(sent)
        said = ended(running)
        what = f"{sent.name} after {moment:.3f} s of {span:.3f} s over={over}"
        if running.returncode:
            assert b"Traceback" not in said, what
        else:  # it had ended: what Python says of a signal while it tidies up is not ours
            assert tree(out) == whole[1], what
        if out.exists():
            assert tree(out) in (whole if over else whole[1:]), what
        else:
            assert not over, what
        if sent in POLITE:
            assert {path.name for path in place.iterdir()} <= {"out"}, what
        recover(out)
        assert {path.name for path in place.iterdir()} <= {"out"}, what
    assert replay(tmp_path / "new", settle).differ == ()


@pytest.mark.slow
def test_a_run_killed_at_random_moments_leaves_a_whole_folder_or_none(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    kill_at_random_moments(files, tmp_path, 8)


@pytest.mark.slow
def test_a_run_killed_at_fifty_random_moments_leaves_a_whole_folder_or_none(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    kill_at_random_moments(files, tmp_path, 50)


WRITE = """
import sys, time
from pathlib import Path
from aboveboard.storage.atomic import atomic_folder
out = Path(sys.argv[1])
with atomic_folder(out) as folder:
    (folder / "half").write_text("x")
    print("half", flush=True)
    time.sleep(600)
"""


def half_written(out: Path) -> subprocess.Popen[bytes]:
    running = subprocess.Popen([sys.executable, "-c", WRITE, str(out)], stdout=subprocess.PIPE)
    assert running.stdout is not None
    assert running.stdout.readline() == b"half\n"
    return running


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    running = half_written(tmp_path / "out")
    running.kill()
    running.wait()
    assert len(list(tmp_path.iterdir())) == 1
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "all").write_text("y")
    assert tree(tmp_path) == {"out/all": b"y"}


@pytest.mark.parametrize(
    "names", [("s" * 40 + "-january", "s" * 40 + "-february"), ("x-aboveboard-y", "x")]
)
def test_what_a_killed_writer_left_goes_to_no_other_name(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    killed, other = (tmp_path / name for name in names)
    aside = left_behind(killed)
    recover(other)
    assert aside.is_dir()
    recover(killed)
    assert tree(killed) == {"a": b"old"}


def test_a_writer_whose_hidden_folder_another_removes_before_it_is_locked_takes_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, met = whole._lock, []

    def meeting_another(folder: Path) -> tuple[int | None, bool]:
        if not met:
            met.append(folder)
            recover(tmp_path / "out")
        return locked(folder)

    monkeypatch.setattr(whole, "_lock", meeting_another)
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("new")
    assert not met[0].exists()
    assert tree(tmp_path) == {"out/a": b"new"}


APPEARING: dict[str, Callable[[Path], object]] = {
    "a file": lambda out: out.write_text("mine"),
    "a folder": lambda out: (out.mkdir(), (out / "thesis.txt").write_text("mine")),
    "a link": lambda out: out.symlink_to("elsewhere"),
}


@pytest.mark.parametrize("renamed", ["as Linux does", "in two steps"])
@pytest.mark.parametrize("kind", APPEARING)
def test_what_appears_in_the_place_during_the_writing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, renamed: str
) -> None:
    if renamed == "in two steps":
        monkeypatch.setattr(whole, "_rename", lambda *_: None)
    out = tmp_path / "out"
    refused = pytest.raises(ab.InputError, match="it exists")
    with refused, atomic_folder(out) as folder:
        (folder / "a").write_text("new")
        APPEARING[kind](out)
        before = sorted(path for path in tmp_path.rglob("*") if ".out-" not in str(path))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_place_taken_at_the_last_moment_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    moved = whole._move

    def too_late(new: Path, place: Path) -> bool:
        APPEARING["a folder"](out)
        return moved(new, place)

    monkeypatch.setattr(whole, "_move", too_late)
    with pytest.raises(ab.InputError, match="it exists"), atomic_folder(out):
        pass
    assert tree(tmp_path) == {"out/thesis.txt": b"mine"}


def test_what_a_living_writer_has_begun_is_left_alone(tmp_path: Path) -> None:
    running = half_written(tmp_path / "out")
    try:
        recover(tmp_path / "out")
        assert [path.name for path in tmp_path.rglob("half")] == ["half"]
    finally:
        running.kill()
        running.wait()


def test_a_folder_of_a_like_name_is_no_leftover(tmp_path: Path) -> None:
    (tmp_path / ".out-mine").mkdir()
    like = whole._fresh(tmp_path / "other").name
    (tmp_path / like).mkdir()
    with atomic_folder(tmp_path / "out"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"out", ".out-mine", like}


@pytest.fixture
def no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system on which two names cannot be exchanged in one step."""
    monkeypatch.setattr("aboveboard.storage.atomic._rename", lambda *_: None)


@pytest.mark.usefixtures("no_exchange")
def test_without_an_exchange_the_new_folder_takes_the_place_of_the_old(tmp_path: Path) -> None:
    for text in ("old", "new"):
        with atomic_folder(tmp_path / "out", replace=gladly) as folder:
            (folder / "a").write_text(text)
    assert tree(tmp_path) == {"out/a": b"new"}


@pytest.mark.usefixtures("no_exchange")
def test_without_an_exchange_the_old_folder_comes_back_where_the_new_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("old")
    monkeypatch.setattr(Path, "rename", failing_once_for("new", Path.rename))
    interrupted = pytest.raises(KeyboardInterrupt)
    with interrupted, atomic_folder(tmp_path / "out", replace=gladly) as folder:
        (folder / "a").write_text("new")
    assert tree(tmp_path) == {"out/a": b"old"}


def gladly(_: Path) -> None:
    """Let whatever is there be replaced."""


def failing_once_for(name: str, rename: Callable[[Path, Path], Path]) -> Callable[..., Path]:
    def interrupted(path: Path, target: Path) -> Path:
        if path.name == name:
            raise KeyboardInterrupt
        return rename(path, target)

    return interrupted


def left_behind(out: Path) -> Path:
    """Make what a writer leaves that was killed between two renames."""
    aside = whole._fresh(out) / "old"
    aside.mkdir(parents=True)
    (aside / "a").write_text("old")
    return aside


def test_what_was_put_aside_by_a_killed_writer_is_put_back(tmp_path: Path) -> None:
    left_behind(tmp_path / "out")
    recover(tmp_path / "out")
    assert tree(tmp_path) == {"out/a": b"old"}


def test_it_is_put_back_where_there_are_no_locks_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_behind(tmp_path / "out")
    monkeypatch.setitem(sys.modules, "fcntl", None)
    recover(tmp_path / "out")
    assert tree(tmp_path / "out") == {"a": b"old"}


def test_a_folder_that_is_replaced_keeps_its_mode(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o700)
    with atomic_folder(out, replace=gladly):
        pass
    assert out.stat().st_mode & 0o777 == 0o700


def test_folders_on_the_way_are_taken_away_with_what_failed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), atomic_folder(tmp_path / "a/b/out"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
