"""What is to be seen of parties' data before anything is run."""

from __future__ import annotations

import polars as pl
import pytest

from aboveboard.storage.cells import mark_formula, mark_name
from aboveboard.storage.inspection import summarize_data
from aboveboard.storage.kinds import Kind
from aboveboard.storage.options import DataKeys, DataOptions, merge_options
from aboveboard.storage.party_data import read_elements, read_frame
from aboveboard.storage.records import Reading, Records


def party(*elements: str, **reading: object) -> Records:
    frame = pl.DataFrame({"element": pl.Series(elements, dtype=pl.String)})
    return Records(frame, reading=Reading(**reading))


def test_elements_are_counted_by_kind() -> None:
    mixed = party("bad.example", "192.0.2.1", "http://bad.example/x", "ann@bad.example", "a b")
    summary = summarize_data({"a": mixed, "b": party("x.example", kind="domain")})
    assert summary.parties["a"].kinds == {
        "domain": 1, "address": 1, "url": 1, "email": 1, "text": 1,
    }  # fmt: skip
    assert summary.parties["b"].kinds == {"domain": 1}
    assert "a has elements of several kinds" in summary.warnings[0]


def test_one_thing_in_two_spellings_across_parties_is_seen() -> None:
    lists = {"a": party("Acme Corp", "www.bad.example", "same"), "b": party("acme  corp", "same")}
    lists["c"] = party("bad.example", "ｓａｍｅ")
    summary = summarize_data(lists)
    assert summary.respelled_things == 3
    assert ("Acme Corp", "acme  corp") in summary.spellings
    assert ("bad.example", "www.bad.example") in summary.spellings
    assert (
        "3 elements of several parties could be the same in two spellings" in summary.warnings[-1]
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [("01234", "1234"), ("1.50", "1.5"), ("2.0", "2"), ("-007", "-7"), ("10.500", "010.5"),
     ("0.10", "0.1")],
)  # fmt: skip  # read as a table
def test_numbers_that_a_spreadsheet_writes_without_their_zeros_are_spellings(
    one: str, other: str
) -> None:
    summary = summarize_data({"a": party(one, "x1"), "b": party(other, "x10")})
    assert summary.respelled_things == 1
    assert summary.spellings == (tuple(sorted((one, other))),)


@pytest.mark.parametrize(
    ("one", "other"),
    [("100", "1"), ("10", "1.0.0"), ("00", "0.0.1"), ("a01", "a1"), ("192.0.2.10", "192.0.2.1"),
     ("1.5", "15"), ("-7", "7")],
)  # fmt: skip  # read as a table
def test_other_numbers_are_no_spellings(one: str, other: str) -> None:
    assert summarize_data({"a": party(one), "b": party(other)}).respelled_things == 0


def test_lists_that_differ_are_no_spellings() -> None:
    lists = {"a": party("a.example", "B c"), "b": party("b.example", "B d")}
    assert summarize_data(lists).respelled_things == 0


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [("domain", "their kind keeps them apart: where they are one thing, write one of them"),
     ("text", "where they are one thing, write one of them")],
)  # fmt: skip  # read as a table
def test_spellings_that_a_stated_kind_keeps_apart_are_not_to_be_mended_by_it(
    kind: Kind, remedy: str
) -> None:
    lists = {
        name: read_elements([element], place="p", options=DataOptions(kind=kind))
        for name, element in (("a", "bad.example"), ("b", "www.bad.example"))
    }
    (warning,) = summarize_data(lists).warnings
    assert warning.endswith(f"('bad.example' and 'www.bad.example'); {remedy}")


@pytest.mark.parametrize(
    ("groups", "remedy"),
    [([("01234", "1234")], "where they are one thing, write one of them"),
     ([("1.50", "1.5")], "where they are one thing, write one of them"),
     ([("Acme Corp", "acme  corp")], "where they are one thing, write one of them"),
     ([("Bad.Example", "bad.example")], "kind makes them one"),
     ([("01234", "1234"), ("Bad.Example", "bad.example")],
      "kind makes some of them one; where others are one thing, write one of them"),
     ([(f"{k}.Example", f"{k}.example") for k in range(9)],
      "kind makes some of them one; where others are one thing, write one of them")],
)  # fmt: skip  # read as a table
def test_kind_is_advised_only_where_it_makes_spellings_one(
    groups: list[tuple[str, str]], remedy: str
) -> None:
    one, other = zip(*groups, strict=True)
    warnings = summarize_data({"a": party(*one), "b": party(*other)}).warnings
    assert warnings[-1].endswith(f"); {remedy}")


def test_parties_whose_kinds_differ_are_warned_of() -> None:
    lists = {"a": party("a.example", kind="domain"), "b": party("http://a.example/", kind="url")}
    said = "a has domain names and b URLs: no element of one is one of the other"
    assert said in summarize_data(lists).warnings
    lists["b"] = party(kind="url")
    assert said not in summarize_data(lists).warnings
    lists["b"] = party("a.example")
    assert said not in summarize_data(lists).warnings


def test_what_is_seldom_meant_is_warned_of() -> None:
    frame = pl.DataFrame({"k": ["a", "a"], "note": ["x", "y"]})
    table = read_frame(frame, place="p", options=DataOptions(key="k"))
    summary = summarize_data(
        {"acme": table, "bolt": party(left_out={"patterns": 2})}, {"a.txt": "1", "b.txt": "1"}
    )
    assert summary.warnings == (
        "a.txt and b.txt are the same file",
        "acme: the column note goes to other parties with its rows",
        "acme: 1 entry repeats an element",
        "bolt has no elements",
        "bolt: 2 entries left out: patterns",
    )
    assert summarize_data({"acme": party("a")}).warnings == ("acme is the only party",)


def test_a_summary_is_plain_data() -> None:
    records = read_elements(["Bad.example", "x"], place="p", options=DataOptions(kind="domain"))
    assert summarize_data({"acme": records}).parties["acme"].as_dict() == {
        "elements": 1,
        "entries": 2,
        "comments": 0,
        "left_out": {"entries that are not domain names": 1},
        "duplicates": 0,
        "respelled": 1,
        "kinds": {"domain": 1},
        "format": "list",
        "columns_that_leave": [],
    }


@pytest.mark.parametrize(
    ("cell", "marked"),
    [("=1+1", True), ("+1+1", True), ("-1+1", True), ("@x", True), ("\t=1", True), (" =1", True),
     ("\ufeff=1", True), ("＝1", True), ("-5", False), ("+3.5e2", False), ("-1.234,5", False),
     ("a=1", False), ("", False), ("-5%", False), ("+49 30", True)],
)  # fmt: skip
def test_cells_that_a_spreadsheet_computes_are_marked(cell: str, marked: bool) -> None:
    frame = pl.DataFrame({"a": [cell, None], "n": [1, 2]})
    columns = [mark_formula(pl.col(name), dtype) for name, dtype in frame.schema.items()]
    expected = [("'" + cell if marked else cell, 1), (None, 2)]
    assert frame.select(columns).rows() == expected


def test_names_of_columns_are_cells_too() -> None:
    assert (mark_name("=x"), mark_name("x")) == ("'=x", "x")


def test_of_a_party_and_the_file_the_party_goes_first() -> None:
    file = DataKeys.model_validate({"kind": "domain", "normalize": True, "encoding": "CP1252"})
    own = DataKeys.model_validate({"kind": "text", "delimiter": "tab"})
    assert merge_options(own, file, key="k") == DataOptions(
        kind="text", key="k", delimiter="\t", encoding="cp1252",
        normalize=frozenset({"case", "whitespace"}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value"),
    [("kind", "domains"), ("delimiter", "ab"), ("delimiter", '"'), ("encoding", "utf-9"),
     ("encoding", "base64"), ("decimal", ";"), ("csv", "safe"), ("normalize", "upper")],
)  # fmt: skip
def test_values_that_mean_nothing_are_refused(key: str, value: str) -> None:
    with pytest.raises(ValueError, match=key):
        DataKeys.model_validate({key: value})
