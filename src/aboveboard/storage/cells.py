"""Cells that a spreadsheet would compute: marked as text before they are handed out.

Source: OWASP, "CSV injection".
"""

from __future__ import annotations

import polars as pl

FORMULA = r"^[\s\x00-\x1f\u00a0\ufeff]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]"
"""How a cell begins that a spreadsheet computes, or would after it has taken blanks off."""

NUMBER = r"^\s*[+-]?(?:[0-9]+(?:[.,][0-9]*)*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\s*%?$"
"""A number with its sign computes nothing, and stays one."""


def mark_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table with `'` before every text that a spreadsheet would compute.

    Examples
    --------
    >>> mark_formulas(pl.DataFrame({"a": ["=1+1", "-5", "plain"]}))["a"].to_list()
    ["'=1+1", '-5', 'plain']
    """
    changed = []
    for column in frame.get_columns():
        if column.dtype != pl.String:
            continue
        begun = column.str.contains(FORMULA).fill_null(value=False)
        if begun.any():
            begun &= ~column.str.contains(NUMBER).fill_null(value=False)
            changed.append(("'" + column).zip_with(begun, column).alias(column.name))
    frame = frame.with_columns(changed) if changed else frame
    names = {
        name: f"'{name}"
        for name, marked in zip(
            frame.columns,
            pl.Series(frame.columns, dtype=pl.String).str.contains(FORMULA).to_list(),
            strict=True,
        )
        if marked
    }
    return frame.rename(names) if names else frame
