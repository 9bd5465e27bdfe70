"""What a change of terms changes: nothing of it is hidden from who is to sign it."""

from __future__ import annotations

from typing import Any

import pytest
from rounds_by_hand import make_terms

from aboveboard.commands.rounds.changes import compare_terms
from aboveboard.evidence.terms import parse_terms


def compare(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return what differs between terms with these parameters."""
    before, after = (parse_terms(make_terms(parameters=x).body, "terms") for x in (old, new))
    return [line.removeprefix("parameters.") for line in compare_terms(before, after)]


def test_every_difference_of_a_long_list_is_shown() -> None:
    old, new = list(range(100, 160)), list(range(100, 160))
    new[0], new[-1] = 101, 999999
    assert compare({"values": old}, {"values": new}) == [
        "values[0]: 100, then 101",
        "values[59]: 159, then 999999",
    ]
    assert compare({"values": [1]}, {"values": [1, {"a": [2]}]}) == [
        "values[1].a[0]: nothing, then 2"
    ]
    assert compare({"a": {"x": [1]}}, {"a": {"x": {"0": 1}, "x[0]": 1}}) == [
        'a."x[0]": nothing, then 1',
        "a.x.0: nothing, then 1",
        "a.x[0]: 1, then nothing",
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x: 1, then 2\nNothing else changes", r'"x: 1, then 2\nNothing else changes"'),
        ("a b", '"a b"'),
        ("", '""'),
        ("a\u202eb\u2028c", r'"a\u202eb\u2028c"'),
        ("net-price_2", "net-price_2"),
    ],
)
def test_a_name_that_is_more_than_a_word_is_quoted(name: str, shown: str) -> None:
    assert compare({}, {name: 1})[-1] == f"{shown}: nothing, then 1"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ([], "", 'a: [], then ""'),
        ({}, [], "a: {}, then []"),
        (None, "", 'a: null, then ""'),
        ("nothing", None, 'a: "nothing", then null'),
        (True, 1, "a: true, then 1"),
        (0, False, "a: 0, then false"),
        ("x\u202ey", "x\ny", r'a: "x\u202ey", then "x\ny"'),
    ],
)
def test_values_that_differ_look_different(old: Any, new: Any, line: str) -> None:
    assert compare({"a": old}, {"a": new}) == [line]
    assert compare({"a": old}, {"a": old}) == []
