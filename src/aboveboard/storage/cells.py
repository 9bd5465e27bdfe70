"""Cells that a spreadsheet would compute: marked as text before they are handed out.

Source: OWASP, "CSV injection".
"""

from __future__ import annotations

import polars as pl

FORMULA = r"^[\s\x00-\x1f\u00a0\ufeff]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]"
"""How a cell begins that a spreadsheet computes, or would after it has taken blanks off."""

NUMBER = r"^\s*[+-]?(?:[0-9]+(?:[.,][0-9]*)*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\s*%?$"
"""A number with its sign computes nothing, and stays one."""


def mark_formula(values: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return a column with `'` before every text that a spreadsheet would compute.

    Examples
    --------
    >>> frame = pl.DataFrame({"a": ["=1+1", "-5", "plain"]})
    >>> frame.select(a=mark_formula(pl.col("a"), pl.String()))["a"].to_list()
    ["'=1+1", '-5', 'plain']
    """
    if dtype != pl.String:
        return values
    computed = values.str.contains(FORMULA) & ~values.str.contains(NUMBER)
    return pl.when(computed).then(pl.lit("'") + values).otherwise(values)


def mark_name(name: str) -> str:
    """Return the name of a column, marked in the same way; a number as a name, too.

    Examples
    --------
    >>> mark_name("=x"), mark_name("x")
    ("'=x", 'x')
    """
    return f"'{name}" if pl.Series([name]).str.contains(FORMULA).item() else name
