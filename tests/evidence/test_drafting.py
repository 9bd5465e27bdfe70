"""Collaboration files from which no terms can be made are refused in words."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aboveboard.cli import app
from aboveboard.collaborations.registry import find_mechanism, load_mechanisms
from aboveboard.commands.rounds import make_keys, open_collaboration
from aboveboard.commands.rounds.drafting import collect_files, draft_table
from aboveboard.errors import InputError
from aboveboard.evidence.rounds import Round

REPORTED = {
    *("data", "elements"),
    *("point", "interval"),
    *("bits", "numbers", "coins"),
    *("values", "size"),
}
"""What parties report, listed here anew: lists, points, bits and numbers, samples."""

NUMBERS = """
mechanism = "curation.fair"
[function]
kind = "median"
thresholds = [1, 2, 3]
range = [0, 4]
[center]
data = "c.csv"
[parties.acme]
price = 0.1
numbers = [3]
coins = "acme's secret"
[parties.bolt]
price = 0.1
bits = [0]
"""
PARTIES = "[parties.acme]\n[parties.bolt]\n"


def draft(folder: Path, text: str, mechanism: str = "exchange.union") -> Round:
    """Open a round of two members from the text of a collaboration file."""
    (folder / "members").mkdir()
    for name in ("acme", "bolt"):
        keys = make_keys(folder / name)
        public = f'{{"sealing":"{keys.sealing}","signing":"{keys.signing}"}}'
        (folder / "members" / f"{name}.json").write_text(public)
    (folder / "c.toml").write_text(f'mechanism = "{mechanism}"\nkind = "domain"\n{text}')
    return open_collaboration(folder / "c.toml", folder / "members", folder / "round")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[parties]\nacme = 3\nbolt = {}\n", "parties|members.acme"),
        (f"sees = 3\n{PARTIES}", "write a table"),
        (f'sees = "all"\n{PARTIES}', "write a table"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        draft(tmp_path, text)


def test_a_text_that_is_too_long_for_a_name_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"key 'rule'.*it is 'aaaa"):
        draft(tmp_path, f'rule = "{"a" * 300}"\n{PARTIES}')


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            f'hidding = "partial"\n{PARTIES}',
            "line 3: key 'hidding': no such key; did you mean 'hiding'",
        ),
        (f'hiding = "partly"\n{PARTIES}', "key 'hiding'"),
        ('[parties.acme]\nkeey = "domain"\n[parties.bolt]\n', "key 'parties.acme.keey'"),
        ("[parties.acme]\nkey = 3\n[parties.bolt]\n", "key 'parties.acme.key'"),
    ],
)
def test_terms_that_the_mechanism_does_not_take_are_refused_before_anybody_signs(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        draft(tmp_path, text)
    assert not (tmp_path / "round").exists()


def test_an_unknown_mechanism_is_refused_before_anybody_signs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"did you mean 'exchange\.union'"):
        draft(tmp_path, PARTIES, mechanism="exchange.unoin")


@pytest.mark.parametrize("name", sorted(load_mechanisms()))
def test_every_starting_file_makes_terms_without_what_its_parties_report(
    tmp_path: Path, name: str
) -> None:
    start = find_mechanism(name, "here").STARTING_FILE
    (tmp_path / "c.toml").write_text(start)
    table = draft_table(tmp_path / "c.toml").table
    parties = tomllib.loads(start)["parties"]
    assert table["parties"] == {
        party: {key: x for key, x in own.items() if key not in REPORTED}
        for party, own in parties.items()
    }


def test_numbers_and_the_secret_of_coins_are_not_in_the_terms(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(NUMBERS)
    table = draft_table(tmp_path / "c.toml").table
    assert table["parties"] == {"acme": {"price": 0.1}, "bolt": {"price": 0.1}}


def test_a_file_with_data_makes_a_round_in_which_each_member_commits_its_own(
    tmp_path: Path,
) -> None:
    text = '[parties.acme]\ndata = "acme.txt"\n[parties.bolt]\nelements = ["secret.example"]\n'
    round_ = draft(tmp_path, text)
    assert b"secret" not in b"".join(p.read_bytes() for p in (tmp_path / "round").rglob("*.json"))
    assert [dict(m.parameters) for m in round_.terms.members.values()] == [{}, {}]
    assert draft_table(tmp_path / "c.toml").left_out.endswith("data of acme; elements of bolt")


def test_a_file_from_standard_input_makes_a_round(tmp_path: Path) -> None:
    draft(tmp_path, PARTIES)
    text = '[parties.acme]\nelements = ["secret.example"]\n[parties.bolt]\n'
    given = ["open", "-", "--members", str(tmp_path / "members"), "--out", str(tmp_path / "second")]
    head = '\ufeffmechanism = "exchange.union"\nkind = "domain"\n'
    done = CliRunner().invoke(app, given, input=head + text, catch_exceptions=False)
    assert done.exit_code == 0
    assert "elements of acme" in " ".join(done.output.split())
    assert b"secret" not in (tmp_path / "second" / "terms.json").read_bytes()


@pytest.mark.parametrize("key", ["bits", "numbers"])
def test_the_centers_own_data_stay_in_a_file_and_the_message_says_which(
    tmp_path: Path, key: str
) -> None:
    with pytest.raises(InputError) as refused:
        collect_files({"center": {key: [1, 0]}}, tmp_path)
    assert refused.value.place == f"key 'center.{key}'"
    assert refused.value.remedy == 'write them to a file, one a line: data = "center.csv"'
