"""A mechanism of the user's own, named by a collaboration file that lies beside its module."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard import commands
from aboveboard.cli.text import audit_text
from aboveboard.collaborations.loading import find_named_rule
from aboveboard.errors import BudgetExceeded, InputError
from aboveboard.settlements.replaying import replay

RULE = '''
from pydantic import BaseModel, Field
import aboveboard as ab
from aboveboard.errors import BudgetExceeded
from aboveboard.mechanisms import CollaborationFile, Mechanism, Reply, Settlement, Share


class Member(BaseModel):
    value: int = Field(description="""what it names,
    in euros = cents""")


class ClubFile(CollaborationFile):
    parties: dict[str, Member]


class Club(Mechanism):
    """Everybody gets the highest number that somebody names."""

    NAME, FILE = "club:Club", ClubFile

    @classmethod
    def from_file(cls, file):
        return cls()

    @staticmethod
    def read_reports(file, read):
        return {name: member.value for name, member in file.parties.items()}

    def settle(self, reports):
        top = max(reports.values())
        return Settlement(
            self.NAME, {n: Share(top, top, 0, Reply("json", data=top)) for n in reports}
        )

    def game(self, types):
        {GAME}
        return ab.tabulate(
            lambda bids: max(bids.values()),
            lambda party, value, top: top,
            {n: range(4) for n in types}, types,
        )

    def true_utility(self, party, types, reports, settlement):
        return settlement.parties[party].benefit

    def promises(self, types):
        return (ab.DSIC(),)
'''

FILE = """
mechanism = "club:Club"
seed = 1
[parties.ann]
value = 1
[parties.bea]
value = 3
"""


def _club(folder: Path, module: str = RULE.replace("{GAME}", "pass"), file: str = FILE) -> Path:
    (folder / "club.py").write_text(module)
    path = folder / "club.toml"
    path.write_text(file)
    return path


def test_it_runs_replays_and_is_audited_like_ours(tmp_path: Path) -> None:
    collaboration = ab.load(_club(tmp_path), trust_code=True)
    settlement, lies = commands.settle(collaboration, tmp_path / "out")
    assert settlement.parties["ann"].benefit == 3
    assert [lie.party for lie in lies] == ["ann", "bea"]
    verdict = commands.audit_collaboration(collaboration).verdicts["DSIC"]
    assert verdict.status == ab.audit(collaboration.game(), [ab.DSIC()])["DSIC"].status
    assert replay(tmp_path / "out", commands.settle, trust_code=True).differ == ()


def test_its_code_is_an_input_so_that_a_replay_sees_a_change(tmp_path: Path) -> None:
    commands.settle(ab.load(_club(tmp_path), trust_code=True), tmp_path / "out")
    _club(tmp_path, RULE.replace("{GAME}", "pass").replace("max(reports", "min(reports"))
    with pytest.raises(InputError, match="club:Club"):
        replay(tmp_path / "out", commands.settle, trust_code=True)


def test_a_class_that_lacks_a_part_is_told_which(tmp_path: Path) -> None:
    path = _club(tmp_path, "class Club:\n    NAME = 'x'\n")
    with pytest.raises(InputError, match="it has no FILE, from_file, read_reports, settle"):
        ab.load(path, trust_code=True)


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("nowhere:Club", 'write "module:Class"; nowhere.py must lie beside the file'),
        ("club:Clubb", "did you mean 'club:Club'?"),
        ("club:Zzz", 'fix club.py, or write "club:Class" with a class that it defines'),
    ],
)
def test_a_name_that_is_not_found_is_told_what_would_be_right(
    tmp_path: Path, name: str, right: str
) -> None:
    path = _club(tmp_path, file=FILE.replace("club:Club", name))
    with pytest.raises(InputError) as refusal:
        ab.load(path, trust_code=True)
    assert refusal.value.remedy == right


def test_a_report_that_its_game_does_not_know_is_for_its_author_to_refuse(tmp_path: Path) -> None:
    path = _club(tmp_path, RULE.replace("{GAME}", 'raise ValueError("3 is not a bid")'))
    with pytest.raises(InputError, match=r"3 is not a bid; let `read_reports` refuse it, or widen"):
        commands.audit_collaboration(ab.load(path, trust_code=True))


@pytest.mark.parametrize(
    ("where", "does"),
    [
        ("return cls()", commands.settle),
        ("top = max(reports.values())", commands.settle),
        ("pass", commands.settle),
        ("pass", lambda collaboration, _: commands.audit_collaboration(collaboration)),
    ],
)
def test_what_it_raises_is_one_line_that_says_where(tmp_path: Path, where: str, does) -> None:
    broken = RULE.replace("{GAME}", "pass").replace(where, 'raise KeyError("lost")')
    line = broken.splitlines().index(next(each for each in broken.splitlines() if "lost" in each))
    path = _club(tmp_path, broken)
    with pytest.raises(InputError) as refusal:
        does(ab.load(path, trust_code=True), tmp_path / "out")
    said = str(refusal.value)
    assert "mechanism 'club:Club': it fails with KeyError: 'lost'" in said
    assert f"(club.py, line {line + 1})" in said
    assert "\n" not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ('Reply("json", data={1, 2})', "the reply of ann is not JSON: Object of type set"),
        ('Reply("json", data=Fraction(1, 2))', "the reply of ann is not JSON: Object of type Frac"),
        ('Reply("pickle", data=1)', "the reply of ann has the form 'pickle'"),
        ('Reply("csv", rows=lambda: 3)', "the reply of ann is of int"),
        ('Reply("csv", rows=lambda: 1 / 0)', "it fails with ZeroDivisionError"),
        ('Reply("json", content="x")', "the reply of ann has no bytes"),
        ('Reply("json", data=top), {"x": object()}', "its shares, or its details, is not JSON"),
    ],
)
def test_a_reply_that_no_file_can_hold_is_refused_before_anything_is_written(
    tmp_path: Path, reply: str, said: str
) -> None:
    module = "from fractions import Fraction\n" + RULE.replace("{GAME}", "pass")
    path = _club(tmp_path, module.replace('Reply("json", data=top)', reply))
    with pytest.raises(InputError, match=re.escape(said)):
        commands.settle(ab.load(path, trust_code=True), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_game_too_large_to_write_out_names_the_file(tmp_path: Path) -> None:
    path = _club(tmp_path, RULE.replace("{GAME}", 'raise BudgetExceeded("too many bids")'))
    collaboration = ab.load(path, trust_code=True)
    _, lies = commands.settle(collaboration, tmp_path / "out")
    assert not lies
    with pytest.raises(BudgetExceeded, match=r"club\.toml: too many bids"):
        commands.audit_collaboration(collaboration)


def test_a_lie_that_a_sampled_verdict_overlooked_is_a_failure(tmp_path: Path) -> None:
    # Among 2 times 59 lies one pays: a verdict may draw 3 of a party, a party's best lie all 59.
    rule = RULE.replace("{GAME}", "pass").replace("range(4)", "range(60)")
    rule = rule.replace("lambda bids: max(bids.values())", "lambda bids: bids")
    rule = rule.replace(
        "lambda party, value, top: top", "lambda p, value, bids: int(bids[p] == 37)"
    )
    rule = rule.replace("Share(top, top, 0", "Share(0, int(reports[n] == 37), 0")
    rule = rule.replace("settlement.parties[party].benefit", "int(reports[party] == 37)")
    path = _club(tmp_path, rule)
    audit = commands.audit_collaboration(
        ab.load(path, trust_code=True), [ab.ExPostIC()], ab.Budget(rows=100, samples=3)
    )
    assert audit.verdicts["ex-post IC"].status == "fails"
    assert {lie.report for lie in audit.overlooked} == {"reports 37"}
    assert audit.fails
    assert "the search for each party's best lie found it" in audit_text(audit)
    assert "Lying pays" in audit.report()


def test_init_and_mechanisms_take_a_class_of_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _club(tmp_path)
    monkeypatch.chdir(tmp_path)
    rule = find_named_rule("club:Club", "here")
    assert commands.describe_mechanism(rule)["name"] == "club:Club"
    commands.write_starting_file(rule, Path("mine.toml"))
    text = Path("mine.toml").read_text()
    assert text.startswith('mechanism = "club:Club"\n')
    assert text.count("# needed: what it names, in euros = cents\n") == 2
    Path("mine.toml").write_text(re.sub(r"# value =", "value = 3", text))
    assert ab.load("mine.toml", trust_code=True).reports == {"anna": 3, "bert": 3}
    with pytest.raises(InputError, match="nowhere"):
        find_named_rule("nowhere:Club", "here")
