"""A normal service user: no home, nothing writable, closed streams, interrupts, little memory."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aboveboard.cli import app, run_app
from aboveboard.exit_statuses import NO_MEMORY
from aboveboard.storage.atomic import atomic_folder

COMMAND = [sys.executable, "-m", "aboveboard"]
UNION = (
    'mechanism = "exchange.union"\nseed = 1\n[parties.a]\nelements = ["x", "y"]\n'
    '[parties.b]\nelements = ["y", "z"]\n'
)
PLAIN = {
    k: v for k, v in os.environ.items() if k in {"PATH", "SYSTEMROOT", "COVERAGE_PROCESS_START"}
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "c.toml").write_text(UNION)
    return tmp_path


def halves(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name != "c.toml"]


@pytest.mark.parametrize(
    "home",
    [
        "/nonexistent/home",
        pytest.param(None, marks=pytest.mark.deep),
        pytest.param("/dev/null", marks=pytest.mark.deep),
    ],
)
def test_no_home_is_needed(folder: Path, home: str | None) -> None:
    env = PLAIN if home is None else {**PLAIN, "HOME": home}
    data = {"XDG_DATA_HOME": str(folder / "data")}
    command = [*COMMAND, "run", "c.toml", "--out", "out", "--no-bundles"]
    ran = subprocess.run(
        command, cwd=folder, env={**env, **data}, capture_output=True, text=True, check=False
    )
    assert ran.returncode in {0, 1}, ran.stderr
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("verb", "closed"),
    [
        ("run c.toml --no-bundles --out out", "<&- >&- 2>&-"),
        pytest.param("check c.toml", "<&- >&- 2>&-", marks=pytest.mark.deep),
        *(
            pytest.param("run c.toml --no-bundles --out out", closed, marks=pytest.mark.deep)
            for closed in ("<&-", ">&-", "2>&-")
        ),
    ],
)
def test_closed_streams_are_no_failure_and_receive_nothing(
    folder: Path, verb: str, closed: str
) -> None:
    ran = subprocess.run(
        f"exec {sys.executable} -m aboveboard {verb} {closed}",
        shell=True, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode in {0, 1}, ran.stderr
    assert (folder / "out").is_dir() == verb.startswith("run")


@pytest.mark.deep
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [0.05, 0.1, 0.2, 0.3, 0.5, 1])
def test_an_interrupt_at_any_moment_is_at_most_a_line(
    folder: Path, by: signal.Signals, after: float
) -> None:
    command = [*COMMAND, "run", "c.toml", "--out", "out", "--no-bundles"]
    with subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as running:
        time.sleep(after)
        running.send_signal(by)
        _, said = running.communicate(timeout=60)
    if b"Traceback" in said:  # Python itself was still starting: none of our files was read
        assert b"aboveboard/cli" not in said
        return
    assert said in {b"", b"aboveboard: interrupted\n"}
    assert running.returncode in {0, 1, -by, 128 + by}
    assert [name for name in halves(folder) if name != "out"] == []


def test_what_is_imported_first_is_light() -> None:
    code = "import sys, aboveboard.start; print(len(sys.modules), 'typer' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert ran[1] == "False"
    assert int(ran[0]) < 150


def test_too_little_memory_is_a_line_and_a_status_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise MemoryError

    with pytest.raises(SystemExit) as ended:
        run_app(fail, "aboveboard")
    assert ended.value.code == NO_MEMORY
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err
    assert app is not None


def test_the_current_folder_is_not_imported_from(folder: Path) -> None:
    for name in ("typer", "json", "polars", "pydantic", "tomllib"):
        (folder / f"{name}.py").write_text(f"open('ran-{name}', 'w').close()\n")
    ran = subprocess.run(
        [*COMMAND, "check", "c.toml"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert not list(folder.glob("ran-*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_who_can_write_nothing_but_the_output_runs(folder: Path) -> None:
    nobody = 65534
    out = folder / "place"
    out.mkdir()
    os.chown(out, nobody, nobody)
    for path in (folder, *folder.parents):
        if path.stat().st_mode & 0o005 != 0o005:
            if path == Path("/root") or path.owner() != "root":
                pytest.skip("the folder of the tests is closed to others")
            path.chmod(0o755)
    try:
        subprocess.run(
            [sys.executable, "-c", "import aboveboard"], user=nobody, group=nobody,
            extra_groups=[], capture_output=True, cwd="/", check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this Python is closed to others")
    ran = subprocess.run(
        [*COMMAND, "run", str(folder / "c.toml"), "--out", str(out / "s"), "--no-bundles"],
        user=nobody, group=nobody, extra_groups=[], cwd="/", capture_output=True, text=True,
        env={**PLAIN, "HOME": "/nonexistent", "TMPDIR": str(out)}, check=False,
    )  # fmt: skip
    assert ran.returncode in {0, 1}, ran.stderr
    assert [path.name for path in out.iterdir()] == ["s"]


def test_compiled_kernels_go_to_a_private_folder_where_nothing_else_can_be_written() -> None:
    code = (
        "import os, stat\n"
        "os.environ.pop('NUMBA_CACHE_DIR', None)\n"
        "os.access = lambda *_: False\n"
        "from aboveboard.kernel_cache import find_kernel_cache\n"
        "find_kernel_cache()\n"
        "folder = os.environ['NUMBA_CACHE_DIR']\n"
        "print(folder, oct(stat.S_IMODE(os.stat(folder).st_mode)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    folder, mode = ran.stdout.split()
    assert mode == "0o700"
    assert not Path(folder).exists()  # it ends with the process


READ_ONLY = """
set -e
mount --make-rprivate /
mount -t tmpfs none "$PLACE"
for at in $(cut -d ' ' -f 5 /proc/self/mountinfo); do
  [ "$at" = "$PLACE" ] || mount -o remount,bind,ro "$at" 2>/dev/null || true
done
! touch "$PACKAGE/written" "$HOME/written" 2>/dev/null
cd /
exec env -i PATH="$PATH" $TEMPORARY "$PYTHON" -P -m aboveboard "$@"
"""
"""In a mount namespace of its own nothing can be written but one place."""


def run_read_only(folder: Path, temporary: str, *words: str) -> subprocess.CompletedProcess[str]:
    place = folder / "place"
    place.mkdir(exist_ok=True)
    package = Path(sys.modules["aboveboard"].__file__ or "").parent
    told = {"PLACE": place, "PACKAGE": package, "PYTHON": sys.executable, "TEMPORARY": temporary}
    env = {**os.environ, **{key: str(x) for key, x in told.items()}}
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", READ_ONLY, "sh", *words],
        env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip


def can_mount() -> bool:
    try:
        command = ["unshare", "-m", "sh", "-c", "mount --make-rprivate / && mount -t tmpfs t /mnt"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.deep
@pytest.mark.skipif(not can_mount(), reason="no mount namespace can be made here")
@pytest.mark.parametrize("temporary", ["TMPDIR={place}", ""])
def test_a_read_only_machine_without_a_home_runs_rules_with_compiled_kernels(
    folder: Path, temporary: str
) -> None:
    (folder / "c.toml").write_text(
        'mechanism = "valuation.payments"\nseed = 1\n[utility]\nkind = "table"\n'
        "values = [0, 1, 2, 4]\n[parties.a]\n[parties.b]\n"
    )
    out = folder / "place" / "out"
    ran = run_read_only(
        folder, temporary.format(place=folder / "place"), "run", str(folder / "c.toml"),
        "--out", str(out), "--no-bundles",
    )  # fmt: skip
    # Where there is no temporary folder either, pages cannot be drawn: one line says so.
    assert ran.returncode in ({0} if temporary else {0, 2}), ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stderr.count("aboveboard: ") == (ran.returncode == 2), ran.stderr
    checked = run_read_only(folder, "", "check", str(folder / "c.toml"))
    assert (checked.returncode, checked.stderr.count("Traceback")) == (0, 0), checked.stderr


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        OSError("libllvmlite.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
    ],
)
def test_memory_that_a_library_lacks_is_no_fault_of_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def fail(**_: object) -> None:
        with atomic_folder(tmp_path / "out"):
            raise error

    with pytest.raises(SystemExit) as ended:
        run_app(fail, "aboveboard")
    assert ended.value.code == NO_MEMORY
    printed = capsys.readouterr().err
    assert printed == (
        "aboveboard: memory does not suffice; use smaller data, or a larger machine\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of addresses are Linux's")
def test_a_limit_below_what_libraries_take_is_said_before_they_load() -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28)); "
    code = limit + "import aboveboard.start as s; s.main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "mechanisms"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr.count("\n")) == (NO_MEMORY, 1)
    assert "ulimit" in ran.stderr
