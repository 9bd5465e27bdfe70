"""A replay tells the truth, and every file of a settlement is for somebody.

Each test is an attack: a doctored cache, a page with a script, a release that no noise explains.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import aboveboard as ab
from aboveboard.commands import settle
from aboveboard.settlements.replaying import Replay, hide_charts, replay
from aboveboard.settlements.versions import list_versions

CALLABLE = (
    'mechanism = "valuation.payments"\nseed = 1\n[utility]\nkind = "callable"\n'
    'function = "score:value"\n[parties.a]\nlevel = 1\n[parties.b]\nlevel = 2\n'
)
UNION = (
    'mechanism = "exchange.union"\nseed = 1\n[parties.a]\nelements = ["x", "y"]\n'
    '[parties.b]\nelements = ["y", "z"]\n'
)
PRIVATE = """
mechanism = "valuation.payments"
seed = 1
[utility]
kind = "dp-mean"
[data]
file = "samples.csv"
user = "u"
value = "v"
level = "l"
bounds = [0, 1]
"""


def edit(file: Path, change: Callable[[Any], None]) -> None:
    """Change a JSON file."""
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data, indent=2) + "\n")


def admit(folder: Path, name: str) -> None:
    """Let the manifest say that a file is as it is now."""
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    edit(folder / "settlement.json", lambda data: data["outputs"].update({name: digest}))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("union")
    (folder / "c.toml").write_text(UNION)
    settle(ab.load(folder / "c.toml"), folder / "out")
    return folder


@pytest.fixture
def settled(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "out", tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("opendp")
    folder = tmp_path_factory.mktemp("private")
    (folder / "samples.csv").write_text("u,v,l\na,0.2,1\na,0.4,1\nb,0.9,1\nc,0.5,1\n")
    (folder / "c.toml").write_text(PRIVATE)
    settle(ab.load(folder / "c.toml"), folder / "out")
    return folder


def test_a_replay_believes_no_cache(tmp_path: Path) -> None:
    (tmp_path / "score.py").write_text("def value(levels):\n    return sum(levels)\n")
    (tmp_path / "c.toml").write_text(CALLABLE)
    settle(ab.load(tmp_path / "c.toml", trust_code=True), tmp_path / "true")
    (cache,) = (tmp_path / ".aboveboard-cache").iterdir()
    lines = [line for line in cache.read_text().splitlines() if line]
    doctored = []
    for line in lines:
        text = line.partition(" ")[2].replace('"3"', '"1000"')
        doctored.append(f"{hashlib.sha256(text.encode()).hexdigest()[:16]} {text}")
    cache.write_text("\n".join(doctored) + "\n")
    again = replay(tmp_path / "true", settle, trust_code=True)
    assert again.differ == ()
    # Nor does a run: a stranger who ships a cache does not know the user's key.
    settlement = ab.run(tmp_path / "c.toml", trust_code=True)
    assert settlement.details["utility"] == 3


def test_other_versions_are_named_and_are_no_difference(settled: Path) -> None:
    edit(settled / "settlement.json", lambda data: data["versions"].update({"numpy": "0.1"}))
    found = replay(settled, settle)
    assert found.differ == ()
    assert found.versions == (f"numpy 0.1 then, {list_versions()['numpy']} now",)


def test_the_shapes_of_charts_are_ignored_and_named(settled: Path) -> None:
    page = settled / "report.html"
    assert b"<svg" in page.read_bytes()
    page.write_bytes(page.read_bytes().replace(b"</svg>", b"<path d='M0 0'/></svg>", 1))
    assert "report.html" in replay(settled, settle).differ  # not as the run recorded it
    admit(settled, "report.html")
    found = replay(settled, settle)
    assert (found.differ, found.charts) == ((), ("report.html",))


@pytest.mark.deep
@pytest.mark.parametrize(
    "planted",
    [
        b"<script>1</script></svg>",
        b"<a href='x'/></svg>",
        b"<g onload='x'/></svg>",
        b"<image href='http://x'/></svg>",
        b"<foreignObject/></svg>",
        b"</svg><p>other</p>",
    ],
)
def test_what_acts_in_a_chart_is_a_difference(settled: Path, planted: bytes) -> None:
    page = settled / "report.html"
    page.write_bytes(page.read_bytes().replace(b"</svg>", planted, 1))
    admit(settled, "report.html")
    assert "report.html" in replay(settled, settle).differ


def test_a_chart_is_hidden_up_to_its_own_end() -> None:
    assert hide_charts(b"<svg>1</svg>between<svg>2</svg>") == b"<svg/>between<svg/>"


def replay_private(released: Path, tmp_path: Path, change: Callable[[Any], None]) -> Replay:
    out = tmp_path / "out"
    shutil.copytree(released / "out", out)
    edit(out / "release.json", change)
    admit(out, "release.json")
    return replay(out, settle)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update({"mean": 10**6 * 1.0}),
        lambda data: data.update({"mean": "0.5"}),
        lambda data: data.update({"laplace scale": 1e-9}),
        lambda data: data["epsilon spent"].update({"a": 0.001}),
    ],
)
def test_a_release_that_no_noise_explains_is_a_difference(
    released: Path, tmp_path: Path, change: Callable[[Any], None]
) -> None:
    assert replay_private(released, tmp_path, change).differ == ("release.json",)


def test_what_was_drawn_is_named_as_recorded(released: Path, tmp_path: Path) -> None:
    found = replay_private(released, tmp_path, lambda data: None)
    assert (found.differ, "release.json" in found.recorded) == ((), True)


def test_every_file_has_one_audience_and_is_its_owner_s_alone(settled: Path) -> None:
    manifest = json.loads((settled / "settlement.json").read_text())
    audiences = manifest["audiences"]
    listed = [*audiences["all"], *audiences["center"]]
    listed += [place for places in audiences["parties"].values() for place in places]
    there = [path for path in settled.rglob("*") if path.is_file()]
    assert sorted(listed) == sorted(path.relative_to(settled).as_posix() for path in there)
    assert set(audiences["parties"]) == {"a", "b"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in there} == {0o600}
    folders = [settled, *(path for path in settled.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


HIDDEN: dict[str, tuple[str, dict[str, str]]] = {
    "exchange.union": (
        UNION.replace('"x"', '"only-a-has-this"'),
        {"a": "only-a-has-this"},
    ),
    "exchange.average": (
        'mechanism = "exchange.average"\nseed = 1\n'
        + "".join(f"[parties.{n}]\npoint = [{v}]\n" for n, v in (("a", 12347), ("b", 5), ("c", 9))),
        {"a": "12347"},
    ),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_others_and_all_may_read_does_not_hold_a_party_s_own_input(
    tmp_path: Path, name: str
) -> None:
    text, secrets_ = HIDDEN[name]
    (tmp_path / "c.toml").write_text(text)
    settle(ab.load(tmp_path / "c.toml"), tmp_path / "out")
    audiences = json.loads((tmp_path / "out/settlement.json").read_text())["audiences"]
    for party, secret in secrets_.items():
        for place in audiences["all"]:
            assert secret not in (tmp_path / "out" / place).read_text()
        for other, places in audiences["parties"].items():
            if other == party or name == "exchange.union":
                continue  # a list is what the union hands on
            for place in places:
                assert secret not in (tmp_path / "out" / place).read_text()


def test_a_cache_is_not_written_over_a_link(tmp_path: Path) -> None:
    (tmp_path / "score.py").write_text("def value(levels):\n    return sum(levels)\n")
    (tmp_path / "c.toml").write_text(CALLABLE)
    ab.run(tmp_path / "c.toml", trust_code=True)
    (cache,) = (tmp_path / ".aboveboard-cache").iterdir()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    cache.unlink()
    (tmp_path / "precious.txt").write_text("mine")
    cache.symlink_to("../precious.txt")
    ab.run(tmp_path / "c.toml", trust_code=True)
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_what_a_killed_replay_left_is_removed_by_the_next_and_no_living_one_s(
    settled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    code = (
        "import os, sys\nfrom aboveboard.storage.scratch import scratch_folder\n"
        "with scratch_folder() as folder:\n"
        "    (folder / 'reply.txt').write_text('private')\n"
        "    print(folder, flush=True)\n    sys.stdin.read()\n"
    )

    def start() -> tuple[subprocess.Popen[str], Path]:
        running = subprocess.Popen(
            [sys.executable, "-c", code], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(temporary)},
        )  # fmt: skip
        assert running.stdout is not None
        return running, Path(running.stdout.readline().strip())

    living, kept = start()
    killed, left = start()
    killed.kill()
    killed.communicate()
    assert left.is_dir()
    assert replay(settled, settle).differ == ()
    assert list(temporary.iterdir()) == [kept]
    living.communicate()
    assert list(temporary.iterdir()) == []
