"""Text in a narrow terminal: sentences wrap, and tables that do not fit are stacked."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from aboveboard.cli import app
from aboveboard.cli.layout import fit_table

HEAD = ["party", "gains", "that lie"]
ROWS = [["anna", "5", "hides one, two, three"], ["bert", "1,200", ""]]

LISTS = """
mechanism = "exchange.union"
kind = "domain"
seed = 7
[parties."a company with a rather long name"]
elements = ["a.example", "b.example", "c.example", "d.example"]
[parties.bert]
elements = ["c.example", "d.example", "e.example"]
[parties.cleo]
elements = ["d.example", "x.example", "y.example"]
"""


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    path = tmp_path / "l.toml"
    path.write_text(LISTS)
    return path


def test_a_table_that_fits_is_set_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert fit_table(HEAD, ROWS, right=[1]).splitlines()[1] == "anna       5  hides one, two, three"


def test_a_table_that_is_too_wide_is_stacked_and_loses_no_cell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    wide = [[*row, "x" * 20] for row in ROWS]
    shown = fit_table([*HEAD, "more"], wide, right=[1], notes=[("a note",), ()])
    assert max(map(len, shown.splitlines())) <= 40
    for cell in ("anna", "5", "hides one, two,", "three", "1,200", "x" * 20, "a note"):
        assert cell in shown


def test_in_a_pipe_a_wide_table_stays_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    wide = [["anna", "x" * 200], ["bert", "y" * 200]]
    assert len(fit_table(["party", "text"], wide).splitlines()) == 3


@pytest.mark.parametrize("command", ["run", "audit", "check", "compare"])
def test_no_line_is_longer_than_sixty_columns(
    command: str, lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.chdir(lists.parent)
    options = {"run": ["--out", "s"], "compare": ["--rules", "equal-gain,best-group"]}
    result = CliRunner().invoke(app, [command, "l.toml", *options.get(command, [])])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    longest = max(result.stdout.splitlines(), key=len)
    assert len(longest) <= 60, longest
