"""A collaboration without files is the collaboration that a file with the same content gives."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import aboveboard as ab

LISTS = {"acme": ["a.example", "b.example"], "bolt": ["b.example", "c.example", "d.example"]}


def from_file(folder: Path, text: str) -> ab.Settlement:
    path = folder / "c.toml"
    path.write_text(text)
    return ab.run(path)


def replies(settlement: object) -> dict[str, list]:
    shares = settlement.parties  # type: ignore[attr-defined]
    return {name: share.reply.rows().to_dicts() for name, share in shares.items()}


def frames(kind: str) -> dict[str, object]:
    data = {name: pl.DataFrame({"host": x, "seen": range(len(x))}) for name, x in LISTS.items()}
    if kind == "polars":
        return dict(data)
    if kind == "rows":
        return {name: frame.to_dicts() for name, frame in data.items()}
    if kind == "columns":
        return {name: frame.to_dict(as_series=False) for name, frame in data.items()}
    pytest.importorskip("pyarrow")
    if kind == "pyarrow":
        return {name: frame.to_arrow() for name, frame in data.items()}
    pytest.importorskip("pandas")
    return {name: frame.to_pandas() for name, frame in data.items()}


def make_arrow(elements: list[str]) -> object:
    return pytest.importorskip("pyarrow").array(elements)


@pytest.mark.parametrize(
    "make",
    [list, set, tuple, frozenset, lambda x: {"elements": x}, iter, np.array, pl.Series, make_arrow],
)
def test_lists_sets_and_tables_are_what_a_file_lists(make, tmp_path: Path) -> None:
    found = ab.collaborate(
        "exchange.union", {n: make(x) for n, x in LISTS.items()}, seed=7, exclusivity=0.5
    )
    expected = from_file(
        tmp_path,
        'mechanism = "exchange.union"\nseed = 7\nexclusivity = 0.5\n'
        + "".join(f"[parties.{name}]\nelements = {x}\n" for name, x in LISTS.items()),
    )
    assert replies(found) == replies(expected)
    assert found.parties["acme"].benefit == expected.parties["acme"].benefit
    assert ab.audit(found, [ab.ExPostIC()])["ex-post IC"].status == "holds"


@pytest.mark.parametrize("kind", ["columns", "rows", "polars", "pyarrow", "pandas"])
def test_frames_are_what_a_csv_file_holds(kind: str, tmp_path: Path) -> None:
    found = ab.collaborate("exchange.union", frames(kind), key="host", seed=7)
    for name, frame in frames("polars").items():
        frame.write_csv(tmp_path / f"{name}.csv")
    expected = from_file(
        tmp_path,
        'mechanism = "exchange.union"\nseed = 7\n'
        + "".join(f'[parties.{n}]\ndata = "{n}.csv"\nkey = "host"\n' for n in LISTS),
    )
    assert {name: [row["host"] for row in rows] for name, rows in replies(found).items()} == {
        name: [row["host"] for row in rows] for name, rows in replies(expected).items()
    }


def test_numbers_are_taken_exactly() -> None:
    points = {"a": [0.1, Fraction(1, 3)], "b": np.array([0.5, 0.25]).tolist()}
    assert ab.collaborate("exchange.average", points).reports["a"] == (
        Fraction(1, 10), Fraction(1, 3),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reports", "parameters", "fault"),
    [
        (LISTS, {"hidding": "partial"}, "did you mean 'hiding'"),
        (LISTS, {"rule": "three-party"}, "it is for 3 parties and there are 2"),
        ({"a": 3}, {}, "a report cannot be of type int"),
        ({"a/b": ["x"]}, {}, "this cannot be a party's name"),
    ],
)
def test_python_refuses_what_a_file_refuses(reports, parameters, fault: str) -> None:
    with pytest.raises(ab.InputError) as raised:
        ab.collaborate("exchange.union", reports, **parameters)
    assert fault in str(raised.value)
    assert str(raised.value).startswith("collaborate: ")


def test_its_repr_is_one_short_line() -> None:
    shown = repr(ab.collaborate("exchange.union", LISTS))
    assert "exchange.union, 2 parties" in shown
    assert len(shown) < 100
