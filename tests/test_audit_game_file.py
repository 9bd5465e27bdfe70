"""`aboveboard audit` of a game in a file of Gambit, and properties by a mechanism's own names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import aboveboard as ab
from aboveboard.auditing.default_claims import list_default_properties
from aboveboard.cli import app
from aboveboard.collaborations.examination import list_properties
from aboveboard.commands.properties import parse_property
from aboveboard.errors import InputError
from aboveboard.games.gambit_files import read_game

DILEMMA = 'NFG 1 R "Dilemma" { "Row" "Col" } { { "quiet" "talk" } { "quiet" "talk" } }\n'
PAYOFFS = "3 3 5 0 0 5 1 1\n"

ENTRY = """EFG 2 R "Entry" { "Entrant" "Incumbent" }
p "" 1 1 "" { "out" "in" } 0
t "" 1 "" { 0, 4 }
p "" 2 1 "" { "share" "fight" } 0
t "" 2 "" { 2, 2 }
t "" 3 "" { -1, -1 }
"""


def run(*arguments: object):
    return CliRunner().invoke(app, [str(x) for x in arguments])


@pytest.fixture
def dilemma(tmp_path: Path) -> Path:
    path = tmp_path / "dilemma.nfg"
    path.write_text(DILEMMA + PAYOFFS)
    return path


def test_a_strategic_game_is_audited_and_the_first_strategy_is_called_the_truth(dilemma: Path):
    result = run("audit", dilemma, "--format", "json")
    data = json.loads(result.stdout)
    gains = {verdict["property"]: verdict["gain"] for verdict in data["verdicts"]}
    assert gains["ex-post IC"] == 2  # 5 for talking instead of 3, from the table above
    assert "first strategy" in data["remarks"]["truth"]["text"]
    assert result.exit_code == 0  # a game promises nothing


def test_a_property_that_the_user_names_counts(dilemma: Path):
    assert run("audit", dilemma, "--property", "dsic").exit_code == 1
    assert run("audit", dilemma, "--strict").exit_code == 1


def test_an_extensive_game_is_audited(tmp_path: Path):
    path = tmp_path / "entry.efg"
    path.write_text(ENTRY)
    data = json.loads(run("audit", path, "--format", "json").stdout)
    lies = {lie["party"]: (lie["truth"], lie["best_lie"]) for lie in data["best_lies"]}
    assert lies["Entrant"] == (0, 2)  # entering earns 2 where the incumbent shares


def test_the_page_of_a_game_names_its_file_and_fingerprint(dilemma: Path, tmp_path: Path):
    page = tmp_path / "page.html"
    assert run("audit", dilemma, "--report", page).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert "dilemma.nfg" in text
    assert "first strategy is its truth" in text


def test_a_property_without_meaning_on_the_game_is_refused_by_its_name(dilemma: Path):
    result = run("audit", dilemma, "--property", "strong-dominance")
    assert isinstance(result.exception, InputError)
    assert "--property strong-dominance" in str(result.exception)


@pytest.mark.parametrize("name", ["market.propose_and_agree", "learning.desirable"])
def test_every_property_of_a_mechanism_has_a_name_on_the_command_line(name: str, tmp_path: Path):
    from aboveboard.collaborations import find_mechanism
    from aboveboard.commands import write_starting_file

    path = tmp_path / "file.toml"
    write_starting_file(find_mechanism(name, "test"), path)
    offered = list_properties(ab.load(path))
    for claim in offered:
        assert parse_property(claim.name, offered).name == claim.name


def test_an_unknown_property_lists_the_mechanisms_own_names():
    class Solvable(ab.Property):
        name = "root solvable (Definition 1)"

        def examine(self, game, *, budget, seed, progress=None):
            raise NotImplementedError

    with pytest.raises(InputError, match="root-solvable-definition-1"):
        parse_property("nonsense", [Solvable()])
    assert parse_property("root-solvable-definition-1", [Solvable()]).name == Solvable.name


def test_in_python_a_game_is_audited_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "dilemma.nfg"
    path.write_text('NFG 1 R "PD" { "a" "b" } { 2 2 }\n3 3 5 0 0 5 1 1\n')
    verdicts = ab.audit(path)
    assert verdicts["DSIC"].status is ab.Status.FAILS
    assert list(verdicts) == list(ab.audit(str(path), list_default_properties(read_game(path))))
    assert list(ab.audit(path, [ab.ExPostIC()])) == ["ex-post IC"]
    path.write_text('NFG 1 R "PD" { "a" "b" } { 2 2 }\n3 3 5\n')
    with pytest.raises(ab.InputError, match="the file ends here; write a payoff"):
        ab.audit(path)
