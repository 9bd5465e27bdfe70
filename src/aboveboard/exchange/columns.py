"""Columns of several parties brought together: their common type, and values as text."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def find_common_type(types: Sequence[pl.DataType | None]) -> pl.DataType:
    """Return the type that a column has in a reply, from its type with each party that has it.

    Different types of numbers have a common one; all else that differs is written as text: dates
    would become numbers, finer times coarser ones, and a decimal may not fit.
    """
    present = list(dict.fromkeys(dtype for dtype in types if dtype is not None))
    known = [dtype for dtype in present if dtype != pl.Null] or present
    if len(known) == 1:
        return known[0]
    text = pl.String()
    if not all(dtype.is_integer() or dtype.is_float() for dtype in known):
        return text
    empty = [pl.Series("", [], dtype=dtype).to_frame() for dtype in known]
    shared = pl.concat(empty, how="vertical_relaxed").dtypes[0]
    # Of signed and unsigned integers polars makes floats, which lose digits, or integers of 128
    # bits, which other readers of Parquet do not know.
    integers = all(dtype.is_integer() for dtype in known)
    return text if integers and (shared.is_float() or shared == pl.Int128) else shared


def convert(column: str, held: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    """Return the column with the type that it has in a reply."""
    if held == wanted:
        return pl.col(column)
    return as_text(column, held) if wanted == pl.String else pl.col(column).cast(wanted)


def as_text(column: str, held: pl.DataType) -> pl.Expr:
    """Write values as text: nested ones as JSON, bytes in hexadecimal, durations as ISO says."""
    values = pl.col(column)
    if held == pl.Binary:
        return values.bin.encode("hex")
    if held == pl.Duration:
        return values.dt.to_string("iso")
    if not held.is_nested():
        return values.cast(pl.String)
    wrapped = pl.struct(values.alias("_")).struct.json_encode()
    bare = wrapped.str.strip_prefix('{"_":').str.strip_suffix("}")
    return pl.when(values.is_not_null()).then(bare).alias(column)
