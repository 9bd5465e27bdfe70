"""`run` leaves bundles, says what stays on its word, and signs with a key of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from aboveboard.cli import app
from aboveboard.commands import settle
from aboveboard.errors import InputError
from aboveboard.evidence.local_runs import find_operator_keys
from aboveboard.settlements import replay

FILE = """
mechanism = "exchange.union"
kind = "domain"
rule = "two-party"
seed = 3
[parties.acme]
data = "acme.txt"
[parties.bolt]
elements = ["y.example", "z.example"]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ABOVEBOARD_HOME", str(tmp_path / "home"))
    (tmp_path / "acme.txt").write_text("x.example\ny.example\n")
    path = tmp_path / "lists.toml"
    path.write_text(FILE)
    return path


def call(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(x) for x in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_party_verifies_a_run_with_its_folder_and_its_file_alone(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = call("run", file, "--out", tmp_path / "out")
    assert "on your word remain" in printed
    assert "one operator ran this alone" in " ".join(printed.split())
    monkeypatch.setenv("ABOVEBOARD_HOME", str(tmp_path / "another home"))
    mine = tmp_path / "my list.txt"
    mine.write_text("y.example\nx.example\n")
    found = call("verify", tmp_path / "out/parties/acme", "--mine", tmp_path / "acme.txt")
    assert "your own data are what was committed, whole" in found
    assert "On the center's word" in found


def test_a_replay_holds_bundles_against_their_hashes(file: Path, tmp_path: Path) -> None:
    call("run", file, "--out", tmp_path / "out")
    assert replay(tmp_path / "out", settle).differ == ()
    bundle = tmp_path / "out/parties/acme/bundle.json"
    content = bundle.read_bytes()
    bundle.write_bytes(content + b" ")
    assert replay(tmp_path / "out", settle).differ == ("parties/acme/bundle.json",)
    bundle.unlink()
    assert replay(tmp_path / "out", settle).differ == ("parties/acme/bundle.json",)


def test_a_run_without_bundles_makes_no_key(file: Path, tmp_path: Path) -> None:
    call("run", file, "--out", tmp_path / "out", "--no-bundles")
    assert not (tmp_path / "home").exists()
    assert not list((tmp_path / "out").rglob("bundle.json"))


def test_the_same_run_gives_the_same_bundles(file: Path, tmp_path: Path) -> None:
    for out in ("one", "two"):
        call("run", file, "--out", tmp_path / out)
    for name in ("acme", "bolt"):
        one, two = (tmp_path / out / "parties" / name / "bundle.json" for out in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_the_operators_keys_are_its_own_and_are_kept(tmp_path: Path) -> None:
    first = find_operator_keys(home=tmp_path)
    assert find_operator_keys(home=tmp_path).center.public == first.center.public
    assert (tmp_path / "operator").stat().st_mode & 0o777 == 0o700


def test_keys_that_cannot_be_made_name_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="run with --no-bundles"):
        find_operator_keys(home=tmp_path / "file")


def test_a_party_called_center_gets_no_bundle_and_the_run_says_why(
    file: Path, tmp_path: Path
) -> None:
    file.write_text(FILE.replace("bolt", "center"))
    printed = call("run", file, "--out", tmp_path / "out")
    assert "no bundles: a party is called 'center'" in printed
