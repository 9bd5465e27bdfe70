"""Rows as text, hashed by compiled loops as they lie: as the text that polars joins."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.exchange.handout import derive_key, hash_elements
from aboveboard.exchange.row_texts import (
    choose_cells,
    hash_rows,
    leave_cells_empty,
    make_cells,
    write_row,
)

LEAST, MOST = -(1 << 63), (1 << 63) - 1

rows = st.lists(
    st.tuples(st.text("aé\0", max_size=30), st.integers(LEAST, MOST), st.integers(0, 255)),
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
    cells = [leave_cells_empty(chosen.size)]
    for column in ("text", "whole", "text", "small"):
        own = choose_cells(frame[column], chosen)
        assert own is not None
        cells.append(own)
    listed = pl.concat_str(pl.lit(""), "text", "whole", "text", "small", separator="\2")
    wanted = frame.select(listed.gather(chosen).alias("")).to_series()
    assert [write_row(cells, at, "\2").decode() for at in range(chosen.size)] == wanted.to_list()
    hashes = hash_rows(cells, "\2", derive_key(7))
    assert hashes.tolist() == hash_elements(wanted, 7).tolist()


def test_long_cells_beside_short_ones_are_hashed_whole() -> None:
    long = [number * "é" for number in (0, 300, 3, 2_000, 1, 1_999)]
    cells = [make_cells(pl.Series(long)), make_cells(pl.Series(long[::-1]))]
    hashes = hash_rows(cells, "|", derive_key(7))
    wanted = [f"{one}|{other}" for one, other in zip(long, long[::-1], strict=True)]
    assert hashes.tolist() == hash_elements(pl.Series(wanted), 7).tolist()


def test_every_number_of_digits_is_written() -> None:
    powers = [10**digits for digits in range(19)]
    sizes = [0, 1, *powers, *(power - 1 for power in powers), 1234567890123456789, MOST]
    numbers = [*sizes, *(-size for size in sizes), LEAST]
    cells = choose_cells(pl.Series(numbers, dtype=pl.Int64), np.arange(len(numbers)))
    assert cells is not None
    texts = pl.Series([str(number) for number in numbers])
    hashes = hash_rows([cells], "\2", derive_key(7))
    assert hashes.tolist() == hash_elements(texts, 7).tolist()
    assert [write_row([cells], at, "\2").decode() for at in range(len(numbers))] == texts.to_list()


@pytest.mark.parametrize(
    "values", [pl.Series(["a", None]), pl.Series([1.5]), pl.Series([1], dtype=pl.UInt64)]
)
def test_other_cells_are_made_texts_first(values: Any) -> None:
    assert choose_cells(values, np.zeros(1, np.int64)) is None
    cells = [make_cells(pl.Series(["x", ""])), make_cells(pl.Series(["", "y"]))]
    assert [write_row(cells, at, "|") for at in range(2)] == [b"x|", b"|y"]
