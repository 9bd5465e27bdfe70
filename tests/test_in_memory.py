"""A collaboration without files is the collaboration that a file with the same content gives."""

from __future__ import annotations

from collections import deque
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

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
    shares = settlement.parties
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


def count_union(one: object, other: object, **parameters: Any) -> object:
    lists = {"acme": one, "bolt": other}
    return ab.run(ab.collaborate("exchange.union", lists, seed=7, **parameters)).details["union"]


UUIDS = [UUID(int=1), UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2], ["1", "2"]), ([1, 2.5], np.array([1.0, 2.5])), (range(1, 3), {1.0, 2.0}),
        (pl.Series([1, 2]), [Decimal("1.0"), Decimal(2)]), ([True, False], ["true", "FALSE"]),
        ([date(2026, 1, 1)], np.array(["2026-01-01"], dtype="datetime64[s]")),
        ([datetime(2026, 1, 1)], ["2026-01-01"]), (UUIDS, [str(x) for x in UUIDS]),
        ({"k": UUIDS}, [str(x) for x in UUIDS]), ({1: 0, 2: 0}.keys(), deque([1, 2])),
        ({"x": "a", "y": "b"}.values(), ["a", "b"]), ([np.int64(1), 2.5], ["1", "2.5"]),
        ([np.True_], ["true"]), ({np.float32(0.5)}, [0.5]),
    ],
)  # fmt: skip  # read as a table
def test_elements_of_one_value_are_one_whatever_holds_them(one: object, other: Any) -> None:
    assert count_union(one, other) == count_union(other, one) == len(other)


def test_columns_of_pandas_and_pyarrow_keep_their_types() -> None:
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    times = pd.Series(pd.to_datetime(["2026-01-01 01:00"]).tz_localize("Europe/Berlin"))
    assert count_union(times, ["2026-01-01T00:00:00Z"]) == 1
    assert count_union(pd.array([1, 2], dtype="Int64"), ["1", "2"]) == 2
    assert count_union(pd.DataFrame({"k": UUIDS}), list(map(str, UUIDS))) == 2
    stored = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([UUIDS[1].bytes], pa.binary(16)))
    assert count_union(pa.table({"k": stored}), [str(UUIDS[1])]) == 1
    wide = pa.array([Decimal("1.50")], pa.decimal256(60, 2))
    assert count_union(pa.table({"k": wide}), ["1.5"]) == count_union(wide, ["1.5"]) == 1
    assert count_union(pa.table({"k": pa.array([0], pa.timestamp("s", "+05:30"))}),
                       ["1970-01-01T00:00:00Z"]) == 1  # fmt: skip
    indexed = pd.DataFrame({"k": ["a", "b"], "n": [1, 2]}).set_index("k")
    assert count_union(indexed, ["a", "b"], key="k") == 2
    sparse = pd.DataFrame({"k": ["a", "b"], "n": pd.arrays.SparseArray([0, 1])})
    assert count_union(sparse, ["a", "b"], key="k") == 2
    numbered = pd.DataFrame({1: pd.Series(["a", "b"], dtype=object)})
    assert count_union(numbered, ["a", "b"], key="1") == 2
    for columns in (["k", "n", "n"], ["k", "1", 1]):
        with pytest.raises(ab.InputError, match=f"names the column '{columns[-1]}' more than once"):
            count_union(pd.DataFrame([["a", 1, 2]], columns=columns), ["a"], key="k")


@pytest.mark.parametrize(
    ("report", "fault"),
    [
        (["a", 1], "element 2 is 1, and others are texts"),
        ({"k": "a.example"}, "its column 'k' is 'a.example', and not a list"),
        (pl.DataFrame({"k": pl.Series([object()], dtype=pl.Object)}), "holds objects of Python"),
        (pl.DataFrame(), "its frame has no columns"),
        ([1.0, float("nan")], "row 2: the key 'element' is nan"),
        ([1, None], "row 2: the key 'element' is empty"),
        (
            np.array(["2026-01-01", "NaT"], dtype="datetime64[D]"),
            "row 2: the key 'element' is empty",
        ),
        (np.array([1], dtype="timedelta64[ps]"), "have no exact value in microseconds"),
        (np.array(["9999999-01-01"], dtype="datetime64[D]"), "have no exact value"),
        (np.array([3], dtype="timedelta64[M]"), "have no exact value"),
        ({1, "a"}, "and others are texts"),
        ([1, True], "element 2 is True, and others are of another type"),
        ([1.5, 1 << 60], "element 2 is 1152921504606846976, and others are of another type"),
        ([0.5, Decimal("0.1000000000000000000001")], "element 2 .* are of another type"),
        ([Fraction(1, 3), 0.5], "element 2 is 0.5, and others are of another type"),
        ([datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)], "are of another type"),
        ([1 << 130], "its frame cannot be read"),
        ({"k": [1.5, 1 << 60]}, "column 'k': element 2 is .* of another type"),
    ],
)
def test_a_report_that_is_no_list_of_elements_is_refused(report: object, fault: str) -> None:
    with pytest.raises(ab.InputError, match=fault):
        count_union(report, ["a"])


@pytest.mark.parametrize("report", [pl.DataFrame({"k": [1.0]}), {"k": [1.0]}])
def test_a_table_is_refused_where_no_party_has_one(report: object) -> None:
    with pytest.raises(
        ab.InputError, match="does not report a table; write a list, or a dict with"
    ):
        ab.collaborate("exchange.average", {"a": report, "b": [2]})


def test_a_list_is_not_too_short_for_want_of_a_wrong_entry() -> None:
    with pytest.raises(ab.InputError) as raised:
        ab.collaborate("exchange.average", {"a": [float("nan")], "b": [2]})
    assert "point.0': it is NaN" in str(raised.value)
    assert "write 1 or more" not in str(raised.value)
    with pytest.raises(ab.InputError, match="point': it is empty; write 1 or more"):
        ab.collaborate("exchange.average", {"a": [], "b": [2]})


def test_reports_without_names_are_refused() -> None:
    with pytest.raises(ab.InputError, match="type list, which names no parties"):
        ab.collaborate("exchange.union", [["a"], ["b"]])


def test_its_repr_is_one_short_line() -> None:
    shown = repr(ab.collaborate("exchange.union", LISTS))
    assert "exchange.union, 2 parties" in shown
    assert len(shown) < 100
