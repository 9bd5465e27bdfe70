"""A disk that is full: one line, exit status 2, what was there is still there, and nothing else."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aboveboard.mechanisms.settlement import MANIFEST

SIZE = 256 << 10
"""Bytes of the small disk: a report alone takes a part of it."""

DESIGN = """
mechanism = "valuation.payments"
[utility]
kind = "dp-mean"
[design]
levels = [1, 2]
cost = 0.01
[parties.a]
level = 1
[parties.b]
level = 1
"""

LARGE = 60
"""Parties whose replies, a file of a block each, do not fit."""


def command(*arguments: object, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line; `limit` is the most bytes of a file that it may write."""

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "aboveboard", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=limited,
        check=False,
    )


def said(ran: subprocess.CompletedProcess[str]) -> str:
    """Return the one line with which a command failed."""
    assert ran.returncode == 2, ran.stderr
    lines = ran.stderr.splitlines()
    assert len(lines) == 1, ran.stderr
    assert lines[0].startswith("aboveboard: ")
    return lines[0]


def held(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def lists(folder: Path, parties: int) -> Path:
    path = folder / f"of-{parties}.toml"
    tables = [f'[parties.p{k}]\nelements = ["a{k}", "b{k}"]\n' for k in range(parties)]
    path.write_text('mechanism = "exchange.union"\nrule = "equal-gain"\n' + "".join(tables))
    return path


@pytest.mark.deep
def test_a_run_leaves_nothing_behind(tmp_path: Path, disk: Path) -> None:
    message = said(command("run", lists(tmp_path, LARGE), "--out", disk / "a/b"))
    assert "No space left on device" in message
    assert list(disk.iterdir()) == []


@pytest.mark.deep
def test_a_run_that_would_replace_another_leaves_it_as_it_was(tmp_path: Path, disk: Path) -> None:
    assert command("run", lists(tmp_path, 2), "--out", disk / "out").returncode == 0
    before = held(disk)
    said(command("run", lists(tmp_path, LARGE), "--out", disk / "out", "--force"))
    assert held(disk) == before
    assert command("replay", disk / "out").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("audit", "FILE", "--property", "ex-post-ic", "--report", "DISK/report.html"),
        ("init", "exchange.union", "--out", "DISK/collaboration.toml"),
        ("design", "DESIGN", "--plot", "DISK/offer.svg"),
        ("demo", "--out", "DISK/demo"),
    ],
    ids=lambda x: x[0],
)
@pytest.mark.deep
def test_whatever_is_written_is_there_whole_or_not_at_all(
    tmp_path: Path, disk: Path, arguments: tuple[str, ...]
) -> None:
    design = tmp_path / "design.toml"
    design.write_text(DESIGN)
    (disk / "filler").write_bytes(b"x" * (SIZE - (4 << 10)))
    names = {"FILE": str(lists(tmp_path, 3)), "DESIGN": str(design)}
    ran = command(*(names.get(x, x.replace("DISK", str(disk))) for x in arguments))
    if ran.returncode == 0:  # what is small enough for the last block is whole
        assert (disk / "collaboration.toml").read_text().endswith("\n")
    else:
        assert "No space left on device" in said(ran)
        assert [path.name for path in disk.iterdir()] == ["filler"]


@pytest.mark.deep
def test_a_cache_that_cannot_be_kept_is_done_without(tmp_path: Path, disk: Path) -> None:
    (tmp_path / "worth.py").write_text("def worth(levels):\n    return sum(map(int, levels))\n")
    path = tmp_path / "called.toml"
    path.write_text(
        'mechanism = "valuation.payments"\n[utility]\nkind = "callable"\nfunction = "worth:worth"\n'
        "[parties.a]\nlevel = 1\n[parties.b]\nlevel = 2\n"
    )
    (disk / "filler").write_bytes(b"x" * SIZE)
    out = tmp_path / "out"
    trust = json.loads(command("check", path, "--format", "json").stdout)["trust"]
    ran = command("run", path, "--out", out, "--cache", disk / "cache", "--trust-code", trust)
    assert ran.returncode == 0, ran.stderr
    assert (out / MANIFEST).is_file()


@pytest.mark.deep
def test_a_file_that_may_not_grow_leaves_nothing_behind_either(tmp_path: Path) -> None:
    path = lists(tmp_path, 2)
    before = sorted(tmp_path.iterdir())
    message = said(command("run", path, "--out", tmp_path / "out", limit=2_000))
    assert "File too large" in message
    assert sorted(tmp_path.iterdir()) == before
