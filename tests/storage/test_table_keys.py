"""How tables are read can be stated wherever tables of numbers are data: learning, valuation."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

import aboveboard as ab
from aboveboard.errors import InputError
from aboveboard.storage.keys import write_keys
from aboveboard.storage.options import DataOptions
from aboveboard.storage.tabular_files import read_table

SAMPLES = """
mechanism = "valuation.payments"
seed = 4
[utility]
kind = "federated-mean"
s2 = 0.5
t2 = 2
[data]
{keys}
file = "{file}"
user = "wer"
value = "höhe"
level = "stufe"
"""

ROWS = [("anna", "1.234", 2), ("anna", "2.5", 2), ("bert", "5.125", 1), ("bert", "4", 1)]


def test_samples_of_a_spreadsheet_with_commas_and_umlauts_are_read_as_stated(
    tmp_path: Path,
) -> None:
    plain = "wer,höhe,stufe\n" + "".join(f"{a},{b},{c}\n" for a, b, c in ROWS)
    # 1,234 alone could also be a thousand: the file says that it is not.
    odd = "wer|höhe|stufe\n" + "".join(f"{a}|{b.replace('.', ',')}|{c}\n" for a, b, c in ROWS)
    (tmp_path / "plain.csv").write_text(plain, encoding="utf-8")
    (tmp_path / "odd.csv").write_bytes(odd.encode("cp1252"))
    settlements = []
    keys = 'delimiter = "|"\nencoding = "cp1252"\ndecimal = ","'
    for name, stated in (("plain.csv", ""), ("odd.csv", keys)):
        path = tmp_path / f"{name}.toml"
        path.write_text(SAMPLES.format(file=name, keys=stated), encoding="utf-8")
        settlements.append(ab.run(path))
    first, second = settlements
    assert first.parties.keys() == second.parties.keys() == {"anna", "bert"}
    for name, share in first.parties.items():
        assert share.payment == second.parties[name].payment
    path.write_text(SAMPLES.format(file="odd.csv", keys=""), encoding="utf-8")
    with pytest.raises(ab.InputError, match="this is not UTF-8"):
        ab.run(path)


LEARNING = """
mechanism = "learning.payments"
seed = 1
counterfactual = "all"
[training]
estimator = "sklearn.linear_model.LogisticRegression"
method = "pooled"
test = "test.csv"
label = "late"
{top}
[valuation]
kind = "linear"
matrix = [[1, "0.1"], ["0.1", 1]]
[parties.a]
data = "{a}"
{own}
[parties.b]
data = "b.csv"
"""


def write_rows(path: Path, delimiter: str, comma: str, *, seed: int, rows: int = 40) -> None:
    """Write rows of two features and a label."""
    rng = random.Random(seed)
    lines = [delimiter.join(("distance", "load", "late"))]
    for _ in range(rows):
        x, y = rng.uniform(-2, 2), rng.uniform(-2, 2)
        cells = [f"{x:.3f}".replace(".", comma), f"{y:.3f}".replace(".", comma)]
        lines.append(delimiter.join([*cells, str(int(x + y + rng.gauss(0, 0.5) > 0))]))
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("top", ["", 'delimiter = ","'])
def test_one_party_of_training_may_write_numbers_its_own_way(tmp_path: Path, top: str) -> None:
    write_rows(tmp_path / "test.csv", ",", ".", seed=1)
    write_rows(tmp_path / "b.csv", ",", ".", seed=2)
    write_rows(tmp_path / "a.csv", ",", ".", seed=3)
    write_rows(tmp_path / "odd.csv", ":", ",", seed=3)
    found = []
    for name, own in (("a.csv", ""), ("odd.csv", 'delimiter = ":"\ndecimal = ","')):
        text = LEARNING.format(a=name, own=own, top=top)
        (tmp_path / "c.toml").write_text(text)
        found.append(ab.run(tmp_path / "c.toml").details["quality"])
    assert found[0] == found[1]


def test_a_sheet_of_several_is_named_for_training(tmp_path: Path) -> None:
    write_rows(tmp_path / "test.csv", ",", ".", seed=1)
    write_rows(tmp_path / "b.csv", ",", ".", seed=2)
    write_rows(tmp_path / "a.csv", ",", ".", seed=3)
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    book.add_worksheet("notes").write(0, 0, "nothing")
    sheet = book.add_worksheet("rows")
    for row, line in enumerate((tmp_path / "a.csv").read_text().splitlines()):
        for column, cell in enumerate(line.split(",")):
            sheet.write(row, column, float(cell) if row else cell)
    book.close()
    qualities = []
    for name, own in (("a.csv", ""), ("a.xlsx", 'sheet = "rows"')):
        text = LEARNING.format(a=name, own=own, top="")
        (tmp_path / "c.toml").write_text(text)
        qualities.append(ab.run(tmp_path / "c.toml").details["quality"])
    assert qualities[0] == qualities[1]
    (tmp_path / "c.toml").write_text(text.replace('sheet = "rows"', ""))
    with pytest.raises(ab.InputError, match="set sheet to one of"):
        ab.run(tmp_path / "c.toml")


@pytest.mark.parametrize(
    ("name", "content", "path"),
    [
        ("a.json", [{"x": 1, "y": 2.5, "z": "p"}, {"x": 3, "y": 4, "z": None}], None),
        ("a.json", {"data": [{"x": 1, "y": 2.5, "z": "p"}, {"x": 3, "y": 4}]}, None),
        ("a.txt", {"a": [{"b.c": [{"x": 1, "y": 2.5, "z": "p"}, {"x": 3, "y": 4}]}], "n": [{}]},
         'a[]["b.c"][]'),
    ],
)  # fmt: skip
def test_rows_of_json_are_a_table(
    tmp_path: Path, name: str, content: object, path: str | None
) -> None:
    (tmp_path / name).write_text(json.dumps(content))
    frame, line = read_table(tmp_path / name, "p", DataOptions(path=path))
    assert frame.columns == ["x", "y", "z"]
    assert frame.rows() == [(1, 2.5, "p"), (3, 4.0, None)]
    assert line(1) == "entry 2"


def test_json_lines_are_rows(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"x": 1, "y": true}\n{"x": "b", "y": false}\n')
    frame, line = read_table(tmp_path / "a.jsonl", "p")
    assert frame.rows() == [("1", True), ("b", False)]
    assert line(0) == "line 1"


@pytest.mark.parametrize(
    ("content", "path", "words"),
    [
        ({"a": [{"x": 1}], "b": [{"x": 1}]}, None, "set path to one of: 'a[]' and 'b[]'"),
        ({"a": [1, 2]}, "a[]", "entry 1 at path 'a[]' is not an object with fields"),
        ([{"x": [1]}], None, "the column 'x' holds lists or objects"),
        ({"a": 1}, None, "write a list of objects"),
        ({"a": []}, "a[]", "there are no rows at path 'a[]'"),
    ],
)
def test_json_that_is_no_table_is_refused_as_what_it_is(
    tmp_path: Path, content: object, path: str | None, words: str
) -> None:
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=re.escape(words)):
        read_table(tmp_path / "a.json", "p", DataOptions(path=path))


def test_samples_for_a_valuation_may_stand_in_json(tmp_path: Path) -> None:
    rows = [{"wer": a, "höhe": float(b), "stufe": c} for a, b, c in ROWS]
    (tmp_path / "a.json").write_text(json.dumps({"rows": rows, "other": [{"wer": "cleo"}]}))
    plain = "wer,höhe,stufe\n" + "".join(f"{a},{b},{c}\n" for a, b, c in ROWS)
    (tmp_path / "b.csv").write_text(plain, encoding="utf-8")
    found = []
    for name, keys in (("a.json", 'path = "rows[]"'), ("b.csv", "")):
        path = tmp_path / f"{name}.toml"
        path.write_text(SAMPLES.format(file=name, keys=keys), encoding="utf-8")
        found.append({n: share.payment for n, share in ab.run(path).parties.items()})
    assert found[0] == found[1]


@pytest.mark.parametrize("other", [None, b"n/a", bytes.fromhex(32 * "ab")])
def test_digits_of_a_hash_kept_as_bytes_stay_beside_any_other_row(other: bytes | None) -> None:
    keys = pl.Series("sha256", [b"d0" * 32, other], dtype=pl.Binary)
    written, _ = write_keys(keys, "a.parquet", "hash")
    assert written[0] == "d0" * 32
    assert other is None or written[1] == other.hex()
