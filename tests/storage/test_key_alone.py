"""A table of which only the key is read: elements, counts and faults as of one read whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.faults import list_faults
from aboveboard.storage.formats import csv_shape
from aboveboard.storage.formats.content import FileBytes
from aboveboard.storage.formats.csv_shape import find_shape
from aboveboard.storage.options import DataOptions
from aboveboard.storage.party_data import read_records

HEADERS = st.sampled_from(
    [
        "key,note,n",
        "note,key,n",
        "n,note,key",
        "key,note",
        "key",
        "note,key,",
        "a,note,key,n",
        "element,key",
    ]
)
FIELDS = st.sampled_from(
    ["a.example", "b.example", "A.Example", "www.a.example", "no name", "", " ", "x" * 70, "1",
     "01", '"q,r"', '"', "#c", "é.example", "b.example\r", "a;b", "\u2028", "=1+1", "1,5"]
)  # fmt: skip
ROWS = st.lists(FIELDS, min_size=3, max_size=3) | st.lists(FIELDS, max_size=4)
TABLES = st.tuples(
    st.sampled_from(["", "# a title\n", "sep=,\n", "\ufeff"]),
    HEADERS,
    st.lists(ROWS, max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n", "\n\n", "\n,,\n"]),
)


def describe(data: bytes, options: DataOptions, *, key_alone: bool) -> Any:
    """Return all that a check uses of a party's records, or the faults."""
    try:
        found = read_records(
            FileBytes(Path("a.csv"), data), place="a", options=options, key_alone=key_alone
        )
    except InputError as error:
        return list(map(str, list_faults(error)))
    elements = sorted(found.elements.to_list())
    return elements, found.reading, found.columns, found.columns_that_leave, found.form, found.key


@given(
    TABLES, st.sampled_from(["domain", "text", None]), st.sampled_from([None, ("note",), ("n",)])
)
def test_what_is_said_of_a_table_does_not_depend_on_how_many_columns_are_read(
    table: tuple[str, str, list[list[str]], str, str], kind: Any, columns: Any
) -> None:
    start, header, rows, feed, end = table
    text = start + feed.join([header, *map(",".join, rows)]) + end
    options = DataOptions(kind=kind, key="key", columns=columns)
    alone = describe(text.encode(), options, key_alone=True)
    assert alone == describe(text.encode(), options, key_alone=False)


@pytest.mark.parametrize("columns", ["key,seen,score", "seen,key,score", "seen,score,key"])
def test_of_a_plain_table_only_the_key_is_read(columns: str) -> None:
    rows = [{"key": f"{k}.example", "seen": "", "score": str(k)} for k in range(3000)]
    lines = [",".join(row[name] for name in columns.split(",")) for row in rows]
    data = "\n".join([columns, *lines]).encode()
    source = FileBytes(Path("a.csv"), data)
    records = read_records(source, place="a", options=DataOptions(key="key"), key_alone=True)
    assert records.elements.to_list() == [row["key"] for row in rows]
    assert [records.schema[name] for name in ("seen", "score")] == [pl.Null, pl.Null]


def test_a_row_of_another_length_is_a_fault_on_its_line_though_one_column_is_read() -> None:
    lines = ["key,note", *(f"{k}.example,x" for k in range(5000))]
    lines[1234], lines[4000] = "short.example", "long.example,x,y"
    with pytest.raises(InputError) as caught:
        read_records(
            FileBytes(Path("a.csv"), "\n".join(lines).encode()),
            place="a",
            options=DataOptions(kind="domain", key="key"),
            key_alone=True,
        )
    places = [fault.place.rpartition(", ")[2] for fault in list_faults(caught.value)]
    assert places == ["line 1235", "line 4001"]


@pytest.mark.parametrize("columns", ["key,seen,score", "seen,key,score", "seen,score,key"])
def test_among_many_names_the_odd_ones_are_found_in_their_rows(columns: str) -> None:
    names = [f"{k}-a.example" for k in range(3000)]
    long = ".".join(["x" * 60] * 5)
    odd = {7: "WWW.Bücher.Example", 800: "no name", 1501: "A.EXAMPLE.", 2000: "x" * 64 + ".com",
           2500: f"{long[:200]}.example", 2600: long, 2999: "a_b.c_d"}  # fmt: skip
    for row, name in odd.items():
        names[row] = name
    fields = {"seen": "2026-01-02", "score": "-1"}
    lines = [",".join({**fields, "key": key}[each] for each in columns.split(",")) for key in names]
    data = "\n".join([columns, *lines, ""]).encode()
    options = DataOptions(kind="domain", key="key")
    alone = describe(data, options, key_alone=True)
    assert alone == describe(data, options, key_alone=False)
    elements, reading, *_ = alone
    assert {"www.xn--bcher-kva.example", "a.example", odd[2500]} <= set(elements)
    assert reading.left_out == {"entries that are not domain names": 4}
    assert (len(elements), reading.respelled) == (2996, 2)


SHAPES = st.lists(
    st.text("ab,;\n", max_size=12) | st.just("," * 70) | st.just("a" * 70), max_size=20
)


@given(SHAPES, st.integers(2, 4), st.sampled_from([1, 64, 100, 1 << 19]))
def test_rows_are_counted_where_every_line_has_as_many_fields(
    parts: list[str], columns: int, piece: int
) -> None:
    text = "\n".join(parts)
    lines = text.split("\n")[: -1 if text.endswith("\n") else None] if text else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_shape, "PIECE", piece)
        shape = find_shape(columns, text.encode(), ",")
    found = None if shape is None else shape.rows
    if any(line.count(",") != columns - 1 for line in lines):
        assert found is None
    elif piece > len(text):
        assert found == len(lines)
    else:  # a line longer than a piece is left to others
        assert found in (None, len(lines))


@given(st.lists(st.lists(st.text("ab", max_size=3), min_size=3, max_size=3), max_size=99))
def test_rows_of_a_plain_table_are_counted_piece_by_piece(rows: list[list[str]]) -> None:
    text = "".join(",".join(row) + "\n" for row in rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_shape, "PIECE", 64)
        shape = find_shape(3, text.encode(), ",")
    assert shape is not None
    assert shape.rows == len(rows)
