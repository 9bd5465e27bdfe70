"""A round by files at the command line: each message names the command that comes next."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aboveboard.cli import app
from aboveboard.errors import InputError

FILE = """
mechanism = "exchange.average"
[parties."Ann und Co"]
point = [1, 2]
[parties.bo]
point = [3, 5]
"""
MEMBERS = ("Ann und Co", "bo")


class Desk:
    """Runs commands as the center or as a member, each in its own folder."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, patch
        self.round = folder / "a round"

    def run(self, who: str, *command: object, status: int = 0) -> str:
        """Return what a command prints; it ends with this status."""
        own = self.folder / who
        own.mkdir(exist_ok=True)
        self.patch.chdir(own)
        self.patch.setenv("ABOVEBOARD_HOME", str(own / "home"))
        done = CliRunner().invoke(app, [str(each) for each in command], catch_exceptions=False)
        assert done.exit_code == status, done.output
        return done.output

    def run_each(self, *command: object) -> set[str]:
        """Return the last lines of what all members' commands print."""
        return {self.run(name, *command).strip().splitlines()[-1] for name in MEMBERS}

    def close(self) -> str:
        """Return the command that the center reads after it has closed a step."""
        found = re.search(r"^next: (.*)$", self.run("center", "close", self.round), re.MULTILINE)
        return found[1] if found else ""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(tmp_path, monkeypatch)
    (tmp_path / "keys").mkdir()
    (tmp_path / "c.toml").write_text(FILE, encoding="utf-8")
    for name, own in zip(MEMBERS, ("point = [1, 2]", "point = [3, 5]"), strict=True):
        made.run(name, "keys", "new")
        shutil.copy(tmp_path / name / "home/keys/public.json", tmp_path / "keys" / f"{name}.json")
        (tmp_path / name / "own.toml").write_text(own)
    return made


def test_each_message_of_a_round_names_the_next_command(desk: Desk) -> None:
    place = f"'{desk.round}'"
    files = ("../c.toml", "--members", "../keys", "--out", desk.round)
    opened = desk.run("center", "open", *files)
    assert f"each member runs 'aboveboard agree {place}'" in opened
    assert desk.run_each("agree", desk.round) == {
        "next, once all have agreed: aboveboard commit FILE"
    }
    assert desk.close().startswith("each member runs 'aboveboard commit FILE'; then: ")
    assert desk.run_each("commit", "own.toml") == {
        "next, once all have committed: aboveboard submit"
    }
    assert desk.close().startswith("each member runs 'aboveboard submit'; then: ")
    assert desk.run_each("submit") == {
        "next, once the center has the result: aboveboard fetch --out result"
    }
    assert desk.close() == f"aboveboard settle {place}"
    assert "each member runs 'aboveboard fetch --out result'" in desk.run(
        "center", "settle", desk.round
    )
    assert desk.run_each("fetch", "--out", "a result") == {
        "next: aboveboard verify 'a result' --mine FILE"
    }
    assert desk.run_each("verify", "a result", "--mine", "own.toml") == {
        "to answer the result: aboveboard accept"
    }
    desk.run_each("accept")
    assert desk.close() == ""


def test_where_a_member_is_late_the_center_reads_how_to_go_on(desk: Desk) -> None:
    desk.run("center", "open", "../c.toml", "--members", "../keys", "--out", desk.round)
    desk.run_each("agree", desk.round)
    desk.close()
    desk.run("bo", "commit", "own.toml")
    said = desk.run("center", "close", desk.round)
    late = f"or, where they are late: aboveboard close '{desk.round}' --without 'Ann und Co'"
    assert late in said.splitlines()
    gone = desk.run("center", "close", desk.round, "--without", "Ann und Co")
    assert "the round is cancelled" in gone
    assert "next:" not in gone


def test_a_name_that_no_round_can_have_is_refused_in_plain_words(desk: Desk) -> None:
    (desk.folder / "c.toml").write_text(FILE.replace("Ann und Co", "Ann & Söhne"), encoding="utf-8")
    with pytest.raises(InputError, match=r"parties\.Ann & Söhne.*called so; begin with a letter"):
        desk.run("center", "open", "../c.toml", "--members", "../keys", "--out", desk.round)
