"""`learning.desirable` on data: sizes are measured and rounded to the grid, models handed out."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import aboveboard as ab
from aboveboard.learning.desirable.file import SizeGrid, round_to_grid

DATA = Path(__file__).parents[1] / "data" / "tumours"
TEXT = """
mechanism = "learning.desirable"
seed = 2
[training]
estimator = "sklearn.linear_model.LogisticRegression"
test = "test.csv"
validation = "validation.csv"
label = "target"
rounds = 2
[training.parameters]
C = 0.1
[valuation]
kind = "growth"
alpha = {alpha}
[grid]
step = {step}
max = 200
{more}
[parties.p]
data = "p.csv"
[parties.q]
data = "q.csv"
"""


def load(folder: Path, *, alpha: float = -0.6, step: int = 10, more: str = "") -> Any:
    for file in DATA.iterdir():
        shutil.copy(file, folder)
    path = folder / "c.toml"
    path.write_text(TEXT.format(alpha=alpha, step=step, more=more))
    return ab.load(path)


@pytest.mark.deep
def test_measured_sizes_are_rounded_down_to_the_grid_and_pay_as_given_ones(tmp_path: Path) -> None:
    collaboration = load(tmp_path)
    settlement: Any = ab.run(collaboration)
    assert settlement.details["exists"]
    sizes = {}
    for name, share in settlement.parties.items():
        sizes[name] = min(int(share.more["measured_size"]) // 10 * 10, 200)
        assert share.more["size"] == sizes[name]
        assert share.reply.form == "skops"
    given = tmp_path / "given.toml"
    head, _, tail = (tmp_path / "c.toml").read_text().partition("[training]")
    market = tail[tail.index("[valuation]") : tail.index("[parties.p]")]
    given.write_text(
        head + market + "".join(f"[parties.{name}]\nsize = {n}\n" for name, n in sizes.items())
    )
    plain: Any = ab.run(ab.load(given))
    for name, share in settlement.parties.items():
        assert share.payment == plain.parties[name].payment
        assert share.utility == plain.parties[name].utility


def test_files_that_are_the_same_are_named(tmp_path: Path) -> None:
    load(tmp_path)
    shutil.copy(tmp_path / "p.csv", tmp_path / "q.csv")
    settlement: Any = ab.run(ab.load(tmp_path / "c.toml"))
    assert any("the files of p and q are the same" in x for x in settlement.details["warnings"])


@pytest.mark.deep
def test_its_promises_are_examined_at_the_measured_sizes(tmp_path: Path) -> None:
    verdicts = ab.audit(load(tmp_path))
    assert verdicts.promises_stand
    assert verdicts["ex-post IC"].status is ab.Status.HOLDS


@pytest.mark.deep
def test_where_there_is_no_such_mechanism_nobody_is_handed_a_model(tmp_path: Path) -> None:
    settlement: Any = ab.run(load(tmp_path, alpha=-0.95, step=1))
    assert not settlement.details["exists"]
    assert all(share.reply.form == "json" for share in settlement.parties.values())
    assert all(share.payment == 0 for share in settlement.parties.values())


def test_a_size_below_the_grid_is_refused_and_said_how(tmp_path: Path) -> None:
    grid = SizeGrid(Fraction(10), 1, 3)
    assert round_to_grid(grid, "a", Fraction(29)) == 20
    assert round_to_grid(grid, "a", Fraction(1000)) == 30
    with pytest.raises(ab.InputError, match="less than the smallest of the grid"):
        round_to_grid(grid, "a", Fraction(9))
    assert round_to_grid(SizeGrid(Fraction(10), 0, 3), "a", Fraction(9)) == 0


def test_a_curve_that_hangs_on_the_training_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ab.InputError, match="it would be fitted to trainings"):
        load(tmp_path, more='[quality]\nkind = "fitted"')
