"""`aboveboard run --cache`: for training only."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aboveboard.cli import app

DATA = Path(__file__).parents[1] / "data" / "hospitals"
TEXT = """
mechanism = "learning.payments"
seed = 1
[training]
estimator = "sklearn.linear_model.LogisticRegression"
test = "test.csv"
validation = "validation.csv"
label = "diagnosis"
rounds = 1
[valuation]
kind = "linear"
matrix = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
[parties.north]
data = "north.csv"
[parties.south]
data = "south.csv"
[parties.east]
data = "east.csv"
"""


@pytest.mark.deep
def test_a_run_keeps_its_trainings_where_the_option_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in DATA.iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "c.toml").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(app, ["run", "c.toml", "--out", "out", "--cache", "kept"])
    assert ran.exit_code == 0, ran.output
    assert len(list((tmp_path / "kept").glob("learning-*.npz"))) == 2 * 3
