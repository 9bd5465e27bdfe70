"""Collaborations, settlements and verdicts in a Python session: frames, short texts, pages."""

from __future__ import annotations

import re
import warnings
from fractions import Fraction
from pathlib import Path
from subprocess import run as run_program
from sys import executable

import pytest

import aboveboard as ab
from aboveboard.errors import InputError
from aboveboard.mechanisms.settlement import Reply, Settlement, Share

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def lists() -> ab.Collaboration:
    data = {"acme": {"a.example", "b.example"}, "bolt": ["b.example", "c.example"]}
    return ab.collaborate("exchange.union", data, kind="domain", seed=7)


def test_a_settlement_becomes_a_frame_with_a_row_for_each_party():
    shares = {
        "ann": Share(Fraction(5, 2), 2, Fraction(-1, 3), Reply("json"), {"goods": ["x"]}),
        "bob": Share(1, None, 0, Reply("json"), {"level": "high"}),
    }
    frame = Settlement("mine", shares).to_frame()
    assert frame.columns == ["party", "benefit", "utility", "payment", "goods", "level"]
    assert frame.row(0) == ("ann", 2.5, 2.0, -1 / 3, ["x"], None)
    assert frame.row(1) == ("bob", 1.0, None, 0.0, None, "high")


def test_verdicts_become_a_frame(lists: ab.Collaboration):
    frame = ab.audit(lists, [ab.DSIC(), ab.ExPostIC()]).to_frame()
    assert frame["property"].to_list() == ["DSIC", "ex-post IC"]
    assert frame["status"].to_list() == ["fails", "holds"]


def test_texts_of_results_are_short(lists: ab.Collaboration):
    settlement, verdicts = ab.run(lists), ab.audit(lists, [ab.DSIC()])
    for result in (lists, settlement, settlement.parties["acme"], verdicts["DSIC"]):
        assert len(repr(result)) < 120
    many = {f"party {k}": Share(k, k, 0, Reply("json")) for k in range(1000)}
    assert len(repr(Settlement("mine", many))) < 200


def test_a_collaboration_writes_its_page(lists: ab.Collaboration, tmp_path: Path):
    path = lists.report(tmp_path / "page.html")
    page = path.read_text(encoding="utf-8")
    assert "Is anyone better off lying?" in page
    assert "best lie" in page


def test_a_settlement_writes_a_page_that_says_lies_were_not_searched(
    lists: ab.Collaboration, tmp_path: Path
):
    page = ab.run(lists).report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Lies were not searched" in page


def test_a_page_that_cannot_be_written_is_refused_before_the_run(lists: ab.Collaboration):
    with pytest.raises(InputError, match="not a folder"):
        lists.report(Path(__file__) / "page.html")


def test_a_cell_of_a_notebook_shows_results_without_a_warning(lists: ab.Collaboration):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for result in (ab.run(lists), ab.audit(lists, [ab.DSIC()])):
            assert "<table" in result._repr_html_()


def test_more_privacy_may_be_spent_from_python_as_the_ledger_says():
    from aboveboard.valuation.estimation.ledger import REMEDY

    assert "spend=True" in REMEDY
    assert "spend" in ab.run.__kwdefaults__


@pytest.mark.deep
def test_the_readmes_example_is_typed_as_a_user_checks_it(tmp_path: Path):
    check_types(find_block("README.md", "```python"), tmp_path)


@pytest.mark.deep
def test_a_mechanism_and_a_property_of_ones_own_are_typed_as_the_docs_say(tmp_path: Path):
    check_types(find_block("docs/how-to/own-mechanism.md", '```python title="quota.py"'), tmp_path)


GAME = """
from collections.abc import Sequence

import aboveboard as ab


class Alone:
    players = ("ann",)

    def actions(self, i: int) -> Sequence[str]:
        return ["low", "high"]

    def truth(self, i: int) -> {kind}:
        return {truth}

    def absent(self, i: int) -> None:
        return None

    def payoffs(self, profile: Sequence[str]) -> Sequence[int]:
        return [len(profile[0])]


game: ab.Game[str] = Alone()
table: ab.Game[int] = ab.TabularGame([[0, 1]])
anything: ab.Game = table
print(ab.audit(game, [ab.DSIC()]), ab.audit([anything, table], [ab.DSIC()]))
"""


@pytest.mark.deep
def test_a_game_of_ones_own_says_what_its_actions_are(tmp_path: Path):
    check_types(GAME.format(kind="str", truth='"low"'), tmp_path)
    with pytest.raises(AssertionError, match=r"truth\(self, int, /\) -> str"):
        check_types(GAME.format(kind="int", truth="0"), tmp_path)


def find_block(page: str, opening: str) -> str:
    """Return the first block of a page that opens so."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.search(rf"{re.escape(opening)}\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


def check_types(code: str, folder: Path) -> None:
    """Check code as a user does who installs the package."""
    (folder / "example.py").write_text(code, encoding="utf-8")
    command = [executable, "-m", "mypy", "--strict", "example.py"]
    done = run_program(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
