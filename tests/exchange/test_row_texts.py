"""Rows as text, written by compiled loops: as polars joins them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.exchange.row_texts import choose_cells, join_cells, leave_cells_empty, make_cells

LEAST, MOST = -(1 << 63), (1 << 63) - 1

rows = st.lists(
    st.tuples(st.text("aé\0", max_size=9), st.integers(LEAST, MOST), st.integers(0, 255)),
    max_size=20,
)


@given(rows, st.data())
def test_rows_are_the_texts_that_polars_joins(
    rows: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    schema = {"text": pl.String, "whole": pl.Int64, "small": pl.UInt8}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    some = st.lists(st.integers(0, len(rows) - 1), max_size=9) if rows else st.just([])
    chosen = np.array(data.draw(some), np.int64)
    cells = [choose_cells(frame[column], chosen) for column in schema]
    cells.insert(1, leave_cells_empty(chosen.size))
    texts = join_cells([each for each in cells if each is not None], "\2")
    listed = pl.concat_str("text", pl.lit(""), "whole", "small", separator="\2")
    wanted = frame.select(listed.gather(chosen).alias("")).to_series().to_list()
    assert [texts[at].decode() for at in range(len(texts))] == wanted


@pytest.mark.parametrize("number", [0, 9, 10, -1, -10, MOST, LEAST, LEAST + 1, 10**18, 10**18 - 1])
def test_every_number_of_digits_is_written(number: int) -> None:
    cells = choose_cells(pl.Series([number], dtype=pl.Int64), np.zeros(2, np.int64))
    assert cells is not None
    assert [join_cells([cells], "\2")[at] for at in range(2)] == [str(number).encode()] * 2


@pytest.mark.parametrize(
    "values", [pl.Series(["a", None]), pl.Series([1.5]), pl.Series([1], dtype=pl.UInt64)]
)
def test_other_cells_are_made_texts_first(values: Any) -> None:
    assert choose_cells(values, np.zeros(1, np.int64)) is None
    texts = join_cells([make_cells(pl.Series(["x", ""])), make_cells(pl.Series(["", "y"]))], "|")
    assert [texts[0], texts[1]] == [b"x|", b"|y"]
