"""Columns of names looked at 64 bytes at a time: the same as the pattern, name by name."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from aboveboard.storage import bit_masks
from aboveboard.storage.bit_masks import Mask, TextBytes, add_starts, find_ranks, pack
from aboveboard.storage.formats import csv_shape
from aboveboard.storage.formats.csv_shape import ColumnLook, find_shape
from aboveboard.storage.kinds import domain, domain_columns
from aboveboard.storage.kinds.domain_columns import find_normal_names, mark_odd_names

PATTERN = re.compile(domain.NORMAL.removesuffix("$") + r"\Z")
LABELS = st.text("ab19_-", min_size=0, max_size=6) | st.sampled_from(["com", "x" * 62, "9" * 63])
NAMES = st.lists(LABELS, max_size=4).map(".".join)
ODD = st.text("a.-_9A\n\r\t /é\ufeff\0,", max_size=5)
TEXTS = st.lists(st.one_of(NAMES, NAMES, ODD, st.none()), max_size=40)


def fits_pattern(text: str | None) -> bool:
    """Return whether a text fits the pattern, and is no longer than a label may be."""
    short = text is not None and len(text.encode()) <= domain.LONGEST_LABEL
    return short and PATTERN.fullmatch(str(text)) is not None


def mark_ends(starts: NDArray[np.bool_], runs: NDArray[np.bool_]) -> Mask | None:
    """Return where the runs end that have a start."""
    passed = add_starts(pack(starts), pack(runs))
    return None if passed is None else passed & ~pack(runs)


@given(TEXTS, st.sampled_from([1, 64, 65, 1 << 18]), st.sampled_from([1, 3, 1 << 20]))
def test_names_in_normal_form_are_those_that_fit_the_pattern(
    texts: list[str | None], piece: int, rows: int
) -> None:
    column = pl.Series(texts, dtype=pl.String)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(domain_columns, "PIECE", piece)
        patch.setattr(domain_columns, "ROWS", rows)
        assert find_normal_names(column).to_list() == [fits_pattern(text) for text in texts]


def find_odd_rows(names: list[str], column: int, delimiter: str) -> list[int]:
    """Return the rows of a table whose name in this column is found odd."""
    fields = [["-B", "x.", "\u00e9/"] for _ in names]
    for row, name in zip(fields, names, strict=True):
        row[column] = name
    text = "".join(delimiter.join(row) + "\n" for row in fields).encode()
    shape = find_shape(3, text, delimiter, ColumnLook(column, mark_odd_names))
    assert shape is not None
    assert shape.rows == len(names)
    return [int(row) for row in shape.odd]


@given(
    st.lists(NAMES | ODD.filter(lambda text: not set(text) & {"\n", ","}), max_size=40),
    st.integers(0, 2),
    st.sampled_from(",;"),
    st.sampled_from([512, 640, 1 << 18]),
)
def test_odd_names_of_a_table_are_those_that_break_the_pattern(
    names: list[str], column: int, delimiter: str, piece: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_shape, "PIECE", piece)
        odd = find_odd_rows(names, column, delimiter)
    assert odd == [row for row, name in enumerate(names) if not PATTERN.fullmatch(name)]


@pytest.mark.parametrize("column", [0, 1, 2])
def test_every_short_name_of_a_table_is_told_as_the_pattern_does(column: int) -> None:
    texts = [""]
    for _ in range(5):
        texts += [text + sign for text in texts if len(text) == len(texts[-1]) for sign in "a1.-_A"]
    odd = find_odd_rows(texts, column, ",")
    assert odd == [row for row, text in enumerate(texts) if not PATTERN.fullmatch(text)]


@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_name_too_long_to_be_followed_is_left_to_another_reader(column: int) -> None:
    row = ["a.example", "b", "c"]
    row[column] = "_" + "a" * 5000 + ".com"
    shape = find_shape(3, ",".join(row).encode(), ",", ColumnLook(column, mark_odd_names))
    assert shape is None


def test_every_short_name_of_the_signs_that_matter_is_told_as_the_pattern_does() -> None:
    texts = [""]
    for _ in range(6):
        texts += [text + sign for text in texts if len(text) == len(texts[-1]) for sign in "a1.-_A"]
    found = find_normal_names(pl.Series(texts, dtype=pl.String))
    assert found.to_list() == [fits_pattern(text) for text in texts]
    assert found.sum() > 100


def test_a_line_feed_in_a_text_parts_no_name() -> None:
    texts = ["a.example\nb.example", "c.example", "\n", "d.example\n", "e.example"]
    found = find_normal_names(pl.Series(texts))
    assert found.to_list() == [False, True, False, False, True]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=400))
def test_ends_of_runs_and_ranks_are_those_that_a_loop_finds(signs: list[int]) -> None:
    # 0 and 1 pass a run on, 2 ends one, 3 begins one.
    signs = [2, *signs, *[2] * (64 - (len(signs) + 1) % 64)]
    signs = [min(sign, 2) if signs[at - 1] < 2 else sign for at, sign in enumerate(signs)]
    starts, runs = ([sign == 3 for sign in signs], [sign != 2 for sign in signs])
    expected = set()
    for at, begins in enumerate(starts):
        if begins:
            expected.add(next(end for end in range(at, len(signs)) if not runs[end]))
    ends = mark_ends(np.array(starts), np.array(runs))
    assert ends is not None
    flags = np.unpackbits(ends.view(np.uint8), bitorder="little")
    assert set(np.flatnonzero(flags).tolist()) == expected
    others = [at for at, passes in enumerate(runs) if not passes]
    among = pack(~np.array(runs))
    assert find_ranks(ends, among).tolist() == [others.index(end) for end in sorted(expected)]


@pytest.mark.parametrize("length", [1, 63, 64, 65, 127, 128, 257, 500])
def test_a_run_of_several_words_is_followed_to_its_end_or_given_up(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = np.zeros(640, np.bool_)
    runs[3 : 3 + length] = True
    starts = np.zeros(640, np.bool_)
    starts[3] = True
    ends = mark_ends(starts, runs)
    assert ends is not None
    assert np.flatnonzero(np.unpackbits(ends.view(np.uint8), bitorder="little")) == [3 + length]
    monkeypatch.setattr(bit_masks, "LONGEST_RUN", 128)
    given_up = mark_ends(starts, runs) is None
    assert given_up == (length > 256)


def test_a_piece_that_is_shorter_than_the_one_before_holds_nothing_of_it() -> None:
    text = TextBytes()
    text.fill(b"a" * 200, 0, 200)
    text.fill(b"xbax", 1, 3)
    assert text.mark("a").tolist() == [2]
    assert text.mark("\n").tolist() == [(1 << 64) - 4]
    assert text.drop_filling(text.mark("\n")).tolist() == [4]
